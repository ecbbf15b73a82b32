"""One reminder, a day before the link to confirm ends, and never to somebody whose address is played with."""

from __future__ import annotations

import datetime

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.utils import timezone

from newsletter import delivery, links, messages, notices, subscribers
from newsletter.models import Notice, Suppression

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def asked(sam):
    """Sam was asked to confirm, and the mail left."""
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    leave()
    return sam


def leave():
    """Every queued notice leaves."""
    Notice.objects.filter(state="queued").update(state="sent", sent_at=timezone.now(), due_at=None)


def after(hours):
    """Minute's rounds at this time after now; the kinds of notices that they leave queued."""
    with time_machine.travel(timezone.now() + hours * HOUR, tick=False):
        delivery.tick()
        delivery.tick()
    return list(Notice.objects.filter(state="queued").values_list("kind", flat=True))


def test_whoever_has_not_confirmed_is_reminded_once_a_day_before_the_link_ends(asked):
    assert after(47) == []
    assert after(48.1) == ["reminder"]
    leave()
    assert after(49) == after(71) == after(200) == []


def test_a_reminder_brings_a_fresh_link_and_says_that_it_is_the_only_one(asked, client):
    with time_machine.travel(timezone.now() + 50 * HOUR, tick=False):
        subscribers.remind_unconfirmed()
        reminder = Notice.objects.get(kind="reminder")
        mail = messages.notice_message(reminder).decode()
        assert "We remind you once, and then no more." in mail.replace("=\r\n", "").replace("\r\n", " ")
    with time_machine.travel(timezone.now() + 100 * HOUR, tick=False):
        path = links.confirm_url(asked.public_id, reminder.created_at, "en").removeprefix("http://testserver")
        assert BeautifulSoup(client.get(path).content, "html.parser").find("button", string="Confirm my address")
        client.post(path)
    asked.refresh_from_db()
    assert asked.status == "confirmed"


def test_an_address_that_was_asked_again_is_not_reminded(asked, people):
    with time_machine.travel(timezone.now() + 2 * HOUR, tick=False):
        notices.queue(asked, Notice.Kind.CONFIRMATION)
    leave()
    assert after(48.5) == after(51) == after(71) == []


@pytest.mark.parametrize("what", ["confirmed", "unsubscribed", "suppressed", "never sent", "long ago"])
def test_nobody_else_is_reminded(asked, what):
    match what:
        case "confirmed":
            subscribers.confirm(asked)
            leave()
        case "unsubscribed":
            subscribers.unsubscribe(asked)
        case "suppressed":
            Suppression.objects.create(address_key=asked.subscriber.address_key, reason="bounce")
        case "never sent":
            Notice.objects.update(state="failed", sent_at=None)
    assert after(80 if what == "long ago" else 50) == []
