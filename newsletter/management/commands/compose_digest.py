"""`compose_digest --month YYYY-MM`: drafts the month's issue."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from datetime import MAXYEAR, MINYEAR, date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from newsletter import digest
from newsletter.models import IssuePage


def month(text: str) -> date:
    """The first day of a month written as YYYY-MM."""
    try:
        found = datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        found = date.min
    # Next to the calendar's ends there is no midnight in every time zone.
    if found.year in (MINYEAR, MAXYEAR):
        raise ArgumentTypeError(f"“{text}” is no month. Write it like 2026-10.")
    return found


class Command(BaseCommand):
    help = "Draft the issue of a month from what was published in it and the events to come."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--month", type=month, required=True, metavar="YYYY-MM", help="Which month, such as 2026-10."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            issue = digest.draft(options["month"])
        except digest.NothingToSay as nothing:
            raise CommandError(str(nothing)) from nothing
        facts = receipt(issue)
        self.stdout.write(json.dumps(facts) if options["json"] else "\n".join(f"{key}: {facts[key]}" for key in facts))


def receipt(issue: IssuePage) -> dict[str, Any]:
    """What an issue holds, and where it is edited."""
    edit = reverse("wagtailadmin_pages:edit", args=[issue.pk])
    return {
        "issue": issue.pk,
        "slug": issue.slug,
        "resources": len(issue.resources),
        "stories": len(issue.stories),
        "events": len(issue.events),
        "edit_url": f"{settings.SITE_URL}{edit}",
    }
