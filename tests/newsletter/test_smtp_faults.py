"""Servers at their worst: nobody is missed, nobody gets it twice but where a reply was lost, nobody is removed."""

from __future__ import annotations

import socket

import pytest

from newsletter import delivery, smtp
from newsletter.delivery import doors, pace, replies, sender, throttles
from newsletter.models import Delivery, Subscription, Throttle
from newsletter.smtp import Message, Relay, send_now
from tests.newsletter.issues import an_issue
from tests.newsletter.sending import later, nobody_removed, send, send_to_the_end, twice
from tests.sink import Rule, Sink

READERS = 30


@pytest.fixture
def mailing(newsletter, people):
    """An issue for thirty readers at three domains."""
    for number in range(READERS):
        people(f"reader{number:02}@{('school', 'district', 'charter')[number % 3]}.example")
    return delivery.schedule(an_issue())


@pytest.fixture
def relay(settings):
    """Starts a sink and makes it the only relay: `relay(Rule(...))`."""
    sinks = []

    def start(*rules, scheme="smtp", account="", **options):
        sink = Sink(*rules, **options).__enter__()
        sinks.append(sink)
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [f"{scheme}://{account}127.0.0.1:{sink.port}"], False
        return sink

    yield start
    for sink in sinks:
        sink.close()


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """Rests are short."""
    monkeypatch.setattr(doors, "FIRST_REST", 0.05)
    monkeypatch.setattr(sender, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(doors, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(pace, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(throttles, "FIRST_REST", 0.1)
    monkeypatch.setattr(throttles, "SLOWEST", 6000.0)
    monkeypatch.setattr(pace, "STAND_BY", 0.3)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("greeting", "421 4.3.2 Not now", times=2),
        Rule("greeting", "451 4.7.1 Not now", times=2),
        Rule("greeting", drop=True, times=2),
        Rule("ehlo", drop=True, times=2),
        Rule("mail", "421 4.3.2 Closing", times=2),
        Rule("mail", "421 4.7.0 Rate limit exceeded", times=2),
        Rule("mail", "451 4.3.0 Not now", times=5),
        Rule("mail", drop=True, times=2),
        Rule("rcpt", "421 4.3.2 Closing", times=2),
        Rule("rcpt", "450 4.7.1 Too many messages for this domain", times=5),
        Rule("rcpt", "451 4.7.1 Greylisted, come back", each=True),
        Rule("rcpt", drop=True, times=2),
        Rule("data", "421 4.3.2 Closing", times=2),
        Rule("data", "452 4.3.1 Full", times=5),
        Rule("data", drop=True, times=2),
        Rule("body", times=2),
        Rule("dot", "421 4.3.2 Closing", times=2),
        Rule("dot", "451 4.3.0 Later", times=5),
        Rule("dot", "452 4.2.2 Mailbox quota exceeded", times=5),
    ],
    ids=lambda rule: f"{rule.at}-{rule.say[:3] or 'drop'}{'-each' if rule.each else ''}",
)
@pytest.mark.parametrize(
    "features",
    [("PIPELINING", "8BITMIME", "SIZE 10000000"), pytest.param((), marks=pytest.mark.once)],
    ids=["pipelining", "plain"],
)
def test_whatever_is_temporary_is_made_up_for(mailing, relay, rule, features):
    sink = relay(Rule(**{**vars(rule), "met": set()}), features=features)
    counts = send_to_the_end(mailing)
    assert (mailing.state, counts["sent"]) == ("sent", READERS)
    assert len(sink.taken) == READERS
    assert nobody_removed()


@pytest.mark.parametrize("stage", ["greeting", "mail"])
def test_a_421_before_a_message_was_begun_counts_no_attempt(mailing, relay, stage):
    sink = relay(Rule(stage, "421 4.3.2 Service shutting down", times=3))
    send(mailing)
    assert len(sink.taken) == READERS
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.parametrize("lost", [True, False], ids=["not taken", "taken"])
def test_only_a_lost_reply_makes_a_second_copy(mailing, relay, lost):
    sink = relay(Rule("dot", drop=True, lost=lost, times=3))
    send_to_the_end(mailing)
    assert len({taken.recipient for taken in sink.taken}) == READERS
    assert len(twice([sink])) == (0 if lost else 3)
    for address in twice([sink]):
        assert len({taken.message_id for taken in sink.to(address)}) == 1


def test_a_reply_that_comes_very_late_makes_no_second_copy(mailing, relay):
    sink = relay(Rule("dot", delay=3, times=2))
    counts = send_to_the_end(mailing)
    assert counts["sent"] == len(sink.taken) == READERS
    assert set(Delivery.objects.values_list("uncertain_attempts", flat=True)) == {0}


def test_a_late_reply_on_one_connection_holds_up_no_other(mailing, relay):
    sink = relay(Rule("dot", delay=2, to="reader29"))
    send_to_the_end(mailing)
    late = next(taken for taken in sink.taken if "reader29" in taken.recipient)
    assert len([taken for taken in sink.taken if taken.at < late.at + 2]) == READERS


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_server_that_stalls_is_left_after_a_while(mailing, relay, stage, monkeypatch):
    monkeypatch.setattr("newsletter.smtp.connection.FOR_A_COMMAND", 0.5)
    sink = relay(Rule(stage, delay=3600, times=2))
    counts = send_to_the_end(mailing)
    assert counts["sent"] == len(sink.taken) == READERS


def test_patience_after_the_dot_is_ten_minutes():
    assert smtp.connection.AFTER_THE_DOT == 600


@pytest.mark.parametrize(
    ("rule", "failed"),
    [
        (Rule("rcpt", "550 5.1.1 No such person", to="district"), 10),
        (Rule("rcpt", "551 5.1.6 Moved away", to="reader07"), 1),
        (Rule("dot", "550 5.2.1 Mailbox disabled", to="reader07"), 1),
    ],
    ids=lambda value: value.say[:9] if isinstance(value, Rule) else "",
)
def test_an_address_that_is_refused_is_not_tried_again(mailing, relay, rule, failed):
    sink = relay(rule)
    counts = send_to_the_end(mailing)
    assert (counts["sent"], counts["failed"]) == (READERS - failed, failed)
    asked = [command for command in sink.commands if command.startswith("RCPT") and rule.to in command]
    assert len(asked) == failed


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_a_refusal_by_policy_removes_nobody(mailing, relay, stage):
    sink = relay(Rule(stage, "550 5.7.1 Rejected by policy"))
    send(mailing)
    assert mailing.state == "paused" and "Rejected by policy" in mailing.pause_reason
    assert nobody_removed()
    sink.rules.clear()
    delivery.resume(mailing)
    later(mailing)
    assert send_to_the_end(mailing)["sent"] == len(sink.taken) == READERS


@pytest.mark.parametrize(
    "features",
    [(), ("PIPELINING",), ("8BITMIME", "SIZE"), ("PIPELINING", "SIZE 0"), ("SMTPUTF8", "8BITMIME"), ("X-NOTHING",)],
    ids=" ".join,
)
def test_what_a_server_does_not_offer_is_not_used(mailing, relay, features):
    sink = relay(features=features)
    assert send(mailing)["sent"] == len(sink.taken) == READERS
    mails = [command for command in sink.commands if command.startswith("MAIL")]
    assert any("SIZE=" in mail for mail in mails) == any(each.startswith("SIZE") for each in features)
    assert not any("BODY=" in mail or "SMTPUTF8" in mail for mail in mails)


def test_a_server_that_knows_only_helo_takes_everything(mailing, relay):
    sink = relay(Rule("ehlo", "502 5.5.2 What is EHLO?"))
    assert send(mailing)["sent"] == len(sink.taken) == READERS


def test_a_reply_may_have_many_lines_and_come_byte_by_byte(mailing, relay):
    sink = relay(
        Rule("greeting", "220-sink.example\r\n220 Welcome"),
        Rule("mail", "250-2.1.0 Sender\r\n250-2.1.0 is\r\n250 2.1.0 fine"),
        Rule("dot", "250-2.0.0 Taken\r\n250 2.0.0 as number 7"),
        trickle=True,
    )
    assert send(mailing)["sent"] == len(sink.taken) == READERS
    assert Delivery.objects.first().reply == "250 2.0.0 Taken 2.0.0 as number 7"


@pytest.mark.parametrize("words", ['"}, {\\n\\', "NULL", "{}", "\\\"', ¿más?"])
def test_a_reply_is_kept_as_it_was_said(maria, relay, words):
    relay(Rule("dot", say=f"250 {words}"))
    send(delivery.schedule(an_issue()))
    assert Delivery.objects.get().reply == f"250 {words}"


def test_after_a_refusal_the_connection_is_reset_and_goes_on(mailing, relay):
    sink = relay(Rule("rcpt", "550 5.1.1 No such person", to="district"))
    assert send(mailing, lanes=1)["sent"] == 20
    assert sink.commands.count("RSET") == 10
    assert sink.greeted == 1


def test_each_transaction_has_one_recipient(mailing, relay):
    sink = relay()
    send(mailing)
    verbs = [command.split(" ")[0] for command in sink.commands]
    assert verbs.count("MAIL") == verbs.count("RCPT") == verbs.count("DATA") == READERS


def test_a_message_too_big_for_the_server_is_said_once_and_in_plain_words(mailing, relay):
    sink = relay(features=("PIPELINING", "SIZE 1000"))
    counts = send(mailing)
    assert (mailing.state, counts["queued"], sink.taken) == ("paused", READERS, [])
    assert "The message is too big for the mail server" in mailing.pause_reason
    assert "the mail server takes 1000" in mailing.pause_reason
    assert nobody_removed()
    assert Delivery.objects.filter(attempts__gt=0).count() <= sender.LANES


def test_a_certificate_for_nobody_stops_everything_but_loopback(mailing, relay, certificate, settings, monkeypatch):
    sink = relay(certificate=certificate, scheme="smtp+starttls")
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: resolve("127.0.0.1", *more, **named))
    settings.SMTP_URLS = [f"smtp+starttls://relay.example:{sink.port}"]
    monkeypatch.setattr(doors, "WORTH_WAITING", 0)
    send(mailing)
    assert sink.taken == []
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    assert "No safe connection" in Throttle.objects.get().why
    settings.SMTP_URLS = [f"smtp+starttls://127.0.0.1:{sink.port}"]
    assert send(mailing)["sent"] == len(sink.taken) == READERS


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scheme": "smtp+starttls"}, "STARTTLS"),
        ({"account": "me:secret@", "auth": ""}, "AUTH"),
        ({"account": "me:wrong@", "sink": ("me", "secret")}, "535 5.7.8 Wrong user name or password"),
    ],
    ids=["no STARTTLS", "no AUTH", "wrong password"],
)
def test_a_door_that_stays_shut_pauses_the_mailing_and_says_why(mailing, settings, options, words):
    account = options.pop("sink", None)
    with Sink(account=account, auth=options.pop("auth", "AUTH PLAIN")) as sink:
        scheme, login = options.get("scheme", "smtp"), options.get("account", "")
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [f"{scheme}://{login}127.0.0.1:{sink.port}"], False
        send(mailing)
    assert mailing.state == "paused" and words in mailing.pause_reason
    assert "wrong@" not in mailing.pause_reason
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    assert nobody_removed()


