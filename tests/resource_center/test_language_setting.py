"""The setting LANGUAGES: its rule, the names it leads to, and the facets and languages that the page cache knows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf.locale import LANG_INFO
from django.utils.translation import check_for_language
from wagtail.models import Locale

from content.models import Facet, Term
from resource_center import pagecache, preflight
from tests.resource_center.test_pagecache import reader  # noqa: F401 a fixture

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.once
def test_the_languages_of_the_rule_are_those_that_django_names_and_speaks():
    named = {code for code, about in LANG_INFO.items() if "name_local" in about}
    assert set(preflight.KNOWN_LANGUAGES.split()) == {code for code in named if check_for_language(code)} - {"no"}


@pytest.mark.once
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("en xx", "names 'xx': write codes such as en, es or pt-br"),
        ("en pt_br", "names 'pt_br': write codes such as en, es or pt-br (did you mean pt-br?)"),
        ("en es en", "names 'en' twice"),
        ("english", "names 'english'"),
        (",", "names no language"),
    ],
)
def test_a_value_that_can_not_work_says_what_and_how(value, complaint):
    (line,) = preflight.complaints({"LANGUAGES": value})
    assert line.startswith(f"LANGUAGES {complaint}")


@pytest.mark.once
@pytest.mark.parametrize("value", ["en es", "fr", "EN, ES", "pt-br zh-hans en", "ar en"])
def test_these_values_work(value):
    assert preflight.complaints({"LANGUAGES": value}) == []


@pytest.mark.once
def test_the_first_one_is_the_site_s_first_and_each_has_its_own_name(tmp_path):
    asked = (
        "from django.conf import settings; print(settings.LANGUAGE_CODE, settings.LANGUAGES, "
        "settings.WAGTAIL_CONTENT_LANGUAGES == settings.LANGUAGES)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=ROOT,
        env=os.environ
        | dict.fromkeys(preflight.SETTINGS, "")
        | {
            "DJANGO_SETTINGS_MODULE": "resource_center.settings",
            "SECRET_KEY": "only-for-tests-" + "0123456789" * 5,
            "DATA_DIR": str(tmp_path),
            "LANGUAGES": "PT-br, es fr",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    named = "[('pt-br', 'Português Brasileiro'), ('es', 'Español'), ('fr', 'Français')]"
    assert done.stdout.strip() == f"pt-br {named} True"


@pytest.mark.django_db
def test_a_facet_that_an_editor_makes_is_kept_from_the_next_second_on(reader, monkeypatch):  # noqa: F811
    monkeypatch.setattr(pagecache, "EDITION_LASTS", 0.0)
    for _twice in range(2):
        reader.ask("/resources/", query="subject=biology")
    assert reader.reached == 2, "nobody knows this parameter yet"
    english = Locale.objects.get(language_code="en")
    facet = Facet.objects.create(name="Subject", slug="subject", locale=english)
    Term.objects.create(facet=facet, name="Biology", slug="biology", locale=english)
    for _twice in range(2):
        assert reader.ask("/resources/", query="subject=biology")[0] == "200 OK"
    assert reader.reached == 3
    facet.delete()
    for _twice in range(2):
        reader.ask("/resources/", query="subject=biology")
    assert reader.reached == 5


@pytest.mark.django_db
def test_asking_for_the_facets_costs_nothing_while_nothing_changes(reader, django_assert_num_queries):  # noqa: F811
    reader.ask("/resources/", query="topic=equity")
    with django_assert_num_queries(0):
        reader.ask("/resources/", query="topic=equity")
        reader.ask("/resources/", query="topic=equity")
