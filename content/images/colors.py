"""Pixels of every mode and color profile as 8 bit sRGB."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

SIXTEEN_BITS = 65535
PROFILE_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}
"""The mode of Pillow that an ICC profile of each color space is for."""


def convert_to_srgb(image: Image.Image) -> Image.Image:
    """A decoded picture in mode RGB, or RGBA where something shines through; the same object when it is that already.

    Args:
        image: a picture of any mode, wholly loaded. Its profile is applied where it fits the mode, and else ignored.
    """
    profile = image.info.get("icc_profile")
    if image.mode[0] in "IF":
        image = _reduce_to_eight_bits(image)
    elif image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    elif image.has_transparency_data and image.mode not in ("LA", "RGBA"):
        image = image.convert("RGBA")
    elif image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if image.mode not in ("LA", "RGBA"):
        return _convert_colors(image, profile)
    alpha = image.getchannel("A")
    colors = _convert_colors(image.convert(image.mode[:-1]), profile)
    if alpha.getextrema() != (255, 255):
        colors.putalpha(alpha)
    return colors


def is_srgb(profile: bytes | None) -> bool:
    """Whether pixels with this profile, or with none, are sRGB as they stand."""
    if not profile:
        return True
    try:
        return "srgb" in ImageCms.getProfileDescription(_open_profile(profile)).lower()
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False


def _reduce_to_eight_bits(image: Image.Image) -> Image.Image:
    """Gray of 16 or 32 bit or of fractions in 8 bit; numbers without a usual range are spread over all of it."""
    values = image.convert("I") if image.mode.startswith("I;16") else image
    extrema: Any = values.getextrema()
    low, high = extrema
    if image.mode.startswith("I;16") or (low >= 0 and 255 < high <= SIXTEEN_BITS):
        low, high = 0, SIXTEEN_BITS
    elif image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0, 1
    elif low >= 0 and high <= 255:
        low, high = 0, 255
    scale = 255 / ((high - low) or 1)
    # Pillow takes only a scale and an offset here, and reads them off this function.
    spread: Any = lambda value: value * scale + (0.5 - low * scale)  # noqa: E731
    gray = values.point(spread).convert("L")
    gray.info.clear()
    return gray


def _convert_colors(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture without transparency in RGB."""
    converted = _apply_profile(image, profile) if profile else None
    if converted is None and image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    if converted is not None:
        return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture through its profile; None where the profile is broken, of another mode, or sRGB itself."""
    try:
        source = _open_profile(profile)
        space = source.profile.xcolor_space.strip()
        if PROFILE_MODES.get(space) != image.mode or (image.mode == "RGB" and is_srgb(profile)):
            return None
        return ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # Browsers, too, show a picture whose profile is broken as if it had none.


def _open_profile(profile: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(BytesIO(profile))
