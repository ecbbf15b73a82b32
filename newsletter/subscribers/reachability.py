"""What bounces and complaints mean for an address: when mail to it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, F, Max, OuterRef
from django.db.models.functions import Coalesce

from newsletter.models import Bounce, Delivery, Dispatch, Notice, Subscription, Suppression
from newsletter.subscribers.consent import suppress

AT_ONCE = {
    Bounce.Kind.HARD: Suppression.Reason.BOUNCE,
    Bounce.Kind.COMPLAINT: Suppression.Reason.COMPLAINT,
}
LAST, TOO_MANY = 5, 3
ENDED = [Dispatch.State.SENT, Dispatch.State.BOUNCED, Dispatch.State.FAILED]


class Reader(NamedTuple):
    """Whom a message was for: the key of its address, and the subscriber as long as we know one."""

    address_key: str
    subscriber_id: int | None


def heed(reader: Reader, kind: str) -> bool:
    """Draw the consequences of a bounce that is written down already.

    A hard bounce or a complaint suppresses the address at once; a soft bounce when three of the reader's last five
    messages met one. No other kind does, least of all a refusal because of us.

    Returns:
        Whether the address was suppressed by it.
    """
    reason = AT_ONCE.get(Bounce.Kind(kind))
    if reason is None and kind == Bounce.Kind.SOFT and _fails_too_often(reader.subscriber_id):
        reason = Suppression.Reason.BOUNCE
    return reason is not None and suppress(reader.address_key, reason, source="bounce")


def _fails_too_often(subscriber_id: int | None) -> bool:
    if subscriber_id is None:
        return False
    latest = sorted(_messages(subscriber_id), reverse=True)[:LAST]
    return sum(soft for _at, soft in latest) >= TOO_MANY


def _messages(subscriber_id: int) -> Iterator[tuple[datetime, bool]]:
    """When each of a subscriber's last messages went out, and whether it met a soft bounce.

    What was before their last confirmation does not count against who came back with a mended address.
    """
    standing = Subscription.objects.filter(subscriber=subscriber_id)
    confirmed_at = standing.aggregate(at=Max("confirmed_at"))["at"]
    soft = Bounce.objects.filter(kind=Bounce.Kind.SOFT)
    deliveries = Delivery.objects.filter(subscriber=subscriber_id).annotate(
        soft=Exists(soft.filter(delivery=OuterRef("pk")))
    )
    notices = Notice.objects.filter(subscription__subscriber=subscriber_id).annotate(
        soft=Exists(soft.filter(notice=OuterRef("pk")))
    )
    for rows in (deliveries, notices):
        went = rows.filter(state__in=ENDED).annotate(went_at=Coalesce(F("sent_at"), F("first_tried_at")))
        went = went.filter(went_at__gte=confirmed_at) if confirmed_at else went.exclude(went_at=None)
        yield from went.order_by("-went_at").values_list("went_at", "soft")[:LAST]
