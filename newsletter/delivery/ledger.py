"""The hot path of the ledger: what the lanes of one process claim, hear and ask, written by hand for both databases.

Every function belongs inside one transaction that begins with `renew`: a lane whose lease is lost records nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import connection

from newsletter import diagnosis, subscribers
from newsletter.delivery import clock
from newsletter.delivery.replies import BLOCKED, EXPIRED, UNCERTAIN, Verdict
from newsletter.models import Bounce, Delivery, Lane, Mailing, Notice, Subscription

LEASE = 60  # seconds
GIVE_UP_AFTER = 72 * 3600  # seconds since the first try
MOST_UNCERTAIN = 3

UNSUBSCRIBED = "unsubscribed"
SUPPRESSED = "suppressed"
ERASED = "erased"
CANCELLED = "cancelled"
CONFIRMED_MEANWHILE = "confirmed"

# The reason of a row in flight that came back, or is known to have arrived, before its lane wrote down the reply.
CAME_BACK = "bounced"
ARRIVED = "delivered"
EVIDENCE = f"CASE reason WHEN '{CAME_BACK}' THEN 'bounced' WHEN '{ARRIVED}' THEN 'sent' END"


class Kind(StrEnum):
    """Which table a row is in."""

    DELIVERY = "delivery"
    NOTICE = "notice"

    @property
    def table(self) -> str:
        return f"newsletter_{self.value}"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Entry:
    """One line to write: what became of a row in a lane."""

    lane: int
    row: Row
    verdict: Verdict


def open_lane(owner: str) -> int:
    """Make a lane and return its token."""
    return Lane.objects.create(owner=owner, lease_until=clock.moment(LEASE)).token


def renew(cleared: dict[int, int]) -> set[int]:
    """Renew leases, and write down for each lane which position may now get its final dot.

    Args:
        cleared: position by token.

    Returns:
        The tokens that still hold; whoever is missing must drop its connection and send nothing more.
    """
    if not cleared:
        return set()
    values, parameters = _values(cleared.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH v(t, c) AS ({values})
                UPDATE newsletter_lane SET lease_until = {clock.after(LEASE)}, cleared = v.c
                FROM v WHERE token = v.t AND lease_until > {clock.now()} RETURNING token""",
            parameters,
        )
        return {token for (token,) in cursor.fetchall()}


def record(entries: Sequence[Entry]) -> None:
    """Write what was heard; nothing for a lane that lost its lease, or for a row that is no longer its own."""
    kept: dict[tuple[Kind, int], str] = {}
    for kind in Kind:
        mine = [entry for entry in entries if entry.row.kind is kind]
        if mine:
            kept |= _record(kind, mine)
            _name(kind, [entry for entry in mine if entry.verdict.provider_id and (kind, entry.row.pk) in kept])
    bounces = [entry for entry in entries if entry.verdict.bounce and (entry.row.kind, entry.row.pk) in kept]
    if bounces:
        rows = [_bounce(entry, kept[entry.row.kind, entry.row.pk]) for entry in bounces]
        Bounce.objects.bulk_create(rows, ignore_conflicts=True)
        _heed(bounces)


def _record(kind: Kind, entries: Sequence[Entry]) -> dict[tuple[Kind, int], str]:
    """Write down one kind. Returns the reply now kept with each row that was written."""
    values, parameters = _values(
        (
            *(entry.row.pk, entry.lane, entry.verdict.state.value, entry.verdict.reason, entry.verdict.reply[:500]),
            *(round(entry.verdict.wait, 3), int(entry.verdict.attempt), int(entry.verdict.uncertain)),
        )
        for entry in entries
    )
    most_uncertain = 1 if settings.UNCERTAIN_DELIVERIES == "hold" else MOST_UNCERTAIN
    gone = f"(v.uncertain = 1 AND d.uncertain_attempts + 1 >= {most_uncertain})"
    expired = f"""(v.state = 'queued' AND v.uncertain = 0 AND v.attempt = 1
        AND d.first_tried_at < {clock.after(-GIVE_UP_AFTER)})"""
    evidence = EVIDENCE.replace("reason", "d.reason", 1)
    # A delivery whose address was erased meanwhile keeps no reply, which may repeat it; an erased notice is gone.
    reply = "CASE WHEN d.address = '' THEN '' ELSE v.said END" if kind is Kind.DELIVERY else "v.said"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH v(pk, lane, state, reason, said, wait, attempt, uncertain) AS ({values})
                UPDATE {kind.table} AS d SET
                    state = COALESCE({evidence}, CASE WHEN {gone} OR {expired} THEN 'failed' ELSE v.state END),
                    reason = CASE WHEN {evidence} IS NOT NULL THEN '' WHEN {expired} THEN '{EXPIRED}' ELSE v.reason END,
                    reply = {reply}, lane = NULL, position = NULL,
                    attempts = d.attempts + v.attempt,
                    uncertain_attempts = d.uncertain_attempts + v.uncertain,
                    first_tried_at = CASE WHEN v.attempt = 1 THEN COALESCE(d.first_tried_at, {clock.now()})
                        ELSE d.first_tried_at END,
                    due_at = CASE WHEN v.state = 'queued' THEN {clock.after("v.wait")} ELSE d.due_at END,
                    sent_at = CASE WHEN v.state = 'sent' THEN {clock.now()} ELSE d.sent_at END
                FROM v JOIN newsletter_lane l ON l.token = v.lane AND l.lease_until > {clock.now()}
                WHERE d.id = v.pk AND d.lane = v.lane RETURNING id, reply""",
            parameters,
        )
        return {(kind, pk): said for pk, said in cursor.fetchall()}


def _name(kind: Kind, entries: Sequence[Entry]) -> None:
    """Keep what an ESP calls its messages, so that its events find them. Over SMTP there is nothing to keep."""
    if not entries:
        return
    values, parameters = _values((entry.row.pk, entry.verdict.provider_id[:200]) for entry in entries)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH v(pk, name) AS ({values})
                UPDATE {kind.table} SET provider_id = v.name FROM v WHERE id = v.pk""",
            parameters,
        )


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


