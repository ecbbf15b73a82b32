"""`mailing_status MAILING`: how far a mailing has come."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from newsletter import delivery
from newsletter.management.mailing_command import MailingCommand
from newsletter.models import Mailing


class Command(MailingCommand):
    help = "Say how many deliveries of a mailing stand where; the numbers add up to its recipients at every moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def act(self, mailing: Mailing, options: dict[str, Any]) -> None:
        facts: dict[str, Any] = {"state": mailing.state, **delivery.counts(mailing)}
        if not options["json"]:
            why = [mailing.pause_reason] if mailing.pause_reason else delivery.hindrances(mailing)
            facts |= {"why": " ".join(why)} if why else {}
        self.show(facts, options["json"])
