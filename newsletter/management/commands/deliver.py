"""`deliver MAILING`: sends a mailing in this process, without Celery and without a broker."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError
from django.db.models.functions import Now
from django.utils import timezone

from newsletter import delivery
from newsletter.management.mailing_command import MailingCommand
from newsletter.models import Mailing

MOST_LANES = 100


def lanes(text: str) -> int:
    """A number of connections."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_LANES:
        raise ArgumentTypeError(f"“{text}” is no number of connections: give one from 1 to {MOST_LANES}.")
    return int(text)


class Command(MailingCommand):
    help = "Send a mailing in this process, and wait for what falls due later."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--lanes", type=lanes, default=8, metavar="N", help="At most so many connections (8).")
        parser.add_argument("--no-wait", action="store_true", help="Leave what the mail server has put off.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def act(self, mailing: Mailing, options: dict[str, Any]) -> None:
        early = Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.SCHEDULED, scheduled_for__gt=Now())
        if early.exists():
            raise CommandError(
                f"Mailing {mailing.pk} is scheduled for {timezone.localtime(mailing.scheduled_for).isoformat()}."
            )
        began, before = time.monotonic(), delivery.counts(mailing)["failed"]
        tally = delivery.send_until_idle(mailing, options["lanes"], wait=not options["no_wait"])
        seconds, counts = time.monotonic() - began, delivery.counts(mailing)
        facts = {
            "sent": tally.sent,
            "failed": counts["failed"] - before,
            "seconds": round(seconds, 2),
            "per_second": round(tally.sent / max(seconds, 0.001), 1),
        }
        self.show(facts, options["json"])
        self.complain(mailing, counts["queued"], counts["in_flight"])

    def complain(self, mailing: Mailing, queued: int, in_flight: int) -> None:
        """End with an error when the mailing is not through.

        Raises:
            CommandError: it is paused, cancelled, or some of it waits.
        """
        if mailing.state == Mailing.State.PAUSED:
            raise CommandError(f"Mailing {mailing.pk} is paused. {mailing.pause_reason}".strip())
        if mailing.state == Mailing.State.CANCELLED:
            raise CommandError(f"Mailing {mailing.pk} is cancelled.")
        if queued or in_flight:
            raise CommandError(f"{queued} wait for their next try, {in_flight} are on their way. Run this again later.")
