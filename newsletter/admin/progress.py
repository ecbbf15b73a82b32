"""How far a mailing has come: numbers that add up, how fast it goes, what waits, what failed and what came back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _

from newsletter import delivery
from newsletter.admin import reasons
from newsletter.delivery import clock
from newsletter.delivery.replies import anonymous
from newsletter.models import Bounce, Delivery, Dispatch, Mailing

A_MINUTE = 60  # seconds
MOVING = (Mailing.State.PREPARING, Mailing.State.SENDING)
State = Dispatch.State


class Group(NamedTuple):
    """Deliveries that share a fate: why, how many, and what a server said to one of them."""

    key: str
    words: str
    number: int
    example: str = ""


def progress(mailing: Mailing) -> dict[str, Any]:
    """Everything the page of a mailing says in numbers, each number asked for once."""
    counts = delivery.counts(mailing)
    recipients = counts.pop("recipients")
    later = _later(mailing)
    per_minute = _per_minute(mailing)
    due = counts["queued"] + counts["in_flight"] - sum(group.number for group in later)
    return {
        "recipients": recipients,
        "done": recipients - counts["queued"] - counts["in_flight"],
        "counts": [(state, label, counts[state]) for state, label in State.choices],
        "per_minute": per_minute,
        "time_left": _time_left(due, per_minute),
        "hindrances": delivery.hindrances(mailing),
        "later": later,
        "later_number": sum(group.number for group in later),
        "next_at": _waiting(mailing).aggregate(next=Min("due_at"))["next"],
        "failed": _troubled(mailing, State.FAILED),
        "skipped": _troubled(mailing, State.SKIPPED),
        "bounces": _bounces(mailing),
    }


def is_moving(mailing: Mailing) -> bool:
    """Whether its numbers, or its state, are about to change by themselves."""
    due = mailing.state == Mailing.State.SCHEDULED and mailing.scheduled_for <= timezone.now()
    return due or mailing.state in MOVING


def _waiting(mailing: Mailing) -> QuerySet[Delivery]:
    return mailing.deliveries.filter(state=State.QUEUED, due_at__gt=clock.moment())


def _later(mailing: Mailing) -> list[Group]:
    counted = _waiting(mailing).values_list("reason").annotate(number=Count("pk")).order_by("-number")
    return [Group(reason, reasons.words(reason) or _("Its turn comes later"), number) for reason, number in counted]


def _troubled(mailing: Mailing, state: State) -> list[Group]:
    """Deliveries that ended badly, by reason, with one server's words without its addresses."""
    ended = mailing.deliveries.filter(current=True, state=state).exclude(reason="")
    counted = ended.values_list("reason").annotate(number=Count("pk")).order_by("-number")
    return [
        Group(reason, reasons.words(reason), number, _example(ended, reason) if state == State.FAILED else "")
        for reason, number in counted
    ]


def _example(ended: QuerySet[Delivery], reason: str) -> str:
    return anonymous(ended.filter(reason=reason).values_list("reply", flat=True).first() or "")


def _bounces(mailing: Mailing) -> list[Group]:
    labels = dict(Bounce.Kind.choices)
    came = Bounce.objects.filter(delivery__mailing=mailing)
    counted = came.values_list("kind").annotate(number=Count("delivery", distinct=True)).order_by("-number")
    return [Group(kind, str(labels.get(kind, kind)), number) for kind, number in counted]


def _per_minute(mailing: Mailing) -> int:
    """How many went out in the last minute and did not come back, or at that pace since it started."""
    if mailing.state != Mailing.State.SENDING or mailing.started_at is None:
        return 0
    sent = mailing.deliveries.filter(current=True, state=State.SENT, sent_at__gt=clock.moment(-A_MINUTE)).count()
    going = (timezone.now() - mailing.started_at).total_seconds()
    return round(sent * A_MINUTE / min(max(going, 1.0), A_MINUTE))


def _time_left(due: int, per_minute: int) -> str:
    """The time until what is due now is done, in words; empty when nobody can tell."""
    if due <= 0 or not per_minute:
        return ""
    seconds = due * A_MINUTE / per_minute
    if seconds < A_MINUTE:
        return _("less than a minute")
    start = datetime(2000, 1, 1)
    return _("about %(time)s") % {"time": timeuntil(start + timedelta(seconds=seconds), start, depth=1)}
