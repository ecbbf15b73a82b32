"""Reads who made a picture, and under which licence, out of the caption it came with."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from content.credits import Licence
from content.importing.resource import CreditFacts

WORK = (
    r"(?:photo(?:graph)?|image|picture|graph|map|chart|illustration|figure|art(?:work)?"
    r"|drawing|cartoon|screenshot|table)s?"
)
# Where people share their own pictures: the name before it made the picture.
PLATFORMS = re.compile(
    r"(?:^|\s*(?:/|,|\bon\b|\bvia\b|\bfrom\b|\bthrough\b))\s*"
    r"(flickr|wikimedia commons|wikipedia|unsplash|pexels|pixabay|openverse|deviantart)\b.*$",
    re.I,
)
CAPITAL = r"(?-i:[^\W\d_a-z]|@)"
NAME = r"(?P<name>[^|;()\[\]]+?)"
PROPER_NAME = rf"(?P<name>{CAPITAL}[^|;()\[\]]*?)"
END = r"(?=\s*[.)\]]*\s*$|\s*[|;()]|,?\s+(?:CC\b|licen[cs]ed\b|used\b|under\b|via\b|public domain)|\.\s)"

# Where a credit begins in a caption.
OPENINGS = (
    rf"\(?\b{WORK}(?: \([a-z]\))? (?:courtesy|provided|supplied|reproduced)\b",
    rf"\(?\b{WORK}[ -](?:credits?|source)\b",
    rf"\(?\b{WORK} (?:by|©|\(c\)) ?{CAPITAL}",
    rf"\(?\b{WORK} from the [\w ]*(?:account|archive|collection|library)\b",
    rf"\(?\b{WORK}: {CAPITAL}",
    rf"[^.!?]*\b(?:illustration|drawing|graphic)s? by {CAPITAL}",
    r"\(?(?-i:Image |Photo )?(?-i:Credits?|Source|Artist|Photographer|Illustrator):",
    r"\(?\b(?:used|reproduced|reprinted) (?:with|by) (?:kind )?permission\b",
    r"\(?(?:©|\(c\)|\bcopyright (?:©|\(c\)|\d{4}))",
    r"\(?\bcourtesy (?:of|:)",
    rf"\(?\bby {CAPITAL}[^.]*, (?=CC\b|public domain|licen[cs]ed)",
    r"\(?\bpublic domain[.)]*\s*$",
)
LICENCE_AT_END = r"[^.!?]*,? (?=CC[ -](?:BY|0)\b)"
READINGS = (
    ("holder", rf"(?:©|\(c\)|copyright)\s*(?:©|\(c\))?\s*(?:\d{{4}}(?:[-–]\d{{4}})?,?\s*)?(?:by )?{NAME}{END}"),
    ("creator", rf"\b(?:artist|photographer|illustrator|author):\s*{NAME}{END}"),
    ("courtesy", rf"\bcourtesy(?:\s+of|:)?:?\s+{NAME}{END}"),
    ("holder", rf"\b{WORK} from the (?:\w+ account )?{NAME}{END}"),
    ("holder", rf"\b(?:with|by) (?:kind )?permission (?:of|from) (?:the )?{PROPER_NAME}{END}"),
    ("creator", rf"\bby\s+{PROPER_NAME}{END}"),
    ("courtesy", rf"\b(?:{WORK} )?(?:credits?|source):?\s+{NAME}{END}"),
    ("creator", rf"\b{WORK}:\s*{NAME}{END}"),
    ("creator", rf"^{NAME},? (?=CC[ -](?:BY|0)\b)"),
)
COMMONS_NAME = re.compile(r"\bCC[ -]?(BY(?:[ -](?:NC|ND|SA))*)[ -]?v?(\d\.\d)", re.I)
COMMONS_URL = re.compile(r"creativecommons\.org/licenses/(by[a-z-]*)/(\d\.\d)", re.I)


def find(caption: str) -> tuple[str, CreditFacts]:
    """Part a caption from the credit line in it.

    Args:
        caption: the caption as HTML.

    Returns:
        The caption as HTML without the credit line, and what the line says; empty facts when there is none.
    """
    soup = BeautifulSoup(caption, "lxml")
    text = soup.get_text()
    start = _opening(text)
    if start is None:
        return caption, CreditFacts()
    line = text[start:].strip()
    links = _links_after(soup, start)
    _cut(soup, start)
    left = soup.body.decode_contents().strip() if soup.body else ""
    return re.sub(r"<(\w+)[^>]*>\s*</\1>", "", left).strip(" ,;|\n"), read(line, links)


def read(line: str, links: list[tuple[str, str]] | None = None) -> CreditFacts:
    """What a credit line says.

    Args:
        line: such as “(Photo courtesy of Ana Roe/flickr)” or “© Delta Schools | Artist: Ana Roe, CC BY 4.0”.
        links: (text, address) of the links in it.
    """
    links = links or []
    bare = re.sub(r"^\((?!c\))(.*?)\)?\.?$", r"\1", line.strip(), flags=re.S | re.I)
    facts = {"creator": "", "holder": ""}
    for role, pattern in READINGS:
        if found := re.search(pattern, bare, re.I):
            name, shared = _name(found["name"])
            role = role if role != "courtesy" else ("creator" if shared else "holder")
            if name and not facts[role] and name not in facts.values():
                facts[role] = name
    licence = _licence(bare, links)
    source = next((url for _, url in links if "creativecommons.org" not in url), "")
    return CreditFacts(line.strip(), facts["creator"][:255], facts["holder"][:255], licence, source[:2000])


def lettered(caption: str) -> dict[str, CreditFacts]:
    """The credits of a figure of several pictures: “(Photo (a) courtesy of X; Photo (b) courtesy of Y/flickr)”."""
    parts = re.findall(
        rf"({WORK} \(([a-z])\) [^;]+?)(?=;|\)\s*$|\)\s*\.|$)", BeautifulSoup(caption, "lxml").get_text(), re.I
    )
    return {letter: read(re.sub(r" \([a-z]\)", "", line)) for line, letter in parts}


def _opening(text: str) -> int | None:
    starts = [found.start() for pattern in OPENINGS if (found := re.search(pattern, text, re.I))]
    if not starts and (named := re.search(LICENCE_AT_END, text, re.I)):
        starts = [named.start()]
    if not starts:
        return None
    start = min(starts)
    return start + len(text[start:]) - len(text[start:].lstrip())


def _name(name: str) -> tuple[str, bool]:
    """The name without the platform it was shared on, and whether there was one."""
    bare = re.sub(r"\s+", " ", name).strip(" ,.:|")
    without = PLATFORMS.sub("", bare)
    maker = re.sub(r"^.*\bwork by |, data .*$|,? \d{4}$", "", without).strip(" ,.")
    return maker, without != bare


def _licence(line: str, links: list[tuple[str, str]]) -> str:
    found = next((match for _, url in links if (match := COMMONS_URL.search(url))), None) or COMMONS_NAME.search(line)
    if found:
        spdx = f"CC-{re.sub(r'[ -]+', '-', found[1].upper())}-{found[2]}"
        return spdx if spdx in Licence.values else ""
    if re.search(r"\bCC[ -]?0\b", line, re.I) or any("/publicdomain/zero/" in url for _, url in links):
        return Licence.CC0
    if re.search(r"\bpublic domain\b", line, re.I):
        return Licence.PDM
    if re.search(r"\b(?:with|by) (?:kind )?permission\b", line, re.I) and not re.search(r"\bCC\b", line):
        return Licence.PERMISSION
    return Licence.ALL_RIGHTS_RESERVED if re.search(r"\ball rights reserved\b", line, re.I) else ""


def _links_after(soup: BeautifulSoup, start: int) -> list[tuple[str, str]]:
    links, position = [], 0
    for node in soup.descendants:
        if isinstance(node, NavigableString):
            position += len(node)
        elif (
            isinstance(node, Tag) and node.name == "a" and node.get("href") and position + len(node.get_text()) > start
        ):
            links.append((node.get_text(strip=True), str(node["href"])))
    return links


def _cut(soup: BeautifulSoup, start: int) -> None:
    position = 0
    for node in list(soup.find_all(string=True)):
        keep = max(0, start - position)
        position += len(node)
        if keep < len(node):
            node.replace_with(node[:keep].rstrip() if keep else "")
