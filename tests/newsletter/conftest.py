"""The cast of the newsletter: a founded site, a newsletter, and people in every state."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image as Drawing
from wagtail.models import Locale

from content.models import (
    ArticlePage,
    CollectionPage,
    CollectionsPage,
    CreditedImage,
    EventPage,
    EventsPage,
    Facet,
    Partner,
    ResourceCenterPage,
    StoriesPage,
    StoryPage,
    Term,
)
from newsletter import digest
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


@pytest.fixture
def picture(db):
    """A small picture with a whole credit; other words for what is not said."""

    def make(title="Fraction tiles", **fields):
        file = BytesIO()
        Drawing.new("RGB", (1600, 900), "teal").save(file, "PNG")
        credit = {"description": "Twelve tiles on a table.", "creator": "Rosa Lindqvist", "holder": "Resource Center"}
        return CreditedImage.objects.create(
            title=title, file=ContentFile(file.getvalue(), "tiles.png"), **{**credit, "licence": "CC-BY-4.0", **fields}
        )

    return make


@pytest.fixture
def publish(newsletter):
    """Puts a page on the site: `publish(ArticlePage, "Fractions", date(2026, 10, 5))`; drafts with `live=False`."""
    rooms = {
        ArticlePage: ResourceCenterPage,
        StoryPage: StoriesPage,
        EventPage: EventsPage,
        CollectionPage: CollectionsPage,
    }

    def make(kind, title, published_on=None, language="en", terms=(), live=True, **fields):
        parent = rooms[kind].objects.get(locale__language_code=language)
        fields = {"summary": f"{title}, in two sentences.", **fields}
        page = kind(title=title, published_on=published_on, locale=parent.locale, live=live, **fields)
        page.first_published_at = timezone.now() if live else None
        page.terms = terms
        return parent.add_child(instance=page)

    return make


@pytest.fixture
def october(publish, picture, terms):
    """What October 2026 brought: two resources, one of them in Spanish too, a story and an event to come."""
    math, maple = (
        Term.objects.filter(slug="math"),
        Partner.objects.create(
            name="Maple Street School",
            slug="maple",
            kind="school",
            state="OH",
            locale=Locale.objects.get(language_code="en"),
        ),
    )
    fractions = publish(ArticlePage, "Fractions in your hand", date(2026, 10, 5), picture=picture(), terms=math)
    return {
        "fractions": fractions,
        "fracciones": publish(
            ArticlePage,
            "Fracciones en la mano",
            date(2026, 10, 6),
            "es",
            terms=math,
            picture=fractions.picture,
            translation_key=fractions.translation_key,
        ),
        "morning": publish(ArticlePage, "A good morning", date(2026, 10, 20), picture=picture("At the door")),
        "bell": publish(
            StoryPage, "The school that moved its bell", date(2026, 10, 9), partner=maple, picture=picture("A bell")
        ),
        "table": publish(
            EventPage,
            "Open kitchen table",
            date(2026, 9, 1),
            starts_at=datetime(2026, 12, 8, 21, tzinfo=UTC),
            ends_at=datetime(2026, 12, 8, 22, 30, tzinfo=UTC),
            venue="Providence Public Library",
            invitation="Bring one question.",
        ),
    }


@pytest.fixture
def november():
    """The third of November 2026, at noon in Providence."""
    with time_machine.travel(datetime(2026, 11, 3, 17, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def issue(newsletter, november, october):
    """October's issue as the drafter left it; its Spanish translation stands beside it."""
    return digest.draft(date(2026, 10, 1))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Certificate and key of a server that nobody vouches for."""
    if not shutil.which("openssl"):
        pytest.skip("openssl: not found")
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-out", files[0], "-keyout", files[1]),
        ],
        check=True,
        capture_output=True,
    )
    return files
