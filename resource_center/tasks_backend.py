"""Wagtail's own background tasks (django-tasks) on Celery."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.db import transaction
from django.utils.module_loading import import_string
from django_tasks.backends.immediate import ImmediateBackend
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


@shared_task(time_limit=600)
def run(module_path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Run one background task of Wagtail's in a worker."""
    import_string(module_path).call(*args, **kwargs)


class CeleryBackend(ImmediateBackend):
    """Hands a task to Celery after commit; when the broker refuses, runs it here and now."""

    def enqueue(self, task, args, kwargs):  # type: ignore[no-untyped-def]
        result = super().enqueue
        def ring() -> None:
            try:
                run.delay(task.module_path, list(args), dict(kwargs))
            except OperationalError:
                logger.warning("The broker refused %s; it runs in this process instead.", task.module_path)
                result(task, args, kwargs)
        transaction.on_commit(ring)
