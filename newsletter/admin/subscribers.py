"""Subscribers in the editors' desk: who they are, what they agreed to, what they got. Changes go through the verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views.generic import IndexView, InspectView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import HeaderButton
from wagtail.log_actions import log

from content import languages
from content.languages import language_name
from newsletter import exporting, subscribers
from newsletter.admin import reasons
from newsletter.models import Delivery, Newsletter, Subscriber, Subscription, Suppression

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def with_standing() -> QuerySet[Subscriber]:
    """Subscribers with the status of their subscription and whether they are suppressed, in one query."""
    status = Subscription.objects.filter(subscriber=OuterRef("pk")).order_by("pk").values("status")[:1]
    suppressed = Suppression.objects.filter(address_key=OuterRef("address_key"))
    return Subscriber.objects.annotate(status=Subquery(status), suppressed=Exists(suppressed))


def status_label(subscriber: Any) -> str:
    """How a subscriber stands, in words; one that `with_standing` found."""
    label = str(Subscription.Status(subscriber.status).label) if subscriber.status else ""
    return _("%(status)s (suppressed)") % {"status": label} if subscriber.suppressed else label


def got(subscriber: Subscriber) -> QuerySet[Delivery]:
    """Every issue this person was to get, the latest first; each copy once."""
    sent = subscriber.deliveries.select_related("mailing").defer("mailing__approved")
    return sent.order_by("-mailing", "-generation")


def chosen_languages() -> list[tuple[str, str]]:
    """The languages of the site, and those that somebody chose while it spoke them."""
    used = Subscriber.objects.order_by("language").values_list("language", flat=True).distinct()
    return [(code, language_name(code)) for code in dict.fromkeys([*languages.codes(), *used])]


class SubscriberFilter(WagtailFilterSet):
    """Narrows the list."""

    language = django_filters.ChoiceFilter(label=gettext_lazy("Language"), choices=chosen_languages)
    status = django_filters.ChoiceFilter(
        field_name="subscriptions__status", label=gettext_lazy("Status"), choices=Subscription.Status.choices
    )

    class Meta:
        model = Subscriber
        fields = ["status", "language"]


class SubscriberIndex(IndexView):
    """The list, with search by address and name."""

    default_ordering = "-created_at"

    def get_base_queryset(self) -> QuerySet[Subscriber]:
        return with_standing()

    @property
    def header_buttons(self) -> list[HeaderButton]:
        return [
            HeaderButton(_("Export all as CSV"), url=reverse("newsletter_subscribers:export"), icon_name="download")
        ]


class SubscriberInspect(InspectView):
    """One subscriber on one page: choices, the proof of consent, what was sent, and what can be done."""

    template_name = "newsletter/admin/subscriber.html"
    page_title = gettext_lazy("Subscriber")

    def get_object(self, _queryset: None = None) -> Subscriber:
        return get_object_or_404(with_standing(), pk=self.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        data = subscribers.portrait(self.object)
        acts = [act for act in ACTS if act.applies(self.object) and self.user_has_permission(act.permission_required)]
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {
            **context,
            "data": data,
            "status": status_label(self.object),
            "acts": acts,
            "deliveries": [(row, reasons.words(row.reason)) for row in got(self.object)],
        }


class Act(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    """Something that can be done to a subscriber: it asks first, then calls the verb."""

    model = Subscriber
    template_name = "newsletter/admin/act.html"
    header_icon = "group"
    name: str
    label: StrOrPromise
    question: StrOrPromise

    @staticmethod
    def applies(_subscriber: Any) -> bool:
        """Whether it makes sense for a subscriber that `with_standing` found."""
        return True

    def act(self, address_key: str) -> None:
        raise NotImplementedError

    def get_page_title(self) -> str:
        return str(self.label)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, subscriber=get_object_or_404(Subscriber, pk=kwargs["pk"]))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        subscriber = get_object_or_404(Subscriber, pk=pk)
        with transaction.atomic():
            # The log must not keep an address that is erased now or later.
            log(subscriber, f"newsletter.{self.name}", user=request.user, title=f"{Subscriber._meta.verbose_name} {pk}")
            self.act(subscriber.address_key)
        messages.success(request, _("Done: %(act)s.") % {"act": self.label})
        kept = Subscriber.objects.filter(pk=pk).exists()
        return redirect("newsletter_subscribers:inspect", pk) if kept else redirect("newsletter_subscribers:index")


class Suppress(Act):
    name = "suppress"
    permission_required = "change"
    label = gettext_lazy("Suppress")
    question = gettext_lazy("Nothing is sent to this address any more, and no form or import brings it back.")

    @staticmethod
    def applies(subscriber: Any) -> bool:
        return not subscriber.suppressed

    def act(self, address_key: str) -> None:
        subscribers.suppress(address_key, Suppression.Reason.MANUAL, source="admin")


class Lift(Act):
    name = "lift"
    permission_required = "change"
    label = gettext_lazy("Lift the suppression")
    question = gettext_lazy(
        "The address may be mailed again once the person signs up and confirms. Nobody is subscribed by this."
    )

    @staticmethod
    def applies(subscriber: Any) -> bool:
        return bool(subscriber.suppressed)

    def act(self, address_key: str) -> None:
        subscribers.lift_suppression(address_key, source="admin")


class Erase(Act):
    name = "erase"
    permission_required = "delete"
    label = gettext_lazy("Erase")
    question = gettext_lazy(
        "Everything held about this person is erased for good, because they asked for it. What stays is a "
        "fingerprint that keeps imports from bringing them back."
    )

    def act(self, address_key: str) -> None:
        subscribers.erase(address_key, source="admin")


ACTS: tuple[type[Act], ...] = (Suppress, Lift, Erase)


class ExportView(PermissionCheckedMixin, View):
    """All subscribers as a file; who took it is logged."""

    model = Subscriber
    permission_required = "view"

    def get(self, request: HttpRequest) -> HttpResponse:
        newsletter = get_object_or_404(Newsletter.objects.order_by("pk")[:1])
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="subscribers-{timezone.localdate()}.csv"'
        exporting.write(newsletter, answer)
        log(newsletter, "newsletter.export", user=request.user)
        return answer


class SubscriberViewSet(ModelViewSet):
    """Nobody is added or edited by hand: a form and a confirmation, or an import with consent, make subscribers."""

    model = Subscriber
    name = "newsletter_subscribers"
    url_prefix = "newsletter/subscribers"
    icon = "group"
    menu_label = gettext_lazy("Subscribers")
    index_view_class = SubscriberIndex
    inspect_view_class = SubscriberInspect
    inspect_view_enabled = True
    inspect_template_name = SubscriberInspect.template_name
    copy_view_enabled = False
    add_to_reference_index = False
    list_display = [
        "email",
        "name",
        Column("status", label=gettext_lazy("Status"), accessor=status_label),
        Column("language_name", label=gettext_lazy("Language"), sort_key="language"),
        DateColumn("created_at", label=gettext_lazy("Since"), sort_key="created_at"),
    ]
    search_fields = ["email", "name"]
    filterset_class = SubscriberFilter
    form_fields = ["name"]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        without = dict.fromkeys(
            ("add_url_name", "edit_url_name", "delete_url_name", "history_url_name", "usage_url_name")
        )
        shared: dict[str, Any] = super().get_common_view_kwargs(**{**without, **kwargs})
        return shared

    def get_urlpatterns(self) -> list[URLPattern]:
        acts = [path(f"{act.name}/<int:pk>/", act.as_view(), name=act.name) for act in ACTS]
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("inspect/<int:pk>/", self.inspect_view, name="inspect"),
            path("export/", ExportView.as_view(), name="export"),
            *acts,
        ]

    def register_admin_url_finder(self) -> None:
        """There is nothing to edit, and so no address where one could."""
