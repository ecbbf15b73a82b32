"""An issue that passes its checks, for tests that send one."""

from __future__ import annotations

from datetime import date

from content.models import ArticlePage, ResourceCenterPage
from newsletter.models import IssuePage, NewsletterPage


def an_issue(month: date = date(2026, 10, 1)) -> IssuePage:
    """The issue of a month, October's if not given, with one resource in it; a draft."""
    article = (
        ResourceCenterPage.objects.order_by("path")
        .first()
        .add_child(
            instance=ArticlePage(title="Reading aloud", slug=f"reading-aloud-{month:%Y-%m}", summary="Why it works.")
        )
    )
    page = NewsletterPage.objects.get(locale__language_code="en")
    return page.add_child(
        instance=IssuePage(
            title=f"{month:%B %Y}",
            slug=f"{month:%Y-%m}",
            newsletter=page.newsletter,
            month=month,
            subject="Reading aloud, and more",
            resources=[("item", {"page": article, "title": "", "summary": "", "pinned": False})],
            live=False,
        )
    )
