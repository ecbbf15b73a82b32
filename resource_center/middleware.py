"""What every request passes on its way in: the word of a trusted proxy, and the language of its address."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import translation

from content import languages
from resource_center import preflight

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    Answer = Callable[[HttpRequest], HttpResponse]

FORMER = re.compile(r"/([a-z]{2,3}(?:-[a-z]+)?)(/newsletter/.+)", re.DOTALL)
KNOWN_LANGUAGES = frozenset(preflight.KNOWN_LANGUAGES.split())
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT")


def trusted(address: str) -> bool:
    """Whether this address belongs to one of our own proxies (TRUSTED_PROXIES)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network) for network in settings.TRUSTED_PROXIES)


def reader_address(forwarded_for: str, nearest: str) -> str:
    """The rightmost hop that is not ours: what stands left of it, a reader may have made up."""
    for hop in reversed(forwarded_for.split(",")):
        address = hop.strip()
        if address and not trusted(address):
            return address if is_address(address) else nearest
    return nearest


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def settle(environ: dict[str, Any]) -> None:
    """Put what a trusted proxy says about the request in its place, and drop what anyone else says.

    Afterwards scheme, host and REMOTE_ADDR are the reader's own and no X-Forwarded-* is left, so that
    it may be called twice. `resource_center.forwarded` tells that there was one.
    """
    said = {name: environ.pop(name) for name in FORWARDED if name in environ}
    if not said:
        return
    environ["resource_center.forwarded"] = True
    if not trusted(environ.get("REMOTE_ADDR", "")):
        return
    environ["REMOTE_ADDR"] = reader_address(said.get("HTTP_X_FORWARDED_FOR", ""), environ["REMOTE_ADDR"])
    scheme = said.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
    if scheme in {"http", "https"}:
        environ["wsgi.url_scheme"] = scheme
    if host := said.get("HTTP_X_FORWARDED_HOST", ""):
        environ["HTTP_HOST"] = host.split(",")[-1].strip()


class TrustedProxies:
    """Believes X-Forwarded-* from TRUSTED_PROXIES alone."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        settle(request.META)
        return self.get_response(request)


class KnownEncodings:
    """Drops a `Content-Encoding` that names none.

    Wagtail writes “None” there for every document whose name tells of no compression, and a strict client then
    refuses the file.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.headers.get("Content-Encoding") in ("None", ""):
            del response.headers["Content-Encoding"]
        return response


class EditorsDeskPolicy:
    """A content security policy for /admin/, whose own scripts and styles are partly inline."""

    POLICY = (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; frame-src 'self' https://www.youtube-nocookie.com https://player.vimeo.com; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            response.headers.setdefault("Content-Security-Policy", self.POLICY)
        return response


def keep_former_address(request: HttpRequest) -> None:
    """Let links of mails sent before work after LANGUAGES changed: they are never redirected, so read them anew.

    `/fr/newsletter/...` is answered in the site's first language once French is none of its languages, or the first.
    """
    match = FORMER.fullmatch(request.path_info)
    if match and match[1] in KNOWN_LANGUAGES and (match[1] not in languages.codes() or match[1] == languages.first()):
        request.path_info = match[2]
        request.path = request.path.removesuffix(match[0]) + match[2]


class LanguageByAddress:
    """English without a prefix, any other language under its code; no cookie and no header counts.

    Django's own LocaleMiddleware would add `Vary: Accept-Language`, which splits every cache.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        keep_former_address(request)
        language = translation.get_language_from_path(request.path_info) or settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
