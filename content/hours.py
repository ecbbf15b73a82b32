"""The organization's clock (`TIME_ZONE`): its zone in words, and hours as people type them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# Places whose names differ from language to language.
PLACES = (gettext_noop("New York"), gettext_noop("Los Angeles"), gettext_noop("Mexico City"), gettext_noop("Bogota"))


class NoSuchHour(ValueError):
    """A typed hour that comes twice or never, because the clocks are changed; says what to type instead."""


def zone_name() -> str:
    """The organization's time zone in words, such as “New York time” or “UTC”."""
    area, _slash, place = timezone.get_default_timezone_name().rpartition("/")
    place = place.replace("_", " ")
    # Translators: a time zone by its place, such as "New York time".
    return place if area in ("", "Etc") else _("%(place)s time") % {"place": _(place)}


def zone_of(moment: datetime) -> str:
    """The zone of a moment on that clock, such as “EST (New York time)”."""
    letters, name = f"{timezone.localtime(moment, timezone.get_default_timezone()):%Z}", zone_name()
    return name if letters == name else f"{letters} ({name})"


def zone_help() -> str:
    """What stands beside a field that takes an hour."""
    # Translators: beside a field that takes an hour, such as "In New York time."
    return _("In %(zone)s.") % {"zone": zone_name()}


zone_help_lazy = lazy(zone_help, str)


def place_on_clock(typed: datetime) -> datetime:
    """The moment that somebody means who types a date and an hour without a zone.

    Raises:
        NoSuchHour: the clocks are changed in that hour, so that it comes twice or never.
    """
    zone = timezone.get_default_timezone()
    first, second = (typed.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    raise NoSuchHour(_twice(first, second) if comes_twice(first) else _never(first, second))


def comes_twice(moment: datetime) -> bool:
    """Whether the local hour of an aware moment stands on the clock twice."""
    first, second = (moment.replace(fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


def ignore_own_zone(instance: Any, **_said: Any) -> None:
    """Signal receiver: what a user's profile calls its time zone counts for nothing, in forms and in lists."""
    instance.current_time_zone = ""


def _twice(first: datetime, second: datetime) -> str:
    return _(
        "In %(zone)s, %(hour)s comes twice on %(day)s, because the clocks go back. Type %(first)s for the first "
        "(%(first_zone)s) or %(second)s for the second (%(second_zone)s)."
    ) % {**_words(first), **_choices(first, second)}


def _never(after: datetime, before: datetime) -> str:
    # Read with the offset before the change, the hour lies after it, and the other way round.
    zone = timezone.get_default_timezone()
    first, second = (timezone.localtime(timezone.localtime(each, UTC), zone) for each in (before, after))
    return _(
        "In %(zone)s, there is no %(hour)s on %(day)s, because the clocks go forward. Type %(first)s for "
        "%(first_hour)s %(first_zone)s or %(second)s for %(second_hour)s %(second_zone)s."
    ) % {**_words(after), **_choices(first, second), "first_hour": _hour(first), "second_hour": _hour(second)}


def _words(typed: datetime) -> dict[str, str]:
    return {"zone": zone_name(), "hour": _hour(typed), "day": date_format(typed, _("F j, Y"))}


def _choices(first: datetime, second: datetime) -> dict[str, str]:
    return {
        "first": first.isoformat(timespec="minutes"),
        "second": second.isoformat(timespec="minutes"),
        "first_zone": f"{first:%Z}",
        "second_zone": f"{second:%Z}",
    }


def _hour(moment: datetime) -> str:
    return time_format(moment, _("g:i a"))
