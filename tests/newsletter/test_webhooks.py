"""What a provider reports: believed only with its proof, recorded once, and never a reason to fall over."""

from __future__ import annotations

import contextlib
import inspect
import json
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from newsletter import delivery, esp, links
from newsletter.models import Bounce, Delivery, Notice, Subscription, Suppression
from newsletter.views import webhooks as views
from newsletter.webhooks import hooks
from resource_center import checks
from tests.newsletter.issues import an_issue
from tests.newsletter.webhook_requests import (
    BY_PASSWORD_ALONE,
    KEYS,
    PAYLOADS,
    WITH_A_SIGNED_TIME,
    certificate,
    payload,
    signed,
)
from tests.provider import Api, Rule

pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
EVENTS = [(file.parent.name, file.stem) for file in sorted(PAYLOADS.glob("*/*.json")) if file.stem != "confirmation"]


def every_provider(test):
    """One test over all providers, also those to come: a site takes longer to found than a request to be refused."""

    def all_of_them(**fixtures):
        for name in esp.PROVIDERS:
            with transaction.atomic():
                try:
                    test(name=name, **fixtures)
                except BaseException as error:
                    error.add_note(f"with {name}")
                    raise
                transaction.set_rollback(True)

    signature = inspect.signature(test)
    wanted = [parameter for parameter in signature.parameters.values() if parameter.name != "name"]
    all_of_them.__signature__ = signature.replace(parameters=wanted)
    all_of_them.__name__, all_of_them.__doc__ = test.__name__, test.__doc__
    return all_of_them


@pytest.fixture
def sent(newsletter, maria):
    """A delivery to Maria that a provider took and calls `their-id`."""
    mailing = delivery.schedule(an_issue())
    delivery.start(mailing)
    mailing.deliveries.update(state="sent", sent_at=timezone.now(), attempts=1, provider_id="their-id")
    return mailing.deliveries.get()


@pytest.fixture
def listen(settings, monkeypatch):
    """Makes a provider the one of ESP, with its keys: `listen("postmark")`."""
    hooks._fetched.cache_clear()

    fetched = []

    @contextlib.contextmanager
    def fetch(url, **_options):
        fetched.append(url)
        raw = SimpleNamespace(read=lambda size, decode_content: certificate())
        yield SimpleNamespace(raw=raw, raise_for_status=lambda: None)

    monkeypatch.setattr(hooks.requests, "get", fetch)

    def start(name):
        settings.ESP, settings.LOCAL_MAILBOX, settings.ANYMAIL = name, False, dict(KEYS[name])
        return fetched

    return start


def about(sent, name, event="hard", at=None):
    """A request of a provider about that delivery."""
    return signed(name, payload(name, event, links.return_token("d", sent.pk), "their-id"), at)


@every_provider
def test_an_event_means_what_it_means(name, sent, maria, listen, client):
    listen(name)
    for event in (event for provider, event in EVENTS if provider == name):
        with transaction.atomic():
            assert about(sent, name, event).to(client).status_code == 200
            has_consequences(event, sent, maria)
            transaction.set_rollback(True)


def has_consequences(event, sent, maria):
    sent.refresh_from_db()
    maria.refresh_from_db()
    recorded = [bounce.kind for bounce in Bounce.objects.filter(delivery=sent)]
    if event in ("ignored", "unsubscribed"):
        assert recorded == [], event
    else:
        assert recorded == [event]
    bounced = event in ("hard", "soft", "blocked", "complaint")
    assert sent.state == ("bounced" if bounced else "sent"), event
    ends = {"hard": "bounced", "complaint": "complained", "unsubscribed": "unsubscribed"}
    assert maria.status == ends.get(event, "confirmed"), event
    assert Suppression.objects.exists() == (event in ("hard", "complaint"))


@every_provider
def test_an_event_finds_its_message_by_what_the_provider_calls_it(name, sent, listen, client):
    listen(name)
    their_name = "<their-id>" if name == "mailgun" else "their-id"  # an id of Mailgun's is a Message-ID
    Delivery.objects.update(provider_id=their_name)
    assert signed(name, payload(name, "hard", "none", "their-id")).to(client).status_code == 200
    assert Bounce.objects.get().delivery == sent


@every_provider
def test_a_notice_may_bounce_too(name, sam, listen, client):
    listen(name)
    notice = Notice.objects.create(
        subscription=sam, kind="confirmation", message_id="<1@x>", state="sent", sent_at=timezone.now()
    )
    request = signed(name, payload(name, "hard", links.return_token("n", notice.pk), "their-id"))
    assert request.to(client).status_code == 200
    notice.refresh_from_db()
    assert notice.state == "bounced"


@every_provider
def test_a_replay_does_nothing(name, sent, listen, client):
    listen(name)
    request = about(sent, name)
    for _time in range(3):
        assert request.to(client).status_code == 200
    assert Bounce.objects.count() == 1


