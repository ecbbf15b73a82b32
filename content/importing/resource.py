"""What can be read from an article, whatever format it came in."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem:
    """Something that could not be taken as it was: where it stood, and what happened to it."""

    where: str
    what: str


@dataclass(frozen=True)
class CreditFacts:
    """What a credit line says. `line` is the line itself, kept as evidence."""

    line: str = ""
    creator: str = ""
    holder: str = ""
    licence: str = ""
    source_url: str = ""


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Words:
    """Rich text with the tags our editors can use."""

    html: str


@dataclass(frozen=True)
class Figure:
    """A picture where the text shows it; `source` is its address as written."""

    source: str
    alt: str = ""
    caption: str = ""
    credit: CreditFacts = CreditFacts()
    decorative: bool = False


@dataclass(frozen=True)
class Table:
    """Cells are rich text, all rows as long as `headings`; `names_rows` when the first column names each row."""

    caption: str
    headings: list[str]
    rows: list[list[str]]
    names_rows: bool


@dataclass(frozen=True)
class Code:
    text: str
    language: str = ""


@dataclass(frozen=True)
class Callout:
    tone: str
    title: str
    html: str


@dataclass(frozen=True)
class Quote:
    text: str
    attribution: str = ""


@dataclass(frozen=True)
class Video:
    title: str
    url: str


@dataclass(frozen=True)
class Card:
    """A link to something that was shown inside the page, such as slides."""

    title: str
    url: str


Piece = Heading | Words | Figure | Table | Code | Callout | Quote | Video | Card


@dataclass
class ImportedResource:
    """An article as it was read, before any of it is saved."""

    title: str
    pieces: list[Piece] = field(default_factory=list)
    slug: str = ""
    summary: str = ""
    language: str = ""
    published_on: datetime.date | None = None
    cover: Figure | None = None
    authors: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def figures(self) -> list[Figure]:
        return [piece for piece in self.pieces if isinstance(piece, Figure)]
