"""Shelves: live, public pages that stand together, with all that their cards show, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from django.db.models import Count, Model, Q, QuerySet, prefetch_related_objects
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone
from wagtail.models import Locale, Page

from content.models import (
    ArticlePage,
    CollectionItem,
    CollectionPage,
    EventPage,
    HomePage,
    Partner,
    StoryPage,
)
from content.public_pages import listed_pages, public_pages

P = TypeVar("P", bound=Page)

PICTURE = ("picture__renditions", "picture__texts")
CARD_NEEDS: dict[type[Model], tuple[str, ...]] = {
    ArticlePage: (*PICTURE, "terms__facet"),
    StoryPage: (*PICTURE, "partner"),
    EventPage: PICTURE,
    CollectionPage: PICTURE,
}
BYLINES = ("bylines__person__partner", *(f"bylines__person__{path}" for path in PICTURE))
READING_NEEDS: dict[type[Model], tuple[str, ...]] = {
    ArticlePage: (*PICTURE, "terms__facet", *BYLINES),
    StoryPage: (*PICTURE, "terms__facet", "partner", *BYLINES),
    EventPage: (*PICTURE, "terms__facet"),
    CollectionPage: (*PICTURE, "terms__facet"),
}
DAY = Coalesce("published_on", TruncDate("first_published_at"))


def stocked(pages: Iterable[P]) -> list[P]:
    """Load what the cards of these pages show, kind by kind. Takes specific pages of any mix of kinds."""
    shelf = list(pages)
    kinds: dict[type[Page], list[P]] = defaultdict(list)
    for page in shelf:
        kinds[type(page)].append(page)
    for kind, group in kinds.items():
        prefetch_related_objects(group, *CARD_NEEDS.get(kind, ()))
    return shelf


def open_to_read(page: Page) -> None:
    """Load what stands around the words of one page: its picture, terms and people."""
    if page.pk:
        prefetch_related_objects([page], *READING_NEEDS.get(type(page), ()))


def newest(kind: type[P], locale: Locale) -> QuerySet[P]:
    """Every page of a kind that readers may see, newest first."""
    pages: QuerySet[P] = listed_pages(kind.objects.filter(locale=locale))
    return pages.select_related("locale").order_by(DAY.desc(nulls_last=True), "-pk")


def latest_resources(page: Page, count: int, besides: Iterable[Page] = ()) -> list[ArticlePage]:
    """The newest resources in the language of `page`, without those it shows already."""
    return stocked(newest(ArticlePage, page.locale).exclude(pk__in=[shown.pk for shown in besides])[:count])


def latest_stories(page: Page, count: int, besides: Iterable[Page] = ()) -> list[StoryPage]:
    """The newest stories in the language of `page`, without those it shows already."""
    return stocked(newest(StoryPage, page.locale).exclude(pk__in=[shown.pk for shown in besides])[:count])


def events_to_come(locale: Locale) -> QuerySet[EventPage]:
    """Events that are not over yet, the next one first."""
    return _events(locale).filter(last__gte=timezone.now()).order_by("starts_at", "pk")


def past_events(locale: Locale) -> QuerySet[EventPage]:
    """Events that are over, the latest first."""
    return _events(locale).filter(last__lt=timezone.now()).order_by("-starts_at", "-pk")


def next_events(page: Page, count: int) -> list[EventPage]:
    """The next events in the language of `page`."""
    return stocked(events_to_come(page.locale)[:count])


def collections(page: Page) -> list[CollectionPage]:
    """Every collection in the language of `page`, newest first."""
    return stocked(newest(CollectionPage, page.locale))


def featured(home: HomePage) -> list[Page]:
    """The pages an editor put on the home page, in the editor's order."""
    return _in_order([item.page_id for item in home.featured.all()])


def related_resources(article: ArticlePage, count: int = 3) -> list[ArticlePage]:
    """Other resources that share the most terms with this one, the newest first among equals."""
    terms = [term.pk for term in article.terms.all()]
    shared = Count("terms", filter=Q(terms__in=terms), distinct=True)
    others = newest(ArticlePage, article.locale).exclude(pk=article.pk)
    alike = others.annotate(shared=shared).filter(shared__gt=0).order_by("-shared", DAY.desc(nulls_last=True), "-pk")
    return stocked(alike[:count]) if terms else []


def collected(collection: CollectionPage) -> list[tuple[Page, str]]:
    """The pages of a collection in the curator's order, each with the reason for it."""
    items: list[CollectionItem] = list(collection.items.all())
    notes = {item.page_id: item.note for item in items}
    return [(page, notes[page.pk]) for page in _in_order([item.page_id for item in items])]


def chosen(pages: Iterable[Page]) -> list[Page]:
    """Those of an editor's chosen pages that readers may see today, in the editor's order."""
    return _in_order([page.pk for page in pages if page is not None])


def told_by(partner: Partner) -> list[StoryPage]:
    """The stories of a partner, newest first."""
    return stocked(newest(StoryPage, partner.locale).filter(partner=partner))


def _events(locale: Locale) -> QuerySet[EventPage]:
    events: QuerySet[EventPage] = listed_pages(EventPage.objects.filter(locale=locale)).select_related("locale")
    with_end: QuerySet[EventPage] = events.alias(last=Coalesce("ends_at", "starts_at"))
    return with_end


def _in_order(keys: list[int]) -> list[Page]:
    # An editor may choose an alias, but not beside the page that it repeats.
    pages = Page.objects.filter(pk__in=keys).exclude(alias_of__in=keys).specific()
    pages = pages.select_related("locale", for_specific_subqueries=True)
    found = {page.pk: page for page in public_pages(pages)}
    return stocked(found[key] for key in keys if key in found)
