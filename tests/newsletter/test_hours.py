"""Months, mail dates and typed hours of the newsletter are the organization's, and every hour has its zone."""

from __future__ import annotations

import csv
import email
import io
import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from bs4 import BeautifulSoup
from celery.schedules import crontab
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone
from openpyxl import load_workbook

from content.models import ArticlePage
from newsletter import delivery, digest, messages, notices
from newsletter.delivery import throttles
from newsletter.models import Bounce, Delivery, Mailing, Notice, Throttle
from resource_center.celery import app

TWICE, NEVER = "2026-11-01T01:30", "2027-03-14T02:30"
HOUR = re.compile(r"\d{1,2}:\d\d(:\d\d)?|\d (a\.m\.|p\.m\.)|\b(noon|midnight)\b")


@pytest.fixture
def fall():
    """The twentieth of October 2026, before the clocks go back."""
    with time_machine.travel(datetime(2026, 10, 20, 17, tzinfo=UTC), tick=True):
        yield


# --- Typing when


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (TWICE, "2026-11-01T01:30-04:00 for the first (EDT) or 2026-11-01T01:30-05:00 for the second (EST)"),
        (NEVER, "2027-03-14T01:30-05:00 for 1:30 a.m. EST or 2027-03-14T03:30-04:00 for 3:30 a.m. EDT"),
    ],
)
def test_an_hour_that_comes_twice_or_never_is_refused_by_the_command_and_the_form_alike(
    fall, newsletter, october, admin_client, at, said
):
    issue = digest.draft(date(2026, 10, 1))
    with pytest.raises(CommandError) as refusal:
        call_command("send_issue", str(issue.pk), "--at", at)
    assert said in str(refusal.value)
    page = admin_client.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": at.replace("T", " ")})
    assert said in BeautifulSoup(page.content, "lxml").get_text()
    assert not Mailing.objects.exists()


