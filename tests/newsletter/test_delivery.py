"""A mailing from its schedule to its end: frozen, sent, refused, put off, paused, cancelled, and after a crash."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from wagtail.models import Locale

from content.models import ArticlePage
from newsletter import delivery, subscribers, synthetic
from newsletter.delivery import (
    claims,
    clock,
    doors,
    freeze,
    lanes,
    ledger,
    mailings,
    reaper,
    replies,
    rounds,
    sender,
    supply,
)
from newsletter.delivery.sender import Sender
from newsletter.models import (
    Bounce,
    Delivery,
    Lane,
    Mailing,
    Notice,
    Subscription,
    Suppression,
)
from newsletter.subscribers import privacy
from tests.newsletter.issues import an_issue
from tests.newsletter.sending import whole_turn
from tests.sink import Rule, Sink


@pytest.fixture
def issue(newsletter):
    return an_issue()


@pytest.fixture
def readers(people):
    """Thirty confirmed subscribers."""
    return [people(f"reader{number:02}@school.example") for number in range(30)]


@pytest.fixture
def relay(settings):
    """Starts a sink and makes it the only relay: `relay(Rule(...))`."""
    sinks = []

    def start(*rules, **options):
        sink = Sink(*rules, **options).__enter__()
        sinks.append(sink)
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        return sink

    yield start
    for sink in sinks:
        sink.close()


def send(mailing, **options):
    delivery.send_until_idle(mailing, wait=False, **options)
    mailing.refresh_from_db()
    return delivery.counts(mailing)


def later(mailing):
    """Everything that waits for its hour is due, after what was due before."""
    mailing.deliveries.filter(state="queued", due_at__gt=timezone.now()).update(due_at=timezone.now())


def adds_up(counts):
    return counts["recipients"] == sum(number for state, number in counts.items() if state != "recipients")


def test_everybody_confirmed_gets_it_once(issue, readers, people, sam, relay):
    people("gone@school.example", status="unsubscribed")
    barred = people("barred@school.example")
    Suppression.objects.create(address_key=barred.subscriber.address_key, reason="manual")
    sink = relay()
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert mailing.state == "sent"
    assert counts["sent"] == counts["recipients"] == 30
    assert adds_up(counts)
    assert (mailing.candidates, mailing.excluded) == (31, 1)
    assert sink.recipients == sorted(reader.subscriber.email for reader in readers)
    assert sink.most_open > 1


def test_each_message_has_an_envelope_of_its_own(issue, readers, relay):
    sink = relay()
    send(delivery.schedule(issue))
    assert len({taken.sender for taken in sink.taken}) == 30
    assert all(taken.sender.startswith("bounce+d-") for taken in sink.taken)
    assert len({taken.message_id for taken in sink.taken}) == 30
    assert {taken.message["To"] == taken.recipient for taken in sink.taken} == {True}
    assert set(Delivery.objects.values_list("message_id", flat=True)) == {taken.message_id for taken in sink.taken}


def test_a_relay_without_pipelining_gets_the_same(issue, readers, relay):
    sink = relay(features=())
    assert send(delivery.schedule(issue))["sent"] == 30
    assert len(sink.taken) == 30


def test_words_come_from_the_database_in_every_run(issue, maria, relay):
    """A restored database may give the number of a variant that was sent before to another."""
    sink = relay()
    mailing = delivery.schedule(issue)
    send(mailing)
    variant = mailing.variants.get(language="en")
    variant.template = bytes(variant.template).replace(b"Reading aloud, and more", b"Restored, and more")
    variant.save()
    delivery.resend(mailing.deliveries.get())
    send(mailing)
    assert [taken.message["Subject"] for taken in sink.taken] == ["Reading aloud, and more", "Restored, and more"]


def test_an_empty_audience_is_sent_at_once(issue, relay):
    mailing = delivery.schedule(issue)
    assert send(mailing)["recipients"] == 0
    assert mailing.state == "sent"


def test_an_issue_goes_out_once(issue, maria, relay):
    relay()
    mailing = delivery.schedule(issue)
    send(mailing)
    with pytest.raises(delivery.Refused, match=rf"mailing {mailing.pk} already \(Sent\)"):
        delivery.schedule(issue)
    assert Mailing.objects.count() == 1


def test_an_issue_that_fails_its_checks_is_refused(issue, maria):
    issue.subject = ""
    issue.save_revision()
    with pytest.raises(delivery.Refused, match="subject is empty"):
        delivery.schedule(issue)
    assert not Mailing.objects.exists()


def test_an_issue_spoilt_after_its_schedule_pauses_and_says_why(issue, maria):
    mailing = delivery.schedule(issue, timezone.now())
    article = ArticlePage.objects.get()
    article.unpublish()
    with pytest.raises(delivery.Refused, match="Readers can not open “Reading aloud”"):
        delivery.start(mailing)
    mailing.refresh_from_db()
    assert mailing.state == "paused"
    assert "Readers can not open “Reading aloud”" in mailing.pause_reason
    article.save_revision().publish()
    delivery.resume(mailing)
    delivery.start(mailing)
    assert mailing.state == "sending"


def test_words_saved_after_the_approval_stay_a_draft(issue, maria, relay, client):
    sink = relay()
    mailing = delivery.schedule(issue, timezone.now())
    issue.subject, issue.introduction = "Nobody approved this", "<p>Nor this.</p>"
    issue.save_revision()
    send(mailing)
    assert sink.taken[0].message["Subject"] == mailing.subject == "Reading aloud, and more"
    issue.refresh_from_db()
    assert (issue.live, issue.subject, issue.has_unpublished_changes) == (True, "Reading aloud, and more", True)
    assert "Nor this." not in client.get(issue.url).content.decode()


def test_a_translation_finished_after_the_approval_does_not_go_out(issue, people, relay):
    sink = relay()
    people("ana@school.example", language="es")
    mailing = delivery.schedule(issue, timezone.now())
    spanish = issue.copy_for_translation(Locale.objects.get(language_code="es"))
    spanish.subject = "Leer en voz alta"
    spanish.save_revision()
    send(mailing)
    assert sink.taken[0].message["Subject"] == "Reading aloud, and more"


def test_a_mailing_whose_approved_issue_was_deleted_pauses_and_says_why(issue, maria):
    mailing = delivery.schedule(issue, timezone.now())
    issue.delete()
    with pytest.raises(delivery.Refused, match="What was approved was deleted"):
        delivery.start(mailing)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.pause_reason[:26]) == ("paused", "What was approved was dele")


def test_starting_publishes_the_issue_and_later_words_do_not_reach_the_mailing(issue, maria, relay):
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    issue.refresh_from_db()
    assert issue.live
    issue.subject = "Changed too late"
    issue.save_revision().publish()
    send(mailing)
    assert sink.taken[0].message["Subject"] == "Reading aloud, and more"


def test_the_freeze_goes_on_where_it_was_cut_off(issue, readers, monkeypatch):
    monkeypatch.setattr(delivery.freeze, "CHUNK", 7)
    mailing = delivery.schedule(issue)
    write, chunks = delivery.freeze._write_chunk, []

    def cut_off(pk):
        if len(chunks) == 2:
            raise KeyboardInterrupt
        chunks.append(pk)
        return write(pk)

    monkeypatch.setattr(delivery.freeze, "_write_chunk", cut_off)
    with pytest.raises(KeyboardInterrupt):
        delivery.start(mailing)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.deliveries.count()) == ("preparing", 14)
    assert delivery.counts(mailing)["recipients"] == 14
    monkeypatch.setattr(delivery.freeze, "_write_chunk", write)
    delivery.start(mailing)
    assert (mailing.state, mailing.deliveries.count(), mailing.candidates) == ("sending", 30, 30)


def test_an_address_that_changes_hands_during_the_freeze_gets_it_once(issue, readers, monkeypatch, relay):
    sink = relay()
    monkeypatch.setattr(delivery.freeze, "CHUNK", 10)
    mailing = delivery.schedule(issue)
    write, chunks = delivery.freeze._write_chunk, []

    def hand_over(pk):
        if len(chunks) == 1:
            giver, taker = readers[0].subscriber, readers[25].subscriber
            handed = giver.email
            for person, address in ((giver, "elsewhere@school.example"), (taker, handed)):
                person.email = person.address_key = address
                person.save()
        chunks.append(pk)
        return write(pk)

    monkeypatch.setattr(delivery.freeze, "_write_chunk", hand_over)
    counts = send(mailing)
    assert (mailing.state, mailing.candidates, mailing.excluded) == ("sent", 30, 1)
    assert counts["recipients"] == counts["sent"] == 29
    assert sink.recipients.count("reader00@school.example") == 1


def test_who_confirms_after_the_freeze_waits_for_the_next_issue(issue, maria, people, relay):
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    people("late@school.example")
    send(mailing)
    assert sink.recipients == ["maria.lopez@school.example"]


def test_who_leaves_after_the_freeze_gets_nothing(issue, readers, relay):
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    subscribers.unsubscribe(readers[3], source="test")
    Suppression.objects.create(address_key=readers[4].subscriber.address_key, reason="manual")
    readers[5].subscriber.delete()
    counts = send(mailing)
    assert (counts["sent"], counts["skipped"]) == (27, 3)
    assert mailing.state == "sent"
    reasons = mailing.deliveries.filter(state="skipped").order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["unsubscribed", "suppressed", "erased"]
    assert len(sink.taken) == 27


def test_leaving_in_mid_send_counts_for_the_very_next_message(issue, readers, relay):
    """All but the one message that may be on its way on the only connection leave after the first."""
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    Leaving.after(sink, 1, lambda: Subscription.objects.update(status="unsubscribed", ended_at=timezone.now()))
    counts = send(mailing, lanes=1)
    assert len(sink.taken) <= 2
    assert counts["sent"] == len(sink.taken)
    assert counts["skipped"] == 30 - counts["sent"]


@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_pausing_and_cancelling_count_for_the_very_next_message(issue, readers, relay, verb, state):
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    Leaving.after(sink, 5, lambda: getattr(delivery, verb)(mailing))
    counts = send(mailing, lanes=1)
    assert mailing.state == state
    assert counts["sent"] == len(sink.taken) <= 6
    assert counts["queued" if verb == "pause" else "skipped"] == 30 - counts["sent"]
    assert not Lane.objects.exists()
    if verb == "pause":
        delivery.resume(mailing)
        assert send(mailing)["sent"] == len(set(sink.recipients)) == 30


class Leaving:
    """Does something in the sender's own thread once the sink has taken so many messages."""

    @staticmethod
    def after(sink, count, act):
        original = sender.Sender._turn

        def turn(self):
            if len(sink.taken) >= count and Leaving.pending and self.settlement is None:
                Leaving.pending = False
                act()
            return original(self)

        Leaving.pending = True
        sender.Sender._turn = turn
        Leaving.undo = lambda: setattr(sender.Sender, "_turn", original)

    pending = False
    undo = staticmethod(lambda: None)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nobody waits longer than needed."""
    monkeypatch.setattr(doors, "FIRST_REST", 0.05)
    monkeypatch.setattr(sender, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(doors, "LOOK_EVERY", 0.2)
    yield
    Leaving.undo()


def test_a_paused_mailing_can_not_be_paused_again_nor_a_sent_one_cancelled(issue, maria, relay):
    relay()
    mailing = delivery.schedule(issue)
    delivery.pause(mailing)
    with pytest.raises(delivery.Refused, match=f"Mailing {mailing.pk} can not be paused: it is paused"):
        delivery.pause(mailing)
    delivery.resume(mailing)
    send(mailing)
    with pytest.raises(delivery.Refused, match="can not be cancelled: it is sent"):
        delivery.cancel(mailing)


def test_an_address_that_is_refused_fails_with_a_bounce(issue, readers, relay):
    sink = relay(Rule("rcpt", "550 5.1.1 No such person", to="reader07"))
    counts = send(delivery.schedule(issue))
    assert (counts["sent"], counts["failed"]) == (29, 1)
    failed = Delivery.objects.get(state="failed")
    assert (failed.reason, failed.reply) == ("address", "550 5.1.1 No such person")
    bounce = Bounce.objects.get()
    assert (bounce.delivery, bounce.kind, bounce.status) == (failed, "hard", "5.1.1")
    assert len(sink.taken) == 29


def test_a_full_mailbox_is_a_soft_bounce(issue, maria, relay):
    relay(Rule("rcpt", "552 5.2.2 Mailbox full"))
    assert send(delivery.schedule(issue))["failed"] == 1
    assert Bounce.objects.get().kind == "soft"


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_a_temporary_refusal_is_tried_again_with_the_same_message_id(issue, readers, relay, stage):
    sink = relay(Rule(stage, "451 4.7.1 Greylisted, come back", times=10))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert (counts["sent"], counts["queued"]) == (20, 10)
    waiting = mailing.deliveries.filter(state="queued")
    before = dict(waiting.values_list("address", "message_id"))
    for each in waiting:
        assert 45 <= (each.due_at - timezone.now()).total_seconds() <= 73
        assert (each.attempts, each.reason) == (1, "deferred")
    later(mailing)
    assert send(mailing)["sent"] == 30
    assert Counter(sink.recipients).most_common(1)[0][1] == 1
    assert {taken.recipient: taken.message_id for taken in sink.taken if taken.recipient in before} == before


@pytest.mark.parametrize(
    ("said", "kind"),
    [("452 4.2.2 Mailbox full", "soft"), ("450 Your network is listed at dnsbl.example", "blocked")],
)
def test_what_is_put_off_for_three_days_is_given_up_and_counts_as_a_bounce(issue, maria, relay, said, kind):
    relay(Rule("rcpt", said))
    mailing = delivery.schedule(issue)
    send(mailing)
    Delivery.objects.update(first_tried_at=timezone.now() - timedelta(hours=73))
    later(mailing)
    assert send(mailing)["failed"] == 1
    assert Delivery.objects.get().reason == "expired"
    assert mailing.state == "sent"
    assert [(bounce.kind, bounce.detail) for bounce in Bounce.objects.all()] == [(kind, said)]
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "rule",
    [
        Rule("dot", "554 5.7.1 Message rejected as spam"),
        Rule("rcpt", "550 5.7.26 Unauthenticated mail is not accepted"),
        Rule("mail", "553 5.7.1 Sender address rejected"),
        Rule("greeting", "554 5.7.1 You are on our block list"),
    ],
    ids=["content", "recipient", "sender", "greeting"],
)
def test_a_refusal_because_of_us_pauses_the_mailing_and_removes_nobody(issue, readers, relay, rule):
    sink = relay(rule)
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert mailing.state == "paused"
    assert rule.say in mailing.pause_reason
    assert (counts["failed"], counts["queued"]) == (0, 30)
    assert Subscription.objects.filter(status="confirmed").count() == 30
    assert not Bounce.objects.exists()
    sink.rules.clear()
    delivery.resume(mailing)
    later(mailing)
    assert send(mailing)["sent"] == 30


@pytest.mark.parametrize("address", ["<maria.lopez@school.example>", "maria.lopez%40school.example", "MARIA.LOPEZ@x,"])
def test_why_a_mailing_paused_names_no_reader(issue, maria, relay, address):
    relay(Rule("rcpt", f"550 5.7.1 {address} rejected, see https://relay.example/why"))
    mailing = delivery.schedule(issue)
    send(mailing)
    assert mailing.state == "paused" and "lopez" not in mailing.pause_reason.lower()
    assert "550 5.7.1" in mailing.pause_reason and "rejected, see https://relay.example/why" in mailing.pause_reason


def test_an_answer_that_comes_after_an_erasure_is_kept_without_its_words(issue, maria):
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    token = ledger.open_lane(sender.owner())
    [row] = claims.claim_deliveries(mailing.pk, token, 0, 5)
    subscribers.erase(maria.subscriber.address_key, source="test")
    reply = "550 5.1.1 <maria.lopez@school.example>: unknown"
    failed = replies.Verdict(Delivery.State.FAILED, replies.ADDRESS, reply, bounce=Bounce.Kind.HARD)
    ledger.record([ledger.Entry(token, row, failed)])
    assert Delivery.objects.values_list("state", "reply").get() == ("failed", "")
    assert Bounce.objects.values_list("kind", "status", "detail").get() == ("hard", "5.1.1", "")


def test_what_no_database_can_hold_is_kept_without_it(issue, maria):
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    token = ledger.open_lane(sender.owner())
    [row] = claims.claim_deliveries(mailing.pk, token, 0, 5)
    odd = replies.Verdict(Delivery.State.SENT, reply="250 \x00 taken\n\ud800", provider_id="a\x00b")
    ledger.record([ledger.Entry(token, row, odd)])
    assert Delivery.objects.values_list("state", "reply", "provider_id").get() == ("sent", "250   taken  ", "a b")


@pytest.mark.parametrize("first", ["freeze", "erase"])
def test_who_is_erased_during_a_freeze_is_written_down_nowhere(live_database, monkeypatch, issue, maria, people, first):
    """One of the two stands still just before it commits, and the other has to wait."""
    people("other@school.example")
    mailing = delivery.schedule(issue)
    steps = {"freeze": (freeze, "_insert"), "erase": (privacy.Subscriber, "delete")}
    module, name = steps[first]
    step, inside, go_on = getattr(module, name), threading.Event(), threading.Event()

    def slowly(*facts):
        done = step(*facts)
        inside.set()
        assert go_on.wait(10)
        return done

    def act(which):
        try:
            if which == "freeze":
                delivery.start(Mailing.objects.get(pk=mailing.pk))
            else:
                subscribers.erase(maria.subscriber.address_key, source="test")
        finally:
            connection.close()

    monkeypatch.setattr(module, name, slowly)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(act, first)
        assert inside.wait(20)
        other = threads.submit(act, "erase" if first == "freeze" else "freeze")
        time.sleep(0.3)
        assert not other.done()
        go_on.set()
        one.result(), other.result()
    left = Delivery.objects.filter(mailing=mailing).values_list("address", "subscriber__email")
    assert sorted(left) == [("", None)] * (first == "freeze") + [("other@school.example", "other@school.example")]
    assert adds_up(delivery.counts(mailing))


def test_no_bounce_is_written_for_a_row_that_is_no_longer_the_lanes_own(issue, maria):
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    lost, token = ledger.open_lane(sender.owner()), ledger.open_lane(sender.owner())
    [row] = claims.claim_deliveries(mailing.pk, token, 0, 5)
    failed = replies.Verdict(Delivery.State.FAILED, replies.ADDRESS, "550 5.1.1 Unknown", bounce=Bounce.Kind.HARD)
    ledger.record([ledger.Entry(lost, row, failed)])
    assert Delivery.objects.get().state == "in_flight" and not Bounce.objects.exists()


def test_one_server_that_blocks_us_does_not_hold_the_others_for_ever(issue, readers, relay):
    relay(Rule("rcpt", "550 5.7.133 Only our own people may write here", to="reader07"))
    mailing = delivery.schedule(issue)
    send(mailing, lanes=1)
    assert mailing.state == "paused"
    delivery.resume(mailing)
    later(mailing)
    counts = send(mailing, lanes=1)
    assert (mailing.state, counts["sent"], counts["failed"]) == ("sent", 29, 1)
    assert Delivery.objects.get(state="failed").reason == "blocked"
    assert Bounce.objects.get().kind == "blocked"


def test_a_connection_that_breaks_before_the_dot_is_a_plain_retry(issue, readers, relay):
    sink = relay(Rule("data", drop=True, after=6, times=1))
    counts = send(delivery.schedule(issue))
    assert counts["sent"] == len(sink.taken) == 30


def test_a_server_that_always_hangs_up_on_one_message_does_not_spin(issue, readers, relay):
    sink = relay(Rule("data", drop=True, to="reader07"))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert (counts["sent"], counts["queued"]) == (29, 1)
    waiting = mailing.deliveries.get(state="queued")
    assert (waiting.reason, waiting.attempts) == ("disconnected", 2)
    assert len(sink.commands) < 2000


def test_a_lost_reply_makes_the_one_duplicate_that_nobody_could_know_of(issue, readers, relay):
    sink = relay(Rule("dot", drop=True, times=2))
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert (counts["sent"], counts["queued"]) == (28, 2)
    doubtful = mailing.deliveries.filter(state="queued").values_list("reason", "uncertain_attempts")
    assert set(doubtful) == {("uncertain", 1)}
    later(mailing)
    assert send(mailing)["sent"] == 30
    twice = [address for address, count in Counter(sink.recipients).items() if count == 2]
    assert len(twice) == 2
    for address in twice:
        assert len({taken.message_id for taken in sink.to(address)}) == 1


def test_the_third_uncertain_attempt_is_held(issue, maria, relay):
    sink = relay(Rule("dot", drop=True))
    mailing = delivery.schedule(issue)
    for _attempt in range(3):
        send(mailing)
        later(mailing)
    assert delivery.counts(mailing)["failed"] == 1
    assert Delivery.objects.get().reason == "uncertain"
    assert len(sink.taken) == 3


def test_uncertain_deliveries_can_be_held_at_once(issue, maria, relay, settings):
    settings.UNCERTAIN_DELIVERIES = "hold"
    sink = relay(Rule("dot", drop=True))
    mailing = delivery.schedule(issue)
    assert send(mailing)["failed"] == 1
    assert (mailing.state, len(sink.taken)) == ("sent", 1)


def test_a_server_that_closes_after_a_few_messages_is_followed(issue, readers, relay):
    sink = relay(Rule("mail", "421 4.7.0 Enough for this connection", after=4, times=1))
    counts = send(delivery.schedule(issue))
    assert counts["sent"] == len(sink.taken) == 30
    assert not Delivery.objects.filter(attempts__gt=1).exists()


def test_a_cap_on_connections_is_respected(issue, readers, relay, monkeypatch):
    monkeypatch.setattr(supply, "CLAIM", 3)  # so that there is work for more lanes than are let in
    sink = relay(most_connections=2, delay=0.005)
    counts = send(delivery.schedule(issue))
    assert counts["sent"] == len(sink.taken) == 30
    assert sink.greeted <= 4


def test_a_relay_that_is_down_costs_no_attempts(issue, readers, relay, monkeypatch):
    monkeypatch.setattr(doors, "WORTH_WAITING", 0)
    sink = relay()
    sink.close()
    mailing = delivery.schedule(issue)
    counts = send(mailing)
    assert (mailing.state, counts["queued"]) == ("sending", 30)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    relay()
    assert send(mailing)["sent"] == 30


def test_after_a_crash_one_message_a_lane_is_in_doubt_and_the_rest_is_untouched(issue, readers):
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    sent, cleared = a_dead_lane(mailing, rows=10, sent=3, cleared=4), 4
    never = a_dead_lane(mailing, rows=5, sent=0, cleared=0)
    assert delivery.counts(mailing)["in_flight"] == 12
    assert adds_up(delivery.counts(mailing))
    assert reaper.reap() == 0
    Lane.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert reaper.reap() == 2
    assert not Lane.objects.exists()
    doubtful = mailing.deliveries.get(reason="uncertain")
    assert doubtful.pk == sent[cleared - 1].pk
    assert (doubtful.state, doubtful.attempts, doubtful.uncertain_attempts) == ("queued", 1, 1)
    assert 55 < (doubtful.due_at - timezone.now()).total_seconds() < 62
    untouched = mailing.deliveries.filter(state="queued", attempts=0, due_at__lte=timezone.now())
    assert untouched.count() == 26
    assert {row.pk for row in never} <= set(untouched.values_list("pk", flat=True))


def a_dead_lane(mailing, rows, sent, cleared, owner="elsewhere 1 1"):
    """What a killed process leaves: some rows sent, one that may have been, and some it never came to."""
    token = ledger.open_lane(owner)
    claimed = claims.claim_deliveries(mailing.pk, token, 0, rows)
    Delivery.objects.filter(pk__in=[row.pk for row in claimed[:sent]]).update(
        state="sent", lane=None, position=None, sent_at=clock.moment()
    )
    Lane.objects.filter(pk=token).update(cleared=cleared)
    return claimed


def test_lanes_of_a_dead_process_of_this_host_end_at_once(issue, readers):
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    host = sender.owner().rsplit(" ", 2)[0]
    a_dead_lane(mailing, 3, 1, 2, owner=f"{host} 4194305 12345")
    mine = a_dead_lane(mailing, 3, 1, 2, owner=sender.owner())
    assert reaper.reap() == 1
    assert mailing.deliveries.filter(state="in_flight").count() == len(mine) - 1


def test_a_lost_lease_records_nothing(issue, readers):
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    token = ledger.open_lane(sender.owner())
    [row, *_rest] = claims.claim_deliveries(mailing.pk, token, 0, 5)
    Lane.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert ledger.renew({token: row.position}) == set()
    ledger.record([ledger.Entry(token, row, replies.Verdict(Delivery.State.SENT))])
    assert delivery.counts(mailing)["sent"] == 0
    reaper.reap()
    assert delivery.counts(mailing)["queued"] == 30


def test_a_sleeper_that_wakes_writes_no_dot(issue, readers, relay, monkeypatch):
    """The process stands still for longer than its lease, between the body and the final dot."""
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    offset = 0.0
    real = lanes.pulse
    for module in (lanes, sender):
        monkeypatch.setattr(module, "pulse", lambda: real() + offset)
    finish = lanes.Lane.finish
    dots = []

    def sleepy(self, at_hand):
        nonlocal offset
        if self.may_finish and not dots:
            dots.append(self.offered)
            offset = 50.0
            assert not self.may_finish
        finish(self, at_hand)

    monkeypatch.setattr(lanes.Lane, "finish", sleepy)
    counts = send(mailing, lanes=1)
    assert dots
    assert counts["sent"] == len(sink.taken) == 30


def test_a_message_that_takes_longer_to_make_than_the_lease_lasts_lets_no_dot_out(issue, readers, relay, monkeypatch):
    """The next message is made when the final dot of the one before may go."""
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    offset = 0.0
    real, finish, prepare = lanes.pulse, lanes.Lane.finish, lanes.Lane.prepare
    for module in (lanes, sender):
        monkeypatch.setattr(module, "pulse", lambda: real() + offset)
    finishing, dots = [], []

    def watched(self, at_hand=False):
        finishing.append(self)
        finish(self, at_hand)
        finishing.clear()
        if offset and not dots:
            dots.append(self.dotted)

    def slow(self, at_hand=False):
        nonlocal offset
        if finishing and not offset:
            offset = 50.0
        prepare(self, at_hand)

    monkeypatch.setattr(lanes.Lane, "finish", watched)
    monkeypatch.setattr(lanes.Lane, "prepare", slow)
    counts = send(mailing, lanes=1)
    assert dots == [None]
    assert counts["sent"] == len(sink.taken) == 30


def test_two_senders_at_once_are_harmless(issue, readers, relay):
    """Interleaved turn by turn, as two processes would be."""
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    one, two = Sender(mailing.pk, 2), Sender(mailing.pk, 2)
    for each in (one, two):
        each.openers = ThreadPoolExecutor(2)
    while whole_turn(one) | whole_turn(two):
        pass
    assert one.tally.sent + two.tally.sent == len(sink.taken) == len(set(sink.recipients)) == 30


def test_notices_go_ahead_of_a_mailing(issue, readers, sam, relay, newsletter):
    sink = relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    subscribers.request_confirmation(sam, wording="Yes", source="test")
    send(mailing, lanes=1)
    assert sink.taken[0].recipient == sam.subscriber.email
    assert sink.taken[0].sender.startswith("bounce+n-")
    assert Notice.objects.get().state == "sent"


def test_a_notice_is_tried_again_and_not_sent_to_who_confirmed_meanwhile(sam, relay):
    sink = relay(Rule("rcpt", "450 4.2.1 Later", times=1))
    subscribers.request_confirmation(sam, wording="Yes", source="test")
    delivery.work_on_notices()
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts) == ("queued", 1)
    Notice.objects.update(due_at=F("first_tried_at"))
    Subscription.objects.update(status="confirmed", confirmed_at=timezone.now())
    delivery.work_on_notices()
    notice.refresh_from_db()
    assert (notice.state, notice.reason, sink.taken) == ("skipped", "confirmed", [])


def test_the_tick_wakes_what_stands_still(issue, maria, monkeypatch):
    rung = []
    monkeypatch.setattr(delivery.rounds.doorbell, "ring", lambda task, pk=None: rung.append((task, pk)))
    mailing = delivery.schedule(issue, timezone.now() + timedelta(hours=1))
    rung.clear()
    delivery.tick()
    assert rung == []
    Mailing.objects.update(scheduled_for=timezone.now())
    delivery.tick()
    assert rung == [("send_mailing", mailing.pk)]
    delivery.start(mailing)
    token = ledger.open_lane("elsewhere 1 1")
    claims.claim_deliveries(mailing.pk, token, 0, 5)
    rung.clear()
    delivery.tick()
    assert rung == []
    Lane.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    delivery.tick()
    assert rung == [("send_mailing", mailing.pk)]


def test_a_mailing_scheduled_for_later_is_left_alone(issue, maria, relay):
    relay()
    mailing = delivery.schedule(issue, timezone.now() + timedelta(hours=1))
    delivery.work_on(mailing.pk)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.deliveries.count()) == ("scheduled", 0)
    Mailing.objects.update(scheduled_for=timezone.now() - timedelta(seconds=1))
    delivery.work_on(mailing.pk)
    mailing.refresh_from_db()
    assert mailing.state == "sent"


def test_a_message_that_can_not_be_written_pauses_the_mailing(issue, maria, relay):
    relay()
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    mailing.variants.update(template=b"\x00header nonsense\x00")
    counts = send(mailing)
    assert (mailing.state, counts["queued"]) == ("paused", 1)
    assert "One of the messages could not be made" in mailing.pause_reason


def test_the_local_mailbox_takes_a_mailing_as_a_relay_does(issue, readers, settings, tmp_path):
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    counts = send(delivery.schedule(issue))
    assert counts["sent"] == 30
    assert len(list((tmp_path / "mailbox" / "new").iterdir())) == 30
    assert not list((tmp_path / "mailbox" / "tmp").iterdir())


def test_a_test_copy_leaves_nothing_behind(issue, maria, relay):
    sink = relay()
    assert delivery.send_test(issue, ["editor@school.example"]) == 1
    assert sink.recipients == ["editor@school.example"]
    assert sink.taken[0].message["Subject"].startswith("[Test]")
    assert not Mailing.objects.exists()
    with pytest.raises(delivery.Refused):
        delivery.send_test(issue, ["nonsense"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "in_flight"},
        {"lane": 5, "position": 1},
        {"state": "sent", "sent_at": None},
        {"due_at": None},
        {"state": "lost"},
    ],
)
def test_the_database_refuses_a_delivery_that_can_not_be(issue, maria, wrong):
    delivery.start(delivery.schedule(issue))
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.update(**wrong)


def test_backoff_doubles_to_an_hour():
    waits = [replies.backoff(attempts) for attempts in range(12)]
    for attempts, wait in enumerate(waits):
        nominal = min(60 * 2**attempts, 3600)
        assert 0.8 * nominal <= wait <= 1.2 * nominal


def test_a_claim_reads_no_more_subscriptions_than_it_has_rows(newsletter, issue):
    """As on a new site, where the database has counted nothing yet."""
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL counts what a statement reads.")
    synthetic.subscribers(newsletter, 3_000)
    mailing = mailings.enter(issue)
    delivery.freeze.start(mailing)
    with ledger.plain_plans():
        lane, before = ledger.open_lane("me"), _read("subscription")
        assert len(claims.claim_deliveries(mailing.pk, lane, 0, 100)) == 100
        assert _read("subscription") - before <= 200


@pytest.mark.parametrize(
    "ask",
    [mailings.finish, lambda _pk: claims.held(Lane.objects.all()).count(), lambda _pk: rounds._standing_still()],
    ids=["is it done", "what lanes hold", "does it stand still"],
)
def test_what_lanes_hold_is_found_without_reading_what_they_held_before(newsletter, issue, ask):
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL counts what a statement reads.")
    synthetic.subscribers(newsletter, 3_000)
    mailing = mailings.enter(issue)
    delivery.freeze.start(mailing)
    former, lane = ledger.open_lane("me"), ledger.open_lane("me")
    assert len(claims.claim_deliveries(mailing.pk, former, 0, 3_000)) == 3_000
    claims.free(former)
    assert len(claims.claim_deliveries(mailing.pk, lane, 0, 100)) == 100
    before = _read("delivery")
    ask(mailing.pk)
    assert _read("delivery") - before <= 200


def _read(table):
    """How many rows of a table this transaction has read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = %s",
            [f"newsletter_{table}"],
        )
        return cursor.fetchone()[0]
