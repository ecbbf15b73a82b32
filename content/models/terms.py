"""Facets and their terms: how resources are sorted and found. Data, not code."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.models import TranslatableMixin
from wagtail.search import index

PLAIN_SLUG = RegexValidator(r"^[a-z0-9-]+$", _("Use small letters, digits and hyphens only."))


class Facet(TranslatableMixin, models.Model):
    """A way of sorting resources, such as topic or grade band. Its slug is the query parameter of the list."""

    name = models.CharField(_("name"), max_length=80)
    slug = models.CharField(
        _("slug"),
        max_length=40,
        validators=[PLAIN_SLUG],
        help_text=_("Used in addresses, the same in every language: topic, grade, role, type, subject."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    panels = [FieldPanel("name"), FieldPanel("slug"), FieldPanel("position")]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("facet")
        verbose_name_plural = _("facets")
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["locale", "slug"], name="facet_slug_once_per_language"),
        ]

    def __str__(self) -> str:
        return self.name


class Term(index.Indexed, TranslatableMixin, models.Model):
    """One choice of a facet, such as “Grades 6–8”. Its slug is the same in every language."""

    facet = models.ForeignKey(Facet, on_delete=models.CASCADE, related_name="terms", verbose_name=_("facet"))
    name = models.CharField(_("name"), max_length=80)
    slug = models.CharField(_("slug"), max_length=60, validators=[PLAIN_SLUG])
    description = models.TextField(_("description"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    panels = [FieldPanel(name) for name in ("facet", "name", "slug", "description", "position")]
    search_fields = [index.SearchField("name"), index.AutocompleteField("name"), index.FilterField("locale_id")]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        ordering = ["facet__position", "position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["facet", "slug"], name="term_slug_once_per_facet"),
        ]

    def __str__(self) -> str:
        return self.name