@pytest.mark.parametrize(
    "options",
    [
        {"scheme": "smtp+starttls", "broken_tls": True},
        {"scheme": "smtps"},
        {"account": "me:secret@", "auth_answer": "454 4.7.0 Temporary authentication failure"},
    ],
    ids=["handshake", "no TLS at all", "454"],
)
def test_a_door_that_may_open_later_is_tried_later(mailing, relay, settings, options, monkeypatch):
    monkeypatch.setattr(doors, "WORTH_WAITING", 0)
    account = ("me", "secret") if "account" in options else None
    scheme, login = options.pop("scheme", "smtp"), options.pop("account", "")
    with Sink(account=account, **options) as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [f"{scheme}://{login}127.0.0.1:{sink.port}"], False
        send(mailing)
    assert (mailing.state, sink.taken) == ("sending", [])
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    assert Throttle.objects.get(key=f"relay:127.0.0.1:{sink.port}").why
    sound = relay()
    assert send(mailing)["sent"] == len(sound.taken) == READERS


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r"])
def test_no_line_end_inside_a_message_ends_it(mailing, relay, end):
    sink = relay(lax=True)
    delivery.start(mailing)
    smuggled = end + b"MAIL FROM:<x@evil.example>\r\nRCPT TO:<y@evil.example>\r\nDATA\r\nSubject: smuggled\r\n"
    for variant in mailing.variants.all():
        variant.template = bytes(variant.template) + smuggled
        variant.save()
    assert send(mailing)["sent"] == len(sink.taken) == READERS
    assert not any("evil" in command for command in sink.commands)
    assert all(taken.raw.count(b"smuggled") == 1 for taken in sink.taken)


