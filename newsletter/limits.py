"""How much one network may ask of us. Kept in the database, so that no restart or empty cache lifts it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from newsletter import addresses
from newsletter.models import Newsletter, SignupAttempt

SIGNUPS_AN_HOUR = 60


class TooManySignups(Exception):
    """A network has used up its sign-ups of the hour."""


@transaction.atomic
def count_signup(newsletter: Newsletter, address_key: str, ip: str) -> None:
    """Note one sign-up by form, as keyed hashes only.

    Sign-ups to one newsletter pass here one after the other, until the caller's transaction ends: on PostgreSQL by
    a lock on the newsletter's row, on SQLite because there is one writer. So parallel ones can not slip through.

    Raises:
        TooManySignups: after sixty from one network (/24, /64) within an hour.
    """
    Newsletter.objects.select_for_update(no_key=True).get(pk=newsletter.pk)
    network = addresses.keyed_hash(addresses.network(ip))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    if SignupAttempt.objects.filter(network_hash=network, at__gt=an_hour_ago).count() >= SIGNUPS_AN_HOUR:
        raise TooManySignups
    SignupAttempt.objects.create(network_hash=network, address_hash=addresses.keyed_hash(address_key))


def forget_signups() -> int:
    """Delete the notes of sign-ups older than a day."""
    return SignupAttempt.objects.filter(at__lt=timezone.now() - timedelta(days=1)).delete()[0]
