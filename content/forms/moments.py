"""The form field of a moment: typed and shown on the organization's clock, with its zone beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.text import format_lazy
from wagtail.admin.forms.models import register_form_field_override
from wagtail.admin.widgets import AdminDateTimeInput

from content import hours


class MomentInput(AdminDateTimeInput):
    """Wagtail's calendar, which leaves alone what was typed: otherwise it takes an offset for a mistake."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "validateOnBlur": False}


class DateTimeField(forms.DateTimeField):
    """A date and an hour of the organization's, or of any zone when an offset is typed behind them.

    It has the name of Django's field, because Wagtail's styles go by that name.
    """

    widget = MomentInput

    def __init__(self, *, widget: Any = None, help_text: Any = "", **kwargs: Any) -> None:
        if type(widget) is AdminDateTimeInput:
            widget = MomentInput(widget.attrs, js_overlay_parent_selector=widget.js_overlay_parent_selector)
        zone = hours.zone_help_lazy()
        super().__init__(
            widget=widget, help_text=format_lazy("{} {}", help_text, zone) if help_text else zone, **kwargs
        )

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(None):
            try:
                return super().to_python(value)
            except ValidationError as error:
                if error.code != "ambiguous_timezone":
                    raise
                typed = (error.params or {})["datetime"]
        try:
            return hours.place_on_clock(typed)
        except hours.NoSuchHour as refusal:
            raise ValidationError(str(refusal), code="no_such_hour") from None

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, datetime) and timezone.is_aware(value):
            value = timezone.localtime(value, timezone.get_default_timezone())
            return value.isoformat(timespec="minutes") if hours.comes_twice(value) else value.replace(tzinfo=None)
        return super().prepare_value(value)


def register() -> None:
    """Make it the field of every moment in Wagtail's forms."""
    register_form_field_override(models.DateTimeField, override={"form_class": DateTimeField})
