"""Draws every scene into content/demo/images, one PNG named after its function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from content.demo.drawing import classroom, school, town
from content.demo.drawing.pen import Pen

IMAGES = Path(__file__).parent.parent / "images"

Scene = Callable[[Pen], None]


def scenes() -> Iterator[Scene]:
    """Every public function that a module of scenes defines itself."""
    for module in (classroom, school, town):
        for name, thing in vars(module).items():
            if not name.startswith("_") and callable(thing) and thing.__module__ == module.__name__:
                yield thing


def file_name(scene: Scene) -> str:
    return f"{scene.__name__.replace('_', '-')}.png"


def draw(scene: Scene, folder: Path) -> Path:
    """Draw one scene and return the file."""
    pen, file = Pen(), folder / file_name(scene)
    scene(pen)
    pen.save(file)
    return file


if __name__ == "__main__":
    for each in scenes():
        draw(each, IMAGES)
