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

from django.db import connection, transaction

from newsletter.delivery import causes, claims, ledger, mailings, reaper, witness
from newsletter.delivery.doors import Doors
from newsletter.delivery.envelopes import Envelopes
from newsletter.delivery.lanes import Lane, pulse, skipped
from newsletter.delivery.ledger import LEASE, Entry, Kind, Row
from newsletter.delivery.owner import owner
from newsletter.delivery.pace import Pace
from newsletter.delivery.statements import AWAY
from newsletter.delivery.supply import Supply
from newsletter.delivery.ways import choose, ways_out
from newsletter.models import Dispatch

logger = logging.getLogger(__name__)

LANES = 8
LOOK_EVERY = 1.0  # seconds between looks for notices, new work and overdue replies
REAP_EVERY = 15.0
GATHER = 0.004  # seconds that a settlement waits for more to settle
MAKE_ROOM_EVERY = 5.0


# The tokens that hold, the rows that must not go and why, and the notices that a lane was given.
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
        self.doors = Doors(self.ways, self.pace, self.lanes, lanes)
        self.supply = Supply(mailing, self.pace, self.doors, self.lanes)
        self.closing_at = float("inf")
        self.asked_to_stop = 0
        self.look_at = self.reap_at = self.make_room_at = 0.0
        self.envelopes = Envelopes()
        self.settlement: ledger.Settlement | None = None
        self.concerned: list[Lane] = []
        self.started = self.gathering = 0.0

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
        self.doors.forget()
        self.envelopes = Envelopes()
        self.supply.open()
        with self._heeding_signals(), ledger.plain_plans(), ThreadPoolExecutor(self.limit) as self.openers:
            try:
                while self._turn():
                    pass
            finally:
                for lane in self.lanes:
                    lane.stop()
                self.lanes.clear()
                self.supply.close()
        return self.tally

    def _turn(self) -> bool:
        """Once around. False when there is nothing left to do."""
        if self.settlement is None:
            self._prepare()
        if not self.lanes and not self._worth_waiting:
            return False
        self._listen()
        if supplied := self.supply.take():
            self._go_to_it([supplied])
        if self.settlement is None or self.settlement.done:
            settled = self._conclude()
            if not self._gathers():
                self._feed_the_hungry()
                self._begin()
            self._go_to_it(settled)
        return True

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
                if not lane.dotted and not lane.over and not lane.claiming:
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
    def _closing(self) -> bool:
        return pulse() >= self.closing_at

    @property
    def _worth_waiting(self) -> bool:
        return not self._closing and (self.pace.expecting or self.doors.soon)

    def _reap(self) -> None:
        if pulse() >= self.reap_at:
            witness.look()
            reaper.reap()
            self.supply.look_back()
            self.reap_at = pulse() + REAP_EVERY

    def _hire(self) -> None:
        """Open lanes while there is work for them. The connection is opened aside, so that the others go on."""
        if not self._closing:
            self.pace.look()
        while len(self.lanes) < self.limit and not self._closing and (ways := self.doors.open()):
            way = choose(ways, [lane.way for lane in self.lanes])
            lease_ends = pulse() + LEASE
            with transaction.atomic():
                token = ledger.open_lane(self.owner, str(way))
                admitted = self.pace.admits(way)
                rows = self.supply.begin(token, way) if admitted else []
                if not rows:
                    claims.free(token)
            if rows:
                lane = Lane(token, way, self.envelopes, self.openers.submit(way.connect), deque(), 0, lease_ends)
                self.lanes.append(lane)
                self.supply.give(lane, rows)
            elif admitted:
                self.doors.found_nothing(way)
            else:
                self.doors.found_no_room(way)

    def _listen(self) -> None:
        """Wait until a server says something or takes more, or the database has answered; and hear the servers."""
        poller = select.poll()
        by_descriptor = {}
        stirred = []
        for lane in self.lanes:
            session = lane.session
            if session and session.sock:
                poller.register(session.sock, select.POLLIN | (select.POLLOUT if session.writing else 0))
                by_descriptor[session.sock.fileno()] = lane
            if session and session.news:
                stirred.append(lane)
        for asked in (self.settlement, self.supply.claim):
            if asked and asked.descriptor is not None:
                poller.register(asked.descriptor, select.POLLIN)
        events = poller.poll(0) or self._meanwhile(poller)
        if not events and not stirred:
            events = poller.poll(self._pause() * 1000)
        readable = [by_descriptor[descriptor] for descriptor, _event in events if descriptor in by_descriptor]
        stirred += [lane for lane in readable if lane not in stirred]
        self._hear(self.lanes if pulse() >= self.look_at else stirred)

    def _meanwhile(self, poller: select.poll) -> list[tuple[int, int]]:
        """While nobody says anything, make the messages that come next."""
        for lane in self.lanes:
            if lane.waiting and not lane.prepared:
                lane.prepare(at_hand=True)
                if events := poller.poll(0):
                    return events
        return []

    def _hear(self, stirred: list[Lane]) -> None:
        for lane in stirred:
            lane.hear()
        self._go_to_it(stirred)
        if self.settlement is None:
            self._welcome([lane for lane in self.lanes if lane.connecting])

    def _welcome(self, lanes: list[Lane]) -> None:
        """Take over connections that are open now."""
        for lane in lanes:
            refused = lane.connect()
            if refused and self.doors.turned_away(lane, refused) and self.mailing is not None:
                mailings.pause_because(self.mailing, causes.turned_away(refused))
        self._go_to_it(lanes)

    def _go_to_it(self, lanes: list[Lane]) -> None:
        """Final dots where they may be written, and the next message behind each."""
        at_hand = self.settlement is not None
        for lane in lanes:
            if self.pace.slowed:
                lane.turn_back(None if self.pace.asked_to_rest(lane.way) else self.pace.resting)
            if not self.asked_to_stop:
                lane.finish(at_hand)
            lane.offer(at_hand)

    def _pause(self) -> float:
        """How long nothing may be done but to listen, in seconds."""
        if self.settlement:
            return LOOK_EVERY / 4 if self.settlement.descriptor is not None else 0.0
        now = pulse()
        if any(lane.ended for lane in self.lanes):
            return 0.0
        if any(lane.has_business(now) for lane in self.lanes):
            self.gathering = self.gathering or now
            return max(0.0, self.gathering + GATHER - now)
        return GATHER if any(lane.connecting for lane in self.lanes) else LOOK_EVERY / 4

    def _conclude(self) -> list[Lane]:
        """Take the answer of the settlement under way. Returns its lanes, which may go on."""
        settlement, self.settlement = self.settlement, None
        if settlement is None:
            return []
        lanes, started = self.concerned, self.started
        try:
            held, refusals = settlement.answer()
        except AWAY as error:
            # Whatever of it was written is not written twice: those rows have left their lanes.
            logger.warning("The database did not answer (%s).", error)
            connection.close()
            self._settle_and_wait(lanes)
            return lanes
        for lane in lanes:
            row = lane.asking
            self._go_on(lane, started, held, refusals)
            if row and refusals.get(row):
                lane.entries.append(skipped(lane.token, row, refusals[row]))
        return lanes

    def _gathers(self) -> bool:
        """Whether replies that are on their way are worth a moment: then one settlement does for many lanes."""
        now = pulse()
        awaited = any(lane.dotted for lane in self.lanes) and not any(lane.over for lane in self.lanes)
        if not awaited or now >= self.look_at:
            return False
        if not self.gathering and any(lane.has_business(now) for lane in self.lanes):
            self.gathering = now
        return bool(self.gathering) and now - self.gathering < GATHER

    def _begin(self) -> None:
        """Group commit: what was heard on all lanes, their leases, and a word on what each wants to send next."""
        now = pulse()
        looking = now >= self.look_at
        concerned = [lane for lane in self.lanes if lane.has_business(now) or (looking and not lane.over)]
        if looking:
            self.look_at = now + LOOK_EVERY
            self._make_room()
        elif not concerned:
            return
        self.gathering = 0.0
        if looking or self.pace.counts or not all(lane.is_plain for lane in concerned):
            self._settle_and_wait(concerned, looking)
            self._go_to_it(concerned)
        else:
            self._settle(concerned, now)

    def _settle(self, concerned: list[Lane], now: float) -> None:
        for lane in concerned:
            lane.telling, lane.asking = len(lane.entries), lane.candidate
        self.concerned, self.started = concerned, now
        try:
            self.settlement = ledger.Settlement(
                {lane.token: lane.next_cleared for lane in concerned},
                [entry for lane in concerned for entry in lane.entries],
                [lane.asking for lane in concerned if lane.asking],
            )
        except AWAY as error:
            logger.warning("The database is away (%s).", error)
            connection.close()
            self._settle_and_wait(concerned)

    def _settle_and_wait(self, concerned: list[Lane], looking: bool = False) -> None:
        """The same for lanes that also end, or have heard more than that a message was taken."""
        started = pulse()
        for lane in concerned:
            lane.telling, lane.asking = len(lane.entries), lane.candidate
        held, refusals, notices = self._commit(concerned, looking)
        for lane in concerned:
            ended = lane.ended
            lane.returned.clear()
            self._go_on(lane, started, held, refusals)
            if ended and lane in self.lanes:
                self._bury(lane)
        for lane, rows in notices:
            lane.take(rows)

    def _feeds(self, lane: Lane) -> bool:
        if not lane.hungry or self._closing:
            return False
        return not self.doors.dry(lane.way) or lane.token in self.pace.holders

    def _make_room(self) -> None:
        """Let one lane end where another way, back from a rest, has less than its share."""
        if len(self.ways) < 2 or len(self.lanes) < self.limit or pulse() < self.make_room_at:
            return
        self.make_room_at = pulse() + MAKE_ROOM_EVERY
        if lane := self.doors.overdue():
            lane.retiring = True
            lane.turn_back(None)

    def _commit(self, concerned: list[Lane], looking: bool) -> Answers:
        """One transaction, tried again while the leases last: nothing else is sent meanwhile."""
        end = min((lane.lease_ends for lane in concerned), default=0.0)
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
        asked = {lane.asking: lane.token for lane in lanes if lane.asking}
        refusals = ledger.refusals(list(asked))
        ledger.record([skipped(asked[row], row, reason) for row, reason in refusals.items() if reason])
        for lane in lanes:
            if lane.returned:
                claims.give_back(lane.token, lane.returned)
        self._free([lane for lane in lanes if lane.ended])
        return held, refusals, self._notices(lanes) if looking else []

    def _free(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            if lane.way.connections:  # It is closed before anybody counts it as free.
                lane.close()
            if claims.free(lane.token) or lane.returned or lane.dropped:
                self.doors.given_back()
        if lanes:
            self.doors.made_room()
            ledger.skip_cancelled()

    def _notices(self, lanes: list[Lane]) -> list[tuple[Lane, list[Row]]]:
        """Once in a while, due notices for one lane of each way: they do not wait for the mailing to end."""
        if self._closing:
            return []
        live = {
            lane.way: lane for lane in lanes if not (lane.over or lane.retiring or lane.claiming or self._feeds(lane))
        }
        return [(lane, self.supply.notices(lane)) for lane in live.values()]

    def _feed_the_hungry(self) -> None:
        """Rows for lanes that run short; those that get none and have nothing to do may end."""
        self._go_to_it(self.supply.feed([lane for lane in self.lanes if self._feeds(lane)]))
        for lane in self.lanes:
            if lane.idle and not lane.over and not self._feeds(lane):
                lane.kept = self.pace.expecting and not lane.retiring and not self._closing
                lane.over = not lane.kept

    def _go_on(self, lane: Lane, renewed: float, held: set[int], refusals: dict[Row, str]) -> None:
        """What the lane may do now that what it had heard is written down."""
        if lane.token not in held:
            self._lose(lane)
            return
        told, lane.entries = lane.entries[: lane.telling], lane.entries[lane.telling :]
        for entry in told:
            self._count(entry)
            if entry.verdict.slows:
                self.pace.learn(lane.way, entry)
        lane.lease_ends = renewed + LEASE
        row, lane.asking = lane.asking, None
        if row and row in refusals:
            lane.stop()
        elif row:
            lane.cleared = row.position

    def _bury(self, lane: Lane) -> None:
        """Let a lane go that has written everything down."""
        self.doors.ended(lane)
        lane.close()
        self.lanes.remove(lane)

    def _lose(self, lane: Lane) -> None:
        """The lease is gone, and with it the rows: somebody else answers for them."""
        logger.warning("A lane lost its lease and stops.")
        lane.stop()
        self.lanes.remove(lane)

    def _count(self, entry: Entry) -> None:
        if entry.row.kind is Kind.DELIVERY:
            self.tally.sent += entry.verdict.state == Dispatch.State.SENT
            self.tally.failed += entry.verdict.state == Dispatch.State.FAILED
