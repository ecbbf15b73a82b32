"""A person's resend: a new delivery with a Message-ID of its own takes the place of one that has ended.

The old row keeps its state for ever and counts no more; `current` moves to the new one, which waits to be sent.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext as _

from newsletter import doorbell
from newsletter.delivery import clock, timeline
from newsletter.delivery.mailings import Refused, State
from newsletter.delivery.replies import ADDRESS
from newsletter.mail_identity import delivery_message_id
from newsletter.models import Delivery, Dispatch, Mailing, Subscriber, Subscription, Suppression

CHUNK = 5_000  # deliveries
ENDED = (Dispatch.State.FAILED, Dispatch.State.BOUNCED, Dispatch.State.SENT, Dispatch.State.SKIPPED)


def resend(delivery: Delivery, user: User | None = None) -> Delivery:
    """Send one delivery again.

    Args:
        delivery: one that has ended.
        user: who asked for it.

    Returns:
        The delivery that takes its place.

    Raises:
        Refused: it has not ended, was resent already, or may not be sent to this person.
    """
    with transaction.atomic():
        _hold(delivery.mailing_id)
        delivery = Delivery.objects.select_related("mailing", "subscriber").get(pk=delivery.pk)
        if reason := why_not(delivery):
            raise Refused(reason)
        if not _replace([delivery]):
            raise Refused(_("This person was erased, or somebody else in this mailing has the address by now."))
        timeline.note(delivery.mailing_id, "resend", user, delivery=delivery.pk)
        _reopen(delivery.mailing)
    return Delivery.objects.get(mailing=delivery.mailing_id, subscriber=delivery.subscriber_id, current=True)


def why_not(delivery: Delivery) -> str:
    """Why a delivery can not be sent again, in one plain sentence; empty when it can."""
    if not delivery.current:
        return _("It was sent again already: look at the later copy.")
    if delivery.state not in ENDED:
        return _("It is still waiting or on its way.")
    if delivery.mailing.state == State.CANCELLED:
        return _("Its mailing was cancelled.")
    if delivery.subscriber is None:
        return _("This person was erased.")
    if Suppression.objects.filter(address_key=delivery.subscriber.address_key).exists():
        return _("Nothing may be sent to this address: it is suppressed.")
    standing = delivery.subscriber.subscriptions.filter(newsletter=delivery.mailing.newsletter_id)
    if not standing.filter(status=Subscription.Status.CONFIRMED).exists():
        return _("This person is not subscribed.")
    return ""


def retry_failed(mailing: Mailing, user: User | None = None, with_addresses: bool = False) -> int:
    """Send again to everybody a mailing failed to reach. Asked twice, it does nothing the second time.

    Args:
        mailing: sending, paused or sent.
        user: who asked for it.
        with_addresses: also where the server said that the address does not take mail.

    Returns:
        How many are sent again.

    Raises:
        Refused: there is nobody to send to again.
    """
    last = retryable(mailing, with_addresses).aggregate(last=Max("pk"))["last"] or 0
    number = 0
    while chunk := _retry_chunk(mailing, with_addresses, last):
        number += chunk
    if not number:
        raise Refused(_("There is nobody to send it to again."))
    timeline.note(mailing.pk, "retry", user, number=number)
    return number


def retryable(mailing: Mailing, with_addresses: bool = False) -> QuerySet[Delivery]:
    """Who would be sent to again: failed, not replaced yet, still subscribed and not suppressed."""
    suppressed = Suppression.objects.filter(address_key=OuterRef("subscriber__address_key"))
    confirmed = Subscription.objects.filter(
        subscriber=OuterRef("subscriber"), newsletter=mailing.newsletter_id, status=Subscription.Status.CONFIRMED
    )
    failed = Delivery.objects.filter(
        ~Exists(suppressed), Exists(confirmed), mailing=mailing, current=True, state=Dispatch.State.FAILED
    ).exclude(mailing__state=State.CANCELLED)
    return failed if with_addresses else failed.exclude(reason=ADDRESS)


@transaction.atomic
def _retry_chunk(mailing: Mailing, with_addresses: bool, last: int) -> int:
    _hold(mailing.pk)
    failed = retryable(mailing, with_addresses).filter(pk__lte=last).order_by("pk")
    number = _replace(list(failed[:CHUNK]))
    if number:
        _reopen(mailing)
    return number


def _hold(mailing: int) -> None:
    """Keep others from closing the mailing, and from resending in it, until this transaction ends."""
    Mailing.objects.select_for_update(no_key=True).get(pk=mailing)


def _replace(ended: list[Delivery]) -> int:
    """Write the next generation of these deliveries. How many were replaced.

    Nobody is written down who is being erased at this moment, nor twice under one address.
    """
    people = Subscriber.objects.select_for_update(no_key=True).in_bulk([old.subscriber_id for old in ended])
    Delivery.objects.bulk_create(
        [_next(old, people[old.subscriber_id]) for old in ended if old.subscriber_id in people], ignore_conflicts=True
    )
    newer = Delivery.objects.filter(
        mailing=OuterRef("mailing"), subscriber=OuterRef("subscriber"), generation__gt=OuterRef("generation")
    )
    return Delivery.objects.filter(Exists(newer), pk__in=[old.pk for old in ended]).update(current=False)


def _next(old: Delivery, person: Subscriber) -> Delivery:
    return Delivery(
        mailing_id=old.mailing_id,
        variant_id=old.variant_id,
        subscriber=person,
        address=person.email,
        address_key=person.address_key,
        domain=person.address_key.rpartition("@")[2],
        generation=old.generation + 1,
        message_id=delivery_message_id(old.mailing_id, person.pk),
        due_at=clock.moment(),
    )


def _reopen(mailing: Mailing) -> None:
    """A mailing that was done has something to send again; `finish` closes it once more."""
    Mailing.objects.filter(pk=mailing.pk, state=State.SENT).update(state=State.SENDING, finished_at=None)
    doorbell.ring("send_mailing", mailing.pk)
