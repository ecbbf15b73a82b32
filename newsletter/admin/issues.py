"""Issues in the editors' desk: draft the month's, try a copy, and send or schedule it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin.ui.tables import Column
from wagtail.admin.ui.tables.pages import PageStatusColumn, PageTitleColumn
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.pages.listing import IndexView
from wagtail.admin.viewsets.pages import PageListingViewSet
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.log_actions import log
from wagtail.models import Page

from content.forms import moments
from content.languages import name_in_active_language
from newsletter import delivery, digest
from newsletter.messages import editions
from newsletter.models import IssuePage, Mailing, NewsletterPage, Subscription, Suppression

MONTHS_OFFERED = 6


def mailing_of(issue: IssuePage) -> Mailing | None:
    """The mailing of an issue in any of its languages; a cancelled one only when there is no other."""
    mailings = Mailing.objects.filter(issue__translation_key=issue.translation_key)
    return mailings.exclude(state=Mailing.State.CANCELLED).first() or mailings.first()


def readers(issue: IssuePage) -> list[tuple[str, int]]:
    """How many subscribers would get an issue now, by the name of their language."""
    confirmed = Subscription.objects.filter(newsletter=issue.newsletter_id, status=Subscription.Status.CONFIRMED)
    reached = confirmed.exclude(subscriber__address_key__in=Suppression.objects.values("address_key"))
    counted = reached.values_list("subscriber__language").annotate(number=Count("pk")).order_by("-number")
    return [(name_in_active_language(code), number) for code, number in counted]


def may_send(user: Any, issue: IssuePage) -> bool:
    """Sending is publishing, in every language, and reaches everybody at once: it takes both permissions."""
    pages = issue.get_translations(inclusive=True)
    return user.has_perm("newsletter.add_mailing") and all(
        page.permissions_for_user(user).can_publish() for page in pages
    )


def may_draft(user: Any) -> bool:
    """Whether a person may write issues under any newsletter's page."""
    return any(page.permissions_for_user(user).can_add_subpage() for page in NewsletterPage.objects.all())


def months() -> Iterator[tuple[str, str]]:
    """This month and those before it, to choose from."""
    month = timezone.localdate().replace(day=1)
    for _each in range(MONTHS_OFFERED):
        yield month.isoformat(), date_format(month, "YEAR_MONTH_FORMAT")
        month = (month - timedelta(days=1)).replace(day=1)


