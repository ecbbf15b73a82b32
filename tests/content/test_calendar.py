"""When an event is, in words and as a calendar file."""

import datetime

import icalendar
import pytest
from django.utils import translation

from content import calendar
from content.models import EventPage, EventsPage
from newsletter.site import found

pytestmark = [pytest.mark.once, pytest.mark.django_db]

STARTS = datetime.datetime(2026, 12, 8, 21, 0, tzinfo=datetime.UTC)  # 4 p.m. in New York
ENDS = datetime.datetime(2026, 12, 8, 22, 30, tzinfo=datetime.UTC)
SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def walk():
    found()
    return EventsPage.objects.get(locale__language_code="en").add_child(
        instance=EventPage(
            title="Learning walk; bring, a friend", slug="walk", starts_at=STARTS, ends_at=ENDS, summary="See."
        )
    )


def entry(client):
    answer = client.get("/events/walk/event.ics")
    assert answer.status_code == 200
    return answer, icalendar.Calendar.from_ical(answer.content)


def test_day_times_and_zone_are_written_out():
    event = EventPage(starts_at=STARTS, ends_at=ENDS)

    assert calendar.when(event) == f"Tuesday, December 8, 2026, 4:00{SPACE}p.m. – 5:30{SPACE}p.m. EST (New York time)"


def test_summer_time_is_named_as_such():
    event = EventPage(starts_at=datetime.datetime(2026, 7, 1, 20, 0, tzinfo=datetime.UTC))

    assert calendar.when(event) == f"Wednesday, July 1, 2026, 4:00{SPACE}p.m. EDT (New York time)"


def test_an_event_over_midnight_names_both_days():
    event = EventPage(starts_at=STARTS, ends_at=STARTS + datetime.timedelta(days=1))

    assert "Tuesday, December 8" in calendar.when(event)
    assert "Wednesday, December 9" in calendar.when(event)


def test_an_event_without_a_date_has_no_words_for_it():
    assert calendar.when(EventPage()) == ""


def test_the_file_has_the_event_in_its_time_zone(client, walk):
    answer, book = entry(client)
    event = book.walk("VEVENT")[0]
    zone = book.walk("VTIMEZONE")[0]

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="walk.ics"'
    assert zone["TZID"] == event["DTSTART"].params["TZID"] == "America/New_York"
    assert event.decoded("DTSTART") == STARTS
    assert event.decoded("DTEND") == ENDS
    assert str(event["SUMMARY"]) == "Learning walk; bring, a friend"
    assert str(event["URL"]) == "http://testserver/events/walk/"


def test_the_lines_are_as_rfc_5545_asks(client, walk):
    answer, _book = entry(client)

    lines = answer.content.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-1] == b""
    assert all(len(line) <= 75 for line in lines)
    assert rb"SUMMARY:Learning walk\; bring\, a friend" in lines


def test_the_uid_stays_and_the_sequence_grows_with_each_publication(client, walk):
    before = entry(client)[1].walk("VEVENT")[0]
    walk.starts_at += datetime.timedelta(days=1)
    walk.ends_at += datetime.timedelta(days=1)
    walk.last_published_at = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
    walk.save()
    after = entry(client)[1].walk("VEVENT")[0]

    assert before["UID"] == after["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_there_is_no_file_for_a_draft_or_an_undated_event(client, walk):
    assert client.get("/events/nothing/event.ics").status_code == 404
    assert client.get("/events/%00/event.ics").status_code == 404
    walk.live = False
    walk.save()
    assert client.get("/events/walk/event.ics").status_code == 404
    walk.live, walk.starts_at = True, None
    walk.save()
    assert client.get("/events/walk/event.ics").status_code == 404


def test_spanish_readers_get_spanish_words(walk):
    with translation.override("es"):
        assert calendar.when(walk).startswith("martes")
