"""What people fill in: the sign-up form and their choices. No cookie and no CSRF token: pages are cached whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from content import languages
from newsletter import addresses, choices
from newsletter.models import Subscription


def consent_wording() -> str:
    """The words a person agrees to by signing up, in the active language. They are kept with the consent."""
    return _(
        "Once a month we send you actionable resources, stories of best practice and invitations to exclusive events. "
        "First we ask you to confirm your address. You can leave at any time with one click, and we share your "
        "address with nobody."
    )


class TermsField(forms.MultipleChoiceField):
    """Terms of one facet. Values that are no terms are left out when the choices are read, not refused.

    What can not be printed is left out at once: PostgreSQL does not even take a NUL as a question.
    """

    widget = forms.CheckboxSelectMultiple

    def to_python(self, value: Any) -> list[str]:
        return [slug for slug in value or [] if slug.isprintable()]

    def validate(self, value: list[str]) -> None:
        """Any value will do: an old page may still offer what is gone."""


class ChoicesForm(forms.Form):
    """Who one is and what one wants more of."""

    name = forms.Field(
        label=gettext_lazy("Name"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "maxlength": addresses.LONGEST_NAME}),
    )
    language = forms.Field(label=gettext_lazy("Language of our mails"), required=False, widget=forms.Select)

    def __init__(self, *args: Any, asking_choices: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].widget.choices = languages.offered()
        self.asking_choices = asking_choices
        self.facets: list[str] = []
        for facet in choices.offered(get_language() or languages.first()) if asking_choices else []:
            terms = [(term.slug, term.name) for term in facet.terms.all()]
            if terms and facet.slug not in self.fields:
                self.facets.append(facet.slug)
                self.fields[facet.slug] = TermsField(label=facet.name, required=False, choices=terms)
        self.order_fields(["email", "name", *self.facets, "language"])

    def clean_name(self) -> str:
        return addresses.tidy_name(self.cleaned_data["name"] or "")

    def clean_language(self) -> str:
        """The language asked for, or that of the page when we do not speak it."""
        wanted = self.cleaned_data["language"]
        return wanted if wanted in languages.codes() else languages.spoken(get_language() or "")

    def picked(self) -> frozenset[UUID]:
        """The translation keys of the terms that were chosen."""
        return choices.picked({facet: self.cleaned_data.get(facet, []) for facet in self.facets})

    def picked_beside(self, before: frozenset[UUID]) -> frozenset[UUID]:
        """What was chosen, and of earlier choices those that the form does not ask about."""
        known = choices.known()
        return self.picked() | {term for term in before if term in known and known[term][0] not in self.facets}


class AddressForm(forms.Form):
    """An address, and nothing else that a person can see."""

    email = forms.Field(
        label=gettext_lazy("Email"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "required": True, "maxlength": addresses.LONGEST}),
    )
    # Hidden from people; what fills it in is a program, and is given the same answer as everybody.
    website = forms.Field(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}))

    def clean_email(self) -> str:
        try:
            return addresses.parse(self.cleaned_data["email"] or "").email
        except addresses.InvalidAddress as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def filled_by_a_program(self) -> bool:
        return bool(self.data.get("website"))


class SignupForm(ChoicesForm, AddressForm):
    """How one joins. Only the address is needed."""


def preferences_of(subscription: Subscription) -> dict[str, Any]:
    """What the choices form shows of a subscriber before they change it."""
    subscriber, known = subscription.subscriber, choices.known()
    shown: dict[str, Any] = {"name": subscriber.name, "language": subscriber.spoken_language}
    for facet, slug in (known[term] for term in choices.chosen(subscription) if term in known):
        shown.setdefault(facet, []).append(slug)
    return shown
