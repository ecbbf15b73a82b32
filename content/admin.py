"""The editors' desk: what pages are sorted by, who they come from, and which pictures still lack their credit."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, DateColumn, LocaleColumn, TitleColumn
from wagtail.admin.views.reports import ReportView
from wagtail.models import ReferenceIndex
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from content.credits import missing
from content.models import CreditedDocument, CreditedImage, Facet, Partner, Person, Term


class FacetViewSet(SnippetViewSet):
    model = Facet
    icon = "list-ul"
    menu_label = _("Facets")
    list_display = ["name", "slug", "position", LocaleColumn()]
    search_fields = ["name", "slug"]
    search_backend_name = None


class TermViewSet(SnippetViewSet):
    model = Term
    icon = "tag"
    menu_label = _("Terms")
    list_display = ["name", "facet", "slug", "position", LocaleColumn()]
    list_filter = ["facet"]


class PartnerViewSet(SnippetViewSet):
    model = Partner
    icon = "site"
    menu_label = _("Partners")
    list_display = ["name", "kind", "city", "state", "grades", LocaleColumn()]
    list_filter = ["kind", "state"]
    list_export = ["name", "kind", "city", "state", "grades", "students", "website"]


class PersonViewSet(SnippetViewSet):
    model = Person
    icon = "user"
    menu_label = _("People")
    list_display = ["name", "role", "partner", LocaleColumn()]
    list_filter = ["partner"]


class LibraryGroup(SnippetViewSetGroup):
    """What pages are sorted by and who they come from, in one corner of the menu."""

    menu_label = _("Library")
    menu_icon = "folder-open-inverse"
    menu_order = 240
    items = (TermViewSet, FacetViewSet, PartnerViewSet, PersonViewSet)


class LackingView(ReportView):
    """Works that may not be shown as they are."""

    any_permission_required = ["add", "change"]
    list_export = ["title", "lacks", "created_at"]
    export_headings = {"title": _("Title"), "lacks": _("What it lacks"), "created_at": _("Added")}
    edit_url_name = ""

    @property
    def columns(self) -> list[Column]:
        return [
            TitleColumn("title", label=_("Title"), get_url=lambda work: reverse(self.edit_url_name, args=[work.pk])),
            Column("lacks", label=_("What it lacks")),
            Column("usage_count", label=_("Places that show it")),
            DateColumn("created_at", label=_("Added")),
        ]

    def get_queryset(self) -> QuerySet[Any]:
        """The works that lack something, those in most places first."""
        works = self.model._default_manager
        each = works.prefetch_related("texts") if self.model is CreditedImage else works
        lacking = [work.pk for work in each.iterator(chunk_size=500) if missing(work)]
        uses = ReferenceIndex.usage_count_subquery(self.model)
        found: QuerySet[Any] = works.filter(pk__in=lacking).annotate(usage_count=uses)
        return found.order_by("-usage_count", "-created_at")


class LackingPicturesView(LackingView):
    model = CreditedImage
    page_title = _("Pictures lacking credit")
    header_icon = "image"
    edit_url_name = "wagtailimages:edit"
    index_url_name = "lacking_pictures"
    index_results_url_name = "lacking_pictures_results"


class LackingDocumentsView(LackingView):
    model = CreditedDocument
    page_title = _("Documents lacking credit")
    header_icon = "doc-full"
    edit_url_name = "wagtaildocs:edit"
    index_url_name = "lacking_documents"
    index_results_url_name = "lacking_documents_results"


REPORTS = (LackingPicturesView, LackingDocumentsView)
