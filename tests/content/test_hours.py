"""Hours are the organization's, typed and shown, with the zone beside them; what never was is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import time_machine
from bs4 import BeautifulSoup
from django.conf import settings as site
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.template import Context, Template
from django.test import override_settings
from django.utils import timezone, translation
from wagtail.models import Revision
from wagtail.users.models import UserProfile

from content import calendar, hours
from content.forms.moments import DateTimeField
from content.models import EventPage, EventsPage
from newsletter.site import found
from tests.content.library import stocked

pytestmark = pytest.mark.once

NEW_YORK = ZoneInfo("America/New_York")
TWICE = "2026-11-01 01:30"
NEVER = "2026-03-08 02:30"


@pytest.fixture
def walk(db):
    found()
    return EventsPage.objects.get(locale__language_code="en").add_child(
        instance=EventPage(
            title="Learning walk",
            slug="walk",
            summary="See.",
            starts_at=datetime(2026, 12, 8, 21, 0, tzinfo=UTC),
            ends_at=datetime(2026, 12, 8, 22, 30, tzinfo=UTC),
        )
    )


def form_of(page: str) -> dict[str, str]:
    """What a browser would send back of the page's edit form."""
    form = BeautifulSoup(page, "lxml").select_one("form[data-edit-form]")
    values = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        if field.get("type") in ("checkbox", "radio") and not field.has_attr("checked"):
            continue
        if field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            values[field["name"]] = chosen.get("value", "") if chosen else ""
        elif field.get("type") not in ("submit", "button", "file"):
            values[field["name"]] = field.get("value", "") if field.name == "input" else field.get_text()
    return values


def edited(client, page, **changes):
    """Save a page's form with some of its fields changed."""
    address = f"/admin/pages/{page.pk}/edit/"
    values = form_of(client.get(address).content.decode())
    return client.post(address, {**values, "body-count": "0", **changes})


# --- Typing


def test_a_typed_hour_is_the_organizations_whatever_zone_is_active():
    with timezone.override("Asia/Tokyo"):
        assert DateTimeField().clean("2026-12-08 16:00") == datetime(2026, 12, 8, 21, 0, tzinfo=UTC)
        assert DateTimeField().prepare_value(datetime(2026, 12, 8, 21, 0, tzinfo=UTC)) == datetime(2026, 12, 8, 16, 0)
    with override_settings(TIME_ZONE="Asia/Tokyo"):
        assert DateTimeField().clean("2026-12-08 16:00") == datetime(2026, 12, 8, 7, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_refused_with_both_moments_and_how_to_type_them():
    with pytest.raises(ValidationError) as refusal:
        DateTimeField().clean(TWICE)
    assert refusal.value.messages == [
        "In New York time, 1:30 a.m. comes twice on November 1, 2026, because the clocks go back. Type "
        "2026-11-01T01:30-04:00 for the first (EDT) or 2026-11-01T01:30-05:00 for the second (EST)."
    ]
    assert DateTimeField().clean("2026-11-01T01:30-04:00") == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert DateTimeField().clean("2026-11-01 01:30-05:00") == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_an_hour_that_never_comes_is_refused_with_the_hours_around_it():
    with pytest.raises(ValidationError) as refusal:
        DateTimeField().clean(NEVER)
    assert refusal.value.messages == [
        "In New York time, there is no 2:30 a.m. on March 8, 2026, because the clocks go forward. Type "
        "2026-03-08T01:30-05:00 for 1:30 a.m. EST or 2026-03-08T03:30-04:00 for 3:30 a.m. EDT."
    ]


def test_the_refusal_is_spanish_for_spanish_editors():
    with translation.override("es"), pytest.raises(ValidationError) as refusal:
        DateTimeField().clean(TWICE)
    assert "hora de Nueva York" in refusal.value.messages[0]


def test_a_moment_in_the_hour_that_comes_twice_is_shown_so_that_it_can_be_saved_again():
    for moment in (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)):
        shown = DateTimeField().prepare_value(moment)
        assert DateTimeField().clean(shown) == moment


