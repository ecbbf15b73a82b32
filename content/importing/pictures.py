"""Finds the pictures of an article among its files, and keeps each once, with what its caption said."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image, UnidentifiedImageError

from content.importing.resource import Figure
from content.models import CreditedImage, ImportedSource

FORMATS = {"AVIF": "avif", "GIF": "gif", "JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".svg")
LARGEST = 20_000_000  # bytes


@dataclass(frozen=True)
class Found:
    """A picture's file: its key (import folder and path), its bytes, and the ending of its true format."""

    key: str
    data: bytes
    ending: str

    @property
    def name(self) -> str:
        return f"{Path(self.key).stem}.{self.ending}"

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


class Absent(Exception):
    """A picture can not be taken; the message says why."""


def find(source: str, article: Path, root: Path, media: Path | None) -> Found:
    """Find the file of a picture.

    Args:
        source: the address as the article writes it.
        article: the article's file.
        root: the folder that is imported; nothing outside it and `media` is ever read.
        media: another folder to look in, by path and by name.

    Raises:
        Absent: when there is no such file, or it is no picture we can show.
    """
    if source.startswith("data:"):
        return _identified(
            f"{root.name}/{article.name}#{hashlib.sha256(source.encode()).hexdigest()[:12]}", _inlined(source)
        )
    path = _path(source, article, root, media)
    if path.stat().st_size > LARGEST:
        raise Absent(f"the file is larger than {LARGEST // 1_000_000} MB")
    return _identified(_key(path, root, media), path.read_bytes())


def keep(found: Found, figure: Figure, save: bool = True) -> CreditedImage:
    """The picture of a file, made from the figure when it comes for the first time; an editor's work on it stays.

    Args:
        save: False only fills in a picture and keeps nothing.
    """
    known = ImportedSource.objects.filter(source=found.key).select_related("image").first()
    if known and known.image:
        if save and known.fingerprint != found.fingerprint:
            _replace(known, found)
        return known.image
    image = _described(found, figure)
    if save:
        image.save()
        ImportedSource.objects.create(source=found.key, fingerprint=found.fingerprint, image=image)
    return image


def _described(found: Found, figure: Figure) -> CreditedImage:
    credit, alt = figure.credit, figure.alt
    return CreditedImage(
        title=Path(found.key).stem[:255],
        file=ContentFile(found.data, found.name),
        file_size=len(found.data),
        description=_shortened(alt, 255),
        long_description=alt if len(alt) > 255 else "",
        is_decorative=figure.decorative,
        creator=credit.creator,
        holder=credit.holder,
        licence=credit.licence,
        licence_evidence=credit.line,
        source_url=credit.source_url,
    )


def _replace(known: ImportedSource, found: Found) -> None:
    image = known.image
    if image is None:
        return
    image.file.save(found.name, ContentFile(found.data), save=False)
    image.file_size, image.file_hash = len(found.data), ""
    image.save()
    image.renditions.all().delete()
    known.fingerprint = found.fingerprint
    known.save()


def _path(source: str, article: Path, root: Path, media: Path | None) -> Path:
    try:
        parts = urlsplit(source)
        written = unquote(parts.path).replace("\\", "/")
    except ValueError:
        raise Absent("its address can not be read") from None
    if not Path(written).name or "\x00" in written:
        raise Absent("its address names no file")
    places = [] if parts.netloc else [article.parent / written.lstrip("/"), root / written.lstrip("/")]
    if media:
        places += [media / written.lstrip("/"), media / Path(written).name]
    for place in places:
        for path in (place, *(place.with_name(place.name + ending) for ending in ENDINGS if not place.suffix)):
            if _is_ours(path, root, media):
                return path
    raise Absent("it is on another site" if parts.netloc else "there is no such file")


def _is_ours(path: Path, root: Path, media: Path | None) -> bool:
    try:
        real = path.resolve()
        inside = any(real.is_relative_to(folder.resolve()) for folder in (root, media) if folder)
        return inside and real.is_file()
    except (OSError, ValueError):
        return False


def _key(path: Path, root: Path, media: Path | None) -> str:
    real = path.resolve()
    folder = root.resolve() if real.is_relative_to(root.resolve()) else (media or root).resolve()
    return f"{folder.name}/{real.relative_to(folder).as_posix()}"[:500]


def _inlined(source: str) -> bytes:
    head, _, body = source.partition(",")
    if len(body) > LARGEST or ";base64" not in head:
        raise Absent("it is written into the page in a form we do not read")
    try:
        return base64.b64decode(re.sub(r"\s+", "", unquote(body)), validate=True)
    except (binascii.Error, ValueError):
        raise Absent("it is written into the page, and broken") from None


def _identified(key: str, data: bytes) -> Found:
    if b"<svg" in data[:1000].lower() or key.lower().endswith(".svg"):
        raise Absent("it is an SVG drawing, which mails can not show: save it as PNG")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data)) as image:
                ending = FORMATS.get(image.format or "")
                if image.width * image.height > settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS:
                    raise Absent("it has too many pixels")
                image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning):
        raise Absent("the file is broken or no picture") from None
    if ending is None:
        raise Absent("it is in a format that browsers do not show: save it as PNG or JPEG")
    return Found(key, data, ending)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,.;") + "…"
