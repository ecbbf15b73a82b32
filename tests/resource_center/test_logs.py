"""What breaks is logged with its traceback; addresses, tokens and logins never are."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys

import pytest
import requests
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver, path

from resource_center import logs
from resource_center.errors import server_error
from resource_center.pagecache import PageCache
from tests.live import ROOT, RUN_SETTINGS, LiveSite

pytestmark = pytest.mark.once

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"
NUMBER = r"[0-9a-f]{8}-[0-9a-f-]{27}"


def broken(request: HttpRequest) -> HttpResponse:
    raise LookupError("no such reader: maria@school.example")


handler500 = server_error
urlpatterns = [path("broken/", broken)]


@pytest.fixture
def written(request):
    """What the site's own handler would write, line by line, in the form of the test's parameter."""

    class Kept(logging.Handler):
        lines: list[str] = []

        def emit(self, record):
            self.lines += self.format(record).splitlines()

    kept = Kept()
    kept.lines = []
    kept.setFormatter(logs.formatter(getattr(request, "param", "plain")))
    logging.getLogger().addHandler(kept)
    yield kept.lines
    logging.getLogger().removeHandler(kept)


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_an_exception_is_logged_once_with_traceback_time_level_request_id_and_path(client, written):
    client.raise_request_exception = False
    answer = client.get("/broken/?to=maria@school.example")
    first, *rest = written
    number = answer.headers["X-Request-ID"]
    assert answer.status_code == 500
    assert re.fullmatch(NUMBER, number)
    assert number in answer.content.decode()
    assert re.match(rf"{MOMENT} \[error +\] request_failed ", first)
    assert f"request_id={number}" in first
    assert "path=/broken/" in first
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "LookupError: no such reader: [address]"
    assert "maria" not in "".join(written)


@pytest.mark.urls(__name__)
@pytest.mark.django_db
@pytest.mark.parametrize("written", ["json"], indirect=True)
def test_machines_get_one_object_for_each_event(client, written):
    client.raise_request_exception = False
    answer = client.get("/broken/")
    [line] = written
    told = json.loads(line)
    assert told["request_id"] == answer.headers["X-Request-ID"]
    assert (told["event"], told["level"], told["path"]) == ("request_failed", "error", "/broken/")
    assert re.fullmatch(MOMENT, told["timestamp"])
    assert told["exception"].endswith("LookupError: no such reader: [address]")


def test_an_exception_in_front_of_django_is_logged_and_answered_like_any_other(written):
    def django(environ, start_response):
        raise OSError("the disk is gone")

    told = {}
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/admin/", "wsgi.url_scheme": "http", "HTTP_HOST": "testserver"}
    body = b"".join(PageCache(django)(environ, lambda status, headers, _error: told.update(headers, status=status)))
    assert told["status"] == "500 Internal Server Error"
    assert told["X-Request-ID"] in body.decode()
    assert f"path=/admin/ request='GET /admin/' request_id={told['X-Request-ID']}" in written[0]
    assert written[-1] == "OSError: the disk is gone"


@pytest.mark.django_db
def test_an_answer_that_is_no_exception_is_not_logged(client, written):
    assert client.get("/nothing-here/").status_code == 404
    assert client.get("/readyz").status_code == 503
    assert [line for line in written if "request_f" in line or "Traceback" in line] == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to maria.lopez+news@school.example: no", "to [address]: no"),
        ("<maría@escuela.example>", "<[address]>"),
        ("bounce+d-1-abc@bounces.example", "[address]"),
        ("?email=maria%40school.example&x=1", "?email=[address]&x=1"),
        ("GET /newsletter/confirm/AbC.x1.s-g_/", "GET /newsletter/confirm/[token]"),
        ("GET /es/newsletter/preferences/AbC.0.s 404", "GET /es/newsletter/preferences/[token] 404"),
        ("'/newsletter/unsubscribe/AbC.0.s/'", "'/newsletter/unsubscribe/[token]'"),
        ("/newsletter/export/a.b.c /newsletter/erase/a.b.c", "/newsletter/export/[token] /newsletter/erase/[token]"),
        ("/admin/password_reset/confirm/MQ/c1-9f/", "/admin/password_reset/confirm/[token]"),
        ("smtps://news:hunter2@mail.example:465", "smtps://[login]@mail.example:465"),
        ("postgres://site:pass@localhost/site", "postgres://[login]@localhost/site"),
        ("/x?token=abc&page=2", "/x?token=[secret]&page=2"),
        ("/newsletter/confirm/", "/newsletter/confirm/"),
        ("/newsletter/issues/2026-11/ @receiver 3 @ 4", "/newsletter/issues/2026-11/ @receiver 3 @ 4"),
    ],
)
def test_addresses_tokens_and_logins_are_masked(text, masked):
    assert logs.mask(text) == masked


def test_the_token_of_every_address_that_takes_one_is_masked():
    routes = [
        str(pattern.pattern) for each in get_resolver().url_patterns for pattern in getattr(each, "url_patterns", [])
    ]
    with_tokens = [route for route in routes if "<token:token>" in route]
    assert len(with_tokens) >= 6
    for route in with_tokens:
        address = "/" + route.replace("<token:token>", "AbC.x1.s-g_/")
        assert logs.mask(address) == address.replace("AbC.x1.s-g_/", "[token]"), route


@pytest.mark.parametrize("written", ["plain", "json"], indirect=True)
def test_they_are_masked_wherever_an_event_tells_them(written):
    try:
        raise ValueError('"\nmaria@school.example')
    except ValueError:
        logging.getLogger("newsletter").exception("No answer from %s", "maria@school.example", stack_info=True)
    assert "maria@" not in "".join(written)
    assert len(written) == 1 or written[-1] == "[address]"


def test_what_ends_beat_is_logged(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "celery",
            "--app",
            "resource_center",
            "--quiet",
            "beat",
            "--schedule",
            tmp_path / "missing" / "schedule",
        ],
        cwd=ROOT,
        env=os.environ
        | RUN_SETTINGS
        | {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "resource_center.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert re.search(rf"^{MOMENT} \[critical *\] beat raised exception", done.stderr, re.MULTILINE)
    assert "Traceback (most recent call last):" in done.stderr


MISTAKES = """
from celery import current_app
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("DROP TABLE newsletter_consentevent")
current_app.send_task("newsletter.tasks.send_mailing", args=["maria@school.example"])
"""


def test_a_running_site_logs_what_breaks_in_web_and_worker(tmp_path):
    with LiveSite(tmp_path, LOG_FORMAT="json") as site:
        site.manage("shell", "--no-imports", "-v0", "-c", MISTAKES)

        origin = {"Origin": site.url}
        answer = requests.post(f"{site.url}/newsletter/subscribe/", {"email": "maria@school.example"}, headers=origin)
        assert answer.status_code == 500

        def told(process: str) -> dict:
            lines = [json.loads(line) for line in site.log.read_text().splitlines()]
            failures = [line for line in lines if line["process"] == process and "exception" in line]
            return failures[0] if failures else {}

        web = site.wait(lambda: told("web"), 20, "the web process to log its failure")
        worker = site.wait(lambda: told("worker"), 20, "the worker to log its failure")
    assert web["request_id"] == answer.headers["X-Request-ID"]
    assert web["path"] == "/newsletter/subscribe/"
    assert "newsletter_consentevent" in web["exception"]
    assert worker["task"] == "newsletter.tasks.send_mailing"
    assert "expected a number but got '[address]'" in worker["exception"]
    assert {web["level"], worker["level"]} == {"error"}
    assert "maria@" not in site.log.read_text()


def test_a_word_without_end_is_masked_in_no_time_to_speak_of():
    program = "from resource_center import logs; print(len(logs.mask('a' * 400_000)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "400000"
