"""What content adds to the editors' desk."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse, reverse_lazy
from django.utils.safestring import mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component
from wagtail.log_actions import log
from wagtail.models import Page
from wagtail.snippets.models import register_snippet

from content import gate
from content.admin import (
    REPORTS,
    AddPictureView,
    LackingDocumentsView,
    LackingPicturesView,
    LibraryGroup,
    UndrawablePicturesPanel,
)
from content.languages import name_in_sentence
from content.publishing import references

register_snippet(LibraryGroup)


@hooks.register("register_admin_urls")
def report_addresses() -> list[URLPattern]:
    return [
        address
        for view in REPORTS
        for address in (
            path(f"reports/{view.index_url_name.replace('_', '-')}/", view.as_view(), name=view.index_url_name),
            path(
                f"reports/{view.index_url_name.replace('_', '-')}/results/",
                view.as_view(results_only=True),
                name=view.index_results_url_name,
            ),
        )
    ]


def report_item(view: type[LackingPicturesView] | type[LackingDocumentsView], order: int) -> MenuItem:
    address = reverse_lazy(view.index_url_name)
    return MenuItem(view.page_title, address, name=view.index_url_name, icon_name=view.header_icon, order=order)


@hooks.register("register_admin_urls")
def picture_addresses() -> list[URLPattern]:
    """Before Wagtail's own, which has the same address and the name by which it is known."""
    return [path("images/add/", AddPictureView.as_view(), name="add_picture")]


@hooks.register("register_reports_menu_item")
def lacking_pictures() -> MenuItem:
    return report_item(LackingPicturesView, order=50)


@hooks.register("register_reports_menu_item")
def lacking_documents() -> MenuItem:
    return report_item(LackingDocumentsView, order=60)


@hooks.register("after_publish_page")
def advise_on_words(request: HttpRequest, page: Page) -> None:
    """Tell the editor which pictures still speak another language than the page that was published."""
    foreign = gate.without_words(page)
    if not foreign:
        return
    language = name_in_sentence(page.locale.language_code)
    said = gettext("Words in %(language)s are missing for: %(pictures)s. Readers get them in another language.") % {
        "language": language,
        "pictures": ", ".join(f"“{image.title}”" for image in foreign),
    }
    edit = [messages.button(reverse("wagtailimages:edit", args=[image.pk]), capfirst(image.title)) for image in foreign]
    messages.warning(request, said, buttons=edit[:3])


@hooks.register("construct_homepage_panels")
def undrawable_pictures(request: HttpRequest, panels: list[Component]) -> None:
    """Only when there are some."""
    panel = UndrawablePicturesPanel(request.user)
    if panel.pictures:
        panels.append(panel)


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    """The history of a page tells when the gate held it back."""
    actions.register_action(
        "content.held_back", _("Hold back"), _("Did not go live as scheduled: something is missing on it")
    )


@hooks.register("before_edit_page")
def say_what_is_gone(request: HttpRequest, page: Page) -> None:
    """Whoever opens a draft is told which of its places became empty."""
    if request.method == "GET" and (gone := getattr(page, "gone_references", ())):
        told = {"sentences": references.sentences(gone)}
        messages.warning(request, mark_safe(render_to_string("content/admin/gone_references.html", told)))  # noqa: S308


@hooks.register("before_bulk_action")
def log_bulk_deletion(request: HttpRequest, action_type: str, objects: list[Any], _action: Any) -> None:
    """Log what is deleted many at a time, as Wagtail logs single deletions: a draft says later what it lost."""
    if action_type == "delete":
        for thing in objects:
            if not isinstance(thing, Page):
                log(instance=thing, action="wagtail.delete", user=request.user, deleted=True)
