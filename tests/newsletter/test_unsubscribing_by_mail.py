"""Whoever presses "Unsubscribe" in a mail program is out: the mail it writes is obeyed, and nothing that is like it."""

from __future__ import annotations

import io
import json
import re

import pytest
from django.core.management import call_command

from newsletter import bounces, delivery, links, notices, subscribers
from newsletter.mail_identity import return_address
from newsletter.models import Bounce, ConsentEvent, Delivery, Notice, Subscription
from tests.mailboxes import ImapServer, Pop3Server
from tests.newsletter.issues import an_issue
from tests.sink import Sink

pytestmark = pytest.mark.once


@pytest.fixture
def relay(settings):
    """A mail server that takes everything."""
    with Sink() as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        yield sink


@pytest.fixture
def sent(relay, newsletter, maria, people):
    """What went to Maria and Omar: their messages by address."""
    people("omar@school.example")
    delivery.send_until_idle(delivery.schedule(an_issue()))
    return {taken.recipient: taken.message for taken in relay.taken}


@pytest.fixture
def hers(sent, maria):
    return Delivery.objects.get(subscriber=maria.subscriber)


def mailto(message):
    """The address and the subject of a message's second way out."""
    found = re.search(r"<mailto:([^?>]+)\?subject=([^>]+)>", message["List-Unsubscribe"])
    return found[1], found[2].replace("%20", " ")


def a_mail(to, subject="unsubscribe", sender="Maria <maria.lopez@school.example>", body="", head="", number=1):
    """What a mail program writes for somebody who unsubscribes."""
    lines = [
        f"From: {sender}",
        f"To: {to}",
        f"Message-ID: <{number}@phone.example>",
        "Date: Wed, 4 Nov 2026 08:00:00 +0000",
    ]
    lines += [f"Subject: {subject}"] if subject is not None else []
    return "\n".join([*lines, *head.splitlines(), "", body]).encode()


def status(subscription):
    return Subscription.objects.get(pk=subscription.pk).status


def everybody():
    return set(Subscription.objects.values_list("status", flat=True))


def test_each_message_has_an_address_of_its_own_to_unsubscribe(sent):
    addresses = [mailto(message)[0] for message in sent.values()]
    assert len(set(addresses)) == len(sent) == 2
    assert all(address.endswith("@bounces.resource-center.example") for address in addresses)
    assert all(len(address.partition("@")[0]) <= 64 for address in addresses)
    assert {mailto(message)[1] for message in sent.values()} == {"unsubscribe"}


@pytest.mark.parametrize(
    "mail",
    [
        {},
        {"body": "Please take me off."},
        {"subject": None},
        {"subject": ""},
        {"subject": "Whatever", "sender": "Another address of hers <m@private.example>"},
        {"subject": None, "body": "Apple Mail sent this email to unsubscribe from the message “October”."},
        {"head": "Auto-Submitted: auto-replied\nX-Apple-Action: unsubscribe"},
        {"subject": None, "head": "Auto-Submitted: auto-generated"},
        {"head": "Return-Path: <maria.lopez@school.example>\nPrecedence: bulk"},
    ],
)
def test_a_mail_to_that_address_unsubscribes_its_reader_alone(sent, maria, hers, mail):
    to, _subject = mailto(sent[hers.address])
    receipt = bounces.take(a_mail(to, **mail))
    assert receipt.recorded == 1 and receipt.understood
    assert status(maria) == "unsubscribed"
    assert sorted(Subscription.objects.values_list("status", flat=True)) == ["confirmed", "unsubscribed"]
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source, event.mailing) == ("unsubscribed", "mail", hers.mailing)


def test_capitals_and_where_servers_write_the_address_do_not_matter(sent, maria, hers):
    to, _subject = mailto(sent[hers.address])
    raw = a_mail("undisclosed-recipients:;", head=f"Delivered-To: {to.upper()}")
    assert bounces.take(raw).recorded == 1
    assert status(maria) == "unsubscribed"


