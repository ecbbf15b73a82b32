"""What pictures and documents say of their credit: creator, holder, licence, source."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.search import index

from content.credits import Licence, credit_line, missing
from content.wording import Wording


class Credited(models.Model):
    """Who made a work, who holds its rights, and under which licence we use it."""

    if TYPE_CHECKING:
        title: models.CharField[str, str]
        file: models.FileField

    creator = models.CharField(
        _("creator"), max_length=255, blank=True, help_text=_("Who made it: the photographer, artist or author.")
    )
    holder = models.CharField(
        _("copyright holder"),
        max_length=255,
        blank=True,
        help_text=_("The person or organisation that holds the rights, when it is not the creator."),
    )
    credit_override = models.CharField(
        _("credit line as demanded"),
        max_length=500,
        blank=True,
        help_text=_("Only when the holder demands exact words. They replace creator and holder; the licence stays."),
    )
    licence = models.CharField(
        _("licence"),
        max_length=40,
        blank=True,
        choices=Licence,
        help_text=_("The terms we use it under. Unsure? Ask before you publish."),
    )
    licence_evidence = models.TextField(
        _("evidence"),
        blank=True,
        help_text=_("Where the licence or permission is written down: a link, or who agreed and when."),
    )
    licence_expires = models.DateField(
        _("permission ends on"),
        null=True,
        blank=True,
        help_text=_("The last day we may show it; empty if there is none."),
    )
    source_url = models.URLField(
        _("source"),
        max_length=2000,
        blank=True,
        help_text=_("The page it was taken from, so that readers can find it."),
    )
    adapted = models.CharField(
        _("what we changed"),
        max_length=255,
        blank=True,
        help_text=_("If we changed it, say how in a few words, such as “cropped” or “translated labels”."),
    )

    maker = _("Author")

    class Meta:
        abstract = True

    def title_in(self, _language: str | None = None) -> Wording:
        """The title for readers of a language, and the language it is in (unknown for a document)."""
        return Wording(self.title)

    @property
    def credit_line(self) -> str:
        """The credit as plain text."""
        return credit_line(self).text()

    @property
    def lacks(self) -> str:
        """What is missing before it may be shown, in words; empty when nothing is."""
        return "; ".join(str(lack.label) for lack in missing(self))

    @property
    def licence_url(self) -> str:
        """Where the licence is written down; empty when it has no public text."""
        return Licence(self.licence).url if self.licence in Licence.values else ""


CREDIT_FIELDS = (
    "creator",
    "holder",
    "credit_override",
    "licence",
    "licence_evidence",
    "licence_expires",
    "source_url",
    "adapted",
)
CREDIT_SEARCH_FIELDS = [
    index.SearchField("creator"),
    index.SearchField("holder"),
    index.FilterField("licence"),
    index.FilterField("licence_expires"),
]
