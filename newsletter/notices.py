"""Automatic mails to one person: when one may be sent, and which links it carries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from newsletter import doorbell, links
from newsletter.mail_identity import new_message_id
from newsletter.models import Notice, Subscriber, Subscription

AN_HOUR, A_DAY = 1, 3


@transaction.atomic
def queue(subscription: Subscription, kind: Notice.Kind) -> bool:
    """Queue a notice and wake a worker after commit.

    Whoever fills in other people's addresses must not make a bomb of our mails: of each kind an address gets one
    in an hour and three in a day, however many ask.

    Returns:
        False when the address had its share, and nothing was queued.
    """
    Subscriber.objects.select_for_update(no_key=True).get(pk=subscription.subscriber_id)
    now = timezone.now()
    sent = Notice.objects.filter(subscription__subscriber=subscription.subscriber_id, kind=kind)
    if sent.filter(created_at__gt=now - timedelta(hours=1)).count() >= AN_HOUR:
        return False
    if sent.filter(created_at__gt=now - timedelta(days=1)).count() >= A_DAY:
        return False
    Notice.objects.create(subscription=subscription, kind=kind, due_at=Now(), message_id=new_message_id("n"))
    doorbell.ring("send_notices")
    return True


def queue_for_account(address: str, kind: Notice.Kind, message: bytes | None = None, message_id: str = "") -> None:
    """Queue a mail to somebody with an account and wake a worker after commit.

    Args:
        address: whom it goes to.
        kind: `password`, which is written when it is sent, or `account`.
        message: what is sent of the latter.
        message_id: the one it bears.
    """
    Notice.objects.create(
        kind=kind, address=address, message=message, due_at=Now(), message_id=message_id or new_message_id("n")
    )
    doorbell.ring("send_notices")


def words(notice: Notice) -> dict[str, Any]:
    """What the templates of a notice are told. Never the name: a stranger may have typed it into the form."""
    subscription, made_at = notice.subscription, notice.created_at
    assert subscription is not None
    public_id, language = subscription.public_id, subscription.subscriber.spoken_language
    return {
        "newsletter": subscription.newsletter,
        "confirm_url": links.confirm_url(public_id, made_at, language),
        "export_url": links.export_url(public_id, made_at, language),
        "erase_url": links.erase_url(public_id, made_at, language),
        "preferences_url": links.preferences_url(public_id, language),
        "unsubscribe_url": links.unsubscribe_url(public_id, None, language),
    }
