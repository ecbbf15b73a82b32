"""People out of circles and round lines: seen doing something, each with skin, hair and clothes of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from content.demo.drawing.pen import (
    BRICK,
    INK,
    MARIGOLD,
    ROSE,
    SAGE,
    SAND,
    SKY,
    TEAL,
    WHITE,
    Pen,
    Point,
    dark,
    light,
    mix,
)

UMBER, SIENNA, AMBER, WHEAT, PEACH = "#5b3a29", "#8a5a3c", "#b97f56", "#dcae83", "#f0c9a8"
BLACK, BROWN, COPPER, STRAW, GREY = "#1d1a19", "#4a2f22", "#8c4a2a", "#c99b4f", "#a8a49c"


@dataclass(frozen=True)
class Look:
    """How somebody looks. `hair` is the colour of hair or headscarf, `head` the radius of the head in heights."""

    skin: str
    hair: str
    style: str
    top: str
    bottom: str = INK
    head: float = 0.086
    glasses: bool = False
    beard: bool = False

    def child(self) -> Look:
        return replace(self, head=0.118)


# The cast. Grown-ups first, then children.
ANA = Look(AMBER, BLACK, "bun", BRICK, TEAL)
BEN = Look(UMBER, BLACK, "short", TEAL, dark(SAND, 0.5), beard=True)
CARMEN = Look(WHEAT, GREY, "bob", MARIGOLD, TEAL, glasses=True)
DANIEL = Look(PEACH, COPPER, "short", dark(SKY, 0.35), INK, glasses=True)
FATIMA = Look(AMBER, TEAL, "hijab", ROSE, dark(ROSE, 0.4))
GRACE = Look(SIENNA, BLACK, "afro", MARIGOLD, INK)
HANK = Look(PEACH, GREY, "bald", dark(SAGE, 0.4), dark(SAND, 0.45), beard=True)
IRENE = Look(UMBER, BLACK, "locs", WHITE, BRICK)
LIN = Look(WHEAT, BLACK, "bob", TEAL, dark(SKY, 0.4))
SINGH = Look(AMBER, BRICK, "turban", dark(SKY, 0.3), INK, beard=True)

ADA = Look(SIENNA, BLACK, "puffs", MARIGOLD, TEAL).child()
BRUNO = Look(WHEAT, BROWN, "short", BRICK, dark(SKY, 0.45)).child()
CLEO = Look(PEACH, STRAW, "tail", TEAL, dark(SAND, 0.5)).child()
DEV = Look(AMBER, BLACK, "short", dark(SAGE, 0.35), INK, glasses=True).child()
EMI = Look(WHEAT, BLACK, "long", ROSE, TEAL).child()
FELIX = Look(UMBER, BLACK, "short", light(BRICK, 0.45), dark(SAND, 0.5)).child()
HANA = Look(AMBER, BRICK, "hijab", light(SAGE, 0.2), dark(SAGE, 0.4)).child()
MATEO = Look(SIENNA, BROWN, "curls", TEAL, dark(SAND, 0.55)).child()
NIA = Look(UMBER, BLACK, "locs", BRICK, INK).child()
OTTO = Look(PEACH, COPPER, "curls", MARIGOLD, TEAL).child()


def stand(
    pen: Pen,
    x: float,
    ground: float,
    height: float,
    look: Look,
    *,
    left: Point | None = None,
    right: Point | None = None,
    turn: float = 0,
    back: bool = False,
) -> None:
    """A standing person. `left` and `right` are where the hands go as (dx, dy) from the shoulders' middle, in heights;
    `turn` is where they look, -1 to 1; `back` shows them from behind."""
    hip = ground - height * 0.45
    _legs(pen, x, hip, ground, height, look, turn)
    bust(pen, x, hip, height, look, left=left, right=right, turn=turn, back=back)


def sit(
    pen: Pen,
    x: float,
    seat: float,
    height: float,
    look: Look,
    *,
    turn: int = 1,
    left: Point | None = None,
    right: Point | None = None,
    floor: float | None = None,
) -> None:
    """A person seated side-on, hips at (x, seat), looking left (turn -1) or right (1)."""
    knee = (x + turn * height * 0.22, seat + height * 0.005)
    foot = (knee[0] + turn * height * 0.02, (floor or seat + height * 0.26) - height * 0.025)
    for shift, colour in ((0.045, dark(look.bottom)), (0.0, look.bottom)):
        far = turn * height * shift
        pen.line([(x, seat), (knee[0] + far, knee[1]), (foot[0] + far, foot[1])], height * 0.09, colour)
        pen.line(
            [(foot[0] + far, foot[1]), (foot[0] + far + turn * height * 0.05, foot[1])],
            height * 0.05,
            dark(look.bottom, 0.55),
        )
    bust(pen, x, seat, height, look, left=left, right=right, turn=turn * 0.8, slim=0.86)


def bust(
    pen: Pen,
    x: float,
    hip: float,
    height: float,
    look: Look,
    *,
    left: Point | None = None,
    right: Point | None = None,
    turn: float = 0,
    back: bool = False,
    slim: float = 1,
    floor: float | None = None,
) -> None:
    """A person from the hips up, for a window or behind a table; with a `floor`, their feet show under the table."""
    if floor is not None:
        _legs(pen, x, hip, floor, height, look, turn)
    shoulder = hip - height * 0.30
    radius = height * look.head
    head = (x + turn * height * 0.012, shoulder - height * 0.045 - radius)
    hands = {side: hand or (side * 0.155, 0.345) for side, hand in ((-1, left), (1, right))}
    _hair_behind(pen, head, radius, look, turn)
    for side in (-1, 1):
        if hands[side][1] < -0.02 and not back:
            _arm(pen, x, shoulder, height, side, hands[side], look, slim)
    _torso(pen, x, shoulder, hip, height, look, slim)
    pen.line([(head[0], head[1] + radius * 0.7), (x, shoulder)], radius * 0.72, _shaded(look.skin))
    for side in (-1, 1):
        if hands[side][1] >= -0.02 or back:
            _arm(pen, x, shoulder, height, side, hands[side], look, slim)
    _head(pen, head, radius, look, turn, back)


def _legs(pen: Pen, x: float, hip: float, ground: float, height: float, look: Look, turn: float) -> None:
    for side in (-1, 1):
        foot = (x + side * height * 0.055, ground - height * 0.03)
        pen.line([(x + side * height * 0.05, hip), foot], height * 0.085, look.bottom)
        toe = (foot[0] + height * (0.05 * turn if turn else 0.035 * side), foot[1])
        pen.line([foot, toe], height * 0.06, dark(look.bottom, 0.6))


def _torso(pen: Pen, x: float, shoulder: float, hip: float, height: float, look: Look, slim: float) -> None:
    soft, top, low = height * 0.04, height * 0.085 * slim, height * 0.075 * slim
    edge = shoulder + soft * 0.9
    pen.shape([(x - top, edge), (x + top, edge), (x + low, hip), (x - low, hip)], look.top, soft)


def _arm(pen: Pen, x: float, shoulder: float, height: float, side: int, hand: Point, look: Look, slim: float) -> None:
    start = (x + side * height * 0.105 * slim, shoulder + height * 0.045)
    end = (x + hand[0] * height, shoulder + hand[1] * height)
    elbow = _elbow(start, end, height * 0.17, side)
    pen.line([start, elbow, end], height * 0.062, dark(look.top, 0.16))
    pen.circle(*end, height * 0.036, look.skin)


def _elbow(start: Point, end: Point, bone: float, side: int) -> Point:
    """Where two bones of equal length meet, bent outwards and down."""
    span = min(math.dist(start, end), bone * 1.99) or 1
    lift = math.sqrt(bone**2 - (span / 2) ** 2)
    dx, dy = (end[0] - start[0]) / math.dist(start, end), (end[1] - start[1]) / math.dist(start, end)
    candidates = [((start[0] + end[0]) / 2 - s * dy * lift, (start[1] + end[1]) / 2 + s * dx * lift) for s in (-1, 1)]
    return max(candidates, key=lambda point: point[1] + side * point[0] * 0.6)


def _head(pen: Pen, head: Point, radius: float, look: Look, turn: float, back: bool) -> None:
    x, y = head
    if back and look.style != "bald":
        pen.circle(x, y, radius * 1.06, look.hair)
        return
    if look.style != "hijab" and not back:
        for side in (-1, 1):
            if side * turn < 0.5:
                pen.circle(
                    x + side * radius * 0.96 - turn * radius * 0.2, y + radius * 0.1, radius * 0.2, _shaded(look.skin)
                )
    pen.circle(x, y, radius, look.skin)
    if look.beard and not back:
        pen.cap(x, y, radius, 15, 165, light(look.hair, 0.08) if look.style != "turban" else BLACK)
    _hair_front(pen, head, radius, look, turn)
    if not back:
        _face(pen, head, radius, look, turn)


def _face(pen: Pen, head: Point, radius: float, look: Look, turn: float) -> None:
    x, y = head[0] + turn * radius * 0.34, head[1] + radius * 0.12
    line = mix(look.skin, INK, 0.8)
    for side in (-1, 1):
        eye = x + side * radius * 0.34
        pen.circle(eye, y, radius * 0.085, line)
        if look.glasses:
            pen.ring(eye, y, radius * 0.27, radius * 0.07, line)
    if look.glasses:
        pen.line([(x - radius * 0.08, y), (x + radius * 0.08, y)], radius * 0.07, line)
    mouth = light(look.skin, 0.85) if look.beard else line
    pen.arc(x, y + radius * 0.2, radius * 0.27, 25, 155, radius * 0.085, mouth)


def _hair_behind(pen: Pen, head: Point, radius: float, look: Look, turn: float) -> None:
    x, y = head
    if look.style == "afro":
        pen.circle(x, y - radius * 0.3, radius * 1.5, look.hair)
    elif look.style == "bob":
        pen.rect(x - radius * 1.14, y - radius * 0.9, radius * 2.28, radius * 1.95, look.hair, radius * 0.55)
    elif look.style == "long":
        pen.rect(x - radius * 1.14, y - radius * 0.9, radius * 2.28, radius * 2.9, look.hair, radius * 0.6)
    elif look.style == "bun":
        pen.circle(x - turn * radius * 0.3, y - radius * 1.28, radius * 0.46, look.hair)
    elif look.style == "puffs":
        for side in (-1, 1):
            pen.circle(x + side * radius * 0.88, y - radius * 0.82, radius * 0.52, look.hair)
    elif look.style == "tail":
        side = -1 if turn > 0 else 1
        pen.curve(
            (x, y - radius * 0.8),
            (x + side * radius * 2.0, y - radius * 0.9),
            (x + side * radius * 1.55, y + radius * 1.0),
            radius * 0.5,
            look.hair,
        )
    elif look.style == "locs":
        for step in range(-3, 4):
            pen.line(
                [(x + step * radius * 0.3, y), (x + step * radius * 0.38, y + radius * (1.25 - abs(step) * 0.06))],
                radius * 0.28,
                look.hair,
            )
    elif look.style == "hijab":
        pen.circle(x, y, radius * 1.2, look.hair)
        pen.shape(
            [
                (x - radius * 1.0, y + radius * 0.5),
                (x + radius * 1.0, y + radius * 0.5),
                (x + radius * 1.25, y + radius * 1.5),
                (x - radius * 1.25, y + radius * 1.5),
            ],
            look.hair,
            radius * 0.2,
        )


def _hair_front(pen: Pen, head: Point, radius: float, look: Look, turn: float) -> None:
    x, y = head
    if look.style == "bald":
        return
    if look.style == "hijab":
        pen.circle(x, y, radius * 1.2, look.hair)
        pen.shape(
            [(x - radius * 0.9, y + radius * 0.8), (x + radius * 0.9, y + radius * 0.8), (x, y + radius * 1.75)],
            look.hair,
            radius * 0.3,
        )
        pen.ellipse(x + turn * radius * 0.16, y + radius * 0.08, radius * 0.8, radius * 0.86, look.skin)
    elif look.style == "turban":
        pen.cap(x, y - radius * 0.06, radius * 1.18, 188, 352, look.hair)
        pen.ellipse(x, y - radius * 0.66, radius * 1.16, radius * 0.64, look.hair)
        pen.curve(
            (x - radius * 1.05, y - radius * 0.35),
            (x, y - radius * 0.9),
            (x + radius * 0.95, y - radius * 0.95),
            radius * 0.09,
            light(look.hair, 0.3),
        )
    elif look.style == "curls":
        for angle in range(195, 350, 22):
            a = math.radians(angle)
            pen.circle(x + radius * 0.86 * math.cos(a), y + radius * 0.86 * math.sin(a), radius * 0.36, look.hair)
        pen.cap(x, y, radius * 1.02, 205, 335, look.hair)
    else:
        pen.cap(x, y, radius * 1.07, 190 + turn * 14, 350 + turn * 14, look.hair)


def _shaded(skin: str) -> str:
    return mix(skin, "#6b2a14", 0.2)
