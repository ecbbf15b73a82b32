"""`restore PATH`: a site out of an archive that `backup` made."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from resource_center import backups

OTHER_KEY = "SECRET_KEY is not the one of the backup: links in mails that were sent work again once it is set."


class Command(BaseCommand):
    help = "Restore database and media from a backup. Every unfinished mailing is paused: a person resumes or cancels."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="What `backup` wrote, or the folder it is in.")
        parser.add_argument(
            "--replace", action="store_true", help="Also where a site stands already; that is set aside in DATA_DIR."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            facts = backups.restore(options["path"], options["replace"])
        except backups.BackupRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(json.dumps(facts) if options["json"] else "\n".join(said(facts)))


def said(facts: dict[str, Any]) -> list[str]:
    """What a person wants to know after it."""
    counts = ", ".join(f"{number} {name}" for name, number in facts["counts"].items())
    lines = [f"Restored the site of {facts['made_at']}: {counts}, {facts['media']} media files."]
    lines += [f"Paused mailings: {facts['paused']}. Resume or cancel each; until then nothing of them goes out."]
    lines += [f"What stood here is in {facts['set_aside']}."] if facts["set_aside"] else []
    return lines if facts["same_key"] else [*lines, OTHER_KEY]
