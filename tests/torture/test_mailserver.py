"""There and back through real servers: Postfix takes a mailing, reports what it can not deliver, Dovecot hands it out.

`make torture`; TEST_ON=postgres runs it on PostgreSQL.
"""

from __future__ import annotations

import time

import pytest

from newsletter import bounces, delivery, synthetic
from newsletter.models import Bounce, Delivery, Subscriber, Subscription, Suppression
from newsletter.site import found
from tests import machine
from tests.newsletter.issues import an_issue
from tests.torture import mailserver
from tests.torture.mailserver import MailServer

READERS = 300
GONE = range(0, READERS, 20)
REFUSED = {
    "full": ("5.2.2 The mailbox is full", "soft"),
    "strict": ("5.7.1 Message refused by local policy", "blocked"),
    "moved": ("5.1.6 The recipient has moved", "hard"),
}
PATIENCE = 120  # seconds


def wait_until(done):
    began = time.monotonic()
    while not done():
        assert time.monotonic() < began + PATIENCE, "waited in vain"
        time.sleep(0.1)
    return time.monotonic() - began


@pytest.fixture
def names():
    """The names at school.test; every twentieth has no mailbox."""
    return [f"reader{number:03}" for number in range(READERS)]


@pytest.fixture(params=["pop3", "imap"])
def protocol(request):
    lacking = mailserver.missing()
    if not lacking and request.param not in mailserver.protocols():
        lacking = f"dovecot-{request.param}d: not found (apt-get install it)"
    if lacking:
        (pytest.fail if machine.REQUIRED else pytest.skip)(lacking)
    return request.param


@pytest.fixture
def server(names, protocol):
    there = [name for number, name in enumerate(names) if number not in GONE]
    with MailServer(there, {name: why for name, (why, _kind) in REFUSED.items()}) as server:
        yield server


@pytest.fixture
def mailing(live_database, settings, server, names):
    """The issue was sent to everybody, over one relay that takes it all."""
    settings.SMTP_URLS, settings.LOCAL_MAILBOX, settings.BOUNCE_DOMAIN = [server.smtp_url], False, "bounces.test"
    newsletter = found().newsletter
    synthetic.subscribers(newsletter, READERS + len(REFUSED))
    for subscriber, name in zip(Subscriber.objects.order_by("pk"), [*names, *REFUSED], strict=True):
        address = f"{name}@school.test"
        Subscriber.objects.filter(pk=subscriber.pk).update(email=address, address_key=address)
    mailing = delivery.schedule(an_issue())
    began = time.monotonic()
    delivery.send_until_idle(mailing)
    print(f"  {READERS + len(REFUSED)} mails taken in {time.monotonic() - began:.1f} s", flush=True)
    assert delivery.counts(mailing)["sent"] == READERS + len(REFUSED)
    return mailing


def kinds():
    return dict(Bounce.objects.values_list("delivery__address", "kind"))


def test_who_is_gone_comes_back_and_gets_no_more_mail(mailing, server, names, protocol):
    there = {name for number, name in enumerate(names) if number not in GONE}
    seconds = wait_until(lambda: server.arrived() == there and server.came_back == len(GONE) + len(REFUSED))
    print(f"  {len(there)} arrived, {server.came_back} came back after {seconds:.1f} s", flush=True)

    began = time.monotonic()
    receipts, kept = bounces.poll(server.mailbox_url(protocol))
    print(f"  {len(receipts)} reports read over {protocol} in {time.monotonic() - began:.2f} s", flush=True)

    assert (kept, [receipt.recorded for _name, receipt in receipts]) == ([], [1] * len(receipts))
    expected = {f"{names[number]}@school.test": "hard" for number in GONE}
    expected |= {f"{name}@school.test": kind for name, (_why, kind) in REFUSED.items()}
    assert kinds() == expected
    dead = {address for address, kind in expected.items() if kind == "hard"}
    assert set(Suppression.objects.values_list("address_key", flat=True)) == dead
    ended = Subscription.objects.exclude(status="confirmed").values_list("subscriber__address_key", flat=True)
    assert set(ended) == dead
    counts = delivery.counts(mailing)
    assert (counts["sent"], counts["bounced"]) == (len(there), len(expected))
    assert set(Delivery.objects.filter(state="bounced").values_list("address", flat=True)) == set(expected)

    assert bounces.poll(server.mailbox_url(protocol)).receipts == []
    assert server.came_back == (0 if protocol == "pop3" else len(expected))
