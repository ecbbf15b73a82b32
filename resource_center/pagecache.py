"""The page cache: stands in front of Django and answers anonymous readers with one dictionary look-up.

A page is kept for one edition (content/edition.py), which is looked up at most once a second, so that
what readers see is never staler than that. What is kept holds nothing of one reader.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.http.request import split_domain_port, validate_host

from content import edition
from content.models import Facet
from resource_center.errors import answer_failure
from resource_center.middleware import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    Environ = dict[str, Any]
    Headers = list[tuple[str, str]]
    Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
    Key = tuple[str, str, str, str]

logger = logging.getLogger(__name__)
ROOM = 64 * 1024 * 1024  # bytes, for each process
LARGEST_PAGE = 1024 * 1024  # bytes
SMALLEST_TO_PACK = 1000  # bytes; below, gzip gains nothing
EDITION_LASTS = 1.0  # seconds until it is looked up again
LONGEST_QUERY = 300  # characters
# Free words are not kept: everybody types others, and they would crowd out the pages.
# These stand in every site; the facets that editors make come to them.
PARAMETERS = frozenset({"topic", "grade", "role", "type", "language", "partner", "state", "sort", "page"})
PAGE_NUMBER = re.compile("[0-9]{1,6}")
PASSES_BY = ("/admin/", "/media/", "/static/", "/documents/", "/mailbox/", "/healthz", "/readyz")
HARMLESS_VARY = {"cookie", "accept-encoding", ""}


@dataclass(frozen=True)
class Page:
    """An answer as it is sent, plain and packed."""

    tag: str
    headers: Headers
    body: bytes
    packed_headers: Headers
    packed: bytes

    @property
    def size(self) -> int:
        return len(self.body) + len(self.packed)


class PageCache:
    """A WSGI application around another one."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.pages: OrderedDict[Key, Page] = OrderedDict()
        self.size = 0
        self.edition = ""
        self.parameters = PARAMETERS
        self.looked_up = 0.0
        self.known_hosts: set[str] = set()
        self.lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        settle(environ)
        try:
            return self.answer(environ, start_response)
        except Exception:
            return answer_failure(environ, start_response)

    def answer(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The page that is kept, else what Django makes."""
        key = self.key(environ)
        if key is None:
            return self.application(environ, start_response)
        present = self.present_edition()
        page = self.pages.get(key)
        if page is None:
            return self.fetch(key, present, environ, start_response)
        return send(page, environ, start_response)

    def key(self, environ: Environ) -> Key | None:
        """What tells this page from all others; None when the request must reach Django."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or settings.DEBUG:
            return None
        if settings.SESSION_COOKIE_NAME in environ.get("HTTP_COOKIE", ""):
            return None
        path, query, host = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""), environ.get("HTTP_HOST", "")
        if (
            path.startswith(PASSES_BY)
            or (query and not is_known(query, self.present_parameters()))
            or not self.is_ours(host)
        ):
            return None
        return environ["wsgi.url_scheme"], host, path, query

    def is_ours(self, host: str) -> bool:
        if host not in self.known_hosts:
            if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS) or len(self.known_hosts) > 100:
                return False
            self.known_hosts.add(host)
        return True

    def present_parameters(self) -> frozenset[str]:
        """What lists can be asked now: a facet that an editor just made, too."""
        self.present_edition()
        return self.parameters

    def present_edition(self) -> str:
        """The edition that counts now; a new one empties the cache. Without a database the last one stays."""
        now = time.monotonic()
        if now - self.looked_up < EDITION_LASTS:
            return self.edition
        self.looked_up = now
        try:
            found = edition.current()
            if found != self.edition:
                self.parameters = PARAMETERS.union(Facet.objects.values_list("slug", flat=True))
        except DatabaseTrouble as error:
            logger.warning("The edition can not be looked up (%s); pages stay as they are.", error)
            connection.close()  # Outside of a request nobody else mends it.
            return self.edition
        if found != self.edition:
            with self.lock:
                self.edition, self.size = found, 0
                self.pages.clear()
        return found

    def fetch(self, key: Key, present: str, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let Django make the page, and keep it when it is the same for everybody."""
        told: list[Any] = []
        answer = self.application(environ, lambda status, headers, _exc_info=None: told.extend((status, headers)))
        status, headers = told
        if environ["REQUEST_METHOD"] == "HEAD" or not is_for_everybody(status, headers):
            start_response(status, headers)
            return answer
        page = made(headers, collected(answer))
        self.keep(key, present, page)
        return send(page, environ, start_response)

    def keep(self, key: Key, present: str, page: Page) -> None:
        """Keep a page of the edition under which its making began; the oldest make room."""
        with self.lock:
            if present != self.edition or key in self.pages:
                return
            self.pages[key] = page
            self.size += page.size
            while self.size > ROOM:
                self.size -= self.pages.popitem(last=False)[1].size


def is_known(query: str, parameters: Collection[str] = PARAMETERS) -> bool:
    """Whether every parameter is one of these, and `page` a number, so that others can not fill the cache."""
    if len(query) > LONGEST_QUERY:
        return False
    asked = parse_qsl(query, keep_blank_values=True)
    return all(name in parameters and (name != "page" or PAGE_NUMBER.fullmatch(value)) for name, value in asked)


def is_for_everybody(status: str, headers: Headers) -> bool:
    """Whether an answer is whole, and would be the same for any other reader."""
    told = {name.lower(): value.lower() for name, value in headers}
    varies = {word.strip() for word in told.get("vary", "").split(",")}
    return (
        status.startswith("200")
        and "set-cookie" not in told
        and not any(word in told.get("cache-control", "") for word in ("private", "no-store", "no-cache"))
        and varies <= HARMLESS_VARY
        and "content-encoding" not in told
        and 0 < int(told.get("content-length", 0)) <= LARGEST_PAGE
    )


def collected(answer: Iterable[bytes]) -> bytes:
    try:
        return b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()


def made(headers: Headers, body: bytes) -> Page:
    """A page from Django's answer: readers may keep it, but ask each time whether it is still the same."""
    ours = {"vary", "content-length", "cache-control", "etag"}
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    kept = [(name, value) for name, value in headers if name.lower() not in ours]
    kept += [("Vary", "Accept-Encoding, Cookie"), ("Cache-Control", "public, max-age=0"), ("ETag", tag)]
    packed = gzip.compress(body, 6, mtime=0) if len(body) >= SMALLEST_TO_PACK else body
    encoding = [("Content-Encoding", "gzip")] if packed is not body else []
    return Page(
        tag,
        [*kept, ("Content-Length", str(len(body)))],
        body,
        [*kept, *encoding, ("Content-Length", str(len(packed)))],
        packed,
    )


def send(page: Page, environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    packed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
    headers = page.packed_headers if packed else page.headers
    if environ.get("HTTP_IF_NONE_MATCH") == page.tag:
        start_response("304 Not Modified", [header for header in headers if not header[0].startswith("Content-")])
        return []
    start_response("200 OK", headers)
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    return [page.packed if packed else page.body]
