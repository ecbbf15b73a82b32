"""Where one recipient's mail differs from another's: marks in the bytes of a variant, filled in microseconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.quoprimime import body_encode
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from typing import Any, Literal, NamedTuple, cast

import idna

Name = Literal["to", "message_id", "date", "unsubscribe", "preferences", "unsubscribe_token"]
Kind = Literal["header", "text", "html"]

# In text a slot is its name between two characters for private use, which `one_tree` takes out of every
# editor's words. In bytes it stands between NULs, which neither headers nor quoted-printable can hold.
OPEN, CLOSE = "\ue000", "\ue001"
IN_TEXT = re.compile(f"{OPEN}([a-z_]+){CLOSE}")
IN_BYTES = re.compile(rb"\x00([a-z]+) ([a-z_]+)\x00")

# Room for the "=" of a soft line break, and for two characters more where a line begins with a dot or with "From ",
# within the 76 characters of RFC 2045, section 6.7. Neither beginning goes out as it is: a dot would have to be doubled
# on the wire, and programs that keep mail in one file (mbox) would write ">From " or begin another mail there.
LINE = 73
LINE_END = re.compile(rb"\r\n|\r|\n")
PLAIN = re.compile(r"[!-<>-~]*").fullmatch
NOTHING_TO_ESCAPE = re.compile(r"[A-Za-z0-9:/._~-]*").fullmatch


@dataclass(slots=True)
class Slots:
    """What one recipient's copy says: whom it goes to, when and under which name, and the addresses that are theirs."""

    to: str
    message_id: str
    date: datetime
    unsubscribe: str
    preferences: str
    unsubscribe_token: str = ""  # a test copy has none


class Gap(NamedTuple):
    """A value that is filled in: which one, how it is written, and the numbers of the pieces that it becomes."""

    name: Name
    write: Callable[[Any], bytes]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A message cut at its slots. Parse once per variant, fill once per recipient."""

    pieces: tuple[bytes, ...]
    gaps: tuple[Gap, ...]
    dotless: bool
    ascii: bool  # but for what is filled in

    @classmethod
    def parse(cls, template: bytes | memoryview) -> Template:
        """Cut the bytes that `variants` made. A line ends with CRLF and nothing else, or it could end the message."""
        parts = IN_BYTES.split(LINE_END.sub(b"\r\n", bytes(template)))
        pieces = [parts[0]]
        places: dict[tuple[bytes, bytes], list[int]] = {}
        for kind, name, fixed in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            places.setdefault((kind, name), []).append(len(pieces))
            pieces += [b"", fixed]
        gaps = tuple(_gap(kind.decode(), name.decode(), tuple(found)) for (kind, name), found in places.items())
        # A piece behind a slot begins within a line, and what is filled in begins no line with a dot.
        dotless, ascii_only = not any(b"\n." in part for part in parts[::3]), all(part.isascii() for part in parts)
        return cls(tuple(pieces), gaps, dotless, ascii_only)


def slot(name: Name) -> str:
    """A slot as it stands in a body before it is encoded."""
    return f"{OPEN}{name}{CLOSE}"


def header_slot(name: Name) -> bytes:
    """A slot as it stands in a header."""
    return b"\x00header %s\x00" % name.encode()


def quoted(body: str, kind: Kind) -> bytes:
    """A body in quoted-printable with CRLF, each slot on a line of its own between soft line breaks."""
    encoded = []
    for position, part in enumerate(IN_TEXT.split(body)):
        if position % 2:
            encoded.append(b"=\r\n\x00%s %s\x00=\r\n" % (kind.encode(), part.encode()))
        else:
            encoded.append(_quoted(part))
    return b"".join(encoded)


def fill(template: Template | bytes | memoryview, slots: Slots) -> bytes:
    """The finished message of one recipient: CRLF line ends, ready for DATA, not dot-stuffed.

    Args:
        template: what `variants` made, better parsed than as bytes: parsing costs more than filling.
        slots: the recipient's values.

    Raises:
        ValueError: a value would break out of its header line.
    """
    if not isinstance(template, Template):
        template = Template.parse(template)
    pieces = list(template.pieces)
    for name, write, places in template.gaps:
        try:
            value = write(getattr(slots, name))
        except ValueError as error:
            raise ValueError(f"“{name}” can not be filled in: {error}") from None
        for place in places:
            pieces[place] = value
    return b"".join(pieces)


def wire_address(address: str) -> str:
    """An address as headers and SMTP commands need it: the domain in ASCII (RFC 5890), the local part as it is.

    What is still not ASCII afterwards goes only to a server that offers SMTPUTF8 (RFC 6531).
    """
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"


def needs_smtputf8(address: str) -> bool:
    """Whether the address can only be reached through a server that offers SMTPUTF8."""
    return not wire_address(address).isascii()


def _gap(kind: str, name: str, places: tuple[int, ...]) -> Gap:
    write = _WRITERS.get(f"{kind} {name}") or _WRITERS[kind]
    return Gap(cast(Name, name), write, places)


def _header(value: str) -> bytes:
    if not value.isprintable():
        raise ValueError(f"a line break or control character would break the message's headers: {value!r}")
    return value.encode()


def _address(value: str) -> bytes:
    return _header(wire_address(value))


def _html(value: str) -> bytes:
    return _quoted(value if NOTHING_TO_ESCAPE(value) else escape(value))


@lru_cache(maxsize=8)
def _date(date: datetime) -> bytes:
    return format_datetime(date).encode()


@lru_cache(maxsize=8)  # text and HTML of one message hold the same addresses
def _quoted(text: str) -> bytes:
    if PLAIN(text):  # the common case, an address of ours, at a tenth of the cost
        encoded = "=\r\n".join([text[start : start + LINE] for start in range(0, len(text), LINE)])
    else:
        encoded = body_encode(text.encode().decode("latin-1"), LINE, "\r\n")
    encoded = encoded.replace("\r\n.", "\r\n=2E").replace("\r\nFrom ", "\r\n=46rom ")
    return (f"={ord(encoded[0]):02X}{encoded[1:]}" if encoded.startswith((".", "From ")) else encoded).encode()


_WRITERS: dict[str, Callable[[Any], bytes]] = {
    "header": _header,
    "header to": _address,
    "header date": _date,
    "text": _quoted,
    "html": _html,
}
