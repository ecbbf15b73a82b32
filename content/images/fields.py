"""The file field of a picture, in the model and in forms: nothing gets past the normalizer."""

from __future__ import annotations

from typing import Any

from django.forms import FileField
from wagtail.images.fields import WagtailImageField as WagtailImageFormField
from wagtail.images.models import WagtailImageField, WagtailImageFieldFile

from content.images.normalizing import NormalizedPicture, normalize_picture
from content.images.storing import note_stored_file


class PictureFile(WagtailImageFieldFile):
    """A picture's file. All bytes that are ever stored in it come through `save`."""

    def save(self, name: str, content: Any, save: bool = True) -> None:
        """Store a picture, normalized.

        Raises:
            UndrawablePicture: and nothing is stored.
        """
        picture = content if isinstance(content, NormalizedPicture) else normalize_picture(content, name)
        super().save(picture.name, picture, save=False)
        note_stored_file(self.storage, self.name)
        self.instance.note_upload(picture)
        if save:
            self.instance.save()

    def get_image_dimensions(self) -> tuple[int | None, int | None]:
        """Width and height; unknown of a file that was not looked at yet, whatever it claims to be."""
        if self._committed:
            size: tuple[int, int] = super().get_image_dimensions()
            return size
        file = self.file
        return (file.width, file.height) if isinstance(file, NormalizedPicture) else (None, None)


class PictureField(WagtailImageField):
    """The model's field."""

    attr_class = PictureFile

    def deconstruct(self) -> Any:
        """As Wagtail's own field: the database has nothing to do with what is stored."""
        name, _path, arguments, options = super().deconstruct()
        return name, "wagtail.images.models.WagtailImageField", arguments, options


class PictureUploadField(WagtailImageFormField):
    """The forms' field: what it cleans is a NormalizedPicture, and what it refuses is said in a sentence."""

    def to_python(self, data: Any) -> Any:
        """Look at the upload's size before it is read, and decode it once.

        Raises:
            UndrawablePicture: it is too large, broken, or no picture we take.
        """
        file = FileField.to_python(self, data)
        return None if file is None else normalize_picture(file, file.name or "")

    def run_validators(self, value: Any) -> None:
        """The ending says nothing that the normalizer has not found out from the contents."""
