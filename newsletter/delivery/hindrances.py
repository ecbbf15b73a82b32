"""Why a mailing that is under way goes no faster, in sentences for the people who watch it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.delivery import clock, throttles
from newsletter.delivery.ways import ways_out
from newsletter.models import Dispatch, Mailing, Throttle


def hindrances(mailing: Mailing) -> list[str]:
    """What holds a mailing up: the warm-up, then relays, then domains with the most mail waiting first.

    Returns:
        One sentence each; none when nothing does, or the mailing is not being sent.
    """
    if mailing.state != Mailing.State.SENDING:
        return []
    now = clock.read()
    rows = {row.key: row for row in throttles.slowed()}
    return [*_about_today(mailing, now), *_about_relays(rows, now), *_about_domains(mailing, rows, now)]


def _about_today(mailing: Mailing, now: datetime) -> Iterator[str]:
    allowed = throttles.most_today(now)
    if allowed is None:
        return
    row = Throttle.objects.filter(key=throttles.today(now)).first()
    waiting = mailing.deliveries.filter(state=Dispatch.State.QUEUED).count()
    if waiting > allowed - (row.spent if row else 0):
        tomorrow = throttles.most_today(now + timedelta(days=1))
        words = {"allowed": _number(allowed), "waiting": _number(waiting)}
        yield _("Warm-up: at most %(allowed)s messages may go out today, and %(waiting)s are waiting.") % words
        if tomorrow is None:
            yield _("The warm-up ends today: the rest goes on tomorrow, without a limit.")
        else:
            yield _("The rest goes on tomorrow, with at most %(number)s messages.") % {"number": _number(tomorrow)}


def _about_relays(rows: dict[str, Throttle], now: datetime) -> Iterator[str]:
    for way in ways_out():
        row = rows.get(throttles.for_way(way))
        rate = throttles.going_rate(row, way.rate, now)
        words = {"relay": str(way), "why": row.why if row else "", "rate": _number(rate or 0)}
        if row and row.rest_until and throttles.rests(row, now):
            words["time"] = _time(row.rest_until)
            yield _("The mail server %(relay)s rests until %(time)s: “%(why)s”") % words
        elif rate is not None and rate != way.rate:
            yield _("The mail server %(relay)s asked for less: now %(rate)s a minute. It said: “%(why)s”") % words
        elif rate is not None:
            yield _("The mail server %(relay)s takes at most %(rate)s messages a minute.") % words


def _about_domains(mailing: Mailing, rows: dict[str, Throttle], now: datetime) -> Iterator[str]:
    hindered = {*settings.DOMAIN_LIMITS, *filter(None, map(throttles.domain_of, rows))}
    if not hindered:
        return
    queued = mailing.deliveries.filter(state=Dispatch.State.QUEUED, domain__in=hindered)
    for domain, count in queued.values_list("domain").annotate(count=Count("pk")).order_by("-count", "domain"):
        yield from _about_domain(domain, count, rows.get(throttles.for_domain(domain)), now)


def _about_domain(domain: str, waiting: int, row: Throttle | None, now: datetime) -> Iterator[str]:
    limit = settings.DOMAIN_LIMITS.get(domain)
    fixed = limit.rate if limit else None
    rate = throttles.going_rate(row, fixed, now)
    words = {"domain": domain, "why": row.why if row else "", "rate": _number(rate or 0)}
    count = ngettext("%(number)s is waiting.", "%(number)s are waiting.", waiting)
    words["count"] = count % {"number": _number(waiting)}
    if row and row.rest_until and throttles.rests(row, now):
        words["time"] = _time(row.rest_until)
        yield _("%(domain)s rests until %(time)s, it said: “%(why)s”; %(count)s") % words
    elif rate is not None and rate != fixed:
        yield _("%(domain)s asked for less, now it gets %(rate)s a minute: “%(why)s”; %(count)s") % words
    elif rate is not None:
        yield _("%(domain)s: at most %(rate)s a minute, %(count)s") % words
    elif limit and limit.connections:
        words["most"] = _number(limit.connections)
        yield _("%(domain)s: at most %(most)s connections at once, %(count)s") % words


def _number(number: float) -> str:
    return formats.number_format(int(number), force_grouping=True)


def _time(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "H:i:s T")
