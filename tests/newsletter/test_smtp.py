"""Bytes on the wire: pipelined or not, refused, dropped, held before the dot."""

from __future__ import annotations

import socket
import time

import pytest

from newsletter import smtp
from newsletter.smtp import Message, Relay, Stage, send_now
from tests.sink import Rule, Sink

pytestmark = pytest.mark.once

BODY = b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\n\r\n.a dot first\r\nand\r\n..two\r\n"


def a_message(recipient="maria@school.example", data=BODY):
    return Message(recipient, "bounce+x@b.example", recipient, data)


@pytest.fixture(params=[True, False], ids=["pipelining", "one command at a time"])
def features(request):
    return ("PIPELINING", "8BITMIME") if request.param else ("8BITMIME",)


def send(sink, *messages):
    session = Relay.parse(sink.url).connect()
    try:
        return [send_now(session, message) for message in messages]
    finally:
        session.drop()


def test_every_byte_arrives_and_dots_are_doubled_on_the_way(features):
    with Sink(features=features) as sink:
        outcomes = send(sink, a_message(), a_message("sam@school.example"))
    assert [outcome.taken for outcome in outcomes] == [True, True]
    assert [taken.raw for taken in sink.taken] == [BODY, BODY]
    assert sink.recipients == ["maria@school.example", "sam@school.example"]
    assert sink.taken[0].sender == "bounce+x@b.example"


def test_a_body_without_a_last_line_break_gets_one():
    with Sink() as sink:
        send(sink, a_message(data=b"Subject: x\r\n\r\nno end"))
    assert sink.taken[0].raw == b"Subject: x\r\n\r\nno end\r\n"


@pytest.mark.parametrize(
    ("stage", "words"),
    [("mail", "452 4.3.1 Full"), ("rcpt", "550 5.1.1 Nobody"), ("data", "451 4.3.0 Not now"), ("dot", "554 5.7.1 No")],
)
def test_a_refusal_names_its_stage_and_the_next_message_goes_through(features, stage, words):
    with Sink(Rule(stage, words, times=1), features=features) as sink:
        refused, taken = send(sink, a_message(), a_message("sam@school.example"))
    assert (refused.taken, refused.stage, str(refused.reply)) == (False, Stage(stage), words)
    assert taken.taken is True
    assert sink.recipients == ["sam@school.example"]


def test_nothing_is_taken_before_the_final_dot():
    with Sink() as sink:
        session = Relay.parse(sink.url).connect()
        session.offer(a_message())
        while not session.ready:
            session.hear()
        session.drop()
        send(sink, a_message("sam@school.example"))
    assert sink.recipients == ["sam@school.example"]


def test_a_connection_that_breaks_before_the_dot_proves_that_nothing_was_taken(features):
    with Sink(Rule("body", times=1), features=features) as sink:
        [outcome] = send(sink, a_message(data=BODY + b"x" * 20_000_000))
    assert outcome.taken is False
    assert sink.taken == []


def test_a_reply_lost_after_the_dot_is_uncertain(features):
    with Sink(Rule("dot", drop=True, times=1), features=features) as sink:
        [outcome] = send(sink, a_message())
    assert (outcome.taken, outcome.stage) == (None, Stage.DOT)
    assert sink.recipients == ["maria@school.example"]


def test_a_late_reply_is_waited_for():
    with Sink(Rule("dot", delay=2.5, times=1)) as sink:
        [outcome] = send(sink, a_message())
    assert outcome.taken is True


def test_patience_ends(monkeypatch):
    monkeypatch.setattr("newsletter.smtp.connection.AFTER_THE_DOT", 0.5)
    with Sink(Rule("dot", delay=5, times=1)) as sink:
        [outcome] = send(sink, a_message())
    assert outcome.taken is None


def test_patience_begins_anew_with_each_reply(monkeypatch):
    monkeypatch.setattr("newsletter.smtp.connection.FOR_A_COMMAND", 0.8)
    with Sink(*[Rule(stage, delay=0.5, times=1) for stage in ("mail", "rcpt", "data")]) as sink:
        [outcome] = send(sink, a_message())
    assert outcome.taken is True


def test_a_server_that_never_ends_its_reply_is_left(monkeypatch):
    monkeypatch.setattr("newsletter.smtp.connection.FOR_A_COMMAND", 0.5)
    ours, theirs = socket.socketpair()
    with theirs:
        connection = smtp.Connection(ours, {"pipelining": ""})
        connection.offer(a_message())
        for _line in range(12):
            if not connection.broken:
                theirs.send(b"250-there is more to say\r\n")
                time.sleep(0.1)
                connection.hear()
        assert connection.broken


def test_a_relay_that_does_not_answer_is_named():
    with Sink() as sink:
        pass
    with pytest.raises(smtp.Refused, match=f"127.0.0.1:{sink.port} does not answer"):
        Relay.parse(sink.url).connect()


def test_a_relay_that_turns_us_away_is_quoted():
    with Sink(Rule("greeting", "554 5.7.1 Go away")) as sink, pytest.raises(smtp.Refused) as refused:
        Relay.parse(sink.url).connect()
    assert refused.value.reply.code == 554
    assert "Go away" in str(refused.value)


def test_an_address_outside_ascii_needs_a_relay_that_takes_it():
    message = a_message("maría@school.example")
    with Sink(features=("PIPELINING", "SMTPUTF8", "8BITMIME")) as able, Sink(features=("PIPELINING",)) as unable:
        assert send(able, message)[0].taken is True
        [refused] = send(unable, message)
    assert "MAIL FROM:<bounce+x@b.example> SMTPUTF8 BODY=8BITMIME" in able.commands
    assert refused.taken is False
    assert "SMTPUTF8" in refused.reply.text


@pytest.mark.parametrize(
    "url",
    ["smtp://", "http://relay.example", "smtp://relay.example:port", "smtp://relay.example?weight=0", "relay.example"],
)
def test_an_address_of_a_relay_that_can_not_work_is_named(url):
    with pytest.raises(Exception, match="SMTP_URL"):
        Relay.parse(url)


def test_a_relay_is_read_from_its_address():
    relay = Relay.parse("smtp+starttls://us%40er:p%3Ass@relay.example?weight=3")
    assert (relay.host, relay.port, relay.weight) == ("relay.example", 587, 3)
    assert (relay.user, relay.password) == ("us@er", "p:ss")


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_mail_goes_over_tls_with_a_password(certificate, scheme):
    sink = Sink(certificate=certificate, implicit_tls=scheme == "smtps", account=("news", "s:cret"))
    with sink:
        session = Relay.parse(f"{scheme}://news:s%3Acret@127.0.0.1:{sink.port}").connect()
        big = BODY + b"x" * 70 + (b"\r\n" + b"y" * 70) * 20_000
        outcomes = [send_now(session, a_message(data=big + b"\r\n")) for _each in range(3)]
        session.leave()
    assert [outcome.taken for outcome in outcomes] == [True] * 3
    assert sink.taken[2].raw == big + b"\r\n"


def test_a_wrong_password_is_said(certificate):
    sink = Sink(certificate=certificate, account=("news", "secret"))
    with sink, pytest.raises(smtp.Refused, match=r"535 5\.7\.8 Wrong user name or password"):
        Relay.parse(f"smtp+starttls://news:wrong@127.0.0.1:{sink.port}").connect()
