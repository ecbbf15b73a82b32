"""`import_resources PATH --format html|markdown`: articles from files become drafts."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from content.importing.intake import FORMATS, Intake, Receipt
from content.models import ResourceCenterPage

TO_COME = ("ghost", "wordpress")


class Command(BaseCommand):
    help = "Imports articles with their pictures, captions and credits as drafts, and says what it could not take."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="A folder of articles, or one article.")
        parser.add_argument("--format", required=True, choices=[*FORMATS, *TO_COME])
        parser.add_argument("--media", type=Path, help="Another folder to look for the pictures in.")
        parser.add_argument("--dry-run", action="store_true", help="Read and count, change nothing.")
        parser.add_argument("--publish", action="store_true", help="Publish articles that lack nothing.")
        parser.add_argument("--json", action="store_true", help="Print the receipt as one JSON object.")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["format"] in TO_COME:
            raise CommandError(f"The format {options['format']} is not in this version.", returncode=2)
        for folder in (options["path"], options["media"]):
            if folder and not folder.exists():
                raise CommandError(f"There is no {folder}.")
        if not ResourceCenterPage.objects.exists():
            raise CommandError("There is no Resource Center page to put the articles under.")
        intake = Intake(options["path"], options["format"], options["media"], options["dry_run"], options["publish"])
        receipt = intake.run()
        self.stdout.write(json.dumps(receipt.data(), ensure_ascii=False) if options["json"] else _said(receipt))


def _said(receipt: Receipt) -> str:
    """The receipt for a person."""
    data = receipt.data()
    counts = [f"{name.replace('_', ' ')}: {count}" for name, count in data.items() if name != "problems"]
    return "\n".join([*counts, *(f"- {problem.where}: {problem.what}" for problem in receipt.problems)])
