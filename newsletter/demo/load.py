"""Gives the demo library its newsletter: forty subscribers, one issue sent, one drafted. No mail leaves the house."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from wagtail.log_actions import registry
from wagtail.models import Page

from content import languages
from content.demo import load as library
from newsletter import addresses, choices, delivery, digest, site, subscribers
from newsletter.delivery import claims, ledger
from newsletter.delivery.replies import ADDRESS, Verdict
from newsletter.models import (
    Bounce,
    ConsentEvent,
    Delivery,
    Dispatch,
    IssuePage,
    Mailing,
    Newsletter,
    NewsletterPage,
    Subscriber,
    Subscription,
    Suppression,
)

FOLDER = Path(__file__).parent
LATER = ("leaves", "bounces", "complains", "erased")  # confirmed until the issue reached them
TAKEN = Verdict(Dispatch.State.SENT, reply="250 2.0.0 Accepted (demo: never sent)")
UNKNOWN = Verdict(
    Dispatch.State.FAILED, ADDRESS, "550 5.1.1 No such mailbox (demo: never sent)", bounce=Bounce.Kind.HARD
)


def is_empty() -> bool:
    """Whether nobody has written or signed up here: the demo never mixes with a site in use."""
    return library.is_empty() and not Subscriber.objects.exists()


@transaction.atomic
def load(today: date | None = None) -> dict[str, int]:
    """Load newsletter, subscribers and issues; the library must be there already.

    Args:
        today: the day that all dates count from; None takes the organisation's own today.

    Returns:
        How many of what was loaded.

    Raises:
        delivery.Refused: the issue could not be sent, such as for a missing postal address; nothing is changed.
    """
    today = today or timezone.localdate()
    site.found()
    newsletter, words = _present()
    people, consent = list(_people()), words["newsletter"]["consent"]
    sent_at = _on_the_third_of_last_month(today)
    early = [row for row in people if _joined(row, today) < sent_at]
    _take_in(newsletter, early, today, consent)
    issue = digest.draft(_month_before(_month_before(today)))
    _edit(issue, words["issue"])
    mailing = _send(issue, sent_at, {row["email"] for row in people if row["status"] == "bounces"})
    for row in people:
        _end(newsletter, row, mailing, sent_at + timedelta(hours=3))
    _take_in(newsletter, [row for row in people if row not in early], today, consent)
    draft = digest.draft(today)
    return {
        "subscribers": newsletter.subscriptions.count(),
        "deliveries": mailing.deliveries.count(),
        "issues": IssuePage.objects.filter(pk__in=[issue.pk, draft.pk]).count(),
    }


def _present() -> tuple[Newsletter, dict[str, Any]]:
    """Give the newsletter its name and its pages their words."""
    words = yaml.safe_load((FOLDER / "newsletter.yaml").read_text(encoding="utf-8"))
    newsletter = Newsletter.objects.earliest("pk")
    for name in ("name", "from_name", "description"):
        setattr(newsletter, name, words["newsletter"][name])
    newsletter.save()
    for page in NewsletterPage.objects.filter(locale__language_code__in=words["introductions"]):
        page.introduction = words["introductions"][page.locale.language_code]
        page.save_revision().publish()
    return newsletter, words


def _people() -> Iterable[dict[str, str]]:
    with (FOLDER / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _take_in(newsletter: Newsletter, rows: list[dict[str, str]], today: date, consent: str) -> None:
    subscribers.take_in(newsletter, [_arrival(row, today, consent) for row in rows])
    _date_consent()


def _arrival(row: dict[str, str], today: date, consent: str) -> subscribers.Arrival:
    joined = _joined(row, today)
    status = "confirmed" if row["status"] in LATER else row["status"]
    gone = status in ("unsubscribed", "suppressed")
    return subscribers.Arrival(
        address=addresses.parse(row["email"]),
        status=status,
        name=row["name"],
        language=languages.spoken(row["language"]),
        terms=choices.picked({facet: row[facet].split() for facet in choices.facet_slugs() if row.get(facet)}),
        consent=consent,
        source="form",
        created_at=joined,
        confirmed_at=joined + timedelta(minutes=7) if status == "confirmed" else None,
        ended_at=joined + timedelta(days=61) if gone else None,
    )


def _joined(row: dict[str, str], today: date) -> datetime:
    """Half past seven in the morning of the day somebody signed up, and never in the future."""
    day = today - timedelta(days=int(row["days_ago"]))
    return min(timezone.make_aware(datetime.combine(day, time(7, 30))), timezone.now() - timedelta(minutes=10))


def _edit(issue: IssuePage, introductions: dict[str, str]) -> None:
    """Write an editor's own words into the issue, in each language it was drafted in."""
    for page in issue.get_translations(inclusive=True).select_related("locale"):
        words = page.get_latest_revision_as_object()
        words.introduction = introductions.get(page.locale.language_code, words.introduction)
        words.save_revision()


