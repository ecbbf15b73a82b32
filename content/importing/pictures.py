"""Finds the pictures of an article among its files, and keeps each once, with what its caption said."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.files.base import ContentFile

from content.images import NormalizedPicture, UndrawablePicture, normalize_picture
from content.importing.resource import Figure
from content.models import CreditedImage, ImportedSource

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".svg", ".tif", ".tiff", ".heic", ".heif")
ONE_OF_SEVERAL = "is an animation, or has several pages: only its first picture is kept"


@dataclass(frozen=True)
class Found:
    """A picture of an article.

    Attributes:
        key: its import folder and path.
        fingerprint: SHA-256 of its file, in hex; of the file it was made from when the present one is refused.
        picture: what is to be kept; None when the picture that was kept before stays.
        said: what its editor should know of it; empty when there is nothing.
    """

    key: str
    fingerprint: str
    picture: NormalizedPicture | None = None
    said: str = ""


class Absent(Exception):
    """A picture can not be taken; the message says why."""


def find(source: str, article: Path, root: Path, media: Path | None) -> Found:
    """Find the file of a picture, and make of it what is kept. A file that has not changed is not made again.

    Args:
        source: the address as the article writes it.
        article: the article's file.
        root: the folder that is imported; nothing outside it and `media` is ever read.
        media: another folder to look in, by path and by name.

    Raises:
        Absent: when there is no such file, or it is no picture we can show and none was kept of it before.
    """
    if source.startswith("data:"):
        key = f"{root.name}/{article.name}#{hashlib.sha256(source.encode()).hexdigest()[:12]}"
        data = _inlined(source)
    else:
        path = _path(source, article, root, media)
        key = _key(path, root, media)
        # One byte more than is taken tells that it is too large.
        with path.open("rb") as file:
            data = file.read(settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE + 1)
    return _read_picture(key, data)


def keep(found: Found, figure: Figure, save: bool = True) -> CreditedImage:
    """The picture of a file, made from the figure when it comes for the first time; an editor's work on it stays.

    Args:
        save: False only fills in a picture and keeps nothing.
    """
    known = _find_kept(found.key)
    if known and known.image:
        if save and found.picture and known.fingerprint != found.fingerprint:
            kept: Any = known.image  # Its file is given as a file, and read as a field's.
            kept.file = found.picture
            kept.save()
            known.fingerprint = found.fingerprint
            known.save()
        return known.image
    image = _described(found, figure)
    if save:
        image.save()
        ImportedSource.objects.update_or_create(
            source=found.key, defaults={"fingerprint": found.fingerprint, "image": image}
        )
    return image


def _described(found: Found, figure: Figure) -> CreditedImage:
    credit, alt = figure.credit, figure.alt
    return CreditedImage(
        title=Path(found.key).stem[:255],
        file=found.picture,
        description=_shortened(alt, 255),
        long_description=alt if len(alt) > 255 else "",
        is_decorative=figure.decorative,
        creator=credit.creator,
        holder=credit.holder,
        licence=credit.licence,
        licence_evidence=credit.line,
        source_url=credit.source_url,
    )


def _find_kept(key: str) -> ImportedSource | None:
    """What was made of this file before, where the picture is still there."""
    return ImportedSource.objects.filter(source=key, image__isnull=False).select_related("image").first()


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
    if len(body) > 2 * settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE or ";base64" not in head:
        raise Absent("it is written into the page in a form we do not read")
    try:
        return base64.b64decode(re.sub(r"\s+", "", unquote(body)), validate=True)
    except (binascii.Error, ValueError):
        raise Absent("it is written into the page, and broken") from None


def _read_picture(key: str, data: bytes) -> Found:
    fingerprint, kept = hashlib.sha256(data).hexdigest(), _find_kept(key)
    if kept and kept.fingerprint == fingerprint:
        return Found(key, fingerprint)
    try:
        picture = normalize_picture(ContentFile(data), Path(key).name)
    except UndrawablePicture as error:
        if kept is None:
            raise Absent(error.reason) from error
        return Found(key, kept.fingerprint, said=f"stays as it was imported before: {error.reason}")
    return Found(key, fingerprint, picture, said=ONE_OF_SEVERAL if picture.is_first_of_several else "")


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,.;") + "…"
