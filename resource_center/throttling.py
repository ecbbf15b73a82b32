"""Whoever guesses passwords is slowed: at the login, and at pages and documents that have one. Nobody is locked out.

The limits stand in newsletter/limits.py. What they refuse, wherever in a request, is answered with a page that says
when to try again.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.shortcuts import render
from django.utils import timezone, translation
from wagtail import views as wagtail_views
from wagtail.documents.views import serve as document_views

from newsletter import limits
from newsletter.models import Attempt

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from resource_center.middleware import Answer


logger = logging.getLogger(__name__)


class ThrottledLogin:
    """Stands first among Django's authentication backends: it lets nobody in, but refuses who has tried too often."""

    def authenticate(self, request: HttpRequest | None, username: str = "", password: str = "") -> None:  # noqa: ARG002
        """Note a try, so that the next backend may look at it.

        Raises:
            TooManyAttempts: for this account, or from this network.
        """
        if request is not None:
            attempt = limits.attempt(Attempt.Action.LOGIN, username, request.META["REMOTE_ADDR"])
            request.META["resource_center.login"] = attempt


@receiver(user_logged_in)
def note_success(request: HttpRequest | None, **_signal: Any) -> None:
    """A login is no guess, and makes the network known for this account."""
    if request is not None and (attempt := request.META.pop("resource_center.login", None)):
        limits.succeed(attempt)


@receiver(user_login_failed)
def log_failure(**_signal: Any) -> None:
    """A failed login is logged, with its request's id and path, and without the name that was tried."""
    logger.info("A login failed.")


def page_password(request: HttpRequest, page_view_restriction_id: int, page_id: int) -> HttpResponse:
    """Wagtail's form for the password of a page, throttled."""
    subject = f"page {page_view_restriction_id}"
    ids = page_view_restriction_id, page_id
    return _throttled(request, subject, wagtail_views.authenticate_with_password, *ids)


def document_password(request: HttpRequest, restriction_id: int) -> HttpResponse:
    """Wagtail's form for the password of a collection's documents, throttled."""
    return _throttled(
        request, f"collection {restriction_id}", document_views.authenticate_with_password, restriction_id
    )


def _throttled(request: HttpRequest, subject: str, view: Any, *ids: int) -> HttpResponse:
    if request.method != "POST":
        response: HttpResponse = view(request, *ids)
        return response
    attempt = limits.attempt(Attempt.Action.PAGE, subject, request.META["REMOTE_ADDR"])
    response = view(request, *ids)
    if response.status_code == 302:  # to the page; a wrong password shows the form once more
        limits.succeed(attempt)
    return response


class TooManyAttemptsAnswers:
    """Answers what the limits refuse, and says when to try again."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A page with status 429; in the admin, whose addresses name no language, in that of the browser."""
        if not isinstance(exception, limits.TooManyAttempts):
            return None
        seconds = max(1, math.ceil((exception.until - timezone.now()).total_seconds()))
        language = translation.get_language()
        if request.path.startswith("/admin/"):
            language = translation.get_language_from_request(request)
        with translation.override(language):
            response = render(request, "429.html", {"minutes": math.ceil(seconds / 60)}, status=429)
        response.headers["Retry-After"] = str(seconds)
        response.headers["Cache-Control"] = "no-store"
        return response
