"""Search: what a reader asks of a list, and what the list answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page as PageOfList
from django.core.paginator import Paginator
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from wagtail.models import Page

from content import fulltext, index, shelves, words
from content.facets import LANGUAGE, ListFacet
from content.models import EntryKind

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
        return bool(self.text) and not self.clauses

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


@dataclass(frozen=True)
class Choice:
    """A choice of a facet, with the number of pages it would show."""

    slug: str
    name: str
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class OfferedFacet:
    """A facet with those of its choices that lead somewhere or are chosen."""

    parameter: str
    name: str
    choices: list[Choice]

    @property
    def chosen(self) -> list[Choice]:
        return [choice for choice in self.choices if choice.is_chosen]


@dataclass(frozen=True)
class Way:
    """A link to the same list, asked a little differently."""

    label: str
    address: str
    is_current: bool = False


@dataclass(frozen=True)
class Results:
    """What a list answers."""

    question: Question
    rows: list[Page]
    found: PageOfList[int]
    facets: list[OfferedFacet]
    elsewhere: list[Page]
    """Pages of other kinds that hold the words."""
    is_loosened: bool
    """Nothing held all of the words; these pages hold some of them."""

    @property
    def total(self) -> int:
        return self.found.paginator.count

    @property
    def is_past_end(self) -> bool:
        """The page asked for lies behind the last one, which is shown instead."""
        return self.question.page > self.found.number

    @property
    def chips(self) -> list[Way]:
        """What was asked, each part with the way to take it back."""
        question = self.question
        chips = [Way(f"“{question.text}”", replace(question, text="").address)] if question.text else []
        for facet in self.facets:
            for choice in facet.chosen:
                chips.append(Way(choice.name, question.without(facet.parameter, choice.slug).address))
        return chips

    @property
    def sorts(self) -> list[Way]:
        """The orders this list can be read in."""
        question = self.question
        return [Way(str(sort.label), replace(question, order=sort).address, sort == question.sort) for sort in Sort]

    @property
    def other_languages(self) -> list[Way]:
        """The languages that were not searched and hold an answer, with the number of pages."""
        choices = [choice for facet in self.facets if facet.parameter == LANGUAGE for choice in facet.choices]
        return [
            Way(f"{choice.name} ({choice.count})", self.question.instead(LANGUAGE, choice.slug).address)
            for choice in choices
            if choice.count and choice.slug not in self.question.languages
        ]


def read(parameters: QueryDict, kind: EntryKind, language: str, facets: Sequence[ListFacet]) -> Question:
    """Read a question from an address. Never fails: what makes no sense is left out, and named in `unknown`.

    Args:
        parameters: the address's query.
        kind: what the list lists.
        language: code of the language that is searched when none is chosen.
        facets: what the list can be narrowed by.
    """
    text = _printable(parameters.get("q", ""))
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
        chosen={parameter: slugs for parameter, slugs in known.items() if slugs},
        unknown=tuple(f"{name}: {value[:LONGEST_VALUE]}" for name, value in unknown if value)[:MOST_NAMED],
        order=Sort(sort) if sort in Sort else None,
        page=_page_number(parameters.get("page", "")),
    )


def find(question: Question) -> Results:
    """Answer a question: one statement for the pages, their number and the facets, then the pages' own rows.

    When nothing holds all of the words, pages that hold some of them answer, and `is_loosened` says so. A page
    number past the end answers with the last page.
    """
    request = question.request
    answer = fulltext.ask(request)
    is_loosened = bool(question.clauses) and not answer.holding
    if is_loosened:
        request = replace(request, clauses=words.apart(question.clauses), any_clause=True)
        answer = fulltext.ask(request)
    paginator = Paginator(range(answer.total), PAGE_SIZE)
    found = paginator.get_page(question.page)
    if found.start_index() > 0 and found.number != question.page:
        answer = fulltext.ask(replace(request, offset=found.start_index() - 1))
    return Results(
        question=question,
        rows=shelves.stocked(_in_order(index.MODELS[question.kind].objects.defer_streamfields(), answer.pages)),
        found=found,
        facets=[offer for facet in question.facets if (offer := _offered(facet, question, answer)).choices],
        elsewhere=_in_order(Page.objects.specific(defer=True).prefetch_related("locale"), answer.others),
        is_loosened=is_loosened and answer.holding > 0,
    )


def _in_order(pages: Any, keys: Sequence[int]) -> list[Page]:
    by_key = pages.select_related("locale").in_bulk(keys) if keys else {}
    return [by_key[key] for key in keys if key in by_key]


def _offered(facet: ListFacet, question: Question, answer: fulltext.Answer) -> OfferedFacet:
    counts = answer.languages if facet.parameter == LANGUAGE else answer.facets[facet.key]
    chosen = question.chosen.get(facet.parameter, ())
    choices = [Choice(slug, name, counts[slug], slug in chosen) for slug, name in facet.choices.items()]
    return OfferedFacet(facet.parameter, facet.name, [choice for choice in choices if choice.count or choice.is_chosen])


def _values(typed: Sequence[str]) -> list[str]:
    """The different values of a parameter, written as slugs are."""
    return list(dict.fromkeys(_printable(value).lower() for value in typed[:MOST_VALUES]))


def _printable(text: str) -> str:
    """The text on one line, without signs that cannot be shown; enough of it to tell that it was too long."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text[: 10 * LONGEST_TEXT])
    return " ".join(shown.split())


def _page_number(text: str) -> int:
    """A page number; 1 for what is none."""
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 1
