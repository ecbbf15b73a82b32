"""What belongs to the whole site: the organisation, the edition, and where imported pages came from."""

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.settings.models import BaseGenericSetting, register_setting
from wagtail.models import Page

from content.models.images import CreditedImage


@register_setting(icon="home")
class Organisation(BaseGenericSetting):
    """Who runs this resource center."""

    name = models.CharField(_("name"), max_length=120, default="Resource Center")
    tagline = models.CharField(_("tagline"), max_length=200, blank=True)
    description = models.TextField(
        _("description"), blank=True, help_text=_("Two sentences for the foot of each page.")
    )
    contact_email = models.EmailField(_("contact address"), blank=True)

    panels = [FieldPanel(name) for name in ("name", "tagline", "description", "contact_email")]

    class Meta:
        verbose_name = _("organisation")


def new_edition() -> str:
    return secrets.token_hex(8)


class Edition(models.Model):
    """One row: a random value that moves whenever what readers see may have changed."""

    value = models.CharField(max_length=16, default=new_edition)
    moved_at = models.DateTimeField(default=timezone.now)


class ImportedSource(models.Model):
    """Where an imported page or picture came from, so that a second import finds it again."""

    source = models.CharField(
        max_length=500, unique=True, help_text="Last folder name of the import plus the relative path."
    )
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was imported, in hex.")
    page = models.ForeignKey(Page, null=True, on_delete=models.CASCADE, related_name="+")
    revision = models.BigIntegerField(
        null=True, help_text="The page's revision that the import wrote: a newer one is an editor's."
    )
    image = models.ForeignKey(CreditedImage, null=True, on_delete=models.CASCADE, related_name="+")
    imported_at = models.DateTimeField(auto_now=True)

    wagtail_reference_index_ignore = True  # Where a picture came from is no use of it.

    def __str__(self) -> str:
        return self.source