def test_the_same_mail_ends_nothing_twice(sent, maria, hers):
    to, _subject = mailto(sent[hers.address])
    assert [bounces.take(a_mail(to)).recorded for _time in range(3)] == [1, 0, 0]
    assert ConsentEvent.objects.count() == 1
    subscribers.confirm(maria)
    assert bounces.take(a_mail(to)).recorded == 0, "an old mail, read again, undid a new consent"
    assert status(maria) == "confirmed"
    assert bounces.take(a_mail(to, number=2)).recorded == 1
    assert status(maria) == "unsubscribed"


@pytest.mark.parametrize("kind", [Pop3Server, ImapServer])
def test_the_poller_obeys_and_puts_the_mail_away(sent, maria, hers, kind):
    to, _subject = mailto(sent[hers.address])
    with kind(a_mail(to, subject=None)) as box:
        bounces.poll(box.url)
        assert status(maria) == "unsubscribed"
        assert bounces.poll(box.url).receipts == []


def test_process_bounces_obeys_too_and_keeps_its_keys(sent, maria, hers, tmp_path):
    to, _subject = mailto(sent[hers.address])
    (tmp_path / "1.eml").write_bytes(a_mail(to))
    out = io.StringIO()
    call_command("process_bounces", str(tmp_path), "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer.pop("results") == [{"file": "1.eml", "kind": "unknown", "recipient": hers.address, "status": ""}]
    assert answer == {"read": 1, "hard": 0, "soft": 0, "complaints": 0, "unrecognised": 0}
    assert status(maria) == "unsubscribed"


def test_a_notice_has_such_an_address_too(sam, relay):
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    delivery.work_on_notices()
    [taken] = relay.taken
    to, _subject = mailto(taken.message)
    assert bounces.take(a_mail(to, sender=sam.subscriber.email)).recorded == 1
    assert status(sam) == "unsubscribed"


def test_a_forged_or_altered_address_changes_nothing(sent, hers):
    to, _subject = mailto(sent[hers.address])
    other, _subject = mailto(sent["omar@school.example"])
    local, domain = to.split("@")
    person, number, mark = local.split("-")
    altered = [
        f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}",
        f"{person}-{number}1-{mark}@{domain}",
        f"{other.split('-')[0]}-{number}-{mark}@{domain}",
        f"{person}-{number}@{domain}",
        f"bounce+{links.return_token('d', hers.pk).replace('d-', 'u-')}@{domain}",
    ]
    for address in altered:
        assert bounces.take(a_mail(address, sender="stranger@x.example")).recorded == 0
    assert everybody() == {"confirmed"} and not Notice.objects.exists() and not Bounce.objects.exists()


@pytest.mark.parametrize(
    "mail",
    [
        {"head": "Return-Path: <>"},
        {"subject": "Out of office", "head": "Auto-Submitted: auto-replied"},
        {"subject": "Re: October", "head": "Auto-Submitted: auto-replied"},
        {"subject": "Re: October", "head": "X-Autoreply: yes"},
        {"subject": "Automatic reply: unsubscribe"},
        {"subject": "Abwesend: unsubscribe", "sender": "Jonas <jonas@schule.example>"},
        {"subject": "Undelivered Mail", "sender": "MAILER-DAEMON@relay.example"},
        {"subject": None, "sender": "Mail Delivery System <postmaster@relay.example>"},
        {"head": "Content-Type: multipart/report; boundary=b", "body": "--b\nContent-Type: text/plain\n\nNo.\n--b--"},
    ],
)
def test_no_report_and_no_automatic_reply_to_that_address_unsubscribes(sent, hers, mail):
    to, _subject = mailto(sent[hers.address])
    bounces.take(a_mail(to, **mail))
    assert everybody() == {"confirmed"} and not ConsentEvent.objects.exists()


