"""The pace of a mailing: routes, limits and warm-up are kept by all senders together, and hold up nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from newsletter import delivery, subscribers
from newsletter.delivery import clock, doors, pace, sender, supply, throttles
from newsletter.delivery.sender import Sender
from newsletter.models import Delivery, Lane, Notice, Throttle
from resource_center import preflight
from tests.newsletter.issues import an_issue
from tests.newsletter.sending import later, send, send_to_the_end, whole_turn
from tests.sink import Rule, Sink

READERS = 30
DOMAINS = ("school.example", "district.example", "charter.example")


@pytest.fixture
def mailing(newsletter, people):
    """An issue for thirty readers, ten at each domain, frozen."""
    for number in range(READERS):
        people(f"reader{number:02}@{DOMAINS[number % 3]}")
    mailing = delivery.schedule(an_issue())
    delivery.start(mailing)
    return mailing


@pytest.fixture
def relays(settings):
    """Starts sinks and makes them the only relays: `relays(first, second)`, each the options of a sink and its URL."""
    sinks = []

    def start(*options):
        for each in options or [{}]:
            sinks.append(Sink(*each.get("rules", ()), delay=each.get("delay", 0.0)).__enter__())
        urls = [sink.url + each.get("url", "") for sink, each in zip(sinks, options or [{}], strict=True)]
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = urls, False
        return sinks if len(sinks) > 1 else sinks[0]

    yield start
    for sink in sinks:
        sink.close()


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """Rests are short."""
    monkeypatch.setattr(doors, "FIRST_REST", 0.05)
    monkeypatch.setattr(sender, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(doors, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(pace, "LOOK_EVERY", 0.1)


def limit(settings, text):
    assert preflight.domain_limits(text) == ""
    settings.DOMAIN_LIMITS = preflight.read_domain_limits(text)


def warm_up(settings, text):
    assert preflight.warm_up(text) == ""
    settings.MAIL_WARM_UP = preflight.read_warm_up(text)


def at(sink, domain):
    return [taken.at for taken in sink.taken if taken.recipient.endswith(domain)]


def busiest(moments, seconds):
    """The most moments within any such stretch of time."""
    return max(sum(begin <= moment < begin + seconds for moment in moments) for begin in moments)


def test_a_limited_domain_gets_no_more_than_its_rate_and_holds_up_nobody(mailing, relays, settings):
    limit(settings, "district.example=120/min")
    sink = relays()
    counts = send(mailing)
    assert counts["sent"] == len(set(sink.recipients)) == len(sink.taken) == READERS
    limited, others = at(sink, "district.example"), at(sink, "school.example") + at(sink, "charter.example")
    assert max(limited) - min(limited) > 1.5
    assert max(others) < min(limited) + 1
    assert busiest(limited, 1.0) <= 8


@pytest.mark.parametrize("rate", [1, 7, 20, 60, 100, 6000])
def test_in_no_minute_does_more_go_than_the_rate(rate):
    row, start = Throttle(key="domain:x.example"), timezone.now()
    gone = []
    for tenth in range(2400):
        now = start + timedelta(seconds=tenth / 10)
        count = int(throttles.tokens(row, rate, now))
        throttles.spend(row, rate, count, now)
        gone.append(count)
    minutes = [sum(gone[begin : begin + 600]) for begin in range(1800)]
    assert max(minutes) <= rate
    assert sum(gone[600:]) >= 0.9 * 3 * rate


def test_a_domain_gets_no_more_connections_than_its_limit(mailing, relays, settings, people, monkeypatch):
    limit(settings, "district.example=2")
    sink = relays({"delay": 0.01})
    turn, seen = Sender._turn, []

    def watching(self):
        if self.settlement is None:
            held = Delivery.objects.filter(lane__isnull=False, domain="district.example")
            seen.append(held.values("lane").distinct().count())
        return turn(self)

    monkeypatch.setattr(supply, "CLAIM", 3)
    monkeypatch.setattr(Sender, "_turn", watching)
    counts = send(mailing)
    assert counts["sent"] == len(sink.taken) == READERS
    assert max(seen) == 2
    assert sink.most_open > 2


def interleaved(mailing, lanes=4):
    """Two senders, turn by turn, as two processes would be."""
    senders = [Sender(mailing.pk, lanes), Sender(mailing.pk, lanes)]
    for each in senders:
        each.openers = ThreadPoolExecutor(lanes)
    while whole_turn(senders[0]) | whole_turn(senders[1]):
        pass
    return sum(each.tally.sent for each in senders)


def test_two_senders_keep_to_a_relays_connections_together(mailing, relays, monkeypatch):
    monkeypatch.setattr(supply, "CLAIM", 3)
    sink = relays({"url": "?connections=3", "delay": 0.02})
    assert interleaved(mailing) == len(sink.taken) == READERS
    assert sink.most_open == 3


def test_two_senders_keep_to_a_relays_rate_together(mailing, relays):
    sink = relays({"url": "?rate=300"})
    assert interleaved(mailing) == len(sink.taken) == READERS
    moments = [taken.at for taken in sink.taken]
    assert busiest(moments, 1.0) <= 15 + 5
    assert max(moments) - min(moments) > 2.5


def test_slow_lanes_keep_their_connection(mailing, relays):
    sink = relays({"url": "?rate=300"})
    send(mailing)
    assert len(sink.taken) == READERS
    assert sink.greeted <= 3


def test_processes_side_by_side_keep_a_relays_limits(live_database, people, newsletter, relays):
    senders = 3 if connection.vendor == "postgresql" else 1  # On SQLite one process sends at a time.
    for number in range(100):
        people(f"reader{number:02}@{DOMAINS[number % 3]}")
    mailing = delivery.schedule(an_issue())
    delivery.start(mailing)
    sink = relays({"url": "?connections=3&rate=1200", "delay": 0.02})
    sent = []

    def work():
        sent.append(Sender(mailing.pk, 4).run().sent)
        connection.close()

    threads = [Thread(target=work) for _each in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(sent) == len(set(sink.recipients)) == len(sink.taken) == 100
    assert sink.most_open <= 4  # one more for the moment in which the server has not seen the last one go
    assert busiest([taken.at for taken in sink.taken], 1.0) <= 60 + 20 + 3


def test_a_route_takes_the_mail_for_its_domains_and_nothing_else(mailing, relays, sam):
    rest, own = relays({}, {"url": "?domains=district.example,school.example&weight=5"})
    subscribers.request_confirmation(sam, wording="Yes", source="test")  # at school.example
    assert send(mailing)["sent"] == READERS
    assert {taken.recipient.rpartition("@")[2] for taken in rest.taken} == {"charter.example"}
    assert {taken.recipient.rpartition("@")[2] for taken in own.taken} == {"district.example", "school.example"}
    assert len(rest.taken) == 10 and len(own.taken) == 21
    assert sam.subscriber.email in own.recipients
    delivery.send_test(mailing.issue, ["me@charter.example", "you@school.example", "it@charter.example"])
    assert (rest.recipients.count("me@charter.example"), own.recipients.count("you@school.example")) == (1, 1)


def test_mail_waits_for_the_relay_of_its_route_while_the_rest_goes_on(mailing, relays, monkeypatch):
    monkeypatch.setattr(doors, "WORTH_WAITING", 0)
    monkeypatch.setattr(doors, "FIRST_REST", 30)
    rest, own = relays({}, {"url": "?domains=district.example"})
    own.close()
    counts = send(mailing)
    assert (counts["sent"], counts["queued"], len(rest.taken)) == (20, 10, 20)
    assert set(mailing.deliveries.filter(state="queued").values_list("domain", "attempts")) == {("district.example", 0)}
    assert any(f"127.0.0.1:{own.port} rests until" in sentence for sentence in delivery.hindrances(mailing))
    Throttle.objects.update(rest_until=clock.moment(-1))
    with Sink(port=own.port) as back:
        assert send_to_the_end(mailing)["sent"] == READERS
        assert len(back.taken) == 10
    assert len(rest.taken) == 20


def test_a_warm_up_lets_so_many_go_today_and_says_when_it_goes_on(mailing, relays, settings, sam):
    today = timezone.localdate()
    warm_up(settings, f"{today}:first=12,days=3")
    sink = relays()
    counts = send(mailing)
    assert (counts["sent"], counts["queued"], len(sink.taken)) == (12, 18, 12)
    assert Throttle.objects.get(key=f"day:{today}").spent == 12
    assert delivery.hindrances(mailing)[:2] == [
        "Warm-up: at most 12 messages may go out today, and 18 are waiting.",
        "The rest goes on tomorrow, with at most 1,549 messages.",
    ]
    subscribers.request_confirmation(sam, wording="Yes", source="test")
    delivery.work_on_notices()
    assert Notice.objects.get().state == "sent"  # nobody waits a day for a confirmation
    warm_up(settings, f"{today - timedelta(days=1)}:first=12,days=3")
    assert send(mailing)["sent"] == len(set(sink.recipients)) - 1 == READERS


def test_two_senders_keep_a_warm_up_together(mailing, relays, settings):
    warm_up(settings, f"{timezone.localdate()}:first=17")
    sink = relays()
    assert interleaved(mailing) == len(sink.taken) == 17


def test_a_warm_up_counts_what_the_server_may_have_taken(mailing, relays, settings):
    warm_up(settings, f"{timezone.localdate()}:first=5,days=3")
    relays({"rules": [Rule("dot", drop=True)]})
    send(mailing)
    assert Throttle.objects.get(key__startswith="day:").spent == 5


def test_a_warm_up_grows_from_200_to_200_000_in_42_days(settings):
    warm_up(settings, "2026-11-26")
    noon = timezone.make_aware(timezone.datetime(2026, 11, 26, 12))
    allowed = [throttles.most_today(noon + timedelta(days=day)) for day in range(-1, 43)]
    assert (allowed[0], allowed[1], allowed[42], allowed[43]) == (None, 200, 200_000, None)
    growth = [later / earlier for earlier, later in pairwise(allowed[1:43])]
    assert 1.17 < min(growth) <= max(growth) < 1.20


def test_a_domain_that_asks_for_less_rests_and_the_others_go_on(mailing, relays):
    sink = relays({"rules": [Rule("rcpt", "450 4.7.1 <you@x.example> Rate limited", to="district")]})
    counts = send(mailing, lanes=1)
    assert (counts["sent"], counts["queued"]) == (20, 10)
    tried = mailing.deliveries.filter(state="queued", attempts__gt=0).count()
    assert 1 <= tried <= 2  # of the eight or nine that the lane had claimed
    untouched = mailing.deliveries.filter(state="queued", attempts=0)
    assert set(untouched.values_list("reason", "reply", "lane")) == {("", "", None)}
    row = Throttle.objects.get()
    assert (row.key, row.signs, row.why) == ("domain:district.example", 1, "450 4.7.1 <…> Rate limited")
    assert 25 < (row.rest_until - timezone.now()).total_seconds() <= 30
    [sentence] = delivery.hindrances(mailing)
    assert sentence.startswith("district.example rests until") and sentence.endswith("10 are waiting.")
    sink.rules.clear()
    later(mailing)
    assert send(mailing)["queued"] == 10  # another sender knows it too
    Throttle.objects.update(rest_until=clock.moment(-1))
    [sentence] = delivery.hindrances(mailing)
    assert sentence.startswith("district.example asked for less")
    assert send_to_the_end(mailing)["sent"] == len(sink.taken) == READERS


def test_each_sign_halves_the_rate_and_time_brings_it_back(db):
    key, now = "domain:x.example", timezone.now()
    throttles.slow_down(key, None, 1000.0, "slow down")
    throttles.slow_down(key, None, 1000.0, "what was on its way answers too")
    row = Throttle.objects.get()
    assert (row.rate, row.usual, row.signs) == (500, 1000, 1)
    Throttle.objects.update(rest_until=now)
    throttles.slow_down(key, None, 1000.0, "slow down")
    row = Throttle.objects.get()
    assert row.rate == pytest.approx(250, 0.01) and (row.usual, row.signs) == (1000, 2)
    assert (row.rest_until - row.slowed_at).total_seconds() == pytest.approx(60)
    rates = [throttles.going_rate(row, None, row.slowed_at + timedelta(minutes=minute)) for minute in range(17)]
    assert rates[:4] == pytest.approx([250, 300, 350, 400], rel=0.01)
    assert rates[15:] == [None, None]
    assert throttles.going_rate(row, 300, row.slowed_at + timedelta(minutes=5)) == 300
    throttles.forget()
    assert Throttle.objects.exists()
    Throttle.objects.update(slowed_at=now - timedelta(days=4), rest_until=now - timedelta(days=4))
    throttles.forget()
    assert not Throttle.objects.exists()


def test_a_relay_that_asks_for_less_slows_down_as_a_whole(mailing, relays, monkeypatch):
    monkeypatch.setattr(throttles, "FIRST_REST", 0.3)
    monkeypatch.setattr(throttles, "SLOWEST", 300.0)
    sink = relays({"rules": [Rule("mail", "450 4.7.1 Error: too much mail from 192.0.2.1", after=8, times=1)]})
    send(mailing, lanes=1)
    row = Throttle.objects.get()
    assert row.key == f"relay:127.0.0.1:{sink.port}" and row.rate >= 300
    assert send_to_the_end(mailing)["sent"] == len(sink.taken) == READERS


def test_where_nothing_is_limited_the_pace_costs_one_look_a_second(mailing, relays, monkeypatch):
    monkeypatch.setattr(pace, "LOOK_EVERY", 3600)
    relays()
    with CaptureQueriesContext(connection) as queries:
        send(mailing)
    about_pace = [query["sql"] for query in queries if "newsletter_throttle" in query["sql"]]
    assert len(about_pace) == 1


def test_what_was_passed_in_the_queue_is_come_back_to(mailing, relays, settings, monkeypatch):
    """Rows given back stand before the place a claim has reached."""
    monkeypatch.setattr(supply, "CLAIM", 4)
    limit(settings, "district.example=600/min")
    sink = relays({"rules": [Rule("mail", "421 4.3.2 Enough", after=3, times=4)], "delay": 0.01})
    assert send_to_the_end(mailing)["sent"] == len(sink.taken) == READERS


def test_deliver_waits_for_a_limited_domain(mailing, relays, settings, capsys):
    limit(settings, "district.example=240/min")
    sink = relays()
    call_command("deliver", mailing.pk, "--json")
    assert len(sink.taken) == READERS


def test_why_a_mailing_takes_its_time_is_said(mailing, relays, settings):
    limit(settings, "gmail.com=60/min,4 district.example=20/min,4 school.example=2")
    relays({"url": "?rate=1200"})
    said = delivery.hindrances(mailing)
    assert said[0].endswith("takes at most 1,200 messages a minute.")
    assert sorted(said[1:]) == [
        "district.example: at most 20 a minute, 10 are waiting.",
        "school.example: at most 2 connections at once, 10 are waiting.",
    ]
    with translation.override("es"):
        assert "district.example: como máximo 20 por minuto, 10 esperan." in delivery.hindrances(mailing)
    delivery.pause(mailing)
    assert delivery.hindrances(mailing) == []


def test_lanes_name_their_relay(mailing, relays):
    sink = relays({"delay": 0.2})
    one = Sender(mailing.pk, 2)
    one.openers = ThreadPoolExecutor(2)
    one._turn()
    assert set(Lane.objects.values_list("way", flat=True)) == {f"127.0.0.1:{sink.port}"}
    while one._turn():
        pass
