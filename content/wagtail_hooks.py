"""The editors' desk: what content adds to Wagtail's admin."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    """The history of a page tells when the gate held it back."""
    actions.register_action("content.held_back", _("Held back"), _("Did not go live as scheduled: a picture lacks its credit"))
