"""From the rows of a file to people who arrive, with a receipt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf.locale import LANG_INFO
from django.db import transaction

from content import languages
from content.text_cleaning import fold
from newsletter import addresses, choices, subscribers
from newsletter.importing.standing_words import GONE, PENDING, WEIGHTS, is_empty
from newsletter.importing.standings import StandingRule, Standings
from newsletter.importing.tables import RejectedRow, Row, Table, decode
from newsletter.models import Newsletter

CHUNK = 2000  # people in one transaction, so that sign-ups are not kept waiting
SLUG = re.compile(r"[^\s,;|]+")
LEFT_HERE = "left, bounced, complained or is suppressed here"


@dataclass
class Receipt:
    """What became of every row: the counts and the rejected rows add up to `rows`."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    """Something about the person changed."""
    unchanged: int = 0
    suppressed: int = 0
    """Known or new, and not to get mail."""
    duplicates: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class StayingOut:
    """A row whose person gets no mail, and why: what the file says, or what happened here."""

    row: int
    email: str
    why: str


@dataclass
class Reading:
    """How one file is read: the words that count as consent, the terms of this site, and what was met so far."""

    consent: str
    terms: Mapping[tuple[str, str], UUID]
    facets: Collection[str] = ()
    receipt: Receipt = field(default_factory=Receipt)
    staying_out: list[StayingOut] = field(default_factory=list)
    unknown_choices: set[str] = field(default_factory=set)
    unknown_languages: Counter[str] = field(default_factory=Counter)
    without_consent: int = 0


@dataclass(frozen=True)
class Person:
    """Somebody in the file: the row that counts, and the cell that tells their standing."""

    row: int
    arrival: subscribers.Arrival
    why: str


def take(
    newsletter: Newsletter,
    path: Path,
    *,
    consent: str = "",
    rules: Sequence[StandingRule] = (),
    dry_run: bool = False,
) -> Reading:
    """Take in the people of a CSV file; see `subscribers.take_in` for who is left alone.

    The file needs a column `email`; `name` (or `first name` and `last name`), `language`, `consent`, the slug of each
    facet (`role`, `grade`, `topic` ...) and every column that says who may get mail are read where they stand. A row
    that can not be read is rejected, the others are taken, in transactions of 2,000: a file can be imported again at
    any time. Of several rows of one address the one counts whose standing stops the most mail.

    Args:
        consent: the words these people agreed to, for rows that do not state their own. A row that states none
            and would get mail is rejected.
        rules: what cells mean that are not understood by themselves.
        dry_run: count, and change nothing.

    Raises:
        UnreadableFile: nothing was taken; `UnclearStanding` where a column is not understood.
    """
    table = Table(decode(path.read_bytes()))
    said = Standings(table, rules, path.name.lower())
    reading = Reading(consent, {known: key for key, known in choices.known().items()}, choices.facet_slugs())
    people = iter(_people(table, said, reading))
    while chunk := list(islice(people, CHUNK)):
        with transaction.atomic():
            outcomes = subscribers.take_in(newsletter, [person.arrival for person in chunk])
            transaction.set_rollback(dry_run)
        for person, outcome in zip(chunk, outcomes, strict=True):
            setattr(reading.receipt, outcome, getattr(reading.receipt, outcome) + 1)
            if why := _staying_out(person, outcome):
                reading.staying_out.append(StayingOut(person.row, person.arrival.address.email, why))
    return reading


def _staying_out(person: Person, outcome: subscribers.Outcome) -> str:
    """Why somebody gets no mail; nothing for who does."""
    status = person.arrival.status
    if outcome == "suppressed":
        return f"the file says {person.why}" if status in GONE else LEFT_HERE
    return f"not confirmed, the file says {person.why}" if (status, outcome) == (PENDING, "created") else ""


def _people(table: Table, said: Standings, reading: Reading) -> Collection[Person]:
    """One person for each address. All rows are read first, since an opt-out may stand in the last of them."""
    people: dict[str, Person] = {}
    for person in _each_row(table, said, reading):
        first = people.setdefault(person.arrival.address.key, person)
        if first is not person:
            reading.receipt.duplicates += 1
            people[person.arrival.address.key] = max(first, person, key=_weight)
    return people.values()


def _weight(person: Person) -> int:
    return WEIGHTS.index(person.arrival.status)


def _each_row(table: Table, said: Standings, reading: Reading) -> Iterator[Person]:
    receipt = reading.receipt
    for row in table.rows():
        receipt.rows += 1
        try:
            if not isinstance(row, Row):
                raise row[1]
            yield _person(row, said, reading)
        except RejectedRow as why:
            line, email = (row.line, row.named["email"]) if isinstance(row, Row) else (row[0], "")
            receipt.rejected.append({"row": line, "email": email[: addresses.LONGEST], "why": str(why)})


def _person(row: Row, said: Standings, reading: Reading) -> Person:
    cells = row.named
    try:
        address = addresses.parse(cells["email"])
    except addresses.InvalidAddress as error:
        raise RejectedRow(str(error)) from error
    standing = said.of(row)
    stated = cells.get("consent", "").replace("\0", "")
    wording = ("" if is_empty(stated) else stated) or (reading.consent if standing.status == "confirmed" else "")
    if standing.status == "confirmed" and not wording:
        reading.without_consent += 1
        raise RejectedRow("No consent is stated: add --consent with the words this person agreed to.")
    arrival = subscribers.Arrival(
        address,
        standing.status,
        name=addresses.tidy_name(_name(cells)),
        language=_language(cells, reading),
        terms=_terms(cells, reading),
        consent=wording,
        source=addresses.tidy_name(cells["source"])[:80] if "source" in cells else None,
        created_at=_moment(cells, "created_at"),
        confirmed_at=_moment(cells, "confirmed_at"),
        ended_at=_moment(cells, "ended_at"),
    )
    return Person(row.line, arrival, standing.why)


def _name(cells: Mapping[str, str]) -> str:
    """The whole name; some systems call the first one just “name”."""
    first = cells.get("first name") or ""
    whole, last = cells.get("name", ""), cells.get("last name", "")
    return f"{whole} {last}" if whole and "first name" not in cells else whole or f"{first} {last}"


def _language(cells: Mapping[str, str], reading: Reading) -> str:
    """The code of a language of ours, from a code or a name; what is none of ours is noted."""
    text = cells.get("language", "")
    word = fold(text).strip()
    if not word:
        return ""
    for code in languages.codes():
        names = LANG_INFO.get(code, {})
        if word in {code, fold(names.get("name", "")), fold(names.get("name_local", ""))}:
            return code
    code = languages.closest(word)
    if not code:
        reading.unknown_languages[text] += 1
    return code


def _terms(cells: Mapping[str, str], reading: Reading) -> frozenset[UUID]:
    named = {(facet, slug) for facet in reading.facets for slug in SLUG.findall(cells.get(facet, "").lower())}
    reading.unknown_choices |= {slug for facet, slug in named if (facet, slug) not in reading.terms}
    return frozenset(reading.terms[choice] for choice in named if choice in reading.terms)


def _moment(cells: Mapping[str, str], column: str) -> datetime | None:
    """A time in ISO 8601; what is none says nothing, since other systems write dates in many ways."""
    try:
        at = datetime.fromisoformat(cells.get(column, ""))
    except ValueError:
        return None
    if not 1 < at.year < 9999:  # a neighbouring time zone may be in a year that does not exist
        raise RejectedRow(f"The time in “{column}” ({at.isoformat()}) can not be kept. Correct it or leave it empty.")
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
