"""Reads an article out of a web page: the part that is the article, what is said about it, and its body."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag

from content.importing import body, credit_lines
from content.importing.resource import Figure, ImportedResource, Problem
from content.importing.tidy import whole
from content.text_cleaning import legible

MAIN = ("main", "[role=main]", "article", "#content", "#main", ".post-content", ".entry-content", "body")


def read(text: str, where: str) -> ImportedResource:
    """Read a web page.

    Args:
        text: the page.
        where: its name in the receipt.
    """
    soup = BeautifulSoup(text, "lxml")
    main = next((found for selector in MAIN if (found := soup.select_one(selector))), soup)
    about = _about(soup)
    heading = main.find("h1") or soup.find("h1")
    title = _plain(heading) if isinstance(heading, Tag) else ""
    if isinstance(heading, Tag):
        heading.decompose()
    pieces, problems = body.read(main, where, base=about["base"])
    resource = ImportedResource(
        title=title or about["title"],
        pieces=pieces,
        problems=problems,
        summary=about["summary"],
        language=about["language"],
        published_on=date_of(about["date"]),
        authors=[about["author"]] if about["author"] else [],
    )
    if not pieces:
        resource.problems.append(Problem(where, "no article was found in the page: the draft has a title only"))
    return resource


def _about(soup: BeautifulSoup) -> dict[str, str]:
    """What the head of the page says; empty texts for what it does not."""
    linked = _json_ld(soup)
    canonical = _attribute(soup, "link[rel=canonical][href]", "href") or _attribute(
        soup, 'meta[property="og:url"]', "content"
    )
    base = whole(_attribute(soup, "base[href]", "href")) or whole(canonical)
    author = linked.get("author")
    author = author[0] if isinstance(author, list) and author else author
    return {
        "title": _attribute(soup, 'meta[property="og:title"]', "content") or (_plain(soup.title) if soup.title else ""),
        "base": base if urlsplit(base).scheme in ("http", "https") else "",
        "summary": _attribute(soup, "meta[name=description]", "content")
        or _attribute(soup, 'meta[property="og:description"]', "content"),
        "language": _attribute(soup, "html[lang]", "lang"),
        "date": _attribute(soup, 'meta[property="article:published_time"]', "content")
        or str(linked.get("datePublished", "")),
        "author": _attribute(soup, "meta[name=author]", "content")
        or (legible(str(author.get("name", ""))).strip() if isinstance(author, dict) else ""),
    }


def _json_ld(soup: BeautifulSoup) -> dict[str, Any]:
    for script in soup.select('script[type="application/ld+json"]'):
        try:
            found = json.loads(script.get_text())
        except (ValueError, RecursionError):
            continue
        for entry in found if isinstance(found, list) else [found]:
            if isinstance(entry, dict) and ("datePublished" in entry or "author" in entry):
                return entry
    return {}


def cover(source: str, alt: str, caption: str) -> Figure:
    """The picture at the head of an article, with the credit in its caption."""
    words, credit = credit_lines.find(caption)
    return Figure(source, alt, words, credit)


def date_of(text: Any) -> datetime.date | None:
    """The day in a text such as `2020-01-30 19:00:00 -0500`; None when there is none."""
    if isinstance(text, datetime.datetime):
        return text.date()
    if isinstance(text, datetime.date):
        return text
    found = re.match(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})", str(text or ""))
    try:
        return datetime.date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _attribute(soup: BeautifulSoup, selector: str, name: str) -> str:
    tag = soup.select_one(selector)
    return str(tag.get(name, "")).strip() if tag else ""


def _plain(tag: Tag) -> str:
    return re.sub(r"\s+", " ", tag.get_text()).strip()
