"""Who got test copies of issues, and who wants no more of them."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from newsletter import addresses, links, subscribers
from newsletter.models import CopyRecipient, Subscription


def leave_url(email: str, language: str) -> str:
    """Where the owner of an address ends the test copies to it; the address is noted for that.

    Raises:
        addresses.InvalidAddress: when it is no address that we can write to.
    """
    key = addresses.address_key(email)
    recipient, _new = CopyRecipient.objects.get_or_create(address_key=key)
    return links.copies_url(recipient.public_id, language)


def has_refused(address_key: str) -> bool:
    """Whether the owner of an address asked for no more test copies, also before an erasure."""
    keys = addresses.suppression_keys(address_key)
    return CopyRecipient.objects.filter(address_key__in=keys, refused_at__isnull=False).exists()


@transaction.atomic
def refuse(recipient: CopyRecipient) -> None:
    """Send no more test copies to an address, and end what it is subscribed to: its owner wants none of it."""
    if recipient.refused_at is None:
        recipient.refused_at = timezone.now()
        recipient.save(update_fields=["refused_at"])
    for subscription in Subscription.objects.filter(subscriber__address_key=recipient.address_key):
        subscribers.unsubscribe(subscription, source="test copy")


def accept(recipient: CopyRecipient) -> None:
    """Let test copies go to an address again. Nobody is subscribed by it."""
    recipient.refused_at = None
    recipient.save(update_fields=["refused_at"])
