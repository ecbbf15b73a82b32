"""The top floor: Celery tasks that carry an id to a verb. All of them may be lost, doubled or late."""

from __future__ import annotations

import contextlib
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from newsletter import bounces, delivery, digest, frozen_pictures, heartbeats, limits

SHIFT_LIMIT = 840  # seconds: a shift, and the longest wait for a reply; below the broker's patience


@shared_task(time_limit=60)
def tick() -> None:
    """The minute's round."""
    delivery.tick()
    heartbeats.forget()
    limits.forget_attempts()


@shared_task(time_limit=SHIFT_LIMIT)
def send_mailing(pk: int) -> None:
    """Do what one mailing needs now."""
    delivery.work_on(pk)


@shared_task(time_limit=SHIFT_LIMIT)
def send_notices() -> None:
    """Send confirmations and other notices that are due."""
    delivery.work_on_notices()


@shared_task(time_limit=600)
def draft_digest() -> None:
    """Draft the issue of the month that has just ended, if there is anything to say."""
    with contextlib.suppress(digest.NothingToSay):
        digest.draft(digest.last_month())


@shared_task(time_limit=600)
def poll_bounces() -> None:
    """Take in what waits in the bounce mailbox, where there is one."""
    if settings.BOUNCE_MAILBOX_URL:
        bounces.poll(settings.BOUNCE_MAILBOX_URL)


@shared_task(time_limit=600)
def take_in_old_pictures() -> None:
    """Read the pictures of issues that were sent before they had copies, as after an upgrade."""
    frozen_pictures.take_in_old_copies()


@worker_ready.connect
def after_a_restart(**_signal: Any) -> None:
    """Whatever the last worker left is taken up at once."""
    tick.delay()
    take_in_old_pictures.delay()
