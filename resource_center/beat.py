"""Celery's beat, not silenced by a clock that was a day ahead and was set right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.beat import PersistentScheduler


class Clockwork(PersistentScheduler):
    """Believes no entry that says it ran in the future: it would wait, also after a restart, until that hour."""

    on_tick: Callable[[], None] | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        for entry in self.schedule.values():
            now = entry.default_now()
            if entry.last_run_at and entry.last_run_at > now:
                entry.last_run_at = now
                self._heap = None  # ordered by hours that no longer hold; made anew
        if self.on_tick:
            self.on_tick()
        seconds: float = super().tick(*args, **kwargs)
        return seconds
