"""The one reminder for whoever asked for the newsletter and has not confirmed yet."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from newsletter import links, notices
from newsletter.models import Dispatch, Notice, Subscription, Suppression

AHEAD = timedelta(hours=24)
"""How long before the link to confirm ends."""


def remind_unconfirmed() -> int:
    """Queue the reminders that are due: one for a subscription, a day before its link to confirm ends.

    Only an address that was asked a single time is reminded. One that was asked again has had its reminder by that,
    or somebody fills our form with it and it shall not get even more mail. A confirmation that never left is not
    followed by a reminder either.

    Returns:
        How many were queued.
    """
    now, lifetime = timezone.now(), links.LIFETIMES[links.CONFIRM]
    kinds = [Notice.Kind.CONFIRMATION, Notice.Kind.REMINDER]
    same_address = Notice.objects.filter(subscription__subscriber=OuterRef("subscription__subscriber"))
    suppressed = Suppression.objects.filter(address_key=OuterRef("subscription__subscriber__address_key"))
    due = Notice.objects.select_related("subscription").filter(
        ~Exists(same_address.filter(kind__in=kinds).exclude(pk=OuterRef("pk"))),
        ~Exists(suppressed),
        kind=Notice.Kind.CONFIRMATION,
        state=Dispatch.State.SENT,
        created_at__gt=now - lifetime,
        created_at__lte=now - lifetime + AHEAD,
        subscription__status=Subscription.Status.PENDING,
    )
    return sum(notices.queue(notice.subscription, Notice.Kind.REMINDER) for notice in due if notice.subscription)
