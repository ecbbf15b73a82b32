"""What stops a page from going out, as one table of findings; every door asks here."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import ForeignKey, Model, prefetch_related_objects
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.blocks.list_block import ListValue
from wagtail.blocks.stream_block import StreamValue
from wagtail.blocks.struct_block import StructValue
from wagtail.contrib.typed_table_block.blocks import TypedTable
from wagtail.documents import get_document_model
from wagtail.documents.models import AbstractDocument
from wagtail.fields import RichTextField, StreamField
from wagtail.images import get_image_model
from wagtail.images.models import AbstractImage
from wagtail.models import Page, ReferenceIndex
from wagtail.rich_text import RichText

from content.credits import Lack, missing


@dataclass(frozen=True)
class Placement:
    """A picture or document where a page shows it."""

    field: str
    block: int | None
    place: str
    model: type[Model]
    pk: int
    alt: str | None = None
    decorative: bool | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that keeps a page from going out.

    `field` is the page's field it was found in, and `block` the position of the block there (from 0; None when
    the field is no stream). `lack` says what the work has not got; None when it is the page that contradicts itself.
    `message` is the whole sentence.
    """

    field: str
    block: int | None
    place: str
    title: str
    lack: Lack | None
    message: str


class Refused(ValidationError):
    """A page can not go out; `findings` and `messages` say why."""

    def __init__(self, page: Page, found: list[Finding], at_fields: bool = False) -> None:
        """Every message stands above the page's form, or with `at_fields` each at its field."""
        super().__init__(
            {finding.field: [finding.message] for finding in found}
            if at_fields
            else {NON_FIELD_ERRORS: [finding.message for finding in found]}
        )
        self.page = page
        self.findings = found


def check(page: Page) -> None:
    """Let a page pass.

    Raises:
        Refused: when a picture or document that it shows lacks something, or it contradicts itself.
    """
    if found := findings(page):
        raise Refused(page, found)


def findings(page: Page) -> list[Finding]:
    """In what a page contradicts itself, and everything that its pictures and documents still lack, in its order.

    Args:
        page: a specific page as it would go live, saved or not. Credits are read from the database, so that
            an old revision is judged by what its pictures say now. Permissions are judged on the day it goes live.
    """
    placed = list(placements(page))
    works = _works(placed)
    if any(at.alt is None for at in placed):  # the picture's own words are read, in the language of the page
        _load_words(works)
    on = _first_day(page)
    return contradictions(page) + [
        Finding(at.field, at.block, at.place, work.title, lack, f"{at.place}: {sentence(work, lack)}")
        for at in placed
        if (work := works.get((at.model, at.pk))) is not None
        for lack in missing(
            work,
            alt=_alt(work, at, page),
            decorative=at.decorative or getattr(work, "is_decorative", None),
            on=on,
        )
    ]


def without_words(page: Page) -> list[AbstractImage]:
    """The pictures that readers of a page meet with words of another language, each once: advice, not a refusal.

    They have no alt text, or no long description, in the language of the page, but in another one.
    """
    placed = [at for at in placements(page) if issubclass(at.model, AbstractImage) and not at.decorative]
    works, language = _works(placed), page.locale.language_code
    _load_words(works)
    found: dict[int, AbstractImage] = {}
    for at in placed:
        work = works.get((at.model, at.pk))
        if work is not None and any(
            words.is_foreign(language)
            for words in (work.alt_at(at.alt, language), work.wording("long_description", language))
        ):
            found[work.pk] = work
    return list(found.values())


def _alt(work: Any, at: Placement, page: Page) -> str | None:
    """The alt text of a picture as readers of the page get it: of the place, or of the picture in their language."""
    if at.alt is not None or not isinstance(work, AbstractImage):
        return at.alt
    return str(work.alt_at(None, page.locale.language_code).text)


def contradictions(page: Page) -> list[Finding]:
    """What can not be true of a page, draft or not: an event that ends before it starts."""
    starts, ends = (getattr(page, name, None) for name in ("starts_at", "ends_at"))
    if starts is None or ends is None or ends >= starts:
        return []
    place = _label(page._meta.get_field("ends_at"))
    message = _("The event ends before it starts. Correct its start or its end.")
    return [Finding("ends_at", None, place, page.title, None, message)]


