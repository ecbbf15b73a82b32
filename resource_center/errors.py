"""What a person sees when something broke: a page with the number under which the log tells what."""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING, Any

import structlog
from django.http import HttpResponseServerError
from django.template.loader import render_to_string
from django.utils.encoding import escape_uri_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

logger = structlog.get_logger(__name__)


def server_error(_request: HttpRequest) -> HttpResponseServerError:
    """Django's handler500; django_structlog has logged the exception under the same id."""
    return _page(structlog.contextvars.get_contextvars().get("request_id", ""))


def answer_failure(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Log the exception that is being handled, which never came to Django, and answer with the same page."""
    request_id, path = str(uuid.uuid4()), escape_uri_path(environ.get("PATH_INFO", ""))
    logger.exception(
        "request_failed", request_id=request_id, path=path, request=f"{environ.get('REQUEST_METHOD')} {path}"
    )
    response = _page(request_id)
    start_response("500 Internal Server Error", list(response.items()), sys.exc_info())
    return [response.content]


def _page(request_id: str) -> HttpResponseServerError:
    page = render_to_string("500.html", {"request_id": request_id})
    return HttpResponseServerError(page, headers={"X-Request-ID": request_id, "Cache-Control": "no-store"})
