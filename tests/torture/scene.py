"""Sets a stage on the database that the environment names, and tells what is on it.

`python -m tests.torture.scene readers 1000`, `... send 3 0`, `... listed MAILING`, `... change MAILING 20`,
`... backup MAILING PATH`, `... ring MAILING 20`, `... draft 2`, `... drafts`
"""

import json
import os
import sys
import time
from datetime import date, timedelta

import django
from celery import current_app
from django.core.management import call_command
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")
django.setup()

from newsletter import delivery, subscribers, synthetic  # noqa: E402
from newsletter.delivery import clock  # noqa: E402
from newsletter.models import Delivery, IssuePage, Mailing, Subscription  # noqa: E402
from newsletter.site import found  # noqa: E402
from tests.newsletter.issues import an_issue  # noqa: E402


def readers(number):
    """So many confirmed readers."""
    synthetic.subscribers(found().newsletter, int(number))


def send(number, seconds):
    """A new issue on its way to everybody, now or in a while by the database's clock; prints what `send_issue` does."""
    month = int(number) - 1
    issue = an_issue(date(2025 + month // 12, month % 12 + 1, 1))
    mailing = delivery.schedule(issue, timezone.now() + timedelta(days=9)) if int(seconds) else delivery.send(issue)
    if int(seconds):
        Mailing.objects.filter(pk=mailing.pk).update(scheduled_for=clock.moment(int(seconds)))
    recipients = delivery.expected(mailing) if int(seconds) else delivery.counts(mailing)["recipients"]
    print(json.dumps({"mailing": mailing.pk, "recipients": recipients}))


def listed(mailing):
    """What the ledger says of everybody."""
    rows = Delivery.objects.filter(mailing=mailing, current=True)
    facts = rows.values_list("address", "message_id", "state", "reason")
    print(json.dumps([dict(zip(("address", "id", "state", "reason"), row, strict=True)) for row in facts]))


def wait_until_under_way(mailing):
    """Until a quarter has gone out. What comes next is loaded already, and hits the mailing in its middle."""
    sent = Delivery.objects.filter(mailing=mailing, state="sent")
    while not (mailing_size := Delivery.objects.filter(mailing=mailing).count()) or sent.count() < mailing_size / 4:
        time.sleep(0.1)


def change(mailing, number):
    """In its middle the issue gets another subject, and so many who still wait for it leave; prints who and when."""
    wait_until_under_way(mailing)
    page = Mailing.objects.get(pk=mailing).issue.get_latest_revision_as_object()
    page.subject = "Other words"
    page.save_revision().publish()
    waiting = list(Delivery.objects.filter(mailing=mailing, state="queued").order_by("-pk")[: int(number)])
    for each in waiting:
        subscribers.unsubscribe(Subscription.objects.get(subscriber=each.subscriber_id))
    print(json.dumps({"gone": [each.address for each in waiting], "at": time.time()}))


def backup(mailing, path):
    """A backup, made in its middle."""
    wait_until_under_way(mailing)
    call_command("backup", path, "--json")


def ring(mailing, times):
    """The same tasks, so many times."""
    for _time in range(int(times)):
        current_app.send_task("newsletter.tasks.send_mailing", args=[int(mailing)])
        current_app.send_task("newsletter.tasks.tick")


def draft(times):
    """The task of the first of the month, so many times."""
    for _time in range(int(times)):
        current_app.send_task("newsletter.tasks.draft_digest")


def drafts():
    """How many issues stand for each month."""
    months = [
        f"{month:%Y-%m}"
        for month in IssuePage.objects.filter(locale__language_code="en").values_list("month", flat=True)
    ]
    print(json.dumps({month: months.count(month) for month in months}))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
