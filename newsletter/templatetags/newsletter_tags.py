"""What other rooms' templates may ask of the newsletter."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import get_language

from newsletter import forms

register = template.Library()


@register.inclusion_tag("newsletter/signup_form.html")
def signup_form(title: str = "", text: str = "", place: str = "signup", asking_choices: bool = False) -> dict[str, Any]:
    """The sign-up form; without choices it costs no query.

    Args:
        title: its heading; empty for the newsletter's own.
        text: the words under it; empty for the newsletter's own promises.
        place: tells two forms on one page apart.
        asking_choices: whether role, grade and topics are asked too.
    """
    form = forms.SignupForm(auto_id=f"{place}-%s", asking_choices=asking_choices, initial={"language": get_language()})
    return {"form": form, "title": title, "text": text, "place": place, "wording": forms.consent_wording()}
