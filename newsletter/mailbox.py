"""The local mailbox: a Maildir that takes every mail while there is no mail server, so that a person can look at it."""

from __future__ import annotations

import email
import email.policy
import os
import re
import secrets
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

from newsletter.smtp import Message, Outcome, Reply, Stage

KEY = re.compile(r"[0-9]+\.[0-9a-f]+")
UNREADABLE = "(unreadable)"


@dataclass(frozen=True, slots=True)
class LocalMailbox:
    """The way out when the settings name no other."""

    weight: int = 1
    connections: int | None = None
    rate: int | None = None
    domains: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return "the local mailbox"

    def connect(self) -> MailboxSession:
        """Open the Maildir, made where it is missing."""
        for name in ("tmp", "new", "cur"):
            (settings.MAILBOX_DIR / name).mkdir(parents=True, exist_ok=True)
        return MailboxSession(settings.MAILBOX_DIR)


class MailboxSession:
    """Delivers into a Maildir as a lane does over SMTP: written aside first, and the final dot is a rename."""

    sock: socket.socket | None = None
    broken = False
    writing = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._offered: tuple[Message, Path] | None = None
        self._outcomes: list[Outcome] = []

    @property
    def room(self) -> bool:
        return self._offered is None and not self._outcomes

    @property
    def ready(self) -> bool:
        return self._offered is not None

    @property
    def news(self) -> bool:
        return bool(self._outcomes)

    def offer(self, message: Message) -> None:
        """Write a message aside, where nobody looks yet."""
        path = self.folder / "tmp" / f"{time.time_ns()}.{secrets.token_hex(8)}"
        head = f"Return-Path: <{message.sender}>\r\nDelivered-To: {message.recipient}\r\n"
        path.write_bytes(head.encode() + message.data)
        self._offered = (message, path)

    def finish(self, following: Message | None = None) -> bool:
        """Put the offered message where it is found, and write the one that follows aside."""
        assert self._offered is not None
        message, path = self._offered
        path.rename(self.folder / "new" / path.name)
        self._outcomes.append(Outcome(message, True, Stage.DOT, Reply(250, "2.0.0 Kept in the local mailbox")))
        self._offered = None
        if following:
            self.offer(following)
        return True

    def hear(self) -> list[Outcome]:
        """What was put away since it was last asked."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def drop(self) -> None:
        """Leave the offered message undelivered."""
        if self._offered:
            self._offered[1].unlink(missing_ok=True)
        self._offered, self.broken = None, True

    def leave(self) -> None:
        """End the session."""
        self.broken = True


@dataclass(frozen=True, slots=True)
class KeptMail:
    """One mail in the local mailbox. Whatever is in it, reading it raises nothing."""

    key: str
    raw: bytes

    @property
    def received(self) -> datetime:
        return datetime.fromtimestamp(int(self.key.partition(".")[0]) / 1e9, UTC)

    @property
    def message(self) -> EmailMessage:
        message = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def head(self) -> str:
        """All headers, as they came over the wire."""
        return re.split(rb"\r?\n\r?\n", self.raw, maxsplit=1)[0].decode("utf-8", "replace")

    def header(self, name: str) -> str:
        """One header, decoded; empty when it is missing."""
        try:
            return str(self.message.get(name, ""))
        except (ValueError, LookupError, IndexError, AttributeError, TypeError):
            return UNREADABLE

    def body(self, kind: str) -> str:
        """The first part of that kind, `html` or `plain`; empty when there is none."""
        try:
            part = self.message.get_body((kind,))
            return str(part.get_content()) if part is not None else ""
        except (ValueError, LookupError, IndexError, AttributeError, TypeError):
            return UNREADABLE


def keys() -> list[str]:
    """The names of all mails, newest first."""
    found = [
        entry.name.partition(":")[0]
        for name in ("new", "cur")
        if (settings.MAILBOX_DIR / name).is_dir()
        for entry in os.scandir(settings.MAILBOX_DIR / name)
    ]
    return sorted((key for key in found if KEY.fullmatch(key)), reverse=True)


def read(key: str) -> KeptMail | None:
    """One mail, or None when there is none of that name."""
    if not KEY.fullmatch(key):
        return None
    for folder, ending in (("new", ""), ("cur", ""), ("cur", ":2,S")):
        path = settings.MAILBOX_DIR / folder / f"{key}{ending}"
        if path.is_file():
            return KeptMail(key, path.read_bytes())
    return None
