"""The search index kept true: every page that is live and open to everybody is in it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from wagtail.models import Page, PageViewRestriction

from content import edition
from content.models import (
    ArticlePage,
    CollectionPage,
    EntryKind,
    EntryTerm,
    EventPage,
    Facet,
    InformationPage,
    Partner,
    Person,
    SearchEntry,
    SearchIndex,
    StoryPage,
    Term,
)
from content.public_pages import listed_pages
from content.search import facets, words

MODELS: dict[EntryKind, type[Page]] = {
    EntryKind.ARTICLE: ArticlePage,
    EntryKind.STORY: StoryPage,
    EntryKind.EVENT: EventPage,
    EntryKind.COLLECTION: CollectionPage,
    EntryKind.INFORMATION: InformationPage,
}
BATCH = 500
DRAFTING = {"draft_title", "has_unpublished_changes", "latest_revision", "latest_revision_created_at"}
"""What saving a draft writes into a page's row: nothing that readers see."""


def rebuild() -> int:
    """Write the entry of every page anew, some hundreds at a time: searches and editors go on meanwhile.

    Returns:
        How many pages are in the index.
    """
    pages = [pk for model in MODELS.values() for pk in model.objects.values_list("pk", flat=True)]
    for start in range(0, len(pages), BATCH):
        write(pages[start : start + BATCH])
    SearchIndex.objects.update_or_create(pk=1, defaults={"words_version": words.version()})
    return SearchEntry.objects.count()


def rebuild_if_outdated() -> bool:
    """Write the index anew when its words were written by an earlier version, whose folding or stems may differ.

    Returns:
        Whether it was.
    """
    if SearchIndex.objects.filter(words_version=words.version()).exists():
        return False
    rebuild()
    return True


def write(pages: Iterable[int]) -> None:
    """Write the entries of these pages as the pages are now; drop those nobody may read.

    Args:
        pages: primary keys of pages of any kind.
    """
    named = set(pages)
    pages = sorted({*named, *_same_texts(named)})
    with transaction.atomic():
        # Two editors, one page: whoever holds the row reads the page, so the last writer writes the last state.
        list(Page.objects.select_for_update(no_key=True).filter(pk__in=pages).order_by("pk").values_list("pk"))
        written = [pk for kind in MODELS for pk in _write_kind(kind, pages)]
        dropped, _each = SearchEntry.objects.filter(page__in=set(pages).difference(written)).delete()
        if written or dropped:
            # A list that was read and cached between the page's own commit and this one is stale.
            edition.move()


def _same_texts(pages: Iterable[int]) -> Iterator[int]:
    """The aliases of these pages, and those beside them: whether a page is listed, also depends on its source."""
    concerned = Page.objects.filter(pk__in=list(pages))
    sources = concerned.exclude(alias_of=None).values("alias_of")
    same = Page.objects.filter(Q(alias_of__in=concerned.values("pk")) | Q(alias_of__in=sources))
    yield from same.values_list("pk", flat=True)


def _write_kind(kind: EntryKind, pages: list[int]) -> list[int]:
    readable = _whole(listed_pages(MODELS[kind].objects.filter(pk__in=pages)))
    keys = [page.pk for page in readable]
    SearchEntry.objects.bulk_create(
        [_entry(page, kind) for page in readable],
        update_conflicts=True,
        unique_fields=["page"],
        update_fields=["date", "title_words", "summary_words", "term_words", "body_words"],
    )
    EntryTerm.objects.filter(entry__in=keys).delete()
    EntryTerm.objects.bulk_create(
        EntryTerm(entry_id=page.pk, facet=facet, slug=slug) for page in readable for facet, slug in _choices(page)
    )
    return keys


def write_after_commit(pages: Iterable[int]) -> None:
    """Write the entries of these pages once the present transaction is committed.

    The editor's own work is saved by then and stands, whatever happens here: a failure is logged.
    """
    concerned = list(pages)

    def write_them() -> None:
        write(concerned)

    if concerned:
        transaction.on_commit(write_them, robust=True)


def follow(instance: Any, update_fields: Any = None, **_signal: Any) -> None:
    """Signal receiver: anything was saved; pages and what their entries name are written again."""
    if isinstance(instance, Page) and not DRAFTING.issuperset(update_fields or ["all"]):
        write_after_commit([instance.pk])
    elif isinstance(instance, Facet | Term | Partner | Person):
        write_after_commit(naming(instance))


def follow_lock(instance: PageViewRestriction, **_signal: Any) -> None:
    """Signal receiver: a page and everything under it was made private, or public again."""
    follow_move(instance.page)


def follow_move(instance: Page, **_signal: Any) -> None:
    """Signal receiver: a page moved with everything under it, perhaps to a private place or out of one."""
    write_after_commit(Page.objects.descendant_of(instance, inclusive=True).values_list("pk", flat=True))


def naming(thing: Facet | Term | Partner | Person) -> Iterator[int]:
    """The pages whose entries name this term, facet, partner or person."""
    for model, paths in _paths(thing).items():
        for path in paths:
            yield from model.objects.filter(**{path: thing.pk}).values_list("pk", flat=True)


def _paths(thing: Facet | Term | Partner | Person) -> dict[type[Page], list[str]]:
    if isinstance(thing, Partner):
        return {StoryPage: ["partner"]}
    if isinstance(thing, Person):
        return {ArticlePage: ["bylines__person"], StoryPage: ["bylines__person"]}
    path = "terms" if isinstance(thing, Term) else "terms__facet"
    return {model: [path] for model in (ArticlePage, StoryPage, EventPage, CollectionPage)}


def _whole(pages: QuerySet[Page]) -> list[Page]:
    """The pages with all that an entry is made of, in a constant number of queries."""
    fields = {field.name for field in pages.model._meta.get_fields()}
    one = [path for path in ("locale", "partner") if path in fields]
    many = {"terms": "terms__facet", "bylines": "bylines__person"}
    return list(pages.select_related(*one).prefetch_related(*(path for name, path in many.items() if name in fields)))


def _entry(page: Any, kind: EntryKind) -> SearchEntry:
    language = page.locale.language_code
    texts = {
        "title_words": page.title,
        "summary_words": page.summary,
        "term_words": " ".join(_names(page)),
        "body_words": " ".join(page.body.stream_block.get_searchable_content(page.body)),
    }
    stems = {name: words.written(text, language) for name, text in texts.items()}
    return SearchEntry(page=page, kind=kind, language=language, date=_date(page), **stems)


def _date(page: Any) -> date:
    """The day a list sorts by: an event's first day, any other page's date."""
    if starts_at := getattr(page, "starts_at", None):
        return timezone.localdate(starts_at)
    return getattr(page, "date", None) or timezone.localdate(page.first_published_at)


def _names(page: Any) -> Iterator[str]:
    """What a page is known by beside its own words: its terms, its authors, the partner it comes from."""
    if hasattr(page, "terms"):
        yield from (term.name for term in page.terms.all())
    if hasattr(page, "bylines"):
        yield from (byline.person.name for byline in page.bylines.all())
    if partner := getattr(page, "partner", None):
        yield from (partner.name, partner.city, partner.get_state_display())


def _choices(page: Any) -> Iterator[tuple[str, str]]:
    """Facet and slug of every choice that a page is found under."""
    if hasattr(page, "terms"):
        yield from {(term.facet.slug, term.slug) for term in page.terms.all()}
    if partner := getattr(page, "partner", None):
        yield facets.PARTNER, partner.slug
        yield facets.PARTNER_KIND, partner.kind
        yield facets.STATE, partner.state.lower()
