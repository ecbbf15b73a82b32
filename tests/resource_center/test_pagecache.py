"""The page cache: what it keeps, what passes by, and when it forgets."""

import gzip
from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client

from content import edition
from content.models import HomePage
from newsletter import site
from resource_center import pagecache

pytestmark = pytest.mark.django_db


class Reader:
    """Asks the cache as a web server does, and counts what reaches Django."""

    def __init__(self, application=None) -> None:
        self.reached = 0
        self.inner = application or get_wsgi_application()
        self.cache = pagecache.PageCache(self.django)

    def django(self, environ, start_response):
        self.reached += 1
        return self.inner(environ, start_response)

    def ask(self, path, method="GET", query="", **environ):
        """The status, the headers and the body of an answer."""
        told = []
        asked = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "testserver",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            **environ,
        }
        answer = self.cache(asked, lambda status, headers, exc=None: told.extend((status, dict(headers))))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        return told[0], told[1], body


@pytest.fixture
def reader(settings):
    settings.ALLOWED_HOSTS = ["testserver", "www.example.org"]
    site.found()
    for signal in (request_started, request_finished):  # The test's transaction outlives the request.
        signal.disconnect(close_old_connections)
    yield Reader()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def saying(**headers) -> Reader:
    """A reader of an application that always answers with these headers."""

    def application(environ, start_response):
        body = b"<p>hello</p>" * 200
        response = HttpResponse(body, headers={name.replace("_", "-"): value for name, value in headers.items()})
        start_response("200 OK", [*response.items(), ("Content-Length", str(len(body)))])
        return [body]

    return Reader(application)


def test_a_page_is_made_once_and_then_comes_from_memory(reader, django_assert_num_queries):
    first = reader.ask("/resources/")
    with django_assert_num_queries(0):
        again = reader.ask("/resources/")
    assert first == again
    assert first[0] == "200 OK"
    assert b"<h1" in first[2]
    assert reader.reached == 1


def test_the_answer_is_djangos_own(reader):
    _, headers, body = reader.ask("/resources/")
    plain = Client().get("/resources/")
    assert body == plain.content
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Content-Language", "Content-Type"):
        assert headers[name] == plain[name]


def test_head_is_answered_like_get_without_a_body(reader):
    full = reader.ask("/resources/")
    assert reader.ask("/resources/", "HEAD") == (full[0], full[1], b"")
    assert reader.reached == 1


def test_a_page_is_packed_for_those_who_can_unpack(reader):
    plain = reader.ask("/resources/")
    _, headers, body = reader.ask("/resources/", HTTP_ACCEPT_ENCODING="gzip, br")
    assert headers["Content-Encoding"] == "gzip"
    assert int(headers["Content-Length"]) == len(body) < len(plain[2])
    assert gzip.decompress(body) == plain[2]
    assert "Accept-Encoding" in headers["Vary"]


def test_a_page_that_a_reader_has_is_not_sent_again(reader):
    tag = reader.ask("/resources/")[1]["ETag"]
    status, headers, body = reader.ask("/resources/", HTTP_IF_NONE_MATCH=tag)
    assert (status, body) == ("304 Not Modified", b"")
    assert "Content-Length" not in headers


def test_a_new_edition_is_seen_within_a_second(reader):
    reader.ask("/resources/")
    edition.move()
    assert reader.cache.edition != edition.current()
    reader.cache.looked_up -= pagecache.EDITION_LASTS
    reader.ask("/resources/")
    assert reader.reached == 2


def test_publishing_reaches_the_reader(reader):
    reader.ask("/")
    home = HomePage.objects.get(locale__language_code="en")
    home.title = "A house for teachers"
    home.save_revision().publish()
    reader.cache.looked_up -= pagecache.EDITION_LASTS
    assert b"A house for teachers" in reader.ask("/")[2]


