"""Mailings in the editors' desk: how far each has come, what became of it, and the brakes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, TitleColumn
from wagtail.admin.views.generic import IndexView, InspectView
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from newsletter.admin import timeline
from newsletter.admin.brakes import BRAKES
from newsletter.admin.progress import is_moving, progress
from newsletter.admin.readonly import ReadOnlyViewSet
from newsletter.models import Mailing

STATE_HEADER = "X-Mailing-State"


def state_words(mailing: Mailing) -> str:
    """The state, and why it paused."""
    state = str(mailing.get_state_display())
    return f"{state}: {mailing.pause_reason}" if mailing.pause_reason else state


def recipients(mailing: Mailing) -> int:
    """How many are on its list."""
    return mailing.candidates - mailing.excluded


class MailingIndex(IndexView):
    """All mailings, the newest first."""

    default_ordering = "-scheduled_for"

    def get_base_queryset(self) -> QuerySet[Mailing]:
        return Mailing.objects.defer("approved")


class MailingInspect(InspectView):
    """One mailing on one page: its state, counts that add up, what went wrong, its story, and what can be done."""

    template_name = "newsletter/admin/mailing.html"
    page_title = gettext_lazy("Mailing")

    def get_page_subtitle(self) -> str:
        return str(self.object.subject)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        figures = progress(self.object)
        counts = {state: number for state, _label, number in figures["counts"]}
        changeable = self.user_has_permission("change")
        context: dict[str, Any] = super().get_context_data(
            **figures,
            is_moving=is_moving(self.object),
            brakes=[brake for brake in BRAKES if changeable and brake.applies(self.object, counts)],
            story=list(timeline.story(self.object)),
            **kwargs,
        )
        return context


class ProgressView(PermissionCheckedMixin, View):
    """The part of a mailing's page that moves, for the script that asks for it every few seconds."""

    model = Mailing
    any_permission_required = ["add", "change", "delete", "view"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        mailing = get_object_or_404(Mailing, pk=pk)
        answer = render(request, "newsletter/admin/progress.html", {"object": mailing, **progress(mailing)})
        answer.headers[STATE_HEADER] = mailing.state
        return answer


class MailingViewSet(ReadOnlyViewSet):
    """Nobody adds or edits a mailing here: an approved issue makes one, and its course is changed by the brakes."""

    model = Mailing
    name = "newsletter_mailings"
    url_prefix = "newsletter/mailings"
    icon = "mail"
    menu_label = gettext_lazy("Mailings")
    index_view_class = MailingIndex
    inspect_view_class = MailingInspect
    inspect_view_enabled = True
    inspect_template_name = MailingInspect.template_name
    list_display = [
        TitleColumn(
            "subject",
            label=gettext_lazy("Subject"),
            get_url=lambda row: reverse("newsletter_mailings:inspect", args=[row.pk]),
        ),
        Column("state", label=gettext_lazy("State"), accessor=state_words, sort_key="state"),
        NumberColumn("recipients", label=gettext_lazy("Recipients"), accessor=recipients),
        DateColumn("scheduled_for", label=gettext_lazy("Scheduled for"), sort_key="scheduled_for"),
        DateColumn("finished_at", label=gettext_lazy("Finished"), sort_key="finished_at"),
    ]
    list_filter = ["state"]
    search_fields = ["subject"]
    form_fields = ["subject"]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("progress/<int:pk>/", ProgressView.as_view(), name="progress"),
            *(path(f"{brake.name}/<int:pk>/", brake.as_view(), name=brake.name) for brake in BRAKES),
        ]
