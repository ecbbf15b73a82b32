"""Synthetic subscribers in bulk, for load and benchmarks. Their addresses end in `.test`, which no mail reaches."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from content import languages
from newsletter.models import Newsletter, Subscriber, Subscription

CHUNK = 5_000
SPANISH_SHARE = 0.2


def subscribers(newsletter: Newsletter, number: int) -> None:
    """Add that many confirmed subscribers to a newsletter; each run adds others."""
    run = uuid.uuid4().hex[:8]
    for start in range(0, number, CHUNK):
        _add(newsletter, (f"reader{place}.{run}@load.test" for place in range(start, min(start + CHUNK, number))))


@transaction.atomic
def _add(newsletter: Newsletter, addresses: Iterable[str]) -> None:
    chance = random.Random(newsletter.pk)  # noqa: S311
    people = Subscriber.objects.bulk_create(
        Subscriber(
            email=address,
            address_key=address,
            language=languages.spoken("es" if chance.random() < SPANISH_SHARE else ""),
        )
        for address in addresses
    )
    Subscription.objects.bulk_create(
        Subscription(
            subscriber=person,
            newsletter=newsletter,
            status=Subscription.Status.CONFIRMED,
            source="make_load",
            confirmed_at=timezone.now(),
        )
        for person in people
    )
