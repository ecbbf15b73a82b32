"""Synthetic resources in bulk, for load and benchmarks: believable in size and spread, not in sense."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import count, islice
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from wagtail.models import Page
from wagtail.rich_text import RichText

from content import search
from content.models import ArticlePage, ResourceCenterPage, Term

SYLLABLES = ["ba", "cho", "den", "ful", "gri", "ho", "kin", "la", "mer", "no", "pel", "ri", "sto", "tan", "ve", "wil"]
WORDS = [first + second for first in SYLLABLES for second in SYLLABLES]
# Zipf's law: a few words are everywhere, most are rare.
WEIGHTS = [1 / rank for rank in range(1, len(WORDS) + 1)]
PARAGRAPHS = 6
CHUNK = 500


def resources(number: int) -> int:
    """Publish that many articles in the Resource Center, and put them into the search index.

    Works behind the site's back, at thousands a second: no revisions, no signals.

    Returns:
        How many pages the search index holds afterwards.
    """
    center = ResourceCenterPage.objects.order_by("path").first()
    assert center is not None
    chance = random.Random(number)  # noqa: S311
    terms = list(Term.objects.filter(locale=center.locale_id).values_list("pk", flat=True))
    drafts = _drafts(center, chance)
    for size in (min(CHUNK, number - start) for start in range(0, number, CHUNK)):
        _shelve(center, list(islice(drafts, size)), terms, chance)
    return search.rebuild()


@transaction.atomic
def _shelve(center: ResourceCenterPage, articles: list[ArticlePage], terms: list[int], chance: random.Random) -> None:
    pages = Page.objects.bulk_create(_bare(article) for article in articles)
    for article, page in zip(articles, pages, strict=True):
        article.page_ptr_id = article.pk = page.pk
    own: Any = ArticlePage._meta.local_concrete_fields
    ArticlePage._base_manager._insert(articles, fields=own, using="default")
    links: Any = ArticlePage.terms.through
    links.objects.bulk_create(
        links(articlepage_id=article.pk, term_id=term)
        for article in articles
        for term in chance.sample(terms, min(len(terms), 3))
    )
    Page.objects.filter(pk=center.pk).update(numchild=F("numchild") + len(articles))


def _bare(article: ArticlePage) -> Page:
    """The part of an article that every page has."""
    return Page(**{field.attname: getattr(article, field.attname) for field in Page._meta.local_concrete_fields})


def _drafts(center: ResourceCenterPage, chance: random.Random) -> Iterator[ArticlePage]:
    """Articles without end, each on the next free place under the Resource Center."""
    kind = ContentType.objects.get_for_model(ArticlePage)
    last = center.get_last_child()
    taken = Page._str2int(last.path[-Page.steplen :]) if last else 0
    for place in count(taken + 1):
        title = _sentence(chance, 4).rstrip(".")
        slug = f"load-{uuid.uuid4().hex[:12]}"
        published = timezone.now() - timedelta(days=chance.uniform(0, 1500))
        yield ArticlePage(
            path=Page._get_path(center.path, center.depth + 1, place),
            depth=center.depth + 1,
            title=title,
            draft_title=title,
            slug=slug,
            url_path=f"{center.url_path}{slug}/",
            locale_id=center.locale_id,
            content_type=kind,
            summary=_sentence(chance, 18),
            body=[("text", RichText(_text(chance)))],
            first_published_at=published,
            last_published_at=published,
        )


def _text(chance: random.Random) -> str:
    return "".join(f"<p>{' '.join(_sentence(chance, 12) for _each in range(5))}</p>" for _all in range(PARAGRAPHS))


def _sentence(chance: random.Random, length: int) -> str:
    return " ".join(chance.choices(WORDS, WEIGHTS, k=length)).capitalize() + "."