@every_provider
def test_nothing_is_believed_without_proof(name, sent, listen, client):
    listen(name)
    assert about(sent, name).without_proof().to(client).status_code in (401, 403)
    assert unchanged(sent)


@every_provider
def test_nothing_is_believed_that_was_tampered_with(name, sent, listen, client):
    listen(name)
    assert about(sent, name).tampered().to(client).status_code == 403
    assert unchanged(sent)


@pytest.mark.parametrize("name", sorted(WITH_A_SIGNED_TIME))
def test_a_proof_of_another_day_is_none(name, sent, listen, client):
    listen(name)
    for hours in (-48, 48):
        assert about(sent, name, at=time.time() + hours * 3600).to(client).status_code == 403
    assert unchanged(sent)
    assert about(sent, name, at=time.time() - 6 * 3600).to(client).status_code == 200  # they try for hours


@every_provider
def test_no_other_provider_has_an_address(name, sent, listen, client):
    listen(name)
    for other in {"brevo", "mailgun"} - {name}:
        assert about(sent, name).to(client, other).status_code == 404
    assert unchanged(sent)


@every_provider
def test_without_a_key_there_is_no_address_and_a_check_says_what_to_set(name, sent, listen, client, settings):
    listen(name)
    request = about(sent, name)
    assert checks.provider_events() == []
    settings.ANYMAIL = {}
    assert request.to(client).status_code == 404
    assert unchanged(sent)
    (warning,) = checks.provider_events()
    assert warning.id == "resource_center.W003"
    assert all(key in warning.hint for key in esp.PROVIDERS[name].proofs)
    assert f"/newsletter/webhooks/{name}/" in warning.hint


def test_without_a_provider_there_is_no_address(client, sent):
    assert about(sent, "postmark").to(client).status_code == 404
    assert checks.provider_events() == []


@every_provider
def test_what_is_too_large_is_not_read(name, sent, listen, client):
    listen(name)
    request = about(sent, name)
    large = replace(request, body=request.body + b" " * views.LARGEST)
    assert large.to(client).status_code == 413
    assert unchanged(sent)


@every_provider
def test_only_post_does_anything(name, sent, listen, client):
    listen(name)
    request = about(sent, name)
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = client.generic(method, f"/newsletter/webhooks/{name}/", request.body, headers=request.headers)
        assert answer.status_code == (200 if method == esp.PROVIDERS[name].probe else 405), method
    assert unchanged(sent)


GARBAGE = [
    "",
    "null",
    "[]",
    "{}",
    "[1]",
    '"x"',
    "0",
    "[[]]",
    '{"event": 1}',
    '{"auth": 1}',
    "[" * 20000,
    "\x00",
    "é" * 50,
]
PASSWORDS = ["Basic", "Basic !!!", "Bearer x", "Basic " + "A" * 9000, "Basic w6k="]


@every_provider
def test_garbage_is_refused_signed_or_not(name, sent, listen, client):
    listen(name)
    for text in GARBAGE:
        request = signed(name, text)
        assert request.to(client).status_code in (200, 403), text[:20]
        assert replace(request, headers={}).to(client).status_code in (401, 403), text[:20]
    assert unchanged(sent)


@every_provider
def test_a_strange_password_is_refused(name, sent, listen, client, settings):
    listen(name)
    settings.ANYMAIL["WEBHOOK_SECRET"] = ["provider:secret"]
    request = about(sent, name)
    for header in PASSWORDS:
        odd = replace(request, headers={**request.headers, "Authorization": header})
        assert odd.to(client).status_code == 403, header[:20]
    assert unchanged(sent)


@every_provider
def test_a_body_in_another_form_is_refused(name, sent, listen, client):
    listen(name)
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "application/x-www-form-urlencoded", "a/b"):
        request = replace(about(sent, name), body=b"--x\r\nbroken", content_type=kind, headers={})
        assert request.to(client).status_code in (401, 403), kind
    assert unchanged(sent)


@every_provider
def test_an_event_about_no_message_of_ours_is_passed_over(name, sent, listen, client):
    listen(name)
    strangers = [
        ("d-1-aaaaaaaaaaaaaaaa", "x"),
        (links.return_token("d", 10**9), "x"),
        ("", ""),
        ("é", "x" * 900),
        ("none", "\\u0000\\ud800"),
    ]
    for token, identity in strangers:
        assert signed(name, payload(name, "hard", token, identity)).to(client).status_code == 200
    assert unchanged(sent)


def test_what_no_database_can_keep_is_kept_without_it(sent, listen, client):
    listen("brevo")
    text = payload("brevo", "hard", links.return_token("d", sent.pk)).replace(
        "user unknown", "\\u0000 \\ud800 \\u202e gone"
    )
    assert signed("brevo", text).to(client).status_code == 200
    assert Bounce.objects.get().detail.split() == ["550", "5.1.1", "gone"]