@pytest.mark.parametrize(
    ("zone", "name", "nombre"),
    [
        ("America/New_York", "New York time", "hora de Nueva York"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time", "hora de Buenos Aires"),
        ("UTC", "UTC", "UTC"),
        ("Etc/UTC", "UTC", "UTC"),
    ],
)
def test_the_zone_has_a_name_people_know(zone, name, nombre):
    with override_settings(TIME_ZONE=zone):
        assert hours.zone_name() == name
        with translation.override("es"):
            assert hours.zone_name() == nombre


# --- The admin


@pytest.fixture
def traveler(admin_user, client):
    """An administrator whose profile names a zone, as an earlier version let them choose it."""
    profile = UserProfile.get_for_user(admin_user)
    UserProfile.objects.filter(pk=profile.pk).update(current_time_zone="Asia/Tokyo")
    client.force_login(admin_user)
    return client


def test_every_field_that_takes_an_hour_names_the_zone(admin_client, walk):
    page = BeautifulSoup(admin_client.get(f"/admin/pages/{walk.pk}/edit/").content, "html.parser")
    for name in ("starts_at", "ends_at", "go_live_at", "expire_at"):
        field = page.find(attrs={"name": name})
        assert field, name
        assert "In New York time." in str(field.find_parent(class_="w-field")), name


def test_an_hour_means_the_same_for_every_editor(traveler, walk):
    page = traveler.get(f"/admin/pages/{walk.pk}/edit/").content.decode()
    assert form_of(page)["starts_at"] == "2026-12-08 16:00"
    answer = edited(traveler, walk, starts_at="2026-12-09 09:00", ends_at="2026-12-09 10:00")
    assert answer.status_code == 302
    draft = EventPage.objects.get().get_latest_revision_as_object()
    assert draft.starts_at == datetime(2026, 12, 9, 14, 0, tzinfo=UTC)


def test_nobody_chooses_a_zone_of_their_own(admin_client):
    assert "time_zone" not in admin_client.get("/admin/account/").content.decode()


def test_the_form_of_a_page_refuses_an_hour_that_comes_twice_at_its_field(admin_client, walk):
    answer = edited(admin_client, walk, starts_at=TWICE, ends_at="2026-11-01 05:00")
    assert answer.status_code == 200
    field = BeautifulSoup(answer.content, "lxml").select_one("[name=starts_at]").find_parent(class_="w-field")
    assert "comes twice on November 1, 2026" in field.get_text()
    assert EventPage.objects.get().get_latest_revision_as_object().starts_at == walk.starts_at


@pytest.mark.parametrize("language", [code for code, _name in site.LANGUAGES])
def test_every_hour_that_is_shown_has_its_zone(language):
    moment = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
    with translation.override(language):
        shown = Template('{{ moment }}|{{ moment|date:"DATETIME_FORMAT" }}|{{ moment|time:"TIME_FORMAT" }}')
        parts = shown.render(Context({"moment": moment})).split("|")
    assert [part.rpartition(" ")[2] for part in parts] == ["EST"] * 3


def test_wagtails_own_pages_say_the_zone_too(admin_client, walk):
    moment = datetime(2030, 11, 5, 13, 0, tzinfo=UTC)
    EventPage.objects.update(go_live_at=moment, live=False)
    walk.refresh_from_db()
    walk.save_revision(approved_go_live_at=moment)
    page = admin_client.get(f"/admin/pages/{walk.pk}/edit/").content.decode()
    assert "Nov. 5, 2030, 8 a.m. EST" in page


# --- An event can not end before it starts


def test_the_form_refuses_an_end_before_the_start_at_the_end(admin_client, walk):
    answer = edited(admin_client, walk, starts_at="2026-12-09 09:00", ends_at="2026-12-09 08:00")
    assert answer.status_code == 200
    field = BeautifulSoup(answer.content, "lxml").select_one("[name=ends_at]").find_parent(class_="w-field")
    assert "The event ends before it starts." in field.get_text()
    assert not Revision.objects.filter(object_id=str(walk.pk)).exists()


def test_no_other_door_lets_an_end_before_the_start_in(walk):
    earlier = walk.starts_at - timedelta(minutes=1)
    with pytest.raises(ValidationError, match="ends before it starts"):
        walk.get_parent().add_child(instance=EventPage(title="Two", starts_at=walk.starts_at, ends_at=earlier))
    walk.ends_at = earlier
    with pytest.raises(ValidationError, match="ends before it starts"):
        walk.save_revision()
    with pytest.raises(ValidationError, match="ends before it starts"):
        walk.save()
    assert not EventPage.objects.filter(title="Two").exists()
    walk.ends_at = walk.starts_at
    walk.save()


def old_revision(page: EventPage, **fields) -> Revision:
    """A revision from before the rule, with an end before the start."""
    revision = page.save_revision()
    revision.content = {**revision.content, "ends_at": "2026-12-08T20:00:00Z"}
    Revision.objects.filter(pk=revision.pk).update(content=revision.content, **fields)
    return revision


def test_an_old_draft_that_ends_before_it_starts_does_not_stop_others_from_going_live(walk, draft):
    EventPage.objects.update(live=False)
    due = timezone.now() - timedelta(minutes=1)
    walk.refresh_from_db()
    old_revision(walk, approved_go_live_at=due)
    other = draft()
    other.save_revision(approved_go_live_at=due)
    call_command("shell", command="from content.tasks import publish_scheduled; publish_scheduled()", verbosity=0)
    other.refresh_from_db()
    walk.refresh_from_db()
    assert (other.live, walk.live) == (True, False)


def test_publishing_an_old_draft_that_ends_before_it_starts_is_answered_with_its_reason(admin_client, walk):
    EventPage.objects.update(live=False)
    walk.refresh_from_db()
    old_revision(walk)
    address = f"/admin/bulk/wagtailcore/page/publish/?id={walk.pk}&next=/admin/"
    answer = admin_client.post(address, {"include_descendants": ""}, follow=True)
    assert answer.status_code == 200
    assert "ends before it starts" in answer.content.decode()
    walk.refresh_from_db()
    assert not walk.live


# --- What readers and programs are told


def test_an_event_across_a_change_of_the_clocks_says_both_zones():
    event = EventPage(
        starts_at=datetime(2026, 10, 31, 9, tzinfo=NEW_YORK), ends_at=datetime(2026, 11, 2, 17, tzinfo=NEW_YORK)
    )
    words = calendar.when(event).replace("\u00a0", " ")
    assert (
        words == "Saturday, October 31, 2026, 9:00 a.m. EDT – Monday, November 2, 2026, 5:00 p.m. EST (New York time)"
    )


def test_the_place_of_the_zone_is_spanish_in_spanish():
    event = EventPage(starts_at=datetime(2026, 12, 8, 21, 0, tzinfo=UTC))
    with translation.override("es"):
        assert calendar.when(event).endswith("EST (hora de Nueva York)")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "America/Phoenix", "UTC"])
