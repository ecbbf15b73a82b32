"""Signatures: only where a key is set, over what RFC 8058 and receivers want, and broken by any change."""

from __future__ import annotations

import re
import subprocess

import dkim
import pytest

from newsletter import delivery, subscribers
from tests.newsletter.issues import an_issue
from tests.newsletter.sending import send
from tests.sink import Sink

pytestmark = pytest.mark.once

NAME = b"news2026._domainkey.resource-center.example."


@pytest.fixture
def relay(settings):
    with Sink() as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        yield sink


@pytest.fixture(scope="session")
def private_key(tmp_path_factory):
    file = tmp_path_factory.mktemp("dkim") / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", file, "2048"], check=True, capture_output=True)
    return file


@pytest.fixture
def dns(private_key, settings):
    """A key is set; what the DNS answers about it."""
    settings.DKIM_KEY_FILE, settings.DKIM_SELECTOR = private_key, "news2026"
    public = subprocess.run(["openssl", "rsa", "-in", private_key, "-pubout"], check=True, capture_output=True).stdout
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])
    return lambda name, timeout=5: record if name == NAME else None


def test_without_a_key_nothing_is_signed(maria, relay):
    send(delivery.schedule(an_issue()))
    assert relay.taken[0].message["DKIM-Signature"] is None


def test_every_mail_is_signed_and_the_signature_holds(maria, people, sam, relay, dns):
    people("ben@school.example")
    subscribers.request_confirmation(sam, wording="Yes", source="test")
    issue = an_issue()
    send(delivery.schedule(issue))
    delivery.send_test(issue, ["editor@school.example"])
    assert len(relay.taken) == 4
    assert all(dkim.verify(taken.raw, dnsfunc=dns) for taken in relay.taken)
    hashes = {re.search(r"bh=([^;]+)", taken.message["DKIM-Signature"])[1] for taken in relay.taken}
    assert len(hashes) == 4


def test_the_signature_covers_what_one_click_needs_and_says_from_twice(maria, relay, dns):
    send(delivery.schedule(an_issue()))
    signature = re.sub(r"\s+", "", relay.taken[0].message["DKIM-Signature"])
    tags = dict(tag.partition("=")[::2] for tag in signature.split(";"))
    assert (tags["c"], tags["d"], tags["s"]) == ("relaxed/relaxed", "resource-center.example", "news2026")
    covered = tags["h"].lower().split(":")
    assert covered.count("from") == 2
    assert {
        *("to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"),
        *("list-id", "list-unsubscribe", "list-unsubscribe-post"),
    } <= set(covered)


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"List-Unsubscribe-Post: none"),
        (b"List-Unsubscribe: <", b"List-Unsubscribe: <https://evil.example/>, <"),
        (b"Subject: ", b"Subject: Not "),
        (b"\r\nFrom: ", b"\r\nFrom: Somebody <else@evil.example>\r\nFrom: "),
        (b"</html>", b"<p>more</p></html>"),
    ],
)
def test_any_change_breaks_it(maria, relay, dns, found, instead):
    send(delivery.schedule(an_issue()))
    raw = relay.taken[0].raw
    assert found in raw
    assert not dkim.verify(raw.replace(found, instead, 1), dnsfunc=dns)


def test_another_domain_may_sign(maria, relay, dns, settings):
    settings.DKIM_DOMAIN = "mail.resource-center.example"
    send(delivery.schedule(an_issue()))
    assert "d=mail.resource-center.example" in relay.taken[0].message["DKIM-Signature"]


def test_a_signature_holds_for_lines_that_begin_with_from_or_a_dot(maria, relay, dns):
    issue = an_issue()
    issue.introduction = "<p>From now on, each issue has a story.</p><p>.</p><p>From here to there.</p>"
    issue.save_revision()
    send(delivery.schedule(issue))
    (taken,) = relay.taken
    assert b"\r\n=46rom now on" in taken.raw
    assert dkim.verify(taken.raw, dnsfunc=dns)
