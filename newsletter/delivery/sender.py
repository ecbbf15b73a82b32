"""The sending process: many connections, one loop, and one transaction for all that they have heard."""

from __future__ import annotations

import contextlib
import logging
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection, transaction

from newsletter.delivery import ledger, mailings, reaper
from newsletter.delivery.lanes import Lane, pulse, skipped
from newsletter.delivery.ledger import LEASE, Entry, Kind, Row
from newsletter.delivery.owner import owner
from newsletter.delivery.pace import Pace
from newsletter.delivery.ways import Way, choose, ways_out
from newsletter.models import Dispatch
from newsletter.smtp import Refused

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)
LANES = 8
CLAIM = 25  # rows; few, so that a slow connection does not keep others' work from them
LOOK_EVERY = 1.0  # seconds between looks for notices, new work and overdue replies
REAP_EVERY = 15.0
WORTH_WAITING = 10.0
MAKE_ROOM_EVERY = 5.0
FIRST_REST = 2.0  # seconds a relay is left alone after it turned us away, doubling
LONGEST_REST = 600.0


# The tokens that hold, the rows that must not go and why, and the rows that lanes were given.
Answers = tuple[set[int], dict[Row, str], list[tuple[Lane, list[Row]]]]


@dataclass(slots=True)
class Tally:
    """What one run did with the deliveries of its mailing."""

    sent: int = 0
    failed: int = 0