def test_dots_and_long_lines_arrive_as_they_were():
    body = b"Subject: x\r\n\r\n.\r\n..\r\n.x\r\n" + b"y" * 5000 + b"\r\n." + b"z" * 998 + b"\r\n"
    with Sink() as sink:
        session = Relay.parse(sink.url).connect()
        outcome = send_now(session, Message(None, "a@b.example", "c@d.example", body))
        session.leave()
    assert outcome.taken and sink.taken[0].raw == body


def test_no_line_of_a_mailing_is_longer_than_998_bytes(mailing, relay):
    sink = relay()
    send(mailing)
    assert max(len(line) for taken in sink.taken for line in taken.raw.split(b"\r\n")) <= 998


def test_an_address_that_the_way_can_not_carry_is_no_dead_address(mailing, relay):
    relay(features=("PIPELINING", "8BITMIME"))
    delivery.start(mailing)
    Delivery.objects.filter(address__startswith="reader07").update(address="maría@school.example")
    counts = send(mailing)
    assert (counts["sent"], counts["failed"]) == (READERS - 1, 1)
    assert Delivery.objects.get(state="failed").bounces.get().kind == "soft"
    assert not Subscription.objects.exclude(status="confirmed").exists()


def test_one_relay_that_is_down_costs_nothing_while_another_stands(mailing, settings):
    with Sink() as up, Sink() as down:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [down.url, up.url], False
        down.close()
        counts = send(mailing)
    assert counts["sent"] == len(up.taken) == READERS
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_relay_that_comes_back_is_used_again(mailing, settings, people, monkeypatch):
    monkeypatch.setattr(sender, "MAKE_ROOM_EVERY", 0.1)
    monkeypatch.setattr(doors, "LONGEST_REST", 0.1)
    for number in range(300):
        people(f"more{number}@school.example")
    with Sink(delay=0.08) as steady, Sink() as first:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [first.url, steady.url], False
        first.close()
        back = []
        turn = sender.Sender._turn

        def watching(self):
            if len(steady.taken) > 60 and not back:
                back.append(Sink(port=first.port).__enter__())
            return turn(self)

        monkeypatch.setattr(sender.Sender, "_turn", watching)
        counts = send_to_the_end(mailing)
        assert counts["sent"] == len(steady.taken) + len(back[0].taken) == READERS + 300
        assert len(back[0].taken) > 30
        back[0].close()
    assert twice([steady, *back]) == []


def test_weights_are_kept_over_many_connections(mailing, settings, people):
    with Sink(delay=0.02) as heavy, Sink(delay=0.02) as light:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [f"{heavy.url}?weight=3", light.url], False
        for number in range(400):
            people(f"more{number}@school.example")
        send(mailing)
        assert (heavy.most_open, light.most_open) == (6, 2)
        assert 2 < len(heavy.taken) / len(light.taken) < 4.5


def test_a_reply_says_what_must_slow_down():
    reply = smtp.Reply(450, "4.7.1 Error: too much mail from 192.0.2.1")
    assert replies.slows(reply, smtp.Stage.RCPT) is replies.Slows.DOMAIN
    assert replies.slows(reply, smtp.Stage.MAIL) is replies.Slows.RELAY
    for words in ("4.7.1 Greylisting in action", "4.2.2 Quota limit exceeded", "4.7.0 Too many mails for this session"):
        assert replies.slows(smtp.Reply(451, words), smtp.Stage.RCPT) is None
    assert replies.slows(smtp.Reply(421, "4.3.2 Closing"), smtp.Stage.MAIL) is None
