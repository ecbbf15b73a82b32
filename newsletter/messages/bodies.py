"""The two bodies of a mail: HTML that holds in Outlook and Gmail, and text that reads well, from the same tree."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple

import css_inline
from django.template.loader import render_to_string
from django.utils import translation
from inscriptis import get_text
from inscriptis.model.config import ParserConfig

from newsletter.messages.slots import slot
from newsletter.messages.tree import Tree

TEXT_WIDTH = 72
# Gmail clips what is longer and hides the link to unsubscribe with it.
MOST_HTML = 102 * 1024

_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


class Bodies(NamedTuple):
    text: str
    html: str


def digest(content: Tree, unsubscribe: str = "", preferences: str = "") -> Bodies:
    """The bodies of an issue; without addresses of one recipient, slots stand in their places."""
    context = {
        "tree": content,
        **{name: content[name] for name in ("organisation", "home_url", "postal_address")},
        "introduction": plain(content["introduction"]),
        "closing": plain(content["closing"]),
        "unsubscribe": unsubscribe or slot("unsubscribe"),
        "preferences": preferences or slot("preferences"),
    }
    return render("digest", content["language"], context)


def render(name: str, language: str, context: Mapping[str, Any]) -> Bodies:
    """The bodies of one kind of mail, from its two templates in `templates/emails/`, in one language."""
    with translation.override(language):
        text = render_to_string(f"emails/{name}.txt", {**context, "language": language})
        html = render_to_string(f"emails/{name}.html", {**context, "language": language})
    return Bodies(text=wrapped(text), html=re.sub(r"\n\s+", "\n", _inliner.inline(html)).strip() + "\n")


def plain(html: str) -> str:
    """Clean rich text as plain text, each link's address behind its words."""
    return str(get_text(html, ParserConfig(display_links=True))).strip()


def wrapped(text: str) -> str:
    """Text in lines of at most 72 characters, at most one empty line at a time; addresses are never broken."""
    lines = [_wrapped_line(line.rstrip()) for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _wrapped_line(line: str) -> str:
    indent = re.match(r"\s*(?:[*-] |\d+\. )?", line)
    assert indent is not None
    return textwrap.fill(
        line,
        TEXT_WIDTH,
        subsequent_indent=" " * len(indent.group()),
        break_long_words=False,
        break_on_hyphens=False,
    )
