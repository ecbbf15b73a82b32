"""Pictures that carry their words, their credit and the file that their sizes are drawn from."""

import logging
from contextlib import nullcontext
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail.images.exceptions import InvalidFilterSpecError
from wagtail.images.models import AbstractImage, AbstractRendition, Filter, get_upload_to

from content.images import NormalizedPicture, PictureField, deletes_stored_files_on_error, note_stored_file
from content.languages import active_language
from content.models.credited import CREDIT_FIELDS, CREDIT_SEARCH_FIELDS, Credited
from content.models.image_texts import ImageText
from content.rights import CreditedRenditions, RenditionInFolder
from content.wording import Wording

JPEG = "format-jpeg|bgcolor-fbf8f1|jpegquality-78"  # What every program shows.
UPLOADS = "uploads"  # The folder of media that is served to nobody.
NOT_DRAWN = "not-found"  # Wagtail's name for the file of a size that could not be made.

logger = logging.getLogger(__name__)


class CreditedImage(CreditedRenditions, Credited, AbstractImage):
    """A picture with its alt text, its credit, and the releases of the people it shows.

    Wagtail's own `description` holds the alt text; `is_decorative` says that there is none on purpose
    (plain `decorative` is an attribute that Wagtail's ImageBlock sets on every picture it hands out).
    `file` is what sizes are drawn from, made from the `upload` by content.images; `upload` is what an editor gave us.
    """

    file = PictureField(_("file"), upload_to=get_upload_to, width_field="width", height_field="height")
    upload = models.FileField(
        upload_to=f"{UPLOADS}/%Y",
        blank=True,
        editable=False,
        help_text="The uploaded bytes, unchanged and private; empty for a picture from before they were kept.",
    )
    is_first_of_several = models.BooleanField(
        default=False, editable=False, help_text="The upload was an animation or had several pages."
    )
    checked_at = models.DateTimeField(
        null=True, editable=False, help_text="When the whole file was decoded; check_images takes those without a date."
    )
    undrawable_since = models.DateTimeField(null=True, editable=False, db_index=True)
    undrawable_filter = models.CharField(
        max_length=255, blank=True, editable=False, help_text="The size that failed, where it was one."
    )
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

    def save(self, *args: Any, **options: Any) -> None:
        """Save it. The files of another picture that it held before are deleted, with all their sizes.

        Raises:
            UndrawablePicture: its new file is none; nothing is stored and nothing changed.
        """
        fields = options.get("update_fields")
        if fields is not None and "file" not in fields:
            super().save(*args, **options)
            return
        with deletes_stored_files_on_error():
            if self.file and not self.file._committed:
                # Before Django looks at the columns that tell of the file, and before anything is locked.
                self.file.save(self.file.name, self.file.file, save=False)
            with transaction.atomic():
                before = type(self)._base_manager.filter(pk=self.pk).first() if self.pk else None
                super().save(*args, **options)
                if before and before.file.name != self.file.name:
                    self.renditions.all().delete()
                    transaction.on_commit(before.delete_files)

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
    def sharing(self) -> "CreditedRendition | None":
        """The one size that others are told of, the JPEG of the reading column; None if it can not be drawn."""
        rendition = self.get_rendition(f"width-1280|{JPEG}")
        return rendition if rendition.is_drawn else None

    @property
    def download_url(self) -> str:
        """Where everybody can fetch it; empty if it can not be drawn. The file that was uploaded is private."""
        shared = self.sharing
        return str(shared.full_url) if shared else ""

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

    # --- The file

    def note_upload(self, picture: NormalizedPicture) -> None:
        """Fill in what is known of a file that was just stored, and keep what it was made from."""
        name = f"{PurePath(str(picture.name)).stem[:60]}{PurePath(picture.upload_name).suffix[:10]}"
        self.upload.save(name, ContentFile(picture.upload), save=False)
        note_stored_file(self.upload.storage, str(self.upload.name))
        self.file_size, self.file_hash = picture.size, picture.sha1
        self.is_first_of_several = picture.is_first_of_several
        self.checked_at = timezone.now()
        self.undrawable_since, self.undrawable_filter = None, ""

    def _set_image_file_metadata(self) -> None:
        """Wagtail's forms ask for size and hash of a file that is not normalized yet; `note_upload` fills them in."""

    def delete_files(self) -> None:
        """Delete the file that sizes are drawn from and the upload, wherever they are kept."""
        for file in (self.file, self.upload):
            if file.name:
                file.storage.delete(file.name)

    # --- Its sizes: whatever can not be drawn is shown as its alt text, so that one picture never takes a page down

    def get_rendition(self, filter: Filter | str) -> "CreditedRendition":
        """One size of it. If it can not be made, `is_drawn` of what comes back is False."""
        return self.get_renditions(filter)[filter.spec if isinstance(filter, Filter) else filter]

    def get_renditions(self, *filters: Filter | str) -> dict[str, "CreditedRendition"]:
        """Sizes of it by their filters. If one can not be made, `is_drawn` is False for all of them.

        Raises:
            InvalidFilterSpecError: a filter is none.
        """
        specs = [each.spec if isinstance(each, Filter) else each for each in filters]
        try:
            drawn: dict[str, CreditedRendition] = super().get_renditions(*filters)
        except (DatabaseError, InvalidFilterSpecError):
            raise
        except Exception as error:  # Pillow, Willow and storages raise what they like.
            self.note_undrawable(error, specs[0])
            return {spec: CreditedRendition.not_drawn(self, spec) for spec in specs}
        if self.undrawable_since and self.undrawable_filter in specs:
            self.note_drawable()
        return drawn

    def create_renditions(self, *filters: Filter) -> dict[Filter, "CreditedRendition"]:
        """Draw sizes that are not there yet. One that fails spoils no transaction around it."""
        with transaction.atomic() if filters and connection.in_atomic_block else nullcontext():
            created: dict[Filter, CreditedRendition] = super().create_renditions(*filters)
        return created

    def note_undrawable(self, error: Exception, spec: str = "") -> None:
        """Remember and log that it can not be drawn: once, not each time that somebody asks for it."""
        if self.undrawable_since:
            return
        self.undrawable_since, self.undrawable_filter = timezone.now(), spec
        drawable = type(self)._base_manager.filter(pk=self.pk, undrawable_since=None)
        if drawable.update(undrawable_since=self.undrawable_since, undrawable_filter=spec):
            logger.warning("“%s” (image %s) can not be drawn.", self.title, self.pk, exc_info=error)

    def note_drawable(self) -> None:
        """Forget that it could not be drawn; pages that show its alt text are made anew."""
        self.undrawable_since, self.undrawable_filter = None, ""
        self.save(update_fields=["undrawable_since", "undrawable_filter"])


class CreditedRendition(RenditionInFolder, AbstractRendition):
    """One size and format of a picture."""

    image = models.ForeignKey(CreditedImage, on_delete=models.CASCADE, related_name="renditions")

    @classmethod
    def not_drawn(cls, image: CreditedImage, spec: str) -> "CreditedRendition":
        """What stands for a size that could not be made; never saved."""
        rendition = cls(image=image, filter_spec=spec, width=0, height=0)
        rendition.file.name = NOT_DRAWN
        return rendition

    @property
    def is_drawn(self) -> bool:
        return bool(self.file.name != NOT_DRAWN)

    def img_tag(self, extra_attributes: dict[str, Any] | None = None) -> str:
        """The HTML of it; its alt text where it could not be drawn."""
        if self.is_drawn:
            return str(super().img_tag(extra_attributes or {}))
        alt = (extra_attributes or {}).get("alt", self.alt)
        return format_html('<span class="undrawn">{}</span>', alt) if alt else ""

    class Meta:
        unique_together = (("image", "filter_spec", "focal_point_key"),)
