"""Uploaded files under /media/: one command must show pictures without a web server beside it."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404
from django.views.decorators.http import require_safe
from django.views.static import serve

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

MONTH = 30 * 24 * 3600  # seconds


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve renditions to everyone and originals to editors.

    Documents have their own address (/documents/), where privacy is checked.

    Raises:
        Http404: no such file, or not for this reader.
    """
    room, *rest = PurePosixPath(path).parts or ("",)
    if ".." in rest or (room != "images" and not (room == "original_images" and is_editor(request))):
        raise Http404
    try:
        response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    except (OSError, ValueError) as error:  # A name no file system takes.
        raise Http404 from error
    kind = mimetypes.guess_type(path)[0] or ""
    if not kind.startswith("image/") or "svg" in kind:
        response["Content-Disposition"] = "attachment"
    response["Content-Security-Policy"] = "default-src 'none'"
    response["Cache-Control"] = f"public, max-age={MONTH}" if room == "images" else "private, no-store"
    return response


def is_editor(request: HttpRequest) -> bool:
    return request.user.has_perm("wagtailadmin.access_admin")
