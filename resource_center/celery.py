"""The Celery application; worker and beat are started as `celery -A resource_center worker|beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resource_center.settings")

app = Celery("resource_center", include=["resource_center.tasks_backend"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
