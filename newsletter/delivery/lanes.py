"""One connection of this process and the rows it claimed: what goes next, and what may be finished."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from newsletter.delivery import replies
from newsletter.delivery.envelopes import Envelopes
from newsletter.delivery.ledger import LEASE, Entry, Kind, Row, is_plain
from newsletter.delivery.replies import Verdict
from newsletter.delivery.ways import Way
from newsletter.models import Dispatch
from newsletter.smtp import Message, Outcome, Refused, Session

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
RENEW_EVERY = 15.0  # seconds
MARGIN = 15.0  # seconds of lease that must be left when a final dot is written
REFILL_BELOW = 16  # rows


def pulse() -> float:
    """Seconds on a clock that no one sets and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(CLOCK)


@dataclass(eq=False, slots=True)
class Lane:
    """A lane as its own process sees it; the row of the same token in the database is its lease.

    At most one message waits for the reply to its final dot, and at most one more is offered up to its own.
    """

    token: int
    way: Way
    envelopes: Envelopes
    opening: Future[Session]
    waiting: deque[Row]
    position: int
    lease_ends: float
    session: Session | None = None
    offered: Row | None = None
    dotted: Row | None = None
    cleared: int = 0
    accepted: bool = False
    over: bool = False
    dropped: bool = False
    kept: bool = False
    retiring: bool = False
    returned: list[Row] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    telling: int = 0
    asking: Row | None = None
    claiming: bool = False
    prepared: tuple[Row, Message | Verdict] | None = None

    @property
    def connecting(self) -> bool:
        return self.session is None and not self.over

    @property
    def candidate(self) -> Row | None:
        """The row that needs a word from the ledger before its final dot, once the last reply is written down."""
        row = self.offered
        return row if row and not self.dotted and not self.over and row.position != self.cleared else None

    @property
    def next_cleared(self) -> int:
        return self.candidate.position if self.candidate else self.cleared

    @property
    def hungry(self) -> bool:
        return len(self.waiting) < REFILL_BELOW and not self.over and not self.retiring and not self.claiming

    @property
    def idle(self) -> bool:
        busy = self.offered or self.dotted or self.waiting or self.entries or self.returned or self.claiming
        return self.session is not None and not busy

    def has_business(self, now: float) -> bool:
        """Whether the ledger has to be asked or told something."""
        busy = self.entries or self.ended or self.candidate or self.returned
        return bool(busy or self.lease_ends - now < LEASE - RENEW_EVERY)

    @property
    def ended(self) -> bool:
        """Whether the lane may be given up: no claim is under way that would have nobody to answer for its rows."""
        return self.over and not self.claiming

    @property
    def is_plain(self) -> bool:
        """Whether all it has to tell and to ask fits into a settlement."""
        row = self.candidate
        if self.over or self.returned:
            return False
        return (row is None or row.kind is Kind.DELIVERY) and all(map(is_plain, self.entries))

    @property
    def may_finish(self) -> bool:
        """Whether the offered message may get its final dot now: cleared, complete, and with lease to spare."""
        row, session = self.offered, self.session
        if row is None or session is None or self.dotted or self.over:
            return False
        return row.position == self.cleared and session.ready and self.lease_ends - pulse() > MARGIN

    def connect(self) -> Refused | None:
        """Take over the connection once it is open; what the relay said if it would not have us."""
        if not self.connecting or not self.opening.done():
            return None
        try:
            self.session = self.opening.result()
        except Refused as refused:
            self.over = True
            return refused
        return None

    def hear(self) -> None:
        """Turn what the server said into entries for the ledger."""
        if self.session is None or self.over:
            return
        for outcome in self.session.hear():
            self._conclude(outcome)
        self.over = self.dropped = self.session.broken

    def finish(self, at_hand: bool = False) -> None:
        """Write the final dot, if it may be written, and say all but that of the next message.

        Args:
            at_hand: only what can be made without asking the database.
        """
        if self.may_finish:
            self.prepare(at_hand)
        # Looked at once more: making a message may have taken longer than the lease lasts.
        if not self.may_finish or self.session is None:
            return
        row, message = self.prepared or (None, None)
        following = message if isinstance(message, Message) else None
        if self.session.finish(following):
            self.dotted, self.offered = self.offered, None
            if following:
                self.offered, self.prepared = row, None
                self.waiting.popleft()

    def offer(self, at_hand: bool = False) -> None:
        """Say everything about the next message but its final dot; `at_hand` as for `finish`."""
        if self.waiting and self.session and self.session.room and not self.offered and not self.over:
            self.prepare(at_hand)
            if not self.prepared:
                return
            (row, message), self.prepared = self.prepared, None
            self.waiting.popleft()
            if isinstance(message, Verdict):
                self.entries.append(Entry(self.token, row, message))
            else:
                self.offered = row
                self.session.offer(message)

    def prepare(self, at_hand: bool = False) -> None:
        """Make the next message, be there room for it or not: that takes most of the time that a message takes."""
        if self.prepared and not (self.waiting and self.prepared[0] is self.waiting[0]):
            self.prepared = None
        if not self.waiting or self.prepared or self.over:
            return
        row = self.waiting[0]
        if not at_hand or self.envelopes.at_hand(row):
            self.prepared = row, self.envelopes.enclose(row)

    def take(self, rows: list[Row]) -> None:
        """Queue claimed rows: notices go before what was claimed earlier."""
        for row in reversed(rows):
            if row.kind is Kind.NOTICE:
                self.waiting.appendleft(row)
        self.waiting.extend(row for row in rows if row.kind is Kind.DELIVERY)
        self.position = max([self.position, *(row.position for row in rows)])

    def turn_back(self, domains: frozenset[str] | None) -> None:
        """Give back the deliveries for these domains that are not begun; all of them without domains."""
        rest: deque[Row] = deque()
        for row in self.waiting:
            back = row.kind is Kind.DELIVERY and (domains is None or row.domain in domains)
            (self.returned if back else rest).append(row)
        self.waiting = rest

    def stop(self) -> None:
        """Nothing more may go: break off before a final dot, so that the server has taken nothing."""
        self.over = True
        self.close()
        self.offered = None

    def close(self) -> None:
        """Let the connection go."""
        if self.session is None:
            self.opening.add_done_callback(_discard)
        elif self.offered or self.dotted:
            self.session.drop()
        else:
            self.session.leave()

    def _conclude(self, outcome: Outcome) -> None:
        row = outcome.message.key
        assert isinstance(row, Row)
        if row is self.dotted:
            self.dotted = None
        if row is self.offered:
            self.offered = None
        self.accepted = self.accepted or bool(outcome.taken)
        singled_out = row.singled_out or (row.blocked_before and self.accepted)
        self.entries.append(Entry(self.token, row, replies.judge(outcome, row.attempts, singled_out)))


def skipped(token: int, row: Row, reason: str) -> Entry:
    """The entry for a row whose reader left, or whose mailing was cancelled, before its turn came."""
    return Entry(token, row, Verdict(Dispatch.State.SKIPPED, reason, attempt=False))


def _discard(opening: Future[Session]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().leave()
