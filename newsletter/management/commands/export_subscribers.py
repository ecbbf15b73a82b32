"""Write all subscribers to a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter import exporting
from newsletter.models import Newsletter


class Command(BaseCommand):
    help = "Write every subscriber, whatever their state, to a CSV file that import_subscribers takes back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        newsletter = Newsletter.objects.order_by("pk").first()
        if newsletter is None:
            raise CommandError("There is no newsletter yet, and so nobody to export.")
        try:
            with options["file"].open("w", encoding="utf-8", newline="") as file:
                count = exporting.write(newsletter, file)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        self.stdout.write(f"{count} subscribers written to {options['file']}")
