"""Scenes beyond the school's walls: kitchens, buses, gardens, the places people gather."""

from __future__ import annotations

import math

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
    WIDTH,
    Pen,
    Point,
    dark,
    light,
)
from content.demo.drawing.people import bust, sit, stand
from content.demo.drawing.things import (
    WOOD,
    bunting,
    house,
    lamp,
    laptop,
    mug,
    plant,
    room,
    sheet,
    sprout,
    table,
    tree,
    wheel,
    wheelchair,
    window,
)


def a_quilt_in_the_making(pen: Pen) -> None:
    room(pen, PAPER, SAND, 860)
    pen.rect(386, 96, 828, 640, WHITE, 8)
    grounds = (SKY, ROSE, SAGE, SAND)
    for place in range(20):
        column, row = place % 5, place // 5
        x, y = 400 + column * 160, 110 + row * 153
        pen.rect(x + 2, y + 2, 156, 149, grounds[(column + row * 2) % 4])
        if place != 17:
            _patch(pen, x + 80, y + 76, (column * 2 + row) % 5, (TEAL, BRICK, MARIGOLD)[(column + row) % 3])
    stand(pen, 250, 940, 640, cast.CARMEN, right=(0.3, 0.06), turn=0.6)
    stand(pen, 1350, 940, 620, cast.BEN, left=(-0.32, 0.0), turn=-0.6)
    pen.shape([(728, 560), (868, 546), (884, 690), (744, 704)], ROSE, 4)
    _patch(pen, 806, 625, 2, TEAL)
    stand(pen, 655, 950, 380, cast.NIA, right=(0.3, -0.1), left=(-0.16, 0.3), back=True)
    stand(pen, 1080, 950, 400, cast.EMI, left=(-0.3, -0.24), right=(0.16, 0.3), back=True)


def _patch(pen: Pen, x: float, y: float, kind: int, colour: str) -> None:
    if kind == 0:
        pen.shape([(x, y - 56), (x + 56, y), (x, y + 56), (x - 56, y)], colour)
        pen.circle(x, y, 18, PAPER)
    elif kind == 1:
        for angle in range(0, 360, 90):
            pen.slice(x, y, 60, angle, angle + 45, colour)
    elif kind == 2:
        for angle in range(0, 360, 60):
            a = math.radians(angle)
            pen.circle(x + 32 * math.cos(a), y + 32 * math.sin(a), 22, colour)
        pen.circle(x, y, 18, PAPER)
    elif kind == 3:
        for stripe in range(4):
            pen.rect(x - 56, y - 54 + stripe * 30, 112, 16, colour)
    else:
        pen.slice(x - 56, y + 56, 112, 270, 360, colour)
        pen.slice(x - 56, y + 56, 62, 270, 360, PAPER)


def bus_and_routes(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, SKY)
    pen.circle(1360, 190, 90, MARIGOLD)
    pen.shape([(0, 620), (300, 430), (620, 560), (1000, 400), (1600, 600), (1600, 760), (0, 760)], SAGE)
    pen.rect(0, 740, WIDTH, 260, dark(SAND, 0.1))
    pen.rect(0, 800, WIDTH, 200, dark(SKY, 0.55))
    for x in range(40, WIDTH, 220):
        pen.rect(x, 916, 120, 12, PAPER)
    house(pen, 1240, 740, 170, 150, PAPER, BRICK)
    house(pen, 1450, 740, 130, 120, ROSE, TEAL)
    tree(pen, 1170, 740, 0.9)
    pen.rect(170, 400, 860, 400, MARIGOLD, 46)
    pen.rect(960, 560, 150, 240, MARIGOLD, 36)
    pen.rect(170, 640, 940, 18, INK)
    pen.rect(170, 690, 940, 10, INK)
    for place, look in enumerate((cast.OTTO, cast.HANA, cast.FELIX, cast.CLEO)):
        x = 220 + place * 158
        pen.rect(x, 450, 134, 140, light(SKY, 0.5), 10)
        bust(pen, x + 67, 640, 300, look, turn=0.3, left=(-0.1, 0.2), right=(0.24, -0.1) if place == 1 else (0.1, 0.2))
        pen.rect(x, 590, 134, 50, MARIGOLD)
    pen.rect(170, 640, 690, 18, INK)
    pen.rect(870, 450, 130, 350, PAPER, 8)
    bust(pen, 940, 690, 380, cast.GRACE, turn=0.4, left=(-0.08, 0.16), right=(0.12, 0.12))
    pen.rect(870, 650, 130, 150, dark(MARIGOLD, 0.12), 4)
    for x in (340, 900):
        pen.circle(x, 806, 74, INK)
        pen.circle(x, 806, 34, dark(SKY, 0.2))
    pen.circle(1096, 700, 18, WHITE)
    _route(pen, [(90, 320), (90, 200), (300, 200), (300, 110), (560, 110), (560, 240), (860, 240)], BRICK)


