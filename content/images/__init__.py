"""Uploaded pictures: what is taken, and the file that every size of a picture is drawn from.

`normalizing` is the one way in: it decodes an upload wholly and gives back a JPEG or PNG in 8 bit sRGB. `colors`
turns pixels of any mode and profile into sRGB, `svg` draws drawings in a process of their own. `fields` puts the
normalizer behind the file field of the model and of every form; `storing` leaves no file behind when saving fails.
"""

from content.images.fields import PictureField, PictureUploadField
from content.images.normalizing import NormalizedPicture, UndrawablePicture, normalize_picture
from content.images.storing import deletes_stored_files_on_error, note_stored_file

__all__ = [
    "NormalizedPicture",
    "PictureField",
    "PictureUploadField",
    "UndrawablePicture",
    "deletes_stored_files_on_error",
    "normalize_picture",
    "note_stored_file",
]
