"""Reads an article written in Markdown: front matter, the words, and what site generators add to them."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import yaml
from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from content.importing import body, shortcodes
from content.importing.html import cover, date_of
from content.importing.resource import ImportedResource, Problem
from content.importing.tidy import whole
from content.text_cleaning import legible

FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$\n?", re.S | re.M)
READER = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
READER.use(footnote_plugin).use(deflist_plugin)


def read(text: str, where: str) -> ImportedResource:
    """Read Markdown.

    Args:
        text: the file.
        where: its name in the receipt.
    """
    front, text, problems = _front_matter(text.replace("\r\n", "\n"), where)
    text, unknown = shortcodes.expand(text, where)
    soup = BeautifulSoup(f"<main>{READER.render(text)}</main>", "lxml")
    main = soup.main or soup
    title = _text(front, "title") or _take_title(main)
    pieces, taken = body.read(main, where, base=_address(front))
    resource = ImportedResource(
        title=title,
        pieces=pieces,
        slug=_text(front, "slug"),
        summary=_plain(
            _text(front, "summary") or _text(front, "description") or _text(front, "excerpt") or _text(front, "deck")
        ),
        language=_text(front, "lang") or _text(front, "language") or _text(front, "locale"),
        published_on=date_of(front.get("date")) or date_of(where.rsplit("/", 1)[-1]),
        authors=_listed(front, "authors") or _listed(front, "author"),
        topics=[*_listed(front, "topics"), *_listed(front, "tags"), *_listed(front, "categories")],
        problems=[*problems, *unknown, *taken],
    )
    if source := _text(front, "image") or _text(front, "primary_image") or _text(front, "cover"):
        resource.cover = cover(source, _text(front, "image_alt"), escape(_text(front, "image_figcaption"), quote=False))
    return resource


def _front_matter(text: str, where: str) -> tuple[dict[str, Any], str, list[Problem]]:
    found = FRONT_MATTER.match(text)
    if not found:
        return {}, text, []
    rest = text[found.end() :]
    try:
        front = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        said = "the front matter is no valid YAML: only its plain lines were read"
        return _plain_lines(found[1]), rest, [Problem(where, said)]
    return (front if isinstance(front, dict) else {}), rest, []


def _plain_lines(text: str) -> dict[str, Any]:
    """`name: value` lines and `- item` lists, where YAML fails on the rest."""
    front: dict[str, Any] = {}
    last = ""
    for line in text.splitlines():
        if found := re.match(r"([\w-]+):[ \t]*(.*)", line):
            last, value = found[1], found[2].strip().strip("\"'")
            front[last] = value
        elif (found := re.match(r"\s*- (.+)", line)) and last and not isinstance(front[last], str):
            front[last].append(found[1].strip())
        elif found and last and not front[last]:
            front[last] = [found[1].strip()]
    return front


def _take_title(main: Tag) -> str:
    heading = main.find("h1")
    if not isinstance(heading, Tag):
        return ""
    title = _plain(heading.get_text())
    heading.decompose()
    return title


def _address(front: dict[str, Any]) -> str:
    for name in ("canonical_url", "canonical", "url", "permalink"):
        if re.match(r"https?://", _text(front, name)) and (address := whole(_text(front, name))):
            return address
    return ""


def _text(front: dict[str, Any], name: str) -> str:
    value = front.get(name)
    return legible(str(value)).strip() if isinstance(value, (str, int, float)) else ""


def _listed(front: dict[str, Any], name: str) -> list[str]:
    value = front.get(name)
    values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    named = (entry.get("name", "") if isinstance(entry, dict) else entry for entry in values)
    return [text for entry in named if entry and (text := legible(str(entry)).strip())]


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", BeautifulSoup(text, "lxml").get_text()).strip()
