"""The story of a mailing: every step once, by whom, and why it paused, in words for people who run no mail server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import translation
from wagtail.models import ModelLogEntry

from newsletter import delivery
from newsletter.admin import timeline
from newsletter.delivery import causes
from newsletter.delivery.mailings import pause_because
from newsletter.models import Mailing, Suppression
from newsletter.smtp import Refused, Reply
from tests.newsletter.issues import an_issue
from tests.sink import Rule, Sink


@pytest.fixture
def mailing(maria, admin_user):
    return delivery.schedule(an_issue(), user=admin_user)


def told(mailing):
    return [(step["what"], step["who"]) for step in timeline.story(mailing)]


def test_a_mailing_tells_its_whole_story(mailing, people, admin_user, settings):
    Suppression.objects.create(address_key=people("no@school.example").subscriber.address_key, reason="manual")
    with Sink(Rule("dot", "451 4.3.0 Come back later", times=1)) as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        delivery.start(mailing)
        delivery.pause(mailing, user=admin_user)
        delivery.resume(mailing, admin_user)
        mailing.deliveries.update(state="failed", reason="uncertain")
        delivery.finish(mailing.pk)
        delivery.retry_failed(mailing, admin_user)
        delivery.send_until_idle(mailing, wait=False)
        mailing.deliveries.filter(state="queued").update(due_at="2020-01-01T00:00Z")
        delivery.send_until_idle(mailing, wait=False)
        delivery.finish(mailing.pk)
    assert told(mailing) == [
        ("Approved, to go out at once", "admin"),
        ("Began to write down words and recipients", ""),
        ("Fixed words and recipients: 1 person gets it; 1 was left out, because the address is suppressed", ""),
        ("Paused the mailing", "admin"),
        ("Resumed the mailing", "admin"),
        ("Done: Failed 1", ""),
        ("Sent again to 1 person it had failed to reach", "admin"),
        ("Done: Sent 1", ""),
    ]


def test_a_mailing_that_pauses_itself_says_so_and_why(mailing, settings):
    with Sink(Rule("dot", "550 5.7.1 Message looks like spam")) as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        delivery.send_until_idle(mailing, wait=False)
    what, who = told(mailing)[-1]
    assert (what.startswith("Paused itself: The mail server takes this mailing for spam."), who) == (True, "")


@pytest.mark.usefixtures("live_database")
@pytest.mark.parametrize("step", ["pause", "start", "finish"])
def test_a_step_is_told_once_though_many_take_it_at_once(maria, step):
    mailing = delivery.schedule(an_issue())
    if step == "finish":
        delivery.start(mailing)
        mailing.deliveries.update(state="failed")
    verbs = {
        "pause": lambda: pause_because(mailing.pk, "The server said no."),
        "start": lambda: delivery.start(Mailing.objects.get()),
        "finish": lambda: delivery.finish(mailing.pk),
    }

    def act(_hand):
        try:
            verbs[step]()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as hands:
        list(hands.map(act, range(4)))
    for action in [step, "freeze"] if step == "start" else [step]:
        assert ModelLogEntry.objects.filter(action=f"newsletter.{action}").count() == 1, action


def test_the_story_is_told_in_the_readers_language(mailing):
    delivery.cancel(mailing)
    with translation.override("es"):
        assert told(mailing)[-1] == ("Canceló el envío", "")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("535 5.7.8 Authentication credentials invalid", "user name and password"),
        ("530 5.7.0 Must issue a STARTTLS command first", "safe connection"),
        ("550 5.7.26 Unauthenticated email from school.example is not accepted due to its DMARC policy", "SPF, DKIM"),
        ("553 5.7.1 Sender address rejected: not owned by user", "does not let us send as"),
        ("552 5.3.4 Message too big", "too big"),
        ("550 5.7.0 Daily sending limit exceeded", "as much as it may"),
        ("554 5.7.1 Service unavailable; client host listed at bl.example", "blocklist"),
        ("554 5.7.1 This message was classified as SPAM", "takes this mailing for spam"),
        ("554 5.7.1 Relay access denied", "does not pass on mail"),
        ("554 5.7.1 No", "refused this mailing, not an address"),
    ],
)
def test_every_cause_is_named_and_says_what_to_do(reply, words):
    said = causes.refused(reply)
    assert words in said and "resume" in said and "Nobody was removed" in said and reply in said


def test_a_server_that_does_not_let_us_in_is_explained_too():
    refusal = Refused("The mail server mail.example refused the connection", Reply(535, "5.7.8 Bad credentials"))
    assert "did not accept our user name and password" in causes.turned_away(refusal)
