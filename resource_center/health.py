"""What a load balancer or a monitor asks: is the process alive, and does what it stands on answer?"""

from __future__ import annotations

import logging
import tempfile
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from newsletter import heartbeats

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)
PATIENCE = 2  # seconds


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def broker() -> None:
    # Asked once: the client's own three further tries would make a probe wait for a quarter of a minute.
    once = Retry(NoBackoff(), 0)
    waits = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    with Redis.from_url(settings.REDIS_URL, retry=once, **waits) as client:
        client.ping()


def storage() -> None:
    with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
        file.write(b"there is room")
        file.flush()


PARTS = {"database": database, "broker": broker, "storage": storage}


def answers(part: str) -> bool:
    """Whether this part does its work; why not goes to the log, as readers need not know."""
    try:
        PARTS[part]()
    except Exception as error:  # Drivers fail in ways of their own; each means the same here.
        logger.warning("%s does not answer: %s", part.capitalize(), error)
        return False
    return True


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process is alive."""
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Database, broker, storage, and this host's worker and beat answer: 200, or 503 and which do not.

    Worker and beat are named where they run; while they start, nothing is missed.
    """
    parts = {part: answers(part) for part in PARTS}
    if parts["database"]:
        parts |= heartbeats.known()
    state = {part: "answers" if fine else "does not answer" for part, fine in parts.items()}
    return JsonResponse(state, status=200 if set(state.values()) == {"answers"} else 503)
