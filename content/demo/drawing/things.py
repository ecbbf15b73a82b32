"""The furniture of schools and towns: shelves, tables, windows, plants, paper."""

from __future__ import annotations

import math
from random import Random

from content.demo.drawing.pen import (
    BRICK,
    HEIGHT,
    INK,
    MARIGOLD,
    PAPER,
    ROSE,
    SAGE,
    SAND,
    SKY,
    TEAL,
    WHITE,
    WIDTH,
    Pen,
    dark,
    light,
    mix,
)

WOOD = "#b98d5e"
SPINES = (TEAL, MARIGOLD, BRICK, dark(SKY, 0.35), dark(SAGE, 0.3), dark(ROSE, 0.2), WHITE, INK)


def room(pen: Pen, wall: str, floor: str, line: float = 820) -> None:
    """A wall, and a floor that begins at height `line`."""
    pen.rect(0, 0, WIDTH, line, wall)
    pen.rect(0, line, WIDTH, HEIGHT - line, floor)
    pen.rect(0, line - 10, WIDTH, 10, dark(wall, 0.12))


def window(pen: Pen, x: float, y: float, w: float, h: float, view: str = SKY, arched: bool = True) -> None:
    """A window with bars, showing a sun and a hill."""
    frame = pen.arch if arched else pen.rect
    frame(x - 14, y - 14, w + 28, h + 28, WHITE)
    frame(x, y, w, h, view)
    pen.circle(x + w * 0.66, y + h * 0.38, w * 0.13, MARIGOLD)
    pen.shape([(x, y + h), (x, y + h * 0.80), (x + w * 0.4, y + h * 0.68), (x + w, y + h * 0.85), (x + w, y + h)], SAGE)
    pen.shape(
        [(x, y + h), (x, y + h * 0.92), (x + w * 0.7, y + h * 0.78), (x + w, y + h * 0.74), (x + w, y + h)],
        dark(SAGE, 0.15),
    )
    pen.rect(x + w / 2 - 5, y, 10, h, WHITE)
    pen.rect(x, y + h * 0.52, w, 10, WHITE)
    pen.rect(x - 30, y + h + 10, w + 60, 18, WHITE, 6)


def books(pen: Pen, x: float, base: float, w: float, tall: float, seed: int) -> None:
    """A row of standing books from `x` to `x + w`, the last one leaning."""
    chance = Random(seed)  # noqa: S311 - the same books every time
    at = x
    while at < x + w - 70:
        wide, high = chance.uniform(20, 42), tall * chance.uniform(0.66, 0.98)
        colour = chance.choice(SPINES)
        pen.rect(at, base - high, wide, high, colour, 3)
        pen.rect(at, base - high * 0.82, wide, 6, mix(colour, MARIGOLD if colour == INK else PAPER, 0.55))
        at += wide + 2
    lean, high = chance.choice(SPINES[:4]), tall * 0.72
    pen.shape([(at + 4, base), (at + 30, base), (at + 62, base - high), (at + 36, base - high - 6)], lean)


def shelf(pen: Pen, x: float, y: float, w: float, h: float, rows: int, seed: int = 1, colour: str = WOOD) -> None:
    """A bookcase with its rows filled."""
    pen.rect(x - 16, y - 16, w + 32, h + 16, colour, 6)
    pen.rect(x, y, w, h - 16, dark(colour, 0.45))
    gap = h / rows
    for row in range(rows):
        base = y + gap * (row + 1)
        books(pen, x + 8, base - 16, w - 16, gap - 22, seed * 10 + row)
        pen.rect(x - 8, base - 16, w + 16, 16, colour)


def plant(pen: Pen, x: float, base: float, size: float = 1, pot: str = BRICK, leaf: str = dark(SAGE, 0.35)) -> None:
    """A plant in a pot of 80 by 80 times `size`."""
    for angle, length in ((-160, 120), (-130, 165), (-100, 190), (-72, 180), (-45, 150), (-20, 110)):
        _leaf(pen, x, base - 70 * size, angle, length * size, leaf if angle % 4 else dark(leaf, 0.2))
    pen.shape(
        [
            (x - 44 * size, base - 80 * size),
            (x + 44 * size, base - 80 * size),
            (x + 32 * size, base),
            (x - 32 * size, base),
        ],
        pot,
    )
    pen.rect(x - 50 * size, base - 92 * size, 100 * size, 20 * size, dark(pot, 0.12), 6 * size)