@every_provider
def test_nothing_is_redirected_from_plain_http(name, sent, listen, client, settings):
    listen(name)
    settings.SECURE_SSL_REDIRECT = True
    settings.APPEND_SLASH = True
    for slash in ("/", ""):
        assert about(sent, name).to(client, slash=slash).status_code == 200


def test_who_forgets_the_password_is_asked_for_it(sent, listen, client):
    """Amazon sends its password only when it is asked."""
    listen("amazon_ses")
    answer = about(sent, "amazon_ses").without_proof().to(client)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


ELSEWHERE = [
    "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789.pem",
    "https://evil.example/SimpleNotificationService-0123456789.pem",
    "https://evil.example/sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789.pem",
    "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789.pem",
    "https://sns.us-east-1.amazonaws.com:444/SimpleNotificationService-0123456789.pem",
    "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789.pem",
    "https://s3.us-east-1.amazonaws.com/SimpleNotificationService-0123456789.pem",
    "https://sns.us-east-1.amazonaws.com/evil.pem",
    "https://sns.us-east-1.amazonaws.com/../SimpleNotificationService-0123456789.pem",
    "https://[::1",
    "file:///etc/passwd",
    "https://127.0.0.1/SimpleNotificationService-0123456789.pem",
    "",
    None,
    7,
]


def test_a_certificate_comes_from_amazon_or_is_not_fetched(sent, listen, client):
    fetched = listen("amazon_ses")
    text = json.loads(payload("amazon_ses", "hard", links.return_token("d", sent.pk)))
    for url in ELSEWHERE:
        request = signed("amazon_ses", json.dumps({**text, "SigningCertURL": url}))
        assert request.to(client).status_code == 403, url
    assert fetched == []
    assert unchanged(sent)


def test_a_stranger_can_not_make_us_fetch_a_certificate(sent, listen, client):
    fetched = listen("amazon_ses")
    request = about(sent, "amazon_ses")
    wrong = replace(request, headers={**request.headers, "Authorization": "Basic eDp5"})
    assert wrong.to(client).status_code == 403
    assert fetched == []
    assert request.to(client).status_code == 200
    assert request.to(client).status_code == 200
    assert len(fetched) == 1  # and once is enough


def test_a_subscription_is_confirmed_with_amazon_itself_and_never_at_the_address_it_names(listen, client, settings, db):
    listen("amazon_ses")
    confirmed = "<ConfirmSubscriptionResponse><ConfirmSubscriptionResult/></ConfirmSubscriptionResponse>"
    with Api("amazon_ses", Rule(200, confirmed, takes=True)) as amazon, Api("amazon_ses") as trap:
        settings.ANYMAIL["AMAZON_SES_CLIENT_PARAMS"] = amazon.settings["AMAZON_SES_CLIENT_PARAMS"]
        request = signed("amazon_ses", payload("amazon_ses", "confirmation", url=trap.url))
        assert request.to(client).status_code == 200
        assert [taken.body.split("&")[0] for taken in amazon.taken] == ["Action=ConfirmSubscription"]
        assert trap.asked == []
        assert trap.connections == 0


def test_several_events_in_one_request_are_all_taken_in(newsletter, people, listen, client):
    listen("sendgrid")
    rows = deliveries_to(people, 3)
    events = [json.loads(payload("sendgrid", "hard", links.return_token("d", row.pk)))[0] for row in rows]
    unique = [{**event, "sg_event_id": f"event-{number}"} for number, event in enumerate(events)]
    assert signed("sendgrid", json.dumps(unique)).to(client).status_code == 200
    assert Bounce.objects.filter(kind="hard").count() == 3
    assert set(Subscription.objects.values_list("status", flat=True)) == {"bounced"}


def deliveries_to(people, number):
    for place in range(number):
        people(f"reader{place}@school.example")
    mailing = delivery.schedule(an_issue())
    delivery.start(mailing)
    mailing.deliveries.update(state="sent", sent_at=timezone.now())
    return list(mailing.deliveries.all())


def test_what_was_in_doubt_is_settled_by_a_delivery_report(sent, listen, client):
    listen("postmark")
    Delivery.objects.update(
        state="queued", reason="uncertain", uncertain_attempts=1, sent_at=None, due_at=timezone.now()
    )
    assert about(sent, "postmark", "delivered").to(client).status_code == 200
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_every_provider_has_requests_here():
    for name, provider in esp.PROVIDERS.items():
        assert {"hard", "ignored"} <= {event for owner, event in EVENTS if owner == name}, name
        assert set(provider.proofs) & set(KEYS[name]), name
        assert (name in BY_PASSWORD_ALONE) == (provider.proofs == (esp.SECRET,) and name != "amazon_ses"), name


def unchanged(sent):
    sent.refresh_from_db()
    return sent.state == "sent" and not Bounce.objects.exists() and not Suppression.objects.exists()


def test_check_deploy_names_what_is_missing(listen, settings, capsys):
    listen("brevo")
    settings.ANYMAIL = {}
    call_command("check")
    assert "resource_center.W003" in capsys.readouterr().err
