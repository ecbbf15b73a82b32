"""Standings: what the columns of a file say about who may get mail. What is not understood stops the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from content.models.partners import STATES
from newsletter.importing.column_names import (
    CONSENT,
    LABELS,
    PLACE,
    SILENT,
    SUBSCRIBER_TYPE,
    Kind,
    Meaning,
    left_by_pointer,
    meaning_of,
)
from newsletter.importing.standing_words import (
    BOUNCED,
    BUTTONDOWN,
    CONFIRMED,
    GONE,
    IGNORE,
    PENDING,
    UNDECIDED,
    UNSUBSCRIBED,
    WEIGHTS,
    is_empty,
    plain,
    standing_of,
    word_standing,
    yes_or_no,
)
from newsletter.importing.tables import RejectedRow, Row, Table, UnreadableFile

CHOICES = (CONFIRMED, PENDING, UNSUBSCRIBED, "bounced", "complained", IGNORE)
EVERY_OTHER = "*"
MOST_VALUES = 2000  # different cells of a column that are looked at; a column of standings has a handful
MOST_NAMED = 20
NEIGHBORS = """
    Aguascalientes, Baja California, Baja California Sur, Campeche, Chiapas, Chihuahua, Ciudad de México, CDMX,
    Coahuila, Colima, Durango, Estado de México, Guanajuato, Guerrero, Hidalgo, Jalisco, Michoacán, Morelos, Nayarit,
    Nuevo León, Oaxaca, Puebla, Querétaro, Quintana Roo, San Luis Potosí, Sinaloa, Sonora, Tabasco, Tamaulipas,
    Tlaxcala, Veracruz, Yucatán, Zacatecas, Alberta, British Columbia, Manitoba, New Brunswick, Newfoundland,
    Nova Scotia, Nunavut, Ontario, Prince Edward Island, Quebec, Saskatchewan, Yukon
