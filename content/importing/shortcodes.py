"""Turns what site generators add to Markdown (Liquid, Hugo, MyST, pandoc, kramdown) into HTML it lets through."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

import yaml

from content.importing.resource import Problem
from content.text_cleaning import legible

FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,})[^\n]*\n.*?^(?P=mark)[`~]*[ \t]*$", re.M | re.S)
MYST = re.compile(
    r"^(?P<mark>`{3,}|:{3,})\{(?P<name>[\w:-]+)\}[ \t]*(?P<argument>[^\n]*)\n(?P<inside>.*?)^(?P=mark)[ \t]*$",
    re.M | re.S,
)
HUGO_PAIR = re.compile(
    r"\{\{[<%]\s*(?P<name>[\w-]+)(?P<said>[^{}]*?)\s*[>%]\}\}(?P<inside>.*?)\{\{[<%]\s*/\s*(?P=name)\s*[>%]\}\}", re.S
)
HUGO = re.compile(r"\{\{[<%]\s*(?P<name>/?\s*[\w-]+)(?P<said>.*?)\s*/?[>%]\}\}", re.S)
LIQUID = re.compile(r"\{%-?\s*(?P<name>\w+)(?P<said>.*?)-?%\}", re.S)
LIQUID_VALUE = re.compile(r"\{\{(?P<said>[^{}<%]*)\}\}")
DIV_LINE = re.compile(r"^[ \t]*(?P<mark>:{3,})[ \t]*\{?[ \t]*\.?(?P<name>[\w-]*)[^\n}]*\}?[ \t]*:*[ \t]*$", re.M)
KRAMDOWN = re.compile(r"\{:[^}\n]*\}|(?<=[^\n{]) *\{#[\w-]+\}(?=\s*$)", re.M)
SETTINGS = re.compile(r"""(?P<name>[\w-]+)\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"']+))""")
QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
PICTURES = {"img", "img-right", "img-left", "image", "figure"}


def expand(text: str, where: str) -> tuple[str, list[Problem]]:
    """Expand everything we know, and say what we do not. Lines of code are left alone.

    Args:
        text: Markdown without its front matter.
        where: its name in the receipt.
    """
    problems: list[Problem] = []
    text = MYST.sub(lambda found: _directive(found, where, problems), text)
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x02{len(kept) - 1}\x03"

    text = FENCE.sub(keep, text)
    for step in (_myst_roles, _pandoc_divs, _kramdown, _own_lines):
        text = step(text)
    text = _hugo(text, where, problems)
    text = _liquid(text, where, problems)
    return re.sub(r"\x02(\d+)\x03", lambda found: kept[int(found[1])], text), problems


def _figure(source: str, alt: str, caption: str) -> str:
    words = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'\n\n<figure><img src="{escape(source)}" alt="{escape(alt)}">{words}</figure>\n\n'


def _set_apart(kind: str, title: str, inside: str) -> str:
    named = f' title="{escape(title)}"' if title else ""
    return f'\n\n<div class="callout {escape(kind)}"{named}>\n\n{inside.strip()}\n\n</div>\n\n'


def _directive(found: re.Match[str], where: str, problems: list[Problem]) -> str:
    """A MyST directive such as ```` ```{figure} path ````, with its settings as YAML or as `:name: value`."""
    name, argument, inside = found["name"], found["argument"].strip(), found["inside"]
    settings, inside = _directive_settings(inside)
    if name in ("figure", "image"):
        caption = "" if name == "image" else inside.strip()
        return _figure(argument, settings.get("alt", ""), f"\n\n{caption}\n\n" if caption else "")
    if name in ("code", "code-block", "code-cell", "sourcecode"):
        return f"\n```{argument}\n{inside}```\n"
    if name in (
        "note",
        "tip",
        "hint",
        "important",
        "warning",
        "caution",
        "attention",
        "danger",
        "seealso",
        "admonition",
    ):
        return _set_apart(name, argument, inside)
    if name in ("dropdown", "topic", "sidebar", "margin"):
        return _set_apart("sidebar", argument, inside)
    if name in ("list-table", "table", "csv-table", "toctree", "bibliography", "raw", "contents"):
        problems.append(Problem(where, f"the directive “{name}” was left out"))
        return "" if name in ("toctree", "contents", "bibliography") else f"\n{inside}\n"
    problems.append(Problem(where, f"the directive “{name}” is not known; its words were kept"))
    return f"\n{inside}\n"


def _directive_settings(inside: str) -> tuple[dict[str, str], str]:
    if found := re.match(r"---\s*\n(.*?)^---[ \t]*\n?", inside, re.S | re.M):
        try:
            settings = yaml.safe_load(found[1])
        except yaml.YAMLError:
            settings = {line.split(":")[0]: line.split(":", 1)[-1].strip() for line in found[1].splitlines()}
        settings = settings if isinstance(settings, dict) else {}
        return {str(name): legible(str(value)) for name, value in settings.items()}, inside[found.end() :]
    lines = inside.splitlines(keepends=True)
    settings = {}
    while lines and (found := re.match(r":([\w-]+):[ \t]*(.*)", lines[0])):
        settings[found[1]] = found[2].strip()
        lines.pop(0)
    return settings, "".join(lines)


