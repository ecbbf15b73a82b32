"""The Spanish catalogue: complete, certain of itself, and compiled as it stands."""

import ast
import gettext
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "locale" / "es" / "LC_MESSAGES"

pytestmark = pytest.mark.once


def entries():
    """The entries of the catalogue's source: flags, and the texts of msgid, msgstr and their plurals."""
    for block in (FOLDER / "django.po").read_text().split("\n\n"):
        texts, name = {}, ""
        for line in block.splitlines():
            match = re.match(r'(msgid|msgstr|msgid_plural|msgstr\[\d\]|msgctxt)? ?(".*")$', line)
            if match:
                name = match[1] or name
                texts[name] = texts.get(name, "") + ast.literal_eval(match[2])
        yield "fuzzy" in block.split("msgid")[0], texts


def test_every_text_is_translated_and_none_is_a_guess():
    unfinished = [
        texts["msgid"]
        for fuzzy, texts in entries()
        if fuzzy or not all(text for name, text in texts.items() if name.startswith("msgstr"))
    ]

    assert unfinished == []


def test_a_translation_fills_in_the_same_names():
    def names(text):
        return sorted(re.findall(r"%\(\w+\)[sd]|%[sd]", text))

    for _fuzzy, texts in entries():
        if texts["msgid"] and "msgid_plural" not in texts:
            assert names(texts["msgid"]) == names(texts["msgstr"]), texts["msgid"]


def test_the_compiled_catalogue_says_what_its_source_says():
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for _fuzzy, texts in entries():
        if texts["msgid"] and "msgid_plural" not in texts and "msgctxt" not in texts:
            assert compiled.gettext(texts["msgid"]) == texts["msgstr"]
