"""Uploaded files: the names they are kept under, and who may fetch them from /media/ without a web server beside us."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.http import Http404
from django.views.decorators.http import require_safe
from django.views.static import serve

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

DAY = 24 * 3600  # seconds
PUBLIC = {"images": 30 * DAY, "issues": DAY}
"""The folders that everybody may read, and how long a browser may keep what is in them. The picture of a sent issue can
be withdrawn, and then has to be gone soon."""


class MediaStorage(FileSystemStorage):
    """Files on disk, none of them hidden: web servers refuse names that begin with a dot, and backups may skip them."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name a file is kept under. Every way of saving one asks here, whatever the upload was called."""
        path = PurePosixPath(name)
        return super().get_available_name(str(path.with_name(visible_name(path.name))), max_length)


def visible_name(name: str) -> str:
    """A file's name without dots before it; one that is only an ending gets a word before that."""
    shown = name.lstrip(".")
    return shown if shown == name or "." in shown.rstrip(".") else f"file.{shown}".rstrip(".")


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve renditions and the pictures of sent issues to everyone, and originals to editors.

    Documents have their own address (/documents/), where privacy is checked; uploads/, the pictures as they came, none.

    Raises:
        Http404: no such file, or not for this reader.
    """
    room, *rest = PurePosixPath(path).parts or ("",)
    if ".." in rest or (room not in PUBLIC and not (room == "original_images" and is_editor(request))):
        raise Http404
    try:
        response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    except (OSError, ValueError) as error:  # A name no file system takes.
        raise Http404 from error
    kind = mimetypes.guess_type(path)[0] or ""
    if not kind.startswith("image/") or "svg" in kind:
        response["Content-Disposition"] = "attachment"
    response["Content-Security-Policy"] = "default-src 'none'"
    response["Cache-Control"] = f"public, max-age={PUBLIC[room]}" if room in PUBLIC else "private, no-store"
    return response


def is_editor(request: HttpRequest) -> bool:
    return request.user.has_perm("wagtailadmin.access_admin")
