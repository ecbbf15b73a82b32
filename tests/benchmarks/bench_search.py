"""How fast the Resource Center answers, against the bare full-text query of the same database.

    python -m pytest tests/benchmarks/bench_search.py -s              (SQLite)
    TEST_ON=postgres python -m pytest tests/benchmarks/bench_search.py -s

BENCH_PAGES (20,000) says how many articles. Numbers are printed, never asserted.
"""

from __future__ import annotations

import datetime
import json
import os
import random
import statistics
import time
import uuid

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import QueryDict
from wagtail.models import Locale, Page

from content import facets, fulltext, index, search
from content.models import ArticlePage, EntryKind, Facet, ResourceCenterPage, Term
from content.site import found

PAGES = int(os.environ.get("BENCH_PAGES", 20_000))
ROUNDS = 15
WORDS_PER_PAGE = 300
FACETS = {"topic": 12, "grade": 4, "role": 5, "type": 6}
QUESTIONS = {
    "listing": "",
    "common word": "q=common",
    "two words": "q=common+often",
    "middling": "q=middling",
    "rare": "q=seldom",
    "middling, narrowed": "q=middling&topic=topic-1&topic=topic-2&grade=grade-1",
    "listing, narrowed": "topic=topic-1&grade=grade-1",
    "middling, newest": "q=middling&sort=newest",
}


def fill():
    """Synthetic articles whose words follow Zipf's law, filed under terms, written past Wagtail's own slow way."""
    found()
    locale = Locale.objects.get(language_code="en")
    parent = ResourceCenterPage.objects.get(locale=locale)
    pages = Page.objects.bulk_create(_page(number, parent) for number in range(PAGES))
    dice = random.Random(1)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO content_articlepage (page_ptr_id, summary, body, published_on) VALUES (%s, %s, %s, %s)",
            [(page.pk, "A summary.", _body(dice), _day(number)) for number, page in enumerate(pages)],
        )
    terms = {slug: [_term(slug, place, locale) for place in range(count)] for slug, count in FACETS.items()}
    through = ArticlePage.terms.through
    through.objects.bulk_create(
        through(articlepage_id=page.pk, term=term)
        for page in pages
        for choices in terms.values()
        for term in dice.sample(choices, dice.choice((1, 1, 2)))
    )


def _page(number, parent):
    return Page(
        path=parent.path + Page._int2str(number + 1_000_000).rjust(4, "0"),
        depth=parent.depth + 1,
        title=f"Article {number}",
        draft_title=f"Article {number}",
        slug=f"article-{number}",
        url_path=f"{parent.url_path}article-{number}/",
        content_type=ContentType.objects.get_for_model(ArticlePage),
        locale=parent.locale,
        translation_key=uuid.uuid4(),
    )


def _body(dice):
    marks = [("common", 1.0), ("often", 0.99), ("middling", 0.55), ("seldom", 0.003)]
    words = [word for word, share in marks if dice.random() < share]
    words += [f"w{_letters(int(dice.paretovariate(1)) % 30_000)}" for _ in range(WORDS_PER_PAGE)]
    dice.shuffle(words)
    return json.dumps([{"type": "text", "value": f"<p>{' '.join(words)}</p>"}])


def _letters(number):
    return "".join(chr(97 + int(digit)) for digit in str(number))


def _day(number):
    return datetime.date(2026, 9, 1) - datetime.timedelta(days=number % 3_000)


def _term(slug, place, locale):
    facet = Facet.objects.get_or_create(slug=slug, locale=locale, defaults={"name": slug.title()})[0]
    return Term.objects.create(facet=facet, name=f"{slug.title()} {place}", slug=f"{slug}-{place}", locale=locale)


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
    index.rebuild()
    took = time.perf_counter() - started
    print(f"\n{connection.vendor}: index of {PAGES:,} pages built in {took:.1f} s, {PAGES / took:,.0f} pages/s")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    offered = facets.of_resources("en")
    columns = ("bare p50", "p95", "answer p50", "p95", "page p50", "p95", "answer/bare")
    print(f"{'milliseconds':<20}", *(f"{column:>11}" for column in columns))
    for name, query in QUESTIONS.items():
        request = search.read(QueryDict(query), EntryKind.ARTICLE, "en", offered).request
        bare, answer = _milliseconds(_bare, request), _milliseconds(fulltext.ask, request)
        page = _milliseconds(client.get, f"/resources/?{query}")
        figures = (*bare, *answer, *page, answer[0] / bare[0])
        print(f"{name:<20}", *(f"{figure:>11.1f}" for figure in figures))
