"""Who answers for a row: lanes claim what is due, in order, and give back untouched what they have not begun."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from newsletter.delivery import clock
from newsletter.delivery.ledger import EVIDENCE, Entry, Kind, Row, forgetting, record, refusal
from newsletter.delivery.replies import BLOCKED, Verdict
from newsletter.delivery.statements import Answer, Desk, Statement, answer, gathered, rows
from newsletter.models import Delivery, Dispatch, Lane

Place = tuple[object, int]  # in the queue: when it fell due, and its number


class Among(NamedTuple):
    """A condition on the rows that may be claimed, with its parameters."""

    condition: str = "TRUE"
    parameters: tuple[Any, ...] = ()


ANY = Among()


def claim_notices(lane: int, position: int, limit: int, among: Among = ANY) -> list[Row]:
    """Claim due notices for a lane, numbered after `position`, in the order they fell due."""
    if not _claim_notices(lane, position, limit, among):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT n.id, n.position, n.message_id, COALESCE(u.email, n.address), n.attempts
               FROM newsletter_notice n LEFT JOIN newsletter_subscription s ON s.id = n.subscription_id
               LEFT JOIN newsletter_subscriber u ON u.id = s.subscriber_id
               WHERE n.lane = %s AND n.position > %s ORDER BY n.position""",
            [lane, position],
        )
        return [Row(Kind.NOTICE, *facts) for facts in cursor.fetchall()]


def claim_deliveries(mailing: int, lane: int, position: int, limit: int, among: Among = ANY) -> list[Row]:
    """Claim due deliveries of a mailing for a lane, numbered after `position`, in the order they fell due.

    Those whose reader has left since the freeze are skipped at once.
    """
    rows: list[Row] = []
    while not rows:
        claim = {"claim": [[mailing, lane, position, limit]]}
        claimed = _claimed(mailing, _claiming(connection.vendor, among.condition).run(claim, *among.parameters))
        if not claimed:
            return []
        refused = [(row, reason) for row, reason in claimed if reason]
        record([Entry(lane, row, Verdict(Dispatch.State.SKIPPED, reason, attempt=False)) for row, reason in refused])
        rows = [row for row, reason in claimed if not reason]
    return rows


class Claim:
    """Due deliveries that a lane asks for at a desk while it goes on; for mailings without any limit.

    Args:
        begin: where in the queue to begin: what was claimed before it is not passed once more.
    """

    def __init__(
        self, mailing: int, lane: int, position: int, limit: int, desk: Desk, begin: Place | None = None
    ) -> None:
        self._mailing, self._limit, self.begin = mailing, limit, begin
        claim = {"claim": [[mailing, lane, position, limit]]}
        among = after(begin, ANY) if begin else ANY
        self._pending = _claiming(connection.vendor, among.condition).begin(claim, *among.parameters, desk=desk)
        self.end: Place | None = None

    @property
    def descriptor(self) -> int:
        """What becomes readable when it may be done."""
        return self._pending.descriptor

    @property
    def done(self) -> bool:
        """Whether `answer` will not wait."""
        return self._pending.done

    def answer(self) -> list[tuple[Row, str]]:
        """The rows that are the lane's now, in order, each with the reason why it must not go, or nothing.

        `end` is then where the next claim may begin; None once the end of the queue was reached.

        Raises:
            DatabaseError: it is not known whether any were claimed.
        """
        found = self._pending.answer()
        if len(found) == self._limit:
            self.end = found[-1][-1], found[-1][0]
        return _claimed(self._mailing, found)


def after(place: Place, among: Among) -> Among:
    """The same rows, as far as they stand behind a place in the queue."""
    return Among(f"(due_at, id) > (%s, %s) AND {among.condition}", (*place, *among.parameters))


def _claimed(mailing: int, found: Answer) -> list[tuple[Row, str]]:
    return [(_row(mailing, *line[:9]), refusal(Kind.DELIVERY, *line[9:-1])) for line in found]


def _row(
    mailing: int,
    pk: int,
    position: int,
    message_id: str,
    address: str,
    attempts: int,
    variant: int,
    public_id: str | None,
    blocked: int,
    singled: int,
) -> Row:
    place = (pk, position, message_id, address, attempts)
    return Row(Kind.DELIVERY, *place, mailing, variant, public_id, bool(blocked), bool(singled))


