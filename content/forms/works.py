"""What the forms of pictures and documents refuse, each error at the field that mends it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.forms import Textarea
from django.forms.models import fields_for_model
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.compat import URLField
from wagtail.documents.forms import BaseDocumentForm
from wagtail.images.forms import BaseImageForm
from wagtail.models import Locale

from content import gate
from content.credits import Lack, is_file_name, missing
from content.images import PictureUploadField
from content.languages import name_in_sentence
from content.models import ImageText

LACKING_FIELD = {
    Lack.ALT_TEXT: "description",
    Lack.ALT_TEXT_WORDS: "description",
    Lack.CREATOR: "creator",
    Lack.LICENCE: "licence",
    Lack.EVIDENCE: "licence_evidence",
    Lack.EXPIRED: "licence_expires",
    Lack.CHANGES: "adapted",
    Lack.RELEASE: "media_release",
}


def first_of_several() -> str:
    """The word about an upload of which only a part is kept."""
    return _("The file was an animation, or had several pages: only the first picture of it is shown.")


class CreditingForm:
    """Keeps the credit of a work that readers can see: it may be changed, but not taken away."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # type: ignore[attr-defined]
            if isinstance(field.widget, Textarea):
                field.widget.attrs["rows"] = 3

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        work: Any = self.instance  # type: ignore[attr-defined]
        if work.pk is None:
            return
        before = missing(type(work)._default_manager.get(pk=work.pk))
        lost = [lack for lack in self._missing(work) if lack not in before]
        if lost and (users := gate.published_users(work)):
            for lack in lost:
                self._refuse(work, lack, users)

    def _missing(self, work: Any) -> list[Lack]:
        """What the work will lack once the form is saved."""
        return missing(work)

    def _refuse(self, work: Any, lack: Lack, users: list[str]) -> None:
        field = LACKING_FIELD[lack]
        message = _("It is shown on: %(pages)s. Saved like this, %(sentence)s") % {
            "pages": ", ".join(users),
            "sentence": gate.sentence(work, lack),
        }
        self.add_error(field if field in self.fields else None, message)  # type: ignore[attr-defined]


TEXTS = {"title": "title", "description": "alt", "long_description": "long_description"}
"""The picture's own fields that hold words, and the field of ImageText that holds the same in another language."""


class ImageForm(CreditingForm, BaseImageForm):
    """The form of a picture, wherever one is uploaded or edited: its words in every language, then its credit.

    The picture's own fields hold the words in the site's first language. Every other language has a field of its own
    for each of them, called `alt_es` and so on. A field that was not sent at all (an upload that sends only the file)
    changes nothing.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if upload := self.fields.get("file"):
            self.fields["file"] = PictureUploadField(label=upload.label, widget=upload.widget)
        if said := self._about_the_file():
            first = self.fields.get("file") or self.fields["title"]
            first.help_text = format_html("<strong>{}</strong> {}", said, first.help_text or "")
        if alt := self.fields.get("description"):
            alt.label = _("Alt text")
            alt.help_text = _("What a reader who cannot see it needs to know, in a sentence. No file name.")
        self.other_locales = list(Locale.objects.exclude(language_code=settings.LANGUAGE_CODE).order_by("pk"))
        if self.other_locales:
            self._ask_in_every_language([name for name in TEXTS if name in self.fields])

    def _ask_in_every_language(self, asked: list[str]) -> None:
        """Give each field of words one more for every other language, and say in each label which one it is for."""
        written = {text.locale_id: text for text in self.instance.texts.all()} if self.instance.pk else {}
        labels = {name: self.fields[name].label for name in asked}
        for name in asked:
            # Wagtail's form has asked for some of its own fields already, and these keep their label.
            self.fields[name].label = self[name].label = self._label(labels[name], settings.LANGUAGE_CODE)
        for locale in self.other_locales:
            fields = fields_for_model(ImageText, [TEXTS[name] for name in asked])
            for name in asked:
                field = fields[TEXTS[name]]
                field.label = self._label(labels[name], locale.language_code)
                field.initial = getattr(written.get(locale.pk), TEXTS[name], "")
                field.widget.attrs["lang"] = locale.language_code
                if isinstance(field.widget, Textarea):
                    field.widget.attrs["rows"] = 3
                self.fields[self._name(TEXTS[name], locale)] = field
        translated = [self._name(TEXTS[name], locale) for locale in self.other_locales for name in asked]
        own = [name for name in self.fields if name not in translated]
        last = max((own.index(name) for name in [*asked, "is_decorative"] if name in own), default=-1) + 1
        self.order_fields([*own[:last], *translated, *own[last:]])

    def _label(self, label: Any, language: str) -> str:
        return _("%(field)s (%(language)s)") % {"field": capfirst(label), "language": name_in_sentence(language)}

    def _name(self, text: str, locale: Locale) -> str:
        return f"{text}_{locale.language_code}"

    def _sent(self, locale: Locale) -> dict[str, str]:
        """The words in another language that the form was sent with."""
        return {
            text: self.cleaned_data.get(name, "")
            for text in TEXTS.values()
            if (name := self._name(text, locale)) in self.fields
            and not self.fields[name].widget.value_omitted_from_data(self.data, self.files, self.add_prefix(name))
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        for locale in self.other_locales:
            alt = self._sent(locale).get("alt", "")
            if alt and is_file_name(alt, self.instance.file.name if self.instance.file else ""):
                self.add_error(self._name("alt", locale), _("This is a file name. Say what the picture shows."))
        return cleaned

    def _missing(self, work: Any) -> list[Lack]:
        """The alt text may stand in any language."""
        kept = {text.locale_id: text.alt for text in work.texts.all()}
        alts = [work.description, *(self._sent(each).get("alt", kept.get(each.pk, "")) for each in self.other_locales)]
        return missing(work, alt=next((alt for alt in alts if alt.strip()), ""))

    def _save_m2m(self) -> None:
        super()._save_m2m()
        for locale in self.other_locales:
            self._save_words(locale, self._sent(locale))

    def _save_words(self, locale: Locale, words: dict[str, str]) -> None:
        if not {self._name(text, locale) for text in words} & set(self.changed_data):
            return
        text = self.instance.texts.filter(locale=locale).first() or ImageText(image=self.instance, locale=locale)
        for name, value in words.items():
            setattr(text, name, value.strip())
        if any((text.title, text.alt, text.long_description)):
            text.save()
        elif text.pk:
            text.delete()

    def _about_the_file(self) -> str:
        """What an editor needs to know of the file that the picture has now."""
        if self.instance.undrawable_since:
            return _("This picture can not be drawn, and readers see its alt text. Choose its file again.")
        if self.instance.is_first_of_several:
            return first_of_several()
        return ""

    class Meta(BaseImageForm.Meta):
        field_classes = {"source_url": URLField}


class DocumentForm(CreditingForm, BaseDocumentForm):
    """The form of a document, wherever one is uploaded or edited."""

    class Meta(BaseDocumentForm.Meta):
        field_classes = {"source_url": URLField}
