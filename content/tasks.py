"""Work in the background: each task calls one verb."""

from celery import shared_task
from django.core.management import call_command

from content import doors, edition


@shared_task(time_limit=300)
def publish_scheduled() -> None:
    """Publish what is due, unpublish what is over, and let pages follow the clock."""
    doors.hold_back()
    call_command("publish_scheduled")
    edition.move_with_clock()
