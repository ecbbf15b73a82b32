"""Rows for the lanes of one sender: how many each claims, in a claim that nobody waits for where nothing is limited."""

from __future__ import annotations

import logging

from django.db import connection, transaction

from newsletter.delivery import claims, ledger
from newsletter.delivery.doors import Doors
from newsletter.delivery.lanes import Lane, skipped
from newsletter.delivery.ledger import Kind, Row
from newsletter.delivery.pace import Pace
from newsletter.delivery.statements import AWAY, Desk
from newsletter.delivery.ways import Way

logger = logging.getLogger(__name__)

CLAIM = 25  # rows; few, so that a slow connection does not keep others' work from them
MOST_CLAIMED = 100  # rows, for a lane that has had as many before
FEWEST_CLAIMED = 8  # rows, where the queue ends


class Supply:
    """Claims due notices, and the due deliveries of one mailing if there is one.

    Args:
        mailing: whose deliveries; None for notices alone.
        pace: what may be claimed.
        doors: which ways have nothing left; told when one is found to have nothing.
        lanes: those of the sender, as they come and go.
    """

    def __init__(self, mailing: int | None, pace: Pace, doors: Doors, lanes: list[Lane]) -> None:
        self._mailing = mailing
        self._pace = pace
        self._doors = doors
        self._lanes = lanes
        self._desk = None if connection.in_atomic_block or connection.vendor != "postgresql" else Desk()
        self.claim: claims.Claim | None = None
        self._claimer: Lane | None = None
        self._passed: claims.Place | None = None
        self._last = self._foremost = 0  # by number, the last delivery that is due, and the last one claimed here

    def open(self) -> None:
        """Look how far the queue reaches."""
        self._last, self._foremost = claims.last(self._mailing) if self._mailing is not None else 0, 0

    def close(self) -> None:
        """Let the connection go where claims are not waited for."""
        if self._desk:
            self._desk.close()

    def look_back(self) -> None:
        """Begin at the head of the queue again: what others gave back stands where it stood."""
        self._passed = None

    def begin(self, token: int, way: Way) -> list[Row]:
        """The first rows of a lane, claimed in the transaction that makes it."""
        return self._claimed(token, way, 0, CLAIM)

    def notices(self, lane: Lane) -> list[Row]:
        """Due notices alone for a lane, claimed in the transaction that renews it."""
        return self._pace.claim_notices(lane.way, lane.token, lane.position, CLAIM)

    def give(self, lane: Lane, rows: list[Row]) -> None:
        """Queue claimed rows in their lane."""
        lane.take(rows)
        if rows and rows[-1].kind is Kind.DELIVERY:
            self._foremost = max(self._foremost, rows[-1].pk)

    def feed(self, hungry: list[Lane]) -> list[Lane]:
        """Rows for lanes that run short; where nothing is limited, for one at a time, which `take` then gives it.

        Returns:
            The lanes that may go on with what they were given.
        """
        if not hungry:
            return []
        if self._desk and self._mailing is not None and not self._pace.limited:
            self._ask(min(hungry, key=lambda lane: len(lane.waiting)), self._mailing, self._desk)
            return []
        try:
            with transaction.atomic():
                held = ledger.renew({lane.token: lane.cleared for lane in hungry})
                fed = [(lane, self._more(lane)) for lane in hungry if lane.token in held]
        except AWAY as error:
            logger.warning("The database is away (%s).", error)
            connection.close()
            return []
        for lane, rows in fed:
            self.give(lane, rows)
            if not rows:
                self._doors.found_nothing(lane.way)
        return hungry

    def take(self) -> Lane | None:
        """Give its lane what the claim under way has brought; whose reader has left meanwhile is heard as skipped.

        Returns:
            The lane, once it was given something and may go on.
        """
        claim, lane = self.claim, self._claimer
        if claim is None or lane is None or not claim.done:
            return None
        self.claim, lane.claiming = None, False
        try:
            found = claim.answer()
        except AWAY as error:
            # Perhaps rows were claimed of which nobody knows: the lane ends, and gives back all that is its own.
            logger.warning("The database did not answer (%s).", error)
            self.close()
            lane.retiring = True
            return None
        self._passed = claim.end
        if not found and claim.begin is None:
            self._doors.found_nothing(lane.way)
        self.give(lane, [row for row, reason in found if not reason])
        lane.entries += [skipped(lane.token, row, reason) for row, reason in found if reason]
        return lane

    def _ask(self, lane: Lane, mailing: int, desk: Desk) -> None:
        """Claim without waiting, one lane at a time: the others live on what they have."""
        if self.claim:
            return
        try:
            self.claim = claims.Claim(mailing, lane.token, lane.position, self._most(lane), desk, self._passed)
        except AWAY as error:
            logger.warning("The database is away (%s).", error)
            desk.close()
            return
        self._claimer, lane.claiming = lane, True

    def _more(self, lane: Lane) -> list[Row]:
        return self._claimed(lane.token, lane.way, lane.position, self._most(lane), self._mailing is None)

    def _claimed(self, token: int, way: Way, position: int, most: int, notices: bool = True) -> list[Row]:
        """Due rows for a lane, without those whose reader has left meanwhile."""
        while True:
            rows = self._pace.claim(way, token, position, most, notices)
            refusals = ledger.refusals([row for row in rows if row.kind is Kind.NOTICE])
            ledger.record([skipped(token, row, reason) for row, reason in refusals.items() if reason])
            if not rows or len(refusals) < len(rows):
                return [row for row in rows if not refusals.get(row)]

    def _most(self, lane: Lane) -> int:
        """Twice what it has had; less where the queue ends, so that all lanes come to their ends together."""
        most = min(max(CLAIM, 2 * lane.position), MOST_CLAIMED)
        left = self._last - self._foremost
        if left > 0 and not self._pace.limited:
            share = -(-(left + sum(len(other.waiting) for other in self._lanes)) // len(self._lanes))
            most = min(most, max(share - len(lane.waiting), FEWEST_CLAIMED))
        return most
