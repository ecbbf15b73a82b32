"""A manager looks after a mailing in the admin: how far it is, what went wrong, who got it, and what can be done."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc
from datetime import timedelta

import openpyxl
import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group, User
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter import delivery, roles, subscribers
from newsletter.admin import sheets
from newsletter.delivery import throttles
from newsletter.models import Bounce, ConsentEvent, Delivery, Mailing, Notice, Suppression
from tests.newsletter.issues import an_issue

MAILINGS, DELIVERIES, BOUNCES = (f"/admin/newsletter/{room}/" for room in ("mailings", "deliveries", "bounces"))


@pytest.fixture
def manager(client, newsletter):
    """Somebody in the group of newsletter managers."""
    user = User.objects.create_user("manager", "manager@resource-center.example")
    user.groups.add(Group.objects.get(name=roles.MANAGERS))
    client.force_login(user)
    return client


FATES = [
    ("sent", "", "250 2.0.0 Ok"),
    ("sent", "", "250 2.0.0 Ok"),
    ("failed", "address", "550 5.1.1 <reader2@school.example> unknown"),
    ("failed", "uncertain", "No reply came."),
    ("queued", "deferred", "451 4.7.1 Greylisted"),
    ("queued", "deferred", "451 4.7.1 Greylisted"),
    ("skipped", "unsubscribed", ""),
    ("bounced", "", "250 2.0.0 Ok"),
    ("queued", "", ""),
]


@pytest.fixture
def mailing(people):
    """A mailing in full swing: somebody in every state."""
    for number in range(len(FATES)):
        people(f"reader{number}@school.example")
    people("barred@school.example")
    Suppression.objects.create(address_key="barred@school.example", reason="manual")
    mailing = delivery.schedule(an_issue())
    delivery.start(mailing)
    now = timezone.now()
    for row, (state, reason, reply) in zip(mailing.deliveries.order_by("address"), FATES, strict=True):
        later = now + timedelta(hours=1) if reason == "deferred" else now
        sent_at = now if state in ("sent", "bounced") else None
        Delivery.objects.filter(pk=row.pk).update(
            state=state, reason=reason, reply=reply, sent_at=sent_at, due_at=later, attempts=1
        )
    Bounce.objects.create(
        event_id="1", delivery=mailing.deliveries.get(state="bounced"), kind="hard", status="5.1.1", detail="Gone"
    )
    Mailing.objects.update(started_at=now - timedelta(minutes=10))
    mailing.refresh_from_db()
    return mailing


def words(answer):
    """The text of a page without its markup, blanks folded."""
    return re.sub(r"\s+", " ", BeautifulSoup(answer.content, "html.parser").get_text(" "))


def listed(answer):
    """The readers in a list, by number."""
    return sorted(int(number) for number in set(re.findall(r"reader(\d+)@", words(answer))))


def test_the_page_of_a_mailing_says_how_far_it_is_how_fast_and_how_long(manager, mailing):
    page = words(manager.get(f"{MAILINGS}inspect/{mailing.pk}/"))
    assert "6 of 9 done" in page and "2 in the last minute." in page
    assert "Time left: less than a minute." in page
    assert "2 will be tried again, the next at" in page
    assert "2 The server asked us to come back later" in page
    assert "1 Handed over, but never confirmed: they may have it" in page
    assert "1 more was left out from the start" in page and "1 Left the newsletter before their turn came" in page
    assert "1 Address does not exist" in page


def test_the_page_says_what_holds_a_mailing_up(manager, mailing):
    moving = f"{MAILINGS}progress/{mailing.pk}/"
    assert "Why it takes its time" not in words(manager.get(moving))
    throttles.slow_down(throttles.for_domain("school.example"), None, 1000.0, "450 4.7.1 Rate limited")
    for page in (moving, f"{MAILINGS}inspect/{mailing.pk}/"):
        assert "Why it takes its time school.example rests until" in (said := words(manager.get(page)))
        assert "it said: “450 4.7.1 Rate limited”; 3 are waiting." in said


def test_the_page_names_no_reader(manager, mailing):
    assert "reader" not in words(manager.get(f"{MAILINGS}inspect/{mailing.pk}/"))


def test_every_number_leads_to_its_list_and_the_lists_add_up(manager, mailing):
    page = BeautifulSoup(manager.get(f"{MAILINGS}inspect/{mailing.pk}/").content, "html.parser")
    links = [link for link in page.select(".desk-columns a") if link.text.isdigit()]
    assert len(links) == 11
    for link in links:
        found = words(manager.get(link["href"]))
        assert len(set(re.findall(r"reader\d+@", found))) == int(link.text), link
    rows = page.select(".desk-numbers tbody tr")
    numbers = [int(row.select("td")[-1].text) for row in rows]
    assert sum(numbers[:-1]) == numbers[-1] == 9


def test_the_moving_part_can_be_asked_for_alone(manager, mailing):
    page = manager.get(f"{MAILINGS}inspect/{mailing.pk}/").content.decode()
    assert f'data-mailing-progress="{MAILINGS}progress/{mailing.pk}/"' in page and "data-moving" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    answer = manager.get(f"{MAILINGS}progress/{mailing.pk}/")
    assert answer["X-Mailing-State"] == "sending" and "6 of 9 done" in words(answer)
    assert "<html" not in answer.content.decode()
    Mailing.objects.update(state="paused")
    assert "data-moving" not in manager.get(f"{MAILINGS}inspect/{mailing.pk}/").content.decode()


def test_the_page_of_what_is_about_to_start_looks_again_by_itself(manager, mailing):
    Mailing.objects.update(state="scheduled", scheduled_for=timezone.now())
    assert "data-moving" in manager.get(f"{MAILINGS}inspect/{mailing.pk}/").content.decode()
    Mailing.objects.update(scheduled_for=timezone.now() + timedelta(hours=1))
    assert "data-moving" not in manager.get(f"{MAILINGS}inspect/{mailing.pk}/").content.decode()


def test_the_page_costs_the_same_however_many_readers(manager, mailing, django_assert_max_num_queries):
    manager.get(f"{MAILINGS}inspect/{mailing.pk}/")
    with django_assert_max_num_queries(40):
        manager.get(f"{MAILINGS}inspect/{mailing.pk}/")
    with django_assert_max_num_queries(18):
        manager.get(f"{MAILINGS}progress/{mailing.pk}/")


def test_a_paused_mailing_says_why_on_its_page_in_the_list_and_on_the_first_page(manager, mailing):
    delivery.pause(mailing, "The mail server takes this mailing for spam.")
    for address in (f"{MAILINGS}inspect/{mailing.pk}/", MAILINGS, "/admin/"):
        assert "The mail server takes this mailing for spam." in words(manager.get(address)), address


def test_the_first_page_names_what_needs_a_person_and_is_quiet_otherwise(manager, mailing, sam):
    assert "In doubt: Reading aloud" in words(manager.get("/admin/"))
    Delivery.objects.filter(reason="uncertain").update(current=False)
    assert "The newsletter needs you" not in words(manager.get("/admin/"))
    an_hour_ago = timezone.now() - timedelta(hours=2)
    for number, (state, reason) in enumerate([("failed", "blocked"), ("failed", "address"), ("queued", "deferred")]):
        Notice.objects.create(
            subscription=sam, kind="confirmation", message_id=f"<{number}>", state=state, reason=reason,
            due_at=timezone.now(),
        )  # fmt: skip
    Notice.objects.update(created_at=an_hour_ago)
    page = words(manager.get("/admin/"))
    assert "1 confirmation, welcome or new password could not be sent" in page
    assert "1 confirmation, welcome or new password has waited for more than an hour" in page
    Mailing.objects.update(state="scheduled", scheduled_for=an_hour_ago, started_at=None)
    assert "Late: Reading aloud" in words(manager.get("/admin/"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", list(range(9))),
        ("?state=failed", [2, 3]),
        ("?state=failed&state=bounced", [2, 3, 7]),
        ("?reason=deferred", [4, 5]),
        ("?domain=School.example", list(range(9))),
        ("?domain=college.example", []),
        ("?q=reader3@school.example", [3]),
        ("?q=READER3@school.example", [3]),
        ("?q=ader3", [3]),
        ("?q=nobody@school.example", []),
        ("?q=%00", list(range(9))),
        ("?mailing=nonsense", list(range(9))),
    ],
)
def test_deliveries_are_narrowed_and_found(manager, mailing, query, found):
    assert listed(manager.get(f"{DELIVERIES}{query}")) == found


def test_a_resent_delivery_is_listed_once_unless_asked_for(manager, mailing):
    old = mailing.deliveries.get(reason="uncertain")
    new = delivery.resend(old)
    page = manager.get(f"{DELIVERIES}?q={old.address}").content.decode()
    assert f"inspect/{new.pk}/" in page and f"inspect/{old.pk}/" not in page
    assert f"inspect/{old.pk}/" in manager.get(f"{DELIVERIES}?q={old.address}&earlier=with").content.decode()


def test_the_page_of_a_delivery_tells_its_story(manager, mailing):
    bounced = mailing.deliveries.get(state="bounced")
    subscription = bounced.subscriber.subscriptions.get()
    ConsentEvent.objects.create(subscription=subscription, kind="confirmed", source="form", wording="Monthly, please.")
    ConsentEvent.objects.update(at=mailing.started_at - timedelta(days=1))
    ConsentEvent.objects.create(subscription=subscription, kind="changed", source="form", wording="Much later.")
    page = words(manager.get(f"{DELIVERIES}inspect/{bounced.pk}/"))
    for said in ("Bounced", bounced.address, bounced.message_id, "250 2.0.0 Ok", "Gone", "5.1.1", "Monthly, please."):
        assert said in page, said
    assert "Much later." not in page
    new = delivery.resend(bounced)
    page = words(manager.get(f"{DELIVERIES}inspect/{bounced.pk}/"))
    assert "Every copy to this person" in page and "look at the later copy" in page
    assert new.message_id in words(manager.get(f"{DELIVERIES}inspect/{new.pk}/"))


def test_an_erased_person_stays_a_number(manager, mailing):
    row = mailing.deliveries.get(state="bounced")
    subscribers.erase(row.address_key, source="test")
    for address in (f"{DELIVERIES}inspect/{row.pk}/", DELIVERIES, BOUNCES):
        answer = manager.get(address)
        assert answer.status_code == 200 and "reader7" not in words(answer)


def test_sending_again_asks_first_and_is_told(manager, mailing):
    sent = mailing.deliveries.filter(state="sent").first()
    address = f"{DELIVERIES}resend/{sent.pk}/"
    assert "A second copy goes out all the same" in words(manager.get(address))
    assert mailing.deliveries.count() == 9
    answer = manager.post(address)
    new = mailing.deliveries.get(generation=2)
    assert answer.headers["Location"] == f"{DELIVERIES}inspect/{new.pk}/"
    assert "Sent again to one person manager" in words(manager.get(f"{MAILINGS}inspect/{mailing.pk}/"))
    answer = manager.post(address, follow=True)
    assert "sent again already" in words(answer) and mailing.deliveries.count() == 10


def test_retrying_says_who_and_what_may_happen_twice(manager, mailing):
    address = f"{MAILINGS}retry/{mailing.pk}/"
    page = words(manager.get(address))
    assert "1 person would get a fresh copy" in page and "1 of them may have it already" in page
    assert "Also 1 whose server said that the address does not take mail" in page
    assert "1 person is sent to again." in words(manager.post(address, follow=True))
    assert "There is nobody to send it to again." in words(manager.post(address, follow=True))
    assert "1 person is sent to again." in words(manager.post(address, {"addresses": "on"}, follow=True))
    assert delivery.counts(mailing)["recipients"] == 9


def test_the_story_of_a_mailing_names_who_did_what(manager, mailing):
    for brake in ("pause", "resume", "cancel"):
        manager.post(f"{MAILINGS}{brake}/{mailing.pk}/")
    page = words(manager.get(f"{MAILINGS}inspect/{mailing.pk}/"))
    for said in ("9 people get it; 1 was left out", "Paused the mailing manager", "Cancelled the mailing manager"):
        assert said in page
    assert ModelLogEntry.objects.filter(action="newsletter.pause").count() == 1


def test_bounces_are_listed_by_kind_and_mailing(manager, mailing):
    assert "reader7@school.example" in words(manager.get(BOUNCES))
    assert "reader7" in words(manager.get(f"{BOUNCES}?kind=hard&mailing={mailing.pk}"))
    assert "reader7" not in words(manager.get(f"{BOUNCES}?kind=soft"))
    assert "reader7" in words(manager.get(f"{BOUNCES}?q=reader7"))


def test_the_page_of_a_subscriber_lists_what_they_got(manager, mailing):
    row = mailing.deliveries.get(reason="uncertain")
    page = manager.get(f"/admin/newsletter/subscribers/inspect/{row.subscriber_id}/")
    assert "Failed: Handed over, but never confirmed" in words(page)
    assert f"{DELIVERIES}inspect/{row.pk}/" in page.content.decode()


def taken(answer):
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


@pytest.mark.parametrize("reply", ['=HYPERLINK("http://evil.example")', "+1", "-1", "@sum", "\t=1"])
def test_no_cell_of_an_export_is_a_formula(manager, mailing, reply):
    mailing.deliveries.filter(state="failed").update(reply=reply)
    head, *rows = taken(manager.get(f"{DELIVERIES}?mailing={mailing.pk}&state=failed&export=csv"))
    assert len(rows) == 2
    assert {row[head.index("Last reply")] for row in rows} == {f"'{reply}"}
    book = openpyxl.load_workbook(
        io.BytesIO(b"".join(manager.get(f"{DELIVERIES}?state=failed&export=xlsx").streaming_content))
    )
    assert {cell.data_type for row in book.active.iter_rows(min_row=2) for cell in row} <= {"s", "n", "b", "d"}


def test_control_signs_in_a_reply_do_not_break_a_sheet(manager, mailing):
    mailing.deliveries.filter(state="failed").update(reply="550 \x07ring")
    answer = manager.get(f"{DELIVERIES}?state=failed&export=xlsx")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    assert "550 ring" in [cell.value for row in book.active.iter_rows() for cell in row]


def test_bounces_can_be_taken_along(manager, mailing):
    Bounce.objects.create(event_id="2", delivery=None, kind="unknown")
    _head, *rows = taken(manager.get(f"{BOUNCES}?export=csv"))
    assert len(rows) == 2 and any("reader7@school.example" in row for row in rows)


def test_who_takes_a_list_is_logged(manager, mailing):
    taken(manager.get(f"{DELIVERIES}?mailing={mailing.pk}&export=csv"))
    entry = ModelLogEntry.objects.get(action="newsletter.export_list")
    assert (entry.user.username, entry.object_id, entry.data) == ("manager", str(mailing.pk), {"list": "deliveries"})


def test_an_export_holds_few_rows_in_memory(manager, mailing, monkeypatch):
    """What 6,000 rows cost beyond 3,000 is next to nothing: a million would cost no more."""

    def peak(number):
        pattern = mailing.deliveries.filter(state="sent").first()
        have = mailing.deliveries.count()
        Delivery.objects.bulk_create(
            Delivery(
                mailing=mailing, variant=pattern.variant, address=f"bulk{n}@school.example", state="sent",
                address_key=f"bulk{n}@school.example", message_id=f"<bulk{n}>", sent_at=timezone.now(), reply="250 Ok",
            )
            for n in range(have, number)
        )  # fmt: skip
        tracemalloc.start()
        answer = manager.get(f"{DELIVERIES}?export=csv")
        lines = sum(chunk.count(b"\r\n") for chunk in answer.streaming_content)
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert lines == number + 1
        return most

    monkeypatch.setattr(sheets, "AT_ONCE", 500)
    few, many = peak(3_000), peak(6_000)
    assert many < few * 1.2, f"{few} bytes, then {many}"
