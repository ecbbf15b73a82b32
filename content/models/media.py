"""Pictures and documents that carry their credit: creator, holder, licence, source."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.documents.models import AbstractDocument
from wagtail.images.models import AbstractImage, AbstractRendition
from wagtail.images.shortcuts import get_rendition_or_not_found
from wagtail.search import index

from content.credits import Licence, credit_line, missing
from content.models.image_texts import ImageText
from content.rights import CreditedRenditions, RenditionInFolder
from content.wording import Wording, active_language

JPEG = "format-jpeg|bgcolor-fbf8f1|jpegquality-78"  # What every program shows.


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


class CreditedImage(CreditedRenditions, Credited, AbstractImage):
    """A picture with its alt text, its credit, and the releases of the people it shows.

    Wagtail's own `description` holds the alt text; `is_decorative` says that there is none on purpose
    (plain `decorative` is an attribute that Wagtail's ImageBlock sets on every picture it hands out).
    """

    is_decorative = models.BooleanField(
        _("decorative"),
        default=False,
        help_text=_("Tick only if the picture adds nothing to the words. Screen readers then skip it."),
    )
    long_description = models.TextField(
        _("long description"),
        blank=True,
        help_text=_(
            "For charts and busy scenes: everything a reader who cannot see it needs. Opens under the picture."
        ),
    )
    people_shown = models.BooleanField(_("shows people who can be recognised"), default=False)
    media_release = models.CharField(
        _("media release"),
        max_length=255,
        blank=True,
        help_text=_("Where the signed release is kept. Needed when people, and above all children, can be recognised."),
    )

    maker = _("Artist")
    admin_form_fields = (
        "title",
        "file",
        "description",
        "is_decorative",
        "long_description",
        *CREDIT_FIELDS,
        "people_shown",
        "media_release",
        "collection",
        "tags",
        "focal_point_x",
        "focal_point_y",
        "focal_point_width",
        "focal_point_height",
    )
    search_fields = [*AbstractImage.search_fields, *CREDIT_SEARCH_FIELDS]

    class Meta(AbstractImage.Meta):
        verbose_name = _("image")
        verbose_name_plural = _("images")
        permissions = [("choose_image", "Can choose image")]

    if TYPE_CHECKING:
        texts: models.Manager[ImageText]

    def wording(self, name: str, language: str | None = None) -> Wording:
        """Words of the picture for readers of a language.

        Args:
            name: `title`, `alt` or `long_description`.
            language: the language of the page; None: the active one.

        Returns:
            The words in that language; where there are none, those in the site's first language, then in any other.
            Their own language stands beside them, so that a fallback can be labelled.
        """
        language = language or active_language()
        own = Wording(self.description if name == "alt" else getattr(self, name), settings.LANGUAGE_CODE)
        if own.text and own.language == language:
            return own
        translated = [Wording(getattr(text, name), text.locale.language_code) for text in self._loaded_texts()]
        at_hand = [words for words in translated if words.language == language] + [own, *translated]
        return next((words for words in at_hand if words.text.strip()), Wording())

    def title_in(self, language: str | None = None) -> Wording:
        """The title for readers of a language, and the language it is in."""
        return self.wording("title", language)

    def alt_at(self, placed: str | None, language: str | None = None) -> Wording:
        """The alt text where the picture is placed.

        Args:
            placed: the alt text that an editor wrote for this place; None or "" when there is none. A copy of the
                picture's own alt text (choosers fill it in) counts as none, so that the language still chooses.
            language: the language of the page; None: the active one.

        Returns:
            The words and their language; empty where the picture only decorates.
        """
        if self.decorative or (self.is_decorative and not placed):
            return Wording()
        if placed and placed != self.description and placed not in (text.alt for text in self._loaded_texts()):
            return Wording(placed, language or active_language())
        return self.wording("alt", language)

    def _loaded_texts(self) -> list[ImageText]:
        """The words in other languages: loaded once, or not at all where a list has prefetched them."""
        if self.pk is None:
            return []
        models.prefetch_related_objects([self], "texts")
        return list(self.texts.all())

    @property
    def default_alt_text(self) -> str:
        """The alt text in the site's first language, which choosers suggest; empty for a decorative picture.

        Never the title, which is often a file name.
        """
        return "" if self.is_decorative else self.wording("alt", settings.LANGUAGE_CODE).text

    @property
    def alt_text(self) -> str:
        """The alt text in the active language, by the name it has in the API."""
        return self.alt_at(self.contextual_alt_text).text

    @property
    def sharing(self) -> "CreditedRendition":
        """The one size that other sites and programs are told of: the JPEG of the reading column."""
        rendition: CreditedRendition = get_rendition_or_not_found(self, f"width-1280|{JPEG}")
        return rendition

    @property
    def download_url(self) -> str:
        """Where everybody can fetch it; the file as it was uploaded is for editors alone."""
        url: str = self.sharing.full_url
        return url

    @property
    def described(self) -> dict[str, Any]:
        """The words of the picture in the active language, each with the language that it is really in."""
        words = {
            "title": self.wording("title"),
            "alt_text": self.alt_at(self.contextual_alt_text),
            "long_description": self.wording("long_description"),
        }
        languages = {name: wording.language for name, wording in words.items() if wording.text}
        return {**{name: wording.text for name, wording in words.items()}, "languages": languages}

    @property
    def attribution(self) -> dict[str, Any]:
        """The picture for machines: who made it, whose it is, under which licence, and its texts."""
        return {
            "id": self.pk,
            **self.described,
            "decorative": self.is_decorative or self.decorative,
            "creator": self.creator,
            "holder": self.holder,
            "credit_line": self.credit_line,
            "licence": self.licence,
            "licence_url": self.licence_url,
            "source_url": self.source_url,
            "download_url": self.download_url,
        }


class CreditedRendition(RenditionInFolder, AbstractRendition):
    """One size and format of a picture."""

    image = models.ForeignKey(CreditedImage, on_delete=models.CASCADE, related_name="renditions")

    class Meta:
        unique_together = (("image", "filter_spec", "focal_point_key"),)


class CreditedDocument(Credited, AbstractDocument):
    """A file to download, with its credit."""

    admin_form_fields = ("title", "file", *CREDIT_FIELDS, "collection", "tags")
    search_fields = [*AbstractDocument.search_fields, *CREDIT_SEARCH_FIELDS]

    class Meta(AbstractDocument.Meta):
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        permissions = [("choose_document", "Can choose document")]
