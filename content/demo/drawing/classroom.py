"""Scenes of learning: at the shelf, on the rug, at the table."""

from __future__ import annotations

from content.demo.drawing import people as cast
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
    Pen,
    dark,
    light,
)
from content.demo.drawing.people import bust, sit, stand
from content.demo.drawing.things import (
    WOOD,
    books,
    bubble,
    clock,
    lamp,
    open_book,
    plant,
    room,
    round_table,
    sheet,
    shelf,
    stool,
    table,
    wheel,
    wheelchair,
    window,
)


def same_stool_or_the_right_one(pen: Pen) -> None:
    for left, wall in ((0, ROSE), (810, SAGE)):
        pen.rect(left, 0, 790, HEIGHT, wall)
        pen.rect(left, 880, 790, 120, dark(wall, 0.14))
        pen.rect(left + 70, 300, 650, 24, WOOD, 4)
        pen.rect(left + 110, 324, 20, 40, dark(WOOD, 0.3))
        pen.rect(left + 660, 324, 20, 40, dark(WOOD, 0.3))
        books(pen, left + 90, 300, 610, 150, 7)
    for x in (140, 350, 562):
        stool(pen, x, 880, 80, light(WOOD, 0.25))
    stand(pen, 140, 800, 520, cast.IRENE, right=(0.16, -0.26))
    _held(pen, 223, 276, TEAL)
    stand(pen, 350, 800, 350, cast.OTTO, left=(-0.1, -0.34), right=(0.12, -0.34))
    _reader_on_wheels(pen, 690, right=(-0.04, -0.34), left=(-0.2, 0.18))
    stand(pen, 930, 880, 540, cast.IRENE, right=(0.16, -0.32))
    _held(pen, 1016, 276, TEAL)
    stool(pen, 1120, 880, 240)
    stand(pen, 1120, 640, 350, cast.OTTO, left=(-0.14, -0.3), right=(0.18, -0.32))
    _held(pen, 1186, 246, BRICK)
    _book_cart(pen, 1290, 880)
    _reader_on_wheels(pen, 1472, left=(-0.28, 0.06), right=(-0.18, 0.16))
    _held(pen, 1362, 640, MARIGOLD)


def _held(pen: Pen, x: float, y: float, colour: str) -> None:
    """A book in the hand that ends at (x, y)."""
    pen.rect(x - 26, y - 62, 52, 74, colour, 5)
    pen.rect(x - 14, y - 44, 28, 8, PAPER, 3)


def _reader_on_wheels(pen: Pen, x: float, left: tuple[float, float], right: tuple[float, float]) -> None:
    wheelchair(pen, x, 750, 880, -1)
    sit(pen, x, 750, 400, cast.EMI, turn=-1, floor=862, left=left, right=right)
    wheel(pen, x, 880, -1)


def _book_cart(pen: Pen, x: float, floor: float) -> None:
    for y, seed in ((floor - 180, 3), (floor - 50, 5)):
        books(pen, x - 82, y, 160, 96, seed)
        pen.rect(x - 95, y, 190, 16, TEAL, 4)
    for side in (-1, 1):
        pen.rect(x + side * 92 - 6, floor - 290, 12, 260, TEAL, 6)
        pen.circle(x + side * 84, floor - 14, 16, INK)


def a_wall_rebuilt_low(pen: Pen) -> None:
    room(pen, SKY, SAND, 830)
    window(pen, 560, 70, 480, 330, light(SKY, 0.5), arched=False)
    pen.rect(60, 470, 1480, 370, dark(WOOD, 0.45))
    for y, seed in ((640, 1), (824, 2)):
        books(pen, 80, y, 1440, 132, seed)
        pen.rect(44, y, 1512, 18, WOOD)
    pen.rect(44, 456, 1512, 24, WOOD, 6)
    plant(pen, 190, 456, 0.9)
    plant(pen, 1440, 456, 0.7, MARIGOLD)
    stand(pen, 420, 920, 560, cast.IRENE, left=(-0.04, 0.16), right=(0.1, 0.17), turn=0.4)
    open_book(pen, 436, 604, 130, BRICK)
    stand(pen, 760, 920, 370, cast.OTTO, right=(0.25, 0.02), left=(-0.2, 0.3), turn=0.4)
    _held(pen, 852, 648, MARIGOLD)
    wheelchair(pen, 1130, 790, 920, 1)
    sit(pen, 1130, 790, 420, cast.EMI, turn=1, floor=900, right=(0.32, 0.02), left=(0.2, 0.2))
    wheel(pen, 1130, 920, 1)
    _held(pen, 1264, 664, TEAL)


