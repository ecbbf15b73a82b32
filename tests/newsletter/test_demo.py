"""The demo's newsletter: people of every state, one issue sent without a mail, one draft that nobody has touched."""

import datetime
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from content.models import ArticlePage, EventPage, EventsPage, ResourceCenterPage
from newsletter import delivery
from newsletter.demo import load
from newsletter.models import ConsentEvent, Delivery, IssuePage, Mailing, Subscriber, Subscription, Suppression
from newsletter.site import found

NOW = datetime.datetime(2026, 11, 23, 15, tzinfo=datetime.UTC)
SENT_AT = timezone.make_aware(datetime.datetime(2026, 10, 3, 10))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def library(db):
    """A small library: an article of September and an event to come."""
    found()
    resources = ResourceCenterPage.objects.get(locale__language_code="en")
    article = ArticlePage(title="Equity in education", published_on=datetime.date(2026, 9, 14))
    resources.add_child(instance=article)
    events = EventsPage.objects.get(locale__language_code="en")
    events.add_child(instance=EventPage(title="Gathering", starts_at=timezone.now() + timedelta(days=20)))


@pytest.fixture
def loaded(library):
    return load.load()


def test_forty_subscribers_of_every_state(loaded):
    assert loaded["subscribers"] == Subscriber.objects.count() == 40
    assert set(Subscription.objects.values_list("status", flat=True)) == set(Subscription.Status)
    assert set(Suppression.objects.values_list("reason", flat=True)) >= {"bounce", "complaint", "erased", "imported"}


def test_no_address_can_belong_to_anybody(loaded):
    reserved = (".example.org", ".example.com", ".example.net", ".test")
    domains = ["." + email.partition("@")[2] for email in Subscriber.objects.values_list("email", flat=True)]
    assert [domain for domain in domains if not domain.endswith(reserved)] == []


def test_the_issue_of_the_month_before_last_is_sent(loaded):
    mailing = Mailing.objects.get()
    assert mailing.issue.slug == "2026-09"
    assert mailing.state == Mailing.State.SENT
    assert mailing.started_at == SENT_AT < mailing.finished_at
    counts = delivery.counts(mailing)
    assert counts["recipients"] == counts["sent"] + counts["failed"] == loaded["deliveries"]
    assert counts["failed"] == 2


def test_last_month_has_no_issue_and_this_month_an_untouched_draft(loaded):
    assert not IssuePage.objects.filter(slug="2026-10").exists()
    draft = IssuePage.objects.get(slug="2026-11", locale__language_code="en")
    assert not draft.live
    assert draft.composed_revision == draft.latest_revision_id


def test_loading_sends_no_mail(loaded, mailoutbox, settings):
    assert mailoutbox == []
    assert not settings.MAILBOX_DIR.exists() or not any(settings.MAILBOX_DIR.rglob("*.eml"))
    assert not Delivery.objects.filter(state__in=["queued", "in_flight"]).exists()


def test_nobody_got_the_issue_before_they_had_joined(loaded):
    late = Delivery.objects.filter(subscriber__created_at__gt=SENT_AT)
    assert late.count() == 0


def test_consent_was_given_before_it_was_taken_back(loaded):
    for subscription in Subscription.objects.exclude(ended_at=None):
        assert subscription.created_at < subscription.ended_at < timezone.now()
    assert not ConsentEvent.objects.filter(at__gt=timezone.now() - timedelta(minutes=5)).exists()


def test_without_a_postal_address_nothing_is_loaded(library, settings):
    settings.MAIL_POSTAL_ADDRESS = ""
    with pytest.raises(delivery.Refused):
        load.load()
    assert not Subscriber.objects.exists()


def test_a_site_in_use_is_refused_in_plain_words(library):
    with pytest.raises(CommandError, match="is in use already, so nothing was loaded"):
        call_command("load_demo")
    assert not IssuePage.objects.exists()
