"""The mailbox that bounces come to: what is recorded is put away, what fails is kept, and nothing counts twice."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from newsletter import bounces, delivery, tasks
from newsletter.admin import attention
from newsletter.bounces.mail import LARGEST
from newsletter.mail_identity import return_address
from newsletter.models import Bounce, BounceMailbox, Delivery, Suppression
from resource_center import preflight
from tests.mailboxes import ImapServer, Pop3Server
from tests.newsletter.issues import an_issue

REPORT = """From: MAILER-DAEMON@relay.example
To: {to}
Subject: failure notice
Message-ID: <{number}@relay.example>

.{long}
<{address}>:
550 5.1.1 No such user
"""


@pytest.fixture
def rows(newsletter, people):
    """Three deliveries that were sent."""
    for number in range(3):
        people(f"reader{number}@school.example")
    delivery.send_until_idle(delivery.schedule(an_issue()))
    return list(Delivery.objects.order_by("pk"))


def report(row, **more):
    facts = {"to": return_address("d", row.pk), "address": row.address, "number": row.pk, "long": "", **more}
    return REPORT.format(**facts).encode()


@pytest.fixture(params=[Pop3Server, ImapServer])
def server(request):
    started = []

    def start(*mails, **options):
        started.append(request.param(*mails, **options).__enter__())
        return started[-1]

    yield start
    for each in started:
        each.__exit__()


def waiting(server):
    """The mails that the next round would find."""
    return sorted(server.mails.keys() - server.seen)


def test_what_is_recorded_is_put_away(rows, server):
    box = server(*[report(row) for row in rows], b"Subject: hello\n\nNo bounce.\n")
    receipts, kept = bounces.poll(box.url)
    assert ([receipt.recorded for _name, receipt in receipts], kept) == ([1, 1, 1, 0], [])
    assert waiting(box) == []
    assert Suppression.objects.count() == 3
    assert bounces.poll(box.url).receipts == []


def test_a_line_without_end_and_a_mail_without_end_block_nobody(rows, server):
    long_line = report(rows[0], long="x" * 100_000)
    endless = report(rows[1]) + b"y" * 70 * 1000 + b"\nz" * LARGEST
    box = server(long_line, endless, report(rows[2]))
    receipts, _kept = bounces.poll(box.url)
    assert [receipt.recorded for _name, receipt in receipts] == [1, 1, 1]
    assert waiting(box) == []


def test_what_could_not_be_recorded_is_kept(live_database, rows, server):
    box = server(b"Subject: hello\n\nNothing.\n", report(rows[0]))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE newsletter_bounce RENAME TO somewhere_else")
        try:
            receipts, kept = bounces.poll(box.url)
        finally:
            cursor.execute("ALTER TABLE somewhere_else RENAME TO newsletter_bounce")
    assert ([name for name, _receipt in receipts], kept) == (["1"], ["2"])
    assert waiting(box) == [2] and not Suppression.objects.exists()
    assert bounces.poll(box.url).receipts[0][1].recorded == 1
    assert waiting(box) == []


def test_a_server_that_breaks_off_loses_nothing(rows, server):
    box = server(*[report(row) for row in rows], breaks_at=2)
    with pytest.raises(bounces.Unreachable, match=r"^The bounce mailbox at 127\.0\.0\.1 could not be read: "):
        bounces.poll(box.url)
    assert set(waiting(box)) >= {2, 3}
    box.breaks_at = 0
    bounces.poll(box.url)
    assert waiting(box) == []
    assert Bounce.objects.count() == 3


def test_two_readers_at_once_are_harmless(live_database, rows, server):
    box = server(*[report(row) for row in rows])

    def poll(_number):
        try:
            return bounces.poll(box.url)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        rounds = list(pool.map(poll, range(2)))
    assert sum(receipt.recorded for each in rounds for _name, receipt in each.receipts) == 3
    assert Bounce.objects.count() == 3 and waiting(box) == []


def test_a_wrong_password_is_said_without_it(db, server):
    box = server()
    with pytest.raises(bounces.Unreachable) as error:
        bounces.poll(box.url.replace("s3cret", "guess"))
    assert "guess" not in str(error.value)


def test_a_folder_of_ones_own(rows):
    with ImapServer(report(rows[0])) as box:
        assert bounces.poll(f"{box.url}/Back%2FHere").receipts[0][1].recorded == 1
        with pytest.raises(bounces.Unreachable, match="no folder Elsewhere"):
            bounces.poll(f"{box.url}/Elsewhere")


def test_nobody_at_home(db):
    with pytest.raises(bounces.Unreachable, match="refused"):
        bounces.poll("pop3://a:b@127.0.0.1:9")


def test_the_task_and_the_command_read_the_mailbox_of_the_settings(rows, server, settings):
    box = server(report(rows[0]))
    tasks.poll_bounces()
    settings.BOUNCE_MAILBOX_URL = box.url
    tasks.poll_bounces()
    assert Bounce.objects.count() == 1
    box.mails[9] = report(rows[1])
    out = io.StringIO()
    call_command("process_bounces", "--mailbox", "--json", stdout=out)
    [result] = json.loads(out.getvalue())["results"]
    assert result == {"file": "9", "kind": "hard", "recipient": rows[1].address, "status": "5.1.1"}


def test_a_mailbox_that_can_not_be_read_ends_the_command(db, settings):
    settings.BOUNCE_MAILBOX_URL = "imap://a:b@127.0.0.1:9"
    with pytest.raises(CommandError, match="could not be read"):
        call_command("process_bounces", "--mailbox")


def test_who_manages_the_newsletter_is_told_that_bounces_are_not_read(db, server, settings):
    box = server()
    settings.BOUNCE_MAILBOX_URL = box.url.replace("s3cret", "guess")
    for _look in range(2):
        with pytest.raises(bounces.Unreachable):
            tasks.poll_bounces()
    assert attention.matters() == []  # not for a few minutes
    BounceMailbox.objects.update(failing_since=timezone.now() - timedelta(hours=1))
    with pytest.raises(bounces.Unreachable):
        tasks.poll_bounces()
    [matter] = attention.matters()
    assert matter.title == "Bounces are not read"
    [known] = BounceMailbox.objects.values_list("url", "why")
    assert "guess" not in matter.words + "".join(known)
    settings.BOUNCE_MAILBOX_URL = box.url
    tasks.poll_bounces()
    assert attention.matters() == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("pop3s://bounces:x%40y@mail.example", ""),
        ("imap://bounces:x@mail.example:1143/Back", ""),
        ("http://mail.example", "must be pop3://"),
        ("pop3://bounces:x@", "must be pop3://"),
        ("pop3://bounces:x@mail.example:port", "must be pop3://"),
        ("imaps://mail.example", "names no user and password"),
        ("imaps://bounces:x@mail.example?tls=no", "has parameters"),
    ],
)
def test_an_address_of_a_mailbox_that_can_not_work_stops_the_start(url, complaint):
    found = preflight.complaints({"BOUNCE_MAILBOX_URL": url})
    assert found == [] if not complaint else complaint in found[0]