def _myst_roles(text: str) -> str:
    text = re.sub(r"^\([\w:.-]+\)=[ \t]*$", "", text, flags=re.M)
    text = re.sub(r"\{(?:ref|doc|numref|term|download)\}`([^`<]*?)\s*<[^`>]*>`", r"\1", text)
    return re.sub(r"\{[\w:-]+\}`([^`]*)`", r"\1", text)


def _pandoc_divs(text: str) -> str:
    """Fenced divs as the Carpentries write them: `:::: challenge` ... `::::`, also one in another."""
    depth = 0

    def turn(found: re.Match[str]) -> str:
        nonlocal depth
        if found["name"]:
            depth += 1
            return f'\n<div class="callout {found["name"]}">\n'
        if depth:
            depth -= 1
            return "\n</div>\n"
        return ""

    return DIV_LINE.sub(turn, text) + "\n\n</div>" * depth


def _kramdown(text: str) -> str:
    return KRAMDOWN.sub("", text)


def _own_lines(text: str) -> str:
    """Markdown goes on between HTML tags that stand alone on a line, as kramdown's `markdown="1"` asks."""
    text = re.sub(r"^[ \t]*(<(?:div|section|figure|aside)\b[^>]*\bmarkdown=[^>]*>)[ \t]*$", r"\n\1\n", text, flags=re.M)
    text = re.sub(r"^[ \t]*(<(?:div|section)\b[^>]*>)[ \t]*$", r"\n\1\n", text, flags=re.M)
    text = re.sub(r"^[ \t]*(</(?:div|section|figure|aside)>)[ \t]*$", r"\n\1\n", text, flags=re.M)
    text = re.sub(r"^[ \t]*(</figcaption>)[ \t]*$", r"\1\n", text, flags=re.M)
    # Indented tags would be lines of code to Markdown once an empty line stands before them.
    return re.sub(
        r"^[ \t]+(?=</?(?:figure|figcaption|img|table|thead|tbody|tr|t[dh]|caption|iframe)\b)", "", text, flags=re.M
    )


def _settings(said: str) -> dict[str, str]:
    named = {
        found["name"]: next(
            value for value in (found["double"], found["single"], found["bare"], "") if value is not None
        )
        for found in SETTINGS.finditer(said)
    }
    rest = SETTINGS.sub("", said)
    values = [double or single for double, single in QUOTED.findall(rest)] or rest.split()
    return {**{str(number): value for number, value in enumerate(values)}, **named}


def _hugo(text: str, where: str, problems: list[Problem]) -> str:
    def pair(found: re.Match[str]) -> str:
        said = _settings(found["said"])
        name = found["name"]
        if name in ("highlight",):
            return f"\n```{said.get('0', '')}\n{found['inside'].strip()}\n```\n"
        kind = said.get("variant", "") or name
        return _set_apart(kind, said.get("title", said.get("heading", "")), found["inside"])

    def single(found: re.Match[str]) -> str:
        name, said = found["name"].strip(), _settings(found["said"])
        if name in PICTURES:
            source = said.get("src", said.get("0", ""))
            caption = " ".join(said[key] for key in ("caption", "credit", "attr") if said.get(key))
            return _figure(source, said.get("alt", ""), escape(caption, quote=False))
        if name in VIDEOS:
            return VIDEOS[name](said)
        if name in ("quote-block", "blockquote", "pullquote"):
            return f"\n\n<blockquote>{said.get('text', '')}<footer>{said.get('cite', '')}</footer></blockquote>\n\n"
        problems.append(Problem(where, f"the shortcode “{name}” was left out: {found['said'].strip()[:80]}"))
        return ""

    while HUGO_PAIR.search(text):
        text = HUGO_PAIR.sub(pair, text)
    return HUGO.sub(single, text)


def _video(address: str) -> Callable[[dict[str, str]], str]:
    def frame(said: dict[str, str]) -> str:
        source = address.format(said.get("id", said.get("0", "")))
        return f'\n\n<iframe src="{escape(source)}" title="{escape(said.get("title", ""))}"></iframe>\n\n'

    return frame


VIDEOS = {
    "youtube": _video("https://www.youtube.com/watch?v={}"),
    "vimeo": _video("https://player.vimeo.com/video/{}"),
}


def _liquid(text: str, where: str, problems: list[Problem]) -> str:
    def tag(found: re.Match[str]) -> str:
        name, said = found["name"], _settings(found["said"])
        if name in ("raw", "endraw", "comment", "endcomment"):
            return ""
        if name == "image":
            return f'<img src="{escape(said.get("0", ""))}" alt="{escape(said.get("1", ""))}">'
        problems.append(Problem(where, f"the tag “{name}” was left out: {found['said'].strip()[:80]}"))
        return ""

    def value(found: re.Match[str]) -> str:
        quoted = QUOTED.search(found["said"])
        if quoted:
            return quoted[1] or quoted[2] or ""
        if not re.match(r"\s*(?:site|page)\.(?:baseurl|url)\b", found["said"]):
            problems.append(
                Problem(where, f"a value that the old site filled in was left out: {found['said'].strip()[:80]}")
            )
        return ""

    return LIQUID_VALUE.sub(value, LIQUID.sub(tag, text))
