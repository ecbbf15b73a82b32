"""Scenes around the classroom: doors, meetings, the library, the calendar by the office."""

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
    WIDTH,
    Pen,
    dark,
    light,
)
from content.demo.drawing.people import bust, sit, stand
from content.demo.drawing.things import (
    WOOD,
    chair,
    clock,
    lamp,
    mug,
    note,
    open_book,
    plant,
    room,
    sheet,
    shelf,
    stack,
    table,
    tree,
    wheel,
    wheelchair,
    window,
)


def library_morning(pen: Pen) -> None:
    room(pen, PAPER, SAND, 800)
    pen.arch(560, 60, 480, 700, SKY)
    pen.circle(880, 330, 92, MARIGOLD)
    pen.shape([(560, 760), (560, 600), (760, 520), (1040, 640), (1040, 760)], SAGE)
    pen.shape([(560, 760), (560, 700), (860, 640), (1040, 590), (1040, 760)], dark(SAGE, 0.18))
    pen.rect(794, 60, 12, 700, PAPER)
    pen.rect(560, 400, 480, 12, PAPER)
    pen.rect(530, 758, 540, 30, WHITE, 6)
    shelf(pen, 70, 150, 400, 650, 4, 21)
    shelf(pen, 1130, 150, 400, 650, 4, 22)
    plant(pen, 1420, 136, 0.6, MARIGOLD)
    chair(pen, 640, 740, 940, 1, TEAL)
    sit(pen, 640, 740, 520, cast.GRACE, turn=1, floor=940, right=(0.3, 0.1), left=(0.22, 0.14))
    table(pen, 720, 720, 420, 940)
    open_book(pen, 870, 690, 190)
    mug(pen, 1060, 720, 0.7, MARIGOLD)
    stand(pen, 1310, 940, 380, cast.MATEO, left=(-0.22, -0.1), right=(0.14, 0.3), turn=-0.5)
    pen.rect(1196, 606, 54, 76, BRICK, 5)


def data_wall(pen: Pen) -> None:
    room(pen, SAND, dark(SAND, 0.14), 830)
    pen.rect(330, 90, 940, 620, WHITE, 12)
    columns = ((2, BRICK), (4, MARIGOLD), (5, light(MARIGOLD, 0.45)), (3, SAGE), (2, TEAL))
    for place, (count, colour) in enumerate(columns):
        for row in range(count):
            note(pen, 400 + place * 166, 560 - row * 104, 92, colour)
    pen.line([(380, 672), (1220, 672)], 8, INK)
    stand(pen, 230, 920, 640, cast.ANA, right=(0.4, -0.1), left=(-0.14, 0.22), turn=0.6)
    stand(pen, 1370, 920, 680, cast.BEN, left=(-0.09, 0.2), right=(0.03, 0.2), turn=-0.6)
    pen.rect(1296, 486, 130, 92, TEAL, 6)
    pen.rect(1308, 498, 106, 68, WHITE, 3)
    for row in range(3):
        pen.line([(1322, 512 + row * 19), (1392 - row * 16, 512 + row * 19)], 5, SAND)


def planning_table(pen: Pen) -> None:
    room(pen, SKY, SAND, 700)
    clock(pen, 280, 200, 86, 2.83)
    pen.rect(520, 80, 560, 300, WHITE, 8)
    for place, colour in enumerate((TEAL, MARIGOLD, BRICK, SAGE)):
        pen.rect(560 + place * 124, 124, 104, 90, colour, 4)
        pen.rect(560 + place * 124, 234, 104, 14, SAND, 4)
        pen.rect(560 + place * 124, 264, 70, 14, SAND, 4)
    plant(pen, 1390, 700, 1.5, MARIGOLD)
    bust(pen, 460, 760, 620, cast.FATIMA, turn=0.5, right=(0.22, 0.2), left=(-0.14, 0.22))
    bust(pen, 800, 760, 640, cast.HANK, turn=0.1, left=(-0.16, 0.22), right=(0.03, 0.05))
    bust(pen, 1140, 760, 620, cast.IRENE, turn=-0.5, left=(-0.17, 0.21), right=(0.14, 0.22))
    pen.shape([(190, 720), (1410, 720), (1560, 1000), (40, 1000)], WOOD)
    for x, y, mark in ((400, 790, TEAL), (590, 770, MARIGOLD), (800, 800, None), (1010, 770, BRICK)):
        sheet(pen, x, y, 150, 190, 5, mark)
    mug(pen, 1270, 860, 0.9)
    mug(pen, 290, 900, 0.9, TEAL)


