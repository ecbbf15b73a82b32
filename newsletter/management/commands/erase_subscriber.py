"""Forget a person at their request."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter import addresses, subscribers


class Command(BaseCommand):
    help = "Erase everything held about an address (GDPR article 17). Kept is a hash, so that no import brings it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            held = subscribers.erase(addresses.address_key(options["email"]), source="command")
        except addresses.InvalidAddress as error:
            raise CommandError(str(error)) from error
        # The address is not repeated: what is printed is often kept.
        self.stdout.write(
            "Erased. It can not be imported again; the person may still sign up anew."
            if held
            else "We held nothing about this address. It can not be imported from now on."
        )
