"""Facets: what each list can be narrowed by, and the choices it offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from content import languages
from content.models import Facet, Partner, PartnerKind
from content.models.partners import STATES

LANGUAGE = "language"
PARTNER = "partner"
PARTNER_KIND = "partner-type"
STATE = "state"
TAKEN = (LANGUAGE, "q", "sort", "page")
"""Parameters of every list: an editor's facet of that name would never be heard, so it is not offered."""


@dataclass(frozen=True)
class ListFacet:
    """A facet as a list offers it."""

    parameter: str
    name: str
    choices: Mapping[str, str] = field(hash=False)
    """Slug -> name, in the order shown."""
    indexed_as: str = ""
    """The facet's name in the index, when it differs from the parameter."""

    @property
    def key(self) -> str:
        return self.indexed_as or self.parameter


def of_resources(language: str) -> list[ListFacet]:
    """The facets of the Resource Center: the editors' own, and the language."""
    return [*_of_terms(language), of_language()]


def of_stories(language: str) -> list[ListFacet]:
    """The facets of the stories: the partner they come from, its kind and its state, and the topic."""
    partners = Partner.objects.filter(locale__language_code=language)
    return [
        ListFacet("type", _("Partner type"), {kind.value: str(kind.label) for kind in PartnerKind}, PARTNER_KIND),
        ListFacet(STATE, _("State"), {code.lower(): name for code, name in STATES}),
        ListFacet(PARTNER, _("Partner"), {partner.slug: partner.name for partner in partners}),
        *(facet for facet in _of_terms(language) if facet.parameter == "topic"),
    ]


def of_language() -> ListFacet:
    """The languages of the site, each under its own name."""
    return ListFacet(LANGUAGE, _("Language"), dict(languages.offered()))


def _of_terms(language: str) -> list[ListFacet]:
    """The editors' facets in a language; in the site's first language where nobody has translated them yet."""
    facets = Facet.objects.filter(locale__language_code__in={language, settings.LANGUAGE_CODE})
    by_slug: dict[str, list[Facet]] = {}
    for facet in facets.exclude(slug__in=TAKEN).select_related("locale").prefetch_related("terms"):
        by_slug.setdefault(facet.slug, []).append(facet)
    return [_in_language(versions, language) for versions in by_slug.values()]


def _in_language(versions: Iterable[Facet], language: str) -> ListFacet:
    ordered = sorted(versions, key=lambda facet: facet.locale.language_code == language)
    names = {term.slug: term.name for facet in ordered for term in facet.terms.all()}
    return ListFacet(ordered[-1].slug, ordered[-1].name, names)
