"""Pictures as readers see them: the sizes that a place on a page needs, and every picture that is shown somewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Q, QuerySet, prefetch_related_objects
from django.db.models.functions import Cast
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from wagtail.blocks import StreamValue
from wagtail.images.models import Picture
from wagtail.models import Page, ReferenceIndex

from content import languages
from content.languages import active_language
from content.models import ArticleByline, CreditedImage, Partner, Person, StoryByline
from content.models.images import JPEG
from content.public_pages import listed_pages, public_pages
from content.wording import Wording


@dataclass(frozen=True)
class Shape:
    """How large a picture is drawn: the operation on it, its widths in pixels, and how wide the page shows it."""

    operation: str
    widths: tuple[int, ...]
    sizes: str

    @property
    def filters(self) -> list[str]:
        """WebP in every width, and one JPEG for old browsers."""
        jpeg = f"{self._resize(self.widths[-1])}|{JPEG}"
        return [*(f"{self._resize(width)}|format-webp|webpquality-80" for width in self.widths), jpeg]

    def _resize(self, width: int) -> str:
        return self.operation.format(width=width, height=round(width * 5 / 8))


SHAPES = {
    "text": Shape("width-{width}", (480, 800, 1280), "(min-width: 48em) 42rem, calc(100vw - 2.25rem)"),
    "wide": Shape("width-{width}", (480, 800, 1280, 1600), "(min-width: 74em) 60rem, calc(100vw - 2.25rem)"),
    "card": Shape(
        "fill-{width}x{height}", (400, 720), "(min-width: 60em) 22rem, (min-width: 40em) 45vw, calc(100vw - 2.25rem)"
    ),
    "face": Shape("fill-{width}x{width}", (96, 192), "4.5rem"),
}
BYLINES = (ArticleByline, StoryByline)


class SizedPicture(Picture):
    """A picture whose `sizes` stands beside a `srcset` with widths, and nowhere else, as HTML demands."""

    def __html__(self) -> SafeString:
        fallback = self.get_fallback_format()
        kinds = [kind for kind in self.source_format_order if kind.name in self.formats and kind.name != fallback]
        sources = format_html_join("", "<source{}>", ((flatatt(self._source(kind)),) for kind in kinds))
        renditions = self.formats[fallback] if self.formats else self.renditions
        own = {name: value for name, value in self.attrs.items() if name != "sizes"}
        return format_html("<picture>{}{}</picture>", sources, renditions[0].img_tag(own))

    def _source(self, kind: Any) -> dict[str, str]:
        # A picture smaller than the place is the same file in several filters: one of each width is enough.
        widths = {rendition.width: rendition for rendition in reversed(self.formats[kind.name])}
        srcset = self.get_width_srcset([widths[width] for width in sorted(widths)])
        sizes = {"sizes": self.attrs["sizes"]} if len(widths) > 1 else {}
        return {"srcset": srcset, **sizes, "type": kind.mime_type}


def picture(
    image: CreditedImage, shape: str = "text", alt: str | None = None, first: bool = False
) -> Picture | SafeString:
    """A picture in the sizes its place needs; where it can not be drawn, its alt text.

    Args:
        image: what to show.
        shape: its place on the page, a key of SHAPES.
        alt: the alt text in this place; None takes what the block says or else the picture's own in the page's
            language, "" says that it only decorates.
        first: whether it is the first large thing a reader sees, so that the browser fetches it at once.
    """
    form = SHAPES[shape]
    words = image.alt_at(image.contextual_alt_text) if alt is None else Wording(alt, active_language())
    sizes = image.get_renditions(*form.filters)
    if not all(size.is_drawn for size in sizes.values()):
        undrawn = format_html('<p class="undrawn"{}>{}</p>', words.lang_attribute(), words.text)
        return undrawn if words.text else SafeString("")
    attributes = {"sizes": form.sizes, "alt": words.text}
    if words.is_foreign():
        attributes["lang"] = words.language
    attributes |= {"fetchpriority": "high"} if first else {"loading": "lazy"}
    return SizedPicture(sizes, attributes)


def in_body(body: StreamValue) -> list[CreditedImage]:
    """The pictures in the figures of a body, with all their sizes and words loaded at once."""
    figures = [block.value["image"] for block in body if block.block_type == "figure"]
    images = [image for image in figures if image]
    prefetch_related_objects(images, "renditions", "texts")
    return images


def shown() -> QuerySet[CreditedImage]:
    """Every picture that a reader can see, by title: on live, public pages, beside their bylines, with partners."""
    pages = public_pages(Page.objects.all())
    uses = _uses().filter(object_id__in=pages.annotate(key=Cast("pk", CharField())).values("key"))
    seen = Q(key__in=uses.values("to_object_id")) | Q(pk__in=_partners().values("picture"))
    for kind in BYLINES:
        lines = kind.objects.filter(page_id__in=pages.values("pk"), person__picture__isnull=False)
        seen |= Q(pk__in=lines.values("person__picture"))
    # The index of references keeps keys as text.
    images = CreditedImage.objects.alias(key=Cast("pk", CharField())).filter(seen)
    return images.prefetch_related("renditions", "texts").order_by("title", "pk")


def shown_as() -> Iterator[tuple[CreditedImage, list[str]]]:
    """Every picture that a reader can see, with the shapes it may be asked for in; every one is credited on a card."""
    in_bodies = set(_uses().filter(model_path__startswith="body").values_list("to_object_id", flat=True))
    faces = set(Person.objects.filter(picture__isnull=False).values_list("picture", flat=True))
    for image in shown():
        wide, face = str(image.pk) in in_bodies, image.pk in faces
        yield image, ["card", "text", *(["wide"] if wide else []), *(["face"] if face else [])]


def placed(images: Sequence[CreditedImage]) -> list[tuple[CreditedImage, list[Page | Partner]]]:
    """Each of these pictures with the live, public pages and the partners that show it."""
    uses = {*_in_pages(images), *_beside_bylines(images)}
    pages = listed_pages(Page.objects.select_related("locale")).in_bulk({page for page, _image in uses})
    places: dict[int, list[Page | Partner]] = defaultdict(list)
    for page, image in sorted(uses):
        if page in pages:
            places[image].append(pages[page])
    for image, partner in _with_partners(images):
        places[image].append(partner)
    return [(image, places[image.pk]) for image in images]


def _uses() -> QuerySet[ReferenceIndex]:
    kinds = ContentType.objects.get_for_models(Page, CreditedImage)
    uses: QuerySet[ReferenceIndex] = ReferenceIndex.objects.filter(
        base_content_type=kinds[Page], to_content_type=kinds[CreditedImage]
    )
    return uses


def _partners() -> QuerySet[Partner]:
    return Partner.objects.filter(picture__isnull=False, locale__language_code__in=languages.codes())


def _in_pages(images: Sequence[CreditedImage]) -> set[tuple[int, int]]:
    uses = _uses().filter(to_object_id__in=[str(image.pk) for image in images])
    return {(int(page), int(image)) for page, image in uses.values_list("object_id", "to_object_id")}


def _beside_bylines(images: Sequence[CreditedImage]) -> set[tuple[int, int]]:
    lines = (kind.objects.filter(person__picture__in=images) for kind in BYLINES)
    return {use for kind in lines for use in kind.values_list("page_id", "person__picture_id")}


def _with_partners(images: Sequence[CreditedImage]) -> list[tuple[int, Partner]]:
    """Each partner once, in the active language where it is translated."""
    partners = _partners().filter(picture__in=images).select_related("locale")
    ranked = sorted(partners, key=lambda partner: bool(partner.locale.language_code == get_language()))
    found = {(partner.picture_id, partner.slug): partner for partner in ranked if partner.picture_id}
    return [(image, partner) for (image, _slug), partner in found.items()]