def a_circle_on_the_rug(pen: Pen) -> None:
    room(pen, SAGE, SAND, 560)
    window(pen, 130, 90, 270, 360)
    shelf(pen, 1170, 250, 340, 300, 2, 4)
    pen.rect(600, 120, 420, 270, WHITE, 8)
    pen.rect(620, 140, 380, 230, TEAL, 4)
    for row, wide in enumerate((250, 300, 170)):
        pen.line([(660, 195 + row * 60), (660 + wide, 195 + row * 60)], 10, light(TEAL, 0.55))
    pen.ellipse(800, 790, 690, 220, BRICK)
    pen.ellipse(800, 790, 640, 196, light(BRICK, 0.55))
    pen.ellipse(800, 790, 560, 164, ROSE)
    seats = ((470, cast.HANA, 0.4), (640, cast.MATEO, 0.2), (970, cast.CLEO, -0.3), (1140, cast.FELIX, -0.6))
    for x, look, turn in seats:
        _cross_legged(pen, x, 720 + abs(x - 800) * 0.04, 390, look, turn)
    _cross_legged(pen, 806, 720, 500, cast.CARMEN, 0.3, right=(0.26, 0.06))
    for x, look, turn in ((270, cast.DEV, 0.8), (1335, cast.EMI, -0.8)):
        _cross_legged(pen, x, 850, 400, look, turn, right=(0.16, -0.32) if turn > 0 else None)
    bubble(pen, 400, 470, 170, 92, WHITE, -1)
    for dot in (-1, 0, 1):
        pen.circle(485 + dot * 36, 516, 9, TEAL)
    for x, look in ((560, cast.ADA), (800, cast.OTTO), (1040, cast.NIA)):
        _cross_legged(pen, x, 985, 410, look, 0, back=True)


def _cross_legged(
    pen: Pen,
    x: float,
    hip: float,
    height: float,
    look: cast.Look,
    turn: float,
    *,
    back: bool = False,
    right: tuple[float, float] | None = None,
) -> None:
    pen.line(
        [(x - height * 0.2, hip + height * 0.06), (x + height * 0.2, hip + height * 0.06)], height * 0.12, look.bottom
    )
    bust(pen, x, hip, height, look, turn=turn, back=back, left=(-0.15, 0.32), right=right or (0.15, 0.32))


def fraction_tiles(pen: Pen) -> None:
    room(pen, ROSE, SAND, 760)
    pen.rect(330, 70, 940, 330, WHITE, 10)
    pen.rect(350, 90, 900, 290, TEAL, 6)
    for row, parts in enumerate((1, 2, 3, 4)):
        wide = 700 / parts
        for part in range(parts):
            fill = MARIGOLD if part == 0 else light(TEAL, 0.3)
            pen.rect(450 + part * wide + 3, 114 + row * 62, wide - 6, 50, fill, 4)
    bust(pen, 500, 770, 600, cast.ADA, turn=0.5, right=(0.2, 0.19), left=(-0.14, 0.2))
    bust(pen, 1100, 770, 600, cast.BRUNO, turn=-0.5, left=(-0.2, 0.19), right=(0.14, 0.2))
    pen.shape([(150, 700), (1450, 700), (1600, 1000), (0, 1000)], WOOD)
    pen.rect(0, 985, 1600, 15, dark(WOOD, 0.2))
    for row, (parts, colours) in enumerate(((2, (TEAL, MARIGOLD)), (3, (BRICK, SKY)), (4, (SAGE, dark(SKY, 0.4))))):
        wide = (560 + row * 40) / parts
        for part in range(parts):
            pen.rect(800 - parts * wide / 2 + part * wide + 4, 742 + row * 74, wide - 8, 62, colours[part % 2], 6)
    bubble(pen, 650, 430, 280, 130, WHITE, -1)
    pen.rect(690, 474, 90, 40, TEAL, 4)
    for dot in (-1, 1):
        pen.rect(802, 490 + dot * 9 - 4, 28, 8, INK, 4)
    for half in (0, 1):
        pen.rect(848 + half * 24, 474, 21, 40, MARIGOLD, 3)
    sheet(pen, 200, 800, 190, 130, 3, MARIGOLD)
    sheet(pen, 1220, 800, 190, 130, 3, BRICK)