@pytest.mark.parametrize("starts", ["2026-11-01T05:30", "2026-11-01T06:30", "2026-03-08T06:59", "2026-07-01T00:00"])
def test_a_calendar_file_means_the_moments_of_the_event(db, zone, starts):
    found()
    event = EventPage(
        title="Walk", starts_at=datetime.fromisoformat(starts).replace(tzinfo=UTC), translation_key="0" * 32
    )
    event.ends_at = event.starts_at + timedelta(hours=2)
    with override_settings(TIME_ZONE=zone):
        book = icalendar.Calendar.from_ical(calendar.file(event, "http://testserver/events/walk/"))
    (entry,) = book.walk("VEVENT")
    for name, moment in (("DTSTART", event.starts_at), ("DTEND", event.ends_at)):
        assert first_reading(entry[name].dt) == moment
    assert entry["DTSTAMP"].dt.utcoffset() == timedelta(0)


def first_reading(moment: datetime) -> datetime:
    """What RFC 5545 means by a local time: of two, the first."""
    return moment.replace(fold=0).astimezone(UTC)


def test_an_event_without_length_still_ends_after_its_start_in_the_calendar_file(client, walk):
    walk.ends_at = walk.starts_at
    walk.save()
    (entry,) = icalendar.Calendar.from_ical(client.get("/events/walk/event.ics").content).walk("VEVENT")
    assert entry["DTEND"].dt > entry["DTSTART"].dt


MORNING = datetime(2026, 11, 5, 14, 0, tzinfo=UTC)  # 9 a.m. in New York, 11 p.m. in Tokyo


def dates_of(client) -> dict[str, list[datetime]]:
    """The dates of every entry, by form of the feed."""
    found = {}
    for form in ("rss", "atom"):
        feed = BeautifulSoup(client.get(f"/feeds/resources.{form}").content, "xml")
        found[form] = [tag.get_text() for tag in feed.find_all(["pubDate", "published", "updated", "lastBuildDate"])]
    items = json.loads(client.get("/feeds/resources.json").content)["items"]
    found["json"] = [item[name] for item in items for name in ("date_published", "date_modified")]
    return found


def moment_of(text: str) -> datetime:
    from email.utils import parsedate_to_datetime

    return datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_no_date_of_a_feed_is_in_the_future_and_each_is_the_organizations(client, picture, zone):
    with override_settings(TIME_ZONE=zone), time_machine.travel(MORNING, tick=False):
        library = stocked(picture)
        ahead = library.add_article("Dated ahead", "ahead", first_published_at=MORNING + timedelta(hours=3))
        ahead.published_on, ahead.last_published_at = "2026-12-24", MORNING + timedelta(hours=3)
        ahead.save()
        library.article.published_on = timezone.localdate()  # noon of which is still to come, or over
        library.article.first_published_at = MORNING - timedelta(hours=1)
        library.article.save()
        offset = timezone.localtime(MORNING).utcoffset()
        for form, dates in dates_of(client).items():
            assert dates
            for text in dates:
                assert moment_of(text) <= MORNING, (form, text)
            if form == "json":
                assert {moment_of(text).utcoffset() for text in dates} <= {offset, timedelta(hours=-4)}


def test_a_resource_of_today_keeps_the_moment_it_went_live_until_noon(client, picture):
    with time_machine.travel(MORNING, tick=False) as clock:
        library = stocked(picture)
        library.article.published_on, library.article.first_published_at = timezone.localdate(), MORNING
        library.article.save()
        clock.shift(timedelta(hours=1))
        items = json.loads(client.get("/feeds/resources.json").content)["items"]
    (entry,) = [item for item in items if item["title"] == "Equity in education"]
    assert entry["date_published"] == "2026-11-05T09:00:00-05:00"


def test_dates_for_search_engines_carry_the_organizations_offset(client, walk):
    walk.last_published_at = MORNING
    walk.save()
    assert "<lastmod>2026-11-05T09:00:00-05:00</lastmod>" in client.get("/sitemap.xml").content.decode()
    page = client.get("/events/walk/").content.decode()
    assert '"startDate":"2026-12-08T16:00:00-05:00"' in page
    api = client.get(f"/api/v2/pages/{walk.pk}/").json()
    assert api["starts_at"] == "2026-12-08T16:00:00-05:00"
