"""The editors' desk: what pages are sorted by, who they come from, and which pictures still lack their credit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.components import Component
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn, LocaleColumn, TitleColumn
from wagtail.admin.views.reports import ReportView
from wagtail.images import get_image_model
from wagtail.images.views.images import CreateView
from wagtail.models import ReferenceIndex
from wagtail.permissions import policy_registry
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from content.credits import missing
from content.forms.works import first_of_several
from content.models import CreditedDocument, CreditedImage, Facet, Partner, Person, Term


class FacetViewSet(SnippetViewSet):
    model = Facet
    icon = "list-ul"
    menu_label = _("Facets")
    list_display = ["name", "slug", "position", BooleanColumn("offered_at_signup"), LocaleColumn()]
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


class AddPictureView(CreateView):
    """Wagtail's form for one picture, with a word where only a part of the file is kept."""

    def get_success_message(self, instance: CreditedImage) -> str:
        said: str = super().get_success_message(instance)
        return f"{said} {first_of_several()}" if instance.is_first_of_several else said


REPORTS = (LackingPicturesView, LackingDocumentsView)


class UndrawablePicturesPanel(Component):
    """On the first page, for who may mend them: the pictures that readers can not see."""

    name = "undrawable_pictures"
    template_name = "content/admin/undrawable_pictures.html"
    order = 60
    shown = 10

    def __init__(self, user: Any) -> None:
        policy = policy_registry.get_by_type(get_image_model())
        mendable = policy.instances_user_has_any_permission_for(user, ["change"])
        found = mendable.filter(undrawable_since__isnull=False).order_by("undrawable_since")
        self.pictures = list(found[: self.shown + 1])

    def get_context_data(self, _parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {"pictures": self.pictures[: self.shown], "more": len(self.pictures) > self.shown}
