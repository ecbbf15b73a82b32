"""The life of a mailing: scheduled, preparing, sending, paused, sent or cancelled. The only writer of its state."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter import digest, doorbell, messages
from newsletter.delivery import causes, clock, ledger, timeline
from newsletter.delivery.replies import UNWRITABLE, Verdict
from newsletter.models import Dispatch, IssuePage, Mailing
from newsletter.smtp import readable

State = Mailing.State

# Deliveries by state, each from the index of its own. Those on their way are counted lane by lane: asked for all that
# have one, planners would read every delivery that there is. The sum keeps them from reading a whole mailing.
QUEUED = "newsletter_delivery WHERE mailing_id = %(mailing)s AND state = 'queued'"
IN_FLIGHT = """SELECT COALESCE(CAST(sum((SELECT count(*) FROM newsletter_delivery AS d
    WHERE d.lane = l.token AND d.mailing_id + 0 = %(mailing)s)) AS bigint), 0) FROM newsletter_lane AS l"""
COUNTS = f"""SELECT 'queued', count(*) FROM {QUEUED}
    UNION ALL SELECT 'in_flight', ({IN_FLIGHT})
    UNION ALL SELECT 'sent', count(*) FROM newsletter_delivery
        WHERE mailing_id = %(mailing)s AND current AND state = 'sent'
    UNION ALL SELECT state, count(*) FROM newsletter_delivery
        WHERE mailing_id = %(mailing)s AND current AND state IN ('failed', 'skipped', 'bounced') GROUP BY state"""


class Refused(Exception):
    """What was asked can not be done; `reasons` says why, one plain sentence each."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


def schedule(issue: IssuePage, at: datetime | None = None, user: User | None = None) -> Mailing:
    """Have an issue sent by the workers.

    Args:
        issue: the issue, or any translation of it: all its languages go together.
        at: when; now if not given.
        user: who approved it, if a person did.

    Raises:
        Refused: the issue fails its checks, or has a mailing already.
    """
    mailing = enter(issue, at, user)
    if at is None or at <= timezone.now():
        doorbell.ring("send_mailing", mailing.pk)
    return mailing


def enter(issue: IssuePage, at: datetime | None = None, user: User | None = None) -> Mailing:
    """Write a mailing down, with the words as they are now, without waking anybody; otherwise as `schedule`.

    Raises:
        Refused: the issue fails its checks, or has a mailing already.
    """
    issue = original(issue)
    _refuse_second(issue)
    words = messages.editions(issue)
    reasons = digest.problems(issue, words)
    if reasons:
        raise Refused(*reasons)
    try:
        with transaction.atomic():
            mailing = Mailing.objects.create(
                issue=issue,
                newsletter=issue.newsletter,
                subject=words[issue.locale.language_code].subject,
                approved=[page.latest_revision_id or page.save_revision().pk for page in words.values()],
                scheduled_for=at or clock.moment(),
                created_by=user,
            )
            timeline.note(mailing.pk, "schedule", user, at=at)
    except IntegrityError:
        _refuse_second(issue)
        raise
    mailing.refresh_from_db()
    return mailing


def original(issue: IssuePage) -> IssuePage:
    """The page that stands for an issue in all its languages: the one in the site's first language, if there is one."""
    first = issue.get_translations(inclusive=True).filter(locale__language_code=settings.LANGUAGE_CODE).first()
    return first.specific if first else issue


def _refuse_second(issue: IssuePage) -> None:
    earlier = Mailing.objects.filter(issue=issue).exclude(state=State.CANCELLED).first()
    if earlier:
        raise Refused(
            _("“%(issue)s” has mailing %(pk)s already (%(state)s). An issue goes out once: write a new one.")
            % {"issue": issue.title, "pk": earlier.pk, "state": earlier.get_state_display()}
        )


