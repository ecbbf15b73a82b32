"""Where raw mails lie: a folder of .eml, a Maildir, an mbox, one file, or standard input."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from newsletter.bounces.mail import LARGEST

BEGINNING = re.compile(rb"From \S+ .*\d{4}\s*$")  # RFC 4155
ESCAPED = re.compile(rb"^>(>*From )")
LONGEST_LINE = 64 * 1024  # bytes that are read at once


class Unreadable(Exception):
    """A file that could not be read; says which and why."""


def mails(path: Path) -> Iterator[tuple[str, bytes | Unreadable]]:
    """The name and the bytes of every mail under a path, or why it could not be read. No mail is read beyond its size.

    Raises:
        Unreadable: there is nothing at this path, or it may not be looked at.
    """
    try:
        files = _files(path)
        is_mbox = not path.is_dir() and path.suffix != ".eml" and _begins_like_mbox(path)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    if is_mbox:
        with path.open("rb") as file:
            yield from _split(path.name, file)
        return
    for file_path in files:
        try:
            with file_path.open("rb") as file:
                yield file_path.name, file.read(LARGEST)
        except OSError as error:
            yield file_path.name, Unreadable(f"{file_path}: {error.strerror}")


def from_stream(stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The mails of a stream: one, or an mbox of many."""
    yield from _split("-", stream)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        path.stat()
        return [path]
    if (path / "cur").is_dir() and (path / "new").is_dir():
        return sorted(file for folder in ("cur", "new") for file in (path / folder).iterdir() if file.is_file())
    return sorted(file for file in path.iterdir() if file.suffix.lower() == ".eml")


def _begins_like_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(BEGINNING.match(file.readline(1000)))


def _split(name: str, stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The mails of an mbox, numbered; the whole stream as one when it does not begin like an mbox."""
    lines = iter(lambda: stream.readline(LONGEST_LINE), b"")
    first = next(lines, b"")
    if not BEGINNING.match(first):
        yield name, b"".join(_within(LARGEST, chain([first], lines)))
        return
    for number, mail in enumerate(_mails_of_mbox(lines), 1):
        yield f"{name}:{number}", b"".join(mail)


def _mails_of_mbox(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    mail: list[bytes] = []
    size, after_blank = 0, False
    for line in lines:
        if after_blank and BEGINNING.match(line):
            yield mail
            mail, size = [], 0
        elif size < LARGEST:
            mail.append(ESCAPED.sub(rb"\1", line))
            size += len(line)
        after_blank = not line.strip()
    yield mail


def _within(limit: int, lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        if limit > 0:
            yield line
        limit -= len(line)
