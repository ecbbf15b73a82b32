"""Signs of life of worker and beat, kept in the database, so that every host and the admin can tell who hangs.

One process of each role on each host is known. Its own host's supervisor goes by files instead, which need no
database: see resource_center/heartbeat.py.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from django.conf import settings
from django.db.models import QuerySet

from newsletter.delivery import clock
from newsletter.models import Heartbeat

FORGOTTEN_AFTER = 24 * 3600  # seconds; a host that was taken away without ending its processes


def host() -> str:
    """This machine's name."""
    return socket.gethostname()[:255]


def record(role: Heartbeat.Role, in_seconds: float = 0) -> None:
    """Note that a process of this host lives.

    Args:
        role: which one.
        in_seconds: how long nothing has to be heard from it: it is about to start.
    """
    Heartbeat.objects.update_or_create(role=role, host=host(), defaults={"at": clock.moment(in_seconds)})


def remove(role: Heartbeat.Role) -> None:
    """Forget a process of this host that ends as it should."""
    Heartbeat.objects.filter(role=role, host=host()).delete()


def expect(roles: Iterable[Heartbeat.Role], in_seconds: float) -> None:
    """Forget what this host said before it was started anew, and wait for these roles to be heard from."""
    Heartbeat.objects.filter(host=host()).delete()
    for role in roles:
        record(role, in_seconds)


def known() -> dict[str, bool]:
    """The roles that run on this host, and whether each was heard from lately."""
    hung = set(silent().filter(host=host()).values_list("role", flat=True))
    return {role: role not in hung for role in Heartbeat.objects.filter(host=host()).values_list("role", flat=True)}


def silent() -> QuerySet[Heartbeat]:
    """Processes of all hosts that run and were not heard from for HEARTBEAT_TIMEOUT seconds: they hang."""
    latest, earliest = clock.moment(-settings.HEARTBEAT_TIMEOUT), clock.moment(-FORGOTTEN_AFTER)
    return Heartbeat.objects.filter(at__lt=latest, at__gt=earliest)


def forget() -> int:
    """Delete what was heard a day ago or earlier. How many processes that were."""
    return Heartbeat.objects.filter(at__lte=clock.moment(-FORGOTTEN_AFTER)).delete()[0]
