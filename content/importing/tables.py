"""Reads tables: spans are spread out, header cells told from others, cells kept as rich text."""

from __future__ import annotations

import re
from html import unescape

from bs4 import Tag

from content.importing.resource import Table
from content.importing.tidy import CELL, clean

WIDEST = 50


def read_table(tag: Tag) -> tuple[Table, list[str]]:
    """Read a table, and say what could not be kept as it was."""
    said: list[str] = []
    caption = tag.find("caption")
    name = re.sub(r"\s+", " ", caption.get_text()).strip() if isinstance(caption, Tag) else str(tag.get("summary", ""))
    if tag.find("table"):
        said.append("a table inside a table became text")
        for inner in tag.find_all("table"):
            inner.replace_with(inner.get_text(" "))
    rows = [row for row in tag.find_all("tr") if row.find(["td", "th"])]
    if tag.find(["td", "th"], attrs={"colspan": _spans}) or tag.find(["td", "th"], attrs={"rowspan": _spans}):
        said.append("cells of a table that spanned several were spread out")
    head = _head(rows)
    grid = _grid(rows)
    width = max((len(cells) for cells in grid), default=0)
    grid = [cells + [""] * (width - len(cells)) for cells in grid]
    headings = [_joined([_plain(cells[column]) for cells in grid[:head]]) for column in range(width)]
    body = rows[head:]
    first = [cell for row in body if isinstance(cell := row.find(["td", "th"]), Tag)]
    names_rows = bool(first) and all(cell.name == "th" for cell in first)
    return Table(name[:255], headings, [cells for cells in grid[head:] if any(cells)], names_rows), said


def _spans(value: str | None) -> bool:
    return bool(value) and value != "1"


def _head(rows: list[Tag]) -> int:
    """How many rows at the top name the columns."""
    count = 0
    for row in rows:
        cells = row.find_all(["td", "th"], recursive=False)
        if row.find_parent("thead") is None and any(cell.name == "td" for cell in cells):
            break
        count += 1
    return count if count < len(rows) else 0


def _grid(rows: list[Tag]) -> list[list[str]]:
    """The cells with every span spread out: the text stands in the first cell, the others are empty."""
    grid: list[list[str]] = []
    below: dict[int, int] = {}
    for row in rows:
        line: list[str] = []
        for cell in row.find_all(["td", "th"], recursive=False):
            while below.get(len(line), 0) > 0:
                below[len(line)] -= 1
                line.append("")
            down, across = _span(cell, "rowspan"), _span(cell, "colspan")
            text = _cell(cell)
            for number in range(across):
                if down > 1:
                    below[len(line)] = down - 1
                line.append(text if number == 0 else "")
        while below.get(len(line), 0) > 0:
            below[len(line)] -= 1
            line.append("")
        grid.append(line[:WIDEST])
    return grid


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name, "1"))
    return min(max(int(value[:9]), 1), WIDEST) if value.isdecimal() else 1


def _cell(cell: Tag) -> str:
    for heading in cell.find_all(re.compile("^h[1-6]$")):
        heading.name = "p"
    for code in cell.find_all("pre"):
        _as_lines(code)
    html = clean(cell.decode_contents(), CELL)
    return html if html.startswith(("<p>", "<ul>", "<ol>")) or not html else f"<p>{html}</p>"


def _as_lines(code: Tag) -> None:
    """Code in a cell: a paragraph of lines."""
    lines = code.get_text().strip().splitlines()
    code.clear()
    code.name = "p"
    for number, line in enumerate(lines):
        if number:
            code.append(Tag(name="br", can_be_empty_element=True))
        shown = Tag(name="code")
        shown.string = line
        code.append(shown)


def _plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html))).strip()


def _joined(texts: list[str]) -> str:
    return " ".join(dict.fromkeys(text for text in texts if text))
