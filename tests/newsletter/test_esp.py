"""Through a provider: handed over only when cleared, over kept connections, and each answer means what it means."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from newsletter import delivery, esp, links, smtp, subscribers, synthetic
from newsletter.delivery import sender
from newsletter.models import Bounce, Notice, Throttle
from newsletter.site import found
from newsletter.smtp import Refused
from resource_center import preflight
from tests.live import ROOT
from tests.newsletter.issues import an_issue
from tests.newsletter.test_delivery import adds_up, later, send
from tests.provider import KEYS, Api, Rule

pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")

LANES = 4


@pytest.fixture
def issue(newsletter):
    return an_issue()


@pytest.fixture
def readers(people):
    """Ten confirmed subscribers."""
    return [people(f"reader{number:03}@school.example") for number in range(10)]


@pytest.fixture
def provider(settings):
    """Starts a provider's API and makes it the only way out: `provider("postmark", Rule(...))`."""
    started = []

    def start(name="postmark", *rules):
        api = Api(name, *rules).__enter__()
        started.append(api)
        settings.ESP, settings.LOCAL_MAILBOX = name, False
        settings.ANYMAIL = api.settings
        return api

    yield start
    for api in started:
        api.close()
    deadline = time.monotonic() + 10
    while any(thread.name.endswith(" session") for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)  # the threads close their connections before the test ends


@pytest.mark.parametrize("name", esp.PROVIDERS)
def test_every_provider_takes_a_mailing_and_gives_each_message_an_id(name, issue, readers, provider):
    api = provider(name)
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert mailing.state == "sent", mailing.pause_reason
    assert counts["sent"] == counts["recipients"] == 10
    assert api.recipients == sorted(reader.subscriber.email for reader in readers)
    identities = mailing.deliveries.values_list("provider_id", flat=True)
    assert len({identity for identity in identities if identity}) == 10


def test_there_is_a_way_to_every_provider_that_the_settings_know():
    assert set(esp.PROVIDERS) == set(preflight.PROVIDERS) == set(KEYS)
    for name, provider in esp.PROVIDERS.items():
        known = set(preflight.PROVIDERS[name].keys) | {esp.SECRET}
        assert set(provider.proofs) <= known, name


def test_two_hundred_go_over_few_kept_connections(issue, people, provider):
    for number in range(200):
        people(f"reader{number:03}@school.example")
    api = provider()
    mailing = delivery.schedule(issue)
    assert send(mailing)["sent"] == 200
    assert len(set(api.recipients)) == len(api.recipients) == 200
    assert api.connections <= 2 * sender.LANES
    assert len(set(mailing.deliveries.values_list("provider_id", flat=True))) == 200


def test_the_message_says_what_it_says_over_smtp(issue, maria, provider):
    api = provider()
    mailing = delivery.schedule(issue)
    send(mailing)
    row = mailing.deliveries.get()
    said = api.taken[0].recipient, api.taken[0].json
    assert said[0] == said[1]["To"] == row.address
    body = said[1]
    headers = {header["Name"]: header["Value"] for header in body["Headers"]}
    assert body["From"] == "Resource Center <news@resource-center.example>"
    assert body["ReplyTo"] == "hello@resource-center.example"
    assert body["Subject"] == mailing.subject
    assert headers["Message-ID"] == row.message_id
    assert headers["X-PM-KeepID"] == "true"
    assert headers["List-Unsubscribe"].startswith(f"<{links.unsubscribe_url(maria.public_id, mailing.pk, 'en')}>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert {"List-Id", "List-Archive", "Feedback-ID"} <= set(headers)
    assert not {"To", "From", "Date", "MIME-Version", "Content-Type"} & set(headers)
    assert all(value.isascii() and "\n" not in value for value in headers.values())
    assert links.read_return_token(body["Metadata"]["delivery"]) == ("d", row.pk)
    assert body["TrackOpens"] is False and body["TrackLinks"] == "None"
    for part in (body["HtmlBody"], body["TextBody"]):
        assert links.unsubscribe_url(maria.public_id, mailing.pk, "en") in part.replace("&amp;", "&")


def test_an_address_the_provider_refuses_fails_alone_and_bounces(issue, readers, provider):
    refusal = {
        "ErrorCode": 406,
        "Message": "Found inactive addresses: reader003@school.example. Inactive recipients are",
    }
    invalid = {"ErrorCode": 300, "Message": "Invalid 'To' address: 'reader004@school.example'."}
    provider("postmark", Rule(422, refusal, to="reader003"), Rule(422, invalid, to="reader004"))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert (counts["sent"], counts["failed"]) == (8, 2)
    assert mailing.state == "sent"
    assert set(mailing.deliveries.filter(state="failed").values_list("reason", flat=True)) == {"address"}
    assert Bounce.objects.filter(kind="hard").count() == 2


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("mailgun", 400, {"message": "to parameter is not a valid address. please check documentation"}),
        ("sendgrid", 400, {"message": "Does not contain a valid address.", "field": "personalizations.0.to.0.email"}),
        ("brevo", 400, {"code": "invalid_parameter", "message": "email is not valid in to"}),
        ("mailersend", 422, {"message": "The to.0.email must be a valid email address."}),
        ("resend", 422, {"message": "Invalid `to` field. The email address needs to follow the format."}),
        ("amazon_ses", 400, {"message": "Local address contains illegal whitespace", "__type": "BadRequestException"}),
    ],
)  # fmt: skip
def test_an_address_refused_in_the_words_of_a_provider_fails_alone(name, status, body, issue, readers, provider):
    provider(name, Rule(status, body, to="reader003"))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert (counts["sent"], counts["failed"], mailing.state) == (9, 1, "sent")
    assert Bounce.objects.get().kind == "soft"  # read from words alone, so nobody is removed at once


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("postmark", 401, {"ErrorCode": 10, "Message": "No Account or Server API tokens were supplied."}),
        ("postmark", 422, {"ErrorCode": 400, "Message": "The 'From' address you supplied is not a Sender Signature."}),
        ("mailgun", 404, {"message": "Domain not found: school.example"}),
        ("mandrill", 500, {"status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key"}),
        ("postal", 200, {"status": "error", "data": {"code": "InvalidServerAPIKey", "message": "The key is wrong."}}),
        ("brevo", 402, {"code": "not_enough_credits", "message": "No credits"}),
        ("sendgrid", 403, {"errors": [{"message": "The from address does not match a verified Sender Identity."}]}),
        ("amazon_ses", 400, {"message": "Email address is not verified.", "__type": "MessageRejected"}),
        ("amazon_ses", 403, {"message": "The security token is invalid.", "__type": "UnrecognizedClientException"}),
    ],
)  # fmt: skip
def test_a_refusal_because_of_us_pauses_and_removes_nobody(name, status, body, issue, readers, provider):
    provider(name, Rule(status, body))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert mailing.state == "paused"
    assert mailing.pause_reason
    assert counts["queued"] == 10
    assert not Bounce.objects.exists()


