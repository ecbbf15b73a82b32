"""The words for every step in the life of a mailing, and for what else is logged here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import LogFormatter, registry

from newsletter.models import Delivery, Mailing

ENDS = (Delivery.State.SENT, Delivery.State.FAILED, Delivery.State.SKIPPED, Delivery.State.BOUNCED)


def _schedule(facts: dict[str, Any], _by_hand: bool) -> str:
    at = parse_datetime(facts["at"]) if facts.get("at") else None
    if at is None:
        return _("Approved, to go out at once")
    return _("Approved, to go out on %(when)s") % {"when": date_format(timezone.localtime(at), "DATETIME_FORMAT")}


def _freeze(facts: dict[str, Any], _by_hand: bool) -> str:
    number, excluded = facts["recipients"], facts["excluded"]
    words = ngettext(
        "Fixed words and recipients: %(number)s person gets it",
        "Fixed words and recipients: %(number)s people get it",
        number,
    ) % {"number": number}
    if not excluded:
        return words
    left_out = ngettext(
        "%(number)s was left out, because the address is suppressed",
        "%(number)s were left out, because their addresses are suppressed",
        excluded,
    ) % {"number": excluded}
    return f"{words}; {left_out}"


def _pause(facts: dict[str, Any], by_hand: bool) -> str:
    if not facts.get("reason"):
        return _("Paused the mailing")
    words = _("Paused: %(reason)s") if by_hand else _("Paused itself: %(reason)s")
    return words % {"reason": facts["reason"]}


def _retry(facts: dict[str, Any], _by_hand: bool) -> str:
    return ngettext(
        "Sent again to %(number)s person it had failed to reach",
        "Sent again to %(number)s people it had failed to reach",
        facts["number"],
    ) % {"number": facts["number"]}


def _finish(facts: dict[str, Any], _by_hand: bool) -> str:
    labels = dict(Delivery.State.choices)
    ended = [f"{labels[state]} {facts[state]}" for state in ENDS if facts.get(state)]
    return _("Done: %(numbers)s") % {"numbers": ", ".join(ended)} if ended else _("Done")


Words = Callable[[dict[str, Any], bool], str]
STEPS: dict[str, tuple[Any, Words]] = {
    "schedule": (gettext_lazy("Approve a mailing"), _schedule),
    "start": (gettext_lazy("Start a mailing"), lambda _facts, _by_hand: _("Began to write down words and recipients")),
    "freeze": (gettext_lazy("Fix words and recipients"), _freeze),
    "pause": (gettext_lazy("Pause"), _pause),
    "resume": (gettext_lazy("Resume"), lambda _facts, _by_hand: _("Resumed the mailing")),
    "cancel": (gettext_lazy("Cancel"), lambda _facts, _by_hand: _("Cancelled the mailing")),
    "retry": (gettext_lazy("Retry what failed"), _retry),
    "resend": (gettext_lazy("Send again to one"), lambda _facts, _by_hand: _("Sent again to one person")),
    "finish": (gettext_lazy("Finish a mailing"), _finish),
}
ACTS = {
    "test": (gettext_lazy("Send a test copy"), gettext_lazy("Sent a test copy")),
    "send": (gettext_lazy("Send"), gettext_lazy("Approved the issue and had it sent")),
    "suppress": (gettext_lazy("Suppress"), gettext_lazy("Suppressed a subscriber")),
    "lift": (gettext_lazy("Lift a suppression"), gettext_lazy("Lifted the suppression of a subscriber")),
    "erase": (gettext_lazy("Erase"), gettext_lazy("Erased a subscriber")),
    "export": (gettext_lazy("Export"), gettext_lazy("Exported all subscribers")),
    "export_list": (gettext_lazy("Export a list"), gettext_lazy("Exported deliveries or bounces")),
}


def register(actions: Any) -> None:
    """Tell Wagtail's log what the newsletter writes there."""
    for name, (label, words) in ACTS.items():
        actions.register_action(f"newsletter.{name}", label, words)
    for name, (label, say) in STEPS.items():
        actions.register_action(f"newsletter.{name}")(_formatter(label, say))


def _formatter(label: Any, say: Words) -> type[LogFormatter]:
    def format_message(_self: LogFormatter, entry: Any) -> str:
        return say(entry.data, bool(entry.user_id))

    return type("Step", (LogFormatter,), {"label": label, "format_message": format_message})


def story(mailing: Mailing) -> Iterator[dict[str, Any]]:
    """Every step in the life of a mailing: when, what, and who took it; nobody when the engine did."""
    for entry in registry.get_logs_for_instance(mailing).select_related("user").order_by("timestamp", "pk"):
        yield {
            "when": entry.timestamp,
            "what": capfirst(entry.message),
            "who": entry.user_display_name if entry.user_id else "",
        }
