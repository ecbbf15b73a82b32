"""The ways out that the settings name: relays, a provider, or the local mailbox where there is neither."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Protocol

from django.conf import settings

from newsletter import esp, smtp
from newsletter.mailbox import LocalMailbox


class Way(Protocol):
    """Something that opens sessions. The heavier, the larger its share of the connections."""

    @property
    def weight(self) -> int: ...

    def connect(self) -> smtp.Session:
        """Open a session; blocks.

        Raises:
            Refused: it can not be opened now.
        """


def ways_out() -> tuple[Way, ...]:
    """All ways out."""
    if settings.ESP:
        return (esp.Account.of_settings(),)
    return (LocalMailbox(),) if settings.LOCAL_MAILBOX else smtp.relays()


def choose(among: Sequence[Way]) -> Way:
    """One of them, the heavier the likelier."""
    return secrets.SystemRandom().choices(among, [way.weight for way in among])[0]
