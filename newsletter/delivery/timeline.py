"""The story of a mailing, told by Wagtail's log: each step once, with who took it, or nobody when it was the engine."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from wagtail.log_actions import log

from newsletter.models import Mailing


def note(pk: int, step: str, user: User | None = None, **facts: Any) -> None:
    """Write down a step, inside the transaction that took it: whoever lost the race for it writes nothing.

    Args:
        pk: the mailing.
        step: an action registered as `newsletter.<step>`.
        user: who took it, if a person did.
        facts: what the words of the step are made from; never an address, for the log outlives an erasure.
    """
    mailing = Mailing.objects.only("subject").get(pk=pk)
    log(mailing, f"newsletter.{step}", user=user, title=mailing.subject or str(pk), data=facts)