# --- mails sent before, whose address is the one that people read


@pytest.mark.parametrize("subject", ["unsubscribe", "Unsubscribe", "Re: unsubscribe"])
@pytest.mark.parametrize("sender", ["maria.lopez@school.example", "m@private.example"])
def test_a_reply_to_an_older_mail_unsubscribes(maria, hers, subject, sender):
    raw = a_mail("hello@resource-center.example", subject, sender, head=f"In-Reply-To: {hers.message_id}")
    assert bounces.take(raw).recorded == 1
    assert status(maria) == "unsubscribed"


def test_so_does_a_mail_to_the_return_address(maria, hers):
    assert bounces.take(a_mail(return_address("d", hers.pk))).recorded == 1
    assert status(maria) == "unsubscribed"


def test_who_was_only_passed_a_mail_does_not_unsubscribe_its_reader(maria, hers):
    """Somebody answers what Maria passed on: her message is among the references, but another one is answered."""
    head = f"In-Reply-To: <passed.on@school.example>\nReferences: {hers.message_id} <passed.on@school.example>"
    bounces.take(a_mail("hello@resource-center.example", sender="friend@x.example", head=head))
    assert status(maria) == "confirmed"
    assert bounces.take(a_mail("hello@resource-center.example", head=head, number=2)).recorded == 1
    assert status(maria) == "unsubscribed"


@pytest.mark.parametrize("subject", ["unsubscribe", None])
def test_a_name_alone_proves_nothing_but_its_address_is_mailed_a_link(sent, relay, maria, subject):
    relay.taken.clear()
    body = "iOS Mail sent this email to unsubscribe from the message “October”." if subject is None else ""
    receipt = bounces.take(a_mail("hello@resource-center.example", subject, body=body))
    assert receipt.recorded == 0 and receipt.understood
    assert status(maria) == "confirmed"
    delivery.work_on_notices()
    [taken] = relay.taken
    assert taken.recipient == "maria.lopez@school.example"
    text = taken.message.get_payload()[0].get_payload(decode=True).decode()
    assert links.unsubscribe_url(maria.public_id, None, "en") in text
    bounces.take(a_mail("hello@resource-center.example", subject, body=body, number=2))
    assert Notice.objects.count() == 1, "a stranger could fill her mailbox"


@pytest.mark.parametrize("subject", ["Re: October", "How do I unsubscribe?", "unsubscribe link is broken"])
def test_a_letter_of_a_reader_is_no_wish_to_leave(hers, subject):
    raw = a_mail("hello@resource-center.example", subject, head=f"In-Reply-To: {hers.message_id}")
    bounces.take(raw)
    assert everybody() == {"confirmed"} and not Notice.objects.exists()


def test_a_stranger_gets_no_mail(sent):
    assert not bounces.take(a_mail("hello@resource-center.example", sender="stranger@x.example")).understood
    assert not Notice.objects.exists()


# --- where no bounces are read


def test_without_a_place_for_bounces_people_get_the_mail_with_a_token(settings, relay, newsletter, maria):
    settings.BOUNCE_DOMAIN = settings.BOUNCE_MAILBOX_URL = ""
    delivery.send_until_idle(delivery.schedule(an_issue()))
    to, subject = mailto(relay.taken[0].message)
    assert to == "hello@resource-center.example" and subject.startswith("unsubscribe u")
    assert bounces.take(a_mail(to, subject)).recorded == 1
    assert status(maria) == "unsubscribed"


def test_a_bounce_mailbox_alone_is_such_a_place(settings, relay, newsletter, maria):
    settings.BOUNCE_DOMAIN, settings.BOUNCE_MAILBOX_URL = "", "imaps://bounce:x@mail.example"
    delivery.send_until_idle(delivery.schedule(an_issue()))
    to, _subject = mailto(relay.taken[0].message)
    assert to.startswith("bounce+u") and to.endswith("@resource-center.example")
