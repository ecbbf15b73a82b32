"""Sets a stage on the database that the environment names, and tells what is on it.

`python -m tests.torture.scene readers 1000`, `... issue 3`, `... listed MAILING`, `... leave MAILING 20`,
`... edit MAILING`, `... due_in MAILING 60`, `... drafts`
"""

import json
import os
import sys
from datetime import date

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")
django.setup()

from newsletter import subscribers, synthetic  # noqa: E402
from newsletter.delivery import clock  # noqa: E402
from newsletter.models import Delivery, IssuePage, Mailing, Subscription  # noqa: E402
from newsletter.site import found  # noqa: E402
from tests.newsletter.issues import an_issue  # noqa: E402


def readers(number):
    """So many confirmed readers."""
    synthetic.subscribers(found().newsletter, int(number))


def issue(number):
    """A new issue; prints its number."""
    month = int(number) - 1
    print(an_issue(date(2025 + month // 12, month % 12 + 1, 1)).pk)


def listed(mailing):
    """What the ledger says of everybody."""
    rows = Delivery.objects.filter(mailing=mailing, current=True)
    facts = rows.values_list("address", "message_id", "state", "reason")
    print(json.dumps([dict(zip(("address", "id", "state", "reason"), row, strict=True)) for row in facts]))


def leave(mailing, number):
    """So many readers who still wait for it leave, one after the other; prints their addresses."""
    waiting = Delivery.objects.filter(mailing=mailing, state="queued").order_by("-pk")[: int(number)]
    for delivery in waiting:
        subscribers.unsubscribe(Subscription.objects.get(subscriber=delivery.subscriber_id))
    print(json.dumps([delivery.address for delivery in waiting]))


def edit(mailing):
    """The issue gets another subject, and is published anew."""
    page = Mailing.objects.get(pk=mailing).issue.get_latest_revision_as_object()
    page.subject = "Other words"
    page.save_revision().publish()


def due_in(mailing, seconds):
    """Its hour is so many seconds away, by the database's clock."""
    Mailing.objects.filter(pk=mailing).update(scheduled_for=clock.moment(int(seconds)))


def drafts():
    """How many issues stand for each month."""
    months = [
        f"{month:%Y-%m}"
        for month in IssuePage.objects.filter(locale__language_code="en").values_list("month", flat=True)
    ]
    print(json.dumps({month: months.count(month) for month in months}))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
