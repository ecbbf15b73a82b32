"""The cast of the newsletter: a founded site, a newsletter, and people in every state."""

from __future__ import annotations

import pytest
from django.utils import timezone
from wagtail.models import Locale

from content.models import Facet, Term
from newsletter.models import Newsletter, Subscriber, Subscription
from newsletter.site import found


@pytest.fixture
def newsletter(db):
    """A founded site and its newsletter."""
    found()
    return Newsletter.objects.get()


@pytest.fixture
def people(newsletter):
    """Makes a subscription: `people("sam@school.example", status="confirmed")`."""

    def make(email, status="confirmed", **details):
        subscriber = Subscriber.objects.create(email=email, address_key=email.lower(), **details)
        return Subscription.objects.create(
            subscriber=subscriber,
            newsletter=newsletter,
            status=status,
            confirmed_at=None if status == "pending" else timezone.now(),
            ended_at=None if status in ("pending", "confirmed") else timezone.now(),
        )

    return make


@pytest.fixture
def maria(people):
    """A confirmed subscription."""
    return people("maria.lopez@school.example", name="Maria López")


@pytest.fixture
def sam(people):
    """A subscription that waits to be confirmed."""
    return people("sam@school.example", status="pending")


@pytest.fixture
def terms(newsletter):
    """Choices in English and Spanish: slug -> the key both share."""
    keys = {}
    en, es = Locale.objects.get(language_code="en"), Locale.objects.get(language_code="es")
    for place, (facet, names) in enumerate(
        {
            "role": {"teacher": ("Teacher", "Docente"), "coach": ("Coach", "Asesora")},
            "grade": {"k-2": ("Grades K–2", "Grados K–2"), "6-8": ("Grades 6–8", "Grados 6–8")},
            "topic": {"equity": ("Equity", "Equidad"), "math": ("Math", "Matemáticas")},
        }.items()
    ):
        english = Facet.objects.create(locale=en, slug=facet, name=facet.title(), position=place)
        spanish = Facet.objects.create(
            locale=es, slug=facet, name=f"{facet.title()} (es)", position=place, translation_key=english.translation_key
        )
        for slug, (name, nombre) in names.items():
            term = Term.objects.create(facet=english, locale=en, slug=slug, name=name)
            Term.objects.create(facet=spanish, locale=es, slug=slug, name=nombre, translation_key=term.translation_key)
            keys[slug] = term.translation_key
    return keys
