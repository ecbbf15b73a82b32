"""Words together with the language they are in, so that a fallback can be labelled."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from content.languages import active_language, name_in_sentence


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
    return _("(in %(language)s)") % {"language": name_in_sentence(code)}