def letter_tiles(pen: Pen) -> None:
    room(pen, SKY, SAND, 780)
    shelf(pen, 90, 220, 340, 550, 3, 8)
    plant(pen, 1480, 770, 1.3, MARIGOLD)
    lamp(pen, 800, 170, 170, BRICK)
    bust(pen, 560, 730, 640, cast.GRACE, turn=0.6, right=(0.28, 0.2), left=(-0.14, 0.3), floor=940)
    bust(pen, 1080, 730, 520, cast.FELIX, turn=-0.6, left=(-0.3, 0.2), right=(0.16, 0.3), floor=930)
    table(pen, 330, 720, 1000, 960)
    for place, letter in enumerate("map"):
        x = 690 + place * 104
        pen.rect(x, 590, 92, 92, (MARIGOLD, TEAL, BRICK)[place], 12)
        pen.text(x + 46, 628, letter, 74, PAPER)
        pen.rect(x + 4, 694, 84, 20, WHITE, 4)
    for x, letter, colour in ((430, "s", SAGE), (1220, "t", ROSE)):
        pen.rect(x, 640, 76, 76, colour, 10)
        pen.text(x + 38, 670, letter, 58, INK)
    bubble(pen, 1130, 150, 280, 130, WHITE, -1)
    pen.text(1270, 208, "m-a-p", 66, TEAL)


def two_teachers_one_class(pen: Pen) -> None:
    room(pen, SAGE, SAND, 700)
    window(pen, 90, 90, 300, 400)
    window(pen, 1210, 90, 300, 400)
    pen.rect(520, 80, 560, 300, WHITE, 8)
    for row, colour in enumerate((TEAL, MARIGOLD, BRICK)):
        pen.circle(590, 150 + row * 82, 24, colour)
        pen.line([(650, 150 + row * 82), (1000 - row * 70, 150 + row * 82)], 12, SAND)
    stand(pen, 1000, 760, 560, cast.DANIEL, left=(-0.3, -0.24), right=(0.14, 0.3), turn=-0.3)
    _desk(pen, 1310, 730, cast.NIA, -0.3)
    _desk(pen, 740, 690, cast.DEV, 0.2)
    pen.arc(740, 449, 50, 180, 360, 12, BRICK)
    for side in (-1, 1):
        pen.rect(740 + side * 50 - 13, 438, 26, 44, BRICK, 10)
    wheelchair(pen, 360, 770, 930, 1, TEAL)
    sit(pen, 360, 770, 460, cast.CLEO, turn=1, floor=905, right=(0.36, 0.2), left=(0.26, 0.24))
    wheel(pen, 360, 930, 1, 96, TEAL)
    table(pen, 470, 730, 330, 930)
    sheet(pen, 530, 664, 120, 66, 2)
    bust(pen, 900, 880, 560, cast.FATIMA, turn=-0.8, left=(-0.34, 0.02), right=(0.1, 0.3))
    pen.line([(900, 880), (1010, 905), (960, 930)], 60, cast.FATIMA.bottom)


def _desk(pen: Pen, x: float, top: float, look: cast.Look, turn: float) -> None:
    bust(pen, x, top + 10, 420, look, turn=turn, left=(-0.14, 0.25), right=(0.14, 0.25), floor=top + 180)
    table(pen, x - 150, top, 300, top + 190)
    sheet(pen, x - 56, top - 14, 112, 20, 1)


def student_at_the_microphone(pen: Pen) -> None:
    room(pen, SKY, dark(SAND, 0.08), 660)
    pen.rect(230, 80, 420, 330, WHITE, 8)
    for step, tall in enumerate((90, 140, 210, 170)):
        pen.rect(262 + step * 92, 370 - tall, 66, tall, (TEAL, MARIGOLD, BRICK, dark(SKY, 0.4))[step], 4)
    pen.line([(252, 372), (628, 372)], 8, INK)
    pen.rect(0, 620, 940, 60, WOOD)
    pen.rect(0, 680, 940, 50, dark(WOOD, 0.25))
    stand(pen, 710, 625, 430, cast.HANA, right=(0.2, -0.02), left=(-0.3, -0.2), turn=0.5)
    pen.line([(880, 620), (880, 386)], 10, INK)
    pen.line([(880, 388), (830, 366)], 10, INK)
    pen.circle(822, 362, 22, INK)
    pen.rect(832, 608, 96, 14, INK, 7)
    stand(pen, 148, 625, 400, cast.FELIX, right=(0.16, 0.17), left=(-0.16, 0.17), turn=0.4)
    pen.rect(98, 376, 100, 76, MARIGOLD, 4)
    pen.rect(112, 396, 64, 10, PAPER, 4)
    pen.rect(112, 420, 42, 10, PAPER, 4)
    for x, look, tall in ((1030, cast.SINGH, 600), (1240, cast.CARMEN, 560), (1450, cast.BEN, 620)):
        bust(pen, x, 900, tall, look, turn=-0.9, left=(-0.12, 0.3), right=(0.05, 0.26))
        pen.rect(x - 130, 890, 260, 34, BRICK, 10)
        pen.rect(x - 116, 924, 24, 76, dark(BRICK, 0.3))
        pen.rect(x + 92, 924, 24, 76, dark(BRICK, 0.3))
    bubble(pen, 840, 110, 260, 140, MARIGOLD, -1)
    for row, wide in enumerate((170, 120)):
        pen.line([(885, 158 + row * 46), (885 + wide, 158 + row * 46)], 12, PAPER)


