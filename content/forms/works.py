"""What the forms of pictures and documents refuse, each error at the field that mends it."""

from __future__ import annotations

from typing import Any

from django.forms import Textarea
from django.utils.translation import gettext as _
from wagtail.compat import URLField
from wagtail.documents.forms import BaseDocumentForm
from wagtail.images.forms import BaseImageForm

from content import gate
from content.credits import Lack, missing

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
        lost = [lack for lack in missing(work) if lack not in before]
        if lost and (users := gate.published_users(work)):
            for lack in lost:
                self._refuse(work, lack, users)

    def _refuse(self, work: Any, lack: Lack, users: list[str]) -> None:
        field = LACKING_FIELD[lack]
        message = _("It is shown on: %(pages)s. Saved like this, %(sentence)s") % {
            "pages": ", ".join(users),
            "sentence": gate.sentence(work, lack),
        }
        self.add_error(field if field in self.fields else None, message)  # type: ignore[attr-defined]


class ImageForm(CreditingForm, BaseImageForm):
    """The form of a picture, wherever one is uploaded or edited."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if alt := self.fields.get("description"):
            alt.label = _("Alt text")
            alt.help_text = _("What a reader who cannot see it needs to know, in a sentence. No file name.")

    class Meta(BaseImageForm.Meta):
        field_classes = {"source_url": URLField}


class DocumentForm(CreditingForm, BaseDocumentForm):
    """The form of a document, wherever one is uploaded or edited."""

    class Meta(BaseDocumentForm.Meta):
        field_classes = {"source_url": URLField}
