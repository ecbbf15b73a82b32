"""`cancel_mailing MAILING`."""

from __future__ import annotations

from typing import Any

from newsletter import delivery
from newsletter.management.mailing_command import MailingCommand
from newsletter.models import Mailing


class Command(MailingCommand):
    help = "End a mailing for good: what has not gone out is skipped."

    def act(self, mailing: Mailing, _options: dict[str, Any]) -> None:
        delivery.cancel(mailing)
        self.stdout.write(f"Mailing {mailing.pk} is cancelled.")
