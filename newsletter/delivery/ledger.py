"""The hot path of the ledger: what the lanes of one process claim, hear and ask, written by hand for both databases.

Every function belongs inside one transaction that begins with `renew`: a lane whose lease is lost records nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from newsletter import diagnosis, subscribers
from newsletter.delivery import clock
from newsletter.delivery.replies import DEFERRED, EXPIRED, UNCERTAIN, Verdict, put_off
from newsletter.delivery.statements import AWAY, PLAIN_PLANS, Answer, Pending, Statement, answer, gathered, rows
from newsletter.models import Bounce, Delivery, Dispatch, Mailing, Notice, Subscription
from newsletter.models.mailings import new_token
from newsletter.smtp import readable

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

# What is given of an entry that is to be written down, with its type; for messages that were taken most is alike.
TAKEN = {"pk": "bigint", "lane": "bigint", "said": "text", "name": "text"}
ALIKE = {"state": "'sent'", "why": "''", "wait": "0", "attempt": "1", "uncertain": "0", "most": "0"}
HEARD = {
    **TAKEN,
    "state": "text",
    "why": "text",
    "wait": "double precision",
    "attempt": "integer",
    "uncertain": "integer",
    "most": "integer",
}
SENT = Dispatch.State.SENT


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


@dataclass(slots=True)
class Entry:
    """One line to write: what became of a row in a lane."""

    lane: int
    row: Row
    verdict: Verdict


def open_lane(owner: str, way: str = "") -> int:
    """Make a lane that leads some way, and return its token."""
    token = new_token()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO newsletter_lane (token, owner, way, cleared, lease_until)
                VALUES (%s, %s, %s, 0, {clock.after(LEASE)})""",
            [token, owner, way],
        )
    return token


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
    kept: dict[tuple[Kind, int], tuple[str, str]] = {}
    for kind in Kind:
        mine = [_heard(entry) for entry in entries if entry.row.kind is kind]
        if mine:
            kept |= {(kind, pk): (said, why) for pk, said, why in _texts().record[kind].run({"heard": mine})}
    bounces = []
    for entry in entries:
        said, why = kept.get((entry.row.kind, entry.row.pk), ("", ""))
        bounce = put_off(entry.verdict) if why == EXPIRED else entry.verdict.bounce
        if bounce and (entry.row.kind, entry.row.pk) in kept:
            bounces.append((entry, bounce, said))
    if bounces:
        Bounce.objects.bulk_create([_bounce(*facts) for facts in bounces], ignore_conflicts=True)
        _heed({(entry.row.kind, entry.row.pk): bounce for entry, bounce, _said in bounces})


def refusals(rows: Sequence[Row]) -> dict[Row, str]:
    """Those of the rows that must not go now, and why: consent, suppression and mailing are read afresh.

    An empty reason means that the mailing stands still: the row waits.
    """
    answers: dict[Row, str] = {}
    for kind in Kind:
        mine = {row.pk: row for row in rows if row.kind is kind}
        if mine:
            found = _texts().ask[kind].run({"asked": [[pk] for pk in mine]})
            answers |= {mine[pk]: refusal(kind, *facts) for _part, pk, *facts in found}
    return answers


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
        with suppress(*AWAY), connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"RESET {name}")


class Settlement:
    """The one transaction for all that some lanes have heard and want to know; PostgreSQL is not waited for."""

    def __init__(self, cleared: dict[int, int], entries: Sequence[Entry], asked: Sequence[Row]) -> None:
        self._asked = {row.pk: row for row in asked}
        all_taken = all(entry.verdict.state is SENT for entry in entries)
        facts = {
            "lanes": list(cleared.items()),
            "heard": [(_taken if all_taken else _heard)(entry) for entry in entries],
            "asked": [[pk] for pk in self._asked],
        }
        settle = _texts().settle[all_taken]
        self._pending: Pending | None = None
        self._answer: Answer = []
        if connection.vendor == "postgresql":
            self._pending = settle.begin(facts)
        else:
            with transaction.atomic():
                self._answer = settle.run(facts)

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
        return held, {row: refusal(row.kind, *facts) for row, facts in refused}


