"""Sets a stage for mail benchmarks on the database that the environment names, with the site's own settings.

`python -m tests.benchmarks.stage SUBSCRIBERS ISSUES`: as many issues of about 30 KB as asked, frozen for all
subscribers, each a mailing that is ready to be sent. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from datetime import date

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from content import synthetic as library  # noqa: E402
from content.models import ArticlePage, ResourceCenterPage  # noqa: E402
from newsletter import synthetic  # noqa: E402
from newsletter.delivery import freeze  # noqa: E402
from newsletter.delivery import mailings as approved  # noqa: E402
from newsletter.models import IssuePage, NewsletterPage, Subscription  # noqa: E402
from newsletter.site import found  # noqa: E402

ITEMS = 12  # with their summaries they make a message of about 30 KB


def an_issue(place: int) -> IssuePage:
    """An issue of usual length."""
    chance = random.Random(place)
    home = ResourceCenterPage.objects.order_by("path").first()
    articles = [
        home.add_child(
            instance=ArticlePage(
                title=" ".join(chance.choices(library.WORDS, k=6)).capitalize(),
                slug=f"item-{place}-{number}",
                summary=" ".join(chance.choices(library.WORDS, k=30)).capitalize() + ".",
            )
        )
        for number in range(ITEMS)
    ]
    page = NewsletterPage.objects.get(locale__language_code="en")
    return page.add_child(
        instance=IssuePage(
            title=f"Issue {place}",
            slug=f"issue-{place}",
            newsletter=page.newsletter,
            month=date(2000 + place // 12, place % 12 + 1, 1),
            subject=f"Issue {place} of the benchmark",
            resources=[
                ("item", {"page": article, "title": "", "summary": "", "pinned": False}) for article in articles
            ],
            live=False,
        )
    )


def main(subscribers: int, issues: int) -> None:
    call_command("migrate", verbosity=0)
    newsletter = found().newsletter
    synthetic.subscribers(newsletter, max(0, subscribers - Subscription.objects.count()))
    first = IssuePage.objects.count()
    mailings, seconds = [], []
    for place in range(first, first + issues):
        issue = an_issue(place)
        started = time.perf_counter()
        mailing = approved.enter(issue)
        freeze.start(mailing)
        seconds.append(round(time.perf_counter() - started, 2))
        mailings.append(mailing.pk)
    size = len(bytes(mailing.variants.first().template))
    print(json.dumps({"mailings": mailings, "freeze": seconds, "bytes": size}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
