"""What the lists of the site ask for: what a reader's question finds, and the events to come and past."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from django import template
from django.core.paginator import Page as PageOfList
from django.core.paginator import Paginator

from content import search, shelves
from content.models import EntryKind, EventPage

register = template.Library()
T = TypeVar("T")


def found_once(find: Callable[[template.Context], T]) -> Callable[[template.Context], T]:
    """What a list found is kept with the request: the head of the page names the part that its body shows."""

    @wraps(find)
    def kept(context: template.Context) -> T:
        lists = context["request"].__dict__.setdefault("found_lists", {})
        if find not in lists:
            lists[find] = find(context)
        found: T = lists[find]
        return found

    return kept


@register.simple_tag(takes_context=True)
@found_once
def resources_found(context: template.Context) -> search.Results:
    """The resources that the address asks for."""
    language = context["page"].locale.language_code
    return search.find(search.read(context["request"].GET, EntryKind.ARTICLE, language, search.of_resources(language)))


@register.simple_tag(takes_context=True)
@found_once
def stories_found(context: template.Context) -> search.Results:
    """The stories that the address asks for."""
    language = context["page"].locale.language_code
    return search.find(search.read(context["request"].GET, EntryKind.STORY, language, search.of_stories(language)))


@register.simple_tag(takes_context=True)
def events_to_come(context: template.Context) -> list[EventPage]:
    """Every event that is not over, the next one first."""
    return shelves.stocked(shelves.events_to_come(context["page"].locale))


@register.simple_tag(takes_context=True)
@found_once
def events_past(context: template.Context) -> PageOfList[EventPage]:
    """The events that are over, the latest first, as many as a page of the list takes."""
    past = Paginator(shelves.past_events(context["page"].locale), search.PAGE_SIZE)
    found = past.get_page(context["request"].GET.get("page"))
    found.object_list = shelves.stocked(found.object_list)
    return found
