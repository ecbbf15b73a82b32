"""Partners (schools, districts, CMOs) and the people whose names stand under the words."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from wagtail.admin.panels import FieldPanel, FieldRowPanel
from wagtail.models import TranslatableMixin
from wagtail.search import index

from content import gate
from content.models.images import CreditedImage
from content.models.terms import PLAIN_SLUG


class PartnerKind(models.TextChoices):
    SCHOOL = "school", _("School")
    DISTRICT = "district", _("District")
    CMO = "cmo", _("Charter management organisation")


GRADES = [("PK", _("Pre-K")), ("K", "K"), *((str(grade), str(grade)) for grade in range(1, 13))]

STATES = [
    (code, name)
    for code, name in (
        line.split(" ", 1)
        for line in """\
AL Alabama
AK Alaska
AZ Arizona
AR Arkansas
CA California
CO Colorado
CT Connecticut
DE Delaware
DC District of Columbia
FL Florida
GA Georgia
HI Hawaii
ID Idaho
IL Illinois
IN Indiana
IA Iowa
KS Kansas
KY Kentucky
LA Louisiana
ME Maine
MD Maryland
MA Massachusetts
MI Michigan
MN Minnesota
MS Mississippi
MO Missouri
MT Montana
NE Nebraska
NV Nevada
NH New Hampshire
NJ New Jersey
NM New Mexico
NY New York
NC North Carolina
ND North Dakota
OH Ohio
OK Oklahoma
OR Oregon
PA Pennsylvania
PR Puerto Rico
RI Rhode Island
SC South Carolina
SD South Dakota
TN Tennessee
TX Texas
UT Utah
VT Vermont
VA Virginia
WA Washington
WV West Virginia
WI Wisconsin
WY Wyoming""".splitlines()
    )
]


class Partner(index.Indexed, TranslatableMixin, models.Model):
    """A school, district or CMO that shares its practice."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.CharField(_("slug"), max_length=80, validators=[PLAIN_SLUG])
    kind = models.CharField(_("kind"), max_length=10, choices=PartnerKind)
    city = models.CharField(_("city"), max_length=80, blank=True)
    state = models.CharField(_("state"), max_length=2, choices=STATES)
    lowest_grade = models.CharField(_("lowest grade"), max_length=2, choices=GRADES, blank=True)
    highest_grade = models.CharField(_("highest grade"), max_length=2, choices=GRADES, blank=True)
    students = models.PositiveIntegerField(_("students"), null=True, blank=True)
    description = models.TextField(_("description"), blank=True, help_text=_("Two or three sentences for readers."))
    website = models.URLField(_("website"), blank=True)
    picture = models.ForeignKey(
        CreditedImage, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("picture")
    )

    panels = [
        FieldPanel("name"),
        FieldPanel("slug"),
        FieldRowPanel([FieldPanel("kind"), FieldPanel("city"), FieldPanel("state")]),
        FieldRowPanel([FieldPanel("lowest_grade"), FieldPanel("highest_grade"), FieldPanel("students")]),
        FieldPanel("description"),
        FieldPanel("website"),
        FieldPanel("picture"),
    ]
    search_fields = [
        index.SearchField("name", boost=2),
        index.AutocompleteField("name"),
        index.SearchField("city"),
        index.FilterField("kind"),
        index.FilterField("state"),
        index.FilterField("locale_id"),
    ]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["locale", "slug"], name="partner_slug_once_per_language")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        gate.check_work(self.picture, "picture")

    @property
    def url(self) -> str:
        """The address of its page, in its own language."""
        with override(self.locale.language_code):
            return reverse("partner", args=[self.slug])

    @property
    def grades(self) -> str:
        """Grades served, such as “K–8”; empty when unknown."""
        ends = [grade for grade in (self.lowest_grade, self.highest_grade) if grade]
        return "–".join(dict.fromkeys(ends))


class Person(index.Indexed, TranslatableMixin, models.Model):
    """Somebody whose name stands under an article or in a story (a byline, never a login)."""

    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=120, blank=True, help_text=_("Such as “Literacy coach”."))
    partner = models.ForeignKey(
        Partner, null=True, blank=True, on_delete=models.SET_NULL, related_name="people", verbose_name=_("partner")
    )
    biography = models.TextField(_("biography"), blank=True)
    picture = models.ForeignKey(
        CreditedImage, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("picture")
    )

    panels = [FieldPanel(name) for name in ("name", "role", "partner", "biography", "picture")]
    search_fields = [
        index.SearchField("name"),
        index.AutocompleteField("name"),
        index.FilterField("locale_id"),
    ]

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        gate.check_work(self.picture, "picture")
