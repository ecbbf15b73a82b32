"""`manage.py rebuild_search_index`: write the readers' search index anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from content import search


class Command(BaseCommand):
    help = "Writes the readers' search index anew, for when pages were changed behind the site's back."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"The search index holds {search.rebuild()} pages.")