def _route(pen: Pen, stops: list[Point], colour: str) -> None:
    pen.line(stops, 10, colour)
    for x, y in stops[:-1:2]:
        pen.circle(x, y, 26, colour)
        pen.circle(x, y, 14, PAPER)
    x, y = stops[-1]
    pen.shape([(x - 36, y - 40), (x + 36, y - 40), (x, y + 6)], TEAL, 6)
    pen.circle(x, y - 50, 42, TEAL)
    pen.circle(x, y - 50, 17, PAPER)


def garden_beds(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, SKY)
    pen.circle(840, 180, 96, MARIGOLD)
    pen.shape([(0, 560), (420, 430), (900, 540), (1600, 420), (1600, 700), (0, 700)], SAGE)
    pen.rect(0, 660, WIDTH, 340, dark(SAGE, 0.14))
    pen.rect(1080, 250, 460, 410, BRICK)
    pen.shape([(1050, 250), (1310, 130), (1570, 250)], dark(BRICK, 0.25))
    for x in (1130, 1260, 1390):
        pen.arch(x, 330, 90, 150, light(SKY, 0.4))
    stand(pen, 555, 840, 600, cast.LIN, right=(0.24, 0.06), turn=0.6)
    stand(pen, 250, 820, 400, cast.ADA, left=(-0.16, 0.3), right=(0.26, 0.1), turn=0.5)
    stand(pen, 1050, 840, 420, cast.DEV, right=(0.3, -0.02), left=(-0.16, 0.3), turn=0.6)
    _watering_can(pen, 741, 460)
    for x, heights in ((110, (60, 95, 150)), (600, (130, 210, 260)), (1090, (250, 180, 320))):
        for place, tall in enumerate(heights):
            bloom = (MARIGOLD, ROSE, BRICK)[place] if tall > 170 else None
            sprout(pen, x + 80 + place * 125, 830, tall, TEAL, bloom)
        pen.rect(x, 816, 410, 34, dark(WOOD, 0.6), 6)
        pen.rect(x - 10, 840, 430, 110, WOOD, 6)
        pen.rect(x - 10, 892, 430, 8, dark(WOOD, 0.2))


def _watering_can(pen: Pen, x: float, y: float) -> None:
    pen.ring(x - 40, y + 4, 46, 12, BRICK)
    pen.line([(x + 40, y + 50), (x + 116, y - 14)], 16, BRICK)
    pen.shape([(x + 96, y - 30), (x + 140, y - 10), (x + 116, y + 12)], BRICK, 4)
    pen.rect(x - 50, y - 10, 100, 90, BRICK, 10)
    for drop, fall in ((134, 30), (152, 64), (138, 98), (160, 126)):
        pen.ellipse(x + drop, y + fall, 6, 10, light(TEAL, 0.2))


