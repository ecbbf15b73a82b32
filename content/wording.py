"""Words together with the language they are in, so that a fallback can be labelled."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _

CAPITALIZING = {"af", "de", "en", "fy", "id", "lb", "ms", "nl", "sw", "tl"}
"""Languages that write the names of languages with a capital letter."""


class Wording(NamedTuple):
    """A text and its language; both are empty where nothing is written in any language."""

    text: str = ""
    language: str = ""

    def is_foreign(self, language: str | None = None) -> bool:
        """Whether the text is in another language than the words around it (None: the active language)."""
        return bool(self.text) and self.language != (language or active_language())

    def lang_attribute(self, language: str | None = None) -> SafeString:
        """The HTML `lang` attribute that a foreign text needs (WCAG 3.1.2), with a space before it; else nothing."""
        return format_html(' lang="{}"', self.language) if self.is_foreign(language) else SafeString()

    def label(self, language: str | None = None) -> str:
        """The visible label of a foreign text, such as “(in English)”; else nothing."""
        return in_language(self.language) if self.is_foreign(language) else ""


def in_language(code: str) -> str:
    """The label of words in another language than those around them: “(in English)”."""
    return _("(in %(language)s)") % {"language": language_name(code)}


def active_language() -> str:
    """The code of the active language: on the site that of the page, whose address chooses it."""
    return get_language() or settings.LANGUAGE_CODE


def language_name(code: str) -> str:
    """The name of a language as it stands inside a sentence of the active one; its code where Django knows no name."""
    try:
        name = str(get_language_info(code)["name_translated"])
    except KeyError:
        return code
    # Django's names begin with a capital letter everywhere, for lists: “Inglés”.
    return name if active_language().split("-")[0] in CAPITALIZING else name[:1].lower() + name[1:]
