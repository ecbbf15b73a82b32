"""`backup PATH`: database and media in one archive."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from resource_center import backups


class Command(BaseCommand):
    help = "Write database and media into one archive, also while the site runs. SECRET_KEY is not in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="A .tar or .tar.gz file, or a folder to put it in.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            facts = backups.make(options["path"])
        except backups.BackupRefused as refused:
            raise CommandError(str(refused)) from refused
        counts = ", ".join(f"{number} {name}" for name, number in facts["counts"].items())
        said = f"{facts['path']}: {counts}, {facts['media']} media files, {facts['bytes']} bytes."
        self.stdout.write(json.dumps(facts) if options["json"] else said)