def test_a_key_that_is_missing_pauses(issue, maria, provider, settings):
    provider()
    settings.ANYMAIL = {}
    mailing = delivery.schedule(issue)
    send(mailing)
    assert mailing.state == "paused"
    assert "POSTMARK_SERVER_TOKEN" in mailing.pause_reason


def test_a_provider_in_trouble_is_tried_again_later(issue, readers, provider):
    api = provider("postmark", Rule(500, "Internal Server Error", to="reader00"))
    mailing = delivery.schedule(issue)
    assert send(mailing)["queued"] == 10
    assert set(mailing.deliveries.values_list("reason", "attempts")) == {("deferred", 1)}
    api.rules.clear()
    later(mailing)
    assert send(mailing)["sent"] == 10
    assert len(api.recipients) == len(set(api.recipients)) == 10


def test_who_is_asked_to_slow_down_slows_down_and_counts_no_attempt(issue, readers, provider):
    api = provider("postmark", Rule(429, {"ErrorCode": 429, "Message": "Rate limit exceeded"}, after=2))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert (counts["sent"], counts["queued"]) == (2, 8)
    assert set(mailing.deliveries.filter(state="queued").values_list("attempts", flat=True)) == {0}
    assert Throttle.objects.get().why
    api.rules.clear()
    Throttle.objects.all().delete()
    assert send(mailing)["sent"] == 10


def test_a_door_that_is_closed_for_a_while_says_so(settings):
    settings.ANYMAIL = KEYS["postmark"]
    account = esp.Account(esp.PROVIDERS["postmark"])
    account.rest(30)
    with pytest.raises(Refused, match="left alone for 30 seconds") as refused:
        account.connect()
    assert refused.value.reply.code == 421


def test_a_provider_that_is_away_burns_no_attempt(issue, readers, provider, settings):
    api = provider()
    api.close()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    sender.Sender(mailing.pk).run(seconds=1)
    assert delivery.counts(mailing)["queued"] == 10
    assert set(mailing.deliveries.values_list("attempts", flat=True)) == {0}
    assert api.taken == []


def test_an_answer_lost_after_the_request_is_in_doubt_and_comes_again_with_the_same_id(issue, readers, provider):
    api = provider("postmark", Rule(0, to="reader005", times=1, takes=True))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert (counts["sent"], counts["queued"]) == (9, 1)
    row = mailing.deliveries.get(state="queued")
    assert (row.reason, row.uncertain_attempts) == ("uncertain", 1)
    later(mailing)
    assert send(mailing)["sent"] == 10
    twice = [taken for taken in api.taken if taken.recipient == row.address]
    assert len(twice) == 2
    assert len({json_header(taken, "Message-ID") for taken in twice}) == 1
    assert len(api.taken) == 11


def json_header(taken, name):
    return next(header["Value"] for header in taken.json["Headers"] if header["Name"] == name)


