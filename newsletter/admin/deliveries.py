"""Deliveries in the editors' desk: who got an issue and when, who did not and why, one by one and as a file."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views.generic import IndexView, InspectView

from newsletter import delivery
from newsletter.admin import reasons
from newsletter.admin.brakes import Question
from newsletter.admin.readonly import ReadOnlyViewSet
from newsletter.admin.sheets import SheetMixin
from newsletter.models import ConsentEvent, Delivery, Mailing, Newsletter

State = Delivery.State


class DeliveryFilter(WagtailFilterSet):
    """Narrows the list; what a resend has replaced is shown only when asked for, so that its numbers add up."""

    mailing = django_filters.ModelChoiceFilter(label=gettext_lazy("Mailing"), queryset=Mailing.objects.all())
    state = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("State"), choices=State.choices, widget=forms.CheckboxSelectMultiple
    )
    reason = django_filters.ChoiceFilter(label=gettext_lazy("Reason"), choices=list(reasons.WORDS.items()))
    domain = django_filters.CharFilter(
        label=gettext_lazy("Domain"),
        lookup_expr="iexact",
        help_text=gettext_lazy("What stands after the @, such as school.org."),
    )
    earlier = django_filters.ChoiceFilter(
        label=gettext_lazy("Earlier copies"),
        choices=[("with", gettext_lazy("Show those that were sent again, too"))],
        empty_label=gettext_lazy("Only the latest copy of each"),
        method="let_through",
    )

    class Meta:
        model = Delivery
        fields = ["mailing", "state", "reason", "domain", "earlier"]

    def filter_queryset(self, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        found: QuerySet[Delivery] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("earlier") else found.filter(current=True)

    def let_through(self, queryset: QuerySet[Delivery], _name: str, _value: str) -> QuerySet[Delivery]:
        """Earlier copies are left out by `filter_queryset` unless this is chosen."""
        return queryset


class DeliveryIndex(SheetMixin, IndexView):
    """Who got an issue, and who did not and why; also as a file."""

    default_ordering = "pk"

    def get_base_queryset(self) -> QuerySet[Delivery]:
        return Delivery.objects.select_related("mailing").defer("mailing__approved")

    def search_queryset(self, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """A whole address is found through the index, a piece of one by reading on."""
        whole = queryset.filter(mailing__in=Mailing.objects.values("pk"), address_key=self.search_query.strip().lower())
        if "@" in self.search_query and whole.exists():
            return whole
        return super().search_queryset(queryset)  # type: ignore[no-any-return]

    def get_logged(self) -> Mailing | Newsletter:
        mailing: Mailing | None = self.filters.form.cleaned_data.get("mailing") if self.filters.is_valid() else None
        return mailing or Newsletter.objects.order_by("pk")[0]


class DeliveryInspect(InspectView):
    """The story of one message: who it was for, on which consent, what the servers said, and whether it came back."""

    template_name = "newsletter/admin/delivery.html"
    page_title = gettext_lazy("Delivery")

    def get_object(self, _queryset: None = None) -> Delivery:
        return get_object_or_404(Delivery.objects.select_related("mailing", "variant", "subscriber"), pk=self.pk)

    def get_page_subtitle(self) -> str:
        return address(self.object)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_change = self.user_has_permission("change")
        context: dict[str, Any] = super().get_context_data(
            reason=reasons.words(self.object.reason),
            copies=copies(self.object),
            bounces=self.object.bounces.order_by("at", "pk"),
            consent=consent(self.object),
            may_resend=may_change and not delivery.why_not(self.object),
            why_not=delivery.why_not(self.object) if may_change else "",
            **kwargs,
        )
        return context


def copies(of: Delivery) -> QuerySet[Delivery]:
    """Every copy of one issue to one person, the first one first."""
    if of.subscriber_id is None:
        return Delivery.objects.filter(pk=of.pk)
    return Delivery.objects.filter(mailing=of.mailing_id, subscriber=of.subscriber_id).order_by("generation")


def consent(of: Delivery) -> QuerySet[ConsentEvent]:
    """What the person had agreed to by the time the recipients were fixed."""
    fixed_at = of.mailing.started_at or of.mailing.created_at
    return ConsentEvent.objects.filter(
        subscription__subscriber=of.subscriber_id,
        subscription__newsletter=of.mailing.newsletter_id,
        subscription__isnull=False,
        at__lte=fixed_at,
    )


class Resend(Question):
    """Sends one delivery again, to one person."""

    model = Delivery
    label = gettext_lazy("Send again")
    old: Delivery

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.old = get_object_or_404(Delivery.objects.select_related("mailing", "subscriber"), pk=kwargs["pk"])

    def get_subject(self) -> str:
        return address(self.old)

    def get_question(self) -> str:
        return {
            State.SENT: _(
                "The server took the message, so this person most likely has it. A second copy goes out all the same."
            ),
            State.SKIPPED: _("This person was left out then, and is subscribed now. The issue goes out to them."),
        }.get(
            State(self.old.state), _("A fresh copy goes out to this one person. What happened before stays on record.")
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            subject=self.old.mailing.subject,
            state=self.old.get_state_display(),
            whom=address(self.old),
            refusal=delivery.why_not(self.old),
            **kwargs,
        )

    def get_return_url(self) -> str:
        return reverse("newsletter_deliveries:inspect", args=[self.old.pk])

    def act(self, user: Any) -> str:
        self.old = delivery.resend(self.old, user)
        return _("A fresh copy is on its way.")


def address(of: Delivery) -> str:
    """Whom it was for; nobody knows after an erasure."""
    return of.address or _("(erased)")


class DeliveryViewSet(ReadOnlyViewSet):
    """The proof of every mailing, to look up and to take away as CSV or XLSX."""

    model = Delivery
    name = "newsletter_deliveries"
    url_prefix = "newsletter/deliveries"
    icon = "list-ul"
    menu_label = gettext_lazy("Deliveries")
    index_view_class = DeliveryIndex
    inspect_view_class = DeliveryInspect
    inspect_view_enabled = True
    inspect_template_name = DeliveryInspect.template_name
    list_display = [
        TitleColumn(
            "address",
            label=gettext_lazy("Address"),
            accessor=address,
            sort_key="address",
            width="22%",
            get_url=lambda row: reverse("newsletter_deliveries:inspect", args=[row.pk]),
        ),
        Column("state", label=gettext_lazy("State"), accessor="get_state_display", sort_key="state"),
        Column("reason", label=gettext_lazy("Reason"), accessor=lambda row: reasons.words(row.reason)),
        Column("reply", label=gettext_lazy("What the server said")),
        Column("attempts", label=gettext_lazy("Attempts")),
        DateColumn("sent_at", label=gettext_lazy("Sent"), sort_key="sent_at"),
        Column("generation", label=gettext_lazy("Copy")),
        Column("mailing", label=gettext_lazy("Mailing"), accessor="mailing.subject"),
    ]
    list_export = [
        *("mailing_id", "address", "state", "reason", "reply", "attempts", "first_tried_at", "sent_at"),
        *("generation", "current", "message_id"),
    ]
    export_filename = "deliveries"
    search_fields = ["address"]
    filterset_class = DeliveryFilter
    form_fields = ["address"]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("resend/<int:pk>/", Resend.as_view(), name="resend")]
