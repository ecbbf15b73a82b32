"""An alias repeats a page: lists, feeds, search, sitemap and digest name the text once, and its source is canonical."""

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Page, PageViewRestriction

from content import search, shelves
from content.models import ArticlePage, CollectionItem, CollectionPage, SearchEntry
from tests.content.library import spanish, stocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def library(picture, commits):
    with commits():
        return stocked(picture)


@pytest.fixture
def alias(library, commits):
    """The article again, under another address in the same language."""
    with commits():
        return library.article.create_alias(update_slug="equity-again")


def read(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.content, "html.parser")


def listed(client, path):
    return [link["href"].split("?")[0] for link in read(client, path).select("main .card__title a")]


def test_every_list_names_it_once(client, library, alias, commits):
    with commits():
        library.event.create_alias(update_slug="walk-again")
        library.collection.create_alias(update_slug="month-again")
    source = "/resources/equity-in-education/"
    assert listed(client, "/resources/") == [source]
    assert listed(client, "/resources/?q=equity") == [source]
    assert listed(client, "/").count(source) == 1
    assert listed(client, "/events/") == ["/events/learning-walk/"]
    assert listed(client, "/collections/") == ["/collections/first-month/"]
    feed = client.get("/feeds/resources.json").json()
    assert [item["url"] for item in feed["items"]] == [f"http://testserver{source}"]
    places = client.get("/sitemap.xml").content.decode()
    assert places.count(source) == 1
    assert "again" not in places
    shown = read(client, "/image-credits/").get_text()
    assert shown.count("Equity in education") == 3  # the picture of that name, and two that the one page shows


def test_it_can_still_be_read_and_sends_search_engines_to_its_source(client, library, alias):
    page = read(client, "/resources/equity-again/")
    assert page.h1.get_text() == "Equity in education"
    assert page.select_one('link[rel="canonical"]')["href"] == "http://testserver/resources/equity-in-education/"
    assert page.select_one('meta[property="og:url"]')["content"].endswith("/resources/equity-in-education/")


def test_an_editor_may_choose_it_but_not_beside_its_source(library, alias):
    CollectionItem.objects.filter(collection=library.collection).delete()
    CollectionItem.objects.create(collection=library.collection, page=alias)
    assert [page.pk for page, _note in shelves.collected(library.collection)] == [alias.pk]
    CollectionItem.objects.create(collection=library.collection, page=library.article)
    collection = CollectionPage.objects.get(pk=library.collection.pk)
    assert [page.pk for page, _note in shelves.collected(collection)] == [library.article.pk]


def test_an_alias_in_another_language_stands_in_the_lists_of_that_language(client, library, commits):
    with commits():
        alias = library.article.copy_for_translation(spanish(), alias=True)
    assert listed(client, "/es/resources/") == [alias.get_url()]
    assert listed(client, "/resources/") == ["/resources/equity-in-education/"]
    page = read(client, alias.get_url())
    assert page.select_one('link[rel="canonical"]')["href"] == "http://testserver/resources/equity-in-education/"
    assert not page.select('link[rel="alternate"][hreflang]')
    assert page.select_one('.masthead a[hreflang="en"]')["href"] == "/resources/equity-in-education/"
    assert alias.get_url() not in client.get("/sitemap.xml").content.decode()

    with commits():
        alias.create_alias(update_slug="third")
    assert listed(client, "/es/resources/") == [alias.get_url()]


def test_an_alias_of_a_private_page_is_as_private(client, library, alias, commits):
    with commits():
        PageViewRestriction.objects.create(page=Page.objects.get(pk=library.article.pk), restriction_type="login")
    assert client.get("/resources/equity-again/").status_code == 302
    assert listed(client, "/resources/") == []
    assert client.get("/feeds/resources.json").json()["items"] == []
    assert "equity" not in client.get("/sitemap.xml").content.decode()
    told = client.get("/api/v2/pages/?type=content.ArticlePage").json()["items"]
    assert [item["title"] for item in told] == []
    assert client.get(f"/api/v2/pages/{alias.pk}/").status_code == 404


def test_an_alias_made_a_page_of_its_own_is_listed_and_canonical(client, library, alias, commits):
    with commits():
        page = ArticlePage.objects.get(pk=alias.pk)
        page.alias_of = None
        page.save()
    assert set(listed(client, "/resources/?q=equity")) == {
        "/resources/equity-again/",
        "/resources/equity-in-education/",
    }
    page = read(client, "/resources/equity-again/")
    assert page.select_one('link[rel="canonical"]')["href"] == "http://testserver/resources/equity-again/"


def test_an_unpublished_source_takes_its_aliases_with_it(client, library, alias, commits):
    with commits():
        ArticlePage.objects.get(pk=library.article.pk).unpublish()
    assert listed(client, "/resources/") == []
    with commits():
        ArticlePage.objects.get(pk=library.article.pk).save_revision().publish()
    assert listed(client, "/resources/") == ["/resources/equity-in-education/"]


def test_a_rebuilt_index_has_it_once_too(library, alias):
    search.rebuild()
    entries = SearchEntry.objects.filter(page__in=[library.article.pk, alias.pk])
    assert [entry.page_id for entry in entries] == [library.article.pk]


def test_the_lists_ask_no_more_for_many_aliases(client, library, commits):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            client.get("/feeds/resources.rss")
            client.get("/resources/")
        return len(queries)

    cost()
    before = cost()
    with commits():
        for number in range(5):
            library.article.create_alias(update_slug=f"again-{number}")
    cost()
    assert cost() == before


def test_an_alias_of_a_private_event_has_no_calendar_file_either(client, library, commits):
    with commits():
        library.event.create_alias(update_slug="walk-again")
        PageViewRestriction.objects.create(page=library.event, restriction_type="login")
    for slug in ("learning-walk", "walk-again"):
        assert client.get(f"/events/{slug}/event.ics").status_code == 404


def test_an_alias_of_an_alias_of_a_private_page_is_as_private(client, library, alias, commits):
    with commits():
        second = alias.create_alias(update_slug="equity-once-more")
    assert client.get(f"/api/v2/pages/{second.pk}/").status_code == 200
    with commits():
        PageViewRestriction.objects.create(page=library.article, restriction_type="login")
    assert client.get(f"/api/v2/pages/{second.pk}/").status_code == 404
