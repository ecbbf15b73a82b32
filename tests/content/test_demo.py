"""The demo library: complete, credited, dated around the day of loading, and worth reading."""

import datetime

import pytest
from django.db import transaction
from PIL import Image as Drawing
from wagtail.models import Page

from content import gate
from content.credits import missing
from content.demo import load, manuscripts
from content.demo.drawing import classroom, school, town
from content.demo.drawing.__main__ import IMAGES, draw, file_name, scenes
from content.models import (
    ArticlePage,
    CollectionPage,
    CreditedImage,
    EventPage,
    HomePage,
    InformationPage,
    StoryPage,
    Term,
)

TODAY = datetime.date.today()

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def library(django_db_setup, django_db_blocker):
    """The whole library, loaded once for this module and taken back afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield load.load(TODAY)
        transaction.set_rollback(True)


def everything():
    return Page.objects.exact_type(
        ArticlePage, StoryPage, EventPage, CollectionPage, InformationPage, HomePage
    ).specific()


def words(page):
    return str(page.body.get_prep_value())


def test_the_library_holds_what_a_demo_has_to_show(library):
    assert ArticlePage.objects.live().filter(locale__language_code="en").count() >= 12
    assert StoryPage.objects.live().filter(locale__language_code="en").count() >= 8
    assert CollectionPage.objects.live().count() == 3
    assert {"about", "privacy", "accessibility", "credits"} <= set(
        InformationPage.objects.values_list("slug", flat=True)
    )
    assert library["pictures"] == CreditedImage.objects.count() >= 15


def test_every_page_passes_the_gate(library):
    assert [str(finding.message) for page in everything() for finding in gate.findings(page)] == []


def test_every_picture_has_its_credit_and_a_short_alt_text(library):
    for image in CreditedImage.objects.all():
        assert missing(image) == []
        assert image.creator and image.holder and image.licence
        assert len(image.description) <= 250


def test_every_picture_is_shown_somewhere(library):
    shown = {placement.pk for page in everything() for placement in gate.placements(page)}
    assert set(CreditedImage.objects.values_list("pk", flat=True)) <= shown


def test_no_page_shows_its_cover_picture_again_in_its_text(library):
    twice = [
        page.slug
        for page in everything()
        if hasattr(page, "picture")
        and any(block.value["image"] == page.picture for block in page.body.blocks_by_name("figure"))
    ]
    assert twice == []


def test_stories_come_from_partners_of_all_three_kinds(library):
    stories = StoryPage.objects.filter(locale__language_code="en").select_related("partner")
    assert {story.partner.kind for story in stories} == {"school", "district", "cmo"}
    assert len({story.partner_id for story in stories}) >= 6
    assert all(len(story.facts) >= 4 and story.bylines.exists() for story in stories)


def test_three_resources_are_read_in_spanish_under_the_same_key(library):
    spanish = ArticlePage.objects.live().filter(locale__language_code="es")
    assert spanish.count() >= 3
    for article in spanish:
        english = article.get_translations().get(locale__language_code="en").specific
        assert article.title != english.title
        assert {term.slug for term in article.terms.all()} == {term.slug for term in english.terms.all()}
        assert {term.locale.language_code for term in article.terms.all()} == {"es"}


def test_terms_carry_one_slug_in_both_languages(library):
    english = set(Term.objects.filter(locale__language_code="en").values_list("translation_key", "slug"))
    spanish = set(Term.objects.filter(locale__language_code="es").values_list("translation_key", "slug"))
    assert english == spanish


def test_resources_are_spread_over_the_three_months_before_loading(library):
    days = [(TODAY - page.date).days for page in ArticlePage.objects.all()]
    assert min(days) <= 1
    assert 60 < max(days) <= 92
    assert sum(day > 45 for day in days) >= 4


def test_two_events_are_to_come_and_two_are_over(library):
    events = EventPage.objects.live().filter(locale__language_code="en")
    assert sorted(event.is_past for event in events) == [False, False, True, True]
    assert all(event.invitation and event.ends_at > event.starts_at for event in events)


def test_addresses_of_our_own_pages_become_links_that_follow_them(library):
    equity = ArticlePage.objects.get(slug="equity-in-education", locale__language_code="en")
    assert 'linktype="page"' in words(equity)
    assert not [page.slug for page in everything() if 'href="/resources' in words(page)]


def test_a_site_in_use_is_left_alone(library):
    before = Page.objects.count()
    with pytest.raises(load.NotEmpty):
        load.load(TODAY)
    assert Page.objects.count() == before


@pytest.mark.once
@pytest.mark.parametrize("room", ["resources", "stories"])
def test_manuscripts_have_the_length_of_something_worth_reading(room):
    shortest = {"resources": 600, "stories": 350}[room]
    files = list((manuscripts.FOLDER / room).glob("*.md"))
    assert files
    assert [file.name for file in files if len(file.read_text().split()) < shortest] == []


@pytest.mark.once
def test_a_fence_names_a_block_and_the_rest_is_text():
    found = list(manuscripts.blocks("Before.\n\n## A *heading*\n\nOne.\n\n### Two\n\n```quote\ntext: So?\n```\n"))
    assert found == [
        {"type": "text", "value": "<p>Before.</p>"},
        {"type": "heading", "value": "A *heading*"},
        {"type": "text", "value": "<p>One.</p>\n<h3>Two</h3>"},
        {"type": "quote", "value": {"text": "So?"}},
    ]


@pytest.mark.once
def test_every_kept_picture_has_its_scene_in_the_script():
    assert {file_name(scene) for scene in scenes()} == {path.name for path in IMAGES.glob("*.png")}


@pytest.mark.once
@pytest.mark.parametrize("scene", [classroom.letter_tiles, school.library_morning, town.kitchen_table])
def test_the_script_draws_what_is_kept(scene, tmp_path):
    drawn = draw(scene, tmp_path)
    assert Drawing.open(drawn).convert("RGB").tobytes() == Drawing.open(IMAGES / drawn.name).convert("RGB").tobytes()


@pytest.mark.once
def test_pictures_are_small_files():
    assert [path.name for path in IMAGES.glob("*.png") if path.stat().st_size > 60_000] == []


def test_every_picture_has_its_words_in_spanish_too(library):
    for image in CreditedImage.objects.prefetch_related("texts"):
        (text,) = image.texts.all()
        assert text.locale.language_code == "es"
        assert text.title and text.alt and text.alt != image.description
        assert bool(text.long_description) == bool(image.long_description)


def test_spanish_pages_show_no_words_of_pictures_in_english(library):
    spanish = [page for page in everything() if page.locale.language_code == "es"]
    assert spanish and [str(page) for page in spanish if gate.without_words(page)] == []
