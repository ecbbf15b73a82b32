"""How fast the Resource Center answers, against the bare full-text query of the same database.

    python -m pytest tests/benchmarks/bench_search.py -s              (SQLite)
    TEST_ON=postgres python -m pytest tests/benchmarks/bench_search.py -s

BENCH_PAGES (20,000) says how many articles. Numbers are printed, never asserted.
"""

from __future__ import annotations

import os
import statistics
import time

import pytest
from django.db import connection
from django.http import QueryDict
from wagtail.models import Locale

from content import search, synthetic
from content.models import EntryKind, Facet, Term
from content.search import fulltext
from content.site import found

PAGES = int(os.environ.get("BENCH_PAGES", 20_000))
ROUNDS = 15
FACETS = {"topic": 12, "grade": 4, "role": 5, "type": 6}
COMMON, OFTEN, MIDDLING = (synthetic.WORDS[rank] for rank in (0, 1, 100))
RARE = "+".join(synthetic.WORDS[-5:])
QUESTIONS = {
    "listing": "",
    "common word": f"q={COMMON}",
    "two common words": f"q={COMMON}+{OFTEN}",
    "middling": f"q={MIDDLING}",
    "rare": f"q={RARE}",
    "middling, narrowed": f"q={MIDDLING}&topic=topic-1&topic=topic-2&grade=grade-1",
    "listing, narrowed": "topic=topic-1&grade=grade-1",
    "middling, newest": f"q={MIDDLING}&sort=newest",
}


def fill():
    """Synthetic articles, each filed under three of the terms."""
    found()
    locale = Locale.objects.get(language_code="en")
    for slug, count in FACETS.items():
        facet = Facet.objects.create(slug=slug, name=slug.title(), locale=locale)
        names = [f"{slug}-{place}" for place in range(count)]
        Term.objects.bulk_create(Term(facet=facet, name=name, slug=name, locale=locale) for name in names)
    synthetic.resources(PAGES)


def _milliseconds(do, *arguments):
    """Median and 95th percentile of some rounds."""
    times = []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        do(*arguments)
        times.append((time.perf_counter() - started) * 1000)
    return [statistics.median(times), sorted(times)[int(len(times) * 0.95)]]


def _bare(request):
    """The twelve best pages and nothing else, as plainly as this database can be asked."""
    source, condition, score, expression = fulltext.matching(request)
    statement = f"SELECT e.page_id, {score} AS s FROM {source} WHERE {condition} ORDER BY s DESC, e.date DESC LIMIT 12"
    parameters = [expression] * statement.count("%s")
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


@pytest.mark.django_db
def bench_search(client):
    fill()
    started = time.perf_counter()
    search.rebuild()
    took = time.perf_counter() - started
    print(f"\n{connection.vendor}: index of {PAGES:,} pages built in {took:.1f} s, {PAGES / took:,.0f} pages/s")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    offered = search.of_resources("en")
    columns = ("bare p50", "p95", "answer p50", "p95", "page p50", "p95", "answer/bare")
    print(f"{'milliseconds':<20}", *(f"{column:>11}" for column in columns))
    for name, query in QUESTIONS.items():
        request = search.read(QueryDict(query), EntryKind.ARTICLE, "en", offered).request
        bare, answer = _milliseconds(_bare, request), _milliseconds(fulltext.ask, request)
        page = _milliseconds(client.get, f"/resources/?{query}")
        figures = (*bare, *answer, *page, answer[0] / bare[0])
        print(f"{name:<20}", *(f"{figure:>11.1f}" for figure in figures))