class DraftForm(forms.Form):
    """Which month's issue to draft."""

    month = forms.ChoiceField(
        label=gettext_lazy("Month"),
        help_text=gettext_lazy("Everything published in this month goes in, and every event to come."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = list(months())  # type: ignore[attr-defined]
        self.initial.setdefault("month", digest.last_month().isoformat())

    def clean_month(self) -> date:
        return date.fromisoformat(self.cleaned_data["month"])


class TestForm(forms.Form):
    """Who gets a test copy, in which language."""

    address = forms.EmailField(label=gettext_lazy("Address"))
    language = forms.ChoiceField(label=gettext_lazy("Language"))

    def __init__(self, *args: Any, issue: IssuePage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            (code, name_in_active_language(code)) for code in editions(issue)
        ]


class SendForm(forms.Form):
    """When an issue goes out."""

    at = moments.DateTimeField(
        required=False,
        label=gettext_lazy("Not before"),
        help_text=gettext_lazy("Leave it empty to send at once."),
    )

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and at < timezone.now():
            raise forms.ValidationError(
                _("This moment is over. Choose a later one, or leave it empty to send at once.")
            )
        return at


class DeskForm(WagtailAdminTemplateMixin, FormView[Any]):
    """A form of ours in Wagtail's frame; what a verb refuses stands above the form."""

    template_name = "newsletter/admin/form.html"
    header_icon = "mail"
    submit_label: Any = ""

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        issues = {"url": reverse("newsletter_issues:index"), "label": _("Issues")}
        return [*self.breadcrumbs_items, issues, {"url": "", "label": self.get_page_title()}]


class DraftView(DeskForm):
    """Drafts the issue of a month, then opens it."""

    form_class = DraftForm
    page_title = gettext_lazy("Draft the issue of a month")
    submit_label = gettext_lazy("Draft it")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_draft(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: DraftForm) -> HttpResponse:
        try:
            issue = digest.draft(form.cleaned_data["month"], user=self.request.user)  # type: ignore[arg-type]
        except digest.NothingToSay as nothing:
            form.add_error("month", str(nothing))
            return self.form_invalid(form)
        messages.success(self.request, _("Here is the issue of %(month)s. Now make it yours.") % {"month": issue.title})
        return HttpResponseRedirect(reverse("wagtailadmin_pages:edit", args=[issue.pk]))


class IssueForm(DeskForm):
    """A form about one issue, with its latest words."""

    issue: IssuePage

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.issue = get_object_or_404(IssuePage, pk=kwargs["pk"]).get_latest_revision_as_object()

    def get_page_subtitle(self) -> str:
        return str(self.issue)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(issue=self.issue, **kwargs)

    def get_success_url(self) -> str:
        return reverse("wagtailadmin_pages:edit", args=[self.issue.pk])


class TestView(IssueForm):
    """Sends a copy to one address; no subscriber gets anything, and no mailing is made."""

    form_class = TestForm
    page_title = gettext_lazy("Send a test copy")
    submit_label = gettext_lazy("Send the copy")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.issue.permissions_for_user(request.user).can_edit():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "issue": self.issue}

    def get_initial(self) -> dict[str, Any]:
        return {"address": self.request.user.email, "language": self.issue.locale.language_code}  # type: ignore[union-attr]

    def form_valid(self, form: TestForm) -> HttpResponse:
        address = form.cleaned_data["address"]
        try:
            delivery.send_test(self.issue, [address], form.cleaned_data["language"])
        except delivery.Refused as refused:
            form.add_error(None, list(refused.reasons))
            return self.form_invalid(form)
        log(self.issue, "newsletter.test", user=self.request.user)
        messages.success(self.request, _("A test copy is on its way to %(address)s.") % {"address": address})
        return super().form_valid(form)


class SendView(IssueForm):
    """Says what would go out and to how many; one press of the button approves and sends."""

    form_class = SendForm
    template_name = "newsletter/admin/send.html"
    page_title = gettext_lazy("Send or schedule")
    submit_label = gettext_lazy("Send this issue")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_send(request.user, self.issue):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def problems(self) -> list[str]:
        if any(page.workflow_in_progress for page in self.issue.get_translations(inclusive=True)):
            return [_("It is still being reviewed. Have the review finished first, then send it.")]
        return digest.problems(self.issue)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counted = readers(self.issue)
        named = [(name_in_active_language(code), page) for code, page in editions(self.issue).items()]
        return super().get_context_data(
            problems=self.problems(),
            mailing=mailing_of(self.issue),
            editions=named,
            readers=counted,
            recipients=sum(number for _language, number in counted),
            **kwargs,
        )

    def form_valid(self, form: SendForm) -> HttpResponse:
        at = form.cleaned_data["at"]
        try:
            if problems := self.problems():
                raise delivery.Refused(*problems)
            mailing = self.scheduled(at)
        except delivery.Refused as refused:
            form.add_error(None, list(refused.reasons))
            return self.form_invalid(form)
        messages.success(self.request, _("Approved: “%(subject)s” goes out.") % {"subject": mailing.subject})
        return HttpResponseRedirect(reverse("newsletter_mailings:inspect", args=[mailing.pk]))

    @transaction.atomic
    def scheduled(self, at: datetime | None) -> Mailing:
        """The mailing, logged."""
        mailing = delivery.schedule(self.issue, at, user=self.request.user)  # type: ignore[arg-type]
        log(self.issue, "newsletter.send", user=self.request.user, data={"mailing": mailing.pk})
        return mailing


class IssueIndex(IndexView):
    """All issues, the newest month first."""

    default_ordering = "-month"

    def get_base_queryset(self) -> QuerySet[IssuePage]:
        return super().get_base_queryset().prefetch_related("mailings")  # type: ignore[no-any-return]

    @property
    def header_buttons(self) -> list[HeaderButton]:
        if not may_draft(self.request.user):
            return []
        return [HeaderButton(_("Draft the issue of a month"), url=reverse("newsletter_issues:draft"), icon_name="edit")]


def month_label(issue: IssuePage) -> str:
    """The month of an issue, such as “October 2026”."""
    return date_format(issue.month, "YEAR_MONTH_FORMAT")


def mailing_state(issue: Any) -> str:
    """How the sending of an issue stands, in words; nothing before that."""
    return ", ".join(str(mailing.get_state_display()) for mailing in issue.mailings.all())


class IssueViewSet(PageListingViewSet):
    """The list of issues, and what can be done with one besides editing."""

    model = IssuePage
    name = "newsletter_issues"
    url_prefix = "newsletter/issues"
    icon = "doc-full"
    menu_label = gettext_lazy("Issues")
    index_view_class = IssueIndex
    list_display = [
        PageTitleColumn("title", label=gettext_lazy("Title"), sort_key="title", classname="title"),
        Column("subject", label=gettext_lazy("Subject")),
        Column("month", label=gettext_lazy("Month"), sort_key="month", accessor=month_label),
        Column("mailing", label=gettext_lazy("Mailing"), accessor=mailing_state),
        PageStatusColumn("status", label=gettext_lazy("Status"), sort_key="live", width="12%"),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("draft/", DraftView.as_view(), name="draft"),
            path("test/<int:pk>/", TestView.as_view(), name="test"),
            path("send/<int:pk>/", SendView.as_view(), name="send"),
        ]


def issue_buttons(page: Page, user: Any) -> Iterator[Button]:
    """What stands in the menu of an issue's editor."""
    if not isinstance(page, IssuePage) or page.pk is None:
        return
    if page.permissions_for_user(user).can_edit():
        yield Button(
            _("Send a test copy"), reverse("newsletter_issues:test", args=[page.pk]), icon_name="mail", priority=5
        )
    mailing = mailing_of(page)
    if mailing is not None and user.has_perm("newsletter.view_mailing"):
        address = reverse("newsletter_mailings:inspect", args=[mailing.pk])
        yield Button(_("See its mailing"), address, icon_name="list-ul", priority=6)
    if may_send(user, page) and (mailing is None or mailing.state == Mailing.State.CANCELLED):
        address = reverse("newsletter_issues:send", args=[page.pk])
        yield Button(_("Send or schedule"), address, icon_name="mail", priority=7)
