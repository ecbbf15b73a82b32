"""Events of a provider in our vocabulary: believed first, then recorded like any other bounce."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from typing import Any

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.http import HttpRequest
from django.utils.timezone import is_aware

from newsletter import bounces, diagnosis, links, subscribers
from newsletter.esp.providers import Provider
from newsletter.models import Bounce, Delivery, Notice
from newsletter.smtp import readable

logger = logging.getLogger(__name__)

Kind = Bounce.Kind
KINDS = {
    EventType.AUTORESPONDED: Kind.AUTOREPLY,
    EventType.COMPLAINED: Kind.COMPLAINT,
    EventType.DEFERRED: Kind.DEFERRED,
    EventType.DELIVERED: Kind.DELIVERED,
}
TURNED_BACK = {EventType.BOUNCED, EventType.REJECTED, EventType.FAILED}
BY_REASON = {
    RejectReason.INVALID: Kind.HARD,
    RejectReason.TIMED_OUT: Kind.SOFT,
    RejectReason.BLOCKED: Kind.BLOCKED,
    RejectReason.SPAM: Kind.BLOCKED,
}
SOFT = re.compile(r"soft|transient|temporar|undetermined|full\b|quota", re.IGNORECASE)
TYPES = ("event", "type", "Type", "status")
# Of SparkPost's classes those that pass, and those that are about us.
SPARKPOST = {
    **dict.fromkeys(("20", "21", "22", "23", "24", "40", "70"), Kind.SOFT),
    **dict.fromkeys(("25", "50", "51", "52", "53", "54"), Kind.BLOCKED),
}


class Unbelievable(Exception):
    """A request that is not, or not provably, the provider's; or nothing that anybody could read."""


def read(provider: Provider, request: HttpRequest) -> list[AnymailTrackingEvent]:
    """The events in a request of the provider's.

    Raises:
        Unbelievable: its proof is missing, wrong or too old, or it holds no events.
    """
    hook = provider.listen()
    try:
        hook.run_validators(request)
        events = hook.parse_events(request)
    except AnymailWebhookValidationFailure as error:
        raise Unbelievable("proof") from error
    except Exception as error:
        # Strangers may send anything, and anymail expects what providers send.
        raise Unbelievable(type(error).__name__) from error
    return [event for event in events if isinstance(event, AnymailTrackingEvent)]


def take_in(provider: Provider, events: Sequence[AnymailTrackingEvent]) -> int:
    """Record events that were believed. What is known already, or about no message of ours, is passed over.

    Returns:
        How many were news.
    """
    return sum(_take_in(provider, event) for event in events)


def _take_in(provider: Provider, event: AnymailTrackingEvent) -> bool:
    about = _about(event)
    if about is None:
        return False
    if event.event_type == EventType.UNSUBSCRIBED or event.reject_reason == RejectReason.UNSUBSCRIBED:
        return subscribers.unsubscribe_reader(about, source="provider")
    kind = kind_of(event)
    if kind is None:
        return False
    said = readable(str(event.mta_response or event.description or ""))
    at = event.timestamp if event.timestamp and is_aware(event.timestamp) else None
    report = bounces.Report(
        kind=kind,
        event_id=f"{provider.name}:{_identity(event)}",
        delivery=about.pk if isinstance(about, Delivery) else None,
        notice=about.pk if isinstance(about, Notice) else None,
        status=diagnosis.status_of(said),
        detail=said,
        at=at,
    )
    return bounces.record(report)


def kind_of(event: AnymailTrackingEvent) -> Bounce.Kind | None:
    """What an event is in our words; None for what does not concern us, such as an opened message.

    What the receiving server said goes before the provider's own word: some call every 5xx a hard bounce, also the one
    that refuses us and not the address.
    """
    if event.event_type not in TURNED_BACK:
        return KINDS.get(event.event_type)
    raw = _raw(event)
    passing = SPARKPOST.get(str(raw.get("bounce_class")))
    if passing:
        return passing
    words = [str(event.description), *_types(raw)]
    if raw.get("hard_bounce") is False or SOFT.search(" ".join(words)):
        return Kind.SOFT
    if "blocked" in words:
        return Kind.BLOCKED
    if event.reject_reason in BY_REASON:
        return BY_REASON[event.reject_reason]
    said = str(event.mta_response or event.description or "")
    diagnosed = diagnosis.diagnose(said)
    if diagnosed:
        return diagnosed
    if event.event_type == EventType.FAILED and not said.startswith("55"):
        return Kind.BLOCKED
    return Kind.HARD


def _raw(event: AnymailTrackingEvent) -> dict[str, Any]:
    """What the provider said, without SparkPost's two wrappers."""
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    return next(iter(raw["msys"].values()), {}) if isinstance(raw.get("msys"), dict) else raw


def _types(raw: dict[str, Any]) -> list[str]:
    """The provider's own words for what happened, wherever it puts them."""
    places = [place for place in (raw, raw.get("data")) if isinstance(place, dict)]
    return [str(place[name]) for place in places for name in TYPES if name in place]


def _identity(event: AnymailTrackingEvent) -> str:
    """The same for every replay. A provider's id may cover several recipients, and some give none."""
    given = event.event_id or (event.message_id, event.timestamp)
    return hashlib.sha256(repr((given, event.event_type, event.recipient)).encode()).hexdigest()


def _about(event: AnymailTrackingEvent) -> Delivery | Notice | None:
    """The message an event is about: by the return token it carries, else by what the provider calls it."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    for token in (metadata.get("delivery"), *(event.tags or [])):
        try:
            kind, pk = links.read_return_token(str(token))
        except links.UnknownLink:
            continue
        return Delivery.objects.filter(pk=pk).first() if kind == "d" else Notice.objects.filter(pk=pk).first()
    if not event.message_id:
        return None
    named = readable(str(event.message_id))[:200]
    return Delivery.objects.filter(provider_id=named).first() or Notice.objects.filter(provider_id=named).first()
