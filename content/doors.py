"""Where the gate stands: the two rows that every way of publishing has to write, and the answer to an editor."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log
from wagtail.models import Page, Revision

from content import gate
from content.publishing import references

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


def check_page(instance: Page, raw: bool = False, update_fields: Any = None, **_said: Any) -> None:
    """Signal receiver: a page saved as live passes the gate.

    Publishing a revision, approving, bulk actions, copies, aliases, importers and plain code all end here.

    Raises:
        Refused: and nothing is saved.
    """
    if raw or not isinstance(instance, Page) or not instance.live:
        return
    if update_fields is None or "live" in update_fields:
        gate.check(instance if type(instance) is not Page else instance.specific)


def check_schedule(instance: Revision, raw: bool = False, **_said: Any) -> None:
    """Signal receiver: a revision that is given a time to go live passes the gate.

    Raises:
        Refused: and nothing is scheduled.
    """
    if raw or instance.approved_go_live_at is None:
        return
    page = instance.as_object()
    if isinstance(page, Page):
        gate.check(page)


def hold_back() -> int:
    """Take the time off scheduled pages that are due but may not go out, so that they do not stop the others.

    What was complete when it was scheduled may lack something by now, or name something that was deleted. The page
    stays as it is; its history says why.

    Returns:
        How many were held back.
    """
    held = 0
    for revision in Revision.page_revisions.filter(approved_go_live_at__lt=timezone.now()):
        page = revision.as_object()
        reasons = [finding.message for finding in gate.findings(page)]
        reasons += references.sentences(page.gone_references)
        if reasons:
            Revision.objects.filter(pk=revision.pk).update(approved_go_live_at=None)
            log(instance=page, action="content.held_back", revision=revision, data={"reasons": reasons})
            logger.warning("“%s” did not go live as scheduled: %s", page, " ".join(reasons))
            held += 1
    return held


class RefusalAnswers:
    """Middleware: a refusal that no form foresaw (bulk action, approval from a list, copy) becomes a message.

    So does what a page's own rules refuse in the editors' desk, such as an old draft from before a rule.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, gate.Refused):
            page: Page | None = exception.page
            reasons = [finding.message for finding in exception.findings]
            said = _("“%(page)s” was not published. %(reasons)s") % {
                "page": exception.page.title,
                "reasons": " ".join(reasons),
            }
        elif isinstance(exception, ValidationError) and request.path.startswith(reverse("wagtailadmin_home")):
            logger.warning("%s was refused: %s", request.path, " ".join(exception.messages))
            page, said = None, _("Nothing was saved. %(reasons)s") % {"reasons": " ".join(exception.messages)}
        else:
            return None
        if "application/json" in request.headers.get("Accept", "").split(","):
            return JsonResponse({"success": False, "error_code": "refused", "error_message": said}, status=400)
        messages.error(request, said)
        return redirect("wagtailadmin_pages:edit", page.pk) if page and page.pk else redirect("wagtailadmin_home")
