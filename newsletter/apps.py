"""The newsletter: who gets it, what it says, how it goes out, what comes back."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NewsletterConfig(AppConfig):
    name = "newsletter"
    verbose_name = _("Newsletter")

    def ready(self) -> None:
        from content.publishing import usage
        from newsletter import archive

        usage.register_source(archive.places_in_issues)
