"""What the tests of delivery share: a mailing sent until nothing is due, and its rows made due again."""

from __future__ import annotations

from collections import Counter

from django.utils import timezone

from newsletter import delivery
from newsletter.models import Bounce, Subscription, Throttle


def send(mailing, **options):
    """Send what is due. The counts of the mailing afterwards."""
    delivery.send_until_idle(mailing, wait=False, **options)
    mailing.refresh_from_db()
    return delivery.counts(mailing)


def later(mailing):
    """Everything that waits for its hour is due, after what was due before."""
    mailing.deliveries.filter(state="queued", due_at__gt=timezone.now()).update(due_at=timezone.now())


def send_to_the_end(mailing, rounds=8):
    """Send again and again, as hours would pass. The counts of the mailing afterwards."""
    for _round in range(rounds):
        counts = send(mailing)
        if mailing.state != "sending":
            break
        later(mailing)
        Throttle.objects.filter(rest_until__gt=timezone.now()).update(rest_until=timezone.now())
    return counts


def nobody_removed():
    """Whether every subscriber is still one, and no bounce says otherwise."""
    return not Subscription.objects.exclude(status="confirmed").exists() and not Bounce.objects.exists()


def twice(sinks):
    """Who got more than one copy."""
    got = Counter(taken.recipient for sink in sinks for taken in sink.taken)
    return sorted(address for address, count in got.items() if count > 1)


def whole_turn(each):
    """Until it is answered: two that share this test's connection may not ask at the same time."""
    going = each._turn()
    while each.settlement:
        going = each._turn()
    return going
