"""The reader's pages outside the page tree: partners, image credits, calendar files, and what machines ask for."""

from __future__ import annotations

import datetime
from pathlib import Path

from django.conf import settings
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from content import calendar, pictures, shelves
from content.models import EventPage, Organisation, Partner
from content.navigation import absolute
from content.public_pages import public_pages

PICTURES_PER_PAGE = 60
ICON = Path(__file__).parent / "static" / "content" / "icons" / "favicon.ico"


@require_safe
def partner(request: HttpRequest, slug: str) -> HttpResponse:
    """A partner and the stories it tells, in the languages that tell of it."""
    partners = Partner.objects.select_related("locale").prefetch_related(*shelves.PICTURE)
    found = get_object_or_404(partners, slug=slug, locale__language_code=get_language())
    return render(request, "content/partner.html", {"partner": found, "stories": shelves.told_by(found)})


@require_safe
def image_credits(request: HttpRequest) -> HttpResponse:
    """Every picture that readers can see, with its credit and the pages it is on."""
    found = Paginator(pictures.shown(), PICTURES_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "content/image_credits.html", {"found": found, "placed": pictures.placed(list(found))})


@require_safe
def event_file(request: HttpRequest, slug: str) -> HttpResponse:
    """An event as a calendar file."""
    if not slug.isprintable():  # PostgreSQL takes no NUL, not even to look for it
        raise Http404
    events = public_pages(EventPage.objects.filter(locale__language_code=get_language(), starts_at__isnull=False))
    event = get_object_or_404(events, slug=slug)
    body = calendar.file(event, absolute(event.get_url(request)))
    disposition = {"Content-Disposition": f'attachment; filename="{event.slug}.ics"'}
    return HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=disposition)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers may read: all that is public, nothing that belongs to one reader."""
    return render(
        request, "robots.txt", {"sitemap": absolute(reverse("sitemap"))}, content_type="text/plain; charset=utf-8"
    )


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Where to report a weakness (RFC 9116). It expires at the end of the month after next, and renews itself."""
    month = timezone.localdate().replace(day=1) + datetime.timedelta(days=92)
    context = {
        "organisation": Organisation.load(request_or_site=request),
        "expires": f"{month.replace(day=1).isoformat()}T00:00:00Z",
        "home": absolute("/"),
        "here": absolute(reverse("security")),
        "languages": ", ".join(code for code, _name in settings.LANGUAGES),
    }
    return render(request, "security.txt", context, content_type="text/plain; charset=utf-8")


@require_safe
def favicon(_request: HttpRequest) -> FileResponse:
    """The site's mark, for browsers that ask for it at the old place."""
    kept = {"Cache-Control": "public, max-age=86400"}
    return FileResponse(ICON.open("rb"), content_type="image/x-icon", headers=kept)
