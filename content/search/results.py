"""Results: what a list answers to a question, and the ways from there to other questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.paginator import Page as PageOfList
from django.core.paginator import Paginator
from django.utils.translation import gettext as _
from wagtail.models import Page

from content import shelves
from content.search import fulltext, index, words
from content.search.facets import LANGUAGE, ListFacet
from content.search.questions import PAGE_SIZE, Question, Sort


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
        quoted = _("“%(words)s”") % {"words": question.text}
        chips = [Way(quoted, replace(question, text="").address)] if question.text else []
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
