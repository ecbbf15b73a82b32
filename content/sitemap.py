"""Every address that search engines may show, each with its translations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.http import require_safe
from wagtail.models import Page, Site

from content import languages
from content.models import Partner
from content.navigation import absolute
from content.public_pages import public_pages

MOST_ENTRIES = 50_000  # as the sitemap protocol allows in one file


@dataclass(frozen=True)
class Entry:
    """One address, when it last changed, and the same page in other languages."""

    url: str
    changed: str = ""
    alternates: dict[str, str] = field(default_factory=dict)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every live, public page, partner and list."""
    entries = [*_pages(request), *_views()][:MOST_ENTRIES]
    return render(request, "content/sitemap.xml", {"entries": entries}, content_type="application/xml; charset=utf-8")


def _pages(request: HttpRequest) -> Iterator[Entry]:
    homes = Site.find_for_request(request).root_page.get_translations(inclusive=True)
    homes = homes.filter(locale__language_code__in=languages.codes())
    inside = Page.objects.none()
    for home in homes:
        inside = inside | Page.objects.descendant_of(home, inclusive=True)
    pages = public_pages(inside).filter(alias_of=None).select_related("locale").order_by("path")
    found = [page for page in pages if page.get_url(request)]
    urls: dict[object, dict[str, str]] = defaultdict(dict)
    for page in found:
        urls[page.translation_key][page.locale.language_code] = absolute(page.get_url(request))
    for page in found:
        alternates = urls[page.translation_key]
        changed = timezone.localtime(page.last_published_at).isoformat() if page.last_published_at else ""
        yield Entry(alternates[page.locale.language_code], changed, alternates if len(alternates) > 1 else {})


def _views() -> Iterator[Entry]:
    credits = {}
    for code in languages.codes():
        with override(code):
            credits[code] = absolute(reverse("image_credits"))
    partners: dict[str, dict[str, str]] = defaultdict(dict)
    partners_spoken = Partner.objects.filter(locale__language_code__in=languages.codes())
    for partner in partners_spoken.select_related("locale").order_by("slug"):
        partners[partner.slug][partner.locale.language_code] = absolute(partner.url)
    for urls in [credits, *partners.values()]:
        yield from (Entry(url, alternates=urls if len(urls) > 1 else {}) for url in urls.values())