def kitchen_table(pen: Pen) -> None:
    room(pen, ROSE, SAND, 760)
    window(pen, 180, 110, 300, 330, arched=False)
    pen.rect(180, 110, 300, 330, TEAL)
    pen.circle(390, 210, 46, PAPER)
    pen.circle(372, 200, 42, TEAL)
    for x, y in ((230, 170), (280, 300), (440, 330), (250, 390)):
        pen.circle(x, y, 5, PAPER)
    pen.rect(325, 110, 10, 330, WHITE)
    pen.rect(180, 270, 300, 10, WHITE)
    pen.rect(1120, 120, 380, 150, TEAL, 8)
    pen.rect(1306, 120, 8, 150, light(TEAL, 0.3))
    pen.rect(1100, 400, 420, 18, WOOD, 4)
    for place, colour in enumerate((MARIGOLD, BRICK, WHITE, dark(SKY, 0.3))):
        pen.rect(1140 + place * 92, 330, 64, 70, colour, 10)
    lamp(pen, 800, 260, 260, MARIGOLD)
    bust(pen, 420, 760, 560, cast.CARMEN, turn=0.6, right=(0.26, 0.18), left=(-0.12, 0.26), floor=940)
    bust(pen, 650, 770, 420, cast.MATEO, turn=0.4, right=(0.22, 0.1), left=(-0.14, 0.2), floor=940)
    bust(pen, 920, 750, 580, cast.ANA, turn=-0.3, left=(-0.2, 0.16), right=(0.12, 0.24), floor=940)
    bust(pen, 1190, 750, 600, cast.DANIEL, turn=-0.6, left=(-0.24, 0.18), right=(0.12, 0.24), floor=940)
    table(pen, 260, 730, 1080, 960)
    for x, mark in ((720, MARIGOLD), (860, TEAL)):
        pen.shape([(x, 668), (x + 104, 662), (x + 122, 738), (x - 12, 740)], WHITE)
        pen.line([(x + 16, 684), (x + 84, 680)], 6, SAND)
        pen.line([(x + 12, 704), (x + 70, 702)], 6, SAND)
        pen.circle(x + 90, 718, 11, mark)
    mug(pen, 530, 734, 0.7, BRICK)
    mug(pen, 1080, 734, 0.7, TEAL)


def map_of_the_neighborhood(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, SAND)
    pen.rect(70, 60, 1460, 740, PAPER, 12)
    pen.curve((70, 620), (620, 420), (1000, 800), 70, SKY)
    pen.rect(960, 760, 90, 40, SKY)
    for a, b in (
        ((70, 250), (1530, 190)),
        ((420, 60), (560, 800)),
        ((1120, 60), (1060, 800)),
        ((500, 520), (1530, 480)),
    ):
        pen.line([a, b], 22, SAND)
    pen.rect(660, 270, 330, 180, SAGE, 14)
    for x, y in ((720, 420), (820, 400), (920, 425)):
        tree(pen, x, y, 0.5)
    for x, y, wall, roof in (
        (160, 220, ROSE, BRICK),
        (280, 470, SKY, TEAL),
        (1230, 420, ROSE, MARIGOLD),
        (1380, 420, SAGE, TEAL),
        (700, 190, SKY, BRICK),
        (1210, 160, SAND, TEAL),
        (640, 700, SAGE, BRICK),
    ):
        house(pen, x, y, 84, 70, wall, roof)
    pen.rect(1180, 560, 250, 130, BRICK, 4)
    pen.shape([(1165, 560), (1305, 490), (1445, 560)], dark(BRICK, 0.25))
    pen.arch(1280, 610, 50, 80, PAPER)
    _route(pen, [(200, 265), (460, 245), (515, 520), (700, 510), (1080, 495), (1150, 640), (1230, 650)], TEAL)
    for x, y, colour in ((930, 180, MARIGOLD), (320, 350, BRICK), (820, 640, MARIGOLD)):
        pen.shape([(x - 26, y - 34), (x + 26, y - 34), (x, y + 8)], colour, 4)
        pen.circle(x, y - 42, 32, colour)
        pen.circle(x, y - 42, 12, PAPER)
    bust(pen, 420, 1040, 560, cast.SINGH, back=True, left=(-0.16, -0.02), right=(0.3, -0.28))
    bust(pen, 960, 1050, 540, cast.GRACE, back=True, left=(-0.14, -0.32), right=(0.16, 0.24))
    bust(pen, 1310, 1060, 460, cast.CLEO, back=True, left=(-0.16, 0.3), right=(0.24, -0.26))


