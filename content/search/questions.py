"""Questions: what a reader asks of a list, read from the address and written back into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import urlencode

from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from content.models import EntryKind
from content.search import fulltext, words
from content.search.facets import LANGUAGE, ListFacet
from content.text_cleaning import clean_line

PAGE_SIZE = 12
MOST_ELSEWHERE = 4
LAST_PAGE = 100_000
LONGEST_TEXT = 200
LONGEST_VALUE = 40
MOST_VALUES = 50
MOST_NAMED = 5
"""Unknown values that are named on the page; the rest are left out in silence."""


class Sort(models.TextChoices):
    RELEVANCE = "relevance", _("Best match")
    NEWEST = "newest", _("Newest")


@dataclass(frozen=True)
class Question:
    """What a reader asks of a list: words, choices, an order, a page."""

    kind: EntryKind
    language: str
    facets: Sequence[ListFacet]
    text: str = ""
    is_shortened: bool = False
    """More was typed than we look for."""
    is_invisible: bool = False
    """Something was typed, and no sign of it can be seen."""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    order: Sort | None = None
    page: int = 1

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that are searched: the chosen ones, else that of the list."""
        return self.chosen.get(LANGUAGE) or (self.language,)

    @cached_property
    def clauses(self) -> list[words.Clause]:
        return words.asked(self.text, self.languages)

    @property
    def is_wordless(self) -> bool:
        """Something was typed, and it has no letter or figure to look for."""
        return self.is_invisible or (bool(self.text) and not self.clauses)

    @property
    def sort(self) -> Sort:
        """The order of the rows; the best match first needs words to match."""
        return (self.order or Sort.RELEVANCE) if self.clauses else Sort.NEWEST

    @property
    def is_narrowed(self) -> bool:
        """Less than everything was asked for."""
        return bool(self.clauses or self.chosen)

    @property
    def address(self) -> str:
        """This question as a query string; “?” asks for everything."""
        pairs = [("q", self.text)] if self.text else []
        pairs += [(parameter, slug) for parameter, slugs in self.chosen.items() for slug in slugs]
        pairs += [("sort", self.order.value)] if self.order else []
        return f"?{urlencode(pairs)}"

    @property
    def request(self) -> fulltext.Request:
        """This question in the words of the index."""
        narrowing = [facet for facet in self.facets if facet.parameter in self.chosen and facet.parameter != LANGUAGE]
        return fulltext.Request(
            kind=self.kind,
            languages=self.languages,
            clauses=self.clauses,
            chosen={facet.key: self.chosen[facet.parameter] for facet in narrowing},
            ranked=self.sort == Sort.RELEVANCE,
            limit=PAGE_SIZE,
            offset=(self.page - 1) * PAGE_SIZE,
            others=MOST_ELSEWHERE if self.clauses else 0,
        )

    def without(self, parameter: str, slug: str) -> Question:
        """The same question with one choice less."""
        return self.instead(parameter, *(chosen for chosen in self.chosen[parameter] if chosen != slug))

    def instead(self, parameter: str, *slugs: str) -> Question:
        """The same question with these choices of a facet and no others."""
        chosen = {**self.chosen, parameter: slugs}
        return replace(self, chosen={name: slugs for name, slugs in chosen.items() if slugs})


def read(parameters: QueryDict, kind: EntryKind, language: str, facets: Sequence[ListFacet]) -> Question:
    """Read a question from an address. Never fails: what makes no sense is left out, and named in `unknown`.

    Args:
        parameters: the address's query.
        kind: what the list lists.
        language: code of the language that is searched when none is chosen.
        facets: what the list can be narrowed by.
    """
    typed = parameters.get("q", "")
    text = _printable(typed)
    asked = {facet: _values(parameters.getlist(facet.parameter)) for facet in facets}
    known = {facet.parameter: tuple(slug for slug in slugs if slug in facet.choices) for facet, slugs in asked.items()}
    unknown = [(facet.name, slug) for facet, slugs in asked.items() for slug in slugs if slug not in facet.choices]
    sort = _printable(parameters.get("sort", "")).lower()
    if sort not in Sort:
        unknown.append((str(_("Sort by")), sort))
    return Question(
        kind=kind,
        language=language,
        facets=facets,
        text=text[:LONGEST_TEXT].strip(),
        is_shortened=len(text) > LONGEST_TEXT,
        is_invisible=not text and not typed.isspace() and typed != "",
        chosen={parameter: slugs for parameter, slugs in known.items() if slugs},
        unknown=tuple(f"{name}: {value[:LONGEST_VALUE]}" for name, value in unknown if value)[:MOST_NAMED],
        order=Sort(sort) if sort in Sort else None,
        page=_page_number(parameters.get("page", "")),
    )


def _values(typed: Sequence[str]) -> list[str]:
    """The different values of a parameter, written as slugs are."""
    return list(dict.fromkeys(_printable(value).lower() for value in typed[:MOST_VALUES]))


def _printable(text: str) -> str:
    """The text on one line, without signs that cannot be shown; enough of it to tell that it was too long."""
    return clean_line(text[: 10 * LONGEST_TEXT])


def _page_number(text: str) -> int:
    """A page number; 1 for what is none."""
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 1