def test_a_page_begun_under_the_last_edition_is_not_kept(reader):
    inner = reader.inner

    def publishing_meanwhile(environ, start_response):
        answer = inner(environ, start_response)
        edition.move()
        reader.cache.looked_up -= pagecache.EDITION_LASTS
        reader.cache.present_edition()
        return answer

    reader.inner = publishing_meanwhile
    reader.ask("/resources/")
    assert reader.cache.pages == {}


def test_without_a_database_the_last_edition_stays(reader, monkeypatch, caplog):
    reader.ask("/resources/")
    reader.cache.looked_up -= pagecache.EDITION_LASTS

    def gone():
        raise pagecache.DatabaseTrouble("no route to host")

    monkeypatch.setattr(edition, "current", gone)
    monkeypatch.setattr(pagecache.connection, "close", lambda: None)
    assert reader.ask("/resources/")[0] == "200 OK"
    assert reader.reached == 1
    assert "pages stay as they are" in caplog.text


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "POST"},
        {"query": "q=fractions"},
        {"query": "topic=equity&utm_source=x"},
        {"query": "topic=" + "x" * 400},
        {"query": "page=a1"},
        {"query": "topic=equity&page=1234567"},
        {"HTTP_COOKIE": "sessionid=abc"},
        {"HTTP_HOST": "evil.example"},
    ],
)
def test_what_is_not_the_same_for_everybody_passes_by(request_):
    reader = saying(Content_Type="text/html")
    reader.ask("/resources/", **request_)
    reader.ask("/resources/", **request_)
    assert reader.reached == 2
    assert reader.cache.pages == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"Set_Cookie": "a=b"},
        {"Cache_Control": "private"},
        {"Cache_Control": "max-age=0, no-cache, no-store"},
        {"Vary": "Accept"},
        {"Content_Encoding": "br"},
    ],
)
def test_an_answer_for_one_reader_is_not_kept(headers):
    reader = saying(**headers)
    reader.ask("/resources/")
    assert reader.cache.pages == {}


def test_scheme_host_path_and_choices_tell_pages_apart(settings):
    settings.ALLOWED_HOSTS = ["testserver", "www.example.org"]
    reader = saying()
    for request in (
        {"path": "/resources/"},
        {"path": "/es/resources/"},
        {"path": "/resources/", "query": "topic=equity"},
        {"path": "/resources/", "query": "topic=equity&page=2"},
        {"path": "/resources/", "HTTP_HOST": "www.example.org"},
        {"path": "/resources/", "HTTP_X_FORWARDED_PROTO": "https"},
        {"path": "/resources/", "HTTP_X_FORWARDED_HOST": "www.example.org", "HTTP_X_FORWARDED_PROTO": "https"},
    ):
        reader.ask(**request)
    assert reader.reached == len(reader.cache.pages) == 7


def test_what_a_stranger_forwards_changes_nothing():
    reader = saying()
    reader.ask("/resources/", REMOTE_ADDR="203.0.113.9")
    reader.ask("/resources/", REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_HOST="evil.example")
    assert reader.reached == 1


def test_pages_that_are_not_found_are_not_kept(reader):
    assert reader.ask("/nowhere/")[0] == "404 Not Found"
    assert reader.cache.pages == {}


def test_an_editor_who_is_signed_in_always_sees_the_present(reader):
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("editor"))
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    reader.ask("/resources/")
    reader.ask("/resources/", HTTP_COOKIE=cookie)
    assert reader.reached == 2


def test_the_oldest_pages_make_room(monkeypatch):
    monkeypatch.setattr(pagecache, "ROOM", 10_000)
    reader = saying()
    for number in range(20):
        reader.ask(f"/resources/{number}/")
    assert reader.cache.size <= 10_000
    assert 1 <= len(reader.cache.pages) < 20
    assert reader.cache.size == sum(page.size for page in reader.cache.pages.values())
    assert ("http", "testserver", "/resources/19/", "") in reader.cache.pages
