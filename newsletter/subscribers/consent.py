"""What one person agrees to, changes and takes back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Q
from django.utils import timezone

from content import languages
from newsletter import addresses, choices, doorbell, limits, notices
from newsletter.models import ConsentEvent, Delivery, Mailing, Newsletter, Notice, Subscriber, Subscription, Suppression

Status, Kind = Subscription.Status, ConsentEvent.Kind
STANDING = [Status.PENDING, Status.CONFIRMED]
ENDS = {
    Suppression.Reason.BOUNCE: Status.BOUNCED,
    Suppression.Reason.COMPLAINT: Status.COMPLAINED,
}


@transaction.atomic
def subscribe(
    newsletter: Newsletter,
    email: str,
    *,
    ip: str,
    name: str = "",
    language: str = "",
    terms: Collection[UUID] = frozenset(),
    wording: str = "",
    source: str = "form",
) -> None:
    """Take a sign-up by form: keep what was asked, and mail what the address needs.

    Who may not see any difference is the person in front of the form; the difference goes by mail. A new, pending
    or ended subscription gets a link to confirm, a confirmed one the news that it stands, and a suppressed address
    nothing. A confirmed subscription is not touched, since anybody could have typed the address.

    An address erased at its owner's request may start anew: only a hash of it is kept, it is asked to confirm, and
    the suppression is lifted by that confirmation, never by the form.

    Args:
        ip: where the form came from, kept for a day as a keyed hash of its network.
        terms: translation keys of the terms the person wants more of.
        wording: the words they agreed to, as shown.

    Raises:
        addresses.InvalidAddress: when the text is no address that we can write to.
        limits.TooManySignups: when the network asked too often.
    """
    address = addresses.parse(email)
    limits.count_signup(newsletter, address.key, ip)
    words = {"name": name, "language": language or languages.first()}
    if not _answer(newsletter, address, words, frozenset(terms), wording=wording, source=source):
        # Rung all the same: the time of the answer must not tell an address we know from one we do not.
        doorbell.ring("send_notices")


@transaction.atomic
def mail_link(newsletter: Newsletter, email: str, *, ip: str) -> None:
    """Mail the links to choose and to leave to who lost them; nothing to an address that we do not know.

    As with `subscribe`, only the mailbox learns whether there was anything to mail, and the same limits hold.

    Raises:
        addresses.InvalidAddress: when the text is no address that we can write to.
        limits.TooManySignups: when the network asked too often.
    """
    address = addresses.parse(email)
    limits.count_signup(newsletter, address.key, ip)
    known = newsletter.subscriptions.select_related("subscriber").filter(subscriber__address_key=address.key).first()
    if known is None or is_suppressed(known.subscriber) or not notices.queue(known, Notice.Kind.LINK):
        doorbell.ring("send_notices")  # as in `subscribe`


def request_confirmation(subscription: Subscription, *, wording: str, source: str) -> bool:
    """Mail a link to confirm. False when the address had its share of them, is confirmed or is suppressed."""
    if subscription.status == Status.CONFIRMED or is_suppressed(subscription.subscriber):
        return False
    queued = notices.queue(subscription, Notice.Kind.CONFIRMATION)
    if queued:
        record(subscription, Kind.REQUESTED, source=source, wording=wording)
    return queued


@transaction.atomic
def confirm(subscription: Subscription, asked_at: datetime | None = None, *, source: str = "confirmation link") -> bool:
    """Confirm a subscription that was asked for. This lifts what an erasure left; nothing else lifts a suppression.

    Args:
        asked_at: when the link was made; one made before the person left does not bring them back.

    Returns:
        False if it was confirmed already, has ended since, or the address is suppressed.
    """
    asked = Subscription.objects.filter(pk=subscription.pk).exclude(status=Status.CONFIRMED)
    if asked_at is not None:
        asked = asked.filter(Q(ended_at=None) | Q(ended_at__lt=asked_at))
    own_key, *erased_keys = addresses.suppression_keys(subscription.subscriber.address_key)
    asked = asked.exclude(Exists(Suppression.objects.filter(address_key=own_key)))
    if not asked.update(status=Status.CONFIRMED, confirmed_at=timezone.now(), ended_at=None):
        return False
    Suppression.objects.filter(address_key__in=erased_keys).delete()
    record(subscription, Kind.CONFIRMED, source=source)
    notices.queue(subscription, Notice.Kind.WELCOME)
    return True


@transaction.atomic
def unsubscribe(subscription: Subscription, *, mailing_id: int | None = None, source: str = "link") -> bool:
    """End a subscription at the person's wish. False if it had ended before.

    Args:
        mailing_id: the mailing whose link they used, when there was one.
    """
    standing = Subscription.objects.filter(pk=subscription.pk, status__in=STANDING)
    if not standing.update(status=Status.UNSUBSCRIBED, ended_at=timezone.now()):
        return False
    mailing = Mailing.objects.filter(pk=mailing_id).first() if mailing_id else None
    record(subscription, Kind.UNSUBSCRIBED, source=source, mailing=mailing)
    return True


def unsubscribe_reader(message: Delivery | Notice, *, source: str) -> bool:
    """End the subscription that a message was sent for. False if there is none, or it had ended before."""
    if isinstance(message, Notice):
        return message.subscription is not None and unsubscribe(message.subscription, source=source)
    newsletter = message.mailing.newsletter_id
    subscription = Subscription.objects.filter(subscriber=message.subscriber_id, newsletter=newsletter).first()
    return subscription is not None and unsubscribe(subscription, mailing_id=message.mailing_id, source=source)


@transaction.atomic
def prefer(
    subscription: Subscription, *, name: str, language: str, terms: Collection[UUID], source: str = "preferences"
) -> bool:
    """Keep a subscriber's name, language and choices. False when nothing was different."""
    changed = _describe(subscription, {"name": name, "language": language}, frozenset(terms))
    if changed:
        record(subscription, Kind.CHANGED, source=source)
    return changed