def is_plain(entry: Entry) -> bool:
    """Whether a settlement can write this down: a delivery, and nothing to be done but to note it."""
    row, verdict = entry.row, entry.verdict
    put_off_again = verdict.reason == DEFERRED and row.attempts  # perhaps for the last time
    return row.kind is Kind.DELIVERY and not verdict.bounce and not verdict.pauses and not put_off_again


class _Texts(NamedTuple):
    """The statements of the hot path in the words of one database."""

    renew: Statement
    record: dict[Kind, Statement]
    ask: dict[Kind, Statement]
    settle: dict[bool, Statement]  # by whether all that was heard is that messages were taken


def _texts() -> _Texts:
    return _texts_for(connection.vendor)


@cache
def _texts_for(_vendor: str) -> _Texts:
    renewal = f"""UPDATE newsletter_lane AS l SET lease_until = {clock.after(LEASE)}, cleared = v.c
        FROM {rows("lanes", t="bigint", c="integer")} AS v
        WHERE l.token = v.t AND l.lease_until > {clock.now()}"""
    leased = f"SELECT token FROM newsletter_lane WHERE lease_until > {clock.now()}"
    refused = {kind: _asking(kind) for kind in Kind}

    def settling(all_taken: bool) -> Statement:
        held, heard = answer(str(HELD), "token"), _given(all_taken)
        kept = _recording(Kind.DELIVERY, heard, "SELECT token FROM held")
        together = f"""WITH held AS ({renewal} RETURNING token), kept AS ({kept} RETURNING 1)
            {gathered(f"SELECT {held} FROM held UNION ALL {refused[Kind.DELIVERY]}")}"""
        apart = [f"{renewal} RETURNING {held}", _recording(Kind.DELIVERY, heard, leased), refused[Kind.DELIVERY]]
        return Statement(together, apart)

    return _Texts(
        renew=_changing(renewal, str(HELD), "token"),
        record={kind: _changing(_recording(kind, _given(), leased), "id", "reply", "reason") for kind in Kind},
        ask={kind: Statement(gathered(text), [text]) for kind, text in refused.items()},
        settle={all_taken: settling(all_taken) for all_taken in (False, True)},
    )


def _changing(text: str, *columns: str) -> Statement:
    text = f"{text} RETURNING {answer(*columns)}"
    return Statement(f"WITH changed AS ({text}) {gathered('SELECT answer FROM changed')}", [text])


def _given(all_taken: bool = False) -> str:
    """What was heard, row by row; where all were taken, the text itself says what is alike."""
    if not all_taken:
        return rows("heard", **HEARD)
    alike = ", ".join(f"{value} AS {name}" for name, value in ALIKE.items())
    return f"(SELECT taken.*, {alike} FROM {rows('heard', **TAKEN)} AS taken)"


