"""Subscriber files: what other systems and spreadsheets write, read into people who arrive, with a receipt."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from content.text_cleaning import clean_line
from newsletter import addresses, choices, subscribers
from newsletter.exporting import COLUMNS, unguarded
from newsletter.models import Newsletter

CHUNK = 2000  # people in one transaction, so that sign-ups are not kept waiting
DELIMITERS = ",;\t"
SLUG = re.compile(r"[^\s,;|]+")
OTHER_NAMES = {
    "e-mail": "email",
    "email address": "email",
    "e-mail address": "email",
    "correo electrónico": "email",
    "full name": "name",
    "nombre": "name",
    "locale": "language",
    "idioma": "language",
    "subscribed_to_emails": "status",
}
# Columns that tell an export of another system whose opt-outs do not stand in a column “status”.
FOREIGN = {"leid": "Mailchimp", "active_subscription": "Substack"}
STATUSES = {
    "": "confirmed",
    "active": "confirmed",
    "confirmed": "confirmed",
    "enabled": "confirmed",
    "true": "confirmed",
    "subscribed": "confirmed",
    "pending": "pending",
    "unconfirmed": "pending",
    "unsubscribed": "unsubscribed",
    "opted out": "unsubscribed",
    "false": "unsubscribed",
    "bounced": "bounced",
    "cleaned": "bounced",
    "unreachable": "bounced",
    "complained": "complained",
    "spam": "complained",
    "blocklisted": "suppressed",
    "suppressed": "suppressed",
}
# From the one that says least against mail to the one that says most.
WEIGHTS = ("confirmed", "pending", "unsubscribed", "bounced", "complained", "suppressed")


class UnreadableFile(Exception):
    """The file as a whole can not be taken. Its message says why and what to do."""


class RejectedRow(Exception):
    """One row can not be taken. Its message says why."""


@dataclass
class Receipt:
    """What became of every row: the counts and the rejected rows add up to `rows`."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    suppressed: int = 0
    duplicates: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Reading:
    """How one file is read: the words that count as consent, the terms of this site, and what was met so far."""

    consent: str
    terms: Mapping[tuple[str, str], UUID]
    receipt: Receipt = field(default_factory=Receipt)
    unknown_choices: set[str] = field(default_factory=set)
    without_consent: int = 0


def take(newsletter: Newsletter, path: Path, *, consent: str = "", dry_run: bool = False) -> Reading:
    """Take in the people of a CSV file; see `subscribers.take_in` for who is left alone.

    The file needs a column `email`; `name` (or `first name` and `last name`), `language`, `status`, `consent`,
    `role`, `grade` and `topic` are read where they stand. A row that can not be read is rejected, the others are
    taken, in transactions of 2,000: a file can be imported again at any time. Of several rows of one address the
    one counts whose status stops the most mail.

    Args:
        consent: the words these people agreed to, for rows that do not state their own. A row that states none
            and would get mail is rejected.
        dry_run: count, and change nothing.

    Raises:
        UnreadableFile: nothing was taken.
    """
    reading = Reading(consent, {known: key for key, known in choices.known().items()})
    arrivals = iter(_people(decode(path.read_bytes()), reading))
    while chunk := list(islice(arrivals, CHUNK)):
        with transaction.atomic():
            outcomes = subscribers.take_in(newsletter, chunk)
            transaction.set_rollback(dry_run)
        for outcome, count in outcomes.items():
            setattr(reading.receipt, outcome, getattr(reading.receipt, outcome) + count)
    return reading


