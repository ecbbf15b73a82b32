"""Where something is shown: on live pages, in drafts, and in what other rooms of the site keep, such as sent issues."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import pgettext_lazy
from modelcluster.fields import ParentalKey
from modelcluster.models import get_all_child_m2m_relations
from wagtail.blocks import ListBlock, RichTextBlock
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page, ReferenceIndex, Revision, Site, get_page_models

from content.models import Facet, Partner, Person, Term
from content.publishing.references import references_in, root_model

MOST_NUMBERS = 200  # that a database is asked to look for in a text at once
MOST_THINGS = 5_000  # in one question: SQLite takes no more than some ten thousand parameters

Key = tuple[type[Model], str]
"""A thing by the model that holds its primary key, and that key as text."""


class Standing(models.TextChoices):
    """How public the place is."""

    # With a context, so that Wagtail's own words for a page's status stay as they are.
    LIVE = "live", pgettext_lazy("where something is shown", "Live")
    DRAFT = "draft", pgettext_lazy("where something is shown", "Draft")
    SENT = "sent", pgettext_lazy("where something is shown", "Sent issue")


@dataclass(frozen=True)
class Place:
    """A place that shows something. `source` is the page, partner, person or site that does."""

    source: Model
    title: str
    where: str
    standing: Standing
    would_lose: bool = False
    """Readers see the thing there now, and would not once it is deleted."""


Source = Callable[[dict[Key, Model]], Iterable[tuple[Key, Place]]]
_sources: list[Source] = []


def register_source(source: Source) -> None:
    """Let another room say where it shows something.

    Args:
        source: takes things by their keys and yields the places of each.
    """
    _sources.append(source)


def key_of(thing: Model) -> Key:
    """How a thing is named here."""
    return root_model(type(thing)), str(thing.pk)


def places_showing(things: Iterable[Model]) -> dict[Key, list[Place]]:
    """Where each of these things is shown, live places first; in a fixed number of queries for any number of things.

    Places inside the things themselves are left out: what is deleted with them loses nothing. A facet is shown
    where its terms are.

    Args:
        things: pictures, documents, partners, people, terms, facets or pages.
    """
    wanted = {key_of(thing): thing for thing in things}
    for term in Term.objects.filter(facet__in=[pk for kind, pk in wanted if kind is Facet]).select_related("facet"):
        wanted.setdefault(key_of(term), term)
    live = list(_live_places(wanted))
    shown_live = {(key, place.source.pk) for key, place in live if place.standing == Standing.LIVE}
    drafts = (each for each in _draft_places(wanted) if (each[0], each[1].source.pk) not in shown_live)
    others = (each for source in _sources for each in source(wanted))
    found: dict[Key, dict[Place, None]] = defaultdict(dict)
    for key, place in [*live, *drafts, *others]:
        if key_of(place.source) not in wanted:
            found[key][place] = None
    for key, thing in wanted.items():
        if isinstance(thing, Term) and (Facet, str(thing.facet_id)) in wanted:
            found[Facet, str(thing.facet_id)] |= found[key]
    order = [Standing.LIVE, Standing.DRAFT, Standing.SENT]
    return {key: sorted(found[key], key=lambda place: (order.index(place.standing), place.title)) for key in wanted}


def drafts_naming(revisions: QuerySet[Revision], wanted: Iterable[Key]) -> Iterator[tuple[Key, Revision, str]]:
    """Which of these page revisions name something, and where in the page.

    The database picks the revisions whose text holds one of the numbers; only those are read.
    """
    keys = set(wanted)
    for revision in holding_numbers(revisions, "content", (pk for _kind, pk in keys)).iterator(chunk_size=200):
        kind = revision.content_type.model_class()
        for reference in references_in(kind, revision.content) if kind else ():
            key = (root_model(reference.model), reference.pk)
            if key in keys:
                yield key, revision, reference.place


def holding_numbers(rows: QuerySet[Any], field: str, numbers: Iterable[str]) -> QuerySet[Any]:
    """Rows whose text in a field holds one of these numbers as a whole number; all rows for very many numbers."""
    wanted = sorted({re.escape(number) for number in numbers})
    if not wanted or len(wanted) > MOST_NUMBERS:
        return rows if wanted else rows.none()
    either = "|".join(wanted)
    as_text: QuerySet[Any] = rows.annotate(as_text=Cast(field, TextField()))
    return as_text.filter(as_text__regex=f"(^|[^0-9])({either})([^0-9]|$)")


def child_models() -> list[type[Model]]:
    """The models whose rows belong to a page and are saved with it."""
    keys = {model: _parental_key(model) for model in apps.get_models()}
    return [model for model, key in keys.items() if key is not None and issubclass(key.related_model, Page)]


def _parental_key(model: type[Model]) -> Any:
    return next((field for field in model._meta.get_fields() if isinstance(field, ParentalKey)), None)


def follow_removed_child(sender: type[Model], instance: Model, origin: Any = None, **_signal: Any) -> None:
    """Signal receiver: a child of a page, such as a byline, was taken off it: the index of references follows.

    Wagtail's index is written when the page is saved, and its children are deleted after that.
    """
    key = _parental_key(sender)
    is_removed_alone = origin is instance or getattr(origin, "model", None) is sender
    if key is None or not is_removed_alone:
        return
    parent = key.related_model._default_manager.filter(pk=getattr(instance, key.attname)).first()
    if parent is not None:
        with transaction.atomic():
            ReferenceIndex.create_or_update_for_object(parent)


def _live_places(wanted: dict[Key, Model]) -> Iterator[tuple[Key, Place]]:
    things = list(wanted.values())
    parts = (things[start : start + MOST_THINGS] for start in range(0, len(things), MOST_THINGS))
    references = [reference for part in parts for reference in ReferenceIndex.get_references_to_in_bulk(part)]
    sources = _sources_of(references)
    unseen = _unseen_people(source for source in sources.values() if isinstance(source, Person))
    for reference in references:
        source = sources.get((reference.base_content_type_id, reference.object_id))
        key = (ContentType.objects.get_for_id(reference.to_content_type_id).model_class(), reference.to_object_id)
        if source is None or key not in wanted:
            continue
        is_needed = not (isinstance(wanted[key], Page) and _is_link(reference)) and source not in unseen
        yield from _place(key, wanted[key], source, str(reference.describe_source_field()), is_needed)
    yield from _places_under_terms(wanted)


def _places_under_terms(wanted: dict[Key, Model]) -> Iterator[tuple[Key, Place]]:
    """Terms stand in relations that Wagtail's index of references does not know."""
    terms = [int(pk) for kind, pk in wanted if kind is Term]
    for model in get_page_models() if terms else ():
        for field in get_all_child_m2m_relations(model):
            if field.related_model is not Term:
                continue
            rows = field.remote_field.through.objects.filter(**{f"{field.m2m_reverse_field_name()}__in": terms})
            pairs = list(rows.values_list(field.m2m_column_name(), field.m2m_reverse_name()))
            pages = model.objects.in_bulk({page for page, _term in pairs})
            for page, term in pairs:
                key = (Term, str(term))
                yield from _place(key, wanted[key], pages[page], str(field.verbose_name).capitalize(), True)


