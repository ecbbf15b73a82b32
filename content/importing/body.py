"""Reads the body of an article: HTML in; headings, rich text, figures, tables, code and call-outs out, in order."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import parse_qs, urlsplit

from bs4 import Tag
from bs4.element import NavigableString

from content.importing import credit_lines
from content.importing.resource import (
    Callout,
    Card,
    Code,
    CreditFacts,
    Figure,
    Heading,
    Piece,
    Problem,
    Quote,
    Video,
    Words,
)
from content.importing.tables import read_table
from content.importing.tidy import TEXT, WORDS, clean, tidy, whole

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
MEDIA = ("img", "picture", "figure", "iframe", "video", "audio", "embed", "object", "table", "pre", "details", "aside")
BLOCKS = (*HEADINGS, *MEDIA, "p", "ul", "ol", "dl", "blockquote", "hr", "div", "section", "article", "header", "footer")
CAPTIONS = "figcaption, .thumbcaption, .wp-caption-text, .gallerytext"
FIGURES = {"thumb", "wp-caption", "gallerybox", "image-container"}
TONES = {
    "try": {"activity", "challenge", "discussion", "exercise", "solution", "task", "testimonial"},
    "caution": {"attention", "caution", "danger", "error", "important", "warning"},
    "note": {"admonition", "callout", "checklist", "comment", "hint", "info", "keypoints", "note", "objectives",
             "prereq", "questions", "seealso", "sidebar", "spoiler", "spoiler-accordion", "tip", "topic"},
}  # fmt: skip
SHARING = re.compile(
    r"/wiki/File:|flickr\.com/photos/|unsplash\.com/photos/|pexels\.com/photo/|commons\.wikimedia\.org"
)


def read(main: Tag, where: str, base: str = "") -> tuple[list[Piece], list[Problem]]:
    """Read the body of an article. The tree is used up.

    Args:
        main: the element that holds the article.
        where: the article's name in the receipt.
        base: the article's own address; empty when it is not known.
    """
    done = tidy(main, where, base)
    levels = [int(tag.name[1]) for tag in main.find_all(HEADINGS) if not tag.find_parent(is_callout)]
    reader = Reader(where, base, top=min(levels, default=2))
    reader.walk(main)
    reader.flush()
    if done.relative:
        named = ", ".join(list(dict.fromkeys(done.relative))[:5])
        said = f"{len(done.relative)} links lead to other pages of the old site and were kept as written: {named}"
        done.problems.append(
            Problem(where, said if len(done.relative) > 1 else said.replace("1 links lead", "1 link leads", 1))
        )
    return reader.pieces, [*done.problems, *reader.problems]


def is_callout(tag: Tag) -> bool:
    """Whether an element is set apart from the text, such as a note or an exercise."""
    return tag.name in ("aside", "details") or (tag.name in ("div", "section") and bool(_tones(tag)))


def _tones(tag: Tag) -> list[str]:
    classes = {name.lower() for name in tag.get_attribute_list("class") if name}
    return [tone for tone, names in TONES.items() if classes & names]


class Reader:
    """Walks through an article once. Words wait in `_html` until something that is no rich text comes."""

    def __init__(self, where: str, base: str, top: int, inside: bool = False) -> None:
        self.where, self.base, self.top, self.inside = where, base, top, inside
        self.pieces: list[Piece] = []
        self.problems: list[Problem] = []
        self._html: list[str] = []
        self._line: list[str] = []

    def walk(self, parent: Tag) -> None:
        """Read everything in an element, in order."""
        for child in list(parent.children):
            if isinstance(child, Tag):
                self._read(child)
            elif type(child) is NavigableString:
                self._line.append(escape(str(child), quote=False))

    def flush(self) -> None:
        """Let the words that wait become a piece."""
        self._end_line()
        html = clean("".join(self._html))
        self._html = []
        if html:
            self.pieces.append(Words(html))

    def _read(self, tag: Tag) -> None:
        if tag.name not in BLOCKS and not tag.find(BLOCKS):
            self._line.append(str(tag))
        elif tag.name in self.READERS:
            self._end_line()
            self.READERS[tag.name](self, tag)
        elif is_callout(tag):
            self._callout(tag)
        elif FIGURES & set(tag.get_attribute_list("class")):
            self._figure(tag)
        else:
            self._container(tag)

    def _container(self, tag: Tag) -> None:
        inline = tag.name not in BLOCKS
        if not inline:
            self._end_line()
        self.walk(tag)
        if not inline:
            self._end_line()

    def _end_line(self) -> None:
        line = "".join(self._line).strip()
        self._line = []
        if line:
            self._html.append(f"<p>{line}</p>")

    def _put(self, piece: Piece) -> None:
        self.flush()
        self.pieces.append(piece)

    def _problem(self, what: str) -> None:
        self.problems.append(Problem(self.where, what))

    def _heading(self, tag: Tag) -> None:
        for image in tag.find_all("img"):
            self._image(image.extract())
        text = _plain(tag)
        rank = int(tag.name[1]) - self.top
        if not text:
            return
        if rank <= 0 and not self.inside:
            self._put(Heading(text))
        else:
            level = "h3" if rank == 1 and not self.inside else "h4"
            self._html.append(f"<{level}>{escape(text, quote=False)}</{level}>")

    def _list(self, tag: Tag) -> None:
        """A list; pictures, tables and code in it part it, so that they stay in their place."""
        items: list[str] = []
        parted = False
        for item in tag.find_all("li", recursive=False):
            special = [found for found in item.find_all(MEDIA) if _outermost(found, item)]
            for found in special:
                found.extract()
            items.append(f"<li>{_in_item(item)}</li>")
            if special:
                self._html.append(f"<{tag.name}>{''.join(items)}</{tag.name}>")
                items, parted = [], True
                for found in special:
                    self._read(found)
        if items:
            self._html.append(f"<{tag.name}>{''.join(items)}</{tag.name}>")
        if parted and tag.name == "ol":
            self._problem("a numbered list has pictures or code between its points: its numbers start again after them")

    def _definitions(self, tag: Tag) -> None:
        for part in tag.find_all(["dt", "dd"]):
            if part.name == "dt":
                self._end_line()
                self._html.append(f"<p><b>{part.decode_contents()}</b></p>")
            else:
                self._container(part)
                self._end_line()

    def _quote(self, tag: Tag) -> None:
        cite = tag.find("footer")
        if isinstance(cite, Tag):
            cite.extract()
            self._put(Quote(_plain(tag), _plain(cite).lstrip("—- ")))
        elif tag.find([*MEDIA, "ul", "ol", *HEADINGS]):
            self._container(tag)
        else:
            parts = tag.find_all("p") or [tag]
            self._html.extend(f"<blockquote>{part.decode_contents()}</blockquote>" for part in parts)

    def _code(self, tag: Tag) -> None:
        inner = tag.find("code")
        classes = [
            *tag.get_attribute_list("class"),
            *(inner.get_attribute_list("class") if isinstance(inner, Tag) else []),
        ]
        known = (str(name).removeprefix("language-") for name in classes if name)
        language = next((name for name in known if name.lower() not in ("sourcecode", "output", "highlight")), "")
        text = tag.get_text().strip("\n")
        if text.strip():
            self._put(Code(text, language[:40]))

    def _table(self, tag: Tag) -> None:
        if tag.get("role") == "presentation" or len(tag.find_all(["td", "th"])) < 2:
            self._container(tag)
            return
        figures = [image.extract() for image in tag.find_all("img")]
        table, said = read_table(tag)
        self._put(table)
        for what in said:
            self._problem(what)
        for image in figures:
            self._problem(f"the picture {_source(image)} stood in a table and now follows it")
            self._image(image)

    def _figure(self, tag: Tag) -> None:
        captions = [found.extract() for found in tag.select(CAPTIONS)]
        caption = clean("<br>".join(found.decode_contents() for found in captions), WORDS)
        images = tag.find_all("img")
        if not images:
            self._container(tag)
            if caption:
                self._html.append(f"<p>{caption}</p>")
            return
        words, credit = credit_lines.find(caption)
        each = credit_lines.lettered(caption) if len(images) > 1 else {}
        for number, image in enumerate(images):
            own = each.get(chr(ord("a") + number), credit)
            self._put(_picture(image, words if number == 0 else "", own))
            image.extract()
        self._container(tag)

    def _image(self, tag: Tag) -> None:
        image = tag if tag.name == "img" else tag.find("img")
        if isinstance(image, Tag):
            self._put(_picture(image, *credit_lines.find(escape(str(image.get("title", "")).strip(), quote=False))))

    def _callout(self, tag: Tag) -> None:
        tone = (_tones(tag) or ["note"])[0]
        head = tag.find(["summary", *HEADINGS], recursive=True)
        title = str(tag.get("title", ""))
        if isinstance(head, Tag) and not _plain_before(tag, head):
            title = _plain(head.extract())
        inner = Reader(self.where, self.base, self.top, inside=True)
        inner.walk(tag)
        inner.flush()
        self.problems.extend(inner.problems)
        if title and not any(isinstance(piece, Words) for piece in inner.pieces[:1]):
            self._end_line()
            self._html.append(f"<h4>{escape(title, quote=False)}</h4>")
            title = ""
        for piece in inner.pieces:
            self._put(Callout(tone, title, piece.html) if isinstance(piece, Words) else piece)
            title = "" if isinstance(piece, Words) else title

    def _frame(self, tag: Tag) -> None:
        inner = tag.find("source")
        written = str(tag.get("src") or tag.get("data-src") or tag.get("data") or "")
        if not written and isinstance(inner, Tag):
            written = str(inner.get("src", ""))
        address = whole(written, self.base or "https:") if written else ""
        title = str(tag.get("title") or "").strip()
        watched = watch_address(address)
        if watched:
            self._put(Video(title or "Video", watched))
            self._problem(f"the video {watched} has no transcript yet")
        elif urlsplit(address).scheme in ("http", "https"):
            self._put(Card(title or urlsplit(address).netloc, address))
            self._problem(f"what {address} showed inside the page is a link now")
        else:
            self._problem(f"a frame without a usable address was left out: {written[:80]}")

    def _rule(self, tag: Tag) -> None:
        """A line across the page says nothing that headings do not."""

    READERS = {
        **dict.fromkeys(HEADINGS, _heading),
        **dict.fromkeys(("ul", "ol"), _list),
        **dict.fromkeys(("iframe", "video", "audio", "embed", "object"), _frame),
        **dict.fromkeys(("img", "picture"), _image),
        **dict.fromkeys(("aside", "details"), _callout),
        "blockquote": _quote,
        "dl": _definitions,
        "figure": _figure,
        "hr": _rule,
        "pre": _code,
        "table": _table,
    }


def watch_address(address: str) -> str:
    """Where a person watches a video that was embedded; empty when the address is no video we know."""
    parts = urlsplit(whole(address))
    host = (parts.hostname or "").removeprefix("www.")
    if host in ("youtube.com", "youtube-nocookie.com", "youtu.be"):
        name = parse_qs(parts.query).get("v", [parts.path.rstrip("/").split("/")[-1]])[0]
        return f"https://www.youtube.com/watch?v={name}" if re.fullmatch(r"[\w-]+", name) else ""
    if host.endswith("vimeo.com") and (found := re.search(r"/(\d+)", parts.path)):
        return f"https://vimeo.com/{found[1]}"
    return address if parts.path.endswith((".mp4", ".webm", ".m4v")) and parts.scheme in ("http", "https") else ""


def _picture(image: Tag, caption: str, credit: CreditFacts) -> Figure:
    link = image.find_parent("a")
    shared = str(link.get("href", "")) if isinstance(link, Tag) else ""
    if not credit.source_url and SHARING.search(shared):
        credit = CreditFacts(credit.line, credit.creator, credit.holder, credit.licence, shared[:2000])
    return Figure(
        source=_source(image),
        alt=re.sub(r"\s+", " ", str(image.get("alt", ""))).strip(),
        caption=caption,
        credit=credit,
        decorative=image.get("role") == "presentation" or image.get("aria-hidden") == "true",
    )


def _source(image: Tag) -> str:
    return str(image.get("data-src") or image.get("src") or "").strip()


def _outermost(found: Tag, item: Tag) -> bool:
    outer = found.find_parent(MEDIA)
    return outer is None or not any(parent is item for parent in outer.parents)


def _in_item(item: Tag) -> str:
    """A point of a list; paragraphs in it become lines."""
    for part in item.find_all(["p", "div"]):
        if part.find_next_sibling():
            part.append(item_break())
        part.unwrap()
    return re.sub(r"(<br/?>\s*)+$", "", clean(item.decode_contents(), TEXT).replace("<p>", "").replace("</p>", ""))


def item_break() -> Tag:
    return Tag(name="br", can_be_empty_element=True)


def _plain(tag: Tag) -> str:
    return re.sub(r"\s+", " ", tag.get_text()).strip()


def _plain_before(tag: Tag, head: Tag) -> str:
    before = ""
    for node in tag.descendants:
        if node is head:
            break
        if isinstance(node, NavigableString):
            before += str(node)
    return before.strip()
