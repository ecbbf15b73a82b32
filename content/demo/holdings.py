"""What the demo's pages point at: pictures, terms, partners and people, in every language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.files.images import ImageFile
from wagtail.models import Locale

from content import languages
from content.demo import manuscripts
from content.models import CreditedImage, Facet, ImageText, Partner, Person, Term
from content.pictures import SHAPES

IMAGES = manuscripts.FOLDER / "images"


@dataclass
class Holdings:
    """Everything by its slug; what is translated, by language and slug."""

    pictures: dict[str, CreditedImage] = field(default_factory=dict)
    terms: dict[tuple[str, str, str], Term] = field(default_factory=dict)
    partners: dict[tuple[str, str], Partner] = field(default_factory=dict)
    people: dict[tuple[str, str], Person] = field(default_factory=dict)

    def terms_of(self, language: str, chosen: dict[str, list[str]]) -> list[Term]:
        """The terms of a front matter such as `{topic: [equity], grade: [3-5]}`."""
        return [self.terms[language, facet, slug] for facet, slugs in chosen.items() for slug in slugs]


def acquire() -> Holdings:
    """Put pictures, terms, partners and people into an empty database."""
    library, held = manuscripts.data("library.yaml"), Holdings()
    for slug, about in manuscripts.data("pictures.yaml")["pictures"].items():
        held.pictures[slug] = _picture(slug, about)
    for position, (slug, about) in enumerate(library["facets"].items()):
        _facet(held, slug, about, position)
    for slug, about in library["partners"].items():
        for language, partner in _in_each_language(Partner(slug=slug, **_partner(held, about)), about.get("es", "")):
            held.partners[language, slug] = partner
    for slug, about in library["people"].items():
        _person(held, slug, about)
    return held


def draw_sizes(pictures: dict[str, CreditedImage]) -> None:
    """Make the small sizes that lists show by the dozen, so that no first reader waits for them."""
    for picture in pictures.values():
        picture.get_renditions(*SHAPES["card"].filters)


def _picture(slug: str, about: dict[str, Any]) -> CreditedImage:
    with (IMAGES / f"{slug}.png").open("rb") as file:
        picture = CreditedImage(
            title=about["title"],
            file=ImageFile(file, name=f"{slug}.png"),
            description=about["alt"],
            long_description=about.get("long_description", ""),
            creator=about["creator"],
            holder=about["holder"],
            licence=about["licence"],
        )
        picture.full_clean(exclude=["collection"])
        picture.save()
    for locale in Locale.objects.filter(language_code__in=about.get("words", {})):
        text = ImageText(image=picture, locale=locale, **about["words"][locale.language_code])
        text.full_clean()
        text.save()
    return picture


def _facet(held: Holdings, slug: str, about: dict[str, Any], position: int) -> None:
    keys: dict[str, Any] = {}
    offered = set(about["name"]) & set(languages.codes())
    for locale in Locale.objects.filter(language_code__in=offered).order_by("language_code"):
        language = locale.language_code
        same = {"translation_key": keys["facet"]} if keys else {}
        facet = Facet.objects.create(name=about["name"][language], slug=slug, position=position, locale=locale, **same)
        keys["facet"] = facet.translation_key
        for place, (term_slug, names) in enumerate(about["terms"].items()):
            same = {"translation_key": keys[term_slug]} if term_slug in keys else {}
            term = Term.objects.create(
                facet=facet, name=names[language], slug=term_slug, position=place, locale=locale, **same
            )
            keys[term_slug] = term.translation_key
            held.terms[language, slug, term_slug] = term


def _partner(held: Holdings, about: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: value for name, value in about.items() if name != "es"},
        "picture": held.pictures[about["picture"]],
    }


def _in_each_language(partner: Partner, spanish: str) -> Iterator[tuple[str, Partner]]:
    partner.locale = Locale.objects.get(language_code="en")
    partner.full_clean()
    partner.save()
    yield "en", partner
    if "es" in languages.codes():
        translated = partner.copy_for_translation(Locale.objects.get(language_code="es"))
        translated.description = spanish
        translated.save()
        yield "es", translated


def _person(held: Holdings, slug: str, about: dict[str, Any]) -> None:
    person = Person(
        name=about["name"],
        role=about["role"]["en"],
        biography=about.get("biography", ""),
        partner=held.partners.get(("en", about.get("partner", ""))),
        locale=Locale.objects.get(language_code="en"),
    )
    person.full_clean()
    person.save()
    held.people["en", slug] = person
    if "es" not in languages.codes():
        return
    translated = person.copy_for_translation(Locale.objects.get(language_code="es"))
    translated.role, translated.biography = about["role"]["es"], ""
    translated.partner = held.partners.get(("es", about.get("partner", "")))
    translated.save()
    held.people["es", slug] = translated