@pytest.mark.parametrize("name", ["postmark", "amazon_ses"])
def test_a_stalled_answer_is_in_doubt_and_is_not_asked_for_twice(name, issue, maria, provider):
    api = provider(name, Rule(200, {}, takes=True, delay=3.0))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert counts["queued"] == 1
    assert mailing.deliveries.get().reason == "uncertain"
    assert len(api.asked) == 1  # no library tries again behind the ledger's back


def test_what_is_in_doubt_is_held_for_who_would_rather_send_too_little(issue, maria, provider, settings):
    settings.UNCERTAIN_DELIVERIES = "hold"
    api = provider("postmark", Rule(0, takes=True))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert counts["failed"] == 1
    assert mailing.deliveries.get().reason == "uncertain"
    assert len(api.taken) == 1


def test_a_page_instead_of_an_answer_is_in_doubt(issue, maria, provider):
    provider("postmark", Rule(200, "<html>A proxy's page</html>", takes=True))
    mailing = delivery.schedule(issue)
    assert send(mailing)["queued"] == 1
    assert mailing.deliveries.get().reason == "uncertain"


def test_nothing_leaves_before_the_ledger_says_so(provider):
    api = provider()
    session = esp.Account.of_settings().connect()
    session.offer(a_message())
    time.sleep(0.2)
    assert session.ready
    assert session.hear() == []
    session.drop()
    assert api.asked == []


def test_a_reader_who_leaves_in_mid_send_gets_nothing(issue, readers, provider):
    api = provider("postmark", Rule(500, "later", to="reader000"))
    mailing = delivery.schedule(issue)
    send(mailing)
    subscribers.unsubscribe(readers[0])
    api.rules.clear()
    later(mailing)
    counts = send(mailing)
    assert (counts["sent"], counts["skipped"]) == (9, 1)
    assert api.asked.count("reader000@school.example") == 1
    assert adds_up(counts)


def test_a_released_message_that_waited_too_long_is_not_sent(settings, provider, monkeypatch):
    api = provider()
    monkeypatch.setattr(esp.account, "TOO_LATE", -1.0)
    session = esp.Account.of_settings().connect()
    outcome = smtp.send_now(session, a_message())
    session.leave()
    assert outcome.taken is False
    assert api.asked == []


def a_message():
    data = (
        b"From: News <news@resource-center.example>\r\nTo: sam@school.example\r\nSubject: Hello\r\n"
        b'Message-ID: <1@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b--\r\n"
    )
    return smtp.Message(None, f"bounce+{links.return_token('d', 1)}@x.example", "sam@school.example", data)


def test_a_test_copy_goes_through_the_provider(issue, provider):
    api = provider()
    assert delivery.send_test(issue, ["editor@school.example"]) == 1
    assert api.recipients == ["editor@school.example"]
    assert api.taken[0].json["Subject"].startswith("[Test] ")


def test_a_confirmation_goes_through_the_provider(sam, provider):
    api = provider("mailersend")
    notice = Notice.objects.create(
        subscription=sam, kind="confirmation", message_id="<1@x.example>", due_at=timezone.now()
    )
    delivery.work_on_notices()
    notice.refresh_from_db()
    assert notice.state == "sent"
    assert notice.provider_id
    assert {"name": "Auto-Submitted", "value": "auto-generated"} in api.taken[0].json["headers"]
    assert [links.read_return_token(tag) for tag in api.taken[0].json["tags"]] == [("n", notice.pk)]


def test_a_killed_sender_loses_nobody_and_doubles_at_most_one_message_a_session(live_database, provider, settings):
    """200 through a process of its own, with the settings that an operator makes."""
    synthetic.subscribers(found().newsletter, 200)
    mailing = delivery.send(an_issue())
    api = provider("postmark")
    api.delay = 0.02
    killed = deliver(mailing, api, settings)
    while len(api.taken) < 60:
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    delivery.reap()
    doubtful = mailing.deliveries.filter(reason="uncertain").count()
    assert doubtful <= LANES
    mailing.deliveries.filter(state="queued").update(due_at=timezone.now())
    out, err = deliver(mailing, api, settings).communicate(timeout=120)
    assert json.loads(out)["failed"] == 0, err.decode()
    copies = Counter(api.recipients)
    assert len(copies) == 200
    assert sum(copies.values()) - 200 <= doubtful
    for address in (address for address, count in copies.items() if count > 1):
        assert len({json_header(taken, "Message-ID") for taken in api.taken if taken.recipient == address}) == 1
    assert delivery.counts(mailing)["sent"] == 200
    assert "" not in mailing.deliveries.values_list("provider_id", flat=True)


def deliver(mailing, api, settings):
    facts = connection.settings_dict
    database = (
        f"sqlite:///{facts['NAME']}"
        if connection.vendor == "sqlite"
        else f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "resource_center.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "DATA_DIR": str(settings.DATA_DIR),
        "DATABASE_URL": database,
        "ESP": "postmark",
        "POSTMARK_SERVER_TOKEN": "key",
        "POSTMARK_API_URL": api.url,
    }
    command = [sys.executable, "manage.py", "deliver", str(mailing.pk), "--lanes", str(LANES), "--json"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
