"""On SQLite one process sends at a time: this is the seat it must hold. A dead process leaves it by itself."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import connection


@contextlib.contextmanager
def seat(patience: float) -> Iterator[bool]:
    """Hold the seat while the block runs. Says whether it was got within `patience` seconds.

    On PostgreSQL there is room for all, and nothing to wait for.
    """
    if connection.vendor != "sqlite":
        yield True
        return
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.DATA_DIR / "sending.lock").open("w") as file:
        yield _got(file.fileno(), time.monotonic() + patience)


def _got(descriptor: int, end: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        else:
            return True
