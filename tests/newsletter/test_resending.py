"""A person's resend: who gets a second copy and who does not, what stays on record, and that nobody counts twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter import delivery, subscribers
from newsletter.delivery import resending
from newsletter.models import Delivery, Suppression
from tests.newsletter.issues import an_issue
from tests.sink import Sink


@pytest.fixture
def relay(settings):
    """A mail server that takes everything."""
    with Sink() as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        yield sink


@pytest.fixture
def mailing(people):
    """Six people's mailing, frozen, not yet sent."""
    for number in range(6):
        people(f"reader{number}@school.example")
    mailing = delivery.schedule(an_issue())
    delivery.start(mailing)
    return mailing


def ended(mailing, state="failed", reason="uncertain", **which):
    """All of its deliveries, or some, have ended like this."""
    rows = mailing.deliveries.filter(**which)
    rows.update(state=state, reason=reason, sent_at=timezone.now() if state in ("sent", "bounced") else None)
    delivery.finish(mailing.pk)
    mailing.refresh_from_db()
    return mailing.deliveries.order_by("pk").first()


def adds_up(mailing):
    counts = delivery.counts(mailing)
    return counts["recipients"] == 6 == sum(number for state, number in counts.items() if state != "recipients")


def steps(mailing):
    entries = ModelLogEntry.objects.filter(object_id=str(mailing.pk), content_type__model="mailing")
    return [action.removeprefix("newsletter.") for action in entries.order_by("pk").values_list("action", flat=True)]


@pytest.mark.parametrize(
    ("state", "reason"), [("failed", "blocked"), ("bounced", ""), ("sent", ""), ("skipped", "unsubscribed")]
)
def test_a_resend_is_a_new_message_in_place_of_the_old_one(mailing, relay, admin_user, state, reason):
    old = ended(mailing, state, reason)
    assert mailing.state == "sent"
    new = delivery.resend(old, admin_user)
    old.refresh_from_db()
    mailing.refresh_from_db()
    assert (old.current, old.state, old.reason) == (False, state, reason)
    assert (new.current, new.state, new.generation, new.attempts) == (True, "queued", 2, 0)
    assert new.message_id != old.message_id and new.address == old.address and new.variant_id == old.variant_id
    assert (mailing.state, mailing.finished_at) == ("sending", None)
    assert adds_up(mailing)
    delivery.send_until_idle(mailing, wait=False)
    assert [(taken.recipient, taken.message_id) for taken in relay.taken] == [(new.address, new.message_id)]
    mailing.refresh_from_db()
    assert mailing.state == "sent" and mailing.finished_at
    assert adds_up(mailing)
    assert steps(mailing) == ["schedule", "start", "freeze", "finish", "resend", "finish"]


def test_a_resend_of_a_paused_mailing_waits_until_it_goes_on(mailing, relay):
    old = ended(mailing, pk=mailing.deliveries.first().pk)
    delivery.pause(mailing)
    delivery.resend(old)
    delivery.send_until_idle(mailing, wait=False)
    assert relay.taken == []
    delivery.resume(mailing)
    delivery.send_until_idle(mailing, wait=False)
    assert len(relay.taken) == 6 and adds_up(mailing)


def leave(row):
    subscribers.unsubscribe(row.subscriber.subscriptions.get(), source="test")


def suppress(row):
    Suppression.objects.create(address_key=row.address_key, reason="manual")


def erase(row):
    subscribers.erase(row.address_key, source="test")


def cancel(row):
    Delivery.objects.filter(mailing=row.mailing, pk__gt=row.pk).update(state="queued", sent_at=None)
    type(row.mailing).objects.update(state="sending")
    delivery.cancel(row.mailing)


def wait(row):
    Delivery.objects.filter(pk=row.pk).update(state="queued", sent_at=None)


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (leave, "not subscribed"),
        (suppress, "suppressed"),
        (erase, "erased"),
        (cancel, "cancelled"),
        (wait, "still waiting"),
        (delivery.resend, "sent again already"),
    ],
)
def test_a_resend_is_refused_with_the_reason(mailing, happened, words):
    old = ended(mailing, "sent", "")
    happened(old)
    before = Delivery.objects.count()
    with pytest.raises(delivery.Refused, match=words):
        delivery.resend(old)
    assert Delivery.objects.count() == before


