"""What comes back about a message: it is written down once, settles the message, and ends what has to end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from newsletter import bounces, delivery, notices, subscribers
from newsletter.bounces import Report
from newsletter.delivery import claims, ledger, reaper, replies
from newsletter.models import Bounce, ConsentEvent, Delivery, Lane, Mailing, Notice, Subscription, Suppression
from tests.newsletter.issues import an_issue
from tests.sink import Rule, Sink


@pytest.fixture
def mailing(newsletter, maria, people):
    """A mailing that went to Maria and Omar."""
    people("omar@school.example")
    mailing = delivery.schedule(an_issue())
    delivery.send_until_idle(mailing)
    return mailing


@pytest.fixture
def hers(mailing, maria):
    return Delivery.objects.get(subscriber=maria.subscriber)


def state(row):
    row.refresh_from_db()
    return row.state


def adds_up(mailing):
    counts = delivery.counts(mailing)
    return counts["recipients"] == sum(number for name, number in counts.items() if name != "recipients")


def report(row, kind, event="event 1", **details):
    return Report(kind, event, **{"notice" if isinstance(row, Notice) else "delivery": row.pk}, **details)


def test_a_hard_bounce_ends_the_subscription_of_that_reader_alone(hers, maria, mailing):
    at = datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert bounces.record(report(hers, Bounce.Kind.HARD, status="5.1.1", detail="No such user", at=at))
    assert state(hers) == "bounced"
    assert Suppression.objects.get().address_key == maria.subscriber.address_key
    maria.refresh_from_db()
    assert maria.status == "bounced"
    assert maria.consent_events.get().kind == ConsentEvent.Kind.SUPPRESSED
    assert Subscription.objects.filter(status="confirmed").count() == 1
    assert hers.bounces.values_list("kind", "status", "detail", "at").get() == ("hard", "5.1.1", "No such user", at)
    assert delivery.counts(mailing)["bounced"] == 1 and adds_up(mailing)


def test_a_complaint_ends_it_as_a_complaint(hers, maria):
    bounces.record(report(hers, Bounce.Kind.COMPLAINT))
    assert Suppression.objects.get().reason == "complaint"
    maria.refresh_from_db()
    assert (state(hers), maria.status) == ("bounced", "complained")


@pytest.mark.parametrize("kind", ["soft", "blocked", "deferred", "delivered", "autoreply", "unknown"])
def test_nothing_else_ends_anything_at_once(hers, kind):
    bounces.record(report(hers, Bounce.Kind(kind), status="5.7.1"))
    assert state(hers) == ("bounced" if kind in ("soft", "blocked") else "sent")
    assert not Suppression.objects.exists()


def test_a_replay_is_ignored(hers):
    assert bounces.record(report(hers, Bounce.Kind.SOFT))
    assert not bounces.record(report(hers, Bounce.Kind.HARD))
    assert Bounce.objects.get().kind == "soft" and not Suppression.objects.exists()


def test_a_report_about_nothing_we_know_is_ignored(mailing):
    assert not bounces.record(Report(Bounce.Kind.HARD, "1", delivery=10**9))
    assert not bounces.record(Report(Bounce.Kind.HARD, "2", notice=10**9))
    assert not bounces.record(Report(Bounce.Kind.HARD, "3"))
    assert not Bounce.objects.exists()


def test_an_endless_event_id_is_still_one_event(hers):
    assert bounces.record(report(hers, Bounce.Kind.SOFT, "x" * 5000))
    assert not bounces.record(report(hers, Bounce.Kind.SOFT, "x" * 5000))


@pytest.fixture
def earlier(hers):
    """Further deliveries to Maria, the oldest first: `earlier("soft", "", "soft")`."""
    Subscription.objects.update(confirmed_at=hers.sent_at - timedelta(days=1000))

    def make(*kinds):
        for number, kind in enumerate(kinds):
            mailing = Mailing.objects.create(newsletter=hers.mailing.newsletter, scheduled_for=timezone.now())
            row = Delivery.objects.get(pk=hers.pk)
            row.pk, row.mailing, row.message_id = None, mailing, f"<{number}@earlier.example>"
            row.sent_at = hers.sent_at - timedelta(days=30 * (len(kinds) - number))
            row.save()
            if kind:
                Bounce.objects.create(event_id=f"earlier {number}", delivery=row, kind=kind)

    return make


@pytest.mark.parametrize(
    ("kinds", "ends"),
    [
        (["soft", "soft"], True),
        (["soft", "", "", "soft"], True),
        (["soft", "", "soft", "", ""], False),
        (["soft", "", "", ""], False),
        (["blocked", "blocked", "blocked", "soft"], False),
    ],
)
def test_three_soft_bounces_in_five_messages_end_it(hers, maria, earlier, kinds, ends):
    earlier(*kinds)
    bounces.record(report(hers, Bounce.Kind.SOFT))
    maria.refresh_from_db()
    assert (maria.status == "bounced") is ends
    assert Suppression.objects.exists() is ends


def test_many_soft_bounces_about_one_message_are_one(hers, earlier):
    earlier("", "")
    for number in range(10):
        bounces.record(report(hers, Bounce.Kind.SOFT, f"event {number}"))
    assert not Suppression.objects.exists()


def test_a_bounce_about_an_erased_reader_keeps_nothing_of_them(hers, maria):
    key = maria.subscriber.address_key
    subscribers.erase(key, source="admin")
    bounces.record(report(hers, Bounce.Kind.HARD, detail=f"<{key}>: unknown"))
    assert Bounce.objects.get().detail == ""
    assert [row.reason for row in Suppression.objects.all()] == ["erased"]


def test_a_reader_is_told_what_came_back(hers, maria):
    bounces.record(report(hers, Bounce.Kind.SOFT, status="5.2.2", detail="Mailbox full"))
    [told] = subscribers.portrait(maria.subscriber)["bounces"]
    assert (told["kind"], told["status"], told["detail"]) == ("soft", "5.2.2", "Mailbox full")


def test_a_confirmation_that_comes_back_ends_the_waiting(sam):
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    delivery.work_on_notices()
    notice = Notice.objects.get()
    assert notice.state == "sent"
    assert bounces.record(report(notice, Bounce.Kind.HARD, status="5.1.1"))
    sam.refresh_from_db()
    assert (state(notice), sam.status) == ("bounced", "bounced")
    subscribers.erase(sam.subscriber.address_key, source="admin")
    assert not Bounce.objects.exists()


# --- What was in doubt


@pytest.fixture
def doubtful(hers):
    """Maria's delivery after its connection broke behind the final dot."""
    Mailing.objects.update(state="sending", finished_at=None)
    lane = ledger.open_lane("elsewhere 1 1")
    Delivery.objects.filter(pk=hers.pk).update(state="in_flight", lane=lane, position=1, sent_at=None)
    row = ledger.Row(ledger.Kind.DELIVERY, hers.pk, 1, hers.message_id, hers.address, 0, mailing=hers.mailing_id)
    ledger.record([ledger.Entry(lane, row, replies.in_doubt(None))])
    claims.free(lane)
    assert state(hers) == "queued"
    return hers


