"""How renditions are drawn: with the credit in their file and nothing else, under a name that is theirs alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django.core.files.base import File
from django.utils.text import slugify
from PIL import Image as Drawing
from wagtail.images.models import AbstractRendition, Filter
from willow.image import AvifImageFile, JPEGImageFile, PNGImageFile, WebPImageFile
from willow.plugins.pillow import PillowImage

from content.rights.metadata import EmbeddedCredit, embedded_credit

VERSION = 1
"""Counts up when renditions are drawn in another way, so that all of them are drawn anew."""
FOLDER = "images"
DRAWN_WITH_CREDIT = rf"^{FOLDER}/[0-9]+/"
"""What the names of such files look like; files that were drawn before have none of it."""
LONGEST_WORDS = 30
SHAPES_THE_PICTURE = ("icc_profile", "transparency")


class CreditedDrawing(PillowImage):
    """A drawing that is saved with the credit of its picture. Place, camera, comments and thumbnail stay behind."""

    def __init__(self, image: Drawing.Image, credit: EmbeddedCredit) -> None:
        image = image.copy()
        image.info = {name: image.info[name] for name in SHAPES_THE_PICTURE if name in image.info}
        super().__init__(image)
        self.credit = credit

    def set_background_color_rgb(self, color: tuple[int, int, int]) -> CreditedDrawing:
        return CreditedDrawing(super().set_background_color_rgb(color).image, self.credit)

    def save_as_jpeg(
        self, f: Any, quality: int = 85, optimize: bool = False, progressive: bool = False, **_optimizers: bool
    ) -> JPEGImageFile:
        image = self.image.convert("RGB") if self.image.mode in ("1", "P") else self.image
        self._save(image, f, "JPEG", quality=quality, optimize=optimize, progressive=progressive)
        return JPEGImageFile(f)

    def save_as_png(self, f: Any, optimize: bool = False, **_optimizers: bool) -> PNGImageFile:
        image = self.image.convert("I;16") if self.image.mode == "I" else self._without_cmyk()
        self._save(image, f, "PNG", optimize=optimize)
        return PNGImageFile(f)

    def save_as_webp(self, f: Any, quality: int = 80, lossless: bool = False, **_optimizers: bool) -> WebPImageFile:
        self._save(self._without_cmyk(), f, "WEBP", quality=quality, lossless=lossless)
        return WebPImageFile(f)

    def save_as_avif(self, f: Any, quality: int = 80, lossless: bool = False, **_optimizers: bool) -> AvifImageFile:
        exact = {"quality": 100, "subsampling": "4:4:4"} if lossless else {"quality": quality}
        self._save(self._without_cmyk(), f, "AVIF", **exact)
        return AvifImageFile(f)

    def _without_cmyk(self) -> Drawing.Image:
        image: Drawing.Image = self.image
        if image.mode == "CMYK":
            image = self.transform_colorspace_to_srgb().image if self.get_icc_profile() else image.convert("RGB")
        return image

    def _save(self, image: Drawing.Image, f: Any, form: str, **options: Any) -> None:
        profile = {"icc_profile": image.info["icc_profile"]} if image.info.get("icc_profile") else {}
        image.save(f, form, **profile, **options, **self.credit.saving(form))


class CreditOperation:
    """The last step of every filter: what is saved after it carries the credit."""

    def __init__(self, credit: EmbeddedCredit) -> None:
        self.credit = credit

    def run(self, willow: Any, image: Any, env: dict[str, Any]) -> CreditedDrawing:  # noqa: ARG002 - Wagtail's own form
        return CreditedDrawing(willow.get_pillow_image(), self.credit)


class CreditedFilter(Filter):
    """A filter of Wagtail's that writes the credit while it encodes, so that nothing is encoded twice."""

    def __init__(self, spec: str, credit: EmbeddedCredit) -> None:
        super().__init__(spec)
        self.credit = credit

    @property
    def filter_operations(self) -> list[Any]:
        return [*super().filter_operations, CreditOperation(self.credit)]


class CreditedRenditions:
    """For the model of pictures: every rendition carries the present credit, and is drawn anew when that changes.

    The name of a rendition's file tells which picture, file and credit it was drawn from, so no step after an
    upgrade and no signal is needed: what was drawn from something else is thrown away when it is asked for.
    """

    if TYPE_CHECKING:
        pk: Any
        file: Any

    @property
    def drawn_from(self) -> str:
        """What tells this file and this credit from all that the picture had before: eight hexadecimal digits."""
        facts = json.dumps([VERSION, self.pk, self.file.name, *astuple(embedded_credit(self))])  # type: ignore[arg-type]
        return hashlib.sha256(facts.encode()).hexdigest()[:8]

    def generate_rendition_file(self, filter: Filter, *, source: File[bytes] | None = None) -> File[bytes]:
        """Draw a rendition, under a name made of the picture's own, what it was drawn from, and its content."""
        credited = CreditedFilter(filter.spec, embedded_credit(self))  # type: ignore[arg-type]
        drawn: File[bytes] = super().generate_rendition_file(credited, source=source)  # type: ignore[misc]
        content = hashlib.sha256(f"{filter.spec} {filter.get_cache_key(self)} ".encode())
        for chunk in drawn.chunks():
            content.update(chunk)
        words = slugify(PurePath(self.file.name).stem)[:LONGEST_WORDS].strip("-") or "picture"
        name = f"{words}.{self.drawn_from}.{content.hexdigest()[:12]}{PurePath(str(drawn.name)).suffix}"
        return File(drawn.file, name=name)

    def find_existing_renditions(self, *filters: Filter) -> dict[Filter, AbstractRendition]:
        """The renditions of these filters that show the present file and carry the present credit."""
        found: dict[Filter, AbstractRendition] = super().find_existing_renditions(*filters)  # type: ignore[misc]
        outdated = [rendition for rendition in found.values() if not self._is_present(rendition)]
        if outdated:
            self._throw_away(outdated)
        return {filter: rendition for filter, rendition in found.items() if rendition not in outdated}

    def _is_present(self, rendition: AbstractRendition) -> bool:
        folder, _, name = rendition.file.name.rpartition("/")
        return folder == f"{FOLDER}/{self.pk}" and f".{self.drawn_from}." in name

    def _throw_away(self, renditions: list[AbstractRendition]) -> None:
        type(renditions[0])._default_manager.filter(pk__in=[rendition.pk for rendition in renditions]).delete()
        loaded = getattr(self, "_prefetched_objects_cache", {}).get("renditions")
        for kept in (getattr(loaded, "_result_cache", None), getattr(self, "prefetched_renditions", None)):
            if kept is not None:
                kept[:] = [rendition for rendition in kept if rendition not in renditions]


class RenditionInFolder:
    """For the model of renditions: each picture has a folder of its own."""

    if TYPE_CHECKING:
        image_id: int

    def get_upload_to(self, filename: str) -> str:
        return f"{FOLDER}/{self.image_id}/{filename}"