class Sender:
    """Sends due notices, and the due deliveries of one mailing if there is one, until none are left."""

    def __init__(self, mailing: int | None, lanes: int = LANES) -> None:
        self.mailing = mailing
        self.limit = lanes
        self.lanes: list[Lane] = []
        self.tally = Tally()
        self.owner = owner()
        self.ways = ways_out()
        self.pace = Pace(mailing, self.ways)
        self.caps: dict[Way, int] = {}
        self.dry: dict[Way, float] = {}
        self.rests: dict[Way, tuple[float, float]] = {}
        self.closing_at = float("inf")
        self.asked_to_stop = 0
        self.look_at = self.reap_at = self.make_room_at = 0.0

    def run(self, seconds: float = float("inf")) -> Tally:
        """Send until nothing is due, or no relay lets us in. A signal to stop is obeyed as soon as no reply is awaited.

        Args:
            seconds: after these nothing more is claimed; what is claimed is still sent.

        Returns:
            What this sender has done since it was made.

        Raises:
            OperationalError: the database stayed away for the length of a lease.
        """
        self.closing_at = pulse() + seconds
        self.dry.clear()
        self.caps.clear()
        with self._heeding_signals(), ThreadPoolExecutor(self.limit) as self.openers:
            try:
                while self._turn():
                    pass
            finally:
                for lane in self.lanes:
                    lane.stop()
                self.lanes.clear()
        return self.tally

    def _turn(self) -> bool:
        """Once around. False when there is nothing left to do."""
        self._prepare()
        self._listen()
        for lane in self.lanes:
            if self.pace.slowed:
                lane.turn_back(None if self.pace.asked_to_rest(lane.way) else self.pace.resting)
            lane.offer()
        self._write_down()
        for lane in self.lanes:
            if not self.asked_to_stop:
                lane.finish()
            lane.offer()
        return bool(self.lanes) or self._worth_waiting

    @contextlib.contextmanager
    def _heeding_signals(self) -> Iterator[None]:
        """Whoever stops this process politely gets no message in doubt: it goes on to die when all is written down."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
            if self.asked_to_stop:
                signal.raise_signal(self.asked_to_stop)

    def _note(self, number: int, _frame: object) -> None:
        self.asked_to_stop, self.closing_at = number, 0.0

    def _prepare(self) -> None:
        """Bury the dead and open lanes. What is under way need not suffer when the database is away for a moment."""
        if self.asked_to_stop:
            for lane in self.lanes:
                if not lane.dotted and not lane.over:
                    lane.stop()
        try:
            self._reap()
            self._hire()
        except AWAY as error:
            if not self.lanes:
                raise
            logger.warning("The database is away (%s).", error)
            connection.close()

    @property
    def _worth_waiting(self) -> bool:
        if pulse() >= self.closing_at:
            return False
        return self.pace.expecting or any(
            not self._dry(way) and self._rest_end(way) < pulse() + WORTH_WAITING for way in self.ways
        )

    def _dry(self, way: Way) -> bool:
        return pulse() < self.dry.get(way, 0.0)

    def _rest_end(self, way: Way) -> float:
        """What other processes found counts where no lane of ours is welcome."""
        mine = self.rests.get(way, (0.0, 0.0))[0]
        welcome = any(lane.way == way and lane.accepted for lane in self.lanes)
        return mine if welcome else max(mine, self.pace.rest_end(way))

    def _open(self) -> list[Way]:
        """The ways that may get one more lane, and have something for it as far as we know."""
        return [way for way in self.ways if not self._dry(way) and self._awake(way) and self._has_room(way)]

    def _awake(self, way: Way) -> bool:
        """Not resting. After a rest one lane goes ahead."""
        tried = way in self.rests and any(lane.connecting and lane.way == way for lane in self.lanes)
        return not tried and self._rest_end(way) <= pulse()

    def _has_room(self, way: Way) -> bool:
        mine = [lane for lane in self.lanes if lane.way == way]
        return len(mine) < self.caps.get(way, self.limit) and not any(lane.idle and lane.kept for lane in mine)

    def _reap(self) -> None:
        if pulse() >= self.reap_at:
            reaper.reap()
            self.reap_at = pulse() + REAP_EVERY

    def _hire(self) -> None:
        """Open lanes while there is work for them. The connection is opened aside, so that the others go on."""
        if pulse() < self.closing_at:
            self.pace.look()
        while len(self.lanes) < self.limit and pulse() < self.closing_at and (ways := self._open()):
            way = choose(ways, [lane.way for lane in self.lanes])
            lease_ends = pulse() + LEASE
            with transaction.atomic():
                token = ledger.open_lane(self.owner, str(way))
                rows = self._claim(token, way, 0) if self.pace.admits(way) else []
                if not rows:
                    ledger.free(token)
            if not rows:
                self.dry[way] = pulse() + LOOK_EVERY
                continue
            lane = Lane(token, way, self.openers.submit(way.connect), deque(), 0, lease_ends)
            lane.take(rows)
            self.lanes.append(lane)

    def _claim(self, token: int, way: Way, position: int) -> list[Row]:
        """Due rows for a lane, without those whose reader has left since the freeze."""
        while True:
            rows = self.pace.claim(way, token, position, CLAIM)
            refusals = ledger.refusals(rows)
            ledger.record([skipped(token, row, reason) for row, reason in refusals.items() if reason])
            if not rows or len(refusals) < len(rows):
                return [row for row in rows if row not in refusals or not refusals[row]]

    def _listen(self) -> None:
        """Wait until a server says something or takes more, and hear it."""
        poller = select.poll()
        by_descriptor = {}
        for lane in self.lanes:
            if lane.session and lane.session.sock:
                poller.register(lane.session.sock, select.POLLIN | (select.POLLOUT if lane.session.writing else 0))
                by_descriptor[lane.session.sock.fileno()] = lane
        stirred = [by_descriptor[descriptor] for descriptor, _event in poller.poll(self._pause() * 1000)]
        stirred += [lane for lane in self.lanes if lane.session and lane.session.news and lane not in stirred]
        for lane in self.lanes if pulse() >= self.look_at else stirred:
            lane.hear()
        for lane in self.lanes:
            refused = lane.connect()
            if refused:
                self._turned_away(lane, refused)

    def _pause(self) -> float:
        """How long nothing may be done but to listen, in seconds."""
        if any(lane.entries or lane.over or lane.candidate or lane.may_finish for lane in self.lanes):
            return 0.0
        if any(lane.session and lane.session.news for lane in self.lanes):
            return 0.0
        return 0.02 if any(lane.connecting for lane in self.lanes) else LOOK_EVERY / 4

    def _turned_away(self, lane: Lane, refused: Refused) -> None:
        """A relay did not let us in: one connection too many, a rest, or a word about ourselves."""
        if self._live(lane):
            self.caps[lane.way] = sum(other.way == lane.way and not other.over for other in self.lanes)
            return
        logger.warning("%s", refused)
        self._rest(lane.way, str(refused))
        if refused.reply and refused.reply.code // 100 == 5 and self.mailing is not None:
            mailings.pause_because(self.mailing, str(refused))

    def _live(self, lane: Lane) -> bool:
        """Whether another lane is welcome where this one is not."""
        return any(other.way == lane.way and other.session and not other.over for other in self.lanes)

    def _rest(self, way: Way, why: str) -> None:
        _until, last = self.rests.get(way, (0.0, 0.0))
        rest = min(max(FIRST_REST, 2 * last), LONGEST_REST)
        self.rests[way] = (pulse() + rest, rest)
        self.pace.relay_rests(way, rest, why)

    def _write_down(self) -> None:
        """Group commit: what was heard on all lanes, their leases, and a word on what each wants to send next."""
        looking = pulse() >= self.look_at
        concerned = [lane for lane in self.lanes if looking or lane.has_business or self._feeds(lane)]
        if looking:
            self.look_at = pulse() + LOOK_EVERY
            self._make_room()
        if not concerned:
            return
        started = pulse()
        held, refusals, fed = self._commit(concerned, looking)
        for lane in concerned:
            if lane.token in held:
                self._go_on(lane, started, refusals)
            else:
                self._lose(lane)
        for lane, rows in fed:
            lane.take(rows)

    def _feeds(self, lane: Lane) -> bool:
        if not lane.hungry or pulse() >= self.closing_at:
            return False
        return not self._dry(lane.way) or lane.token in self.pace.holders

    def _make_room(self) -> None:
        """Let one lane end where another way, back from a rest, has less than its share."""
        if len(self.ways) < 2 or len(self.lanes) < self.limit or pulse() < self.make_room_at:
            return
        self.make_room_at = pulse() + MAKE_ROOM_EVERY
        load = {way: sum(lane.way == way for lane in self.lanes) / way.weight for way in self.ways}
        for way in self._open():
            for lane in self.lanes:
                if load[lane.way] > load[way] + 1 / way.weight:
                    lane.retiring = True
                    lane.turn_back(None)
                    return

    def _commit(self, concerned: list[Lane], looking: bool) -> Answers:
        """One transaction, tried again while the leases last: nothing else is sent meanwhile."""
        end = min(lane.lease_ends for lane in concerned)
        while True:
            try:
                with transaction.atomic():
                    return self._transaction(concerned, looking)
            except AWAY as error:
                connection.close()
                if pulse() > end:
                    raise
                logger.warning("The database did not take what was heard (%s); once more in a second.", error)
                time.sleep(1)

    def _transaction(self, concerned: list[Lane], looking: bool) -> Answers:
        held = ledger.renew({lane.token: lane.next_cleared for lane in concerned})
        lanes = [lane for lane in concerned if lane.token in held]
        entries = [entry for lane in lanes for entry in lane.entries]
        ledger.record(entries)
        self.pace.count(entries)
        for entry in entries:
            if entry.verdict.pauses and entry.row.mailing is not None:
                mailings.pause_because(entry.row.mailing, mailings.why_refused(entry.verdict))
        asked = {row: lane.token for lane in lanes if (row := lane.candidate)}
        refusals = ledger.refusals(list(asked))
        ledger.record([skipped(asked[row], row, reason) for row, reason in refusals.items() if reason])
        for lane in lanes:
            if lane.returned:
                ledger.give_back(lane.token, lane.returned)
        self._free([lane for lane in lanes if lane.over])
        return held, refusals, self._feed(lanes, looking)

    def _free(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            if lane.way.connections:  # It is closed before anybody counts it as free.
                lane.close()
            ledger.free(lane.token)
        if lanes:
            ledger.skip_cancelled()

    def _feed(self, lanes: list[Lane], looking: bool) -> list[tuple[Lane, list[Row]]]:
        """Rows for lanes that run short; and once in a while, for one of the others, notices alone."""
        fed = [(lane, self._claim(lane.token, lane.way, lane.position)) for lane in lanes if self._feeds(lane)]
        for lane, rows in fed:
            if not rows:
                self.dry[lane.way] = pulse() + LOOK_EVERY
        if looking and pulse() < self.closing_at:
            live = {lane.way: lane for lane in lanes if not lane.over and not lane.retiring and not self._feeds(lane)}
            for way, lane in live.items():
                fed.append((lane, self.pace.claim_notices(way, lane.token, lane.position, CLAIM)))
        return fed

    def _go_on(self, lane: Lane, renewed: float, refusals: dict[Row, str]) -> None:
        """What the lane may do now that everything it has heard is written down."""
        for entry in lane.entries:
            self._count(entry)
            if entry.verdict.slows:
                self.pace.learn(lane.way, entry)
        lane.entries.clear()
        lane.returned.clear()
        lane.lease_ends = renewed + LEASE
        if lane.over:
            self._bury(lane)
            return
        row = lane.candidate
        if row and row in refusals:
            lane.stop()
        elif row:
            lane.cleared = row.position
        elif lane.idle and not self._feeds(lane):
            lane.kept = self.pace.expecting and not lane.retiring and pulse() < self.closing_at
            lane.over = not lane.kept

    def _bury(self, lane: Lane) -> None:
        """Let a lane go that has written everything down; what it gave back may be claimed at once."""
        if lane.accepted:
            self.rests.pop(lane.way, None)
            self.pace.relay_works(lane.way)
        elif lane.dropped and not self._live(lane):
            self._rest(lane.way, "The connection broke.")
        lane.close()
        self.lanes.remove(lane)
        self.dry.clear()

    def _lose(self, lane: Lane) -> None:
        """The lease is gone, and with it the rows: somebody else answers for them."""
        logger.warning("A lane lost its lease and stops.")
        lane.stop()
        self.lanes.remove(lane)

    def _count(self, entry: Entry) -> None:
        if entry.row.kind is Kind.DELIVERY:
            self.tally.sent += entry.verdict.state == Dispatch.State.SENT
            self.tally.failed += entry.verdict.state == Dispatch.State.FAILED
