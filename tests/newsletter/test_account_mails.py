"""Mails to people with an account leave through the ledger: never in a request, and nothing secret stays behind."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.core.mail import EmailMultiAlternatives, get_connection, send_mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import GroupApprovalTask, Page, Workflow, WorkflowPage, WorkflowTask
from wagtail.users.models import UserProfile

from newsletter import bounces, delivery
from newsletter.delivery import clock
from newsletter.models import Attempt, Notice
from tests.sink import Rule, Sink

RESET = "/admin/password_reset/"
NEW = "a quite new password 77"


@pytest.fixture(autouse=True)
def backend(settings):
    """The site's own; pytest-django puts another in its place."""
    settings.EMAIL_BACKEND = "newsletter.accounts.LedgerBackend"


@pytest.fixture
def sink(settings):
    with Sink() as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        yield sink


@pytest.fixture
def ada(newsletter):
    return User.objects.create_superuser("ada", "ada@house.example", "the old password")


def ask(client, address, network="198.51.100.7"):
    return client.post(RESET, {"email": address}, REMOTE_ADDR=network)


def make_due():
    Notice.objects.filter(state="queued").update(due_at=clock.moment())


def link_in(mail) -> str:
    return re.search(r"http://testserver(/admin/password_reset/confirm/\S+)", mail.get_content())[1]


def test_a_forgotten_password_is_set_anew_by_a_link_that_the_sender_wrote(client, ada, sink):
    answer = ask(client, "Ada@house.example")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{RESET}done/")
    assert sink.taken == []
    delivery.work_on_notices()
    [taken] = sink.taken
    assert taken.recipient == "ada@house.example"
    assert taken.sender.startswith("bounce+n-")
    mail = taken.message
    assert mail["To"] == "ada@house.example"
    assert mail["Subject"] == "Set a new password"
    assert mail["From"].addresses[0].addr_spec == "news@resource-center.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == Notice.objects.get().message_id
    assert "“ada”" in mail.get_content()
    form = client.get(link_in(mail), follow=True)
    client.post(form.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})
    ada.refresh_from_db()
    assert ada.check_password(NEW)


def test_an_unknown_address_gets_the_same_answer_for_the_same_work_and_no_mail(client, ada, sink):
    ask(client, "warm@house.example")
    answers, work = [], []
    for address in ("ada@house.example", "eve@house.example"):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = ask(client, address)
        answers.append((answer.status_code, answer.headers, answer.content))
        work.append([re.sub(r"'[^']*'|\b\d+\b", "?", query["sql"]) for query in asked.captured_queries])
    assert answers[0] == answers[1]
    assert work[0] == work[1]
    assert not any("auth_user" in query for query in work[0])
    delivery.work_on_notices()
    assert [taken.recipient for taken in sink.taken] == ["ada@house.example"]
    assert sorted(Notice.objects.values_list("state", "reason")) == [
        ("sent", ""),
        ("skipped", "no account"),
        ("skipped", "no account"),
    ]


def test_two_accounts_with_one_address_get_one_mail_with_both_links(client, ada, sink):
    User.objects.create_user("countess", "ada@house.example", "x")
    User.objects.create_user("gone", "ada@house.example", "x", is_active=False)
    ask(client, "ada@house.example")
    delivery.work_on_notices()
    [taken] = sink.taken
    words = taken.message.get_content()
    assert ("“ada”" in words, "“countess”" in words, "gone" in words) == (True, True, False)
    assert words.count("/password_reset/confirm/") == 2


def test_the_mail_goes_to_the_address_as_it_is_kept(client, newsletter, sink):
    User.objects.create_user("mike", "mike@house.example", "x")
    for typed in ("mıke@house.example", "ｍike@house.example"):
        ask(client, typed)
    delivery.work_on_notices()
    assert {taken.recipient for taken in sink.taken} <= {"mike@house.example"}


def test_the_mail_speaks_its_readers_language(client, ada, sink):
    UserProfile.objects.create(user=ada, preferred_language="es")
    ask(client, "ada@house.example")
    delivery.work_on_notices()
    assert sink.taken[0].message["Subject"] == "Elija una contraseña nueva"


def test_an_address_gets_three_links_an_hour_known_or_not(client, ada):
    with time_machine.travel(timezone.now(), tick=False) as clock_on_the_wall:
        for address in ("ada@house.example", "eve@house.example"):
            said = [ask(client, f" {address.upper()}", f"203.0.113.{number}") for number in range(1, 5)]
            assert [answer.status_code for answer in said] == [302, 302, 302, 429]
            assert "Please try again in 60 minutes." in said[-1].content.decode()
            assert said[-1].headers["Retry-After"] == "3600"
        assert Notice.objects.count() == 6
        clock_on_the_wall.shift(timedelta(minutes=61))
        assert ask(client, "ada@house.example").status_code == 302


def test_a_network_gets_twenty_links_an_hour(client, newsletter):
    said = [ask(client, f"person{number}@house.example", f"203.0.113.{number}") for number in range(25)]
    assert [answer.status_code for answer in said] == [302] * 20 + [429] * 5
    assert ask(client, "somebody@house.example", "192.0.2.1").status_code == 302


def test_limits_keep_no_address_of_person_or_machine(client, ada):
    ask(client, "ada@house.example")
    assert "ada" not in str(Attempt.objects.values_list())
    assert "198.51" not in str(Attempt.objects.values_list())


