"""How worker and beat show that they do not hang: each beats while its own loop turns.

A thread of each process touches a file, which its supervisor watches, and writes a row (newsletter/heartbeats.py),
which `/readyz` and the admin read. It keeps silent when the process's loop stands still, and can not beat when the
process is stopped. A loop that waits for a broker that does not answer is no fault of its own.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import bootsteps
from celery.signals import beat_init, worker_process_init
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from redis import RedisError

from newsletter import heartbeats
from newsletter.models import Heartbeat
from resource_center import health
from resource_center.celery import app
from resource_center.supervisor import HEARTBEAT

logger = logging.getLogger(__name__)


class Pulse(threading.Thread):
    """Beats until the process ends.

    Args:
        role: whose row is written; none for a process of the worker's pool, which has no loop to watch, since each of
            its tasks has a time limit.
    """

    def __init__(self, role: Heartbeat.Role | None = None) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.role = role
        self.turned_at = time.monotonic()
        prefix = os.environ.get(HEARTBEAT, "")
        self.file = Path(f"{prefix}.{os.getpid()}") if prefix else None
        self.writing: threading.Thread | None = None

    def turned(self) -> None:
        """The loop has come round."""
        self.turned_at = time.monotonic()

    def run(self) -> None:
        while True:
            if self.role is None or self._moves():
                self._beat()
            time.sleep(settings.HEARTBEAT_EVERY)

    def end(self) -> None:
        """Say that the process ends as it should: nobody need miss it."""
        if self.role:
            _write(heartbeats.remove, self.role)

    def _moves(self) -> bool:
        if time.monotonic() - self.turned_at > settings.HEARTBEAT_TIMEOUT / 2:
            try:
                health.broker()
            except (RedisError, OSError):
                self.turned()
            else:
                return False
        return True

    def _beat(self) -> None:
        try:
            if self.file:
                self.file.touch()
        except OSError as error:
            logger.warning("The heartbeat can not be written to %s (%s).", self.file, error)
        # In a thread of its own: a database that does not answer must not keep the file from being touched.
        if self.role and not (self.writing and self.writing.is_alive()):
            self.writing = threading.Thread(target=_write, args=(heartbeats.record, self.role), daemon=True)
            self.writing.start()


def _write(verb: Callable[[Heartbeat.Role], None], role: Heartbeat.Role) -> None:
    try:
        verb(role)
    except DatabaseTrouble as error:
        logger.warning("The heartbeat was not written to the database (%s).", error)
    finally:
        connection.close()  # A pool process that is forked meanwhile must not share it.


class WorkersPulse(bootsteps.StartStopStep):
    """Has the worker's main process beat once its pool is there, also while no broker answers yet."""

    requires = ("celery.worker.components:Pool",)

    def start(self, worker: Any) -> None:
        worker.pulse = begin(Heartbeat.Role.WORKER)


class WorkersLoop(bootsteps.StartStopStep):
    """Has its loop tell that it turns, from each connection to the broker to that one's end."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        turned = consumer.controller.pulse.turned
        turned()
        self.entry = consumer.timer.call_repeatedly(settings.HEARTBEAT_EVERY, turned)

    def stop(self, _consumer: Any) -> None:
        self.entry.cancel()


app.steps["worker"].add(WorkersPulse)
app.steps["consumer"].add(WorkersLoop)


def begin(role: Heartbeat.Role | None = None) -> Pulse:
    """Have this process beat from now on."""
    pulse = Pulse(role)
    pulse.start()
    atexit.register(pulse.end)
    return pulse


@worker_process_init.connect
def begin_in_the_pool(**_signal: Any) -> None:
    begin()


@beat_init.connect
def begin_in_beat(sender: Any, **_signal: Any) -> None:
    """Have beat tell each time it looks at its schedule (beat.py)."""
    sender.scheduler.on_tick = begin(Heartbeat.Role.BEAT).turned
