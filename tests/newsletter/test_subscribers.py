"""The verbs: each changes a status once, and leaves the event that proves it."""

from __future__ import annotations

import datetime

import pytest
import time_machine

from newsletter import addresses, notices, subscribers
from newsletter.models import ConsentEvent, Notice, SignupAttempt, Subscriber, Suppression


def kinds():
    return list(ConsentEvent.objects.values_list("kind", flat=True))


def test_confirming_twice_changes_nothing(sam):
    assert subscribers.confirm(sam)
    assert not subscribers.confirm(sam)
    assert kinds() == ["confirmed"]


def test_a_confirmation_welcomes(sam):
    subscribers.confirm(sam)
    assert Notice.objects.get().kind == "welcome"


def test_unsubscribing_twice_changes_nothing(maria):
    assert subscribers.unsubscribe(maria)
    ended_at = type(maria).objects.get(pk=maria.pk).ended_at
    assert not subscribers.unsubscribe(maria)
    maria.refresh_from_db()
    assert (maria.status, maria.ended_at) == ("unsubscribed", ended_at)
    assert kinds() == ["unsubscribed"]


@pytest.mark.parametrize(
    ("reason", "status"),
    [("bounce", "bounced"), ("complaint", "complained"), ("manual", "unsubscribed"), ("imported", "unsubscribed")],
)
def test_suppressing_ends_the_subscription_for_its_reason(maria, reason, status):
    assert subscribers.suppress(maria.subscriber.address_key, Suppression.Reason(reason), source="test")
    assert not subscribers.suppress(maria.subscriber.address_key, Suppression.Reason(reason), source="test")
    maria.refresh_from_db()
    assert maria.status == status and maria.ended_at
    assert subscribers.is_suppressed(maria.subscriber)
    assert kinds() == ["suppressed"]


def test_an_address_nobody_subscribed_can_be_suppressed(newsletter):
    assert subscribers.suppress("stranger@school.example", Suppression.Reason.MANUAL, source="admin")
    assert not Subscriber.objects.exists()


def test_a_bounce_does_not_rewrite_why_somebody_left(people):
    gone = people("gone@school.example", status="unsubscribed")
    ended_at = gone.ended_at
    subscribers.suppress("gone@school.example", Suppression.Reason.BOUNCE, source="bounce")
    gone.refresh_from_db()
    assert (gone.status, gone.ended_at) == ("unsubscribed", ended_at)


def test_a_suppressed_address_is_not_asked_again(people):
    gone = people("gone@school.example", status="unsubscribed")
    subscribers.suppress("gone@school.example", Suppression.Reason.MANUAL, source="admin")
    assert not subscribers.request_confirmation(gone, wording="", source="test")
    assert not Notice.objects.exists()


def test_preferring_the_same_is_no_event(maria):
    assert not subscribers.prefer(maria, name="Maria López", language="en", terms=frozenset())
    assert subscribers.prefer(maria, name="Maria", language="en", terms=frozenset())
    assert kinds() == ["changed"]


def test_every_word_of_a_notice_can_be_made_into_links_but_holds_no_name(maria):
    notices.queue(maria, Notice.Kind.CONFIRMATION)
    words = notices.words(Notice.objects.get())
    assert words["confirm_url"].startswith("http://testserver/newsletter/confirm/")
    assert "Maria" not in repr({key: value for key, value in words.items() if key != "newsletter"})


def test_notices_of_different_kinds_do_not_take_each_others_share(maria):
    assert notices.queue(maria, Notice.Kind.EXPORT)
    assert notices.queue(maria, Notice.Kind.ERASURE)
    assert not notices.queue(maria, Notice.Kind.EXPORT)


def test_who_never_confirmed_is_forgotten_after_thirty_days(newsletter):
    with time_machine.travel("2026-10-01 08:00", tick=False) as clock:
        for name in ("late", "faithful", "gone"):
            subscribers.subscribe(newsletter, f"{name}@school.example", ip="203.0.113.1")
        people = {person.email.partition("@")[0]: person.subscriptions.get() for person in Subscriber.objects.all()}
        subscribers.confirm(people["faithful"])
        subscribers.unsubscribe(people["gone"])
        clock.shift(datetime.timedelta(days=29))
        subscribers.subscribe(newsletter, "again@school.example", ip="203.0.113.1")
        assert subscribers.forget_unconfirmed() == 0
        clock.shift(datetime.timedelta(days=2))
        assert SignupAttempt.objects.count() == 1
        assert subscribers.forget_unconfirmed() == 1
    assert not SignupAttempt.objects.exists()
    assert set(Subscriber.objects.values_list("email", flat=True)) == {
        "faithful@school.example",
        "gone@school.example",
        "again@school.example",
    }


def test_a_mail_to_an_account_keeps_nobody_who_never_confirmed(newsletter):
    with time_machine.travel("2026-10-01 08:00", tick=False) as clock:
        subscribers.subscribe(newsletter, "ana@school.example", ip="203.0.113.1")
        clock.shift(datetime.timedelta(days=31))
        notices.queue_for_account("editor@school.example", Notice.Kind.PASSWORD)
        assert subscribers.forget_unconfirmed() == 1


def test_who_asked_again_lately_is_not_forgotten(newsletter):
    with time_machine.travel("2026-10-01 08:00", tick=False) as clock:
        subscribers.subscribe(newsletter, "ana@school.example", ip="203.0.113.1")
        clock.shift(datetime.timedelta(days=31))
        subscribers.subscribe(newsletter, "ana@school.example", ip="203.0.113.1")
        assert subscribers.forget_unconfirmed() == 0


@pytest.mark.parametrize(
    ("typed", "email", "key"),
    [
        ("  a@example.com\n", "a@example.com", "a@example.com"),
        ("A@EXAMPLE.COM", "A@example.com", "a@example.com"),
        ("user@bücher.example", "user@xn--bcher-kva.example", "user@xn--bcher-kva.example"),
        ("o'hara+news@sub.example.co.uk", "o'hara+news@sub.example.co.uk", "o'hara+news@sub.example.co.uk"),
    ],
)
def test_addresses_are_read_as_mail_is_sent_to_them(typed, email, key):
    assert addresses.parse(typed) == (email, key)
    assert addresses.address_key(typed) == key


@pytest.mark.parametrize("typed", ["", "a", "a@b", "é@example.com", "a@127.0.0.1", "a@test", "x" * 65 + "@example.com"])
def test_what_is_no_address_is_refused_in_plain_words(typed):
    with pytest.raises(addresses.InvalidAddress) as refusal:
        addresses.parse(typed)
    assert str(refusal.value).endswith(".")


def test_a_mask_shows_neither_name_nor_school():
    assert addresses.masked("maria.lopez@lincoln.k12.ri.us") == "m•••@l•••.k12.ri.us"


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
def test_networks_are_counted_as_their_owners_get_them(ip, network):
    assert addresses.network(ip) == network


def test_an_erasure_is_remembered_under_older_secret_keys(settings, newsletter):
    subscribers.erase("ana@school.example", source="test")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the next one"
    keys = addresses.suppression_keys("ana@school.example")
    assert Suppression.objects.filter(address_key__in=keys).count() == 1


def test_names_are_kept_on_one_line():
    assert addresses.tidy_name(" Sam\x00\r\nSubject:\u2028 x\x1b[31m ") == "Sam Subject: x [31m"
    assert len(addresses.tidy_name("é" * 5000)) == 120
