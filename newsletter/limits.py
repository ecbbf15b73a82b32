"""How much one network, account or page may ask of us. Kept in the database: no restart or empty cache lifts it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from newsletter import addresses
from newsletter.models import Attempt, Newsletter, SignupAttempt

logger = logging.getLogger(__name__)

SIGNUPS_AN_HOUR = 60
KNOWN_FOR = timedelta(days=30)  # how long a network is known where a try has succeeded


class Limits(NamedTuple):
    """The most tries within a time that have not succeeded."""

    window: timedelta
    subject: int  # for one account, page or address, from everywhere
    network: int  # from one network (/24, /64), for everything
    both: int  # for the one from the other


LIMITS = {
    Attempt.Action.LOGIN: Limits(timedelta(minutes=15), subject=20, network=20, both=10),
    # One password for many readers: a whole class may mistype it.
    Attempt.Action.PAGE: Limits(timedelta(minutes=15), subject=120, network=60, both=30),
    Attempt.Action.RESET: Limits(timedelta(hours=1), subject=3, network=20, both=3),
}


class TooManyAttempts(Exception):
    """An account, a page, an address or a network has used up its tries for now."""

    def __init__(self, action: Attempt.Action, until: datetime) -> None:
        super().__init__(f"Too many tries ({action}); the next one is possible at {until:%H:%M:%S %Z}.")
        self.until = until


def attempt(action: Attempt.Action, subject: str, ip: str) -> Attempt:
    """Note a try before it is made, as keyed hashes only; call `succeed` when it has succeeded.

    A refused try is not counted, so that nobody is locked out for longer by going on. Where a subject and a network
    belong together, since a try has succeeded within a month, only their own tries count: strangers who guess at an
    account from elsewhere do not keep its owner out.

    Each try is committed before others are counted. So of parallel ones never more pass than the limit says.

    Raises:
        TooManyAttempts: with the time of the next try.
    """
    limits, now = LIMITS[action], timezone.now()
    own_subject = {"subject_hash": addresses.keyed_hash(subject.strip().casefold())}
    own_network = {"network_hash": addresses.keyed_hash(addresses.network(ip))}
    known = Attempt.objects.filter(**own_subject, **own_network, action=action, succeeded=True, at__gt=now - KNOWN_FOR)
    counted = [(limits.both, own_subject | own_network)]
    if not known.exists():
        counted += [(limits.subject, own_subject), (limits.network, own_network)]
    this = Attempt.objects.create(action=action, **own_subject, **own_network)
    others = Attempt.objects.filter(action=action, succeeded=False, at__gt=now - limits.window).exclude(pk=this.pk)
    for most, whose in counted:
        latest = list(others.filter(**whose).order_by("-at").values_list("at", flat=True)[:most])
        if len(latest) == most:
            this.delete()
            refused = TooManyAttempts(action, latest[-1] + limits.window)
            logger.warning("%s", refused)
            raise refused
    return this


def succeed(attempt: Attempt) -> None:
    """Note that a try has succeeded."""
    Attempt.objects.filter(pk=attempt.pk).update(succeeded=True)


def forget_attempts() -> int:
    """Delete what does not count any more. How many tries that were."""
    now = timezone.now()
    old = Attempt.objects.filter(at__lt=now - timedelta(days=1), succeeded=False)
    return old.delete()[0] + Attempt.objects.filter(at__lt=now - KNOWN_FOR).delete()[0]


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
