"""What the commands about one mailing share: how it is named, and how a refusal ends them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter import delivery
from newsletter.models import Mailing


class MailingCommand(BaseCommand):
    """A command with a mailing's number as its argument."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("mailing", type=int, metavar="MAILING", help="The number that send_issue gave it.")

    def handle(self, *_args: Any, **options: Any) -> None:
        mailing = Mailing.objects.filter(pk=options["mailing"]).first()
        if mailing is None:
            raise CommandError(f"There is no mailing {options['mailing']}.")
        try:
            self.act(mailing, options)
        except delivery.Refused as refused:
            raise CommandError("\n".join(refused.reasons)) from refused

    def act(self, mailing: Mailing, options: dict[str, Any]) -> None:
        """Do what the command is for."""
        raise NotImplementedError

    def show(self, facts: dict[str, Any], as_json: bool) -> None:
        """Print facts, one a line or as one JSON object."""
        self.stdout.write(json.dumps(facts) if as_json else "\n".join(f"{key}: {facts[key]}" for key in facts))
