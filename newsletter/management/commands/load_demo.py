"""Fills an empty site with an imaginary network's library, its newsletter and its subscribers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from content.demo import load as library
from newsletter import delivery
from newsletter.demo import load as letters


class Command(BaseCommand):
    """Loads everything or nothing; a site in use is never touched."""

    help = "Load the demo site: articles, stories, events, pictures, subscribers and issues. Only on an empty site."

    def handle(self, **options: Any) -> None:
        self.verbosity = options["verbosity"]
        try:
            with transaction.atomic():
                if not letters.is_empty():
                    raise library.NotEmpty
                self.say("Shelving the library ...")
                self.count(library.load())
                self.say("Preparing the newsletter ...")
                self.count(letters.load())
        except library.NotEmpty as error:
            raise CommandError(
                "This site is in use already, so nothing was loaded: the demo would mix with its pages and people. "
                "Use an empty database (another DATA_DIR or DATABASE_URL)."
            ) from error
        except library.NotSpoken as error:
            raise CommandError(
                "The demo is written in English, with some of it in Spanish: add en to LANGUAGES, or begin without it."
            ) from error
        except delivery.Refused as error:
            raise CommandError(f"Nothing was loaded, because the demo's issue can not be sent. {error}") from error
        self.say("Done. No mail was sent.")

    def count(self, loaded: dict[str, int]) -> None:
        for kind, number in loaded.items():
            self.say(f"  {number} {kind}")

    def say(self, words: str) -> None:
        if self.verbosity:
            self.stdout.write(words)
