"""After a crash: ends the lanes nobody renews, and says which one message of each is in doubt."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Q

from newsletter.delivery import claims, clock, ledger
from newsletter.delivery.owner import is_dead
from newsletter.delivery.replies import in_doubt
from newsletter.models import Delivery, Lane, Notice


def reap() -> int:
    """End every lane whose lease has run out, and those of dead processes of this host at once.

    Returns:
        How many lanes were ended.
    """
    dead = [owner for owner in Lane.objects.values_list("owner", flat=True).distinct() if is_dead(owner)]
    lost = Q(lease_until__lte=clock.moment()) | Q(owner__in=dead)
    return sum(_end(token, lost) for token in Lane.objects.filter(lost).values_list("token", flat=True))


@transaction.atomic
def _end(token: int, lost: Q) -> bool:
    """End one lane, unless its process has renewed it meanwhile or another reaper is at it."""
    lane = _lock(token, lost)
    if lane is None:
        return False
    # For the length of this transaction the lane is ours: a sleeper that wakes waits for the lock, and finds it gone.
    Lane.objects.filter(token=token).update(lease_until=clock.moment(ledger.LEASE))
    ledger.record([ledger.Entry(token, row, in_doubt(None)) for row in _doubtful(lane)])
    claims.free(token)
    ledger.skip_cancelled()
    return True


def _lock(token: int, lost: Q) -> Lane | None:
    lanes = Lane.objects.filter(lost, token=token)
    if connection.features.has_select_for_update_skip_locked:
        lanes = lanes.select_for_update(skip_locked=True)
    return lanes.first()


def _doubtful(lane: Lane) -> list[ledger.Row]:
    """The row whose final dot may have been written. Positions are counted for both tables together."""
    return [
        ledger.Row(kind, pk, lane.cleared, message_id, "", attempts)
        for kind, model in ((ledger.Kind.DELIVERY, Delivery), (ledger.Kind.NOTICE, Notice))
        for pk, message_id, attempts in model.objects.filter(lane=lane.token, position=lane.cleared).values_list(
            "pk", "message_id", "attempts"
        )
    ]
