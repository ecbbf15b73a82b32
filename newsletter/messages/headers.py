"""Header lines made of words: subjects, and names before an address (RFC 5322, RFC 2047).

Standard library only, and nothing of its `email` package: its writers differ from one Python to the next, and lose
or glue encoded words. What is written here reads the same everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import groupby

LINE = 76  # characters of a line with encoded words (RFC 2047, section 2); RFC 5322 allows 78 to all others
CONTROLS = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of surrogate pairs, line and paragraph separators

# What stands for itself in an encoded word in every place (RFC 2047, section 5, rule 3); a space is written "_".
ITSELF = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
PLAIN = re.compile(r"[!-~]+").fullmatch
ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+").fullmatch
QUOTABLE = re.compile(r"[ -~]+").fullmatch

# A character with the marks that belong to it: accents, vowel signs, variation selectors, skin tones, tags, and what
# zero-width joiners tie together; two regional indicators are one flag.
JOINER = "\u200d"
TIED = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u1160-\u11ff]")
REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]")


def one_line(text: str) -> str:
    """Text as a header may hold it: without control characters, with single spaces, none at its ends."""
    return " ".join("".join(" " if unicodedata.category(sign) in CONTROLS else sign for sign in text).split())


def text_header(name: str, text: str) -> bytes:
    """A header line of free text, such as `Subject`, folded, without its line end.

    Text that is not plain ASCII words with single spaces between them is encoded as a whole: the white space between
    two encoded words does not count, so every space of the text stands inside one.

    Args:
        name: of the header.
        text: one line; a reader sees exactly these characters.

    Raises:
        ValueError: the text holds a control character, a line separator or half a surrogate pair.
    """
    _check_line(name, text)
    room = _room(name)
    words = text.split(" ")
    if all(_stays_plain(word, PLAIN, room) for word in words):
        return _folded(name, words)
    return _folded(name, [*_encoded_words(text, room)] or [""])


def address_header(name: str, shown: str, address: str) -> bytes:
    """A header line of a name and what stands in angle brackets, such as `From` or `List-Id`, without its line end.

    Args:
        name: of the header.
        shown: the name that people read; empty for none. A reader sees exactly these characters.
        address: a mail address or list identifier in ASCII. It is never encoded and never folded.

    Raises:
        ValueError: name or address hold a control character, or the address is not ASCII.
    """
    _check_line(name, shown)
    if not address.isascii() or not address.isprintable():
        raise ValueError(f"{name}: {address!r} is no address in ASCII.")
    if not shown and "@" in address:  # a list identifier always stands in brackets (RFC 2919)
        return f"{name}: {address}".encode()
    return _folded(name, [*_phrase(shown, _room(name)), f"<{address}>"])


def _phrase(text: str, room: int) -> list[str]:
    """The tokens of a name (`phrase` of RFC 5322).

    A long name is encoded in runs of words with plain words left between them, where there are any: some readers,
    Python's among them, show a space between two encoded words of a name, which does not belong there.
    """
    words = text.split(" ") if text else []
    if all(_stays_plain(word, ATOM, room) for word in words):
        return words
    quoted = '"{}"'.format(re.sub(r'(["\\])', r"\\\1", text))
    if QUOTABLE(text) and "=?" not in text and "" not in words and len(quoted) <= room:
        return [quoted]
    whole = list(_encoded_words(text, room))
    if len(whole) == 1 or "" in words:  # before a plain word, readers lose a space at a run's end
        return whole
    runs = groupby(words, lambda word: _stays_plain(word, ATOM, room))
    return [token for plain, run in runs for token in (run if plain else _encoded_words(" ".join(run), room))]


def _encoded_words(text: str, room: int) -> Iterator[str]:
    """Encoded words of at most `room` characters each, in the shorter of both encodings.

    Each one holds whole characters, with their combining marks where they fit into one word together.
    """
    signs = list(_characters(text))
    letter, encode = min((("q", _q), ("b", _b)), key=lambda each: len(each[1](text)))
    most = room - len("=?utf-8?q??=")
    piece = ""
    while signs:
        if len(encode(piece + signs[0])) <= most:
            piece += signs.pop(0)
        elif piece:
            yield f"=?utf-8?{letter}?{encode(piece)}?="
            piece = ""
        else:  # more marks on one character than an encoded word holds
            signs[:1] = list(signs[0])
    if piece:
        yield f"=?utf-8?{letter}?{encode(piece)}?="


def _q(text: str) -> str:
    return "".join(chr(byte) if byte in ITSELF else "_" if byte == 0x20 else f"={byte:02X}" for byte in text.encode())


def _b(text: str) -> str:
    return b64encode(text.encode()).decode()


def _characters(text: str) -> Iterator[str]:
    """The text's characters as people see them, so that no encoded word ends before an accent."""
    seen = ""
    for sign in text:
        tied = unicodedata.category(sign).startswith("M") or TIED.match(sign) or seen.endswith(JOINER)
        if seen and not tied and not (REGIONAL.fullmatch(seen) and REGIONAL.match(sign)):
            yield seen
            seen = ""
        seen += sign
    if seen:
        yield seen


def _stays_plain(word: str, allowed: Callable[[str], object], room: int) -> bool:
    """Whether a word may stand as it is: `=?` could be read as the beginning of an encoded word."""
    return bool(allowed(word)) and "=?" not in word and len(word) <= room


def _room(name: str) -> int:
    """The longest token that fits on a line, even behind the header's name."""
    return min(75, LINE - len(f"{name}: "))


def _folded(name: str, tokens: list[str]) -> bytes:
    lines = [f"{name}: {tokens[0]}"]
    for token in tokens[1:]:
        if len(lines[-1]) + 1 + len(token) <= LINE:
            lines[-1] += f" {token}"
        else:
            lines.append(f" {token}")
    return "\r\n".join(lines).encode("ascii")


def _check_line(name: str, text: str) -> None:
    for sign in text:
        if unicodedata.category(sign) in CONTROLS:
            raise ValueError(f"{name}: {text!r} can not stand in a header, it holds {sign!r}.")
