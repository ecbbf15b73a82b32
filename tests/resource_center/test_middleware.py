"""What every request passes on its way in."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation

from newsletter import site
from resource_center.middleware import TrustedProxies, settle


def settled(**environ) -> dict:
    environ = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "HTTP_HOST": "inner:8000", **environ}
    settle(environ)
    environ.pop("resource_center.forwarded", None)
    return environ


def test_a_trusted_proxy_tells_scheme_host_and_reader():
    seen = settled(
        HTTP_X_FORWARDED_FOR="198.51.100.7", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="www.example.org"
    )
    assert seen == {"REMOTE_ADDR": "198.51.100.7", "wsgi.url_scheme": "https", "HTTP_HOST": "www.example.org"}


def test_a_stranger_tells_nothing():
    seen = settled(
        REMOTE_ADDR="203.0.113.9",
        HTTP_X_FORWARDED_FOR="127.0.0.1",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_HOST="evil.example",
    )
    assert seen == {"REMOTE_ADDR": "203.0.113.9", "wsgi.url_scheme": "http", "HTTP_HOST": "inner:8000"}


@pytest.mark.parametrize(
    ("hops", "reader"),
    [
        ("10.9.9.9, 198.51.100.7", "198.51.100.7"),  # What stands left of it, the reader made up.
        ("198.51.100.7, 127.0.0.5", "198.51.100.7"),
        ("198.51.100.7, nonsense", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_reader_is_the_rightmost_hop_that_is_not_ours(hops, reader):
    assert settled(HTTP_X_FORWARDED_FOR=hops, HTTP_X_FORWARDED_PROTO="http")["REMOTE_ADDR"] == reader


def test_settling_twice_changes_nothing():
    once = settled(HTTP_X_FORWARDED_FOR="198.51.100.7", HTTP_X_FORWARDED_PROTO="https")
    twice = dict(once)
    settle(twice)
    assert twice == once


@pytest.mark.parametrize("reader", ["127.0.0.1", "203.0.113.9"])
def test_that_a_request_was_forwarded_is_not_forgotten(reader):
    for header in ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT"):
        environ = {"REMOTE_ADDR": reader, header: ""}
        settle(environ)
        settle(environ)
        assert environ == {"REMOTE_ADDR": reader, "resource_center.forwarded": True}


def test_a_forwarded_scheme_makes_the_request_secure():
    request = RequestFactory().get("/", HTTP_X_FORWARDED_PROTO="https")
    TrustedProxies(lambda _request: HttpResponse())(request)
    assert request.is_secure()


@pytest.mark.django_db
def test_the_language_is_in_the_address_alone(client):
    site.found()
    for path, language in (("/resources/", "en"), ("/es/resources/", "es")):
        answer = client.get(path, headers={"Accept-Language": "de, es", "Cookie": "django_language=es"})
        assert answer.status_code == 200
        assert answer["Content-Language"] == language
        assert f'<html lang="{language}"' in answer.content.decode()
        assert "Accept-Language" not in answer.get("Vary", "")
    assert translation.get_language() == "en"


@pytest.mark.django_db
def test_public_pages_run_no_foreign_script_and_the_editors_desk_has_its_own_policy(client):
    public = client.get("/healthz")["Content-Security-Policy"]
    assert "script-src 'self';" in f"{public};"
    assert "unsafe" not in public
    assert "object-src 'none'" in client.get("/admin/login/")["Content-Security-Policy"]


@pytest.mark.django_db
def test_over_plain_http_pages_move_to_https_and_what_machines_use_does_not(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/resources/").status_code == 301
    assert client.get("/resources/").headers["Location"] == "https://testserver/resources/"
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code in {200, 503}
    assert client.post("/newsletter/unsubscribe/x/").status_code not in {301, 302}
    assert client.post("/es/newsletter/subscribe/").status_code not in {301, 302}
