"""The demo's words as they were written: Markdown files whose fenced parts are the blocks of a page body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

FOLDER = Path(__file__).parent
MARKDOWN = MarkdownIt("commonmark")
LANGUAGES = ("en", "es")  # what it is written in, then what some of it is translated into

Block = dict[str, Any]


@dataclass(frozen=True)
class Manuscript:
    """One page as it was written. `about` is its front matter; pictures and pages are still called by their slugs."""

    slug: str
    language: str
    about: dict[str, Any]
    body: list[Block]


def data(name: str) -> dict[str, Any]:
    """What a YAML file of the demo says."""
    return dict(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")))


def shelf(folder: str, language: str) -> list[Manuscript]:
    """Every manuscript of a folder in one language, by file name; none where nothing was written in it."""
    place = FOLDER / folder if language == "en" else FOLDER / language / folder
    return [read(file, language) for file in sorted(place.glob("*.md"))]


def read(file: Path, language: str) -> Manuscript:
    """Read one file: front matter between two lines of dashes, then the words."""
    _, front, words = file.read_text(encoding="utf-8").split("---\n", 2)
    return Manuscript(file.stem, language, yaml.safe_load(front), list(blocks(words)))


def blocks(words: str) -> Iterable[Block]:
    """Cut Markdown into blocks: `## ` is a heading, a fence names a block and holds its fields, the rest is text."""
    waiting: list[Token] = []
    for unit in _units(MARKDOWN.parse(words)):
        first = unit[0]
        own = _own_block(first, unit)
        if own is None:
            waiting += unit
            continue
        if waiting:
            yield _text(waiting)
            waiting = []
        yield own
    if waiting:
        yield _text(waiting)


def rich(words: str) -> str:
    """Markdown as the HTML of a rich text field."""
    return str(MARKDOWN.render(words)).strip()


def _units(tokens: list[Token]) -> Iterable[list[Token]]:
    """The top-level parts of a document, each with all tokens inside it."""
    unit: list[Token] = []
    for token in tokens:
        unit.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield unit
            unit = []


def _own_block(first: Token, unit: list[Token]) -> Block | None:
    if first.type == "heading_open" and first.tag == "h2":
        return {"type": "heading", "value": unit[1].content}
    if first.type == "fence":
        return {"type": first.info.strip(), "value": yaml.safe_load(first.content) or {}}
    return None


def _text(tokens: list[Token]) -> Block:
    return {"type": "text", "value": MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}).strip()}
