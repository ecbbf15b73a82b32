"""What is found however it is spelled: letters with strokes, signs that nobody sees, and indexes written long ago."""

from __future__ import annotations

import datetime
import json

import pytest
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.http import QueryDict
from django.utils.http import urlencode

from content import search
from content.models import ArticlePage, EntryKind, ResourceCenterPage, SearchEntry, SearchIndex
from content.site import found

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(db):
    """Publishes an article in English: `write("lodz", "Schools in Łódź")`."""
    found()
    parent = ResourceCenterPage.objects.get(locale__language_code="en")

    def make(slug, title, body=""):
        page = ArticlePage(
            title=title,
            slug=slug,
            summary="Two sentences.",
            locale=parent.locale,
            published_on=datetime.date(2026, 9, 1),
            body=json.dumps([{"type": "text", "value": f"<p>{body}</p>"}]),
        )
        parent.add_child(instance=page)
        search.rebuild()
        return page

    return make


def find(text):
    parameters = QueryDict(mutable=True)
    parameters["q"] = text
    results = search.find(search.read(parameters, EntryKind.ARTICLE, "en", []))
    return [] if results.is_loosened else [page.slug for page in results.rows]


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Łódź", ["lodz", "Łodz", "łódź", "LODZ"]),
        ("Søren Kierkegård", ["soren", "SØREN", "kierkegard"]),
        ("Đorđe Balašević", ["dorde", "đorđe", "balasevic"]),
        ("Æsop’s œuvre", ["aesop", "æsop", "oeuvre"]),
        ("Straße", ["strasse", "straße", "STRASSE"]),
        ("Diyarbakır", ["diyarbakir", "DİYARBAKIR", "diyarbakır"]),
        ("Þórður", ["thordur", "þórður"]),
    ],
)
def test_letters_of_other_alphabets_are_found_by_plain_ones_and_the_other_way_round(write, written, typed):
    write("here", f"About {written}")
    assert {text: find(text) for text in typed} == {text: ["here"] for text in typed}


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\u200d", "\u2060", "\ufeff", "\u202c", "\ufe0f"])
def test_an_invisible_sign_splits_no_word_where_it_is_written_nor_where_it_is_typed(write, sign):
    write("whole", "A gath" + sign + "ering", "Many kit" + sign + "chens.")
    assert find("gathering") == find("kitchens") == ["whole"]
    assert find("gath" + sign + "ering") == find('"gathe' + sign + 'ring"') == ["whole"]


@pytest.mark.parametrize("typed", ["teacher's", "teacher’s", "teacher´s", "teacher‘s", "teacherʼs", "teacher\u200b’s"])
def test_an_apostrophe_is_found_however_it_is_typed(write, typed):
    write("here", "What a teacher needs")
    assert find(typed) == ["here"]


@pytest.mark.parametrize(("path", "said"), [("", "nothing to look for"), ("/es", "nada que buscar")])
@pytest.mark.parametrize("typed", ["🎒", "?!", "\u200b", "\u00ad\ufe0f", "\x00"])
def test_a_question_without_a_word_says_so(write, client, path, said, typed):
    write("here", "A page")
    for room in ("resources", "stories"):
        page = client.get(f"{path}/{room}/?{urlencode({'q': typed})}")
        assert page.status_code == 200
        assert said in BeautifulSoup(page.content, "html.parser").select_one("#found").get_text(), ascii(typed)


def test_a_question_of_blanks_alone_is_no_question(write, client):
    write("here", "A page")
    for typed in ("", " ", "\u00a0\u3000"):
        page = client.get(f"/resources/?{urlencode({'q': typed})}").content.decode()
        assert "nothing to look for" not in page


def test_an_index_that_an_earlier_version_wrote_is_written_anew_at_the_next_start(write, capsys):
    page = write("here", "Schools in Łódź")
    SearchEntry.objects.filter(pk=page.pk).update(title_words="school in łodz")
    assert not search.rebuild_if_outdated() and find("lodz") == []
    SearchIndex.objects.update(words_version="of an earlier release")
    call_command("prepare")
    assert find("lodz") == ["here"]
    assert not search.rebuild_if_outdated()


def test_an_index_from_before_versions_were_kept_is_written_anew(write):
    page = write("here", "Schools in Łódź")
    SearchIndex.objects.all().delete()
    SearchEntry.objects.filter(pk=page.pk).update(title_words="school in łodz")
    assert search.rebuild_if_outdated()
    assert find("lodz") == ["here"]
