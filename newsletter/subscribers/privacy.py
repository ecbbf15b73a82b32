"""What a person may ask of us by law: a copy of what we hold, and to be forgotten. And what we forget by ourselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from newsletter import addresses, choices, limits
from newsletter.models import (
    Bounce,
    ConsentEvent,
    CopyRecipient,
    Delivery,
    Mailing,
    Notice,
    Registration,
    SignupAttempt,
    Subscriber,
    Subscription,
    Suppression,
)

UNCONFIRMED_FOR = timedelta(days=30)
ERASURES = 6_579_301  # the number of their advisory lock


def portrait(subscriber: Subscriber) -> dict[str, Any]:
    """Everything we hold about a person, ready for JSON: GDPR articles 15 and 20."""
    subscriptions = subscriber.subscriptions.select_related("newsletter")
    deliveries = subscriber.deliveries.select_related("mailing").order_by("pk")
    return {
        "email": subscriber.email,
        "name": subscriber.name,
        "language": subscriber.language,
        "since": subscriber.created_at,
        "subscriptions": [_subscription(subscription) for subscription in subscriptions],
        "deliveries": [
            {"subject": delivery.mailing.subject, "state": delivery.state, "sent_at": delivery.sent_at}
            for delivery in deliveries
        ],
        "bounces": list(
            Bounce.objects.filter(Q(delivery__subscriber=subscriber) | Q(notice__subscription__subscriber=subscriber))
            .order_by("pk")
            .values("kind", "status", "detail", "at")
        ),
        "registrations": [
            {"event": place.event.title, "state": place.state, "since": place.created_at}
            for place in Registration.objects.filter(address_key=subscriber.address_key).select_related("event")
        ],
        "test_copies": list(CopyRecipient.objects.filter(address_key=subscriber.address_key).values("refused_at")),
        "suppressed": list(
            Suppression.objects.filter(address_key=subscriber.address_key).values("reason", "note", "at")
        ),
    }


@transaction.atomic
def erase(address_key: str, *, source: str) -> bool:
    """Forget a person. Kept are what became of our mails, without the address, and a hash that no import gets past.

    The hash also takes the place of any suppression in plain text. The same person may sign up again later: see
    `subscribe`.

    Args:
        address_key: as `addresses.address_key` makes it.

    Returns:
        False when we held nothing under this address; it is suppressed all the same.
    """
    _lock("pg_advisory_xact_lock")
    # Locked first, so that no resend writes the address down again after this has looked for it.
    subscriber = Subscriber.objects.select_for_update(no_key=True).filter(address_key=address_key).first()
    held = Q(mailing__in=list(Mailing.objects.values_list("pk", flat=True)), address_key=address_key)
    if subscriber:
        held |= Q(subscriber=subscriber)
    # Locked, so that what a relay answers meanwhile is either blanked here or not written any more.
    locked = Delivery.objects.select_for_update().filter(held)
    deliveries = Delivery.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))
    Bounce.objects.filter(delivery__in=deliveries).update(detail="")
    # A relay's reply often repeats the address.
    deliveries.update(
        address="", address_key=Concat(Value("erased:"), Cast("pk", CharField())), subscriber=None, reply=""
    )
    Registration.objects.filter(address_key=address_key).delete()
    SignupAttempt.objects.filter(address_hash=addresses.keyed_hash(address_key)).delete()
    _forget_copies(address_key)
    Suppression.objects.filter(address_key=address_key).delete()
    Suppression.objects.get_or_create(
        address_key=addresses.erased_key(address_key), defaults={"reason": Suppression.Reason.ERASED}
    )
    if subscriber is None:
        return False
    subscriber.delete()
    ConsentEvent.objects.create(subscription=None, kind=ConsentEvent.Kind.ERASED, source=source)
    return True


def _forget_copies(address_key: str) -> None:
    """Forget that test copies went to an address; that it wants no more of them is kept as a hash."""
    copies = CopyRecipient.objects.filter(address_key=address_key)
    copies.filter(refused_at=None).delete()
    kept = copies.values_list("refused_at", flat=True).first()
    if kept is not None:
        CopyRecipient.objects.get_or_create(
            address_key=addresses.erased_key(address_key), defaults={"refused_at": kept}
        )
        copies.delete()


def forget_unconfirmed() -> int:
    """Delete people who never confirmed within 30 days of last being asked, and yesterday's notes of sign-ups.

    Returns:
        How many people were forgotten.
    """
    limits.forget_signups()
    since = timezone.now() - UNCONFIRMED_FOR
    lasting = Subscription.objects.exclude(status=Subscription.Status.PENDING).values("subscriber")
    asked_lately = Notice.objects.filter(subscription__isnull=False, created_at__gte=since)
    stale = Subscriber.objects.filter(created_at__lt=since).exclude(pk__in=lasting)
    stale = stale.exclude(pk__in=asked_lately.values("subscription__subscriber"))
    if not stale.exists():
        return 0
    with transaction.atomic():
        _lock("pg_advisory_xact_lock")
        return stale.delete()[1].get(Subscriber._meta.label, 0)


def hold_off_erasures() -> None:
    """Until this transaction ends nobody is erased: an erasure comes before what it writes of a person, or after it."""
    _lock("pg_advisory_xact_lock_shared")


def _lock(function: str) -> None:
    # SQLite lets one transaction write at a time.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [ERASURES])


def _subscription(subscription: Subscription) -> dict[str, Any]:
    known = choices.known()
    return {
        "newsletter": subscription.newsletter.name,
        "status": subscription.status,
        "source": subscription.source,
        "since": subscription.created_at,
        "confirmed_at": subscription.confirmed_at,
        "ended_at": subscription.ended_at,
        "choices": sorted("/".join(known[term]) for term in choices.chosen(subscription) if term in known),
        "consent": list(subscription.consent_events.values("kind", "at", "source", "wording")),
        "notices": list(subscription.notices.order_by("pk").values("kind", "state", "created_at", "sent_at")),
    }