def test_a_person_who_changed_their_address_gets_it_there(mailing):
    old = ended(mailing, reason="address")
    type(old.subscriber).objects.filter(pk=old.subscriber_id).update(
        email="New@college.example", address_key="new@college.example"
    )
    new = delivery.resend(old)
    assert (new.address, new.address_key, new.domain) == (
        "New@college.example",
        "new@college.example",
        "college.example",
    )


def test_erasing_a_person_forgets_every_copy(mailing):
    old = ended(mailing)
    key = old.address_key
    delivery.resend(old)
    subscribers.erase(key, source="test")
    assert not Delivery.objects.filter(address_key=key).exists()
    assert Delivery.objects.filter(address="", subscriber=None).count() == 2
    assert adds_up(mailing)


def test_what_failed_is_retried_but_not_where_the_address_is_wrong(mailing, relay, admin_user):
    rows = list(mailing.deliveries.order_by("pk"))
    for row, reason in zip(rows, ["uncertain", "expired", "blocked", "unwritable", "address"], strict=False):
        ended(mailing, reason=reason, pk=row.pk)
    ended(mailing, "sent", "", pk=rows[5].pk)
    assert delivery.retryable(mailing).count() == 4
    assert delivery.retry_failed(mailing, admin_user) == 4
    assert adds_up(mailing) and delivery.counts(mailing)["queued"] == 4
    delivery.send_until_idle(mailing, wait=False)
    assert relay.recipients == sorted(row.address for row in rows[:4])
    assert delivery.counts(mailing)["failed"] == 1
    assert delivery.retry_failed(mailing, with_addresses=True) == 1
    assert adds_up(mailing)
    entry = ModelLogEntry.objects.filter(action="newsletter.retry").order_by("pk").first()
    assert (entry.user, entry.data) == (admin_user, {"number": 4})


def test_a_second_press_of_the_button_does_nothing(mailing):
    ended(mailing)
    assert delivery.retry_failed(mailing) == 6
    with pytest.raises(delivery.Refused, match="nobody to send it to again"):
        delivery.retry_failed(mailing)
    assert Delivery.objects.count() == 12 and adds_up(mailing)


def test_who_left_or_is_suppressed_is_not_retried(mailing):
    ended(mailing)
    gone, barred, erased = mailing.deliveries.order_by("pk")[:3]
    leave(gone), suppress(barred), erase(erased)
    assert delivery.retry_failed(mailing) == 3
    assert adds_up(mailing)


def test_a_long_list_is_retried_in_pieces(mailing, monkeypatch):
    monkeypatch.setattr(resending, "CHUNK", 4)
    ended(mailing)
    assert delivery.retry_failed(mailing) == 6
    assert adds_up(mailing)


@pytest.mark.usefixtures("live_database")
def test_two_people_who_press_at_once_send_one_copy(mailing):
    old = ended(mailing)

    def press(_hand):
        try:
            delivery.resend(old)
        except delivery.Refused:
            return 0
        finally:
            connection.close()
        return 1

    with ThreadPoolExecutor(4) as hands:
        assert sum(hands.map(press, range(4))) == 1
    assert Delivery.objects.count() == 7 and adds_up(mailing)


@pytest.mark.usefixtures("live_database")
def test_two_people_who_retry_at_once_send_one_copy_each(mailing):
    ended(mailing)

    def press(_hand):
        try:
            return delivery.retry_failed(mailing)
        except delivery.Refused:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as hands:
        assert sum(hands.map(press, range(4))) == 6
    assert Delivery.objects.count() == 12 and adds_up(mailing)


@pytest.mark.usefixtures("live_database")
def test_a_mailing_is_not_closed_over_a_resend_that_is_being_written(mailing):
    mailing.deliveries.update(state="failed", reason="uncertain")
    closed = []

    def close():
        closed.append(delivery.finish(mailing.pk))
        connection.close()

    closer = Thread(target=close)
    with transaction.atomic():
        delivery.resend(mailing.deliveries.first())
        closer.start()
        closer.join(1)
    closer.join(20)
    mailing.refresh_from_db()
    assert (closed, mailing.state) == ([False], "sending")
