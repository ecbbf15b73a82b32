"""What the newsletter adds to the editors' desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup
from wagtail.admin.widgets.button import Button
from wagtail.models import Page

from newsletter.admin.issues import IssueViewSet, issue_buttons
from newsletter.admin.mailings import DeliveryViewSet, MailingViewSet
from newsletter.admin.subscribers import SubscriberViewSet


class NewsletterGroup(ViewSetGroup):
    """The newsletter's corner of the menu."""

    menu_label = _("Newsletter")
    menu_icon = "mail"
    menu_order = 250
    items = (IssueViewSet, MailingViewSet, DeliveryViewSet, SubscriberViewSet)


@hooks.register("register_admin_viewset")
def viewsets() -> ViewSet:
    return NewsletterGroup()


@hooks.register("register_page_header_buttons")
def page_header_buttons(page: Page, user: Any, view_name: str, next_url: str | None = None) -> Iterator[Button]:  # noqa: ARG001
    return issue_buttons(page, user)


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    """What the history says of acts upon issues, mailings and subscribers."""
    actions.register_action("newsletter.test", _("Send a test copy"), _("Sent a test copy"))
    actions.register_action("newsletter.send", _("Send"), _("Approved the issue and had it sent"))
    actions.register_action("newsletter.pause", _("Pause"), _("Paused a mailing"))
    actions.register_action("newsletter.resume", _("Resume"), _("Resumed a mailing"))
    actions.register_action("newsletter.cancel", _("Cancel"), _("Cancelled a mailing"))
    actions.register_action("newsletter.suppress", _("Suppress"), _("Suppressed a subscriber"))
    actions.register_action("newsletter.lift", _("Lift a suppression"), _("Lifted the suppression of a subscriber"))
    actions.register_action("newsletter.erase", _("Erase"), _("Erased a subscriber"))
    actions.register_action("newsletter.export", _("Export"), _("Exported all subscribers"))
