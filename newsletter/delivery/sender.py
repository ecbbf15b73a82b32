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

from newsletter.delivery import causes, claims, ledger, mailings, reaper, witness
from newsletter.delivery.envelopes import Envelopes
from newsletter.delivery.lanes import Lane, pulse, skipped
from newsletter.delivery.ledger import LEASE, Entry, Kind, Row
from newsletter.delivery.owner import owner
from newsletter.delivery.pace import Pace
from newsletter.delivery.statements import Desk
from newsletter.delivery.ways import Way, choose, ways_out
from newsletter.models import Dispatch
from newsletter.smtp import Refused

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)
LANES = 8
CLAIM = 25  # rows; few, so that a slow connection does not keep others' work from them
MOST_CLAIMED = 100  # rows, for a lane that has had as many before
FEWEST_CLAIMED = 8  # rows, where the queue ends
LOOK_EVERY = 1.0  # seconds between looks for notices, new work and overdue replies
REAP_EVERY = 15.0
WORTH_WAITING = 10.0
GATHER = 0.004  # seconds that a settlement waits for more to settle
MAKE_ROOM_EVERY = 5.0
FIRST_REST = 2.0  # seconds a relay is left alone after it turned us away, doubling
LONGEST_REST = 600.0


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
        self.caps: dict[Way, int] = {}
        self.dry: dict[Way, float] = {}  # until when nothing is looked for that could go that way
        self.full: dict[Way, float] = {}  # until when no lane more is asked for: all processes have as many as may be
        self.rests: dict[Way, tuple[float, float]] = {}
        self.closing_at = float("inf")
        self.asked_to_stop = 0
        self.look_at = self.reap_at = self.make_room_at = 0.0
        self.envelopes = Envelopes()
        self.settlement: ledger.Settlement | None = None
        self.concerned: list[Lane] = []
        self.desk = None if connection.in_atomic_block or connection.vendor != "postgresql" else Desk()
        self.claim: claims.Claim | None = None
        self.claimer: Lane | None = None
        self.passed: claims.Place | None = None
        self.last = self.foremost = 0  # by number, the last delivery that is due, and the last one claimed here
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
        self.dry.clear()
        self.full.clear()
        self.caps.clear()
        self.envelopes = Envelopes()
        self.last, self.foremost = claims.last(self.mailing) if self.mailing is not None else 0, 0
        with self._heeding_signals(), ledger.plain_plans(), ThreadPoolExecutor(self.limit) as self.openers:
            try:
                while self._turn():
                    pass
            finally:
                for lane in self.lanes:
                    lane.stop()
                self.lanes.clear()
                if self.desk:
                    self.desk.close()
        return self.tally

    def _turn(self) -> bool:
        """Once around. False when there is nothing left to do."""
        if self.settlement is None:
            self._prepare()
        if not self.lanes and not self._worth_waiting:
            return False
        self._listen()
        self._take_claimed()
        if self._has_settled():
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
    def _worth_waiting(self) -> bool:
        if pulse() >= self.closing_at:
            return False
        return self.pace.expecting or any(
            not self._dry(way) and not self._full(way) and self._rest_end(way) < pulse() + WORTH_WAITING
            for way in self.ways
        )

    def _dry(self, way: Way) -> bool:
        return pulse() < self.dry.get(way, 0.0)

    def _full(self, way: Way) -> bool:
        return pulse() < self.full.get(way, 0.0)

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
        if self._full(way):
            return False
        return len(mine) < self.caps.get(way, self.limit) and not any(lane.idle and lane.kept for lane in mine)

    def _reap(self) -> None:
        if pulse() >= self.reap_at:
            witness.look()
            reaper.reap()
            self.passed = None  # What was given back stands where it stood.
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
                admitted = self.pace.admits(way)
                rows = self._claim(token, way, 0, CLAIM) if admitted else []
                if not rows:
                    claims.free(token)
            if not rows:
                (self.dry if admitted else self.full)[way] = pulse() + LOOK_EVERY
                continue
            lane = Lane(token, way, self.envelopes, self.openers.submit(way.connect), deque(), 0, lease_ends)
            self.lanes.append(lane)
            self._give(lane, rows)

    def _claim(self, lane: int, way: Way, position: int, most: int, notices: bool = True) -> list[Row]:
        """Due rows for a lane, without those whose reader has left meanwhile."""
        while True:
            rows = self.pace.claim(way, lane, position, most, notices)
            refusals = ledger.refusals([row for row in rows if row.kind is Kind.NOTICE])
            ledger.record([skipped(lane, row, reason) for row, reason in refusals.items() if reason])
            if not rows or len(refusals) < len(rows):
                return [row for row in rows if not refusals.get(row)]

    def _give(self, lane: Lane, rows: list[Row]) -> None:
        lane.take(rows)
        if rows and rows[-1].kind is Kind.DELIVERY:
            self.foremost = max(self.foremost, rows[-1].pk)

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
        for asked in (self.settlement, self.claim):
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
            if refused:
                self._turned_away(lane, refused)
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

    def _turned_away(self, lane: Lane, refused: Refused) -> None:
        """A relay did not let us in: one connection too many, a rest, or a word about ourselves."""
        if self._live(lane):
            self.caps[lane.way] = sum(other.way == lane.way and not other.over for other in self.lanes)
            return
        logger.warning("%s", refused)
        self._rest(lane.way, str(refused))
        if refused.reply and refused.reply.code // 100 == 5 and self.mailing is not None:
            mailings.pause_because(self.mailing, causes.turned_away(refused))

    def _live(self, lane: Lane) -> bool:
        """Whether another lane is welcome where this one is not."""
        return any(other.way == lane.way and other.session and not other.over for other in self.lanes)

    def _rest(self, way: Way, why: str) -> None:
        _until, last = self.rests.get(way, (0.0, 0.0))
        rest = min(max(FIRST_REST, 2 * last), LONGEST_REST)
        self.rests[way] = (pulse() + rest, rest)
        self.pace.relay_rests(way, rest, why)

    def _has_settled(self) -> bool:
        return self.settlement is None or _is_done(self.settlement)

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

    def _take_claimed(self) -> None:
        """Take the answer of the claim under way. Whose reader has left meanwhile is written down as skipped."""
        claim, lane = self.claim, self.claimer
        if claim is None or lane is None or not _is_done(claim):
            return
        self.claim, lane.claiming = None, False
        try:
            found = claim.answer()
        except AWAY as error:
            # Perhaps rows were claimed of which nobody knows: the lane ends, and gives back all that is its own.
            logger.warning("The database did not answer (%s).", error)
            if self.desk:
                self.desk.close()
            lane.retiring = True
            return
        self.passed = claim.end
        if not found and claim.begin is None:
            self.dry[lane.way] = pulse() + LOOK_EVERY
        self._give(lane, [row for row, reason in found if not reason])
        lane.entries += [skipped(lane.token, row, reason) for row, reason in found if reason]
        self._go_to_it([lane])

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
                self.dry.clear()  # What it gave back may be claimed at once.
        if lanes:
            self.full.clear()
            ledger.skip_cancelled()

    def _notices(self, lanes: list[Lane]) -> list[tuple[Lane, list[Row]]]:
        """Once in a while, due notices for one lane of each way: they do not wait for the mailing to end."""
        if pulse() >= self.closing_at:
            return []
        live = {
            lane.way: lane for lane in lanes if not (lane.over or lane.retiring or lane.claiming or self._feeds(lane))
        }
        return [(lane, self.pace.claim_notices(way, lane.token, lane.position, CLAIM)) for way, lane in live.items()]

    def _feed_the_hungry(self) -> None:
        """Rows for lanes that run short; those that get none and have nothing to do may end."""
        hungry = [lane for lane in self.lanes if self._feeds(lane)]
        if hungry and self.desk and self.mailing is not None and not self.pace.limited:
            self._claim_aside(min(hungry, key=lambda lane: len(lane.waiting)), self.mailing, self.desk)
            hungry = []
        fed: list[tuple[Lane, list[Row]]] = []
        if hungry:
            try:
                with transaction.atomic():
                    held = ledger.renew({lane.token: lane.cleared for lane in hungry})
                    fed = [(lane, self._more(lane)) for lane in hungry if lane.token in held]
            except AWAY as error:
                logger.warning("The database is away (%s).", error)
                connection.close()
                return
        for lane, rows in fed:
            self._give(lane, rows)
            if not rows:
                self.dry[lane.way] = pulse() + LOOK_EVERY
        self._go_to_it(hungry)
        for lane in self.lanes:
            if lane.idle and not lane.over and not self._feeds(lane):
                lane.kept = self.pace.expecting and not lane.retiring and pulse() < self.closing_at
                lane.over = not lane.kept

    def _claim_aside(self, lane: Lane, mailing: int, desk: Desk) -> None:
        """Claim without waiting, one lane at a time: the others live on what they have."""
        if self.claim:
            return
        try:
            self.claim = claims.Claim(mailing, lane.token, lane.position, self._most(lane), desk, self.passed)
        except AWAY as error:
            logger.warning("The database is away (%s).", error)
            desk.close()
            return
        self.claimer, lane.claiming = lane, True

    def _more(self, lane: Lane) -> list[Row]:
        return self._claim(lane.token, lane.way, lane.position, self._most(lane), self.mailing is None)

    def _most(self, lane: Lane) -> int:
        """Twice what it has had; less where the queue ends, so that all lanes come to their ends together."""
        most = min(max(CLAIM, 2 * lane.position), MOST_CLAIMED)
        left = self.last - self.foremost
        if left > 0 and not self.pace.limited:
            share = -(-(left + sum(len(other.waiting) for other in self.lanes)) // len(self.lanes))
            most = min(most, max(share - len(lane.waiting), FEWEST_CLAIMED))
        return most

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
        if lane.accepted:
            self.rests.pop(lane.way, None)
            self.pace.relay_works(lane.way)
        elif lane.dropped and not self._live(lane):
            self._rest(lane.way, "The connection broke.")
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


def _is_done(asked: ledger.Settlement | claims.Claim) -> bool:
    try:
        return asked.done
    except AWAY:
        return True  # and whoever takes the answer hears why
