"""What slows us down, counted in rows that all sending processes share: rates, rests, and the days of a warm-up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from newsletter.delivery import clock
from newsletter.delivery.replies import anonymous
from newsletter.models import Throttle

SLOWEST = 6.0  # messages a minute
FIRST_REST = 30.0  # seconds after the first sign that a server wants less, doubling with the next
LONGEST_REST = 600.0
RECOVERY = 20.0  # minutes without a sign from a standstill to the usual rate, in equal steps
KEPT = timedelta(days=3)


def for_domain(domain: str) -> str:
    """The key of a domain."""
    return f"domain:{domain}"


def domain_of(key: str) -> str:
    """The domain a key is about, or nothing."""
    kind, _colon, name = key.partition(":")
    return name if kind == "domain" else ""


def for_way(way: object) -> str:
    """The key of a relay."""
    return f"relay:{way}"


def for_day(day: date) -> str:
    """The key of a day of the warm-up."""
    return f"day:{day.isoformat()}"


def locked(keys: Iterable[str]) -> dict[str, Throttle]:
    """The rows of these keys, new ones where there are none, and nobody else counts until this transaction ends."""
    if connection.vendor == "postgresql":  # On SQLite the transaction is the only one that writes.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('newsletter_throttle'))")
    wanted = set(keys)
    found = Throttle.objects.in_bulk(wanted)
    return {key: found.get(key) or Throttle(key=key) for key in wanted}


def keep(rows: Iterable[Throttle]) -> None:
    """Write rows down that `locked` gave out."""
    Throttle.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["key"], update_fields=["tokens", "counted_at"]
    )


def slowed() -> list[Throttle]:
    """Every row of a relay or a domain that rests or goes slower than usual."""
    found = list(Throttle.objects.filter(Q(rate__isnull=False) | Q(rest_until__gt=clock.moment())))
    now = clock.read() if found else None
    return [row for row in found if now and (rests(row, now) or going_rate(row, None, now) is not None)]


def going_rate(row: Throttle | None, limit: float | None, now: datetime) -> float | None:
    """Messages a minute that may go now: the limit of the settings, or less after a sign; None without either."""
    if row is None or row.rate is None or row.usual is None or row.slowed_at is None:
        return limit
    learned = row.rate + row.usual * _minutes(row.slowed_at, now) / RECOVERY
    if learned >= row.usual:
        return limit
    return learned if limit is None else min(learned, limit)


def rests(row: Throttle | None, now: datetime) -> bool:
    """Whether nothing at all may go now."""
    return row is not None and row.rest_until is not None and row.rest_until > now


def tokens(row: Throttle, rate: float, now: datetime) -> float:
    """How many may go at once. In no minute do more go than the rate: what may pile up is taken off the inflow."""
    most = max(1.0, rate // 20)
    if row.tokens is None or row.counted_at is None:
        return most
    return min(most, row.tokens + (rate + 1 - most) * _minutes(row.counted_at, now))


def spend(row: Throttle, rate: float, count: int, now: datetime) -> None:
    """Take tokens from a row that `locked` gave out."""
    row.tokens, row.counted_at = tokens(row, rate, now) - count, now


@transaction.atomic
def slow_down(key: str, limit: float | None, measured: float, said: str) -> None:
    """A server asked for less: rest, then go on at half the rate.

    Args:
        key: of the relay or the domain.
        limit: its rate in the settings.
        measured: messages a minute that went there lately, in case it had no limit.
        said: the server's words.
    """
    row, now = locked([key])[key], clock.read()
    if rests(row, now):  # What was on its way answers too; it is the same sign.
        return
    going = going_rate(row, limit, now)
    recovered = row.rate is None or going_rate(row, None, now) is None
    row.signs = 1 if recovered else row.signs + 1
    row.usual = max(going or measured, 2 * SLOWEST) if recovered else row.usual
    row.rate = max(SLOWEST, (going or measured) / 2)
    row.slowed_at = now
    row.rest_until = now + timedelta(seconds=min(FIRST_REST * 2.0 ** min(row.signs - 1, 10), LONGEST_REST))
    row.why = anonymous(said)[:500]
    row.save()


def rest(key: str, seconds: float, why: str) -> None:
    """Leave a relay alone that can not be reached, so that every process and the people know."""
    until = clock.read() + timedelta(seconds=seconds)
    words = {"rest_until": until, "why": anonymous(why)[:500]}
    Throttle.objects.update_or_create(key=key, defaults=words)


def end_rest(key: str) -> None:
    """The relay can be reached again. A rest that it asked for goes on."""
    Throttle.objects.filter(key=key, rate__isnull=True).update(rest_until=None)


def most_today(now: datetime) -> int | None:
    """How many messages may go out on this day of the warm-up; None when there is none."""
    plan = settings.MAIL_WARM_UP
    number = (_day(now) - plan.start).days if plan else -1
    if not plan or not 0 <= number < plan.days:
        return None
    return int(plan.first * (plan.last / plan.first) ** (number / (plan.days - 1)))


def today(now: datetime) -> str:
    """The key of today, in the organisation's time zone."""
    return for_day(_day(now))


def count_today(count: int) -> None:
    """Some more have gone out, or may have."""
    key = today(clock.read())
    row = locked([key])[key]
    row.spent += count
    row.save()


def forget() -> None:
    """Delete the rows that count for nothing any more."""
    old = clock.moment(-KEPT.total_seconds())
    stale = Q(slowed_at__isnull=True) | Q(slowed_at__lt=old)
    idle = Q(counted_at__isnull=True) | Q(counted_at__lt=old)
    awake = Q(rest_until__isnull=True) | Q(rest_until__lt=old)
    Throttle.objects.filter(stale, idle, awake).exclude(key__startswith="day:").delete()
    Throttle.objects.filter(key__startswith="day:", key__lt=for_day(timezone.localdate() - KEPT)).delete()


def _day(now: datetime) -> date:
    return timezone.localtime(now).date()


def _minutes(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) / 60