def _recording(kind: Kind, heard: str, holding: str) -> str:
    # Joined to them, PostgreSQL would take up each lane for each row.
    held = f"= ANY (ARRAY({holding}))" if connection.vendor == "postgresql" else f"IN ({holding})"
    # The sum keeps planners from the index of lanes, where they would pass all rows that a lane has had.
    gone = "(v.uncertain = 1 AND d.uncertain_attempts + 1 >= v.most)"
    expired = f"""(v.state = 'queued' AND v.uncertain = 0 AND v.attempt = 1
        AND d.first_tried_at < {clock.after(-GIVE_UP_AFTER)})"""
    evidence = EVIDENCE.replace("reason", "d.reason", 1)
    # A delivery whose address was erased meanwhile keeps no reply, which may repeat it; an erased notice is gone.
    reply = "CASE WHEN d.address = '' THEN '' ELSE v.said END" if kind is Kind.DELIVERY else "v.said"
    state = f"COALESCE({evidence}, CASE WHEN {gone} OR {expired} THEN 'failed' ELSE v.state END)"
    return f"""UPDATE {kind.table} AS d SET
            state = {state}, {forgetting(kind, f"{state} <> 'queued'")}
            reason = CASE WHEN {evidence} IS NOT NULL THEN '' WHEN {expired} THEN '{EXPIRED}' ELSE v.why END,
            reply = {reply}, lane = NULL, position = NULL,
            attempts = d.attempts + v.attempt,
            uncertain_attempts = d.uncertain_attempts + v.uncertain,
            first_tried_at = CASE WHEN v.attempt = 1 THEN COALESCE(d.first_tried_at, {clock.now()})
                ELSE d.first_tried_at END,
            due_at = CASE WHEN v.state = 'queued' THEN {clock.after("v.wait")} ELSE d.due_at END,
            sent_at = CASE WHEN v.state = 'sent' THEN {clock.now()} ELSE d.sent_at END,
            provider_id = CASE WHEN v.name = '' THEN d.provider_id ELSE v.name END
        FROM {heard} AS v
        WHERE d.id = v.pk AND d.lane + 0 = v.lane AND v.lane {held}"""


def forgetting(kind: Kind, condition: str) -> str:
    """Assignments, with a comma behind them, that blank what a notice holds for its sending where a condition is met.

    The condition is about the columns as they were before.
    """
    if kind is Kind.DELIVERY:
        return ""
    return f"""address = CASE WHEN {condition} THEN '' ELSE address END,
        message = CASE WHEN {condition} THEN NULL ELSE message END,"""


def _taken(entry: Entry) -> list[Any]:
    verdict = entry.verdict
    return [entry.row.pk, entry.lane, readable(verdict.reply)[:500], readable(verdict.provider_id)[:200]]


def _heard(entry: Entry) -> list[Any]:
    verdict = entry.verdict
    most = 1 if verdict.uncertain and settings.UNCERTAIN_DELIVERIES == "hold" else MOST_UNCERTAIN
    return [
        *_taken(entry),
        verdict.state.value,
        verdict.reason,
        round(verdict.wait, 3),
        int(verdict.attempt),
        int(verdict.uncertain),
        most,
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
                ON s.subscriber_id = d.subscriber_id AND s.newsletter_id + 0 = m.newsletter_id
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


def refusal(kind: Kind, reason: str | None, what: str | None, subscription: str | None, suppressed: int | None) -> str:
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


def _bounce(entry: Entry, kind: Bounce.Kind, detail: str) -> Bounce:
    return Bounce(
        event_id=f"smtp:{entry.row.message_id}:{entry.row.attempts}",
        delivery_id=entry.row.pk if entry.row.kind is Kind.DELIVERY else None,
        notice_id=entry.row.pk if entry.row.kind is Kind.NOTICE else None,
        kind=kind,
        status=diagnosis.status_of(entry.verdict.reply),
        detail=detail,
    )


def _heed(kinds: dict[tuple[Kind, int], Bounce.Kind]) -> None:
    """A refusal at the door has the consequences of one by mail. In order, so that no two senders wait in a circle."""
    deliveries = Delivery.objects.filter(pk__in=[pk for kind, pk in kinds if kind is Kind.DELIVERY])
    notices = Notice.objects.filter(
        subscription__isnull=False, pk__in=[pk for kind, pk in kinds if kind is Kind.NOTICE]
    )
    key, subscriber = "subscription__subscriber__address_key", "subscription__subscriber"
    readers = [
        *((Kind.DELIVERY, *facts) for facts in deliveries.values_list("pk", "address_key", "subscriber")),
        *((Kind.NOTICE, *facts) for facts in notices.values_list("pk", key, subscriber)),
    ]
    for kind, pk, address_key, subscriber_id in sorted(readers, key=lambda facts: facts[2]):
        if subscriber_id is not None:
            subscribers.heed(subscribers.Reader(address_key, subscriber_id), kinds[kind, pk])


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
