"""Which ways let one more lane in: what they have work for, how many connections they take, how long they rest."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from newsletter.delivery.lanes import Lane, pulse
from newsletter.delivery.pace import Pace
from newsletter.delivery.ways import Way
from newsletter.smtp import Refused

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds until a way that had nothing, or no room, is looked at again
WORTH_WAITING = 10.0  # seconds of a rest for which a sender stands by
FIRST_REST = 2.0  # seconds a relay is left alone after it turned us away, doubling
LONGEST_REST = 600.0


class Doors:
    """What one sender has found at the doors of its ways.

    Args:
        ways: where its lanes may lead.
        pace: what all processes have found.
        lanes: those of the sender, as they come and go.
        limit: how many it may have.
    """

    def __init__(self, ways: Sequence[Way], pace: Pace, lanes: Sequence[Lane], limit: int) -> None:
        self._ways = ways
        self._pace = pace
        self._lanes = lanes
        self._limit = limit
        self._caps: dict[Way, int] = {}
        self._dry: dict[Way, float] = {}  # until when nothing is looked for that could go that way
        self._full: dict[Way, float] = {}  # until when no lane more is asked for: all processes have as many as may be
        self._rests: dict[Way, tuple[float, float]] = {}

    def forget(self) -> None:
        """Look at all doors anew. Rests last."""
        self._caps.clear()
        self._dry.clear()
        self._full.clear()

    def open(self) -> list[Way]:
        """The ways that may get one more lane, and have something for it as far as we know."""
        return [way for way in self._ways if not self.dry(way) and self._awake(way) and self._has_room(way)]

    @property
    def soon(self) -> bool:
        """Whether one opens within a time that is worth waiting for."""
        latest = pulse() + WORTH_WAITING
        return any(not self.dry(way) and not self._is_full(way) and self._rest_end(way) < latest for way in self._ways)

    def dry(self, way: Way) -> bool:
        """Whether there was nothing of late that could go that way."""
        return pulse() < self._dry.get(way, 0.0)

    def found_nothing(self, way: Way) -> None:
        """Nothing is due that could go that way."""
        self._dry[way] = pulse() + LOOK_EVERY

    def found_no_room(self, way: Way) -> None:
        """All processes together have as many connections as the way may get."""
        self._full[way] = pulse() + LOOK_EVERY

    def given_back(self) -> None:
        """Rows were given back, which may be claimed at once."""
        self._dry.clear()

    def made_room(self) -> None:
        """A lane ended, and another may have its place at once."""
        self._full.clear()

    def turned_away(self, lane: Lane, refused: Refused) -> bool:
        """A relay did not let a lane in: one connection too many, or a rest.

        Returns:
            Whether it was a word about ourselves, which no rest will change.
        """
        if self._live(lane):
            self._caps[lane.way] = sum(other.way == lane.way and not other.over for other in self._lanes)
            return False
        logger.warning("%s", refused)
        self._rest(lane.way, str(refused))
        return refused.reply is not None and refused.reply.code // 100 == 5

    def ended(self, lane: Lane) -> None:
        """A lane comes to its end: what that says about its relay."""
        if lane.accepted:
            self._rests.pop(lane.way, None)
            self._pace.relay_works(lane.way)
        elif lane.dropped and not self._live(lane):
            self._rest(lane.way, "The connection broke.")

    def overdue(self) -> Lane | None:
        """A lane that may end, because another way, back from a rest, has less than its share."""
        load = {way: sum(lane.way == way for lane in self._lanes) / way.weight for way in self._ways}
        for way in self.open():
            for lane in self._lanes:
                if load[lane.way] > load[way] + 1 / way.weight:
                    return lane
        return None

    def _is_full(self, way: Way) -> bool:
        return pulse() < self._full.get(way, 0.0)

    def _rest_end(self, way: Way) -> float:
        """What other processes found counts where no lane of ours is welcome."""
        mine = self._rests.get(way, (0.0, 0.0))[0]
        welcome = any(lane.way == way and lane.accepted for lane in self._lanes)
        return mine if welcome else max(mine, self._pace.rest_end(way))

    def _awake(self, way: Way) -> bool:
        """Not resting. After a rest one lane goes ahead."""
        tried = way in self._rests and any(lane.connecting and lane.way == way for lane in self._lanes)
        return not tried and self._rest_end(way) <= pulse()

    def _has_room(self, way: Way) -> bool:
        mine = [lane for lane in self._lanes if lane.way == way]
        if self._is_full(way):
            return False
        return len(mine) < self._caps.get(way, self._limit) and not any(lane.idle and lane.kept for lane in mine)

    def _live(self, lane: Lane) -> bool:
        """Whether another lane is welcome where this one is not."""
        return any(other.way == lane.way and other.session and not other.over for other in self._lanes)

    def _rest(self, way: Way, why: str) -> None:
        _until, last = self._rests.get(way, (0.0, 0.0))
        rest = min(max(FIRST_REST, 2 * last), LONGEST_REST)
        self._rests[way] = (pulse() + rest, rest)
        self._pace.relay_rests(way, rest, why)
