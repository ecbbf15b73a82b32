"""How pages say in the API what they hold of others: pictures with their credit, terms, partners, people."""

from __future__ import annotations

from typing import Any

from rest_framework.fields import ReadOnlyField


class AttributionField(ReadOnlyField):
    """A picture with its credit."""

    def to_representation(self, value: Any) -> dict[str, Any]:
        attribution: dict[str, Any] = value.attribution
        return attribution


class TermsField(ReadOnlyField):
    """The terms of a page: facet, slug and name of each."""

    def to_representation(self, value: Any) -> list[dict[str, str]]:
        terms = value.select_related("facet")
        return [{"facet": term.facet.slug, "slug": term.slug, "name": term.name} for term in terms]


class PartnerField(ReadOnlyField):
    """The partner a story comes from."""

    def to_representation(self, value: Any) -> dict[str, str]:
        return {name: getattr(value, name) for name in ("name", "slug", "kind", "city", "state", "grades")}


class NamesField(ReadOnlyField):
    """The names of the people who wrote a page."""

    def to_representation(self, value: Any) -> list[str]:
        return [line.person.name for line in value.select_related("person")]