@transaction.atomic
def suppress(address_key: str, reason: Suppression.Reason, *, source: str, note: str = "") -> bool:
    """Send nothing to an address any more, and end what it is subscribed to. False if it was suppressed before.

    Args:
        address_key: as `addresses.address_key` makes it.
        reason: why; it also says how the subscriptions ended.
        source: who or what brought it about, such as `bounce` or `admin`.
    """
    _row, new = Suppression.objects.get_or_create(address_key=address_key, defaults={"reason": reason, "note": note})
    for subscription in Subscription.objects.filter(subscriber__address_key=address_key):
        standing = Subscription.objects.filter(pk=subscription.pk, status__in=STANDING)
        if standing.update(status=ENDS.get(reason, Status.UNSUBSCRIBED), ended_at=timezone.now()) or new:
            record(subscription, Kind.SUPPRESSED, source=source)
    return new


@transaction.atomic
def lift_suppression(address_key: str, *, source: str) -> bool:
    """Let an address be mailed again, should the person sign up and confirm. Nobody is subscribed by it.

    Returns:
        False if it was not suppressed.
    """
    lifted = Suppression.objects.filter(address_key=address_key).delete()[0]
    for subscription in Subscription.objects.filter(subscriber__address_key=address_key) if lifted else []:
        record(subscription, Kind.CHANGED, source=f"{source}: suppression lifted")
    return bool(lifted)


def is_suppressed(subscriber: Subscriber) -> bool:
    """Whether nothing may be sent to this subscriber, whatever they are subscribed to."""
    return Suppression.objects.filter(address_key=subscriber.address_key).exists()


def record(
    subscription: Subscription,
    kind: ConsentEvent.Kind,
    *,
    source: str,
    wording: str = "",
    mailing: Mailing | None = None,
) -> None:
    """Write down what somebody agreed to or took back."""
    ConsentEvent.objects.create(subscription=subscription, kind=kind, source=source, wording=wording, mailing=mailing)


def _answer(
    newsletter: Newsletter,
    address: addresses.Address,
    words: dict[str, str],
    terms: frozenset[UUID],
    *,
    wording: str,
    source: str,
) -> bool:
    """Queue what an address needs after a sign-up. False when it needs, or may get, nothing."""
    if Suppression.objects.filter(address_key=address.key).exists():
        return False
    subscriber, _new = Subscriber.objects.get_or_create(
        address_key=address.key, defaults={"email": address.email, **words}
    )
    subscription, _new = Subscription.objects.get_or_create(
        subscriber=subscriber, newsletter=newsletter, defaults={"source": source}
    )
    if subscription.status == Status.CONFIRMED:
        return notices.queue(subscription, Notice.Kind.ALREADY)
    _describe(subscription, words, terms)
    return request_confirmation(subscription, wording=wording, source=source)


def _describe(subscription: Subscription, words: dict[str, str], terms: frozenset[UUID]) -> bool:
    differs = Subscriber.objects.filter(pk=subscription.subscriber_id).exclude(**words)
    renamed = differs.update(**words)
    return choices.choose(subscription, terms) or bool(renamed)
