"""What the newsletter adds to the editors' desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.ui.components import Component
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup
from wagtail.admin.widgets.button import Button
from wagtail.models import Page

from newsletter.admin import timeline
from newsletter.admin.attention import AttentionPanel
from newsletter.admin.bounces import BounceViewSet
from newsletter.admin.deliveries import DeliveryViewSet
from newsletter.admin.issues import IssueViewSet, issue_buttons
from newsletter.admin.mailings import MailingViewSet
from newsletter.admin.subscribers import SubscriberViewSet


class NewsletterGroup(ViewSetGroup):
    """The newsletter's corner of the menu."""

    menu_label = _("Newsletter")
    menu_icon = "mail"
    menu_order = 250
    items = (IssueViewSet, MailingViewSet, DeliveryViewSet, BounceViewSet, SubscriberViewSet)


@hooks.register("register_admin_viewset")
def viewsets() -> ViewSet:
    return NewsletterGroup()


@hooks.register("register_page_header_buttons")
def page_header_buttons(page: Page, user: Any, view_name: str, next_url: str | None = None) -> Iterator[Button]:  # noqa: ARG001
    return issue_buttons(page, user)


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    """What the history says of acts upon issues, mailings and subscribers."""
    timeline.register(actions)


@hooks.register("construct_homepage_panels")
def homepage_panels(request: HttpRequest, panels: list[Component]) -> None:
    """What needs a person comes first; nothing when nothing does."""
    panel = AttentionPanel(request.user)
    if panel.matters:
        panels.append(panel)
