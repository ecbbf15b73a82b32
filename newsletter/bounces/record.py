"""The one door for everything that comes back about a message of ours, by mail or from a provider."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from newsletter import delivery, subscribers
from newsletter.bounces.mail import Mail
from newsletter.models import Bounce, Delivery, Dispatch, Notice

Kind = Bounce.Kind
BOUNCED = {Kind.HARD, Kind.SOFT, Kind.BLOCKED, Kind.COMPLAINT}
TAKEN = {Kind.DEFERRED, Kind.DELIVERED, Kind.AUTOREPLY}


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says became of one message of ours.

    Args:
        kind: what happened, in our own words.
        event_id: what nobody else calls an event, such as `ses:` and the provider's id; the same for every replay.
        delivery: the primary key of the delivery it is about, or
        notice: that of the notice.
        status: an enhanced status code (RFC 3463), where there is one.
        detail: what was said, in the reporter's words.
        at: when; now if not given.
    """

    kind: Bounce.Kind
    event_id: str
    delivery: int | None = None
    notice: int | None = None
    status: str = ""
    detail: str = ""
    at: datetime | None = None


@transaction.atomic
def record(report: Report) -> bool:
    """Write a report down, settle the message it is about, and draw the consequences for its reader.

    Whoever calls has made sure that the report is genuine: by a return token, a Message-ID of ours or a signature.
    Hard bounces and complaints suppress the address at once, soft bounces when three of the reader's last five
    messages met one; a refusal because of us never does.

    Returns:
        False when it was known already, or is about no message that we still know.
    """
    dispatch = _lock(report)
    if dispatch is None:
        return False
    erased = isinstance(dispatch, Delivery) and not dispatch.address
    _bounce, new = Bounce.objects.get_or_create(
        event_id=_short(report.event_id),
        defaults={
            "delivery_id": report.delivery,
            "notice_id": report.notice,
            "kind": report.kind,
            "status": report.status[:12],
            "detail": "" if erased else report.detail[:500],
            "at": report.at or timezone.now(),
        },
    )
    if not new:
        return False
    if report.kind in BOUNCED:
        delivery.settle(dispatch, Dispatch.State.BOUNCED)
    elif report.kind in TAKEN:
        delivery.settle(dispatch, Dispatch.State.SENT)
    reader = _reader(dispatch)
    if reader and not erased:
        subscribers.heed(reader, report.kind)
    return True


def event_id(mail: Mail, *facts: str) -> str:
    """What an event is called that a mail tells of: the same whenever the mail comes again, by whatever way."""
    name = mail.header("message-id") or "\n".join(mail.header(part) for part in ("from", "date", "subject"))
    return f"mail:{hashlib.sha256(chr(10).join([name, *facts]).encode('utf-8', 'replace')).hexdigest()}"


def _lock(report: Report) -> Delivery | Notice | None:
    """The message a report is about, held until the end of the transaction."""
    if report.delivery is not None:
        return Delivery.objects.select_for_update().filter(pk=report.delivery).first()
    if report.notice is not None:
        return Notice.objects.select_for_update().filter(pk=report.notice).first()
    return None


def _reader(dispatch: Delivery | Notice) -> subscribers.Reader | None:
    if isinstance(dispatch, Delivery):
        return subscribers.Reader(dispatch.address_key, dispatch.subscriber_id)
    if dispatch.subscription is None:  # a mail to somebody with an account
        return None
    subscriber = dispatch.subscription.subscriber
    return subscribers.Reader(subscriber.address_key, subscriber.pk)


def _short(event_id: str) -> str:
    return event_id if len(event_id) <= 200 else hashlib.sha256(event_id.encode()).hexdigest()
