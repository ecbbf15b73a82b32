"""The local mailbox in the browser, for superusers and the person who runs the demo. Mails are hostile until proven."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsletter import mailbox
from newsletter.mailbox import KeptMail

# What proxies, load balancers and CDNs add to a request, and browsers never do: RFC 7239 (Forwarded), RFC 9110 (Via),
# RFC 8586 (CDN-Loop), and the names that products gave to address, host and scheme of the reader's request.
ADDED_BY_PROXIES = re.compile(
    r"resource_center\.forwarded|HTTP_(.*FORWARDED.*|VIA|CDN_LOOP|FRONT_END_HTTPS|.*_(IP|CLIENTIP|SOCKETIP|ADDR|SCHEME)"
    r"|(CF|X_ORIGINAL|X_ENVOY|X_AMZN|X_AZURE|X_ARR|X_APPENGINE)_.+)"
)
ON_A_PAGE = 50
HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
# No script runs, nothing is fetched from elsewhere, nothing is posted; links open beside, outside of this cage.
CAGE = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self' {site} data:; "
    "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)

View = Callable[..., HttpResponse]


def for_the_house(view: View) -> View:
    """Only while mail goes to the local mailbox, and only for who may read everybody's mail; else 404."""

    @require_safe
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.LOCAL_MAILBOX or not _may_read(request):
            raise Http404
        response = view(request, *args, **kwargs)
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return guarded


def _may_read(request: HttpRequest) -> bool:
    """Superusers may; without login only the person at this machine who runs the demo.

    A proxy on this machine makes every reader look like that person and need not say that it is there. So the demo is
    open at its own address alone, and closed to whatever bears a proxy's mark.
    """
    return _is_the_demos_own(request) or (request.user.is_active and request.user.is_superuser)


def _is_the_demos_own(request: HttpRequest) -> bool:
    came_by_proxy = any(map(ADDED_BY_PROXIES.fullmatch, request.META))
    return settings.MAILBOX_WITHOUT_LOGIN and not came_by_proxy and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


@for_the_house
def index(request: HttpRequest) -> HttpResponse:
    """Every mail, newest first."""
    page = Paginator(mailbox.keys(), ON_A_PAGE).get_page(request.GET.get("page"))
    lines = [_facts(mail) for key in page if (mail := mailbox.read(key))]
    return render(request, "newsletter/mailbox.html", {"lines": lines, "page_of_mails": page})


@for_the_house
def show(request: HttpRequest, key: str) -> HttpResponse:
    """One mail: HTML in a cage, text, and headers."""
    mail = _mail(key)
    facts = {**_facts(mail), "text": mail.body("plain"), "html": bool(mail.body("html"))}
    return render(request, "newsletter/mailbox_mail.html", facts)


@for_the_house
def html(_request: HttpRequest, key: str) -> HttpResponse:
    """The HTML part alone."""
    words = _mail(key).body("html")
    target = '<base target="_blank">'
    words, found = HEAD.subn(lambda head: head[0] + target, words, count=1)
    response = HttpResponse(words if found else target + words)
    response.headers["Content-Security-Policy"] = CAGE.format(site=settings.SITE_URL)
    return response


@for_the_house
def text(_request: HttpRequest, key: str) -> HttpResponse:
    """The text part alone."""
    return _plain(_mail(key).body("plain"))


@for_the_house
def headers(_request: HttpRequest, key: str) -> HttpResponse:
    """The headers alone."""
    return _plain(_mail(key).head)


@for_the_house
def raw(_request: HttpRequest, key: str) -> HttpResponse:
    """Every byte of it."""
    return _plain(_mail(key).raw)


def _facts(mail: KeptMail) -> dict[str, Any]:
    return {"mail": mail, "to": mail.header("To"), "subject": mail.header("Subject"), "from": mail.header("From")}


def _mail(key: str) -> KeptMail:
    mail = mailbox.read(key)
    if mail is None:
        raise Http404
    return mail


def _plain(words: str | bytes) -> HttpResponse:
    return HttpResponse(words, content_type="text/plain; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"})