def advisory_table(pen: Pen) -> None:
    room(pen, ROSE, SAND, 640)
    window(pen, 660, 60, 280, 360)
    plant(pen, 160, 640, 1.4, TEAL)
    clock(pen, 1340, 190, 74, 9.2)
    for x, look, tall, turn in ((430, cast.MATEO, 520, 0.6), (800, cast.LIN, 620, 0.1), (1170, cast.HANA, 520, -0.6)):
        bust(pen, x, 690, tall, look, turn=turn, left=(-0.17, 0.26), right=(0.19, 0.25))
    round_table(pen, 800, 800, 560, 160, 985)
    for x, y, colour in (
        (560, 760, MARIGOLD),
        (730, 720, TEAL),
        (900, 770, BRICK),
        (1040, 740, SKY),
        (700, 850, WHITE),
    ):
        pen.shape([(x, y), (x + 96, y - 10), (x + 112, y + 46), (x + 14, y + 58)], colour, 4)
        pen.line([(x + 28, y + 18), (x + 82, y + 12)], 7, dark(colour, 0.35))
    for x, look in ((310, cast.EMI), (1290, cast.OTTO)):
        bust(pen, x, 930, 600, look, turn=0.9 if x < 800 else -0.9, left=(-0.06, 0.2), right=(0.06, 0.2))
        pen.rect(x - 110, 920, 220, 36, TEAL, 12)


def thinking_made_visible(pen: Pen) -> None:
    room(pen, SAND, dark(SAND, 0.12), 720)
    pen.rect(150, 90, 860, 440, WHITE, 10)
    for dot in range(5):
        for row in range(3):
            pen.circle(250 + dot * 80, 180 + row * 80, 26, TEAL if dot < 3 else MARIGOLD)
    pen.line([(456, 140), (456, 390)], 8, BRICK)
    for row, wide in enumerate((250, 300, 190)):
        pen.line([(660, 190 + row * 76), (660 + wide, 190 + row * 76)], 12, dark(SKY, 0.2))
    pen.line([(228, 404), (228, 420), (432, 420), (432, 404)], 8, TEAL)
    pen.line([(478, 404), (478, 420), (592, 420), (592, 404)], 8, MARIGOLD)
    window(pen, 1220, 90, 250, 340)
    stand(pen, 620, 860, 440, cast.NIA, left=(-0.34, -0.3), right=(0.16, 0.22), turn=0.6)
    stand(pen, 1120, 860, 620, cast.HANK, left=(-0.16, 0.16), right=(0.03, -0.0), turn=-0.7)
    for x, look in ((170, cast.CLEO), (390, cast.DEV), (860, cast.EMI), (1400, cast.BRUNO)):
        bust(pen, x, 1010, 520, look, back=True, right=(0.15, 0.3), left=(-0.15, 0.3))


def three_ways_into_a_text(pen: Pen) -> None:
    room(pen, SKY, SAND, 700)
    for place, (x, look, ground) in enumerate(((300, cast.DEV, SAGE), (800, cast.NIA, ROSE), (1300, cast.BRUNO, SAND))):
        pen.arch(x - 190, 110, 380, 590, ground)
        bust(pen, x, 740, 560, look, turn=(0.2, 0, -0.2)[place], left=(-0.13, 0.2), right=(0.13, 0.2), floor=915)
        table(pen, x - 210, 720, 420, 930)
    open_book(pen, 300, 700, 230, TEAL)
    pen.arc(800, 418, 72, 180, 360, 14, MARIGOLD)
    for side in (-1, 1):
        pen.rect(800 + side * 70 - 16, 404, 32, 60, MARIGOLD, 12)
    pen.curve((870, 464), (930, 620), (876, 704), 7, INK)
    pen.rect(740, 668, 140, 52, INK, 10)
    pen.shape([(794, 680), (794, 710), (820, 695)], PAPER)
    pen.rect(1200, 560, 200, 160, INK, 12)
    pen.rect(1214, 574, 172, 130, WHITE, 4)
    pen.line([(1236, 614), (1362, 614)], 18, TEAL)
    pen.line([(1236, 662), (1320, 662)], 18, TEAL)
