"""What content adds to the editors' desk."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path, reverse_lazy
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.snippets.models import register_snippet

from content.admin import REPORTS, LackingDocumentsView, LackingPicturesView, LibraryGroup

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


@hooks.register("register_reports_menu_item")
def lacking_pictures() -> MenuItem:
    return report_item(LackingPicturesView, order=50)


@hooks.register("register_reports_menu_item")
def lacking_documents() -> MenuItem:
    return report_item(LackingDocumentsView, order=60)


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    """The history of a page tells when the gate held it back."""
    actions.register_action(
        "content.held_back", _("Hold back"), _("Did not go live as scheduled: a picture lacks its credit")
    )
