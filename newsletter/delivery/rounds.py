"""What is due: the work a task, a command or the minute's tick finds in the ledger."""

from __future__ import annotations

import time

from django.db.models import Q, QuerySet

from newsletter import doorbell, subscribers
from newsletter.delivery import claims, clock, ledger, mailings, reaper, throttles, witness
from newsletter.delivery.freeze import start
from newsletter.delivery.mailings import Refused, State
from newsletter.delivery.seat import seat
from newsletter.delivery.sender import LANES, Sender, Tally
from newsletter.models import Delivery, Dispatch, Lane, Mailing, Notice

SHIFT = 200.0  # seconds a worker sends in one go, well below the broker's patience
PATIENCE = 20.0  # seconds to wait for the seat
ACCOUNT_MAILS_KEPT = 30 * 24 * 3600  # seconds
UNFINISHED = [Dispatch.State.QUEUED, Dispatch.State.IN_FLIGHT]


def tick() -> None:
    """Once a minute: end dead lanes, close what is done, wake whoever has something due and stands still; remind."""
    witness.look()
    reaper.reap()
    ledger.skip_cancelled()
    for pk in Mailing.objects.filter(state=State.SENDING).values_list("pk", flat=True):
        mailings.finish(pk)
    for pk in _standing_still():
        doorbell.ring("send_mailing", pk)
    subscribers.remind_unconfirmed()
    if _due(Notice.objects.all()):
        doorbell.ring("send_notices")
    subscribers.forget_unconfirmed()
    throttles.forget()
    _forget_account_mails()


def work_on(pk: int) -> None:
    """Do what a mailing needs now, for one shift; rings for the next one when more is due."""
    witness.look()
    early = Q(state=State.SCHEDULED, scheduled_for__gt=clock.moment())
    mailing = Mailing.objects.exclude(early).filter(pk=pk).first()
    if mailing is None:
        return
    try:
        start(mailing)
    except Refused:
        return
    with seat(PATIENCE) as got:
        progress = got and _shift(pk)
    mailings.finish(pk)
    witness.look()
    if progress and _due(Delivery.objects.filter(mailing=pk)):
        doorbell.ring("send_mailing", pk)


def work_on_notices() -> None:
    """Send the notices that are due, for one shift."""
    with seat(PATIENCE) as got:
        if got:
            Sender(None).run(SHIFT)


def send_until_idle(mailing: Mailing, lanes: int = LANES, wait: bool = True) -> Tally:
    """Send a mailing in this process, without any worker.

    Args:
        mailing: scheduled for now, or going on.
        lanes: the most connections to open.
        wait: also for what falls due later, until nothing is left.

    Returns:
        What this process has done.

    Raises:
        Refused: the issue fails its checks.
    """
    witness.look()
    start(mailing)
    sender = Sender(mailing.pk, lanes)
    while True:
        with seat(PATIENCE) as got:
            if got:
                sender.run()
        mailings.finish(mailing.pk)
        witness.look()
        mailing.refresh_from_db()
        if mailing.state != State.SENDING or not wait:
            return sender.tally
        time.sleep(1)


def _shift(pk: int) -> bool:
    sender = Sender(pk)
    tally = sender.run(SHIFT)
    return bool(tally.sent or tally.failed)


def _forget_account_mails() -> None:
    """Delete what is left of mails to people with an account a month after they went out, or never did."""
    old = Notice.objects.filter(subscription=None, created_at__lt=clock.moment(-ACCOUNT_MAILS_KEPT))
    old.filter(kind__in=[Notice.Kind.PASSWORD, Notice.Kind.ACCOUNT]).exclude(state__in=UNFINISHED).delete()


def _standing_still() -> list[int]:
    """Mailings that should be moving, with something due and no live lane at it."""
    moving = claims.held(Lane.objects.filter(lease_until__gt=clock.moment())).values_list("mailing", flat=True)
    early = Q(state=State.SCHEDULED, scheduled_for__lte=clock.moment()) | Q(state=State.PREPARING)
    sending = Mailing.objects.filter(state=State.SENDING).exclude(pk__in=set(moving)).values_list("pk", flat=True)
    # One by one: for all at once PostgreSQL reads everything that waits in any of them.
    due = [pk for pk in sending if _due(Delivery.objects.filter(mailing=pk))]
    return [*Mailing.objects.filter(early).values_list("pk", flat=True), *due]


def _due(rows: QuerySet[Delivery] | QuerySet[Notice]) -> bool:
    return rows.filter(state=Dispatch.State.QUEUED, due_at__lte=clock.moment()).exists()
