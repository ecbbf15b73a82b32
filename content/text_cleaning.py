"""One cleaner for text that people type, paste or import: control, invisible and exotic signs.

`legible` serves whole texts, which keep every sign that can be stored. `clean_line` serves what stands on one line:
names, titles, addresses, cells, questions. `fold` serves comparison: two texts that read alike fold alike.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Signs without a look of their own (Unicode: Default_Ignorable_Code_Point): soft hyphen, zero-width spaces and
# joiners, marks and overrides of direction, variation selectors, fillers, tags.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Python's blanks, among them the no-break spaces, other controls, halves of pairs, and the blank Braille pattern.
BLANK = re.compile("[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff\u2800\ufffe\uffff]+")
JOINERS = "\u200c\u200d"
SELECTORS = "\ufe0e\ufe0f"
KEYCAPS_AND_SIGNS = "#*0123456789‼⁉©®"
BLACK_FLAG = "\U0001f3f4"
# From Arabic to Myanmar, then Khmer and Mongolian: scripts whose letters a joiner joins or keeps apart.
JOINED_SCRIPTS = re.compile("[\u0600-\u109f\u1780-\u18af\ua840-\uabff\U00010a00-\U00011fff]")
VIRAMA = 9  # the combining class of signs that tie an Indic letter to the next one
EMOJI_CATEGORIES = {"So", "Sk"}
# Latin letters that are letters of their own; what is a letter with a stroke or hook says so in its name.
OTHER_LETTERS = {
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
    "ð": "d",
    "þ": "th",
    "\u0131": "i",
    "ȷ": "j",
    "ŋ": "n",
    "ĸ": "k",
    "ə": "e",
}
LETTER_WITH = re.compile("LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]) WITH ")


def legible(text: str) -> str:
    """The text without the signs that XML 1.0, UTF-8 or PostgreSQL refuse: control characters and halves of pairs."""
    return REFUSED.sub("", text)


def clean_line(text: str) -> str:
    """A text on one line, as it reads: composed (NFC), with single plain spaces and without invisible signs.

    A sign that a script or an emoji needs stays: the joiners inside a Persian or Hindi word or a family emoji, the
    selector that makes a sign an emoji, the tags of a regional flag.
    """
    line = BLANK.sub(" ", text)
    if not line.isascii():
        line = unicodedata.normalize("NFC", INVISIBLE.sub(_kept_where_needed, line))
        line = BLANK.sub(" ", line)
    return line.strip(" ")


def fold(text: str) -> str:
    """The text as it is compared: small letters without accents, strokes, ligatures or invisible signs.

    “Łódź” and “lodz”, “Smørrebrød” and “smorrebrod”, “straße” and “strasse” fold alike on every database, since none
    of them takes part in it.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", INVISIBLE.sub("", text)).casefold()
    bare = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return bare if bare.isascii() else "".join(sign if sign.isascii() else _plain_letter(sign) for sign in bare)


@lru_cache(maxsize=4096)
def _plain_letter(sign: str) -> str:
    """The plain letters of a Latin letter; any other sign as it is."""
    if sign in OTHER_LETTERS:
        return OTHER_LETTERS[sign]
    named = LETTER_WITH.match(unicodedata.name(sign, ""))
    return named[1].lower() if named else sign


def _kept_where_needed(run: re.Match[str]) -> str:
    """Of invisible signs in a row, those that what stands before and behind them needs."""
    kept, before, after = "", run.string[: run.start()][-1:], run.string[run.end() :][:1]
    for sign in run[0]:
        if _is_needed(before, sign, after):
            kept, before = kept + sign, sign
    return kept


def _is_needed(before: str, sign: str, after: str) -> bool:
    if sign in JOINERS:
        in_a_word = JOINED_SCRIPTS.match(before) and (JOINED_SCRIPTS.match(after) or _is_virama(before))
        return bool(in_a_word) or (sign == "\u200d" and _is_emoji(before) and _is_emoji(after))
    if sign in SELECTORS:
        return _is_emoji(before) or before in set(KEYCAPS_AND_SIGNS)
    # The tags that make a black flag a regional one.
    return "\U000e0020" <= sign <= "\U000e007f" and (before == BLACK_FLAG or "\U000e0020" <= before < "\U000e007f")


def _is_virama(sign: str) -> bool:
    return bool(sign) and unicodedata.combining(sign) == VIRAMA


def _is_emoji(sign: str) -> bool:
    """Whether an emoji may end or begin with this sign; many of them end with a selector or a tone of skin."""
    return bool(sign) and sign > "\u00ff" and (unicodedata.category(sign) in EMOJI_CATEGORIES or sign in SELECTORS)
