"""LANGUAGES is a setting: a site speaks what it names, and what it named once breaks nothing."""

import datetime

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.http import QueryDict
from django.utils import translation
from wagtail.models import Locale, Page, Site

from content import calendar, languages, search
from content.importing.drafts import _parent
from content.importing.resource import ImportedResource
from content.models import ArticlePage, HomePage, Partner, ResourceCenterPage, StoriesPage, StoryPage
from content.public_pages import public_pages
from content.search import words
from newsletter.models import NewsletterPage
from newsletter.site import found
from resource_center import checks

pytestmark = pytest.mark.once

FRENCH = [("en", "English"), ("es", "Español"), ("fr", "Français")]


def speak(settings, *codes):
    """Restart with these languages, as far as one process can."""
    settings.LANGUAGES = settings.WAGTAIL_CONTENT_LANGUAGES = [(code, languages.language_name(code)) for code in codes]
    settings.LANGUAGE_CODE = codes[0]
    Site.clear_site_root_paths_cache()
    return found()


@pytest.fixture
def french(settings, resources):
    """A site that began with English and Spanish, and speaks French too; with a French page."""
    speak(settings, "en", "es", "fr")
    room = ResourceCenterPage.objects.get(locale__language_code="fr")
    page = room.add_child(instance=ArticlePage(title="La mare", slug="mare", locale=room.locale, live=False))
    page.save_revision().publish()
    return page


def test_a_language_that_is_added_gets_every_room(french):
    fr = Locale.objects.get(language_code="fr")
    kinds = {page.specific_class.__name__ for page in Page.objects.filter(locale=fr)}
    assert kinds >= {"HomePage", "ResourceCenterPage", "StoriesPage", "EventsPage", "CollectionsPage", "NewsletterPage"}
    english = HomePage.objects.get(locale__language_code="en")
    assert HomePage.objects.get(locale=fr).translation_key == english.translation_key


def test_a_start_makes_nothing_twice(settings, french):
    before = Page.objects.count()
    speak(settings, "en", "es", "fr")
    assert Page.objects.count() == before


