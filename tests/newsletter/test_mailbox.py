"""The local mailbox: what it shows, and what a hostile mail can do there: nothing."""

from __future__ import annotations

import pytest

from newsletter.mailbox import LocalMailbox, keys
from newsletter.smtp import Message, send_now

pytestmark = pytest.mark.once

MAIL = (
    b"From: News <news@house.example>\r\nTo: maria@school.example\r\nSubject: =?utf-8?q?Lesen_=C3=BCben?=\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="x"\r\n\r\n'
    b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPlain words\r\n"
    b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<html><head></head><body><p>Fine words</p></body></html>\r\n--x--\r\n"
)


@pytest.fixture
def folder(settings, tmp_path, newsletter):
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    settings.MAILBOX_WITHOUT_LOGIN = True
    return settings.MAILBOX_DIR


@pytest.fixture
def keep(folder):
    """Keeps a mail and gives back its key."""

    def keep(raw=MAIL):
        before = set(keys())
        session = LocalMailbox().connect()
        assert send_now(session, Message(1, "bounce+x@house.example", "maria@school.example", raw)).taken
        session.leave()
        [key] = set(keys()) - before
        return key

    return keep


def test_a_mail_is_listed_and_shown(client, keep):
    key = keep()
    page = client.get("/mailbox/").content.decode()
    assert "Lesen üben" in page
    assert f'href="/mailbox/{key}/"' in page
    shown = client.get(f"/mailbox/{key}/").content.decode()
    assert "Plain words" in shown
    assert "News &lt;news@house.example&gt; → maria@school.example" in shown
    assert f'src="/mailbox/{key}/html/"' in shown
    assert "Return-Path: &lt;bounce+x@house.example&gt;" in shown
    assert client.get(f"/mailbox/{key}/raw/").content.endswith(MAIL)
    assert client.get(f"/mailbox/{key}/text/").content.decode().strip() == "Plain words"
    assert client.get(f"/mailbox/{key}/headers/").content.decode().startswith("Return-Path: <bounce+x@house.example>")


def test_an_empty_mailbox_says_what_to_do(client, folder):
    assert "No mail yet" in client.get("/mailbox/").content.decode()


def test_the_html_of_a_mail_is_caged(client, keep):
    hostile = b"<script>alert(1)</script><img src=https://elsewhere.example/x onerror=alert(2)>"
    key = keep(MAIL.replace(b"<p>Fine words</p>", hostile))
    response = client.get(f"/mailbox/{key}/html/")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert response.headers["X-Robots-Tag"] == "noindex"
    page = client.get(f"/mailbox/{key}/")
    assert b"<script>alert(1)" not in page.content
    assert b'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.content


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Subject: <script>alert(1)</script>\r\n\r\n<script>alert(2)</script>",
        b'Subject: =?utf-8?b?////?=\r\nTo: "><img src=x onerror=alert(1)>\r\n\r\n',
        b"Content-Type: text/html; charset=no-such-charset\r\n\r\n<p>x</p>",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b'Content-Type: multipart/mixed; boundary="a"\r\n\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n\r\n--a--',
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n!!!not base64",
        b"From: " + b"a" * 5000 + b"\r\nDate: never\r\n\r\nx",
    ],
)
def test_a_hostile_or_broken_mail_is_shown_without_harm(client, keep, raw):
    key = keep(raw)
    for path in ("", "html/", "text/", "headers/", "raw/"):
        response = client.get(f"/mailbox/{key}/{path}")
        assert response.status_code == 200
    for path in ("/mailbox/", f"/mailbox/{key}/"):
        page = client.get(path).content
        assert b"<script>alert" not in page
        assert b"<img src=x" not in page


@pytest.mark.parametrize("key", ["nothing", "1.2", "..%2F..%2Fdb.sqlite3", "%2e%2e", "1700000000.zz"])
def test_what_is_not_there_is_not_found(client, folder, key):
    LocalMailbox().connect()
    assert client.get(f"/mailbox/{key}/").status_code == 404


def test_there_is_no_mailbox_once_mail_goes_elsewhere(client, keep, settings):
    key = keep()
    settings.LOCAL_MAILBOX = False
    assert client.get("/mailbox/").status_code == 404
    assert client.get(f"/mailbox/{key}/").status_code == 404


def test_looking_changes_nothing(client, keep):
    key = keep()
    assert client.post("/mailbox/").status_code == 405
    assert client.delete(f"/mailbox/{key}/").status_code == 405
    assert keys() == [key]


def test_the_newest_mail_comes_first_and_the_list_has_pages(client, keep):
    made = [keep(b"Subject: number %d\r\n\r\nx" % number) for number in range(53)]
    first = client.get("/mailbox/").content.decode()
    assert first.index(made[-1]) < first.index(made[-2])
    assert made[0] not in first
    assert made[0] in client.get("/mailbox/?page=2").content.decode()
    assert client.get("/mailbox/?page=nonsense").status_code == 200
