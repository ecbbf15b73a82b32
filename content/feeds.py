"""Feeds of new resources: RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1, all from the same entries."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from wagtail.models import Locale

from content import shelves
from content.credits import credit_line
from content.models import ArticlePage, CreditedImage, Facet
from content.navigation import absolute, around
from content.text_cleaning import legible

ENTRIES = 30
TOPIC = "topic"  # narrows a feed also where no editor made such a facet: to nothing


@dataclass(frozen=True)
class Entry:
    """One resource as feed readers show it."""

    id: str
    url: str
    title: str
    summary: str
    html: SafeString
    authors: list[str]
    topics: list[str]
    published: datetime.datetime
    updated: datetime.datetime


@dataclass(frozen=True)
class Feed:
    """The newest resources, of the whole Resource Center or of some topics."""

    title: str
    description: str
    url: str
    home_url: str
    language: str
    entries: list[Entry]


@require_safe
def resources(request: HttpRequest, form: str) -> HttpResponse:
    """The feed of new resources. Any facet narrows it, as in `?topic=`, also repeated; an unknown term finds nothing.

    Args:
        request: the reader's request.
        form: rss, atom or json.
    """
    if form not in FORMS:
        raise Http404
    return FORMS[form](_feed(request))


def _feed(request: HttpRequest) -> Feed:
    language = get_language() or settings.LANGUAGE_CODE
    frame = around(request)
    return Feed(
        title=_("%(organisation)s: new resources") % {"organisation": frame.organisation.name},
        description=frame.description or frame.tagline,
        url=absolute(request.get_full_path()),
        home_url=absolute(reverse("wagtail_serve", args=[""])),
        language=language,
        entries=[_entry(page, request) for page in _newest(language, _chosen(request))],
    )


def _chosen(request: HttpRequest) -> dict[str, list[str]]:
    """What a feed is narrowed by: facet slug -> term slugs."""
    asked = {name: values for name, values in request.GET.lists() if name.isprintable()}
    facets = Facet.objects.filter(slug__in=asked).values_list("slug", flat=True) if asked else ()
    # PostgreSQL takes no NUL, not even to look for it.
    return {
        facet: [slug for slug in asked[facet] if slug.isprintable()] for facet in {*facets, *({TOPIC} & set(asked))}
    }


def _newest(language: str, chosen: dict[str, list[str]]) -> list[ArticlePage]:
    locale = Locale.objects.filter(language_code=language).first()
    if locale is None:
        return []
    pages = shelves.newest(ArticlePage, locale)
    for facet, slugs in sorted(chosen.items()):
        pages = pages.filter(terms__facet__slug=facet, terms__slug__in=slugs)
    found = shelves.stocked((pages.distinct() if chosen else pages)[:ENTRIES])
    prefetch_related_objects(found, "bylines__person")
    return found


def _entry(page: ArticlePage, request: HttpRequest) -> Entry:
    published, updated = _moments(page)
    return Entry(
        id=f"urn:uuid:{page.translation_key}:{page.locale.language_code}",
        url=absolute(page.get_url(request)),
        title=page.title,
        summary=page.summary,
        html=_html(page, request),
        authors=[line.person.name for line in page.bylines.all()],
        topics=[term.name for term in page.terms.all()],
        published=published,
        updated=updated,
    )


def _moments(page: ArticlePage) -> tuple[datetime.datetime, datetime.datetime]:
    """When a page came out and when it last changed, on the organization's clock and never in the future.

    A page that names a day came out at noon, or, while that is still to come, when it really went live.
    """
    now = timezone.localtime()
    went_live = min(timezone.localtime(page.first_published_at or now), now)
    published = went_live
    if page.published_on:
        noon = timezone.make_aware(datetime.datetime.combine(page.published_on, datetime.time(12)))
        published = noon if noon <= now else went_live
    changed = timezone.localtime(page.last_published_at or published)
    return published, min(max(changed, published), now)


def _html(page: ArticlePage, request: HttpRequest) -> SafeString:
    parts = [format_html("<p>{}</p>", page.summary)] if page.summary else []
    if page.picture:
        language = page.locale.language_code
        parts.append(
            format_html(
                "<figure>{}<figcaption>{}</figcaption></figure>",
                _drawing(page.picture, language),
                credit_line(page.picture, language).html(),
            )
        )
    link = format_html('<p><a href="{}">{}</a></p>', absolute(page.get_url(request)), _("Read the whole resource"))
    return format_html_join("", "{}", ((part,) for part in [*parts, link]))


def _drawing(picture: CreditedImage, language: str) -> SafeString:
    """The picture, or its alt text where it can not be drawn."""
    size, alt = picture.sharing, picture.alt_at(None, language)
    if size is None:
        return format_html("<p{}>{}</p>", alt.lang_attribute(language), alt.text)
    return format_html(
        '<img src="{}" alt="{}"{} width="{}" height="{}">',
        absolute(size.url),
        alt.text,
        alt.lang_attribute(language),
        size.width,
        size.height,
    )


def _rss(feed: Feed) -> HttpResponse:
    return _xml(feed, Rss201rev2Feed, "application/rss+xml; charset=utf-8")


def _atom(feed: Feed) -> HttpResponse:
    return _xml(feed, Atom1Feed, "application/atom+xml; charset=utf-8")


def _xml(feed: Feed, kind: type[SyndicationFeed], content_type: str) -> HttpResponse:
    title, description = legible(feed.title), legible(feed.description)
    document = kind(title, feed.home_url, description, feed.language, feed_url=feed.url)
    for entry in feed.entries:
        document.add_item(
            title=legible(entry.title),
            link=entry.url,
            description=legible(entry.html),
            author_name=legible(", ".join(entry.authors)) or None,
            unique_id=entry.id,
            unique_id_is_permalink=False,
            categories=[legible(topic) for topic in entry.topics],
            pubdate=entry.published,
            updateddate=entry.updated,
        )
    return HttpResponse(document.writeString("utf-8"), content_type=content_type)


def _json(feed: Feed) -> HttpResponse:
    data: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.description,
        "home_page_url": feed.home_url,
        "feed_url": feed.url,
        "language": feed.language,
        "items": [
            {
                "id": entry.id,
                "url": entry.url,
                "title": entry.title,
                "summary": entry.summary,
                "content_html": entry.html,
                "date_published": entry.published.isoformat(),
                "date_modified": entry.updated.isoformat(),
                "authors": [{"name": name} for name in entry.authors],
                "tags": entry.topics,
                "language": feed.language,
            }
            for entry in feed.entries
        ],
    }
    content_type = "application/feed+json; charset=utf-8"
    return JsonResponse(data, content_type=content_type, json_dumps_params={"ensure_ascii": False})


FORMS: dict[str, Callable[[Feed], HttpResponse]] = {"rss": _rss, "atom": _atom, "json": _json}
