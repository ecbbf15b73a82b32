"""`check_images`: the pictures that are kept are decoded once, and mended, or named where that can not be done."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from content.stored_pictures import Receipt, check_stored_pictures


class Command(BaseCommand):
    help = "Checks the pictures that no check has seen yet, mends what it can and names what can not be drawn."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="Begin anew, also with pictures that were checked.")
        parser.add_argument("--json", action="store_true", help="Print the receipt as one JSON object.")

    def handle(self, *_args: Any, **options: Any) -> None:
        receipt = check_stored_pictures(options["again"])
        self.stdout.write(json.dumps(receipt.data(), ensure_ascii=False) if options["json"] else _said(receipt))


def _said(receipt: Receipt) -> str:
    """The receipt for a person."""
    counts = f"checked: {receipt.checked}\nmended: {receipt.mended}\nundrawable: {len(receipt.undrawable)}"
    return "\n".join([counts, *(f"- {each.title} (image {each.id}): {each.why}" for each in receipt.undrawable)])
