"""An account with a provider as a way out: each session hands over one message at a time over a kept connection.

The HTTP request blocks, so it runs in a thread of the session; a pair of sockets wakes the sender's loop when the
answer is there. The thread touches neither the database nor the lane.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from newsletter.esp import answers, letters
from newsletter.esp.providers import PROVIDERS, Provider
from newsletter.smtp import Message, Outcome, Refused, Reply, Stage

if TYPE_CHECKING:
    from anymail.backends.base import AnymailBaseBackend

AFTER_THE_WORD = 600.0  # seconds, as with SMTP's final dot
TOO_LATE = 10.0  # seconds a released message may wait for its thread; its lease has 15 to spare
PAUSE, LONGEST_PAUSE = 2.0, 600.0  # seconds


@dataclass(eq=False, slots=True)
class Account:
    """The way out when ESP names a provider. Its door closes for a while when the provider asks for patience."""

    provider: Provider
    weight: int = 1
    rate: int | None = None
    connections: int | None = None
    domains: frozenset[str] = frozenset()
    closed_until: float = field(default=0.0)

    @classmethod
    def of_settings(cls) -> Account:
        """The account that the settings name."""
        return cls(PROVIDERS[settings.ESP])

    def __str__(self) -> str:
        return self.provider.title

    def connect(self) -> Handover:
        """A session. Nothing goes over the wire before the first message.

        Raises:
            Refused: the keys can not be used, or the provider wants to be left alone for now.
        """
        wait = self.closed_until - time.monotonic()
        if wait > 0:
            raise Refused(f"{self} wants to be left alone for {wait:.0f} seconds.", Reply(421, "4.7.0 Slow down"))
        try:
            return Handover(self, self.provider.open())
        except (ImproperlyConfigured, ValueError) as error:
            raise Refused(f"{self} can not be used: {error}", Reply(535, str(error))) from error

    def rest(self, seconds: float) -> None:
        """Open no new session for a while."""
        self.closed_until = time.monotonic() + min(max(seconds, PAUSE), LONGEST_PAUSE)


class Handover:
    """One session with a provider. The final dot of a message is the moment its request may begin."""

    writing = False

    def __init__(self, account: Account, backend: AnymailBaseBackend) -> None:
        self.account = account
        self.broken = False
        ours, self._bell = socket.socketpair()
        ours.setblocking(False)
        self.sock: socket.socket | None = ours
        self._backend = backend
        self._offered: Message | None = None
        self._given: tuple[Message, float] | None = None
        self._orders: queue.SimpleQueue[tuple[Message, float] | None] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=f"{account} session", daemon=True).start()

    @property
    def room(self) -> bool:
        return self._offered is None and not self.broken

    @property
    def ready(self) -> bool:
        return self._offered is not None and self._given is None and not self.broken

    @property
    def news(self) -> bool:
        return not self._heard.empty() or self.broken

    def offer(self, message: Message) -> None:
        """Keep a message until it may go."""
        self._offered = message

    def finish(self, following: Message | None = None) -> bool:
        """Let the request for the offered message begin; the one that follows is kept until it may go."""
        if self._offered is None or not self.ready:
            return False
        self._given, self._offered = (self._offered, time.monotonic()), following
        self._orders.put(self._given)
        return True

    def hear(self) -> list[Outcome]:
        """What the thread has heard, and what the clock says."""
        if self.sock is not None:
            with contextlib.suppress(BlockingIOError):
                self.sock.recv(64)
        outcomes = []
        while not self._heard.empty():
            outcomes.append(self._heard.get())
            self._given = None
        if self._given and time.monotonic() > self._given[1] + AFTER_THE_WORD:
            outcomes.append(Outcome(self._given[0], None, Stage.DOT))
            self._given = None
            self.drop()
        if any(_ends_the_session(outcome) for outcome in outcomes):
            self.drop()
        return outcomes

    def drop(self) -> None:
        """Hand over nothing more. A request that has begun can not be taken back: nobody hears its answer."""
        self._offered, self.broken = None, True
        self._orders.put(None)
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def leave(self) -> None:
        """End the session; the thread lets the connection go."""
        self.drop()

    def _work(self) -> None:
        with self._bell, contextlib.closing(self._backend):
            while (order := self._orders.get()) is not None:
                self._heard.put(self._hand_over(*order))
                with contextlib.suppress(OSError):
                    self._bell.send(b".")

    def _hand_over(self, message: Message, released: float) -> Outcome:
        """One request, and what the answer means. Whatever happens, the sender hears of it."""
        title = str(self.account)
        try:
            letter = letters.unpack(message, self.account.provider)
            payload = self._backend.build_message_payload(letter, self._backend.send_defaults)
        except Exception as error:
            return answers.unsendable(message, title, error)
        if time.monotonic() > released + TOO_LATE:
            # This process stood still, and somebody else may answer for the message by now.
            return Outcome(message, False, Stage.CONNECT, Reply(421, "4.3.2 Released too long ago to be sent now."))
        try:
            response = self._backend.post_to_esp(payload, letter)
        except Exception as error:
            outcome = answers.failed(message, title, error)
            if _ends_the_session(outcome):
                self.account.rest(answers.patience_asked(error))
            return outcome
        try:
            statuses = self._backend.parse_recipient_status(response, payload, letter)
        except Exception as error:
            return answers.unread(message, title, error)
        return answers.read(message, title, statuses, getattr(response, "status_code", 200))


def _ends_the_session(outcome: Outcome) -> bool:
    """Whether the provider is away or wants to be left alone, so that the next message would fare no better."""
    return outcome.taken is None or (outcome.reply is not None and outcome.reply.code == 421)
