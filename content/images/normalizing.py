"""Turns an uploaded picture into the file that all its sizes are drawn from, or says why it can not."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from content.images import svg
from content.images.colors import convert_to_srgb, is_srgb

try:
    from pi_heif import register_heif_opener
except ImportError:
    pass  # The extra `heic` is not installed.
else:
    register_heif_opener()

FORMATS = ["AVIF", "GIF", "JPEG", "PNG", "TIFF", "WEBP"]  # in the names of Pillow, which reads MPO as JPEG
LOSSLESS = ("GIF", "PNG")
SEVERAL_VIEWS = ("HEIF", "MPO")  # Files of cameras, whose other pictures are previews and depth maps: no animation.
PLAIN_MODES = ("L", "P", "RGB", "RGBA")
PLAIN_FACTS = {
    *("adobe", "adobe_transform", "background", "chromaticity", "compression", "dpi", "duration", "extension"),
    *("gamma", "icc_profile", "interlace", "jfif", "jfif_density", "jfif_unit", "jfif_version", "loop", "progression"),
    *("progressive", "srgb", "timestamp", "transparency", "version"),
}
"""What Pillow reads beside the pixels and nobody minds to be seen. All else may hold a place, a name, a preview."""
LONGEST_SIDE = 16_383  # pixels: WebP holds no more (https://developers.google.com/speed/webp/faq)
FEW_COLORS = 256
JPEG_QUALITY = 92
ORIENTATION = 0x0112  # the EXIF tag (Exif 3.0, 4.6.5)
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}


class UndrawablePicture(ValidationError):
    """A file that no picture can be drawn from; `reason` is the sentence for the editor."""

    @property
    def reason(self) -> str:
        return str(self.message)


@dataclass(frozen=True)
class Decoded:
    """A whole picture in 8 bit sRGB, upright. `is_altered` says whether a file like the uploaded one would not do."""

    image: Image.Image
    format: str
    frames: int
    is_altered: bool


class NormalizedPicture(ContentFile):  # type: ignore[type-arg]
    """The file that sizes are drawn from: JPEG or PNG, upright, 8 bit sRGB, nothing in it but the picture.

    Attributes:
        upload: the bytes it was made from, unchanged.
        upload_name: what they were called.
        frames: of how many pictures the upload is made up; only the first is kept.
        is_altered: False when sizes could have been drawn from the upload as well.
        sha1: of the file's contents, in hex, as Wagtail keeps it.
    """

    def __init__(self, content: bytes, name: str, upload: bytes, upload_name: str, decoded: Decoded) -> None:
        super().__init__(content, name)
        self.upload, self.upload_name = upload, upload_name
        self.frames, self.is_altered = decoded.frames, decoded.is_altered
        self.width, self.height = decoded.image.size
        self.sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()

    @property
    def is_first_of_several(self) -> bool:
        return self.frames > 1


def normalize_picture(file: Any, name: str, longest: int | None = None) -> NormalizedPicture:
    """Decode an uploaded picture once and wholly, and make the file that its sizes are drawn from.

    Args:
        file: a file of Django's, open for reading; its position is set to the start again.
        name: what it is called; the ending follows the format that is made.
        longest: the most bytes that are taken; None for what the site takes in an upload.

    Raises:
        UndrawablePicture: it is too large, broken, not complete, or no picture in a format we take.
    """
    longest = settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE if longest is None else longest
    if file.size is not None and file.size > longest:
        raise UndrawablePicture(_too_large(file.size, longest))
    file.seek(0)
    upload = file.read(longest + 1)
    file.seek(0)
    if len(upload) > longest:
        raise UndrawablePicture(_too_large(len(upload), longest))
    decoded = _decode_any(upload)
    content, ending = _encode(decoded)
    stem = re.sub(r"[^-\w.]+", "_", PurePath(name).stem).strip("._") or "picture"
    return NormalizedPicture(content, f"{stem}.{ending}", upload, name, decoded)


def _decode_any(upload: bytes) -> Decoded:
    if not svg.is_svg(upload):
        return _decode(upload)
    try:
        decoded = _decode(svg.draw_svg(upload))
    except svg.UndrawableDrawing as error:
        raise UndrawablePicture(error.message) from error
    if decoded.image.mode == "RGBA" and decoded.image.getchannel("A").getextrema() == (0, 0):
        raise UndrawablePicture(_("The drawing is empty: nothing in it can be seen. Export it again."))
    return Decoded(decoded.image, decoded.format, frames=1, is_altered=True)


def _decode(upload: bytes) -> Decoded:
    """Decode the first picture of a file, after its format and size were found fit.

    Pillow's readers raise whatever a broken file leads them to (struct.error, KeyError, MemoryError, ...).
    """
    try:
        with Image.open(BytesIO(upload), formats=_formats()) as image:
            frames = 1 if image.format in SEVERAL_VIEWS else getattr(image, "n_frames", 1)
            _refuse_too_many_pixels(image.width * image.height * frames)
            image.load()
            return _normalize(image, frames)
    except UndrawablePicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UndrawablePicture(_too_many_pixels()) from error
    except UnidentifiedImageError as error:
        raise UndrawablePicture(_unknown(upload)) from error
    except Exception as error:
        raise UndrawablePicture(
            _("The file is broken or not complete. Open it in a picture program, save it anew, and upload that.")
        ) from error


def _formats() -> list[str]:
    Image.init()
    return [*FORMATS, *(["HEIF"] if "HEIF" in Image.OPEN else [])]


def _normalize(image: Image.Image, frames: int) -> Decoded:
    upright = _turn_upright(image)
    drawn = convert_to_srgb(upright)
    if max(drawn.size) > LONGEST_SIDE:
        drawn = _shrink(drawn)
    is_altered = (
        image.mode not in PLAIN_MODES
        or upright is not image
        or drawn.size != upright.size
        or frames > 1
        or image.format in ("HEIF", "MPO", "TIFF")
        or not is_srgb(image.info.get("icc_profile"))
        or not PLAIN_FACTS.issuperset(name for name in image.info if isinstance(name, str))
    )
    return Decoded(drawn, image.format or "", frames, is_altered)


def _turn_upright(image: Image.Image) -> Image.Image:
    try:
        turn = TRANSPOSITIONS.get(image.getexif().get(ORIENTATION, 1))
    except Exception:  # A broken EXIF block, which Pillow reads into all kinds of errors, says nothing.
        turn = None
    return image if turn is None else image.transpose(turn)


def _shrink(image: Image.Image) -> Image.Image:
    scale = LONGEST_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _encode(decoded: Decoded) -> tuple[bytes, str]:
    """The file's contents and ending. Pixels that were exact stay so; photographs are JPEG."""
    image, output = decoded.image, BytesIO()
    # Pillow writes what it finds here into the file: profile, comment, XMP.
    image.info = {}
    if image.mode == "RGBA" or decoded.format in LOSSLESS or image.getcolors(FEW_COLORS):
        image.save(output, "PNG")
        return output.getvalue(), "png"
    if image.format == "JPEG":  # Untouched: with its own tables, so that nothing more is lost.
        image.save(output, "JPEG", quality="keep")
    else:
        image.save(output, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return output.getvalue(), "jpg"


def _refuse_too_many_pixels(pixels: int) -> None:
    if pixels > settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS:
        raise UndrawablePicture(_too_many_pixels())


def _too_many_pixels() -> str:
    return _(
        "The picture has too many pixels: at most %(most)d million are taken, all pictures of an animation together. "
        "Make it smaller and upload that."
    ) % {"most": settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS // 1_000_000}


def _too_large(size: int, longest: int) -> str:
    return _(
        "This file has %(size).1f MB, and at most %(most)d MB are taken. Save it as JPEG, or smaller, and upload that."
    ) % {"size": size / 1_000_000, "most": longest // 1_000_000}


def _unknown(upload: bytes) -> str:
    if upload[4:8] == b"ftyp" and HEIC_BRANDS & {upload[8:12], *_compatible_brands(upload)}:
        if "HEIF" not in Image.OPEN:
            return _("This is an HEIC photograph, which this site can not read. Save it as JPEG and upload that.")
        return _("The HEIC photograph is broken or not complete. Save it as JPEG and upload that.")
    if not upload:
        return _("The file is empty. Choose another one.")
    return _("This is no picture in a format we take, or a broken one. Save it as PNG or JPEG and upload that.")


def _compatible_brands(upload: bytes) -> list[bytes]:
    """The brands that the first box of an ISO media file names beside its own (ISO/IEC 14496-12, 4.3)."""
    size = min(int.from_bytes(upload[:4]), 256)
    return [upload[place : place + 4] for place in range(16, size, 4)]
