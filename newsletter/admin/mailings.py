"""Mailings in the editors' desk: how far each has come, who got it, and the brakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views.generic import IndexView, InspectView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log

from newsletter import delivery
from newsletter.models import Delivery, Mailing

State = Mailing.State
ONCE_MORE = gettext_lazy("It goes on where it stopped. Whoever got it after the backup was made gets it a second time.")
WITHOUT = ("add_url_name", "edit_url_name", "delete_url_name", "history_url_name", "usage_url_name")


class Brake:
    """A way to change the course of a mailing: its words, when it applies, and the verb it calls."""

    def __init__(self, name: str, label: Any, question: Any, states: set[str], verb: Callable[[Mailing], None]) -> None:
        self.name, self.label, self.question, self.states, self.verb = name, label, question, states, verb

    @property
    def is_grave(self) -> bool:
        return self.name == "cancel"


BRAKES = {
    brake.name: brake
    for brake in (
        Brake(
            "pause",
            gettext_lazy("Pause"),
            gettext_lazy("It stops within one message per open connection, and goes on when you resume it."),
            {State.SCHEDULED, State.PREPARING, State.SENDING},
            delivery.pause,
        ),
        Brake(
            "resume",
            gettext_lazy("Resume"),
            gettext_lazy("It goes on where it stopped. Nobody gets it twice."),
            {State.PAUSED},
            delivery.resume,
        ),
        Brake(
            "cancel",
            gettext_lazy("Cancel"),
            gettext_lazy("It ends for good. Whoever has not got it yet gets nothing; what was sent can not come back."),
            {State.SCHEDULED, State.PREPARING, State.SENDING, State.PAUSED},
            delivery.cancel,
        ),
    )
}


class MailingInspect(InspectView):
    """One mailing on one page: its state, counts that add up, and what can be done."""

    template_name = "newsletter/admin/mailing.html"
    page_title = gettext_lazy("Mailing")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counts = delivery.counts(self.object)
        recipients = counts.pop("recipients")
        labels = dict(Delivery.State.choices)
        changeable = self.user_has_permission("change")
        context: dict[str, Any] = super().get_context_data(
            recipients=recipients,
            done=recipients - counts["queued"] - counts["in_flight"],
            counts=[(state, labels[state], number) for state, number in counts.items()],
            brakes=[brake for brake in BRAKES.values() if changeable and self.object.state in brake.states],
            **kwargs,
        )
        return context


class BrakeView(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    """Asks before it changes the course of a mailing, and changes it."""

    model = Mailing
    permission_required = "change"
    template_name = "newsletter/admin/brake.html"
    header_icon = "mail"
    brake: Brake

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.brake = kwargs["brake"]

    def get_page_title(self) -> str:
        return str(self.brake.label)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailing = get_object_or_404(Mailing, pk=kwargs["pk"])
        doubles = self.brake.name == "resume" and mailing.restored_at
        return super().get_context_data(
            mailing=mailing, question=ONCE_MORE if doubles else self.brake.question, **kwargs
        )

    def post(self, request: HttpRequest, pk: int, brake: Brake) -> HttpResponse:
        mailing = get_object_or_404(Mailing, pk=pk)
        try:
            brake.verb(mailing)
        except delivery.Refused as refused:
            messages.error(request, str(refused))
        else:
            log(mailing, f"newsletter.{brake.name}", user=request.user)
            messages.success(request, _("Done: %(act)s.") % {"act": brake.label})
        return HttpResponseRedirect(reverse("newsletter_mailings:inspect", args=[pk]))


class MailingViewSet(ModelViewSet):
    """Nobody adds or edits a mailing here: an approved issue makes one, and its course is changed by the brakes."""

    model = Mailing
    name = "newsletter_mailings"
    url_prefix = "newsletter/mailings"
    icon = "mail"
    menu_label = gettext_lazy("Mailings")
    inspect_view_class = MailingInspect
    inspect_view_enabled = True
    inspect_template_name = MailingInspect.template_name
    copy_view_enabled = False
    add_to_reference_index = False
    list_display = [
        TitleColumn(
            "subject",
            label=gettext_lazy("Subject"),
            get_url=lambda row: reverse("newsletter_mailings:inspect", args=[row.pk]),
        ),
        Column("state", label=gettext_lazy("State"), accessor="get_state_display", sort_key="state"),
        DateColumn("scheduled_for", label=gettext_lazy("Scheduled for"), sort_key="scheduled_for"),
        DateColumn("finished_at", label=gettext_lazy("Finished"), sort_key="finished_at"),
    ]
    list_filter = ["state"]
    search_fields = ["subject"]
    form_fields = ["subject"]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(**{**dict.fromkeys(WITHOUT), **kwargs})  # type: ignore[no-any-return]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("inspect/<int:pk>/", self.inspect_view, name="inspect"),
            *(
                path(f"{name}/<int:pk>/", BrakeView.as_view(), {"brake": brake}, name=name)
                for name, brake in BRAKES.items()
            ),
        ]

    def register_admin_url_finder(self) -> None:
        """There is nothing to edit, and so no address where one could."""


class DeliveryFilter(WagtailFilterSet):
    """Narrows the list to one mailing and to states."""

    state = django_filters.MultipleChoiceFilter(label=gettext_lazy("State"), choices=Delivery.State.choices)

    class Meta:
        model = Delivery
        fields = ["mailing", "state"]


class DeliveryIndex(IndexView):
    """Who got an issue, and who did not and why; also as a file."""

    default_ordering = "pk"

    def get_base_queryset(self) -> QuerySet[Delivery]:
        return Delivery.objects.select_related("mailing")


class DeliveryViewSet(ModelViewSet):
    """The proof of every mailing, to look up and to take away as CSV."""

    model = Delivery
    name = "newsletter_deliveries"
    url_prefix = "newsletter/deliveries"
    icon = "list-ul"
    menu_label = gettext_lazy("Deliveries")
    index_view_class = DeliveryIndex
    copy_view_enabled = False
    add_to_reference_index = False
    list_display = [
        Column("address", label=gettext_lazy("Address"), sort_key="address"),
        Column("state", label=gettext_lazy("State"), accessor="get_state_display", sort_key="state"),
        Column("attempts", label=gettext_lazy("Attempts")),
        DateColumn("sent_at", label=gettext_lazy("Sent"), sort_key="sent_at"),
        Column("reason", label=gettext_lazy("Reason")),
        Column("reply", label=gettext_lazy("Last reply")),
    ]
    list_export = ["mailing_id", "address", "state", "attempts", "sent_at", "reason", "reply", "message_id"]
    export_filename = "deliveries"
    search_fields = ["address"]
    filterset_class = DeliveryFilter
    form_fields = ["address"]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(**{**dict.fromkeys(WITHOUT), **kwargs})  # type: ignore[no-any-return]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
        ]

    def register_admin_url_finder(self) -> None:
        """There is nothing to edit, and so no address where one could."""
