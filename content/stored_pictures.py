"""Pictures that are kept already, looked at once more: what the normalizer would not have let in is mended or named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Any

from django.utils import timezone

from content.images import NormalizedPicture, UndrawablePicture, deletes_stored_files_on_error, normalize_picture
from content.models import CreditedImage

LARGEST = 500_000_000  # bytes: what was taken once is not refused for its size
BATCH = 100


@dataclass(frozen=True)
class UndrawnPicture:
    id: int
    title: str
    why: str


@dataclass
class Receipt:
    """What a check did. `mended` and the pictures in `undrawable` are among the `checked`."""

    checked: int = 0
    mended: int = 0
    undrawable: list[UndrawnPicture] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        return asdict(self)


def check_stored_pictures(again: bool = False) -> Receipt:
    """Decode every picture that was not checked yet; each one is settled by itself, so that a next run goes on there.

    A file that sizes can be drawn from stays as it is. Of any other a new file is made; the bytes that were there
    become its upload, and its sizes are drawn anew when they are asked for.

    Args:
        again: begin anew, also with those that were checked.
    """
    if again:
        CreditedImage.objects.update(checked_at=None)
    receipt = Receipt()
    for image in _unchecked():
        receipt.checked += 1
        try:
            receipt.mended += _check(image)
        except (UndrawablePicture, OSError) as error:
            why = error.reason if isinstance(error, UndrawablePicture) else str(error)
            receipt.undrawable.append(UndrawnPicture(image.pk, image.title, why))
            image.note_undrawable(error)
            CreditedImage.objects.filter(pk=image.pk).update(checked_at=timezone.now())
    return receipt


def _unchecked() -> Iterator[CreditedImage]:
    """Those without a date of a check, one in memory at a time."""
    last = 0
    while keys := list(
        CreditedImage.objects.filter(checked_at=None, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        for last in keys:
            if image := CreditedImage.objects.filter(pk=last).first():
                yield image


def _check(image: CreditedImage) -> bool:
    """Look at one picture, and say whether it had to be mended."""
    with image.open_file() as file:
        picture = normalize_picture(file, PurePath(image.file.name).name, longest=LARGEST)
    is_mended = picture.is_altered and not image.upload
    if is_mended:
        _mend(image, picture)
    image.checked_at = timezone.now()
    image.save(update_fields=["checked_at"])
    if image.undrawable_since:
        image.note_drawable()
    return is_mended


def _mend(image: CreditedImage, picture: NormalizedPicture) -> None:
    """Draw from a new file; the row follows when all is done, so that a run that was ended does it again."""
    storage, old = image.file.storage, image.file.name
    since = image.undrawable_since
    with deletes_stored_files_on_error():
        image.file.save(picture.name, picture, save=False)
        image.undrawable_since = since
        image.renditions.all().delete()
        facts = ["width", "height", "file_size", "file_hash", "upload", "is_first_of_several"]
        row = {name: getattr(image, name) for name in facts}
        CreditedImage.objects.filter(pk=image.pk).update(file=image.file.name, **row)
    storage.delete(old)