def send_again(row):
    Delivery.objects.filter(pk=row.pk, state="queued").update(due_at=timezone.now())
    tally = delivery.send_until_idle(row.mailing, wait=False)
    return tally.sent


@pytest.mark.parametrize("kind", ["hard", "soft", "blocked", "complaint"])
def test_a_bounce_settles_what_was_in_doubt(doubtful, kind, mailing):
    bounces.record(report(doubtful, Bounce.Kind(kind)))
    assert send_again(doubtful) == 0
    assert state(doubtful) == "bounced" and adds_up(mailing)


@pytest.mark.parametrize("kind", ["delivered", "deferred", "autoreply"])
def test_a_sign_of_life_settles_what_was_in_doubt(doubtful, kind, mailing):
    bounces.record(report(doubtful, Bounce.Kind(kind)))
    assert send_again(doubtful) == 0
    assert state(doubtful) == "sent" and doubtful.sent_at and adds_up(mailing)
    mailing.refresh_from_db()
    assert mailing.state == "sent"


def test_what_nobody_settles_is_sent_again(doubtful):
    bounces.record(report(doubtful, Bounce.Kind.UNKNOWN))
    assert send_again(doubtful) == 1


def test_what_is_held_in_doubt_is_settled_too(doubtful):
    Delivery.objects.update(state="failed", reason=replies.UNCERTAIN)
    bounces.record(report(doubtful, Bounce.Kind.DELIVERED))
    assert state(doubtful) == "sent" and doubtful.reason == ""


@pytest.fixture
def flying(hers):
    """Maria's delivery between its final dot and the record of the reply, as a ledger entry to be written."""
    lane = ledger.open_lane("elsewhere 1 1")
    ledger.renew({lane: 1})
    Delivery.objects.filter(pk=hers.pk).update(state="in_flight", lane=lane, position=1, sent_at=None)
    row = ledger.Row(ledger.Kind.DELIVERY, hers.pk, 1, hers.message_id, hers.address, 0, mailing=hers.mailing_id)
    return lambda verdict: ledger.Entry(lane, row, verdict)