def good_morning_at_the_door(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, ROSE)
    pen.rect(0, 840, WIDTH, 160, dark(SAND, 0.06))
    pen.rect(700, 70, 860, 770, BRICK)
    for row in range(10):
        for column in range(7):
            if (row + column) % 3 == 0:
                pen.rect(715 + column * 122 + (row % 2) * 40, 84 + row * 76, 84, 24, dark(BRICK, 0.14), 3)
    pen.arch(880, 190, 460, 650, WHITE)
    pen.arch(910, 220, 400, 620, TEAL)
    pen.rect(936, 440, 164, 400, light(SKY, 0.3), 4)
    pen.rect(1120, 440, 164, 400, light(SKY, 0.3), 4)
    pen.slice(1110, 410, 150, 180, 360, MARIGOLD)
    pen.rect(840, 820, 540, 40, WHITE, 4)
    tree(pen, 130, 840, 1.9)
    pen.circle(470, 180, 84, MARIGOLD)
    stand(pen, 1020, 920, 680, cast.CARMEN, left=(-0.3, -0.02), right=(0.16, 0.26), turn=-0.7)
    _backpack(pen, 700, 920, 430, MARIGOLD)
    stand(pen, 700, 920, 430, cast.ADA, right=(0.27, -0.27), turn=0.6)
    _backpack(pen, 480, 920, 400, TEAL)
    stand(pen, 480, 920, 400, cast.DEV, right=(0.26, -0.3), turn=0.6)
    _backpack(pen, 290, 920, 450, BRICK)
    stand(pen, 290, 920, 450, cast.HANA, turn=0.6)


def _backpack(pen: Pen, x: float, ground: float, height: float, colour: str) -> None:
    pen.rect(x - height * 0.24, ground - height * 0.76, height * 0.26, height * 0.34, colour, height * 0.08)


def a_door_in_two_languages(pen: Pen) -> None:
    room(pen, SAGE, SAND, 840)
    pen.rect(570, 110, 460, 730, WHITE, 6)
    pen.rect(596, 136, 408, 704, TEAL)
    pen.rect(650, 480, 300, 300, light(TEAL, 0.15), 6)
    pen.circle(966, 560, 20, MARIGOLD)
    pen.rect(644, 190, 312, 226, PAPER, 10)
    pen.text(800, 258, "Welcome", 62, INK)
    pen.rect(690, 300, 220, 6, MARIGOLD, 3)
    pen.text(800, 348, "Bienvenidos", 52, BRICK)
    window(pen, 130, 150, 270, 360)
    plant(pen, 1480, 840, 1.5, BRICK)
    stand(pen, 1180, 920, 620, cast.LIN, left=(-0.27, -0.06), right=(0.14, 0.24), turn=-0.6)
    stand(pen, 420, 920, 620, cast.SINGH, right=(0.2, 0.1), turn=0.6)
    stand(pen, 260, 920, 590, cast.FATIMA, right=(0.04, 0.18), left=(-0.13, 0.2), turn=0.6)
    stand(pen, 560, 930, 360, cast.EMI, right=(0.26, -0.18), left=(-0.17, 0.05), turn=0.5)


