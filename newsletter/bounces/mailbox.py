"""The mailbox that bounces come to: read over POP3 or IMAP, and cleared of what is dealt with."""

from __future__ import annotations

import contextlib
import imaplib
import logging
import poplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from django.db.models.functions import Now

from newsletter.bounces import intake
from newsletter.bounces.mail import LARGEST
from newsletter.models import BounceMailbox
from newsletter.smtp import readable

logger = logging.getLogger(__name__)

PATIENCE = 60.0  # seconds
MOST = 1000  # mails of one round; the next takes the rest
HEAD = 2000  # lines that are asked for of a mail that is too large
PORTS = {"pop3": 110, "pop3s": 995, "imap": 143, "imaps": 993}
# Mails have longer lines than poplib believes in, and one of them must not block those behind it.
poplib._MAXLINE = LARGEST  # type: ignore[attr-defined]


class Unreachable(Exception):
    """The mailbox could not be opened, or was lost; says why, without the password."""


class Letter(NamedTuple):
    """One mail that waits there: what the server calls it, how it is fetched, and how it is put away."""

    name: str
    fetch: Callable[[], bytes]
    put_away: Callable[[], object]


class Round(NamedTuple):
    """What one look into the mailbox brought: a receipt for each mail, and the names of those that were kept."""

    receipts: list[tuple[str, intake.Receipt]]
    kept: list[str]


def poll(url: str) -> Round:
    """Take in what waits in a mailbox.

    A mail is put away (deleted over POP3, marked as seen over IMAP) once what it says is recorded. One that fails is
    kept where it is. Two at once are harmless, since a report that comes twice counts once.

    Raises:
        Unreachable: the mailbox could not be opened, or was lost on the way.
    """
    parts = urlsplit(url)
    receipts, kept = [], []
    try:
        with (_pop3 if parts.scheme.startswith("pop3") else _imap)(parts) as letters:
            for letter in letters:
                receipt = _take(letter)
                if receipt is None:
                    kept.append(letter.name)
                else:
                    receipts.append((letter.name, receipt))
    except (OSError, EOFError, poplib.error_proto, imaplib.IMAP4.error) as error:
        _note(url, _words(error))
        raise Unreachable(f"The bounce mailbox at {parts.hostname} could not be read: {_words(error)}") from error
    BounceMailbox.objects.filter(pk=known_as(url)).delete()
    return Round(receipts, kept)


def known_as(url: str) -> str:
    """The address of a mailbox without its password, under which it is known to the database."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username}@{host}").geturl()[:500]


def _note(url: str, why: str) -> None:
    """Write down that it can not be read, and since when: whoever is gone stays on the list until it can."""
    box, _made = BounceMailbox.objects.get_or_create(pk=known_as(url), defaults={"failing_since": Now()})
    BounceMailbox.objects.filter(pk=box.pk).update(why=why)


def _take(letter: Letter) -> intake.Receipt | None:
    """Fetch, record, put away. None when it has to be kept."""
    raw = letter.fetch()
    try:
        receipt = intake.take(raw)
    except Exception:
        logger.exception("Mail %s of the bounce mailbox could not be recorded, and is kept.", letter.name)
        return None
    letter.put_away()
    return receipt


@contextmanager
def _pop3(parts: SplitResult) -> Iterator[Iterator[Letter]]:
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    if parts.scheme == "pop3s":
        server: poplib.POP3 = poplib.POP3_SSL(host, port, timeout=PATIENCE, context=ssl.create_default_context())
    else:
        server = poplib.POP3(host, port, timeout=PATIENCE)
    try:
        server.user(unquote(parts.username or ""))
        server.pass_(unquote(parts.password or ""))
        yield _pop3_letters(server)
        # Only now does the server delete anything. A second reader may have been faster.
        with contextlib.suppress(poplib.error_proto):
            server.quit()
    finally:
        server.close()


def _pop3_letters(server: poplib.POP3) -> Iterator[Letter]:
    for line in server.list()[1][:MOST]:
        number, size = (int(word) for word in line.split()[:2])

        def fetch(number: int = number, size: int = size) -> bytes:
            _answer, lines, _octets = server.top(number, HEAD) if size > LARGEST else server.retr(number)
            return b"\r\n".join(lines)

        yield Letter(str(number), fetch, partial(server.dele, number))


@contextmanager
def _imap(parts: SplitResult) -> Iterator[Iterator[Letter]]:
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    if parts.scheme == "imaps":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            host, port, timeout=PATIENCE, ssl_context=ssl.create_default_context()
        )
    else:
        server = imaplib.IMAP4(host, port, timeout=PATIENCE)
    try:
        server.login(unquote(parts.username or ""), unquote(parts.password or ""))
        folder = unquote(parts.path.strip("/")) or "INBOX"
        answer, said = server.select('"{}"'.format(folder.replace("\\", "\\\\").replace('"', '\\"')))
        if answer != "OK":
            raise imaplib.IMAP4.error(f"no folder {folder}: {said[-1]!r}")
        yield _imap_letters(server)
        with contextlib.suppress(imaplib.IMAP4.error):
            server.logout()
    finally:
        with contextlib.suppress(OSError):
            server.shutdown()


def _imap_letters(server: imaplib.IMAP4) -> Iterator[Letter]:
    _answer, found = server.uid("SEARCH", "UNSEEN", "UNDELETED")
    for uid in (found[0] or b"").decode().split()[:MOST]:

        def fetch(uid: str = uid) -> bytes:
            _answer, parts = server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)")
            return next((part[1] for part in parts if isinstance(part, tuple)), b"")

        yield Letter(uid, fetch, partial(server.uid, "STORE", uid, "+FLAGS", "(\\Seen)"))


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = error.args[0] if error.args else error
    return readable(said if isinstance(said, bytes) else str(said))[:500]