SENT = replies.Verdict(Delivery.State.SENT, reply="250 Taken")


@pytest.mark.parametrize(("kind", "ends"), [("hard", "bounced"), ("delivered", "sent")])
@pytest.mark.parametrize("verdict", [SENT, replies.in_doubt(None)], ids=["taken", "in doubt"])
def test_a_report_that_is_faster_than_the_reply_counts(hers, flying, kind, ends, verdict):
    bounces.record(report(hers, Bounce.Kind(kind)))
    assert state(hers) == "in_flight"
    ledger.record([flying(verdict)])
    assert (state(hers), hers.reason) == (ends, "") and hers.sent_at


@pytest.mark.parametrize(("kind", "ends"), [("hard", "bounced"), ("delivered", "sent")])
def test_a_report_counts_when_the_sender_dies(hers, flying, kind, ends):
    bounces.record(report(hers, Bounce.Kind(kind)))
    Lane.objects.update(lease_until=timezone.now() - timedelta(minutes=1), cleared=0)
    assert reaper.reap() == 1
    assert (state(hers), hers.reason) == (ends, "")


def test_a_report_stops_the_next_try_before_its_dot(hers, flying):
    bounces.record(report(hers, Bounce.Kind.SOFT))
    row = flying(SENT).row
    assert ledger.refusals([row]) == {row: "bounced"}


# --- Refused at the door


@pytest.fixture
def refused(newsletter, people, settings):
    """Sends an issue to three readers over a relay with these rules: `refused(Rule(...))`."""

    def send(*rules):
        for name in ("ada", "ben", "eve"):
            people(f"{name}@school.example")
        mailing = delivery.schedule(an_issue())
        with Sink(*rules) as sink:
            settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
            delivery.send_until_idle(mailing, wait=False)
        return mailing

    return send


def ended():
    return set(Subscription.objects.exclude(status="confirmed").values_list("subscriber__address_key", "status"))


def test_a_dead_address_at_the_door_is_suppressed_like_one_by_mail(refused):
    mailing = refused(Rule("rcpt", "550 5.1.1 No such person", to="ben"), Rule("rcpt", "550 Unknown user", to="eve"))
    assert ended() == {("ben@school.example", "bounced"), ("eve@school.example", "bounced")}
    assert Suppression.objects.count() == 2 and adds_up(mailing)
    assert delivery.counts(mailing)["failed"] == 2


@pytest.mark.parametrize(
    "reply",
    [
        "552 5.2.2 Mailbox full",
        "550 5.2.1 This account is disabled",
        "550 Requested action not taken",
        "550 5.1.1 Refused: your message looks like spam",
    ],
)
def test_whatever_else_is_said_at_the_door_removes_nobody(refused, reply):
    mailing = refused(Rule("rcpt", reply, to="ben"))
    assert delivery.counts(mailing)["failed"] == 1
    assert Bounce.objects.get().kind in ("soft", "blocked") and ended() == set()


def test_a_word_about_us_at_the_door_removes_nobody_and_pauses(refused):
    mailing = refused(Rule("rcpt", "550 5.7.1 Blocked by policy", to="ben"))
    mailing.refresh_from_db()
    assert mailing.state == "paused" and ended() == set()


def test_a_dead_address_of_a_confirmation_is_suppressed_too(sam, settings):
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    with Sink(Rule("rcpt", "550 5.1.1 No such person")) as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        delivery.work_on_notices()
    assert ended() == {("sam@school.example", "bounced")}
    assert Bounce.objects.get().notice.state == "failed"


def test_the_door_costs_nothing_where_nobody_is_refused(hers, flying, django_assert_max_num_queries):
    """PostgreSQL is asked the one question past Django, which does not count it."""
    with django_assert_max_num_queries(1):
        ledger.record([flying(SENT)])


def test_a_reader_who_was_let_back_in_begins_anew(hers, maria, earlier):
    """Three soft bounces ended it; the address was mended, and one more is not the last straw."""
    earlier("soft", "soft", "soft")
    Subscription.objects.filter(pk=maria.pk).update(confirmed_at=timezone.now() - timedelta(days=10))
    bounces.record(report(hers, Bounce.Kind.SOFT))
    assert not Suppression.objects.exists()