def coach_beside_the_teacher(pen: Pen) -> None:
    room(pen, SKY, SAND, 800)
    pen.rect(120, 90, 640, 380, WHITE, 8)
    pen.line([(200, 410), (200, 150)], 8, INK)
    pen.line([(200, 410), (690, 410)], 8, INK)
    pen.line([(200, 380), (340, 320), (480, 290), (640, 190)], 12, BRICK)
    for x, y in ((340, 320), (480, 290), (640, 190)):
        pen.circle(x, y, 16, MARIGOLD)
    shelf(pen, 1180, 330, 340, 470, 3, 31)
    plant(pen, 1350, 314, 0.8, MARIGOLD)
    stand(pen, 850, 920, 640, cast.IRENE, left=(-0.34, -0.22), right=(0.14, 0.22), turn=-0.2)
    stand(pen, 1100, 920, 600, cast.DANIEL, left=(-0.15, 0.14), right=(0.02, 0.17), turn=-0.6)
    pen.shape([(1010, 560), (1110, 548), (1124, 630), (1024, 642)], MARIGOLD, 4)
    for x, look in ((160, cast.OTTO), (400, cast.ADA), (640, cast.HANA)):
        bust(pen, x, 1010, 500, look, back=True)


def lamp_and_books(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, TEAL)
    pen.circle(560, 400, 330, light(TEAL, 0.12))
    pen.circle(560, 400, 230, light(TEAL, 0.24))
    pen.rect(0, 800, WIDTH, 200, WOOD)
    pen.rect(0, 800, WIDTH, 14, light(WOOD, 0.3))
    pen.rect(330, 770, 200, 30, INK, 14)
    pen.line([(430, 780), (330, 540), (520, 320)], 16, INK)
    pen.circle(330, 540, 20, MARIGOLD)
    pen.shape([(470, 330), (560, 270), (720, 400), (600, 480)], MARIGOLD, 12)
    pen.shape([(600, 480), (720, 400), (716, 434), (628, 494)], PAPER, 4)
    stack(pen, 1220, 800, (430, 390, 420, 340, 370), (BRICK, PAPER, MARIGOLD, dark(SKY, 0.2), ROSE), 58)
    plant(pen, 1220, 510, 1.0, BRICK, SAGE)
    open_book(pen, 740, 780, 430, BRICK)
    pen.line([(900, 742), (990, 700)], 12, MARIGOLD)
    pen.circle(900, 742, 6, INK)


