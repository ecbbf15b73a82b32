"""Take in the subscribers of a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter import importing
from newsletter.models import Newsletter

FORMATS = ("auto", "mailchimp", "substack", "ghost", "listmonk", "csv")


class Command(BaseCommand):
    help = "Take in subscribers from a CSV file. Nobody who left or is suppressed comes back by it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=FORMATS, default="auto")
        parser.add_argument("--consent", default="", help="the words these people agreed to, and where")
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")
        parser.add_argument("--json", action="store_true", help="print the receipt as one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["format"] not in ("auto", "csv"):
            raise CommandError(
                f"The format {options['format']} is not in this version. Save the list as CSV with a column “email” "
                "and a column “status” (subscribed, unsubscribed, bounced), and import that.",
                returncode=2,
            )
        newsletter = Newsletter.objects.order_by("pk").first()
        if newsletter is None:
            raise CommandError("There is no newsletter yet. Start the site once, then import again.")
        try:
            reading = importing.take(
                newsletter, options["file"], consent=options["consent"].strip(), dry_run=options["dry_run"]
            )
        except (OSError, importing.UnreadableFile) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        self._tell(reading, as_json=options["json"])

    def _tell(self, reading: importing.Reading, *, as_json: bool) -> None:
        receipt = asdict(reading.receipt)
        if as_json:
            self.stdout.write(json.dumps(receipt, ensure_ascii=False))
        else:
            for rejected in receipt.pop("rejected"):
                self.stdout.write(f"line {rejected['row']}: {rejected['email']}: {rejected['why']}")
            self.stdout.write(", ".join(f"{count} {name}" for name, count in receipt.items()))
        if reading.unknown_choices:
            self.stderr.write(f"Not known here and left out: {', '.join(sorted(reading.unknown_choices)[:20])}")
        if reading.without_consent:
            raise CommandError(
                f"{reading.without_consent} rows state no consent and were not taken. Import the file again with "
                '--consent "the words these people agreed to, and where".'
            )
