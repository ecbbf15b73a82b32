"""An issue that passes its checks, for tests that send one."""

from __future__ import annotations

from datetime import date

from content.models import ArticlePage, ResourceCenterPage
from newsletter.models import IssuePage, NewsletterPage


def an_issue() -> IssuePage:
    """October's issue with one resource in it, a draft."""
    article = (
        ResourceCenterPage.objects.order_by("path")
        .first()
        .add_child(instance=ArticlePage(title="Reading aloud", slug="reading-aloud", summary="Why it works."))
    )
    page = NewsletterPage.objects.get(locale__language_code="en")
    return page.add_child(
        instance=IssuePage(
            title="October 2026",
            slug="2026-10",
            newsletter=page.newsletter,
            month=date(2026, 10, 1),
            subject="Reading aloud, and more",
            resources=[("item", {"page": article, "title": "", "summary": "", "pinned": False})],
            live=False,
        )
    )
