"""Content: what educators read and editors write."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContentConfig(AppConfig):
    name = "content"
    verbose_name = _("Content")

    def ready(self) -> None:
        from content import wiring
        from content.forms import moments

        wiring.connect()
        moments.register()