@pytest.mark.parametrize("code", ["pt-br", "zh-hans", "ar"])
def test_codes_of_every_shape_are_addresses(settings, client, resources, code):
    speak(settings, "en", code)
    for path in ("", "resources/", "stories/", "events/", "newsletter/", "image-credits/", "feeds/resources.atom"):
        answer = client.get(f"/{code}/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["Content-Language"] == code
    words_of_page = client.get(f"/{code}/").content.decode()
    assert f'<html lang="{code}"' in words_of_page
    assert ('dir="rtl"' in words_of_page.split(">", 2)[1]) is (code == "ar")


def test_pages_of_a_language_that_is_gone_are_kept_and_shown_nowhere(settings, client, french):
    speak(settings, "en", "es")
    assert ArticlePage.objects.filter(pk=french.pk, live=True).exists()
    assert not public_pages(Page.objects.filter(pk=french.pk)).exists()
    for path in ("/fr/", "/fr/resources/mare/", "/fr/feeds/resources.rss"):
        assert client.get(path).status_code == 404, path
    for path in ("/", "/es/", "/resources/?language=fr", "/sitemap.xml", "/image-credits/", "/api/v2/pages/?fields=*"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "/fr/" not in answer.content.decode(), path


def test_the_admin_opens_pages_of_a_language_that_is_gone(settings, client, french):
    speak(settings, "en", "es")
    client.force_login(get_user_model().objects.create_superuser("ed", "ed@example.org", "password"))
    parent = french.get_parent()
    for path in (
        f"pages/{french.pk}/edit/",
        f"pages/{french.pk}/view_draft/",
        f"pages/{french.pk}/history/",
        f"pages/{french.pk}/copy/",
        f"pages/{french.pk}/delete/",
        f"pages/{parent.pk}/",
        "pages/",
        "",
        "locales/",
        "snippets/content/term/",
        "snippets/content/facet/",
        "newsletter/subscribers/",
        "newsletter/issues/",
        "reports/site-history/",
        "reports/page-types-usage/",
    ):
        assert client.get(f"/admin/{path}", follow=True).status_code == 200, path


def test_a_check_names_the_language_that_is_gone(settings, french):
    assert checks.former_languages(databases=["default"]) == []
    speak(settings, "en", "es")
    (warning,) = [each for each in run_checks(databases=["default"]) if each.id == "resource_center.W004"]
    assert "pages stand in Français (fr), which LANGUAGES does not name" in warning.msg


def test_a_language_that_comes_back_is_found_again(settings, french):
    speak(settings, "en", "es")
    search.rebuild()
    version = words.version()
    speak(settings, "en", "es", "fr")
    assert words.version() != version
    assert search.rebuild_if_outdated()
    question = search.read(QueryDict("q=mare"), "article", "fr", [])
    assert [page.pk for page in search.find(question).rows] == [french.pk]


def test_another_language_comes_first_and_keeps_every_page(settings, client, french):
    speak(settings, "fr", "en", "es")
    search.rebuild()
    assert Site.objects.get().root_page.locale.language_code == "fr"
    assert "La mare" in client.get("/resources/").content.decode()
    assert client.get("/en/").status_code == 200
    assert client.get("/es/resources/").status_code == 200
    assert HomePage.objects.count() == 3


def test_a_first_language_that_nobody_spoke_before_takes_the_front_door(settings, client, resources):
    speak(settings, "de", "en")
    german, english = (HomePage.objects.get(locale__language_code=code) for code in ("de", "en"))
    assert german.translation_key == english.translation_key
    assert '<html lang="de"' in client.get("/").content.decode()
    assert '<html lang="en"' in client.get("/en/resources/").content.decode()
    assert NewsletterPage.objects.filter(locale=german.locale).exists()


def test_a_partner_of_a_language_that_is_gone_breaks_no_list(settings, client, french):
    fr = Locale.objects.get(language_code="fr")
    partner = Partner.objects.create(name="École", slug="ecole", kind="school", state="MA", locale=fr)
    StoriesPage.objects.get(locale=fr).add_child(instance=StoryPage(title="Une cloche", slug="cloche", partner=partner))
    speak(settings, "en", "es")
    for path in ("/stories/", "/stories/?partner=ecole", "/sitemap.xml", "/image-credits/"):
        assert client.get(path).status_code == 200, path
    assert client.get("/partners/ecole/").status_code == 404


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("fr", "fr"),
        ("FR", "fr"),
        ("fr_CA", "fr"),
        ("es-MX", "es"),
        (" en ", "en"),
        ("de", ""),
        ("", ""),
        ("english", ""),
    ],
)
def test_codes_as_others_write_them_are_understood(settings, code, means):
    settings.LANGUAGES = FRENCH
    assert languages.closest(code) == means


def test_an_imported_page_goes_to_the_room_of_its_language(settings, french):
    resource = ImportedResource(title="Une page", language="fr-CA")
    assert _parent(resource).locale.language_code == "fr"


def test_dates_are_written_as_each_language_writes_them():
    day = datetime.date(2026, 9, 14)
    shown = {}
    for code in ("en", "es", "fr", "de"):
        with translation.override(code):
            shown[code] = calendar.written(day)
    assert shown == {
        "en": "September 14, 2026",
        "es": "14 de septiembre de 2026",
        "fr": "14 septembre 2026",
        "de": "14. September 2026",
    }


@pytest.mark.parametrize(
    ("language", "written", "asked"),
    [
        ("fr", "des grenouilles", "grenouille"),
        ("de", "Die Kinder lesen Bücher", "buch"),
        ("pt-br", "os professores", "professor"),
        ("es-mx", "las maestras", "maestra"),
        ("vi", "học sinh", "học sinh"),
    ],
)
def test_words_of_every_language_are_found_by_their_stems(language, written, asked):
    stems = words.written(written, language).split()
    (clause, *_more) = words.asked(asked, [language])
    assert any(set(sequence) <= set(stems) for sequence in clause.sequences)


def test_the_names_of_languages_are_their_own(settings):
    settings.LANGUAGES = FRENCH
    assert languages.offered() == FRENCH
    assert languages.language_name("tlh") == "tlh"
    assert languages.spoken("tlh") == "en"