def pause(mailing: Mailing, reason: str = "", user: User | None = None) -> None:
    """Hold a mailing: it stops within one message per open connection.

    Raises:
        Refused: it is paused, sent or cancelled.
    """
    if not pause_because(mailing.pk, reason, user):
        _refuse(mailing, _("can not be paused"))
    mailing.refresh_from_db()


@transaction.atomic
def pause_because(pk: int, reason: str, user: User | None = None) -> bool:
    """Pause a mailing for a reason in plain words. False when there was nothing to pause."""
    going = Mailing.objects.filter(pk=pk, state__in=[State.SCHEDULED, State.PREPARING, State.SENDING])
    paused = going.update(state=State.PAUSED, pause_reason=reason) == 1
    if paused:
        timeline.note(pk, "pause", user, reason=reason)
    return paused


def resume(mailing: Mailing, user: User | None = None) -> None:
    """Go on with a paused mailing: with the freeze where it was not done, else with the sending.

    Raises:
        Refused: it is not paused.
    """
    paused = Mailing.objects.filter(pk=mailing.pk, state=State.PAUSED)
    with transaction.atomic():
        if not (
            paused.filter(started_at__isnull=False).update(state=State.SENDING, pause_reason="")
            or paused.update(state=State.SCHEDULED, pause_reason="")
        ):
            _refuse(mailing, _("is not paused"))
        timeline.note(mailing.pk, "resume", user)
        doorbell.ring("send_mailing", mailing.pk)
    mailing.refresh_from_db()


def cancel(mailing: Mailing, user: User | None = None) -> None:
    """End a mailing for good: what has not gone out is skipped, within one message per open connection.

    Raises:
        Refused: it is sent or cancelled.
    """
    unfinished = Mailing.objects.filter(pk=mailing.pk).exclude(state__in=[State.SENT, State.CANCELLED])
    with transaction.atomic():
        if not unfinished.update(state=State.CANCELLED, finished_at=clock.moment()):
            _refuse(mailing, _("can not be cancelled"))
        ledger.skip_cancelled()
        timeline.note(mailing.pk, "cancel", user)
    mailing.refresh_from_db()


def finish(pk: int) -> bool:
    """Close a mailing all of whose deliveries have ended. False when there is nothing to close."""
    if _unfinished(pk):
        return False
    with transaction.atomic():
        # A resend holds the same lock while it writes: it either reopens the mailing after us, or is seen here.
        held = Mailing.objects.select_for_update(no_key=True).filter(pk=pk, state=State.SENDING).first()
        if held is None or _unfinished(pk):
            return False
        Mailing.objects.filter(pk=pk).update(state=State.SENT, finished_at=clock.moment())
        timeline.note(pk, "finish", None, **counts(held))
        return True


def _unfinished(pk: int) -> bool:
    # One statement: between two, a row could go from one state to the other and be seen in neither. The first that is
    # due is found in the index; for whether there is any, or which is the least, PostgreSQL may read all of them.
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT due_at FROM {QUEUED} ORDER BY due_at LIMIT 1) IS NOT NULL OR ({IN_FLIGHT}) > 0",
            {"mailing": pk},
        )
        return bool(cursor.fetchone()[0])


def counts(mailing: Mailing) -> dict[str, int]:
    """How many deliveries stand in each state, and all of them as `recipients`: one statement, so it adds up."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"mailing": mailing.pk})
        found = dict(cursor.fetchall())
    numbers = {state.value: found.get(state.value, 0) for state in Dispatch.State}
    return {"recipients": sum(numbers.values()), **numbers}


def why_refused(verdict: Verdict) -> str:
    """Why a mailing paused itself, in words for the person who has to do something about it."""
    said = readable(verdict.reply)
    return causes.unwritable(said) if verdict.reason == UNWRITABLE else causes.refused(said)


def _refuse(mailing: Mailing, what: str) -> None:
    mailing.refresh_from_db()
    raise Refused(
        _("Mailing %(pk)s %(what)s: it is %(state)s.")
        % {"pk": mailing.pk, "what": what, "state": mailing.get_state_display().lower()}
    )