def _send(issue: IssuePage, at: datetime, unknown: set[str]) -> Mailing:
    """Freeze the issue as for a real mailing, then write down answers that no server gave. Date it all back."""
    mailing = delivery.schedule(issue, at)
    delivery.start(mailing)
    lane = ledger.open_lane("demo")
    rows = claims.claim_deliveries(mailing.pk, lane, 0, mailing.deliveries.count())
    ledger.record([ledger.Entry(lane, row, UNKNOWN if row.address in unknown else TAKEN) for row in rows])
    claims.free(lane)
    delivery.finish(mailing.pk)
    _date_mailing(mailing, at)
    return mailing


def _date_mailing(mailing: Mailing, at: datetime) -> None:
    done = at + timedelta(seconds=40)
    Delivery.objects.filter(mailing=mailing).update(first_tried_at=done, due_at=at)
    Delivery.objects.filter(mailing=mailing, state=Dispatch.State.SENT).update(sent_at=done)
    Bounce.objects.filter(delivery__mailing=mailing).update(at=done)
    Mailing.objects.filter(pk=mailing.pk).update(created_at=at, started_at=at, finished_at=done)
    story = registry.get_logs_for_instance(mailing)
    story.update(timestamp=at)
    story.filter(action="newsletter.finish").update(timestamp=done)
    pages = mailing.issue.get_translations(inclusive=True) if mailing.issue else IssuePage.objects.none()
    Page.objects.filter(pk__in=pages.values("pk")).update(
        first_published_at=at, last_published_at=at, latest_revision_created_at=at
    )
    mailing.refresh_from_db()


def _end(newsletter: Newsletter, row: dict[str, str], mailing: Mailing, at: datetime) -> None:
    """What the issue brought back: who left, whose address is gone, who complained, who asked to be forgotten."""
    key = addresses.address_key(row["email"])
    ended = newsletter.subscriptions.filter(subscriber__address_key=key)
    if row["status"] == "leaves":
        subscribers.unsubscribe(ended.get(), mailing_id=mailing.pk, source="one-click")
    elif row["status"] == "bounces":
        subscribers.suppress(key, Suppression.Reason.BOUNCE, source="bounce")
    elif row["status"] == "complains":
        subscribers.suppress(key, Suppression.Reason.COMPLAINT, source="complaint")
    elif row["status"] == "erased":
        subscribers.erase(key, source="preferences")
        ConsentEvent.objects.filter(kind=ConsentEvent.Kind.ERASED).update(at=at)
    else:
        return
    ended.update(ended_at=at)
    Suppression.objects.filter(address_key__in=addresses.suppression_keys(key)).update(at=at)


def _date_consent() -> None:
    """Date back what people agreed to and took back, to when they did."""
    own = Subscription.objects.filter(pk=OuterRef("subscription"))
    events = ConsentEvent.objects.exclude(subscription=None)
    taken_back = [ConsentEvent.Kind.UNSUBSCRIBED, ConsentEvent.Kind.SUPPRESSED]
    events.filter(kind__in=taken_back).update(at=Subquery(own.values("ended_at")))
    events.exclude(kind__in=taken_back).update(at=Subquery(own.values("created_at")))


def _on_the_third_of_last_month(today: date) -> datetime:
    return timezone.make_aware(datetime.combine(_month_before(today).replace(day=3), time(10)))


def _month_before(day: date) -> date:
    """The first day of the month before."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)
