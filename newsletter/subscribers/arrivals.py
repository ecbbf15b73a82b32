"""Many people at once, out of a file: who is new, who is known, and who must be left alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from newsletter import addresses, choices
from newsletter.models import Choice, ConsentEvent, Newsletter, Subscriber, Subscription, Suppression
from newsletter.subscribers import consent

Status, Kind, Reason = Subscription.Status, ConsentEvent.Kind, Suppression.Reason
Outcome = Literal["created", "updated", "unchanged", "suppressed"]
SOURCE = "import"
SUPPRESSED = "suppressed"
REASONS = {Status.BOUNCED.value: Reason.BOUNCE, Status.COMPLAINED.value: Reason.COMPLAINT, SUPPRESSED: Reason.IMPORTED}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One person of a file. Empty fields say nothing: they change nothing of somebody we know."""

    address: addresses.Address
    status: str
    """A subscription's status, or `suppressed`."""
    name: str = ""
    language: str = ""
    terms: frozenset[UUID] = frozenset()
    consent: str = ""
    source: str | None = None
    created_at: datetime | None = None
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def may_get_mail(self) -> bool:
        return self.status in consent.STANDING


@transaction.atomic
def take_in(newsletter: Newsletter, arrivals: Sequence[Arrival]) -> list[Outcome]:
    """Take in people with different addresses, in a fixed number of queries for those who are new.

    Nobody who left, bounced, complained or is suppressed comes back by this door, whatever the file says; who
    opted out according to the file is opted out here too.

    Returns:
        For each whether they arrived new, were known and are now as the file says, or were so before, or are not
        to get mail.
    """
    barred, erased = _suppressed(arrivals)
    known = _known(newsletter, arrivals)
    new: list[Arrival] = []
    outcomes: list[Outcome] = []
    for arrival in arrivals:
        key = arrival.address.key
        if key in erased or (key in barred and (key in known or arrival.may_get_mail)):
            outcomes.append("suppressed")
        elif key in known:
            outcomes.append(_update(known[key], arrival))
        else:
            new.append(arrival)
            outcomes.append("created" if arrival.may_get_mail else "suppressed")
    _create(newsletter, new)
    return outcomes


def _suppressed(arrivals: Sequence[Arrival]) -> tuple[set[str], set[str]]:
    """The keys that stand among the suppressions, and those of which only a hash stands there."""
    keys = [arrival.address.key for arrival in arrivals]
    forms = {form: key for key in keys for form in addresses.suppression_keys(key)}
    found = Suppression.objects.filter(address_key__in=list(forms)).values_list("address_key", flat=True)
    barred = {form for form in found if forms[form] == form}
    return barred, {forms[form] for form in found if forms[form] != form}


def _known(newsletter: Newsletter, arrivals: Sequence[Arrival]) -> dict[str, Subscription]:
    keys = [arrival.address.key for arrival in arrivals]
    found = newsletter.subscriptions.filter(subscriber__address_key__in=keys).select_related("subscriber")
    return {subscription.subscriber.address_key: subscription for subscription in found}


def _update(subscription: Subscription, arrival: Arrival) -> Outcome:
    if subscription.status not in consent.STANDING:
        return "suppressed"
    if arrival.status in REASONS:
        consent.suppress(arrival.address.key, REASONS[arrival.status], source=SOURCE)
        return "suppressed"
    if arrival.status == Status.UNSUBSCRIBED:
        consent.unsubscribe(subscription, source=SOURCE)
        return "suppressed"
    confirmed = arrival.status == Status.CONFIRMED and _confirm(subscription, arrival)
    described = _describe(subscription, arrival)
    return "updated" if confirmed or described else "unchanged"


def _describe(subscription: Subscription, arrival: Arrival) -> bool:
    subscriber = subscription.subscriber
    words = arrival.name or subscriber.name, arrival.language or subscriber.language
    same_choices = not arrival.terms or choices.key(arrival.terms) == subscription.choices_key
    if words == (subscriber.name, subscriber.language) and same_choices:
        return False
    terms = arrival.terms or choices.chosen(subscription)
    return consent.prefer(subscription, name=words[0], language=words[1], terms=terms, source=SOURCE)


def _confirm(subscription: Subscription, arrival: Arrival) -> bool:
    """Confirm a pending subscription. False if it is not pending, or no more."""
    if subscription.status != Status.PENDING:
        return False
    pending = Subscription.objects.filter(pk=subscription.pk, status=Status.PENDING)
    if not pending.update(status=Status.CONFIRMED, confirmed_at=arrival.confirmed_at or timezone.now()):
        return False
    consent.record(subscription, Kind.IMPORTED, source=SOURCE, wording=arrival.consent)
    return True


def _create(newsletter: Newsletter, arrivals: Sequence[Arrival]) -> None:
    """Write new people. Whoever signed up by form in the same moment keeps what they said there."""
    Subscriber.objects.bulk_create([_subscriber(arrival) for arrival in arrivals], ignore_conflicts=True)
    keys = [arrival.address.key for arrival in arrivals]
    people = dict(Subscriber.objects.filter(address_key__in=keys).values_list("address_key", "pk"))
    Subscription.objects.bulk_create(
        [_subscription(newsletter, people[arrival.address.key], arrival) for arrival in arrivals], ignore_conflicts=True
    )
    rows = dict(newsletter.subscriptions.filter(subscriber__in=people.values()).values_list("subscriber", "pk"))
    numbered = [(rows[people[arrival.address.key]], arrival) for arrival in arrivals]
    Choice.objects.bulk_create(
        [Choice(subscription_id=pk, term_key=term) for pk, arrival in numbered for term in arrival.terms],
        ignore_conflicts=True,
    )
    ConsentEvent.objects.bulk_create([event for pk, arrival in numbered for event in _events(pk, arrival)])
    Suppression.objects.bulk_create(
        [
            Suppression(address_key=arrival.address.key, reason=REASONS[arrival.status])
            for arrival in arrivals
            if arrival.status in REASONS
        ],
        ignore_conflicts=True,
    )


def _subscriber(arrival: Arrival) -> Subscriber:
    return Subscriber(
        email=arrival.address.email,
        address_key=arrival.address.key,
        name=arrival.name,
        language=arrival.language or settings.LANGUAGE_CODE,
        created_at=arrival.created_at or timezone.now(),
    )


def _subscription(newsletter: Newsletter, subscriber_id: int, arrival: Arrival) -> Subscription:
    now = timezone.now()
    status = Status.UNSUBSCRIBED if arrival.status == SUPPRESSED else Status(arrival.status)
    return Subscription(
        newsletter=newsletter,
        subscriber_id=subscriber_id,
        status=status,
        source=SOURCE if arrival.source is None else arrival.source,
        choices_key=choices.key(arrival.terms),
        created_at=arrival.created_at or now,
        confirmed_at=arrival.confirmed_at or (now if status == Status.CONFIRMED else None),
        ended_at=arrival.ended_at or (None if arrival.may_get_mail else now),
    )


def _events(pk: int, arrival: Arrival) -> Iterable[ConsentEvent]:
    if arrival.consent or arrival.status == Status.CONFIRMED:
        kind = Kind.REQUESTED if arrival.status == Status.PENDING else Kind.IMPORTED
        yield ConsentEvent(subscription_id=pk, kind=kind, source=SOURCE, wording=arrival.consent)
    if not arrival.may_get_mail:
        kind = Kind.SUPPRESSED if arrival.status in REASONS else Kind.UNSUBSCRIBED
        yield ConsentEvent(subscription_id=pk, kind=kind, source=SOURCE)
