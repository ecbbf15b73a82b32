"""`make_load --resources N --subscribers N`: synthetic load for benchmarks."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from content import synthetic as library
from newsletter import synthetic
from newsletter.site import found


def count(text: str) -> int:
    """A number that is not negative."""
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"“{text}” is no number.")
    return int(text)


class Command(BaseCommand):
    help = "Add synthetic resources and confirmed subscribers, for benchmarks. Never on a site in use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--resources", type=count, default=0, metavar="N", help="How many articles to publish.")
        parser.add_argument("--subscribers", type=count, default=0, metavar="N", help="How many people to add.")

    def handle(self, *_args: Any, **options: Any) -> None:
        newsletter = found().newsletter
        if options["resources"]:
            library.resources(options["resources"])
        synthetic.subscribers(newsletter, options["subscribers"])
        self.stdout.write(f"{options['resources']} resources and {options['subscribers']} subscribers added.")