def _sources_of(references: Sequence[ReferenceIndex]) -> dict[tuple[int, str], Model]:
    """What names something, by content type and key: pages of any kind, and what the public sees without a page."""
    keys: dict[int, set[str]] = defaultdict(set)
    for reference in references:
        keys[reference.base_content_type_id].add(reference.object_id)
    found: dict[tuple[int, str], Model] = {}
    for content_type, numbers in keys.items():
        kind: Any = ContentType.objects.get_for_id(content_type).model_class()
        if kind in (Page, Partner, Person, Site):
            rows = Page.objects.specific() if kind is Page else kind._default_manager
            found |= {(content_type, str(row.pk)): row for row in rows.filter(pk__in=numbers)}
    return found


def _unseen_people(people: Iterable[Person]) -> set[Person]:
    """Those whose name stands on no live page: readers see nothing of them."""
    candidates = {str(person.pk): person for person in people}
    named = ReferenceIndex.get_references_to_in_bulk(list(candidates.values()))
    pages = ContentType.objects.get_for_model(Page)
    by_page = [
        (int(page), pk) for page, pk in named.filter(base_content_type=pages).values_list("object_id", "to_object_id")
    ]
    live = set(Page.objects.live().filter(pk__in={page for page, _pk in by_page}).values_list("pk", flat=True))
    return {person for pk, person in candidates.items() if pk not in {key for page, key in by_page if page in live}}


def _place(key: Key, thing: Model, source: Any, where: str, is_needed: bool) -> Iterator[tuple[Key, Place]]:
    if not getattr(source, "live", True):
        # A later draft is read by itself; what an older one says counts no more.
        if source.latest_revision_id is None:
            yield key, Place(source, source.draft_title, where, Standing.DRAFT)
        return
    is_seen = getattr(thing, "live", True) and not getattr(source, "shows_what_was_sent", False)
    yield key, Place(source, str(source), where, Standing.LIVE, would_lose=bool(is_needed and is_seen))


def _draft_places(wanted: dict[Key, Model]) -> Iterator[tuple[Key, Place]]:
    drafts = Page.objects.filter(Q(live=False) | Q(has_unpublished_changes=True)).values("latest_revision")
    revisions = Revision.page_revisions.filter(Q(pk__in=drafts) | Q(approved_go_live_at__isnull=False))
    named = list(drafts_naming(revisions, wanted))
    pages = Page.objects.specific().in_bulk({int(revision.object_id) for _key, revision, _where in named})
    for key, revision, where in named:
        page = pages.get(int(revision.object_id))
        if page is not None:
            yield key, Place(page, page.draft_title, where, Standing.DRAFT)


def _is_link(reference: ReferenceIndex) -> bool:
    """Whether a page is named by a link in rich text alone."""
    field = reference.related_field
    if isinstance(field, RichTextField):
        return True
    if not isinstance(field, StreamField):
        return False
    block: Any = field.stream_block
    for name in reference.model_path_components[1:]:
        block = block.child_block if isinstance(block, ListBlock) else getattr(block, "child_blocks", {}).get(name)
    return block is None or isinstance(block, RichTextBlock)
