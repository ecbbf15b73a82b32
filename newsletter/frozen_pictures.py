"""The pictures of sent issues: copies named by their content, which stay when the picture is replaced or deleted."""

from __future__ import annotations

import hashlib
import logging
from io import BytesIO
from pathlib import Path, PurePath

from django.contrib.auth.models import User
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage
from django.db import transaction
from django.utils import timezone
from PIL import Image as Drawing

from content.models import CreditedImage, CreditedRendition
from content.rights import embedded_credit
from newsletter.models import FrozenPicture

FOLDER = "issues"
PAPER = (243, 236, 223)  # What stands in for a withdrawn picture: the ground of our mails, without a word.
USUAL_SIZE = (1104, 690)

logger = logging.getLogger(__name__)


def freeze(rendition: CreditedRendition) -> FrozenPicture:
    """Copy a rendition to an address that is named by its bytes; the same bytes are kept once.

    A copy that is incomplete, after a crash or without its media, is written again. A withdrawn one stays withdrawn.

    Raises:
        OSError: the copy can not be written; nothing is recorded then.
    """
    with rendition.file.open("rb") as original, transaction.atomic():
        digest = _sha256(original)
        name = f"{FOLDER}/{digest}{PurePath(original.name).suffix}"
        values = {"sha256": digest, "image_id": rendition.image_id}
        FrozenPicture.objects.get_or_create(file=name, defaults=values)
        frozen = FrozenPicture.objects.select_for_update().get(file=name)
        if frozen.withdrawn_at is None:
            _write_whole(frozen.file.storage, name, original)
    return frozen


def withdraw(picture: FrozenPicture, reason: str, user: User | None = None) -> None:
    """Put a neutral picture at the address of a copy, as after a rights takedown. Hash, day and actor stay.

    May be called again, such as when the file could not be written: the first day, actor and reason stay.

    Raises:
        OSError: the file can not be written; the copy does not count as withdrawn then.
    """
    with transaction.atomic():
        frozen = FrozenPicture.objects.select_for_update().get(pk=picture.pk)
        if frozen.withdrawn_at is None:
            frozen.sha256 = frozen.sha256 or _sha256_of_file(frozen)
            frozen.withdrawn_at, frozen.withdrawn_by, frozen.reason = timezone.now(), user, reason
            frozen.save()
        _overwrite(frozen, _neutral(frozen))
    picture.refresh_from_db()


def take_in_old_copies() -> int:
    """Read what issues showed that were sent before their pictures were copied. How many were read.

    The files stay where the mails look for them. What they say of place and camera goes, and the present credit of the
    picture comes in, as in every rendition. One whose file is gone is forgotten. May be cut off and called again.
    """
    unread = FrozenPicture.objects.filter(sha256="", withdrawn_at=None)
    return sum(_take_in(pk) for pk in unread.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _take_in(pk: int) -> bool:
    """Read one old copy. False when another run has, its file is gone, or there is nothing in it."""
    unread = FrozenPicture.objects.select_for_update().filter(pk=pk, sha256="", withdrawn_at=None)
    frozen = unread.first()
    if frozen is None:
        return False
    try:
        with frozen.file.open("rb") as file:
            content = file.read()
    except FileNotFoundError:
        frozen.delete()
        return False
    if not content:
        logger.warning("%s, in an issue sent before, is empty.", frozen.file.name)
        return False
    clean = _with_credit_only(frozen, content)
    if clean != content:
        _overwrite(frozen, clean)
    frozen.sha256 = hashlib.sha256(clean).hexdigest()
    frozen.save(update_fields=["sha256"])
    return True


def _with_credit_only(frozen: FrozenPicture, content: bytes) -> bytes:
    """The JPEG of a mail with the same quality, and nothing in it but the present credit of its picture."""
    image = CreditedImage.objects.filter(pk=frozen.image_id).first() if frozen.image_id else None
    written = BytesIO()
    try:
        with Drawing.open(BytesIO(content), formats=["JPEG"]) as drawing:
            profile = {name: drawing.info[name] for name in ("icc_profile",) if name in drawing.info}
            credit = embedded_credit(image).saving("JPEG") if image else {"comment": b""}
            drawing.save(written, "JPEG", quality="keep", **profile, **credit)
    except (OSError, SyntaxError, ValueError) as error:
        logger.warning("%s, in an issue sent before, is kept as it is: %s", frozen.file.name, error)
        return content
    return written.getvalue()


def _sha256_of_file(frozen: FrozenPicture) -> str:
    try:
        with frozen.file.open("rb") as file:
            return _sha256(file)
    except FileNotFoundError:
        return ""


def _sha256(file: File[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _write_whole(storage: Storage, name: str, original: File[bytes]) -> None:
    """Write a file unless it stands there whole."""
    original.seek(0)
    if not storage.exists(name):
        kept = storage.save(name, original)
        if kept != name:  # Another freeze wrote the same bytes in between.
            storage.delete(kept)
    elif storage.size(name) != original.size:
        with storage.open(name, "wb") as copy:
            for chunk in original.chunks():
                copy.write(chunk)


def _overwrite(frozen: FrozenPicture, content: bytes) -> None:
    """Put a file in the place of another, in one step where it is kept on a disk: no reader meets half of it."""
    storage, name = frozen.file.storage, str(frozen.file.name)
    if not storage.exists(name):
        storage.save(name, ContentFile(content))
    elif isinstance(storage, FileSystemStorage):
        spare = storage.save(f"{name}.new", ContentFile(content))
        Path(storage.path(spare)).replace(storage.path(name))
    else:
        with storage.open(name, "wb") as file:
            file.write(content)


def _neutral(frozen: FrozenPicture) -> bytes:
    """A plain picture as large as the one it stands in for."""
    try:
        with frozen.file.open("rb") as file, Drawing.open(file) as drawing:
            size = drawing.size
    except OSError:
        size = USUAL_SIZE
    written = BytesIO()
    Drawing.new("RGB", size, PAPER).save(written, "JPEG")
    return written.getvalue()
