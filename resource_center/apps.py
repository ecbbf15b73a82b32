"""The wiring as a Django app, so that its system checks and commands are found."""

from django.apps import AppConfig


class ResourceCenterConfig(AppConfig):
    name = "resource_center"
    verbose_name = "Resource Center"

    def ready(self) -> None:
        """Register the system checks."""
        from resource_center import checks  # noqa: F401
