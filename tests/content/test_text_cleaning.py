"""The one cleaner: what a reader can not see makes no difference, and what a script or an emoji needs stays."""

from __future__ import annotations

import unicodedata

import pytest

from content import text_cleaning

pytestmark = pytest.mark.once

PERSIAN = "می\u200cخواهم"
HINDI = "क्\u200dष"
MALAYALAM = "ന്\u200d"
FAMILY = "👨\u200d👩\u200d👧"
TEACHER = "👩🏽\u200d🏫"
HEART = "❤\ufe0f"
KEYCAP = "1\ufe0f\u20e3"
WALES = "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"


@pytest.mark.parametrize("text", [PERSIAN, HINDI, MALAYALAM, FAMILY, TEACHER, HEART, KEYCAP, WALES, "Ana Ruiz", "中文"])
def test_what_a_script_or_an_emoji_needs_stays(text):
    assert text_cleaning.clean_line(text) == text


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("\ufeffAna\u00a0Ruiz\u200b", "Ana Ruiz"),
        ("Ana\u200b\u200d Ruiz", "Ana Ruiz"),
        ("Jose\u0301", "José"),
        ("Ge\u00adsamt\u2060konzept", "Gesamtkonzept"),
        ("\u202eevil\u202c\u200f", "evil"),
        ("one\u2003two\u3000three\u2028four\r\n\x1bfive", "one two three four five"),
        ("\u200b\u00ad\ufe0f", ""),
        ("Sam\x00\ud800", "Sam"),
    ],
)
def test_a_line_reads_as_it_is_seen(typed, clean):
    assert text_cleaning.clean_line(typed) == clean
    assert text_cleaning.clean_line(clean) == clean


def test_cleaning_twice_changes_nothing_whatever_stands_side_by_side():
    signs = [
        chr(code)
        for code in (*range(0x20, 0x250), *range(0x600, 0x700), *range(0x2000, 0x2070), 0xFE0F, 0x1F468, 0xFE0F)
    ]
    for joiner in ("", "\u200d", "\u00ad", "\u0301"):
        text = joiner.join(signs)
        once = text_cleaning.clean_line(text)
        assert text_cleaning.clean_line(once) == once
        assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Łódź", "lodz"),
        ("Smørrebrød", "smorrebrod"),
        ("Đorđe", "dorde"),
        ("Straße", "strasse"),
        ("Æsop, œuvre", "aesop, oeuvre"),
        ("ıspanak İzmir", "ispanak izmir"),
        ("þing ðe", "thing de"),
        ("Ħamrun, Ŧ, Ŋ, ɓ", "hamrun, t, n, b"),
        ("\ufb01n Ge\u00adsamt", "fin gesamt"),
        ("中文 Ñandú", "中文 nandu"),
    ],
)
def test_texts_that_read_alike_fold_alike(text, folded):
    assert text_cleaning.fold(text) == folded == text_cleaning.fold(folded)
