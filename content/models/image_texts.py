"""The words of a picture in the other languages of the site."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.models import Locale


class ImageTextManager(models.Manager["ImageText"]):
    """Loads each text with its locale, because the choice of a text asks for its language."""

    def get_queryset(self) -> models.QuerySet["ImageText"]:
        return super().get_queryset().select_related("locale")


class ImageText(models.Model):
    """Title, alt text and long description of a picture in one language.

    The picture's own fields hold its words in the site's first language, so there is no row for that one.
    Any field may be empty: `CreditedImage.wording` then takes the words of another language and says which.
    """

    image = models.ForeignKey(
        "content.CreditedImage", on_delete=models.CASCADE, related_name="texts", verbose_name=_("image")
    )
    locale = models.ForeignKey(Locale, on_delete=models.CASCADE, related_name="+", verbose_name=_("locale"))
    title = models.CharField(_("title"), max_length=255, blank=True)
    # Longer than the picture's own 255 characters: a translation often is.
    alt = models.CharField(_("alt text"), max_length=500, blank=True)
    long_description = models.TextField(_("long description"), blank=True)

    objects = ImageTextManager()

    wagtail_reference_index_ignore = True  # The words of a picture are no place that shows it.

    class Meta:
        verbose_name = _("words of an image")
        verbose_name_plural = _("words of images")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["image", "locale"], name="image_text_once_per_language")]

    def __str__(self) -> str:
        return f"{self.title or self.image} ({self.locale.language_code})"