def calendar_by_the_office(pen: Pen) -> None:
    room(pen, ROSE, SAND, 840)
    pen.rect(480, 70, 860, 690, WHITE, 12)
    pen.rect(480, 70, 860, 120, BRICK, 12)
    pen.rect(480, 150, 860, 40, BRICK)
    for hole in range(5):
        pen.circle(580 + hole * 165, 92, 18, PAPER)
    for day in range(20):
        x, y = 524 + (day % 5) * 158, 224 + (day // 5) * 130
        pen.rect(x, y, 140, 112, SAND if day > 13 else light(SAGE, 0.25), 8)
        if day < 14 and day not in (5, 11):
            pen.line([(x + 40, y + 58), (x + 62, y + 80), (x + 102, y + 34)], 13, TEAL)
        elif day in (5, 11):
            pen.ring(x + 70, y + 56, 28, 9, MARIGOLD)
    stand(pen, 370, 920, 660, cast.GRACE, right=(0.32, -0.1), turn=0.6)
    stand(pen, 200, 920, 400, cast.BRUNO, right=(0.16, 0.3), turn=0.5)
    stand(pen, 1420, 920, 640, cast.SINGH, left=(-0.12, 0.2), right=(0.04, 0.14), turn=-0.6)
    pen.rect(1352, 500, 110, 130, TEAL, 6)
    pen.rect(1366, 516, 82, 98, WHITE, 3)


def reading_together(pen: Pen) -> None:
    room(pen, SAGE, SAND, 780)
    shelf(pen, 1090, 180, 430, 600, 4, 12)
    window(pen, 120, 120, 320, 400)
    lamp(pen, 750, 210, 210, MARIGOLD)
    pen.ellipse(750, 900, 620, 90, light(BRICK, 0.5))
    pen.rect(470, 600, 560, 250, TEAL, 60)
    pen.rect(420, 640, 110, 250, dark(TEAL, 0.2), 40)
    pen.rect(970, 640, 110, 250, dark(TEAL, 0.2), 40)
    bust(pen, 660, 790, 560, cast.HANK, turn=0.6, right=(0.16, 0.18), left=(-0.06, 0.2))
    bust(pen, 860, 790, 430, cast.CLEO, turn=-0.6, left=(-0.2, 0.12), right=(0.1, 0.24))
    pen.rect(500, 780, 500, 90, TEAL, 30)
    open_book(pen, 760, 756, 210, MARIGOLD)
    stack(pen, 330, 900, (210, 180, 200), (BRICK, MARIGOLD, dark(SKY, 0.3)), 36)


def a_week_with_time_to_plan(pen: Pen) -> None:
    room(pen, SAGE, SAND, 850)
    pen.rect(380, 70, 840, 700, WHITE, 12)
    for day in range(5):
        x = 416 + day * 156
        pen.circle(x + 72, 126, 24, INK if day % 2 else TEAL)
        for hour in range(6):
            kept = (day, hour) in ((1, 2), (3, 4))
            pen.rect(x, 176 + hour * 96, 144, 84, MARIGOLD if kept else (SAND, SKY, ROSE)[(day + hour) % 3], 8)
            if kept:
                for head in (-1, 0, 1):
                    pen.circle(x + 72 + head * 40, 208 + hour * 96, 13, PAPER)
                    pen.slice(x + 72 + head * 40, 248 + hour * 96, 19, 180, 360, PAPER)
    stand(pen, 250, 930, 640, cast.BEN, right=(0.44, -0.14), turn=0.6)
    stand(pen, 1330, 930, 620, cast.ANA, left=(-0.36, 0.02), turn=-0.6)
    stand(pen, 1490, 930, 600, cast.SINGH, left=(-0.06, 0.17), right=(0.06, 0.19), turn=-0.6)
    mug(pen, 1490, 620, 0.6, BRICK)


def steps_and_a_ramp(pen: Pen) -> None:
    pen.rect(0, 0, WIDTH, HEIGHT, SKY)
    pen.circle(190, 170, 90, MARIGOLD)
    pen.rect(0, 900, WIDTH, 100, dark(SAND, 0.1))
    tree(pen, 120, 900, 1.7)
    pen.rect(560, 120, 920, 780, PAPER)
    pen.shape([(520, 130), (1020, 20), (1520, 130)], BRICK)
    for x in (620, 740, 1200, 1330):
        pen.arch(x, 230, 84, 190, light(SKY, 0.3))
    pen.arch(900, 210, 240, 470, TEAL)
    pen.arch(930, 250, 180, 430, light(MARIGOLD, 0.6))
    for step in range(4):
        pen.rect(1000, 680 + step * 55, 240 + step * 90, 56, (SAND, dark(SAND, 0.1))[step % 2])
    pen.shape([(1000, 680), (880, 680), (240, 900), (1000, 900)], dark(SAND, 0.22))
    pen.line([(280, 800), (880, 590), (1000, 590)], 12, BRICK)
    for x, top in ((280, 800), (480, 730), (680, 660), (880, 590), (1000, 590)):
        pen.line([(x, top), (x, top + 90)], 8, BRICK)
    stand(pen, 1090, 690, 430, cast.LIN, left=(-0.16, 0.3), right=(0.26, -0.26), turn=0.3)
    stand(pen, 1270, 800, 330, cast.OTTO, left=(-0.24, -0.22), right=(0.16, 0.3), turn=-0.5)
    stand(pen, 1400, 905, 360, cast.ADA, turn=-0.6)
    wheelchair(pen, 630, 685, 775, 1)
    sit(pen, 630, 685, 340, cast.EMI, turn=1, floor=762, right=(0.3, 0.1), left=(-0.06, 0.26))
    wheel(pen, 630, 788, 1, 74)
    stand(pen, 400, 872, 340, cast.FELIX, right=(0.2, -0.24), turn=0.6)
