"""The languages of the site: LANGUAGES names them, the first one first. A person or a page may know others."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.formats import get_format
from django.utils.translation import get_language, get_language_info, gettext, to_locale

CAPITALIZING = {"af", "de", "en", "fy", "id", "lb", "ms", "nl", "sw", "tl"}
"""Languages that write the names of languages with a capital letter."""


def codes() -> list[str]:
    """The codes of the site's languages, the first one first."""
    return [code for code, _name in settings.LANGUAGES]


def offered() -> list[tuple[str, str]]:
    """Each language of the site with its own name, as a form offers them."""
    return [(code, language_name(code)) for code in codes()]


def first() -> str:
    """The language that stands in for all others."""
    return str(settings.LANGUAGE_CODE)


def active_language() -> str:
    """The code of the active language: on the site that of the page, whose address chooses it."""
    return get_language() or first()


def spoken(language: str) -> str:
    """A language that the site speaks: this one, or the first one where LANGUAGES does not name it (any more)."""
    return language if language in codes() else first()


def closest(words: str) -> str:
    """The language of the site that a code such as “es-MX”, “pt_BR” or “EN” means; empty when there is none."""
    code = words.strip().lower().replace("_", "-")
    for candidate in (code, code.split("-")[0]):
        if candidate in codes():
            return candidate
    return ""


def language_name(code: str) -> str:
    """A language under its own name, such as “Español”; the code itself when nobody knows a name for it."""
    try:
        name = str(get_language_info(code)["name_local"])
    except KeyError:
        return code
    return name[:1].upper() + name[1:]


def name_in_active_language(code: str) -> str:
    """A language as the active language calls it, such as “Spanish”; the code itself when it has no name."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def name_in_sentence(code: str) -> str:
    """A language as the active language calls it inside a sentence, such as “inglés” in Spanish."""
    name = name_in_active_language(code)
    # Django's names begin with a capital letter everywhere, for lists: “Inglés”.
    return name if active_language().split("-")[0] in CAPITALIZING else name[:1].lower() + name[1:]


def date_pattern(pattern: str, instead: str = "DATE_FORMAT") -> str:
    """A pattern of ours for dates or times in the active language; Django's own where we have no translation.

    Args:
        pattern: the English pattern, in Django's date format letters; a day of the week stands at its beginning.
        instead: what Django calls its pattern.
    """
    language = active_language()
    if language.startswith("en") or has_catalog(language):
        return gettext(pattern)
    whole = str(get_format(instead, lang=language))
    return f"l, {whole}" if pattern.startswith("l") else whole


@cache
def has_catalog(language: str) -> bool:
    """Whether the site's own words are translated into this language."""
    places = (to_locale(language), to_locale(language.split("-")[0]))
    return any((Path(folder) / place).is_dir() for folder in settings.LOCALE_PATHS for place in places)
