"""What a page says to search engines: schema.org data as JSON-LD."""

from __future__ import annotations

import datetime
import json
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from wagtail.models import Page

from content import pictures
from content.credits import credit_line
from content.models import ArticlePage, CollectionPage, CreditedImage, EventPage, Organisation, StoryPage
from content.navigation import absolute

Facts = dict[str, Any]

# What would end the script element early, or break older JavaScript.
ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def script(page: Page, request: HttpRequest) -> SafeString:
    """A page's facts as a data block: never run as a script, so no policy stands against it."""
    data = {"@context": "https://schema.org", "@graph": [*_things(page, request), _way(page, request)]}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308 - escaped above


def _things(page: Page, request: HttpRequest) -> list[Facts]:
    if isinstance(page, EventPage):
        return [_event(page, request)]
    if isinstance(page, ArticlePage | StoryPage):
        return [_reading(page, request)]
    if isinstance(page, CollectionPage):
        return [_named("Collection", page, request)]
    return [_named("WebPage", page, request)]


def _named(kind: str | list[str], page: Page, request: HttpRequest) -> Facts:
    facts = {
        "@type": kind,
        "name": page.title,
        "url": absolute(page.get_url(request)),
        "inLanguage": page.locale.language_code,
        "description": page.search_description or getattr(page, "summary", "") or getattr(page, "lead", ""),
        "image": [image(work, page.locale.language_code) for work in _pictures(page)],
    }
    return _without_gaps(facts)


def _reading(page: ArticlePage | StoryPage, request: HttpRequest) -> Facts:
    kind = ["Article", "LearningResource"] if isinstance(page, ArticlePage) else "Article"
    return _named(kind, page, request) | _without_gaps(
        {
            "headline": page.title,
            "datePublished": page.date.isoformat() if page.date else None,
            "dateModified": _moment(page.last_published_at),
            "author": [{"@type": "Person", "name": line.person.name} for line in page.bylines.all()],
            "publisher": _organisation(request),
            "keywords": ", ".join(term.name for term in page.terms.all()),
            "isAccessibleForFree": True,
        }
    )


def _event(page: EventPage, request: HttpRequest) -> Facts:
    place = {"@type": "Place", "name": page.venue, "address": page.venue}
    online = {"@type": "VirtualLocation", "url": page.registration_url or absolute(page.get_url(request))}
    return _named("Event", page, request) | _without_gaps(
        {
            "startDate": _moment(page.starts_at),
            "endDate": _moment(page.ends_at),
            "eventStatus": "https://schema.org/EventScheduled",
            "eventAttendanceMode": f"https://schema.org/{'Offline' if page.venue else 'Online'}EventAttendanceMode",
            "location": place if page.venue else online,
            "organizer": _organisation(request),
            "maximumAttendeeCapacity": page.capacity,
        }
    )


def _pictures(page: Page) -> list[CreditedImage]:
    own = [page.picture] if getattr(page, "picture", None) else []
    return own + pictures.in_body(page.body) if hasattr(page, "body") else own


def image(work: CreditedImage, language: str) -> Facts:
    """A picture with its words, licence and credit, as Google Images and others read them.

    Args:
        work: the picture.
        language: that of the page. `inLanguage` is only said where words had to come from another one.
    """
    alt, title = work.alt_at(work.contextual_alt_text, language), work.title_in(language)
    is_foreign = alt.is_foreign(language) or title.is_foreign(language)
    languages = sorted({words.language for words in (alt, title) if words.text}) if is_foreign else None
    words = _without_gaps({"contentUrl": work.download_url, "description": alt.text, "inLanguage": languages})
    return {"@type": "ImageObject"} | words | credit_line(work, language).data()


def _way(page: Page, request: HttpRequest) -> Facts:
    steps = [*page.get_ancestors().live().filter(depth__gt=1), page]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": step.title, "item": absolute(step.get_url(request))}
            for position, step in enumerate(steps, start=1)
        ],
    }


def _organisation(request: HttpRequest) -> Facts:
    return {"@type": "Organization", "name": Organisation.load(request_or_site=request).name}


def _moment(moment: datetime.datetime | None) -> str | None:
    """ISO 8601 with the organization's offset."""
    return timezone.localtime(moment).isoformat() if moment else None


def _without_gaps(facts: Facts) -> Facts:
    return {name: fact for name, fact in facts.items() if fact not in (None, "", [])}
