"""The ways out that the settings name: relays, a provider, or the local mailbox where there is neither."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from django.conf import settings

from newsletter import esp, smtp
from newsletter.mailbox import LocalMailbox


class Way(Protocol):
    """Something that opens sessions. The heavier, the larger its share of the connections."""

    @property
    def weight(self) -> int: ...

    @property
    def connections(self) -> int | None:
        """The most that may be open, from all processes together; None: no limit."""

    @property
    def rate(self) -> int | None:
        """The most messages a minute; None: no limit."""

    @property
    def domains(self) -> frozenset[str]:
        """The domains it alone takes mail for; none: all that no other way takes."""

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


def choose(among: Sequence[Way], taken: Iterable[Way] = ()) -> Way:
    """One of those that have the least of their share, the heavier the likelier.

    Args:
        among: the ways that may be taken.
        taken: the ways of the lanes that are open.
    """
    load = Counter(taken)
    least = min(load[way] / way.weight for way in among)
    fair = [way for way in among if load[way] / way.weight == least]
    return secrets.SystemRandom().choices(fair, [way.weight for way in fair])[0]


def for_address(address: str, among: Sequence[Way]) -> list[Way]:
    """Those that may take a mail to this address."""
    domain = address.rpartition("@")[2].lower()
    return [way for way in among if domain in way.domains] or [way for way in among if not way.domains]
