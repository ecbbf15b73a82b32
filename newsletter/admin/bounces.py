"""What came back, in the editors' desk: to look up, narrow down and take away."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views.generic import IndexView

from newsletter.admin.readonly import ReadOnlyViewSet
from newsletter.admin.sheets import SheetMixin
from newsletter.models import Bounce, Mailing, Newsletter


class BounceFilter(WagtailFilterSet):
    """Narrows the list to kinds of answers and to one mailing."""

    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=Bounce.Kind.choices, widget=forms.CheckboxSelectMultiple
    )
    mailing = django_filters.ModelChoiceFilter(
        label=_("Mailing"), field_name="delivery__mailing", queryset=Mailing.objects.all()
    )

    class Meta:
        model = Bounce
        fields = ["kind", "mailing"]


class BounceIndex(SheetMixin, IndexView):
    """Every report about a message of ours, the newest first."""

    default_ordering = "-at"

    def get_base_queryset(self) -> QuerySet[Bounce]:
        return Bounce.objects.select_related("delivery__mailing").annotate(
            address=F("delivery__address"), subject=F("delivery__mailing__subject")
        )

    def get_logged(self) -> Newsletter:
        return Newsletter.objects.order_by("pk")[0]


def address(bounce: Any) -> str:
    """Whom it is about; a dash where that is no longer known."""
    return bounce.address or "–"


def delivery_url(bounce: Bounce) -> str | None:
    return reverse("newsletter_deliveries:inspect", args=[bounce.delivery_id]) if bounce.delivery_id else None


class BounceViewSet(ReadOnlyViewSet):
    """What mail servers and readers answered."""

    model = Bounce
    name = "newsletter_bounces"
    url_prefix = "newsletter/bounces"
    icon = "rotate"
    menu_label = _("Bounces")
    index_view_class = BounceIndex
    list_display = [
        TitleColumn("address", label=_("Address"), accessor=address, get_url=delivery_url),
        Column("kind", label=_("Kind"), accessor="get_kind_display", sort_key="kind"),
        DateColumn("at", label=_("When"), sort_key="at"),
        Column("mailing", label=_("Mailing"), accessor="subject"),
        Column("status", label=_("Code")),
        Column("detail", label=_("What the server said")),
    ]
    list_export = ["at", "address", "subject", "kind", "status", "detail"]
    export_filename = "bounces"
    search_fields = ["delivery__address"]
    filterset_class = BounceFilter
    form_fields: list[str] = ["kind"]