def test_a_moderators_mail_leaves_through_the_ledger(client, ada, sink):
    moderators = Group.objects.get(name="Moderators")
    grace = User.objects.create_user("grace", "grace@house.example", "x")
    grace.groups.add(moderators)
    workflow = Workflow.objects.create(name="Second look")
    task = GroupApprovalTask.objects.create(name="Look")
    task.groups.add(moderators)
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=1)
    page = Page.objects.filter(depth=2).first().specific
    WorkflowPage.objects.create(workflow=workflow, page=page)
    page.save_revision()
    workflow.start(page, ada)
    assert sink.taken == []
    assert Notice.objects.get(address="grace@house.example").message
    delivery.work_on_notices()
    [taken] = [taken for taken in sink.taken if taken.recipient == "grace@house.example"]
    assert page.title in taken.message["Subject"]


def test_every_recipient_gets_a_copy_of_their_own(newsletter, sink):
    mail = EmailMultiAlternatives(
        "Lesen üben",
        "Schöne Grüße\n.\nFrom here",
        "House <house@house.example>",
        ["Ada <ada@house.example>", "bea@house.example"],
        cc=["cleo@house.example"],
        bcc=["dora@house.example"],
        headers={"X-Note": "x"},
    )
    mail.attach_alternative("<p>Schöne Grüße</p>", "text/html")
    mail.attach("plan.bin", bytes(range(256)), "application/octet-stream")
    assert mail.send() == 1
    delivery.work_on_notices()
    assert sorted(taken.recipient for taken in sink.taken) == [
        f"{name}@house.example" for name in ("ada", "bea", "cleo", "dora")
    ]
    assert len({taken.message_id for taken in sink.taken}) == 4
    for taken in sink.taken:
        assert taken.raw.isascii()
        assert taken.message["Subject"] == "Lesen üben"
        assert taken.message["X-Note"] == "x"
        assert "dora" not in taken.raw.decode()
        assert taken.message.get_body(["plain"]).get_content().splitlines()[0] == "Schöne Grüße"
        [attached] = taken.message.iter_attachments()
        assert attached.get_content() == bytes(range(256))


def test_a_broken_mail_queues_nothing(newsletter):
    good = EmailMultiAlternatives("Fine", "x", to=["ada@house.example"])
    bad = EmailMultiAlternatives("Two\nlines", "x", to=["ada@house.example"])
    with pytest.raises(ValueError, match="newlines"):
        get_connection().send_messages([good, bad])
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("say", "state", "kept"),
    [
        ("", "sent", False),
        ("550 5.1.1 No such user", "failed", False),
        ("450 4.2.0 Later", "queued", True),
    ],
)
def test_nothing_secret_is_kept_once_it_went_out_or_never_will(client, ada, settings, say, state, kept):
    with Sink(*([Rule("rcpt", say)] if say else [])) as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        send_mail("A code", "The code is 4711.", None, ["ada@house.example"])
        delivery.work_on_notices()
    notice = Notice.objects.get()
    assert notice.state == state
    assert bool(notice.message) == bool(notice.address) == kept


def test_the_database_itself_keeps_no_mail_that_went_out(newsletter):
    send_mail("A code", "The code is 4711.", None, ["ada@house.example"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.update(state="failed")


def test_a_mail_that_is_put_off_goes_out_later_with_the_same_name(newsletter, settings):
    with Sink(Rule("rcpt", "450 4.2.0 Later", times=1)) as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        send_mail("A code", "The code is 4711.", None, ["ada@house.example"])
        before = Notice.objects.get().message_id
        delivery.work_on_notices()
        make_due()
        delivery.work_on_notices()
        [taken] = sink.taken
    assert taken.message_id == before


def test_an_account_mail_takes_the_way_of_its_domain(newsletter, settings):
    with Sink() as school, Sink() as rest:
        settings.SMTP_URLS = [f"{school.url}?domains=school.example", rest.url]
        settings.LOCAL_MAILBOX = False
        for address in ("ada@School.example", "bea@house.example"):
            send_mail("Hello", "x", None, [address])
        delivery.work_on_notices()
        assert [taken.recipient for taken in school.taken] == ["ada@School.example"]
        assert [taken.recipient for taken in rest.taken] == ["bea@house.example"]


def test_a_bounce_of_an_account_mail_removes_no_reader(client, maria, sink):
    send_mail("Hello", "x", None, [maria.subscriber.email])
    delivery.work_on_notices()
    [taken] = sink.taken
    report = (
        f"From: MAILER-DAEMON@relay.example\r\nTo: {taken.sender}\r\nSubject: Undelivered\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; relay.example\r\n\r\nFinal-Recipient: rfc822; {taken.recipient}\r\nAction: failed\r\n"
        "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 No such user\r\n\r\n--b--\r\n"
    )
    assert bounces.take(report.encode()).recorded == 1
    assert Notice.objects.get().state == "bounced"
    maria.refresh_from_db()
    assert maria.status == "confirmed"


def test_what_is_left_of_a_mail_is_forgotten_after_a_month(newsletter, sink):
    send_mail("Old", "x", None, ["ada@house.example"])
    delivery.work_on_notices()
    send_mail("Waits", "x", None, ["bea@house.example"])
    Notice.objects.update(created_at=timezone.now() - timedelta(days=31))
    delivery.tick()
    assert [notice.address for notice in Notice.objects.all()] == ["bea@house.example"]


def test_without_a_mail_server_the_mail_lands_in_the_local_mailbox(client, ada, settings, tmp_path):
    settings.MAILBOX_DIR, settings.MAILBOX_WITHOUT_LOGIN = tmp_path / "mailbox", True
    ask(client, "ada@house.example")
    delivery.work_on_notices()
    assert "Set a new password" in client.get("/mailbox/").content.decode()