@cache
def _claiming(vendor: str, condition: str) -> Statement:
    """Due rows that nobody holds become a lane's; two lanes never wait for each other's rows."""
    asked = rows("claim", mailing="bigint", lane="bigint", position="integer", most="integer")
    skip = "FOR UPDATE SKIP LOCKED" if vendor == "postgresql" else ""
    # Whoever ends the lane waits for the claim, or the claim for them: no row is left with a lane that is no more.
    lock = "FOR KEY SHARE" if vendor == "postgresql" else ""
    held = f"""SELECT 1 FROM newsletter_lane WHERE token = (SELECT lane FROM {asked} AS c)
        AND lease_until > {clock.now()} {lock}"""
    named = "$more.{}" if vendor == "postgresql" else "%(more{})s"
    places = count()
    condition = re.sub("%s", lambda _: named.format(next(places)), condition)
    free = f"""SELECT id, due_at FROM newsletter_delivery
        WHERE mailing_id = (SELECT mailing FROM {asked} AS c) AND state = 'queued' AND due_at <= {clock.now()}
            AND EXISTS (SELECT 1 FROM newsletter_mailing m, {asked} AS c WHERE m.id = c.mailing AND m.state = 'sending')
            AND EXISTS ({"SELECT 1 FROM held" if lock else held})
            AND {condition}
        ORDER BY due_at, id LIMIT (SELECT most FROM {asked} AS c) {skip}"""
    claim = f"""UPDATE newsletter_delivery AS d SET state = 'in_flight', lane = (SELECT lane FROM {asked} AS c),
            position = (SELECT position FROM {asked} AS c) + picked.n
        FROM (SELECT free.id AS pk, row_number() OVER (ORDER BY free.due_at, free.id) AS n FROM ({free}) AS free) picked
        WHERE d.id = picked.pk"""
    blocked = f"CASE WHEN d.reason = '{BLOCKED}' THEN 1 ELSE 0 END"
    singled = f"""CASE WHEN d.reason = '{BLOCKED}' AND EXISTS (SELECT 1 FROM newsletter_delivery other
        WHERE other.mailing_id = d.mailing_id AND other.current AND other.state = 'sent'
            AND other.sent_at > d.first_tried_at) THEN 1 ELSE 0 END"""
    columns = answer(
        *("d.id", "d.position", "d.message_id", "d.address", "d.attempts", "d.variant_id", "s.public_id"),
        *(blocked, singled, "d.reason", "m.state", "s.status", "CASE WHEN x.id IS NOT NULL THEN 1 END", "d.due_at"),
    )
    # The sum keeps planners without statistics from the index of newsletters: all subscriptions, for each row.
    look = f"""SELECT {columns}
        FROM {{}} d JOIN newsletter_mailing m ON m.id = d.mailing_id
        LEFT JOIN newsletter_subscription s
            ON s.subscriber_id = d.subscriber_id AND s.newsletter_id + 0 = m.newsletter_id
        LEFT JOIN newsletter_suppression x ON x.address_key = d.address_key"""
    own = f"d.lane = (SELECT lane FROM {asked} AS c) AND d.position > (SELECT position FROM {asked} AS c)"
    taken = gathered(look.format("taken") + " ORDER BY d.position")
    return Statement(
        f"WITH held AS ({held}), taken AS ({claim} RETURNING d.*) {taken}",
        [claim, f"{look.format('newsletter_delivery')} WHERE {own} ORDER BY d.position"],
    )


def last(mailing: int) -> int:
    """The number of the last of its deliveries that are due; 0 if none is."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT id FROM newsletter_delivery WHERE mailing_id = %s AND state = 'queued'
                AND due_at <= {clock.now()} ORDER BY due_at DESC, id DESC LIMIT 1""",
            [mailing],
        )
        found = cursor.fetchone()
        return int(found[0]) if found else 0


def waits(mailing: int, among: Among) -> bool:
    """Whether some of these deliveries are due now and nobody holds them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT EXISTS (SELECT 1 FROM newsletter_delivery WHERE mailing_id = %s AND state = 'queued'
                AND due_at <= {clock.now()} AND {among.condition})""",
            [mailing, *among.parameters],
        )
        return bool(cursor.fetchone()[0])


def held(lanes: QuerySet[Lane]) -> QuerySet[Delivery]:
    """The deliveries that these lanes hold.

    Looked up lane by lane: asked for all that have one, planners would read every delivery that there is.
    """
    return Delivery.objects.filter(lane__in=list(lanes.values_list("token", flat=True)))


def place(lane: int, position: int) -> Place:
    """Where in the queue a delivery stood that a lane has claimed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_at, id FROM newsletter_delivery WHERE lane = %s AND position = %s", [lane, position])
        found: Place = cursor.fetchone()
        return found


def _claim_notices(lane: int, position: int, limit: int, among: Among) -> int:
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE newsletter_notice SET state = 'in_flight', lane = %s, position = %s + picked.n
                FROM (SELECT free.id AS pk, row_number() OVER (ORDER BY free.due_at, free.id) AS n FROM (
                    SELECT id, due_at FROM newsletter_notice
                    WHERE {among.condition} AND state = 'queued' AND due_at <= {clock.now()}
                    ORDER BY due_at, id LIMIT %s {skip}) AS free) AS picked
                WHERE id = picked.pk""",
            [lane, position, *among.parameters, limit],
        )
        return int(cursor.rowcount)


def give_back(lane: int, rows: Sequence[Row]) -> None:
    """Give rows back untouched, while their lane goes on."""
    for kind in Kind:
        if mine := [row.pk for row in rows if row.kind is kind]:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"""UPDATE {kind.table} SET state = 'queued', lane = NULL, position = NULL
                        WHERE lane = %s AND id IN ({", ".join(["%s"] * len(mine))})""",
                    [lane, *mine],
                )


def free(lane: int) -> int:
    """Give back untouched what a lane has not sent, and end the lane. Returns how many rows that were."""
    given_back = 0
    with connection.cursor() as cursor:
        # First the lane: that waits for a claim of its own that is still under way, whose rows are then seen too.
        cursor.execute("DELETE FROM newsletter_lane WHERE token = %s", [lane])
        for kind in Kind:
            cursor.execute(
                f"""UPDATE {kind.table} SET state = COALESCE({EVIDENCE}, 'queued'), lane = NULL, position = NULL,
                        {forgetting(kind, f"{EVIDENCE} IS NOT NULL")}
                        reason = CASE WHEN {EVIDENCE} IS NULL THEN reason ELSE '' END
                    WHERE lane = %s""",
                [lane],
            )
            given_back += cursor.rowcount
    return given_back
