"""What the templates of issues ask for: their words on the web, as mail and as text, and the list of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import template
from django.core.paginator import Page, Paginator
from django.utils.safestring import SafeString, mark_safe

from content.templatetags.lists import found_once
from newsletter import archive
from newsletter.messages import bodies
from newsletter.messages.tree import Tree, archive_url
from newsletter.models import IssuePage

register = template.Library()
ISSUES_A_PAGE = 12


@register.simple_tag(takes_context=True)
def issue_words(context: template.Context) -> Tree:
    """What the page says: in the editor's preview its present words, for readers what was sent."""
    issue, request = context["page"], context["request"]
    return archive.draft(issue) if getattr(request, "is_preview", False) else archive.words(issue)


@register.simple_tag
def mail_html(issue: IssuePage, choice: str = "") -> SafeString:
    """The whole HTML of the mail, as the editor's words stand now, for readers who chose the term with this key."""
    return mark_safe(_bodies(issue, {choice}).html)  # noqa: S308 - a whole document, escaped by its own templates


@register.simple_tag
def mail_text(issue: IssuePage) -> str:
    """The plain text of the mail, as the editor's words stand now."""
    return _bodies(issue).text


@register.simple_tag(takes_context=True)
@found_once
def issues_found(context: template.Context) -> Page[Any]:
    """One page of the archive; a page number that is none means the first, one too high the last."""
    found = archive.issues(context["page"]).select_related("locale")
    return Paginator(found, ISSUES_A_PAGE).get_page(context["request"].GET.get("page"))


def _bodies(issue: IssuePage, wanted: Collection[str] = ()) -> bodies.Bodies:
    """Nobody's own links are in a preview: they lead to the newsletter's page."""
    content = archive.draft(issue, wanted)
    address = archive_url(content["language"])
    return bodies.digest(content, unsubscribe=address, preferences=address)
