"""What the form of a page refuses, each error where it can be mended."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import CheckboxSelectMultiple
from django.forms.models import ModelChoiceIterator
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.blocks import StreamBlockValidationError

from content import gate


class ByFacet(ModelChoiceIterator):  # type: ignore[type-arg]
    """Terms as choices, grouped by facet."""

    def __iter__(self) -> Iterator[Any]:
        for facet, terms in groupby(self.queryset, key=lambda term: term.facet.name):
            yield facet, [self.choice(term) for term in terms]


class PublishingForm(WagtailAdminPageForm):
    """A page's form: a draft may be half-filled, but publishing, scheduling and approving ask the gate."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "terms" in self.fields:
            self._offer_terms(self.fields["terms"])

    def is_valid(self) -> bool:
        if super().is_valid() and self._lets_out():
            self._refuse(gate.findings(self.instance))
        return bool(super().is_valid())

    def _offer_terms(self, field: Any) -> None:
        """Only terms in the page's language, each under its facet."""
        field.queryset = field.queryset.filter(locale=self.instance.locale_id).select_related("facet")
        field.iterator = ByFacet
        field.widget = CheckboxSelectMultiple(choices=field.choices)

    def _lets_out(self) -> bool:
        return "action-publish" in self.data or self.data.get("workflow-action-name") == "approve"

    def _refuse(self, found: list[gate.Finding]) -> None:
        for finding in found:
            self.add_error(None, finding.message)
        for name in {finding.field for finding in found} & set(self.fields):
            self.add_error(name, _error_in_place([finding for finding in found if finding.field == name]))


def _error_in_place(found: list[gate.Finding]) -> ValidationError:
    blocks: dict[int, list[str]] = {}
    for finding in found:
        if finding.block is not None:
            blocks.setdefault(finding.block, []).append(finding.message)
    if not blocks:
        return ValidationError([finding.message for finding in found])
    error: ValidationError = StreamBlockValidationError(
        {block: ValidationError(messages) for block, messages in blocks.items()}
    )
    return error
