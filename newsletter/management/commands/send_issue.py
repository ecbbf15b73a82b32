"""`send_issue ISSUE`: sends an issue now or later, or a copy to a few addresses for a test."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from content import hours
from newsletter import delivery
from newsletter.models import IssuePage

NUMBER = re.compile(r"[0-9]{1,18}")  # what fits into a key of the database


def moment(text: str) -> datetime:
    """A moment as ISO 8601 writes it; without an offset in the organization's time zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is no moment. Write it like 2026-12-01T08:00.") from None
    try:
        return found if timezone.is_aware(found) else hours.place_on_clock(found)
    except hours.NoSuchHour as refusal:
        raise ArgumentTypeError(str(refusal)) from None


class Command(BaseCommand):
    help = "Send an issue to everybody who confirmed. Running it is the approval."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", metavar="ISSUE", help="The issue's number or slug, such as 2026-10.")
        parser.add_argument(
            "--at", type=moment, metavar="ISO8601", help=f"When to send it, in {hours.zone_name()}: 2026-12-01T08:00."
        )
        parser.add_argument(
            "--test-to", nargs="+", action="extend", metavar="ADDRESS", help="Send only a test copy to these addresses."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def handle(self, *_args: Any, **options: Any) -> None:
        issue = find(options["issue"])
        try:
            facts = self.send(issue, options["at"], options["test_to"])
        except delivery.Refused as refused:
            raise CommandError("\n".join(refused.reasons)) from refused
        self.stdout.write(json.dumps(facts) if options["json"] else "\n".join(f"{key}: {facts[key]}" for key in facts))

    def send(self, issue: IssuePage, at: datetime | None, test_to: list[str] | None) -> dict[str, Any]:
        if test_to:
            return {"mailing": None, "recipients": delivery.send_test(issue, test_to)}
        if at:
            if at <= timezone.now():
                when = f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}"
                raise CommandError(f"{when} is over. Choose a later time, or leave out --at to send now.")
            mailing = delivery.schedule(issue, at)
            return {"mailing": mailing.pk, "recipients": delivery.expected(mailing)}
        mailing = delivery.send(issue)
        return {"mailing": mailing.pk, "recipients": delivery.counts(mailing)["recipients"]}


def find(name: str) -> IssuePage:
    """The issue of that slug, of translations with one slug the first; else the one of that number.

    Raises:
        CommandError: there is none.
    """
    issue: IssuePage | None = IssuePage.objects.filter(slug=name).order_by("path").first()
    if issue is None and NUMBER.fullmatch(name):
        issue = IssuePage.objects.filter(pk=name).first()
    if issue is None:
        raise CommandError(f"There is no issue “{name}”.")
    return issue