def decode(data: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, with or without its mark, or else in Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _people(text: str, reading: Reading) -> Collection[subscribers.Arrival]:
    """One arrival for each address. All rows are read first, since an opt-out may stand in the last of them."""
    people: dict[str, subscribers.Arrival] = {}
    for arrival in _arrivals(text, reading):
        first = people.setdefault(arrival.address.key, arrival)
        if first is not arrival:
            reading.receipt.duplicates += 1
            people[arrival.address.key] = max(first, arrival, key=_weight)
    return people.values()


def _weight(arrival: subscribers.Arrival) -> int:
    return WEIGHTS.index(arrival.status)


def _arrivals(text: str, reading: Reading) -> Iterator[subscribers.Arrival]:
    receipt = reading.receipt
    for line, row in _rows(text):
        receipt.rows += 1
        try:
            if isinstance(row, RejectedRow):
                raise row
            yield _arrival(row, reading)
        except RejectedRow as why:
            email = "" if isinstance(row, RejectedRow) else row["email"][: addresses.LONGEST]
            receipt.rejected.append({"row": line, "email": email, "why": str(why)})


def _rows(text: str) -> Iterator[tuple[int, dict[str, str] | RejectedRow]]:
    """Each row with the line it begins on: its cells by column, or why it can not be read."""
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    sheet = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    columns = _columns(_header(sheet))
    while True:
        line = sheet.line_num + 1
        try:
            cells = next(sheet, None)
        except csv.Error as error:
            yield line, RejectedRow(f"The row can not be read ({error}). Check its quotation marks.")
            continue
        if cells is None:
            return
        if any(cells):
            yield line, _named(columns, cells)


def _header(sheet: Iterator[list[str]]) -> list[str]:
    try:
        return next(sheet, [])
    except csv.Error as error:
        raise UnreadableFile(f"The first line can not be read ({error}). It should name the columns.") from error


def _columns(header: list[str]) -> list[str]:
    plain = [clean_line(name).casefold() for name in header]
    columns = [OTHER_NAMES.get(name, name) for name in plain]
    if "email" not in columns:
        raise UnreadableFile(
            f"No column is called “email” (the first line names: {', '.join(plain)[:200] or 'nothing'}). "
            "Name the column of addresses “email” and import the file again."
        )
    for name in set(columns) & set(FOREIGN):
        raise UnreadableFile(
            f"This looks like an export of {FOREIGN[name]}, which can not be read yet without missing who opted out. "
            "Keep the columns “email” and “name”, add a column “status” (subscribed, unsubscribed, bounced) and import "
            "the file again."
        )
    for name in COLUMNS:
        if columns.count(name) > 1:
            raise UnreadableFile(f"Two columns are called “{name}”. Keep one of them and import the file again.")
    return columns


def _named(columns: list[str], cells: list[str]) -> dict[str, str] | RejectedRow:
    if any(cells[len(columns) :]):
        return RejectedRow(f"The row has {len(cells)} cells, the first line names {len(columns)} columns.")
    row = dict.fromkeys(columns, "")
    row.update(zip(columns, (unguarded(cell.strip()) for cell in cells), strict=False))
    return row


def _arrival(row: dict[str, str], reading: Reading) -> subscribers.Arrival:
    try:
        address = addresses.parse(row["email"])
    except addresses.InvalidAddress as error:
        raise RejectedRow(str(error)) from error
    status = STATUSES.get(row.get("status", "").casefold())
    if status is None:
        raise RejectedRow(f"The status “{row['status'][:40]}” is not known here.")
    wording = row.get("consent", "").replace("\0", "") or (reading.consent if status == "confirmed" else "")
    if status == "confirmed" and not wording:
        reading.without_consent += 1
        raise RejectedRow("No consent is stated: add --consent with the words this person agreed to.")
    return subscribers.Arrival(
        address,
        status,
        name=addresses.tidy_name(row.get("name") or f"{row.get('first name', '')} {row.get('last name', '')}"),
        language=_language(row),
        terms=_terms(row, reading),
        consent=wording,
        source=addresses.tidy_name(row["source"])[:80] if "source" in row else None,
        created_at=_moment(row, "created_at"),
        confirmed_at=_moment(row, "confirmed_at"),
        ended_at=_moment(row, "ended_at"),
    )


def _language(row: dict[str, str]) -> str:
    code = row.get("language", "").casefold()[:2]
    return code if code in dict(settings.LANGUAGES) else ""


def _terms(row: dict[str, str], reading: Reading) -> frozenset[UUID]:
    named = {(facet, slug) for facet in choices.FACETS for slug in SLUG.findall(row.get(facet, "").lower())}
    reading.unknown_choices |= {slug for facet, slug in named if (facet, slug) not in reading.terms}
    return frozenset(reading.terms[choice] for choice in named if choice in reading.terms)


def _moment(row: dict[str, str], column: str) -> datetime | None:
    """A time in ISO 8601; what is none says nothing, since other systems write dates in many ways."""
    try:
        at = datetime.fromisoformat(row.get(column, ""))
    except ValueError:
        return None
    if not 1 < at.year < 9999:  # a neighbouring time zone may be in a year that does not exist
        raise RejectedRow(f"The time in “{column}” ({at.isoformat()}) can not be kept. Correct it or leave it empty.")
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
