"""Take in the subscribers of a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter import importing
from newsletter.models import Newsletter

# All of them are read alike, by what their columns are called and hold.
FORMATS = ("auto", "mailchimp", "substack", "ghost", "listmonk", "csv")
MOST_NAMED = 20


class Command(BaseCommand):
    help = "Take in subscribers from a CSV file. Nobody who left, here or according to the file, comes back by it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=FORMATS, default="auto", help="where the file is from")
        parser.add_argument("--consent", default="", help="the words these people agreed to, and where")
        parser.add_argument(
            "--standing",
            action="append",
            default=[],
            metavar="COLUMN:VALUE=STANDING",
            help=f"what a value of a column means for mail ({', '.join(importing.CHOICES)}); repeat it for each value, "
            "with * for every other one",
        )
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")
        parser.add_argument("--json", action="store_true", help="print the receipt as one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        newsletter = Newsletter.objects.order_by("pk").first()
        if newsletter is None:
            raise CommandError("There is no newsletter yet. Start the site once, then import again.")
        try:
            rules = [importing.StandingRule.parse(argument) for argument in options["standing"]]
        except ValueError as error:
            raise CommandError(f"--standing: {error}", returncode=2) from error
        try:
            reading = importing.take(
                newsletter,
                options["file"],
                consent=options["consent"].strip(),
                rules=rules,
                dry_run=options["dry_run"],
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
            for person in reading.staying_out:
                self.stdout.write(f"line {person.row}: {person.email} stays out: {person.why}")
            self.stdout.write(", ".join(f"{count} {name}" for name, count in receipt.items()))
        self._warn(reading)
        if reading.without_consent:
            raise CommandError(
                f"{reading.without_consent} rows state no consent and were not taken. Import the file again with "
                '--consent "the words these people agreed to, and where".'
            )

    def _warn(self, reading: importing.Reading) -> None:
        """Say what was not taken as the file writes it, also beside the JSON."""
        for why, count in Counter(person.why for person in reading.staying_out).most_common(MOST_NAMED):
            self.stderr.write(f"{count} stay out: {why}")
        if reading.unknown_choices:
            named = ", ".join(sorted(reading.unknown_choices)[:MOST_NAMED])
            self.stderr.write(f"Not known here and left out: {named}")
        spoken = ", ".join(dict(settings.LANGUAGES))
        for language, count in reading.unknown_languages.most_common(MOST_NAMED):
            self.stderr.write(
                f"The language “{language[:40]}” ({count} rows) is none of this site ({spoken}): "
                f"who is new gets {settings.LANGUAGE_CODE}, who is known keeps their own."
            )
