"""Wagtail's own background tasks (django-tasks) on Celery: one task system to run and to watch."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks.utils import get_random_id, normalize_json
from kombu.exceptions import OperationalError

# The gate, the image credits and the read API ask this index which pages show a picture: it may not lag behind.
AT_ONCE = "wagtail.tasks.update_reference_index_task"

logger = logging.getLogger(__name__)


@shared_task(time_limit=600, autoretry_for=(IntegrityError,), max_retries=5, default_retry_delay=1)
def run(module_path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Run one of Wagtail's tasks, named by its place in the code.

    Two workers that index one page at once get in each other's way; the second tries again and writes what is true
    by then.
    """
    import_string(module_path).call(*args, **kwargs)


class CeleryBackend(BaseTaskBackend):
    """Hands a task to Celery once the transaction is committed; keeps the reference index within it.

    When the broker refuses, the task runs at once in this process: an index that nobody mends later
    would stay wrong. A task that then fails is logged and never fails the caller.
    """

    def enqueue(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> TaskResult[Any]:
        self.validate_task(task)
        message = (task.module_path, normalize_json(list(args)), normalize_json(kwargs))

        def send() -> None:
            try:
                run.delay(*message)
            except OperationalError as error:
                logger.warning("The broker did not take %s (%s); it runs here instead.", task.module_path, error)
                run(*message)

        if task.module_path == AT_ONCE:
            run(*message)
        else:
            transaction.on_commit(send, robust=True)
        return TaskResult(
            task=task,
            id=get_random_id(),
            status=TaskResultStatus.READY,
            enqueued_at=None,
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=message[1],
            kwargs=message[2],
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
