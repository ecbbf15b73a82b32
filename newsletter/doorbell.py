"""Wakes a worker after commit, by name, so that no verb imports tasks. A refused broker never fails the caller."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: str, pk: int | None = None) -> None:
    """Ask a worker to run `newsletter.tasks.<task>` once the present transaction is committed.

    Only a hint: the database knows what is due, and the next tick finds it when the broker loses or refuses this.

    Args:
        task: the task's name inside `newsletter.tasks`.
        pk: the row it is about, when there is one.
    """

    def send() -> None:
        try:
            current_app.send_task(f"newsletter.tasks.{task}", args=[] if pk is None else [pk])
        except OperationalError as error:
            logger.warning("The broker did not take %s (%s); the next tick will find the work.", task, error)

    transaction.on_commit(send, robust=True)
