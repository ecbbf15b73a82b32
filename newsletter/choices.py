"""What a subscriber may ask for more of: terms of the facets that editors offer, the same in every language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q

from content import languages
from content.models import Facet, Term
from newsletter.models import Choice, Subscription

USUAL = ("role", "grade", "topic")  # always columns of a subscriber file


def facet_slugs() -> list[str]:
    """What a choice may be filed under: the usual facets, whether or not they stand, then all others editors made."""
    made = Facet.objects.order_by("position", "slug").values_list("slug", flat=True)
    return list(dict.fromkeys([*USUAL, *made]))


def offered(language: str) -> list[Facet]:
    """The facets of the sign-up form with their terms, in a language, or in the site's first where it has none."""
    facets = Facet.objects.filter(locale__language_code__in=[language, languages.first()])
    ranked = sorted(
        facets.select_related("locale").prefetch_related("terms"),
        key=lambda facet: facet.locale.language_code == language,
    )
    by_slug = {facet.slug: facet for facet in ranked}
    return [by_slug[slug] for slug in Facet.slugs_at_signup() if slug in by_slug]


def picked(slugs: Mapping[str, Iterable[str]]) -> frozenset[UUID]:
    """The translation keys of terms given as facet slug -> term slugs. Unknown ones are left out."""
    wanted = [Q(facet__slug=facet, slug__in=list(terms)) for facet, terms in slugs.items() if terms]
    if not wanted:
        return frozenset()
    return frozenset(Term.objects.filter(reduce(or_, wanted)).values_list("translation_key", flat=True))


def known() -> dict[UUID, tuple[str, str]]:
    """Translation key -> facet slug and term slug, of every term that can have been chosen."""
    terms = Term.objects.order_by("facet__position", "position", "slug")
    return {key: (facet, slug) for key, facet, slug in terms.values_list("translation_key", "facet__slug", "slug")}


def key(terms: Iterable[UUID]) -> str:
    """SHA-256 in hex of a set of choices; empty for none. Equal sets have equal keys."""
    sorted_terms = sorted(str(term) for term in terms)
    return hashlib.sha256(",".join(sorted_terms).encode()).hexdigest() if sorted_terms else ""


def chosen(subscription: Subscription) -> frozenset[UUID]:
    """What a subscriber asked for more of."""
    return frozenset(subscription.choices.values_list("term_key", flat=True))


def choose(subscription: Subscription, terms: frozenset[UUID]) -> bool:
    """Make these the subscriber's choices. False when they were so already."""
    before = chosen(subscription)
    if terms == before:
        return False
    subscription.choices.filter(term_key__in=before - terms).delete()
    Choice.objects.bulk_create([Choice(subscription=subscription, term_key=term) for term in terms - before])
    Subscription.objects.filter(pk=subscription.pk).update(choices_key=key(terms))
    return True
