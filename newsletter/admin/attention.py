"""What in the newsletter needs a person, on the first page of the editors' desk. Nothing there when nothing does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component

from newsletter import bounces, heartbeats
from newsletter.delivery.replies import ADDRESS, UNCERTAIN
from newsletter.models import BounceMailbox, Delivery, Dispatch, Heartbeat, Mailing, Notice

LATE = timedelta(minutes=5)
WAITED = timedelta(hours=1)
UNREAD = timedelta(minutes=30)  # a mail server may be away for a while
LATELY = timedelta(days=7)
OPEN_FOR = timedelta(days=30)  # a mailing older than this is past helping


class Matter(NamedTuple):
    """One thing to look at: what it is about, what happened and what to do, and where."""

    title: str
    words: str
    url: str = ""


def matters() -> list[Matter]:
    """Everything that needs a person now, the most pressing first."""
    return [*_hung(), *_paused(), *_late(), *_notices(), *_mailbox(), *_uncertain()]


def _hung() -> Iterator[Matter]:
    what = {
        Heartbeat.Role.WORKER: (
            _("The worker hangs"),
            _("Until it works again, no mail goes out from there and no picture is prepared."),
        ),
        Heartbeat.Role.BEAT: (
            _("The scheduler hangs"),
            _("Until it works again, nothing begins at its hour: no scheduled mailing, no scheduled page."),
        ),
    }
    for process in heartbeats.silent():
        title, words = what[Heartbeat.Role(process.role)]
        since = _("Nothing was heard from it on %(host)s since %(when)s.") % {
            "host": process.host,
            "when": date_format(timezone.localtime(process.at), "DATETIME_FORMAT"),
        }
        yield Matter(title, f"{since} {words} {_ask_to_restart()}")


def _ask_to_restart() -> str:
    return _("Under “make run” it is started again by itself. Otherwise ask whoever looks after this site.")


def _paused() -> Iterator[Matter]:
    for mailing in Mailing.objects.filter(state=Mailing.State.PAUSED):
        words = mailing.pause_reason or _("Somebody paused it. It goes on when you resume it.")
        yield Matter(_("Paused: %(subject)s") % {"subject": mailing.subject}, words, _page(mailing.pk))


def _late() -> Iterator[Matter]:
    due = Mailing.objects.filter(state=Mailing.State.SCHEDULED, scheduled_for__lt=timezone.now() - LATE)
    for mailing in due:
        when = date_format(timezone.localtime(mailing.scheduled_for), "DATETIME_FORMAT")
        words = _(
            "It should have begun on %(when)s and has not. Ask whoever looks after this site whether its worker is "
            "running."
        )
        yield Matter(_("Late: %(subject)s") % {"subject": mailing.subject}, words % {"when": when}, _page(mailing.pk))


def _notices() -> Iterator[Matter]:
    now = timezone.now()
    failed = Notice.objects.filter(state=Dispatch.State.FAILED, created_at__gt=now - LATELY).exclude(reason=ADDRESS)
    waiting = Notice.objects.filter(state=Dispatch.State.QUEUED, created_at__lt=now - WAITED)
    if number := failed.count():
        words = ngettext(
            "%(number)s confirmation, welcome or new password could not be sent in the last seven days.",
            "%(number)s confirmations, welcomes or new passwords could not be sent in the last seven days.",
            number,
        ) % {"number": number}
        yield Matter(_("Automatic mails failed"), f"{words} {_ask()}")
    if number := waiting.count():
        words = ngettext(
            "%(number)s confirmation, welcome or new password has waited for more than an hour.",
            "%(number)s confirmations, welcomes or new passwords have waited for more than an hour.",
            number,
        ) % {"number": number}
        yield Matter(_("Automatic mails wait"), f"{words} {_ask()}")


def _ask() -> str:
    return _(
        "Ask whoever looks after this site whether the mail server takes mail: until it does, people can not confirm."
    )


def _mailbox() -> Iterator[Matter]:
    if not settings.BOUNCE_MAILBOX_URL:
        return
    url, since = bounces.known_as(settings.BOUNCE_MAILBOX_URL), timezone.now() - UNREAD
    for box in BounceMailbox.objects.filter(pk=url, failing_since__lt=since):
        words = _(
            "Since %(when)s, the mailbox that mails come back to could not be read: “%(why)s”. Until it is, people "
            "whose address is gone stay on the list. Ask whoever looks after this site to check its address and "
            "password."
        )
        when = date_format(timezone.localtime(box.failing_since), "DATETIME_FORMAT")
        yield Matter(_("Bounces are not read"), words % {"when": when, "why": box.why})


def _uncertain() -> Iterator[Matter]:
    held = Delivery.objects.filter(
        current=True,
        state=Dispatch.State.FAILED,
        reason=UNCERTAIN,
        mailing__in=Mailing.objects.filter(created_at__gt=timezone.now() - OPEN_FOR),
    )
    counted = held.order_by("-mailing").values_list("mailing", "mailing__subject").annotate(number=Count("pk"))
    for mailing, subject, number in counted:
        words = ngettext(
            "%(number)s message was handed over and never confirmed: the person may have it or not. Send it again if a "
            "second copy does no harm.",
            "%(number)s messages were handed over and never confirmed: these people may have it or not. Send it again "
            "if a second copy does no harm.",
            number,
        )
        where = f"{reverse('newsletter_deliveries:index')}?mailing={mailing}&state=failed&reason={UNCERTAIN}"
        yield Matter(_("In doubt: %(subject)s") % {"subject": subject}, words % {"number": number}, where)


def _page(pk: int) -> str:
    return reverse("newsletter_mailings:inspect", args=[pk])


class AttentionPanel(Component):
    """On the first page, for who may see mailings."""

    name = "newsletter_attention"
    template_name = "newsletter/admin/attention.html"
    order = 50

    def __init__(self, user: Any) -> None:
        self.matters = matters() if user.has_perm("newsletter.view_mailing") else []

    def get_context_data(self, _parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {"matters": self.matters}