def mural_on_the_wall(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, SKY)
    pen.rect(90, 60, 1420, 780, PAPER)
    pen.rect(0, 840, WIDTH, 160, dark(SAND, 0.12))
    pen.slice(800, 840, 620, 180, 360, MARIGOLD)
    pen.slice(800, 840, 500, 180, 360, BRICK)
    pen.slice(800, 840, 380, 180, 360, ROSE)
    pen.slice(800, 840, 260, 180, 360, TEAL)
    for step in range(12):
        a = math.radians(187 + step * 15)
        pen.circle(800 + 560 * math.cos(a), 840 + 560 * math.sin(a), 24, PAPER if step % 2 else TEAL)
    for step in range(9):
        a = math.radians(190 + step * 20)
        x, y = 800 + 440 * math.cos(a), 840 + 440 * math.sin(a)
        pen.shape([(x, y - 30), (x + 26, y), (x, y + 30), (x - 26, y)], MARIGOLD if step % 2 else SAGE)
    pen.rect(1130, 60, 380, 780, PAPER)
    pen.line([(1150, 300), (1290, 560), (1370, 830)], 5, dark(SAND, 0.25))
    pen.arc(800, 840, 620, 302, 359, 5, dark(SAND, 0.3))
    pen.arc(800, 840, 500, 312, 359, 5, dark(SAND, 0.3))
    for x in (1256, 1456):
        pen.line([(x, 930), (1356 + (x - 1356) * 0.5, 500)], 16, WOOD)
    for y in (560, 660, 760, 860):
        reach = 52 + (y - 500) * 0.11
        pen.rect(1356 - reach, y, reach * 2, 16, dark(WOOD, 0.2))
    stand(pen, 1356, 662, 480, cast.FATIMA, left=(-0.36, -0.1), right=(0.14, 0.26), turn=-0.7)
    _brush(pen, 1180, 252, BRICK)
    stand(pen, 300, 940, 400, cast.BRUNO, right=(0.28, -0.24), turn=0.6)
    _brush(pen, 418, 550, TEAL)
    stand(pen, 800, 950, 420, cast.NIA, left=(-0.24, -0.28), right=(0.16, 0.3), back=True)
    _brush(pen, 694, 500, MARIGOLD)
    for x, colour in ((480, TEAL), (580, BRICK), (1080, MARIGOLD)):
        pen.rect(x - 36, 876, 72, 70, WHITE, 6)
        pen.rect(x - 36, 876, 72, 26, colour, 6)


def _brush(pen: Pen, x: float, y: float, colour: str) -> None:
    pen.line([(x, y + 34), (x - 6, y - 30)], 12, WOOD)
    pen.line([(x - 7, y - 36), (x - 10, y - 62)], 20, colour)


