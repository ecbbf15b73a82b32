"""The hot path of the ledger: what the lanes of one process claim, hear and ask, written by hand for both databases.

Every function belongs inside one transaction that begins with `renew`: a lane whose lease is lost records nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from newsletter import diagnosis, subscribers
from newsletter.delivery import clock
from newsletter.delivery.replies import BLOCKED, EXPIRED, UNCERTAIN, Verdict
from newsletter.delivery.statements import Answer, Pending, Statement, answer, gathered, rows
from newsletter.models import Bounce, Delivery, Dispatch, Lane, Mailing, Notice, Subscription

LEASE = 60  # seconds
GIVE_UP_AFTER = 72 * 3600  # seconds since the first try
MOST_UNCERTAIN = 3

UNSUBSCRIBED = "unsubscribed"
SUPPRESSED = "suppressed"
ERASED = "erased"
CANCELLED = "cancelled"
CONFIRMED_MEANWHILE = "confirmed"
RESTORED = "restored"

# The reason of a row in flight that came back, or is known to have arrived, before its lane wrote down the reply.
CAME_BACK = "bounced"
ARRIVED = "delivered"
EVIDENCE = f"CASE reason WHEN '{CAME_BACK}' THEN 'bounced' WHEN '{ARRIVED}' THEN 'sent' END"


HELD, REFUSED = 1, 2  # what a line of a settlement's answer is about


class Kind(StrEnum):
    """Which table a row is in."""

    DELIVERY = "delivery"
    NOTICE = "notice"

    @property
    def table(self) -> str:
        return f"newsletter_{self.value}"


@dataclass(eq=False, slots=True)
class Row:
    """One claimed delivery or notice, with what its message needs. A notice has no mailing and no variant.

    It is singled out when, after it was refused because of us, others of its mailing were accepted.
    """

    kind: Kind
    pk: int
    position: int
    message_id: str
    address: str
    attempts: int
    mailing: int | None = None
    variant: int | None = None
    public_id: str | None = None
    blocked_before: bool = False
    singled_out: bool = False

    @property
    def domain(self) -> str:
        """Of its address, as limits and routes name it."""
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line to write: what became of a row in a lane."""

    lane: int
    row: Row
    verdict: Verdict


Place = tuple[object, int]  # in the queue: when it fell due, and its number


class Among(NamedTuple):
    """A condition on the rows that may be claimed, with its parameters."""

    condition: str = "TRUE"
    parameters: tuple[Any, ...] = ()


ANY = Among()


def open_lane(owner: str, way: str = "") -> int:
    """Make a lane that leads some way, and return its token."""
    return Lane.objects.create(owner=owner, way=way, lease_until=clock.moment(LEASE)).token


def renew(cleared: dict[int, int]) -> set[int]:
    """Renew leases, and write down for each lane which position may now get its final dot.

    Args:
        cleared: position by token.

    Returns:
        The tokens that still hold; whoever is missing must drop its connection and send nothing more.
    """
    if not cleared:
        return set()
    return {token for _part, token in _texts().renew.run({"lanes": list(cleared.items())})}


def record(entries: Sequence[Entry]) -> None:
    """Write what was heard; nothing for a lane that lost its lease, or for a row that is no longer its own."""
    kept: dict[tuple[Kind, int], str] = {}
    for kind in Kind:
        mine = [_heard(entry) for entry in entries if entry.row.kind is kind]
        if mine:
            kept |= {(kind, pk): said for pk, said in _texts().record[kind].run({"heard": mine})}
    bounces = [entry for entry in entries if entry.verdict.bounce and (entry.row.kind, entry.row.pk) in kept]
    if bounces:
        rows = [_bounce(entry, kept[entry.row.kind, entry.row.pk]) for entry in bounces]
        Bounce.objects.bulk_create(rows, ignore_conflicts=True)
        _heed(bounces)


def refusals(rows: Sequence[Row]) -> dict[Row, str]:
    """Those of the rows that must not go now, and why: consent, suppression and mailing are read afresh.

    An empty reason means that the mailing stands still: the row waits.
    """
    answers: dict[Row, str] = {}
    for kind in Kind:
        mine = {row.pk: row for row in rows if row.kind is kind}
        if mine:
            found = _texts().ask[kind].run({"asked": [[pk] for pk in mine]})
            answers |= {mine[pk]: _refusal(kind, *facts) for _part, pk, *facts in found}
    return answers