@pytest.mark.parametrize("door", ["command", "form"])
@pytest.mark.parametrize(
    ("at", "meant"),
    [
        ("2026-11-01T01:30-04:00", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("2026-11-01T01:30-05:00", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("2026-12-01T08:00", datetime(2026, 12, 1, 13, 0, tzinfo=UTC)),
        ("2026-10-31T08:00", datetime(2026, 10, 31, 12, 0, tzinfo=UTC)),
    ],
)
def test_what_is_typed_is_when_it_goes_out(fall, newsletter, october, admin_client, door, at, meant):
    issue = digest.draft(date(2026, 10, 1))
    with timezone.override("Asia/Tokyo"):  # whoever acts
        if door == "command":
            call_command("send_issue", str(issue.pk), "--at", at)
        else:
            assert admin_client.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": at}).status_code == 302
    assert Mailing.objects.get().scheduled_for == meant


def test_the_form_names_the_zone_beside_the_hour(admin_client, issue):
    page = admin_client.get(f"/admin/newsletter/issues/send/{issue.pk}/").content.decode()
    assert "Leave it empty to send at once. In New York time." in page


def test_a_time_that_is_over_is_named_with_its_zone(issue):
    with pytest.raises(CommandError, match=r"2026-11-01 08:00 EST is over\."):
        call_command("send_issue", str(issue.pk), "--at", "2026-11-01T13:00+00:00")


# --- Months


@pytest.mark.parametrize(
    ("zone", "month"), [("America/New_York", 11), ("Asia/Tokyo", 12), ("Pacific/Auckland", 12), ("America/Adak", 11)]
)
def test_the_last_evening_of_a_month_belongs_to_it(newsletter, publish, zone, month):
    with override_settings(TIME_ZONE=zone):
        evening = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)  # 11 p.m. of November 30 in New York
        page = publish(ArticlePage, "Late")
        ArticlePage.objects.update(first_published_at=evening)
        page.refresh_from_db()
        for each in (11, 12):
            chosen = digest.choose(date(2026, each, 1), "en").resources
            assert bool(chosen) == (each == month), each
        assert page.date.month == month
        with time_machine.travel(evening, tick=False):
            assert digest.last_month() == date(2026, month - 1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(("month", "offset"), [(3, -5), (4, -4), (11, -5), (12, -5)])
def test_the_digest_is_drafted_at_six_in_the_morning_of_the_organizations_first_day(month, offset):
    six = datetime(2026, month, 1, 6, 0, tzinfo=ZoneInfo("America/New_York"))
    assert six.utcoffset() == timedelta(hours=offset)
    schedule: crontab = app.conf.beat_schedule["draft-digest"]["schedule"]
    schedule.app = app
    last = (six - timedelta(days=1)).replace(day=1, second=1)  # it ran then
    for minutes, due in ((-61, False), (-1, False), (0, True), (59, True)):
        with time_machine.travel(six.astimezone(UTC) + timedelta(minutes=minutes), tick=False):
            assert schedule.is_due(last).is_due is due, minutes


# --- Mail


def test_the_date_of_every_mail_is_the_organizations(issue, maria, sam, settings):
    def offset(message: bytes) -> timedelta:
        return parsedate_to_datetime(email.message_from_bytes(message)["Date"]).utcoffset()

    notices.queue(sam, Notice.Kind.CONFIRMATION)
    notice = Notice.objects.get()
    assert offset(messages.notice_message(notice)) == timedelta(hours=-5)
    assert offset(messages.test_message(issue, "a@b.example", "en")) == timedelta(hours=-5)
    mailing = delivery.send(issue)
    call_command("deliver", str(mailing.pk))
    sent = [file.read_bytes() for file in settings.MAILBOX_DIR.rglob("*") if file.is_file()]
    (mail,) = [each for each in sent if b"Subject: October" in each and b"maria.lopez" in each]
    assert offset(mail) == timedelta(hours=-5)


# --- What managers see


def hours_without_zone(page: str) -> list[str]:
    """Hours in the text of a page, and in what it shows on pointing, without a zone behind them."""
    soup = BeautifulSoup(page, "html.parser").select_one("main")
    shown = [soup.get_text(" ")] + [
        tag["data-w-tooltip-content-value"] for tag in soup.select("[data-w-tooltip-content-value]")
    ]
    lone = []
    for text in (" ".join(each.split()) for each in shown):
        lone += [
            text[found.start() - 20 : found.end() + 6]
            for found in HOUR.finditer(text)
            if not ends_in_zone(text[found.end() :])
        ]
    return lone


def ends_in_zone(rest: str) -> bool:
    return bool(re.match(r"( ?(a\.m\.|p\.m\.))? E[SD]T", rest))


@pytest.fixture
def sent(issue, maria):
    """October's mailing, paused, resumed and sent, with a bounce, a delivery that waits and a relay that rests."""
    mailing = delivery.schedule(issue, timezone.now() + timedelta(minutes=2))
    delivery.start(mailing)
    now, later = timezone.now(), datetime(2099, 11, 5, 13, 0, tzinfo=UTC)  # later by the database's clock, too
    Delivery.objects.update(first_tried_at=now, sent_at=now, due_at=later, reply="450 later", reason="throttled")
    Bounce.objects.create(delivery=Delivery.objects.get(), event_id="1", kind="soft", at=now)
    Throttle.objects.update_or_create(
        key=throttles.for_domain("school.example"),
        defaults={"rest_until": later, "why": "later", "slowed_at": now},
    )
    return Mailing.objects.get()


@pytest.mark.parametrize(
    "address",
    [
        "mailings/inspect/{mailing}/",
        "mailings/progress/{mailing}/",
        "mailings/",
        "deliveries/",
        "deliveries/inspect/{delivery}/",
        "bounces/",
        "subscribers/",
        "subscribers/inspect/{subscriber}/",
    ],
)
def test_every_hour_in_the_desk_has_its_zone(admin_client, sent, maria, address):
    names = {"mailing": sent.pk, "delivery": Delivery.objects.get().pk, "subscriber": maria.subscriber_id}
    answer = admin_client.get("/admin/newsletter/" + address.format(**names))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert hours_without_zone(page if "<main" in page else f"<main>{page}</main>") == []


def test_what_holds_a_mailing_up_is_said_with_the_zone(admin_client, sent):
    page = admin_client.get(f"/admin/newsletter/mailings/progress/{sent.pk}/").content.decode()
    assert "school.example rests until 08:00:00 EST" in page
    assert "1 will be tried again, at 8 a.m. EST" in page


def test_what_is_late_is_said_with_the_zone(admin_client, issue):
    delivery.schedule(issue, timezone.now() + timedelta(minutes=1))
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        page = admin_client.get("/admin/").content.decode()
    assert re.search(r"It should have begun on Nov\. 3, 2026, 12:\d\d p\.m\. EST", page)


def test_a_list_taken_along_says_hours_with_offset_or_zone(admin_client, sent):
    moment = datetime(2026, 11, 3, 17, 5, tzinfo=UTC)
    Delivery.objects.update(sent_at=moment)
    answer = admin_client.get("/admin/newsletter/deliveries/?export=csv")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert "2026-11-03T12:05:00-05:00" in row.values()
    answer = admin_client.get("/admin/newsletter/deliveries/?export=xlsx")
    headings, cells = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active.values
    said = dict(zip(headings, cells, strict=True))
    assert said["Sent (New York time)"] == datetime(2026, 11, 3, 12, 5)
