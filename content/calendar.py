"""When an event is: written out for readers, and as a file for their calendar."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from content import hours, languages
from content.models import EventPage, Organisation


def when(event: EventPage) -> str:
    """Say day, times and zone of an event, such as “Tuesday, December 8, 2026, 4:00 – 5:30 p.m. EST (New York time)”.

    Empty when the event has no date yet.
    """
    if event.starts_at is None:
        return ""
    starts = timezone.localtime(event.starts_at)
    ends = timezone.localtime(event.ends_at) if event.ends_at else None
    if ends is None:
        return f"{_day(starts)}, {_time(starts)} {hours.zone_of(starts)}"
    begin = f"{_day(starts)}, {_time(starts)}"
    if starts.utcoffset() != ends.utcoffset():  # the clocks are changed meanwhile
        begin = f"{begin} {starts:%Z}"
    end = _time(ends) if ends.date() == starts.date() else f"{_day(ends)}, {_time(ends)}"
    return f"{begin} – {end} {hours.zone_of(ends)}"


def written(day: datetime.date) -> str:
    """Write a date out, such as “November 23, 2026”."""
    # Translators: the pattern of a date; see the date filter of Django templates.
    return date_format(day, languages.date_pattern("F j, Y"))


def _day(moment: datetime.datetime) -> str:
    # Translators: the pattern of a full date; see the date filter of Django templates.
    return date_format(moment, languages.date_pattern("l, F j, Y"))


def _time(moment: datetime.datetime) -> str:
    # Translators: the pattern of a time of day; see the date filter of Django templates.
    return time_format(moment, languages.date_pattern("g:i a", "TIME_FORMAT")).replace(" ", "\N{NO-BREAK SPACE}")


def file(event: EventPage, url: str) -> bytes:
    """Write an event as a calendar file (RFC 5545) with its time zone.

    The UID is the same for ever and SEQUENCE grows with each publication, so that an event added twice moves
    instead of doubling.

    Args:
        event: an event with a start; without an end it is given one hour.
        url: its absolute address.
    """
    zone = ZoneInfo(settings.TIME_ZONE)
    starts = (event.starts_at or timezone.now()).astimezone(zone)
    ends = event.ends_at.astimezone(zone) if event.ends_at else starts
    if ends.astimezone(datetime.UTC) <= starts.astimezone(datetime.UTC):  # RFC 5545 wants an end after the start
        ends = (starts.astimezone(datetime.UTC) + datetime.timedelta(hours=1)).astimezone(zone)
    published = (event.last_published_at or starts).astimezone(datetime.UTC)
    entry = icalendar.Event()
    entry.add("uid", f"{event.translation_key}@{settings.SITE_HOST}")
    entry.add("sequence", int(published.timestamp()) // 60 % 2**31)
    entry.add("dtstamp", published)
    entry.add("dtstart", _unmistakable(starts))
    entry.add("dtend", _unmistakable(ends))
    entry.add("summary", event.title)
    entry.add("description", "\n\n".join(part for part in (event.summary, url) if part))
    entry.add("location", event.venue or _("Online"))
    entry.add("url", url)
    entry.add("status", "CONFIRMED")
    return _calendar(entry, starts, ends)


def _unmistakable(moment: datetime.datetime) -> datetime.datetime:
    """A moment as a calendar file can say it: of an hour that comes twice, RFC 5545 can name only the first by zone."""
    return moment.astimezone(datetime.UTC) if moment.fold and hours.comes_twice(moment) else moment


def _calendar(entry: icalendar.Event, starts: datetime.datetime, ends: datetime.datetime) -> bytes:
    organisation = Organisation.load()
    book = icalendar.Calendar()
    book.add("prodid", f"-//{organisation.name}//Events//{(get_language() or 'en').upper()}")
    book.add("version", "2.0")
    book.add("method", "PUBLISH")
    book.add_component(
        icalendar.Timezone.from_tzinfo(
            ZoneInfo(settings.TIME_ZONE),
            first_date=starts.date() - datetime.timedelta(days=366),
            last_date=ends.date() + datetime.timedelta(days=366),
        )
    )
    book.add_component(entry)
    lines: bytes = book.to_ical()
    return lines
