"""Subscribers as a file: one row each, whatever their state, which `importing` takes back without loss."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from newsletter import choices
from newsletter.models import ConsentEvent, Newsletter, Subscription, Suppression

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

BEFORE_CHOICES = ("email", "status", "name", "language")
AFTER_CHOICES = ("source", "created_at", "confirmed_at", "ended_at", "consent")
SUPPRESSED = "suppressed"
NO_WORDING = "Confirmed here; the words agreed to were not kept."
FORMULA = re.compile(r"'*[=+\-@\t\r\0;]")


def write(newsletter: Newsletter, file: SupportsWrite[str]) -> int:
    """Write every subscriber of a newsletter as CSV (RFC 4180), in the order of their addresses.

    Returns:
        How many rows were written, the header not counted.
    """
    sheet = csv.writer(file)
    facets = choices.facet_slugs()
    sheet.writerow(columns(facets))
    count = 0
    for count, row in enumerate(_rows(newsletter, facets), start=1):  # noqa: B007 the last count is the number of rows
        sheet.writerow([guarded(cell) for cell in row])
    return count


def columns(facets: Sequence[str]) -> list[str]:
    """The columns of the file: one for each facet between the others."""
    return [*BEFORE_CHOICES, *facets, *AFTER_CHOICES]


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before the signs that begin one."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _rows(newsletter: Newsletter, facets: Sequence[str]) -> Iterator[list[str]]:
    known = choices.known()
    for subscription in _subscriptions(newsletter).iterator(chunk_size=2000):
        subscriber = subscription.subscriber
        chosen = [known[choice.term_key] for choice in subscription.choices.all() if choice.term_key in known]
        yield [
            subscriber.email,
            _status(subscription),
            subscriber.name,
            subscriber.language,
            *(" ".join(sorted(slug for facet, slug in chosen if facet == wanted)) for wanted in facets),
            subscription.source,
            _moment(subscription.created_at),
            _moment(subscription.confirmed_at),
            _moment(subscription.ended_at),
            _consent(subscription),
        ]


def _subscriptions(newsletter: Newsletter) -> QuerySet[Subscription]:
    wordings = ConsentEvent.objects.filter(subscription=OuterRef("pk")).exclude(wording="").order_by("-pk")
    suppressed = Suppression.objects.filter(address_key=OuterRef("subscriber__address_key"))
    return (
        newsletter.subscriptions.select_related("subscriber")
        .prefetch_related("choices")
        .annotate(wording=Subquery(wordings.values("wording")[:1]), suppressed=Exists(suppressed))
        .order_by("subscriber__address_key")
    )


def _status(subscription: Any) -> str:
    says_so_itself = subscription.status in (Subscription.Status.BOUNCED, Subscription.Status.COMPLAINED)
    return SUPPRESSED if subscription.suppressed and not says_so_itself else str(subscription.status)


def _consent(subscription: Any) -> str:
    without = NO_WORDING if subscription.status == Subscription.Status.CONFIRMED else ""
    return str(subscription.wording or without)


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else ""