"""
PLACES = {plain(place) for place in [*(word for state in STATES for word in map(str, state)), *NEIGHBORS.split(",")]}
ADDRESS_NAMES = re.compile(
    r"\b(?:city|town|zip|zipcode|postal|postcode|street|address|country|county|district|school|"
    r"ciudad|municipio|codigo postal|calle|direccion|pais|distrito|escuela|"
    r"ort|stadt|plz|postleitzahl|strasse|land|schule|ville|rue|pays|ecole)\b"
)


class UnclearStanding(UnreadableFile):
    """A column seems to say who may get mail, and some of its cells are not understood. Nothing was taken."""


@dataclass(frozen=True)
class StandingRule:
    """What a person says that a cell of a column means: `COLUMN:VALUE=standing`."""

    text: str
    """Column and value, with a colon between them; both may hold further colons."""
    standing: str

    @classmethod
    def parse(cls, argument: str) -> StandingRule:
        """Read one `--standing`.

        Raises:
            ValueError: with a sentence about what is wrong with it.
        """
        text, equals, standing = argument.rpartition("=")
        if not equals or ":" not in text or standing.strip() not in CHOICES:
            raise ValueError(f"“{argument}” should read COLUMN:VALUE=standing, with one of {', '.join(CHOICES)}.")
        return cls(text, standing.strip())


@dataclass(frozen=True)
class Standing:
    """What one row says of its person, and the cell that says it."""

    status: str
    why: str = ""


@dataclass
class Column:
    """A column that says something about standings, or may."""

    place: int
    title: str
    meaning: Meaning | None
    mapped: dict[str, str] = field(default_factory=dict)
    values: Counter[str] = field(default_factory=Counter)
    may_be_undecided: bool = False
    read: dict[str, str | None] = field(default_factory=dict)

    @property
    def says_something(self) -> bool:
        return self.meaning is not None and self.meaning.kind is not Kind.SILENT

    def standing(self, value: str) -> str | None:
        """What a cell means; None when it is not understood."""
        if value not in self.read:
            read = self._read(value)
            # What is said of all other cells is no answer to one that we understand as gone.
            otherwise = read if read in GONE else self.mapped.get(EVERY_OTHER) or read
            self.read[value] = self.mapped.get(value) or self.mapped.get(plain(value)) or otherwise
        return self.read[value]

    @property
    def unclear(self) -> list[str]:
        return [value for value in self.values if self.standing(value) is None]

    def _read(self, value: str) -> str | None:
        if self.meaning is None:
            return IGNORE
        if is_empty(value):
            return self.meaning.blank if any(not is_empty(other) for other in self.values) else IGNORE
        read = read_cell(self.meaning, value)
        if read is None and self.may_be_undecided and plain(value) in UNDECIDED:
            return IGNORE
        return read


class Standings:
    """What a whole file says about who may get mail.

    Args:
        table: the file.
        rules: what a person says about cells; it goes before our own understanding.
        file_name: of the export, since Mailchimp writes only there that nobody in it is subscribed.

    Raises:
        UnclearStanding: a column that looks like a standing holds cells that are not understood.
        UnreadableFile: a rule names a column that the file does not have.
    """

    def __init__(self, table: Table, rules: Iterable[StandingRule] = (), file_name: str = "") -> None:
        columns = [Column(place, title, meaning_of(title)) for place, title in enumerate(table.titles)]
        for rule in rules:
            _map(columns, rule)
        _count(columns, table)
        for column in columns:
            column.meaning = _judged(column, columns)
        lists = [column for column in columns if _tells_subscriptions(column)]
        for column in columns:
            column.may_be_undecided = any(other is not column for other in lists)
            column.read.clear()
        unclear = [column for column in columns if column.unclear]
        if unclear:
            raise UnclearStanding(_complaint(unclear))
        self._columns = [column for column in columns if column.mapped or column.says_something]
        self._of_file = _mailchimp(table.titles, file_name)

    def of(self, row: Row) -> Standing:
        """What a row says. Of several columns the one counts that says most against mail.

        Raises:
            RejectedRow: for a cell so far down a long column that it was not looked at before.
        """
        said = [self._of_file] if self._of_file else []
        for column in self._columns:
            value = row.cells[column.place]
            status = column.standing(value)
            if status is None:
                raise RejectedRow(f"“{value[:40]}” in “{column.title}” is not understood here.")
            if status != IGNORE:
                said.append(Standing(status, f"“{value[:40]}” in “{column.title}”"))
        return max(said, key=lambda standing: WEIGHTS.index(standing.status), default=Standing(CONFIRMED))


def read_cell(meaning: Meaning, value: str) -> str | None:
    """What a filled cell means in such a column; None when it is not understood."""
    word = plain(value)
    if word in meaning.words:
        return meaning.words[word]
    answer = yes_or_no(value)
    if meaning.kind is Kind.SILENT:
        return IGNORE
    if meaning.kind is Kind.LABELS:
        return _leaving(value)
    if meaning.kind is Kind.EVIDENCE:
        is_soft = meaning.standing == BOUNCED and word.split(" ", 1)[0] in {"soft", "softbounce"}
        return IGNORE if answer is False or is_soft else meaning.standing
    if meaning is CONSENT:
        refused = word_standing(value)
        return meaning.standing if answer is False else refused if refused in GONE else IGNORE
    if meaning.kind is not Kind.WORDS and answer is not None:
        return meaning.standing if answer == (meaning.kind is Kind.YES_MEANS) else IGNORE
    if word in ("true", "false"):  # as a few systems write a status
        return IGNORE if word == "true" else UNSUBSCRIBED
    return standing_of(value)


def _count(columns: Sequence[Column], table: Table) -> None:
    for row in table.rows():
        if not isinstance(row, Row):
            continue
        for column, value in zip(columns, row.cells, strict=True):
            known = value in column.values or len(column.values) < MOST_VALUES
            if known or standing_of(value, clear_only=True):
                column.values[value] += 1


def _map(columns: Sequence[Column], rule: StandingRule) -> None:
    colons = [place for place, sign in enumerate(rule.text) if sign == ":"]
    for colon in reversed(colons):
        name, value = rule.text[:colon], rule.text[colon + 1 :]
        found = [column for column in columns if plain(column.title) == plain(name)]
        for column in found:
            column.mapped[value if value == EVERY_OTHER else plain(value) or value.strip()] = rule.standing
        if found:
            return
    names = ", ".join(column.title for column in columns)
    raise UnreadableFile(f"--standing “{rule.text}” names no column of this file, which has: {names[:300]}.")


def _judged(column: Column, columns: Sequence[Column]) -> Meaning | None:
    """What a column means now that its cells are known; None when it says nothing of mail."""
    meaning, filled = column.meaning, [value for value in column.values if not is_empty(value)]
    if meaning is SILENT and filled and all(yes_or_no(value) and not value.isdigit() for value in filled):
        return left_by_pointer(column.title) or meaning
    if meaning is None:
        return _by_cells(filled)
    if meaning.standing == BOUNCED and any(value.isdigit() and int(value) > 1 for value in filled):
        return None  # how often, not whether
    if not meaning.weak or any(_tells(meaning, value) for value in filled):
        return meaning
    if meaning is PLACE and filled and not _holds_places(filled, columns):
        return Meaning(Kind.WORDS)
    return None


def _by_cells(filled: Sequence[str]) -> Meaning | None:
    """A column whose name says nothing is about standings when half of its different cells are words for them."""
    clear = any(standing_of(value, clear_only=True) for value in filled)
    if clear and 2 * sum(standing_of(value) is not None for value in filled) >= len(filled):
        return Meaning(Kind.WORDS)
    return LABELS if any(_leaving(value) != IGNORE for value in filled) else None


def _tells(meaning: Meaning, value: str) -> bool:
    """Whether a cell proves that a column with a weak name is about standings."""
    if meaning is SUBSCRIBER_TYPE:
        return BUTTONDOWN.get(plain(value), CONFIRMED) != CONFIRMED or bool(standing_of(value, clear_only=True))
    if meaning.kind is not Kind.WORDS and yes_or_no(value) is not None:
        return True
    return standing_of(value) not in (None, IGNORE)


def _holds_places(filled: Sequence[str], columns: Sequence[Column]) -> bool:
    """Whether `state` is a part of a country: half of its cells look like one, or the file holds postal addresses."""
    places = sum(_is_place(value) for value in filled)
    beside = any(ADDRESS_NAMES.search(plain(column.title)) and "mail" not in plain(column.title) for column in columns)
    return 2 * places >= len(filled) or beside


def _is_place(value: str) -> bool:
    parts = [value, *re.split(r"[-,/()]", value)]
    return any(plain(part) in PLACES or re.fullmatch("[A-Z]{2,3}", part.strip()) for part in parts)


def _leaving(value: str) -> str:
    """The strongest clear word of leaving among the labels of a cell, such as tags; else nothing."""
    found = [standing_of(label, clear_only=True) for label in re.split(r"[,;|]", value.replace('"', ""))]
    return max([label for label in found if label in GONE], key=WEIGHTS.index, default=IGNORE)


def _tells_subscriptions(column: Column) -> bool:
    """Whether a column says who is subscribed, so that `enabled` in another one need not."""
    if column.meaning is None or column.meaning.kind not in (Kind.WORDS, Kind.NO_MEANS) or column.meaning is CONSENT:
        return False
    filled = [value for value in column.values if not is_empty(value)]
    return bool(filled) and not any(plain(value) in UNDECIDED for value in filled)


def _mailchimp(titles: Sequence[str], file_name: str) -> Standing | None:
    """Mailchimp writes one file for each standing, and the columns of its own only into those of who is gone."""
    names = {plain(title) for title in titles}
    if not {"leid", "euid"} <= names:
        return None
    if "clean time" in names or file_name.startswith("cleaned"):
        return Standing(BOUNCED, "that it is a list of addresses that do not work")
    if "unsub time" in names or file_name.startswith(("unsubscribed", "nonsubscribed")):
        return Standing(UNSUBSCRIBED, "that it is a list of people who are not subscribed")
    return None


def _complaint(unclear: Sequence[Column]) -> str:
    lines, examples = [], []
    for column in unclear:
        values = [(value, column.values[value]) for value in column.unclear]
        shown = [f"“{value[:60]}” ({count} {'row' if count == 1 else 'rows'})" for value, count in values[:MOST_NAMED]]
        more = f" and {len(values) - MOST_NAMED} more" if len(values) > MOST_NAMED else ""
        lines.append(
            f"The column “{column.title}” seems to say who may get mail, and these of its values are not understood "
            f"here: {', '.join(shown)}{more}."
        )
        if any(plain(value) in UNDECIDED for value, _count in values):
            lines.append("“enabled” only says that nobody blocked an address, not that it is subscribed to your list.")
        examples += [f'  --standing "{column.title}:{value}=ignore"' for value, _count in values[:MOST_NAMED]]
    return "\n".join(
        [
            *lines,
            "Nobody was taken. Say what each of them means and import the file again, for example with:",
            *examples,
            f"A value means {', '.join(CHOICES[:-1])}, or {CHOICES[-1]} where it says nothing about mail; "
            "“*” stands for every other value of a column.",
        ]
    )
