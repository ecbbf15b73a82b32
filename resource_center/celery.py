"""The Celery application; worker and beat are started as `celery -A resource_center worker|beat`."""

import os
from typing import Any

from celery import Celery, signals
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")

app = Celery("resource_center", include=["resource_center.tasks_backend", "resource_center.heartbeat"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)  # Events of a task tell its id, and that of the request behind it.


@signals.setup_logging.connect
def log_as_the_site_does(**_signal: Any) -> None:
    """Keep worker and beat from setting up logging of their own: Django has done it by LOGGING."""
    from resource_center import logs  # Its imports need the settings.

    logs.log_uncaught_exceptions()
