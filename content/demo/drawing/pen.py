"""The pen: flat shapes in few colours on a sheet of 1600 x 1000, drawn three times as large and made smooth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]

WIDTH, HEIGHT = 1600, 1000
SCALE = 3

PAPER, INK, WHITE = "#f7f2e7", "#16231f", "#fffdf7"
TEAL, MARIGOLD, BRICK = "#0f4c4a", "#d98f1f", "#a8472f"
SKY, SAGE, ROSE, SAND = "#cfe0e3", "#cddcc6", "#ecd5cb", "#e6dcc6"


def mix(colour: str, other: str, share: float) -> str:
    """Return `colour` with `share` (0 to 1) of `other` in it."""
    pairs = ((int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def dark(colour: str, share: float = 0.18) -> str:
    return mix(colour, INK, share)


def light(colour: str, share: float = 0.35) -> str:
    return mix(colour, WHITE, share)


def between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


class Pen:
    """Draws on one sheet, in units of the finished picture. Angles are in degrees, clockwise from three o'clock."""

    def __init__(self, ground: str = PAPER) -> None:
        self.sheet = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), ground)
        self.ink = ImageDraw.Draw(self.sheet)

    def save(self, path: Path) -> None:
        """Write the finished picture as a small palette PNG."""
        smooth = self.sheet.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        counted: list[tuple[int, Any]] = smooth.getcolors(WIDTH * HEIGHT) or []
        commonest = sorted(counted, reverse=True)[:72]
        palette = Image.new("P", (1, 1))
        palette.putpalette([channel for _, colour in commonest for channel in colour])
        smooth.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)

    def rect(self, x: float, y: float, w: float, h: float, fill: str, radius: float = 0) -> None:
        box = _scaled([(x, y), (x + w, y + h)])
        self.ink.rounded_rectangle(box, radius * SCALE, fill)

    def circle(self, x: float, y: float, radius: float, fill: str) -> None:
        self.ellipse(x, y, radius, radius, fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: str) -> None:
        self.ink.ellipse(_scaled([(x - rx, y - ry), (x + rx, y + ry)]), fill)

    def slice(self, x: float, y: float, radius: float, start: float, end: float, fill: str) -> None:
        self.ink.pieslice(_scaled([(x - radius, y - radius), (x + radius, y + radius)]), start, end, fill)

    def cap(self, x: float, y: float, radius: float, start: float, end: float, fill: str) -> None:
        """The part of a disc cut off by a straight line from `start` to `end`."""
        self.ink.chord(_scaled([(x - radius, y - radius), (x + radius, y + radius)]), start, end, fill)

    def ring(self, x: float, y: float, radius: float, width: float, fill: str) -> None:
        box = _scaled([(x - radius, y - radius), (x + radius, y + radius)])
        self.ink.ellipse(box, outline=fill, width=round(width * SCALE))

    def arc(self, x: float, y: float, radius: float, start: float, end: float, width: float, fill: str) -> None:
        """A round-ended piece of a ring."""
        steps = max(3, int(abs(end - start) / 3))
        angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
        self.line([(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles], width, fill)

    def shape(self, points: Sequence[Point], fill: str, soft: float = 0) -> None:
        """A polygon; `soft` rounds its corners outwards by that radius."""
        self.ink.polygon(_scaled(points), fill)
        if soft:
            self.line([*points, points[0]], soft * 2, fill)

    def line(self, points: Sequence[Point], width: float, fill: str) -> None:
        """A line with round ends and joints."""
        for a, b in pairwise(points):
            self._bar(a, b, width, fill)
        for x, y in points:
            self.circle(x, y, width / 2, fill)

    def curve(self, start: Point, bend: Point, end: Point, width: float, fill: str) -> None:
        """A line pulled towards `bend`."""
        steps = [i / 24 for i in range(25)]
        self.line([between(between(start, bend, t), between(bend, end, t), t) for t in steps], width, fill)

    def arch(self, x: float, y: float, w: float, h: float, fill: str) -> None:
        """A rectangle with a half circle for its top."""
        self.slice(x + w / 2, y + w / 2, w / 2, 180, 360, fill)
        self.rect(x, y + w / 2, w, h - w / 2, fill)

    def text(self, x: float, y: float, words: str, size: float, fill: str) -> None:
        """Words centred on a point, in Pillow's own letters."""
        self.ink.text((x * SCALE, y * SCALE), words, fill, ImageFont.load_default(size * SCALE), anchor="mm")

    def _bar(self, a: Point, b: Point, width: float, fill: str) -> None:
        length = math.dist(a, b) or 1
        dx, dy = (b[1] - a[1]) / length * width / 2, (a[0] - b[0]) / length * width / 2
        corners = [(a[0] + dx, a[1] + dy), (b[0] + dx, b[1] + dy), (b[0] - dx, b[1] - dy), (a[0] - dx, a[1] - dy)]
        self.ink.polygon(_scaled(corners), fill)


def _scaled(points: Iterable[Point]) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]
