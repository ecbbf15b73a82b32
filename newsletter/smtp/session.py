"""What a way out looks like: messages in their envelopes, what servers say, and what became of a message."""

from __future__ import annotations

import select
import socket
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """How far a message had come."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"
    RSET = "rset"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said: RFC 5321 code, and the text of all its lines."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        return 200 <= self.code < 400

    def __str__(self) -> str:
        return f"{self.code} {self.text}"[:500]


class Refused(Exception):
    """A way out would not let us in; `reply` says why, when it said anything."""

    def __init__(self, words: str, reply: Reply | None = None) -> None:
        super().__init__(words)
        self.reply = reply


@dataclass(slots=True)  # frozen ones take five times as long to make, and these are made for each message
class Message:
    """One message in its envelope.

    `key` is the caller's own name for it; `dotless` promises that none of its lines begins with a dot, and `ascii`
    that it is ASCII alone: whoever knows need not look through every message.
    """

    key: Hashable
    sender: str
    recipient: str
    data: bytes
    dotless: bool = False
    ascii: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a message. `taken` is None when only the server knows: the reply to the final dot was lost.

    `provider_id` is what an ESP will call the message in its events; SMTP has no such name.
    """

    message: Message
    taken: bool | None
    stage: Stage
    reply: Reply | None = None
    provider_id: str = ""


class Session(Protocol):
    """One open way out: an SMTP connection, an ESP, or the local mailbox."""

    sock: socket.socket | None
    broken: bool

    @property
    def room(self) -> bool:
        """Whether the next message may be offered."""

    @property
    def ready(self) -> bool:
        """Whether the offered message needs nothing more than its final dot."""

    @property
    def news(self) -> bool:
        """Whether `hear` has something to say that no selector can see."""

    @property
    def writing(self) -> bool:
        """Whether bytes wait until the socket takes them."""

    def offer(self, message: Message) -> None:
        """Say everything about a message but its final dot."""

    def finish(self, following: Message | None = None) -> bool:
        """Write the final dot of the offered message. False when the socket does not take it now: ask again.

        Args:
            following: is offered at once, if the dot was taken.
        """

    def hear(self) -> list[Outcome]:
        """What became known since it was last asked."""

    def drop(self) -> None:
        """Break the connection: a message without its final dot has not been taken."""

    def leave(self) -> None:
        """End the connection politely; call it when nothing is outstanding."""


def send_now(session: Session, message: Message) -> Outcome:
    """Hand over one message and wait for what becomes of it, for the few mails that need no ledger."""
    session.offer(message)
    return next(_heard(session))


def _heard(session: Session) -> Iterator[Outcome]:
    while True:
        if session.ready:
            session.finish()
        if session.sock is not None and not session.news:
            writing = [session.sock] if session.writing or session.ready else []
            select.select([session.sock], writing, [], 1.0)
        yield from session.hear()
