"""The life of a mailing: scheduled, preparing, sending, paused, sent or cancelled. The only writer of its state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter import digest, doorbell, messages
from newsletter.delivery import clock, ledger
from newsletter.delivery.replies import TOO_BIG, UNWRITABLE, Verdict, anonymous, status
from newsletter.models import Delivery, Dispatch, IssuePage, Mailing

State = Mailing.State
UNFINISHED = (Dispatch.State.QUEUED, Dispatch.State.IN_FLIGHT)


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
    if mailing.scheduled_for <= timezone.now():
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
            return Mailing.objects.create(
                issue=issue,
                newsletter=issue.newsletter,
                subject=words[issue.locale.language_code].subject,
                approved=[page.latest_revision_id or page.save_revision().pk for page in words.values()],
                scheduled_for=at or timezone.now(),
                created_by=user,
            )
    except IntegrityError:
        _refuse_second(issue)
        raise


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


def pause(mailing: Mailing, reason: str = "") -> None:
    """Hold a mailing: it stops within one message per open connection.

    Raises:
        Refused: it is paused, sent or cancelled.
    """
    if not pause_because(mailing.pk, reason):
        _refuse(mailing, _("can not be paused"))
    mailing.refresh_from_db()


def pause_because(pk: int, reason: str) -> bool:
    """Pause a mailing for a reason in plain words. False when there was nothing to pause."""
    going = Mailing.objects.filter(pk=pk, state__in=[State.SCHEDULED, State.PREPARING, State.SENDING])
    return going.update(state=State.PAUSED, pause_reason=reason) == 1


def resume(mailing: Mailing) -> None:
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
        doorbell.ring("send_mailing", mailing.pk)
    mailing.refresh_from_db()


def cancel(mailing: Mailing) -> None:
    """End a mailing for good: what has not gone out is skipped, within one message per open connection.

    Raises:
        Refused: it is sent or cancelled.
    """
    unfinished = Mailing.objects.filter(pk=mailing.pk).exclude(state__in=[State.SENT, State.CANCELLED])
    with transaction.atomic():
        if not unfinished.update(state=State.CANCELLED, finished_at=clock.moment()):
            _refuse(mailing, _("can not be cancelled"))
        ledger.skip_cancelled()
    mailing.refresh_from_db()


def finish(pk: int) -> bool:
    """Close a mailing all of whose deliveries have ended. False when there is nothing to close."""
    unfinished = Delivery.objects.filter(mailing=OuterRef("pk"), state__in=UNFINISHED)
    done = Mailing.objects.filter(~Exists(unfinished), pk=pk, state=State.SENDING)
    return done.update(state=State.SENT, finished_at=clock.moment()) == 1


def counts(mailing: Mailing) -> dict[str, int]:
    """How many deliveries stand in each state, and all of them as `recipients`: one statement, so it adds up."""
    numbers: dict[str, Any] = {state.value: Count("pk", filter=Q(state=state)) for state in Dispatch.State}
    return mailing.deliveries.filter(current=True).aggregate(recipients=Count("pk"), **numbers)


def why_refused(verdict: Verdict) -> str:
    """Why a mailing paused itself, in words for the person who has to do something about it."""
    said = anonymous(verdict.reply)
    if verdict.reason == UNWRITABLE:
        return _("A message could not be made: “%(reply)s”. Nothing is lost: tell your developer, then resume.") % {
            "reply": said
        }
    if status(verdict.reply) == TOO_BIG:
        return _(
            "The mail server takes no message of this size: “%(reply)s”. Nobody was removed. Ask whoever runs it to "
            "raise its limit, then resume; or cancel this mailing and send a shorter issue."
        ) % {"reply": said}
    return _(
        "The mail server refused this mailing, not an address: “%(reply)s”. Nobody was removed. "
        "Ask whoever runs the mail server to let it through, then resume."
    ) % {"reply": said}


def _refuse(mailing: Mailing, what: str) -> None:
    mailing.refresh_from_db()
    raise Refused(
        _("Mailing %(pk)s %(what)s: it is %(state)s.")
        % {"pk": mailing.pk, "what": what, "state": mailing.get_state_display().lower()}
    )
