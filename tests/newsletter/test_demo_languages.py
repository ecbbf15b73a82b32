"""The demo loads what it can: English, and Spanish where the site speaks it; other languages find their rooms."""

import pytest
from django.core.management import CommandError, call_command

from content import languages
from content.demo import load as library
from content.models import ArticlePage, Partner, Person
from newsletter.models import IssuePage, NewsletterPage, Subscriber


def speak(settings, *codes):
    settings.LANGUAGES = settings.WAGTAIL_CONTENT_LANGUAGES = [(code, languages.language_name(code)) for code in codes]
    settings.LANGUAGE_CODE = codes[0]


def codes_of(model):
    return set(model.objects.values_list("locale__language_code", flat=True))


@pytest.mark.django_db
@pytest.mark.once
@pytest.mark.parametrize(("codes", "written"), [(("en",), {"en"}), (("fr", "es", "en"), {"en", "es"})])
def test_the_demo_stands_in_the_languages_it_is_written_in(settings, client, codes, written):
    speak(settings, *codes)
    call_command("load_demo", verbosity=0)
    for model in (ArticlePage, Partner, Person):
        assert codes_of(model) == written, model
    assert codes_of(NewsletterPage) == set(codes)
    assert codes_of(IssuePage) <= written
    assert set(Subscriber.objects.values_list("language", flat=True)) <= set(codes)
    for code in codes:
        prefix = "/" if code == codes[0] else f"/{code}/"
        for path in ("", "resources/", "stories/", "events/", "collections/", "newsletter/"):
            assert client.get(prefix + path).status_code == 200, (code, path)


@pytest.mark.django_db
def test_without_english_nothing_is_loaded_and_the_reason_is_said(settings):
    speak(settings, "fr", "es")
    with pytest.raises(CommandError, match="add en to LANGUAGES"):
        call_command("load_demo", verbosity=0)
    assert not ArticlePage.objects.exists()
    assert library.spoken() == []
