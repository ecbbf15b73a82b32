"""The edition: one random value that moves whenever what readers see may have changed."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from wagtail.models import Page

from content.models import Edition, EventPage
from content.models.site import new_edition


def current() -> str:
    """The value of this edition; pages cached under another one are stale."""
    return Edition.objects.get_or_create(pk=1)[0].value


def move(**_said: Any) -> None:
    """Begin a new edition. Also a signal receiver: what the signal says makes no difference."""
    Edition.objects.update_or_create(pk=1, defaults={"value": new_edition(), "moved_at": timezone.now()})


def move_with_page(instance: Page, update_fields: Any = None, **_said: Any) -> None:
    """Signal receiver: a page was saved; drafts and bookkeeping change nothing for readers."""
    if isinstance(instance, Page) and instance.live and (update_fields is None or "live" in update_fields):
        move()


def move_with_clock() -> None:
    """Begin a new edition when, since the last one, a day or an event has ended."""
    edition, now = Edition.objects.get_or_create(pk=1)[0], timezone.now()
    if timezone.localdate(edition.moved_at) != timezone.localdate(now) or _event_ended(edition.moved_at, now):
        move()


def _event_ended(since: datetime.datetime, until: datetime.datetime) -> bool:
    span = (since, until)
    ended = Q(ends_at__range=span) | Q(ends_at=None, starts_at__range=span)
    return bool(EventPage.objects.live().filter(ended).exists())
