"""Prepares the HTML of an article: what is no content goes, addresses are made whole, tags become those we know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import nh3
from bs4 import Comment, Tag

from content.importing.resource import Problem

WORDS = {"a", "b", "br", "i", "sub", "sup"}
CELL = WORDS | {"code", "li", "ol", "p", "ul"}
TEXT = CELL | {"blockquote", "h3", "h4"}

SAME = {
    "strong": "b", "em": "i", "cite": "i", "dfn": "i", "var": "i",
    "kbd": "code", "samp": "code", "tt": "code", "dir": "ul", "menu": "ul", "listing": "pre", "xmp": "pre",
}  # fmt: skip
# Parts of a page that are for browsers and for moving about, not for reading.
FURNITURE = (
    "script", "style", "template", "noscript", "link", "meta", "nav", "[hidden]", "a.anchor", "a.headerlink",
    "a.footnote-backref", ".callout-header", ".callout-square", ".code-label", ".mw-editsection", ".mw-jump-link",
    ".mw-cite-backlink", ".catlinks", ".navbox", ".noprint", ".printfooter", "#siteSub", "#toc", ".toc",
    ".vector-menu", ".vector-dropdown", ".vector-page-toolbar", "svg[aria-hidden=true]", "i[aria-hidden=true]",
)  # fmt: skip
UNTAKEN = {
    "form": "a form", "input": "a form field", "select": "a form field", "textarea": "a form field",
    "canvas": "a drawing made by a script", "svg": "a drawing inside the page (SVG)", "math": "a formula",
    "map": "an image map", "dialog": "a dialog", "frameset": "frames",
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel"}


@dataclass
class Tidied:
    """What happened while tidying: addresses that lead nowhere yet, and problems."""

    relative: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def whole(address: str, base: str = "") -> str:
    """An address made whole by that of its page; empty when it can not be read, such as `http://[x`."""
    try:
        joined = urljoin(base, address)
        urlsplit(joined)
    except ValueError:
        return ""
    return joined


def clean(html: str, tags: set[str] = TEXT) -> str:
    """HTML with these tags only, no attribute but safe addresses, and no empty paragraph."""
    safe = nh3.clean(
        html,
        tags=tags,
        attributes={"a": {"href"}, "*": set()},
        clean_content_tags={"script", "style"},
        link_rel=None,
        url_schemes=SCHEMES,
    )
    safe = re.sub(r"<(p|li|b|i|a|code|h3|h4|blockquote|sup|sub)(?: [^>]*)?>(?:\s|&nbsp;|<br>)*</\1>", "", safe)
    return re.sub(r"[ \t\r\n]+", " ", safe).strip()


def tidy(main: Tag, where: str, base: str) -> Tidied:
    """Prepare an article in place.

    Args:
        main: the element that holds the article.
        where: the article's name in the receipt.
        base: the article's own address; empty when it is not known.
    """
    done = Tidied()
    for comment in main.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for button in main.select("button"):
        button.unwrap() if button.find(re.compile("^h[1-6]$")) else button.decompose()
    for part in main.select(", ".join(FURNITURE)):
        part.decompose()
    _leave_out(main, where, done)
    for link in main.select("a"):
        _mend_link(link, where, base, done)
    for name, ours in SAME.items():
        for tag in main.find_all(name):
            tag.name = ours
    return done


def _leave_out(main: Tag, where: str, done: Tidied) -> None:
    for image in main.select("img"):
        if _is_counting_pixel(image):
            image.decompose()
            done.problems.append(Problem(where, "an invisible picture that counts visits was left out"))
    for name, what in UNTAKEN.items():
        for tag in main.find_all(name):
            if tag.decomposed:
                continue
            text = re.sub(r"\s+", " ", tag.get_text()).strip()
            said = f"{what} was left out" + (f"; its words were kept: “{text[:80]}”" if text else "")
            done.problems.append(Problem(where, said))
            tag.replace_with(text)


def _is_counting_pixel(image: Tag) -> bool:
    small = {str(image.get(side, "")).removesuffix("px") for side in ("width", "height")}
    return small <= {"0", "1"} or "type=1x1" in str(image.get("src", ""))


def _stays_here(link: Tag, address: str, base: str) -> bool:
    """Whether a link leads to a place on its own page, such as a footnote."""
    page, hash_, place = address.partition("#")
    if not hash_:
        return False
    if not page or (base and page == base.split("#")[0]):
        return True
    is_mark = re.fullmatch(r"\[?\s*[\w↑^↩]{1,4}\s*\]?", link.get_text().strip())
    return bool(is_mark) and link.find_parents()[-1].find(id=place) is not None


def _mend_link(link: Tag, where: str, base: str, done: Tidied) -> None:
    address = re.sub(r"[\x00-\x20]+", "", str(link.get("href", "")))
    target = whole(address, base)
    if not address or _stays_here(link, target, base):
        link.unwrap()  # our pages have no marks to lead to
        return
    scheme = urlsplit(target).scheme.lower()
    if not target or (scheme and scheme not in SCHEMES):
        done.problems.append(Problem(where, f"a link with an address we do not take was left out: {address[:80]}"))
        link.unwrap()
        return
    if target.startswith("//"):
        target = f"https:{target}"
    elif not scheme:
        done.relative.append(target)
    link["href"] = target
