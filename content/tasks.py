"""Work in the background: each task calls one verb."""

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.core.management import call_command

from content import doors, edition, renditions


@shared_task(time_limit=300)
def publish_scheduled() -> None:
    """Publish what is due, unpublish what is over, and let pages follow the clock."""
    doors.hold_back()
    call_command("publish_scheduled")
    edition.move_with_clock()


@shared_task(time_limit=renditions.LONGEST)
def draw_renditions() -> None:
    """Draw ahead for one shift, and ring for the next one when more is to do."""
    if renditions.draw_ahead():
        renditions.ring()


@worker_ready.connect
def after_a_start(**_signal: Any) -> None:
    """What was published while no worker ran is drawn at once."""
    renditions.ring()
