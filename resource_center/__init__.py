"""The wiring: settings, addresses, processes. No models, no business word."""

from resource_center.celery import app as celery_app

__all__ = ["celery_app"]
