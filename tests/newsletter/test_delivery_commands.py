"""What an operator types: send_issue, mailing_status, pause, resume, cancel, deliver, make_load."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from content.models import ArticlePage
from newsletter.delivery import throttles
from newsletter.management.commands.send_issue import find
from newsletter.models import Delivery, IssuePage, Mailing, Subscription
from tests.newsletter.issues import an_issue
from tests.sink import Rule, Sink


@pytest.fixture
def issue(newsletter, people):
    for name in ("ana", "ben", "cleo"):
        people(f"{name}@school.example")
    return an_issue()


@pytest.fixture
def relay(settings):
    with Sink() as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        yield sink


def run(*arguments):
    out = StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


def run_json(*arguments):
    return json.loads(run(*arguments, "--json"))


def test_sending_an_issue_freezes_before_it_returns(issue):
    facts = run_json("send_issue", issue.pk)
    mailing = Mailing.objects.get()
    assert facts == {"mailing": mailing.pk, "recipients": 3}
    assert mailing.state == "sending"
    assert IssuePage.objects.get(pk=issue.pk).live
    assert run_json("mailing_status", mailing.pk) == {
        "state": "sending",
        "recipients": 3,
        "queued": 3,
        "in_flight": 0,
        "sent": 0,
        "failed": 0,
        "skipped": 0,
        "bounced": 0,
    }


def test_an_issue_is_found_by_its_slug(issue):
    assert run_json("send_issue", "2026-10")["recipients"] == 3


def test_a_slug_of_digits_is_found_before_a_number(issue):
    other = issue.copy(update_attrs={"slug": str(issue.pk)})
    assert find(str(issue.pk)).pk == other.pk
    assert find(str(other.pk)).pk == other.pk


def test_delivering_sends_it(issue, relay):
    mailing = run_json("send_issue", issue.pk)["mailing"]
    facts = run_json("deliver", mailing, "--lanes", 2)
    assert (facts["sent"], facts["failed"]) == (3, 0)
    assert facts["seconds"] >= 0
    assert facts["per_second"] > 0
    assert relay.recipients == ["ana@school.example", "ben@school.example", "cleo@school.example"]
    assert run_json("mailing_status", mailing)["state"] == "sent"
    assert run_json("deliver", mailing)["sent"] == 0


def test_an_issue_that_was_sent_is_refused_naming_its_mailing(issue, relay):
    mailing = run_json("send_issue", issue.pk)["mailing"]
    with pytest.raises(CommandError, match=f"has mailing {mailing} already"):
        run("send_issue", issue.pk)


def test_an_issue_that_fails_its_checks_is_refused_saying_which(issue, settings):
    issue.subject = ""
    issue.save_revision()
    settings.MAIL_POSTAL_ADDRESS = ""
    with pytest.raises(CommandError) as refused:
        run("send_issue", issue.pk)
    assert "The subject is empty" in str(refused.value)
    assert "The postal address is missing" in str(refused.value)
    assert not Mailing.objects.exists()
    assert not IssuePage.objects.get(pk=issue.pk).live


def test_an_unknown_issue_or_mailing_is_said(newsletter):
    for name in ("2031-01", "9" * 20, "9" * 5000):
        with pytest.raises(CommandError, match=f"There is no issue “{name}”"):
            run("send_issue", name)
    for command in ("mailing_status", "pause_mailing", "resume_mailing", "cancel_mailing", "deliver"):
        with pytest.raises(CommandError, match="There is no mailing 77"):
            run(command, "77")


@pytest.mark.parametrize(
    "arguments",
    [
        ("send_issue", "2026-10", "--at", "tomorrow"),
        ("deliver", "1", "--lanes", "0"),
        ("deliver", "one"),
        ("make_load", "--subscribers", "-5"),
    ],
)
def test_wrong_usage_is_told_apart(newsletter, arguments):
    with pytest.raises(CommandError) as wrong:
        run(*arguments)
    assert "argument" in str(wrong.value)


def test_an_issue_can_wait_for_its_hour(issue, relay):
    at = timezone.localtime(timezone.now() + timedelta(days=1)).replace(microsecond=0)
    facts = run_json("send_issue", issue.pk, "--at", at.strftime("%Y-%m-%dT%H:%M:%S"))
    mailing = Mailing.objects.get(pk=facts["mailing"])
    assert (mailing.state, mailing.scheduled_for, facts["recipients"]) == ("scheduled", at, 3)
    assert not IssuePage.objects.get(pk=issue.pk).live
    with pytest.raises(CommandError, match=f"Mailing {mailing.pk} is scheduled for"):
        run("deliver", mailing.pk)
    assert relay.taken == []


def test_a_moment_that_is_over_sends_nothing(issue):
    with pytest.raises(CommandError, match=r"2020-01-01 08:00 EST is over\..*leave out --at to send now"):
        run("send_issue", issue.pk, "--at", "2020-01-01T08:00")
    assert not Mailing.objects.exists()


def test_a_test_copy_makes_no_mailing(issue, relay):
    facts = run_json("send_issue", issue.pk, "--test-to", "editor@school.example", "second@school.example")
    assert facts == {"mailing": None, "recipients": 2}
    assert relay.recipients == ["editor@school.example", "second@school.example"]
    assert not Mailing.objects.exists()
    with pytest.raises(CommandError):
        run("send_issue", issue.pk, "--test-to", "nobody at all")


def test_pausing_resuming_and_cancelling(issue, relay):
    mailing = run_json("send_issue", issue.pk)["mailing"]
    run("pause_mailing", mailing)
    assert run_json("mailing_status", mailing)["state"] == "paused"
    with pytest.raises(CommandError, match="is paused"):
        run("deliver", mailing)
    with pytest.raises(CommandError, match="can not be paused: it is paused"):
        run("pause_mailing", mailing)
    run("resume_mailing", mailing)
    assert run_json("mailing_status", mailing)["state"] == "sending"
    run("cancel_mailing", mailing)
    status = run_json("mailing_status", mailing)
    assert (status["state"], status["skipped"], status["recipients"]) == ("cancelled", 3, 3)
    with pytest.raises(CommandError, match="can not be cancelled: it is cancelled"):
        run("cancel_mailing", mailing)
    with pytest.raises(CommandError, match="is not paused"):
        run("resume_mailing", mailing)
    assert relay.taken == []


def test_the_status_says_what_holds_a_mailing_up(issue, relay):
    mailing = run_json("send_issue", issue.pk)["mailing"]
    assert "why:" not in run("mailing_status", mailing)
    throttles.rest(throttles.for_way(f"127.0.0.1:{relay.port}"), 60, "The connection broke.")
    assert f"why: The mail server 127.0.0.1:{relay.port} rests until" in run("mailing_status", mailing)
    assert "why" not in run_json("mailing_status", mailing)


def test_what_waits_is_left_and_said_without_waiting(issue, relay):
    relay.rules.append(Rule("rcpt", "451 4.7.1 Greylisted", to="ben"))
    mailing = run_json("send_issue", issue.pk)["mailing"]
    with pytest.raises(CommandError, match="1 wait for their next try, 0 are on their way"):
        run("deliver", mailing, "--no-wait")
    assert run_json("mailing_status", mailing)["queued"] == 1


def test_delivering_waits_for_what_falls_due_later(issue, relay, monkeypatch):
    monkeypatch.setattr("newsletter.delivery.replies.FIRST_WAIT", 2.0)
    relay.rules.append(Rule("rcpt", "451 4.7.1 Greylisted", to="ben", times=1))
    mailing = run_json("send_issue", issue.pk)["mailing"]
    assert run_json("deliver", mailing)["sent"] == 3
    assert Delivery.objects.get(address="ben@school.example").attempts == 2


def test_a_mailing_that_pauses_itself_ends_the_command_with_the_reason(issue, relay):
    relay.rules.append(Rule("dot", "554 5.7.1 Rejected as spam"))
    mailing = run_json("send_issue", issue.pk)["mailing"]
    with pytest.raises(CommandError, match=r"is paused\. The mail server takes this mailing for spam.*Rejected"):
        run("deliver", mailing)


def test_a_cancelled_issue_may_be_sent_anew(issue, relay):
    first = run_json("send_issue", issue.pk)["mailing"]
    run("cancel_mailing", first)
    second = run_json("send_issue", issue.pk)["mailing"]
    assert second != first
    assert run_json("deliver", second)["sent"] == 3


def test_load_is_made_in_bulk(newsletter):
    run("make_load", "--resources", 30, "--subscribers", 70)
    assert ArticlePage.objects.live().count() == 30
    assert ArticlePage.find_problems() == ([], [], [], [], [])
    assert Subscription.objects.filter(status="confirmed", source="make_load").count() == 70
    run("make_load", "--subscribers", 5)
    assert Subscription.objects.count() == 75


def test_made_resources_are_read_and_found(client, newsletter):
    run("make_load", "--resources", 3)
    article = ArticlePage.objects.first()
    assert client.get(article.url).status_code == 200
    assert article.title in client.get("/resources/").content.decode()