# There are never more than a few rows at a time.
PLAIN_PLANS = {
    "jit": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}


@contextmanager
def plain_plans() -> Iterator[None]:
    """Keep PostgreSQL from plans that pay for many rows only, and from planning what it has planned."""
    names = PLAIN_PLANS if connection.vendor == "postgresql" else {}
    with connection.cursor() as cursor:
        for name, value in names.items():
            cursor.execute(f"SET {name} = {value}")
    try:
        yield
    finally:
        # A connection that broke meanwhile has forgotten them by itself.
        with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"RESET {name}")


def most_together(lanes: int) -> int:
    """How many of so many lanes settle together: half of them where the others go on meanwhile, else all."""
    return max(1, lanes // 2) if connection.vendor == "postgresql" else lanes


class Settlement:
    """The one transaction for all that some lanes have heard and want to know; PostgreSQL is not waited for."""

    def __init__(self, cleared: dict[int, int], entries: Sequence[Entry], asked: Sequence[Row]) -> None:
        self._asked = {row.pk: row for row in asked}
        facts = {
            "lanes": list(cleared.items()),
            "heard": [_heard(entry) for entry in entries],
            "asked": [[pk] for pk in self._asked],
        }
        self._pending: Pending | None = None
        self._answer: Answer = []
        if connection.vendor == "postgresql":
            self._pending = _texts().settle.begin(facts)
        else:
            with transaction.atomic():
                self._answer = _texts().settle.run(facts)

    @property
    def descriptor(self) -> int | None:
        """What becomes readable when it may be done."""
        return self._pending.descriptor if self._pending else None

    @property
    def done(self) -> bool:
        """Whether `answer` will not wait."""
        return self._pending is None or self._pending.done

    def answer(self) -> tuple[set[int], dict[Row, str]]:
        """The tokens that hold as `renew` says them, and the rows that must not go as `refusals` says them.

        Raises:
            DatabaseError: nothing was written.
        """
        lines = self._pending.answer() if self._pending else self._answer
        held = {number for part, number, *_rest in lines if part == HELD}
        refused = [(self._asked[number], facts) for part, number, *facts in lines if part == REFUSED]
        return held, {row: _refusal(row.kind, *facts) for row, facts in refused}


def is_plain(entry: Entry) -> bool:
    """Whether a settlement can write this down: a delivery, and nothing to be done but to note it."""
    return entry.row.kind is Kind.DELIVERY and not entry.verdict.bounce and not entry.verdict.pauses


class _Texts(NamedTuple):
    """The statements of the hot path in the words of one database."""

    renew: Statement
    record: dict[Kind, Statement]
    ask: dict[Kind, Statement]
    settle: Statement


def _texts() -> _Texts:
    return _texts_for(connection.vendor)


@cache
def _texts_for(_vendor: str) -> _Texts:
    renewal = f"""UPDATE newsletter_lane AS l SET lease_until = {clock.after(LEASE)}, cleared = v.c
        FROM {rows("lanes", t="bigint", c="integer")} AS v
        WHERE l.token = v.t AND l.lease_until > {clock.now()}"""
    holds = f"(SELECT token FROM newsletter_lane WHERE lease_until > {clock.now()})"
    held = answer(str(HELD), "token")
    refused = {kind: _asking(kind) for kind in Kind}
    settle = f"""WITH held AS ({renewal} RETURNING token),
        kept AS ({_recording(Kind.DELIVERY, "held")} RETURNING 1)
        {gathered(f"SELECT {held} FROM held UNION ALL {refused[Kind.DELIVERY]}")}"""
    steps = [f"{renewal} RETURNING {held}", _recording(Kind.DELIVERY, holds), refused[Kind.DELIVERY]]
    return _Texts(
        renew=_changing(renewal, str(HELD), "token"),
        record={kind: _changing(_recording(kind, holds), "id", "reply") for kind in Kind},
        ask={kind: Statement(gathered(text), [text]) for kind, text in refused.items()},
        settle=Statement(settle, steps),
    )


def _changing(text: str, *columns: str) -> Statement:
    text = f"{text} RETURNING {answer(*columns)}"
    return Statement(f"WITH changed AS ({text}) {gathered('SELECT answer FROM changed')}", [text])


def _recording(kind: Kind, holds: str) -> str:
    heard = rows(
        "heard",
        pk="bigint",
        lane="bigint",
        state="text",
        reason="text",
        said="text",
        wait="double precision",
        attempt="integer",
        uncertain="integer",
        most="integer",
        name="text",
    )
    # The sum keeps planners from the index of lanes, where they would pass all rows that a lane has had.
    gone = "(v.uncertain = 1 AND d.uncertain_attempts + 1 >= v.most)"
    expired = f"""(v.state = 'queued' AND v.uncertain = 0 AND v.attempt = 1
        AND d.first_tried_at < {clock.after(-GIVE_UP_AFTER)})"""
    evidence = EVIDENCE.replace("reason", "d.reason", 1)
    # A delivery whose address was erased meanwhile keeps no reply, which may repeat it; an erased notice is gone.
    reply = "CASE WHEN d.address = '' THEN '' ELSE v.said END" if kind is Kind.DELIVERY else "v.said"
    return f"""UPDATE {kind.table} AS d SET
            state = COALESCE({evidence}, CASE WHEN {gone} OR {expired} THEN 'failed' ELSE v.state END),
            reason = CASE WHEN {evidence} IS NOT NULL THEN '' WHEN {expired} THEN '{EXPIRED}' ELSE v.reason END,
            reply = {reply}, lane = NULL, position = NULL,
            attempts = d.attempts + v.attempt,
            uncertain_attempts = d.uncertain_attempts + v.uncertain,
            first_tried_at = CASE WHEN v.attempt = 1 THEN COALESCE(d.first_tried_at, {clock.now()})
                ELSE d.first_tried_at END,
            due_at = CASE WHEN v.state = 'queued' THEN {clock.after("v.wait")} ELSE d.due_at END,
            sent_at = CASE WHEN v.state = 'sent' THEN {clock.now()} ELSE d.sent_at END,
            provider_id = CASE WHEN v.name = '' THEN d.provider_id ELSE v.name END
        FROM {heard} AS v JOIN {holds} AS h ON h.token = v.lane
        WHERE d.id = v.pk AND d.lane + 0 = v.lane"""


def _heard(entry: Entry) -> list[Any]:
    verdict = entry.verdict
    most = 1 if settings.UNCERTAIN_DELIVERIES == "hold" else MOST_UNCERTAIN
    return [
        *(entry.row.pk, entry.lane, verdict.state.value, verdict.reason, verdict.reply[:500]),
        *(round(verdict.wait, 3), int(verdict.attempt), int(verdict.uncertain), most, verdict.provider_id[:200]),
    ]


def _asking(kind: Kind) -> str:
    """Only rows that must not go come back: usually none."""
    suppressed = "CASE WHEN x.id IS NOT NULL THEN 1 END"
    asked = rows("asked", pk="bigint")
    if kind is Kind.DELIVERY:
        return f"""SELECT {answer(str(REFUSED), "a.pk", "d.reason", "m.state", "s.status", suppressed)}
            FROM {asked} AS a LEFT JOIN newsletter_delivery d ON d.id = a.pk
            LEFT JOIN newsletter_mailing m ON m.id = d.mailing_id
            LEFT JOIN newsletter_subscription s
                ON s.subscriber_id = d.subscriber_id AND s.newsletter_id = m.newsletter_id
            LEFT JOIN newsletter_suppression x ON x.address_key = d.address_key
            WHERE m.state IS NULL OR m.state <> 'sending' OR s.status IS NULL OR s.status <> 'confirmed'
                OR x.id IS NOT NULL OR d.reason IN ('{CAME_BACK}', '{ARRIVED}')"""
    return f"""SELECT {answer(str(REFUSED), "a.pk", "n.reason", "n.kind", "s.status", suppressed)}
        FROM {asked} AS a LEFT JOIN newsletter_notice n ON n.id = a.pk
        LEFT JOIN newsletter_subscription s ON s.id = n.subscription_id
        LEFT JOIN newsletter_subscriber u ON u.id = s.subscriber_id
        LEFT JOIN newsletter_suppression x ON x.address_key = u.address_key
        WHERE n.id IS NULL OR x.id IS NOT NULL OR n.reason IN ('{CAME_BACK}', '{ARRIVED}')
            OR (s.status = 'confirmed' AND n.kind IN ('{Notice.Kind.CONFIRMATION}', '{Notice.Kind.REMINDER}'))"""


def _refusal(kind: Kind, reason: str | None, what: str | None, subscription: str | None, suppressed: int | None) -> str:
    """Why a row must not go; `what` is the state of its mailing, or the kind of notice it is."""
    if reason in (CAME_BACK, ARRIVED):
        return reason or ""
    if what == Mailing.State.CANCELLED and kind is Kind.DELIVERY:
        return CANCELLED
    if subscription is None:
        return ERASED
    if suppressed:
        return SUPPRESSED
    if kind is Kind.NOTICE:
        return CONFIRMED_MEANWHILE
    return UNSUBSCRIBED if subscription != Subscription.Status.CONFIRMED else ""


def _bounce(entry: Entry, detail: str) -> Bounce:
    return Bounce(
        event_id=f"smtp:{entry.row.message_id}:{entry.row.attempts}",
        delivery_id=entry.row.pk if entry.row.kind is Kind.DELIVERY else None,
        notice_id=entry.row.pk if entry.row.kind is Kind.NOTICE else None,
        kind=entry.verdict.bounce or Bounce.Kind.UNKNOWN,
        status=diagnosis.status_of(entry.verdict.reply),
        detail=detail,
    )


def _heed(bounces: Sequence[Entry]) -> None:
    """A refusal at the door has the consequences of one by mail. In order, so that no two senders wait in a circle."""
    kinds = {(entry.row.kind, entry.row.pk): entry.verdict.bounce for entry in bounces}
    deliveries = Delivery.objects.filter(pk__in=[pk for kind, pk in kinds if kind is Kind.DELIVERY])
    notices = Notice.objects.filter(pk__in=[pk for kind, pk in kinds if kind is Kind.NOTICE])
    key, subscriber = "subscription__subscriber__address_key", "subscription__subscriber"
    readers = [
        *((Kind.DELIVERY, *facts) for facts in deliveries.values_list("pk", "address_key", "subscriber")),
        *((Kind.NOTICE, *facts) for facts in notices.values_list("pk", key, subscriber)),
    ]
    for kind, pk, address_key, subscriber_id in sorted(readers, key=lambda facts: facts[2]):
        if subscriber_id is not None:
            subscribers.heed(subscribers.Reader(address_key, subscriber_id), kinds[kind, pk] or Bounce.Kind.UNKNOWN)


def claim_notices(lane: int, position: int, limit: int, among: Among = ANY) -> list[Row]:
    """Claim due notices for a lane, numbered after `position`, in the order they fell due."""
    if not _claim_notices(lane, position, limit, among):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT n.id, n.position, n.message_id, u.email, n.attempts
               FROM newsletter_notice n JOIN newsletter_subscription s ON s.id = n.subscription_id
               JOIN newsletter_subscriber u ON u.id = s.subscriber_id
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
        claimed = _claimed(mailing, lane, position, limit, among)
        if not claimed:
            return []
        refused = [(row, reason) for row, reason in claimed if reason]
        record([Entry(lane, row, Verdict(Dispatch.State.SKIPPED, reason, attempt=False)) for row, reason in refused])
        rows = [row for row, reason in claimed if not reason]
    return rows


def _claimed(mailing: int, lane: int, position: int, limit: int, among: Among) -> list[tuple[Row, str]]:
    """Rows as they are claimed, each with the reason why it must not go, or nothing."""
    claim = {"claim": [[mailing, lane, position, limit]]}
    found = _claiming(connection.vendor, among.condition).run(claim, *among.parameters)
    return [(_row(mailing, *line[:9]), _refusal(Kind.DELIVERY, *line[9:])) for line in found]


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
    name = "$" if vendor == "postgresql" else "%"
    places = iter(range(condition.count("%s")))
    condition = re.sub("%s", lambda _: f"${next(places) + 2}" if name == "$" else f"%(more{next(places)})s", condition)
    free = f"""SELECT id, due_at FROM newsletter_delivery
        WHERE mailing_id = (SELECT mailing FROM {asked} AS c) AND state = 'queued' AND due_at <= {clock.now()}
            AND EXISTS (SELECT 1 FROM newsletter_mailing m, {asked} AS c WHERE m.id = c.mailing AND m.state = 'sending')
            AND {condition}
        ORDER BY due_at, id LIMIT (SELECT most FROM {asked} AS c) {skip}"""
    claim = f"""UPDATE newsletter_delivery AS d SET state = 'in_flight', lane = (SELECT lane FROM {asked} AS c),
            position = (SELECT position FROM {asked} AS c) + picked.n
        FROM (SELECT free.id AS pk, row_number() OVER (ORDER BY free.due_at, free.id) AS n FROM ({free}) AS free) picked
        WHERE d.id = picked.pk"""
    blocked = f"CASE WHEN d.reason = '{BLOCKED}' THEN 1 ELSE 0 END"
    singled = f"""CASE WHEN d.reason = '{BLOCKED}' AND EXISTS (SELECT 1 FROM newsletter_delivery other
        WHERE other.mailing_id = d.mailing_id AND other.state = 'sent' AND other.sent_at > d.first_tried_at)
        THEN 1 ELSE 0 END"""
    columns = answer(
        *("d.id", "d.position", "d.message_id", "d.address", "d.attempts", "d.variant_id", "s.public_id"),
        *(blocked, singled, "d.reason", "m.state", "s.status", "CASE WHEN x.id IS NOT NULL THEN 1 END"),
    )
    look = f"""SELECT {columns}
        FROM {{}} d JOIN newsletter_mailing m ON m.id = d.mailing_id
        LEFT JOIN newsletter_subscription s ON s.subscriber_id = d.subscriber_id AND s.newsletter_id = m.newsletter_id
        LEFT JOIN newsletter_suppression x ON x.address_key = d.address_key"""
    own = f"d.lane = (SELECT lane FROM {asked} AS c) AND d.position > (SELECT position FROM {asked} AS c)"
    return Statement(
        f"WITH taken AS ({claim} RETURNING d.*) {gathered(look.format('taken') + ' ORDER BY d.position')}",
        [claim, f"{look.format('newsletter_delivery')} WHERE {own} ORDER BY d.position"],
    )


def waits(mailing: int, among: Among) -> bool:
    """Whether some of these deliveries are due now and nobody holds them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT EXISTS (SELECT 1 FROM newsletter_delivery WHERE mailing_id = %s AND state = 'queued'
                AND due_at <= {clock.now()} AND {among.condition})""",
            [mailing, *among.parameters],
        )
        return bool(cursor.fetchone()[0])


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


def free(lane: int) -> None:
    """Give back untouched what a lane has not sent, and end the lane."""
    with connection.cursor() as cursor:
        for kind in Kind:
            cursor.execute(
                f"""UPDATE {kind.table} SET state = COALESCE({EVIDENCE}, 'queued'), lane = NULL, position = NULL,
                        reason = CASE WHEN {EVIDENCE} IS NULL THEN reason ELSE '' END
                    WHERE lane = %s""",
                [lane],
            )
        cursor.execute("DELETE FROM newsletter_lane WHERE token = %s", [lane])


def skip_cancelled() -> None:
    """What still waits in a cancelled mailing is skipped; what was in doubt stays in doubt, for good."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE newsletter_delivery SET
                    state = CASE WHEN reason = '{UNCERTAIN}' THEN 'failed' ELSE 'skipped' END,
                    reason = CASE WHEN reason = '{UNCERTAIN}' THEN reason ELSE '{CANCELLED}' END
                WHERE state = 'queued'
                    AND mailing_id IN (SELECT id FROM newsletter_mailing WHERE state = 'cancelled')"""
        )
