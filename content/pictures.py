"""Pictures as readers see them: the sizes that a place on a page needs, and every picture that is shown somewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db.models import prefetch_related_objects
from wagtail.blocks import StreamValue
from wagtail.images.models import Picture
from wagtail.images.shortcuts import get_rendition_or_not_found, get_renditions_or_not_found
from wagtail.models import Page, ReferenceIndex

from content.models import ArticleByline, CreditedImage, CreditedRendition, Partner, StoryByline


@dataclass(frozen=True)
class Shape:
    """How large a picture is drawn: the operation on it, its widths in pixels, and how wide the page shows it."""

    operation: str
    widths: tuple[int, ...]
    sizes: str

    @property
    def filters(self) -> list[str]:
        """WebP in every width, and one JPEG for old browsers."""
        jpeg = f"{self._resize(self.widths[-1])}|format-jpeg|bgcolor-fbf8f1|jpegquality-78"
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


def picture(image: CreditedImage, shape: str = "text", alt: str | None = None, first: bool = False) -> Picture:
    """A picture in the sizes its place needs.

    Args:
        image: what to show.
        shape: its place on the page, a key of SHAPES.
        alt: the alt text in this place; None takes the picture's own, "" says that it only decorates.
        first: whether it is the first large thing a reader sees, so that the browser fetches it at once.
    """
    form = SHAPES[shape]
    attributes = {"sizes": form.sizes, "alt": image.default_alt_text if alt is None else alt}
    attributes |= {"fetchpriority": "high"} if first else {"loading": "lazy"}
    return Picture(get_renditions_or_not_found(image, form.filters), attributes)


def sharing(image: CreditedImage) -> CreditedRendition:
    """The one size that other sites and search engines are told of: the JPEG of the reading column."""
    rendition: CreditedRendition = get_rendition_or_not_found(image, SHAPES["text"].filters[-1])
    return rendition


def in_body(body: StreamValue) -> list[CreditedImage]:
    """The pictures in the figures of a body, with all their sizes loaded at once."""
    figures = [block.value["image"] for block in body if block.block_type == "figure"]
    images = [image for image in figures if image]
    prefetch_related_objects(images, "renditions")
    return images


def shown() -> dict[CreditedImage, list[Page | Partner]]:
    """Every picture that a reader can see, by title, with the live, public pages and the partners that show it."""
    pages = Page.objects.live().public().select_related("locale").in_bulk()
    places: dict[int, dict[Page | Partner, None]] = defaultdict(dict)
    for page, image in [*_in_pages(), *_under_bylines()]:
        if page in pages:
            places[image][pages[page]] = None
    for partner in Partner.objects.select_related("locale"):
        if partner.picture_id:
            places[partner.picture_id][partner] = None
    images = CreditedImage.objects.filter(pk__in=list(places)).prefetch_related("renditions").order_by("title", "pk")
    return {image: list(places[image.pk]) for image in images}


def _in_pages() -> list[tuple[int, int]]:
    kinds = ContentType.objects.get_for_models(Page, CreditedImage)
    uses = ReferenceIndex.objects.filter(base_content_type=kinds[Page], to_content_type=kinds[CreditedImage])
    return sorted({(int(page), int(image)) for page, image in uses.order_by().values_list("object_id", "to_object_id")})


def _under_bylines() -> Iterator[tuple[int, int]]:
    for kind in (ArticleByline, StoryByline):
        lines = kind.objects.filter(person__picture__isnull=False).order_by("page_id")
        yield from lines.values_list("page_id", "person__picture_id")
