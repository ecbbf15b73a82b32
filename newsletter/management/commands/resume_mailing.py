"""`resume_mailing MAILING`."""

from __future__ import annotations

from typing import Any

from newsletter import delivery
from newsletter.management.mailing_command import MailingCommand
from newsletter.models import Mailing


class Command(MailingCommand):
    help = "Go on with a paused mailing."

    def act(self, mailing: Mailing, _options: dict[str, Any]) -> None:
        delivery.resume(mailing)
        self.stdout.write(f"Mailing {mailing.pk} goes on.")