def refusals(rows: Sequence[Row]) -> dict[Row, str]:
    """Those of the rows that must not go now, and why: consent, suppression and mailing are read afresh.

    An empty reason means that the mailing stands still: the row waits.
    """
    answers: dict[Row, str] = {}
    for kind, ask in ((Kind.DELIVERY, _delivery_facts), (Kind.NOTICE, _notice_facts)):
        mine = [row for row in rows if row.kind is kind]
        facts = ask([row.pk for row in mine]) if mine else {}
        for row in mine:
            refusal = facts.get(row.pk, ERASED)
            if refusal is not None:
                answers[row] = refusal
    return answers


def _delivery_facts(pks: list[int]) -> dict[int, str | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT d.id, d.reason, m.state, s.status, EXISTS (
                    SELECT 1 FROM newsletter_suppression x WHERE x.address_key = d.address_key)
                FROM newsletter_delivery d JOIN newsletter_mailing m ON m.id = d.mailing_id
                LEFT JOIN newsletter_subscription s
                    ON s.subscriber_id = d.subscriber_id AND s.newsletter_id = m.newsletter_id
                WHERE d.id IN ({_marks(pks)})""",
            pks,
        )
        return {pk: _delivery_refusal(*facts) for pk, *facts in cursor.fetchall()}


def _delivery_refusal(reason: str, mailing: str, subscription: str | None, suppressed: bool) -> str | None:
    if reason in (CAME_BACK, ARRIVED):
        return reason
    if mailing == Mailing.State.CANCELLED:
        return CANCELLED
    if subscription is None:
        return ERASED
    if suppressed:
        return SUPPRESSED
    if subscription != Subscription.Status.CONFIRMED:
        return UNSUBSCRIBED
    return None if mailing == Mailing.State.SENDING else ""


def _notice_facts(pks: list[int]) -> dict[int, str | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT n.id, n.reason, n.kind, s.status, EXISTS (
                    SELECT 1 FROM newsletter_suppression x WHERE x.address_key = u.address_key)
                FROM newsletter_notice n JOIN newsletter_subscription s ON s.id = n.subscription_id
                JOIN newsletter_subscriber u ON u.id = s.subscriber_id WHERE n.id IN ({_marks(pks)})""",
            pks,
        )
        return {pk: _notice_refusal(*facts) for pk, *facts in cursor.fetchall()}


def _notice_refusal(reason: str, kind: str, subscription: str, suppressed: bool) -> str | None:
    if reason in (CAME_BACK, ARRIVED):
        return reason
    if suppressed:
        return SUPPRESSED
    asks = kind in (Notice.Kind.CONFIRMATION, Notice.Kind.REMINDER)
    return CONFIRMED_MEANWHILE if asks and subscription == Subscription.Status.CONFIRMED else None


def claim_notices(lane: int, position: int, limit: int) -> list[Row]:
    """Claim due notices for a lane, numbered after `position`, in the order they fell due."""
    if not _claim(Kind.NOTICE, "TRUE", [], lane, position, limit):
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


def claim_deliveries(mailing: int, lane: int, position: int, limit: int) -> list[Row]:
    """Claim due deliveries of a mailing for a lane, numbered after `position`, in the order they fell due."""
    which = "mailing_id = %s AND EXISTS (SELECT 1 FROM newsletter_mailing WHERE id = %s AND state = 'sending')"
    if not _claim(Kind.DELIVERY, which, [mailing, mailing], lane, position, limit):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT d.id, d.position, d.message_id, d.address, d.attempts, d.mailing_id, d.variant_id,
                    s.public_id, d.reason = '{BLOCKED}',
                    CASE WHEN d.reason = '{BLOCKED}' THEN EXISTS (SELECT 1 FROM newsletter_delivery other
                        WHERE other.mailing_id = d.mailing_id AND other.state = 'sent'
                        AND other.sent_at > d.first_tried_at) ELSE FALSE END
               FROM newsletter_delivery d LEFT JOIN newsletter_mailing m ON m.id = d.mailing_id
               LEFT JOIN newsletter_subscription s
                    ON s.subscriber_id = d.subscriber_id AND s.newsletter_id = m.newsletter_id
               WHERE d.lane = %s AND d.position > %s ORDER BY d.position""",
            [lane, position],
        )
        return [Row(Kind.DELIVERY, *facts) for facts in cursor.fetchall()]


def _claim(kind: Kind, which: str, parameters: list[Any], lane: int, position: int, limit: int) -> int:
    """Due rows that nobody holds become this lane's; two lanes never wait for each other's rows."""
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE {kind.table} SET state = 'in_flight', lane = %s, position = %s + picked.n
                FROM (SELECT free.id AS pk, row_number() OVER (ORDER BY free.due_at, free.id) AS n FROM (
                    SELECT id, due_at FROM {kind.table}
                    WHERE {which} AND state = 'queued' AND due_at <= {clock.now()}
                    ORDER BY due_at, id LIMIT %s {skip}) AS free) AS picked
                WHERE id = picked.pk""",
            [lane, position, *parameters, limit],
        )
        return int(cursor.rowcount)


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


def _values(rows: Iterable[Sequence[Any]]) -> tuple[str, list[Any]]:
    lists = [list(row) for row in rows]
    return "VALUES " + ", ".join(f"({_marks(row)})" for row in lists), [value for row in lists for value in row]


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
