"""SVG drawings: read with suspicion, then drawn to PNG in a process of their own, within limits."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

DRAWING = Path(__file__).with_name("svg_process.py")
SECONDS = 20
LARGEST = 5_000_000  # bytes of XML
LONGEST_SIDE = 2000  # pixels drawn: the largest size that a page shows is 1600 wide
LARGEST_LENGTH = 1_000_000
NAMESPACE = "{http://www.w3.org/2000/svg}"
ACTIVE = {"script", "handler", "foreignobject", "iframe", "object", "embed", "audio", "video", "canvas", "listener"}
UNITS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96, "em": 16, "ex": 8}
LENGTH = re.compile(r"\s*([+]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
CSS_ADDRESS = re.compile(r"url\(\s*['\"]?\s*([^'\")\s]*)", re.IGNORECASE)
OWN_PICTURE = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,", re.IGNORECASE)


class UndrawableDrawing(ValidationError):
    """An SVG file that can not or may not be drawn; the message is a sentence for the editor.

    It quotes nothing of the file: Wagtail's form for several uploads writes messages into the page as HTML.
    """


def is_svg(data: bytes) -> bool:
    """Whether these bytes are meant as XML; no picture of pixels begins like that."""
    return data[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith(b"<")


def draw_svg(data: bytes) -> bytes:
    """Draw an SVG file.

    Returns:
        A PNG whose longer side has LONGEST_SIDE pixels.

    Raises:
        UndrawableDrawing: it is broken, holds what may act or fetch, has no size, or takes too long.
    """
    if len(data) > LARGEST:
        raise UndrawableDrawing(
            _("The drawing has more than %(size)d MB. Save it simpler, or as PNG, and upload that.")
            % {"size": LARGEST // 1_000_000}
        )
    try:
        root = _parse(data)
        _refuse_what_acts_or_fetches(root)
        width, height = _fit(root)
        # What is drawn is what was checked: the tree, not the bytes that it was read from.
        drawn = subprocess.run(
            [sys.executable, "-I", str(DRAWING), str(width), str(height)],
            input=tostring(root),
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, RecursionError) as error:
        raise UndrawableDrawing(
            _("The drawing can not be drawn: it is broken or too complicated. Save it as PNG and upload that.")
        ) from error
    return drawn.stdout


class _Parser(DefusedXMLParser):
    """Refuses entities and everything outside; the document types of SVG itself, which older programs write, pass."""

    def __init__(self) -> None:
        super().__init__(forbid_dtd=True, forbid_entities=True, forbid_external=True)

    def defused_start_doctype_decl(self, name: str, sysid: Any, pubid: Any, has_internal_subset: Any) -> None:
        if has_internal_subset or not (pubid or "").startswith("-//W3C//DTD SVG 1."):
            super().defused_start_doctype_decl(name, sysid, pubid, has_internal_subset)


def _parse(data: bytes) -> Element:
    parser = _Parser()
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise UndrawableDrawing(
            _("The drawing declares entities or a foreign document type. Save it as plain SVG, or as PNG.")
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise UndrawableDrawing(_("The drawing is broken: it is no whole SVG file. Export it again.")) from error
    if root.tag not in (f"{NAMESPACE}svg", "svg"):
        raise UndrawableDrawing(_("This is no picture but another kind of file. Upload a PNG, JPEG or SVG."))
    return root


def _refuse_what_acts_or_fetches(root: Element) -> None:
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = _local(element.tag).lower()
        if name in ACTIVE:
            raise UndrawableDrawing(
                _("The drawing holds what is no drawing (%(element)s). Save it as plain SVG, or as PNG.")
                % {"element": name}
            )
        if name == "style":
            _refuse_foreign_styles("".join(element.itertext()))
        for attribute, value in element.attrib.items():
            _refuse_attribute(_local(attribute).lower(), value)


def _refuse_attribute(name: str, value: str) -> None:
    if name.startswith("on") or "javascript:" in re.sub(r"\s", "", value).lower():
        raise UndrawableDrawing(_("The drawing holds a script. Save it as plain SVG, or as PNG."))
    if name in ("href", "src") and not (value.strip().startswith("#") or OWN_PICTURE.match(value.strip())):
        raise UndrawableDrawing(_elsewhere())
    _refuse_foreign_styles(value)


def _refuse_foreign_styles(css: str) -> None:
    if "@import" in css.lower():
        raise UndrawableDrawing(_elsewhere())
    for address in CSS_ADDRESS.findall(css):
        if not (address.startswith("#") or OWN_PICTURE.match(address)):
            raise UndrawableDrawing(_elsewhere())


def _elsewhere() -> str:
    return _("The drawing points to something outside itself. Embed it or take it out, or save it as PNG.")


def _fit(root: Element) -> tuple[int, int]:
    """Give the root the size in pixels that it is drawn in, and a viewBox that holds its own size."""
    box = [_number(part) for part in re.split(r"[\s,]+", root.get("viewBox", "").strip())]
    has_box = len(box) == 4 and all(part is not None for part in box)
    across, down = (box[2], box[3]) if has_box else (None, None)
    width = _length(root.get("width", "")) or across
    height = _length(root.get("height", "")) or down
    if not width or not height or not (0 < width <= LARGEST_LENGTH and 0 < height <= LARGEST_LENGTH):
        raise UndrawableDrawing(
            _("The drawing does not say how large it is, or is far too large. Give it a width and a height.")
        )
    if not has_box:
        root.set("viewBox", f"0 0 {width:g} {height:g}")
    elif not (0 < (across or 0) <= LARGEST_LENGTH and 0 < (down or 0) <= LARGEST_LENGTH):
        raise UndrawableDrawing(_("The drawing's viewBox is empty or far too large. Export it again."))
    scale = LONGEST_SIDE / max(width, height)
    drawn = max(1, round(width * scale)), max(1, round(height * scale))
    root.set("width", str(drawn[0]))
    root.set("height", str(drawn[1]))
    return drawn


def _length(written: str) -> float | None:
    """A length in pixels; None for one that depends on a page, such as 100 %."""
    match = LENGTH.fullmatch(written)
    return float(match[1]) * UNITS[match[2].lower()] if match and match[2].lower() in UNITS else None


def _number(written: str) -> float | None:
    try:
        number = float(written)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _local(name: str) -> str:
    """The name of an element or attribute without its namespace."""
    return name.rpartition("}")[2]
