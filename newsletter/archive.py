"""What was sent, to be read on the web: the frozen words of an issue, and the list of all issues."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from django.db.models import QuerySet

from content.public_pages import listed_pages
from newsletter.messages import tree
from newsletter.messages.tree import Tree
from newsletter.models import IssuePage, Mailing, NewsletterPage, Variant


def words(issue: IssuePage) -> Tree:
    """What an issue's page says: exactly what its mailing froze, or the page's own words before that."""
    frozen = _frozen(issue)
    return cast(Tree, frozen.content) if frozen else draft(issue)


def draft(issue: IssuePage, wanted: Collection[str] = ()) -> Tree:
    """What the page's own words would say, were it sent now to readers who chose the terms with these keys."""
    return tree.arranged(tree.tree(issue), wanted)


def issues(page: NewsletterPage) -> QuerySet[IssuePage]:
    """The issues that stand on the web under a newsletter's page, newest first."""
    return listed_pages(IssuePage.objects.child_of(page)).order_by("-month", "-pk")


def _frozen(issue: IssuePage) -> Variant | None:
    """The variant for readers without choices, of the issue's last mailing in this language."""
    variants = Variant.objects.filter(
        mailing__issue__translation_key=issue.translation_key, language=issue.locale.language_code
    ).exclude(mailing__state=Mailing.State.CANCELLED)
    return variants.order_by("-mailing", "segments__choices_key").first()
