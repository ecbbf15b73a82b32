"""Facets and their terms: how resources are sorted and found. Data, not code."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.models import TranslatableMixin
from wagtail.search import index

from content import languages

PLAIN_SLUG = RegexValidator(r"^[a-z0-9-]+$", _("Use small letters, digits and hyphens only."))


TAKEN_SLUGS = frozenset(
    # Parameters of lists, fields of forms, and columns of subscriber files.
    [
        "consent",
        "e-mail",
        "email",
        "kind",
        "language",
        "locale",
        "name",
        "next",
        "page",
        "partner",
        "partner-type",
        "q",
        "sort",
        "source",
        "state",
        "status",
        "website",
        "created-at",
        "confirmed-at",
        "ended-at",
    ]
)


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
    offered_at_signup = models.BooleanField(
        _("offered to subscribers"),
        default=True,
        help_text=_(
            "Whether people choose among its terms when they sign up to the newsletter and in their preferences. "
            "The facet in the site's first language decides for all languages."
        ),
    )

    panels = [FieldPanel("name"), FieldPanel("slug"), FieldPanel("position"), FieldPanel("offered_at_signup")]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("facet")
        verbose_name_plural = _("facets")
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["locale", "slug"], name="facet_slug_once_per_language"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def slugs_at_signup(cls) -> list[str]:
        """The slugs of the facets that subscribers choose from: what the first language says counts for all."""
        rows = cls.objects.select_related("locale").order_by("position", "slug")
        ranked = sorted(rows, key=lambda facet: facet.locale.language_code == languages.first())
        deciding = {facet.slug: facet.offered_at_signup for facet in ranked}
        return [slug for slug in dict.fromkeys(facet.slug for facet in rows) if deciding[slug]]

    def clean(self) -> None:
        super().clean()
        if self.slug in TAKEN_SLUGS:
            told = {"slug": self.slug}
            message = _("“%(slug)s” already means something else in addresses and forms. Choose another slug.") % told
            raise ValidationError({"slug": message})


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