def _leaf(pen: Pen, x: float, y: float, angle: float, length: float, colour: str) -> None:
    a = math.radians(angle)
    tip = (x + length * math.cos(a), y + length * math.sin(a))
    side = (-math.sin(a) * length * 0.17, math.cos(a) * length * 0.17)
    middle = (x + length * 0.55 * math.cos(a), y + length * 0.55 * math.sin(a))
    pen.shape(
        [(x, y), (middle[0] + side[0], middle[1] + side[1]), tip, (middle[0] - side[0], middle[1] - side[1])],
        colour,
        length * 0.03,
    )


def sprout(
    pen: Pen, x: float, ground: float, tall: float, leaf: str = dark(SAGE, 0.4), bloom: str | None = None
) -> None:
    """A young plant with a pair of leaves for every 70 of height, and a flower if it has a colour for one."""
    pen.line([(x, ground), (x, ground - tall)], 8, leaf)
    for pair in range(max(1, int(tall // 70))):
        y = ground - tall * (pair + 1) / (tall // 70 + 1) if tall >= 70 else ground - tall * 0.7
        size = min(62, 34 + tall * 0.1)
        _leaf(pen, x, y, -150, size, leaf)
        _leaf(pen, x, y, -30, size, leaf)
    if bloom:
        for angle in range(0, 360, 60):
            a = math.radians(angle)
            pen.circle(x + 24 * math.cos(a), ground - tall + 24 * math.sin(a), 18, bloom)
        pen.circle(x, ground - tall, 16, PAPER if bloom == MARIGOLD else MARIGOLD)


def table(pen: Pen, x: float, y: float, w: float, floor: float, colour: str = WOOD) -> None:
    """A table seen from the front, its top at height `y`."""
    for leg in (x + 40, x + w - 66):
        pen.rect(leg, y + 20, 26, floor - y - 20, dark(colour, 0.25))
    pen.rect(x + 30, y + 20, w - 60, 34, dark(colour, 0.15))
    pen.rect(x, y, w, 30, colour, 10)


def round_table(pen: Pen, x: float, y: float, rx: float, ry: float, floor: float, colour: str = WOOD) -> None:
    """A round table seen a little from above, centred on (x, y)."""
    pen.rect(x - 30, y, 60, floor - y, dark(colour, 0.3))
    pen.ellipse(x, floor, rx * 0.4, ry * 0.3, dark(colour, 0.3))
    pen.ellipse(x, y + 22, rx, ry, dark(colour, 0.2))
    pen.ellipse(x, y, rx, ry, colour)


def chair(pen: Pen, x: float, seat: float, floor: float, turn: int = 1, colour: str = BRICK) -> None:
    """A chair side-on; its back is on the side away from `turn`."""
    back = x - turn * 62
    pen.line([(back, seat - 150), (back, floor - 6)], 14, dark(colour, 0.2))
    pen.line([(x + turn * 62, seat + 36), (x + turn * 62, floor - 6)], 14, dark(colour, 0.2))
    pen.rect(min(back, x + turn * 62) - 6, seat + 26, 136, 20, colour, 8)
    pen.rect(back - 12, seat - 160, 24, 100, colour, 10)


def wheelchair(pen: Pen, x: float, seat: float, floor: float, turn: int = 1, colour: str = INK) -> None:
    """A wheelchair for somebody seated at (x, seat): draw it behind them, then `wheel` before them."""
    pen.line([(x - turn * 60, seat - 130), (x - turn * 50, seat + 40)], 16, colour)
    pen.line([(x - turn * 60, seat - 130), (x - turn * 92, seat - 136)], 14, colour)
    pen.rect(min(x - turn * 60, x + turn * 90), seat + 24, 150, 22, colour, 8)
    pen.line([(x + turn * 84, seat + 34), (x + turn * 112, floor - 40)], 12, colour)
    pen.line([(x + turn * 104, floor - 12), (x + turn * 150, floor - 12)], 12, colour)
    pen.ring(x + turn * 92, floor - 24, 24, 9, dark(SKY, 0.4))


def wheel(pen: Pen, x: float, floor: float, turn: int = 1, radius: float = 84, colour: str = INK) -> None:
    hub = (x - turn * 24, floor - radius)
    pen.ring(*hub, radius, 14, colour)
    pen.ring(*hub, radius - 22, 5, MARIGOLD)
    for angle in range(0, 180, 45):
        a = math.radians(angle)
        reach = (math.cos(a) * (radius - 24), math.sin(a) * (radius - 24))
        pen.line([(hub[0] - reach[0], hub[1] - reach[1]), (hub[0] + reach[0], hub[1] + reach[1])], 3, colour)
    pen.circle(*hub, 10, colour)


def stool(pen: Pen, x: float, floor: float, tall: float, colour: str = WOOD) -> None:
    """A box to stand on, `tall` high and 190 wide."""
    pen.rect(x - 95, floor - tall, 190, tall, colour, 6)
    pen.rect(x - 105, floor - tall, 210, 18, dark(colour, 0.2), 6)
    pen.rect(x - 30, floor - tall / 2 - 2, 60, 14, dark(colour, 0.35), 7)


def lamp(pen: Pen, x: float, y: float, drop: float, colour: str = TEAL) -> None:
    """A hanging lamp; its shade ends at height `y`."""
    pen.rect(x - 3, y - drop, 6, drop - 60, INK)
    pen.circle(x, y, 22, MARIGOLD)
    pen.slice(x, y, 78, 180, 360, colour)


def open_book(pen: Pen, x: float, y: float, w: float, cover: str = BRICK) -> None:
    """A book lying open, `w` wide, its fold at (x, y)."""
    h = w * 0.3
    pen.shape(
        [
            (x - w / 2 - 10, y - h + 8),
            (x, y + 12),
            (x + w / 2 + 10, y - h + 8),
            (x + w / 2 + 10, y + 8),
            (x, y + 34),
            (x - w / 2 - 10, y + 8),
        ],
        cover,
        3,
    )
    for side in (-1, 1):
        pen.shape([(x, y - h + 20), (x + side * w / 2, y - h), (x + side * w / 2, y), (x, y + 22)], WHITE)
        for row in range(3):
            left, right = (x + side * w * 0.08, x + side * w * 0.42)
            drop = y - h + 34 + row * h * 0.26
            pen.line([(left, drop), (right, drop - 12)], 5, SAND)
    pen.line([(x, y - h + 20), (x, y + 22)], 4, SAND)


def stack(
    pen: Pen, x: float, base: float, widths: tuple[float, ...], colours: tuple[str, ...], thick: float = 34
) -> None:
    """Books lying on each other, bottom first, centred on x."""
    for row, (wide, colour) in enumerate(zip(widths, colours, strict=True)):
        top, left = base - (row + 1) * thick, x - wide / 2 + (row % 2) * 10
        pen.rect(left, top, wide, thick - 3, colour, 6)
        pen.rect(left + wide * 0.12, top + thick * 0.32, wide * 0.3, 7, mix(colour, PAPER, 0.65), 3)


def note(pen: Pen, x: float, y: float, size: float, colour: str, lines: int = 2) -> None:
    """A paper note with a few lines of writing."""
    pen.rect(x, y, size, size, colour)
    for row in range(lines):
        pen.line(
            [
                (x + size * 0.16, y + size * (0.32 + row * 0.24)),
                (x + size * (0.82 - row * 0.2), y + size * (0.32 + row * 0.24)),
            ],
            size * 0.06,
            dark(colour, 0.4),
        )


def sheet(pen: Pen, x: float, y: float, w: float, h: float, lines: int = 4, mark: str | None = None) -> None:
    """A sheet of a student's work, perhaps with a coloured mark on it."""
    pen.rect(x, y, w, h, WHITE, 4)
    for row in range(lines):
        y_line = y + h * (0.2 + 0.7 * row / lines)
        pen.line([(x + w * 0.14, y_line), (x + w * (0.84 if row % 2 else 0.7), y_line)], max(4, h * 0.035), SAND)
    if mark:
        pen.circle(x + w * 0.8, y + h * 0.82, w * 0.1, mark)


def bubble(pen: Pen, x: float, y: float, w: float, h: float, colour: str, tail: int = -1) -> None:
    """A speech bubble; its tail points down to the left (-1) or right (1)."""
    pen.rect(x, y, w, h, colour, min(w, h) * 0.32)
    foot = x + w / 2 + tail * w * 0.22
    pen.shape([(foot - 20, y + h - 4), (foot + 20, y + h - 4), (foot + tail * 34, y + h + 38)], colour)


def clock(pen: Pen, x: float, y: float, radius: float, hour: float) -> None:
    pen.circle(x, y, radius, INK)
    pen.circle(x, y, radius - 9, WHITE)
    for turns, reach, width in ((hour / 12, 0.48, 9), (hour % 1, 0.7, 6)):
        a = math.radians(turns * 360 - 90)
        pen.line([(x, y), (x + radius * reach * math.cos(a), y + radius * reach * math.sin(a))], width, INK)


def tree(pen: Pen, x: float, base: float, size: float = 1, leaf: str = dark(SAGE, 0.25)) -> None:
    pen.rect(x - 12 * size, base - 120 * size, 24 * size, 120 * size, dark(WOOD, 0.3))
    for dx, dy, radius in ((-44, -150, 66), (44, -150, 66), (0, -210, 80)):
        pen.circle(x + dx * size, base + dy * size, radius * size, leaf if dx <= 0 else light(leaf, 0.15))


def house(pen: Pen, x: float, base: float, w: float, h: float, wall: str, roof: str) -> None:
    pen.rect(x, base - h, w, h, wall)
    pen.shape([(x - w * 0.1, base - h), (x + w / 2, base - h - w * 0.42), (x + w * 1.1, base - h)], roof)
    pen.rect(x + w * 0.14, base - h * 0.62, w * 0.2, w * 0.2, light(SKY, 0.4))
    pen.arch(x + w * 0.56, base - h * 0.6, w * 0.26, h * 0.6, roof)


def laptop(pen: Pen, x: float, base: float, w: float, screen: str = SKY) -> None:
    """An open laptop facing us, standing on `base`, centred on x."""
    h = w * 0.62
    pen.rect(x - w / 2, base - h - 20, w, h, INK, 18)
    pen.rect(x - w / 2 + 20, base - h, w - 40, h - 40, screen, 6)
    pen.shape(
        [(x - w / 2, base - 22), (x + w / 2, base - 22), (x + w * 0.58, base), (x - w * 0.58, base)], dark(SKY, 0.3), 4
    )


def mug(pen: Pen, x: float, base: float, size: float = 1, colour: str = BRICK) -> None:
    pen.ring(x + 40 * size, base - 42 * size, 26 * size, 11 * size, colour)
    pen.rect(x - 38 * size, base - 84 * size, 76 * size, 84 * size, colour, 12 * size)
    pen.rect(x - 38 * size, base - 62 * size, 76 * size, 12 * size, light(colour, 0.4))


def bunting(pen: Pen, y: float, drop: float, colours: tuple[str, ...] = (TEAL, MARIGOLD, BRICK, ROSE)) -> None:
    """Small flags on a string right across the picture."""
    points = [(x, y + drop * (1 - ((x - WIDTH / 2) / (WIDTH / 2)) ** 2)) for x in range(0, WIDTH + 1, 40)]
    pen.line(points, 5, INK)
    for place, (x, top) in enumerate(points[1::2]):
        pen.shape([(x - 32, top), (x + 32, top), (x, top + 62)], colours[place % len(colours)])