def check_work(work: Any, field: str) -> None:
    """Let a picture or document pass that a partner, a person or a setting shows without a page.

    Args:
        field: the field that shows it, so that the message stands there.

    Raises:
        ValidationError: when it lacks something.
    """
    if work is not None and (lacks := missing(work)):
        raise ValidationError({field: [str(capfirst(sentence(work, lack))) for lack in lacks]})


def placements(page: Page) -> Iterator[Placement]:
    """Every picture and document that a page shows: in its own fields, its streams and its rich text."""
    for field in page._meta.get_fields():
        if isinstance(field, StreamField):
            yield from _in_stream(field, getattr(page, field.name))
        elif isinstance(field, RichTextField):
            yield from _in_words(getattr(page, field.name), field.name, None, _label(field))
        elif isinstance(field, ForeignKey) and issubclass(field.related_model, (AbstractImage, AbstractDocument)):
            pk = getattr(page, field.attname)
            if pk is not None:
                yield Placement(field.name, None, _label(field), field.related_model, pk)


def published_users(work: AbstractImage | AbstractDocument) -> list[str]:
    """The titles of live pages, and of other published things such as partners, that show a picture or document."""
    users = [user for user, _references in ReferenceIndex.get_grouped_references_to(work)]
    return sorted({str(user) for user in users if getattr(user, "live", True)})


def _first_day(page: Page) -> datetime.date:
    now = timezone.now()
    return timezone.localdate(max(page.go_live_at or now, now))


def _works(placed: list[Placement]) -> dict[tuple[type[Model], int], Any]:
    """The works as the database has them now: one query for each kind that is used."""
    found = {}
    for model in {at.model for at in placed}:
        for pk, work in model._default_manager.in_bulk({at.pk for at in placed if at.model is model}).items():
            found[model, pk] = work
    return found


def _load_words(works: dict[tuple[type[Model], int], Any]) -> None:
    """The words of all pictures in every language, in one query."""
    prefetch_related_objects([work for work in works.values() if isinstance(work, AbstractImage)], "texts")


def _in_stream(field: StreamField, stream: StreamValue) -> Iterator[Placement]:
    seen: Counter[str] = Counter()
    for position, child in enumerate(stream or []):
        seen[child.block_type] += 1
        place = _("%(block)s %(number)d in the %(field)s") % {
            "block": capfirst(child.block.label),
            "number": seen[child.block_type],
            "field": field.verbose_name,
        }
        yield from _in_value(child.value, field.name, position, place)


def _in_value(value: Any, field: str, block: int, place: str) -> Iterator[Placement]:
    if isinstance(value, AbstractImage):
        alt = value.contextual_alt_text or None
        yield Placement(field, block, place, type(value), value.pk, alt, value.decorative or None)
    elif isinstance(value, AbstractDocument):
        yield Placement(field, block, place, type(value), value.pk)
    elif isinstance(value, RichText):
        yield from _in_words(value.source, field, block, place)
    else:
        for inner in _inside(value):
            yield from _in_value(inner, field, block, place)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, StructValue):
        return list(value.values())
    if isinstance(value, ListValue):
        return list(value)
    if isinstance(value, TypedTable):
        return [cell.value for row in value.rows for cell in row]
    if isinstance(value, StreamValue):
        return [child.value for child in value]
    return []


def _in_words(html: str, field: str, block: int | None, place: str) -> Iterator[Placement]:
    """Wagtail keeps pictures in rich text as `<embed embedtype="image">`, documents as `<a linktype="document">`."""
    if "<embed" not in html and "linktype" not in html:
        return
    soup = BeautifulSoup(html, "lxml")
    for tag in soup.select('embed[embedtype="image"][id], a[linktype="document"][id]'):
        if not str(tag["id"]).isdigit():
            continue
        if tag.name == "a":
            yield Placement(field, block, place, get_document_model(), int(str(tag["id"])))
        else:
            yield Placement(field, block, place, get_image_model(), int(str(tag["id"])), str(tag.get("alt", "")))


def _label(field: Any) -> str:
    return str(capfirst(field.verbose_name))


def sentence(work: Any, lack: Lack) -> str:
    """What a work lacks, in words: “the picture “Two fences” has no licence.”"""
    words = {"title": work.title, "lack": lack.label}
    if isinstance(work, AbstractImage):
        return _("the picture “%(title)s” %(lack)s.") % words
    return _("the document “%(title)s” %(lack)s.") % words
