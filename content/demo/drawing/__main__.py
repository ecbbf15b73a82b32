"""Draws every scene into content/demo/images, one PNG named after its function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from . import classroom, school, town
from .pen import Pen

IMAGES = Path(__file__).parent.parent / "images"


def scenes(module: ModuleType) -> list[Callable[[Pen], None]]:
    """The public functions a module defines itself, in the order it defines them."""
    mine = (thing for name, thing in vars(module).items() if not name.startswith("_") and callable(thing))
    return [thing for thing in mine if thing.__module__ == module.__name__]


def draw_all(folder: Path = IMAGES) -> list[Path]:
    """Draw every scene into `folder` and return the files written."""
    folder.mkdir(exist_ok=True)
    drawn = []
    for scene in [scene for module in (classroom, school, town) for scene in scenes(module)]:
        pen = Pen()
        scene(pen)
        drawn.append(folder / f"{scene.__name__.replace('_', '-')}.png")
        pen.save(drawn[-1])
    return drawn


if __name__ == "__main__":
    draw_all()