def call_with_four_schools(pen: Pen) -> None:
    room(pen, SAGE, WOOD, 800)
    pen.rect(0, 790, WIDTH, 10, light(WOOD, 0.3))
    plant(pen, 1430, 830, 1.6, BRICK)
    laptop(pen, 760, 880, 1060, PAPER)
    callers = ((cast.ANA, ROSE), (cast.BEN, SKY), (cast.CARMEN, SAGE), (cast.SINGH, SAND))
    for place, (look, ground) in enumerate(callers):
        x, y = 276 + (place % 2) * 490, 236 + (place // 2) * 302
        pen.rect(x, y, 478, 290, ground, 6)
        bust(
            pen,
            x + 239,
            y + 316,
            520,
            look,
            turn=0.3 if place % 2 == 0 else -0.3,
            left=(-0.12, 0.2),
            right=(0.25, -0.06) if place == 2 else (0.12, 0.2),
        )
        pen.rect(x, y + 290, 478, 40, PAPER)
    pen.rect(250, 826, 1020, 34, INK)
    pen.shape([(230, 858), (1290, 858), (1375, 880), (145, 880)], dark(SKY, 0.3), 4)
    mug(pen, 1330, 960, 1.0)
    pen.rect(180, 905, 250, 22, WHITE, 4)
    pen.rect(170, 925, 270, 26, MARIGOLD, 6)


def hall_full_of_people(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, dark(TEAL, 0.25))
    pen.shape([(420, 0), (720, 0), (1160, 640), (240, 640)], TEAL)
    pen.rect(240, 110, 720, 400, PAPER, 8)
    for place, colour in enumerate((MARIGOLD, BRICK, TEAL)):
        pen.circle(400 + place * 200, 260, 70, colour)
        pen.rect(340 + place * 200, 366, 120, 16, SAND, 6)
        pen.rect(360 + place * 200, 400, 80, 16, SAND, 6)
    pen.line([(470, 260), (530, 260)], 8, INK)
    pen.line([(670, 260), (730, 260)], 8, INK)
    pen.rect(0, 640, WIDTH, 46, WOOD)
    pen.rect(0, 686, WIDTH, 60, dark(WOOD, 0.3))
    stand(pen, 1150, 648, 480, cast.GRACE, left=(-0.3, -0.12), right=(0.26, 0.06), turn=-0.3)
    wheelchair(pen, 1400, 510, 650, -1, WHITE)
    sit(pen, 1400, 510, 430, cast.DANIEL, turn=-1, floor=630, left=(-0.2, 0.06), right=(-0.1, 0.2))
    wheel(pen, 1400, 650, -1, 84, PAPER)
    crowd = (cast.BEN, cast.CARMEN, cast.FATIMA, cast.LIN, cast.IRENE, cast.ANA, cast.SINGH, cast.GRACE, cast.HANK)
    for row, (y, tall) in enumerate(((900, 460), (1040, 560))):
        for place in range(7):
            look = crowd[(place * 2 + row * 5) % len(crowd)]
            bust(pen, 60 + place * 250 + row * 110, y, tall, look, back=True, left=(-0.13, 0.3), right=(0.13, 0.3))


def picnic_of_partners(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, SKY)
    bunting(pen, 40, 90)
    pen.shape([(0, 560), (500, 470), (1100, 560), (1600, 480), (1600, 640), (0, 640)], SAGE)
    pen.rect(0, 620, WIDTH, 380, dark(SAGE, 0.14))
    tree(pen, 170, 650, 1.8, dark(SAGE, 0.35))
    tree(pen, 1450, 650, 1.5, dark(SAGE, 0.35))
    for x, look, tall, turn in (
        (470, cast.FATIMA, 560, 0.5),
        (680, cast.OTTO, 400, -0.4),
        (860, cast.BEN, 600, 0.4),
        (1060, cast.ADA, 400, 0.3),
        (1220, cast.CARMEN, 560, -0.5),
    ):
        bust(
            pen,
            x,
            720,
            tall,
            look,
            turn=turn,
            left=(-0.15, 0.24),
            right=(0.2, 0.08) if look is cast.BEN else (0.15, 0.24),
            floor=915,
        )
    table(pen, 330, 690, 1040, 930, MARIGOLD)
    pen.rect(330, 690, 1040, 34, WHITE, 6)
    for x in range(350, 1360, 80):
        pen.rect(x, 690, 40, 34, ROSE)
    for x, colour in ((560, BRICK), (770, TEAL), (980, BRICK)):
        pen.cap(x, 660, 54, 0, 180, colour)
    sheet(pen, 1110, 650, 90, 40, 1)
