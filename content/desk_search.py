"""The search of the editors' desk and of the API: Wagtail's own, safe from signs that break SQLite's query language."""

from __future__ import annotations

import re
from typing import Any

from modelsearch.backends import database
from modelsearch.query import MATCH_ALL, Phrase, PlainText

from content.text_cleaning import INVISIBLE


def plain(query: Any) -> Any:
    """The query with words and hyphens only: an open quotation mark or a percent sign is an error to SQLite.

    Signs alone ask for nothing in particular and find everything.
    """
    if isinstance(query, str) and query:
        return _words(query) or MATCH_ALL
    if isinstance(query, PlainText):
        words = _words(query.query_string)
        return PlainText(words, operator=query.operator, boost=query.boost) if words else MATCH_ALL
    if isinstance(query, Phrase):
        words = _words(query.query_string)
        return Phrase(words) if words else MATCH_ALL
    return query


def _words(text: str) -> str:
    return re.sub(r"[^\w-]+", " ", INVISIBLE.sub("", text)).strip(" -")


class Plainly:
    """Cleans what people typed before the backend reads it."""

    def _search(self, query_compiler_class: Any, query: Any, model_or_queryset: Any, **options: Any) -> Any:
        found = super()._search  # type: ignore[misc]
        return found(query_compiler_class, plain(query), model_or_queryset, **options)


def SearchBackend(params: dict[str, Any]) -> Any:
    """Wagtail's database search for the database in use."""
    kind = type(database.SearchBackend(params))
    return type("PlainSearchBackend", (Plainly, kind), {})(params)
