"""Feeds: the same new resources for every kind of feed reader."""

import json

import pytest
from bs4 import BeautifulSoup

from content.models import Facet, HomePage, Organisation, Term
from tests.content.library import spanish, stocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(picture):
    return stocked(picture)


def titles(client, form, query=""):
    answer = client.get(f"/feeds/resources.{form}{query}")
    assert answer.status_code == 200
    if form == "json":
        return [item["title"] for item in json.loads(answer.content)["items"]]
    return [item.title.get_text() for item in BeautifulSoup(answer.content, "xml").find_all(["item", "entry"])]


@pytest.mark.parametrize(
    ("form", "kind"),
    [("rss", "application/rss+xml"), ("atom", "application/atom+xml"), ("json", "application/feed+json")],
)
def test_each_form_lists_the_public_resources_newest_first(client, library, form, kind):
    library.add_article("An older one", "older", first_published_at="2020-01-01T00:00:00Z")
    older = library.add_article("The oldest", "oldest")
    older.published_on = "2019-05-01"
    older.save()

    assert client.get(f"/feeds/resources.{form}")["Content-Type"] == f"{kind}; charset=utf-8"
    assert titles(client, form)[-1] == "The oldest"
    assert set(titles(client, form)) == {"Equity in education", "An older one", "The oldest"}


def test_a_topic_narrows_the_feed_and_an_unknown_one_empties_it(client, library):
    topic = Facet.objects.get(slug="topic")
    mathematics = Term.objects.create(facet=topic, name="Mathematics", slug="mathematics", locale=topic.locale)
    fractions = library.add_article("Fractions", "fractions")
    fractions.terms = [mathematics]
    fractions.save()

    assert titles(client, "rss", "?topic=mathematics") == ["Fractions"]
    assert set(titles(client, "json", "?topic=mathematics&topic=equity")) == {"Fractions", "Equity in education"}
    assert titles(client, "atom", "?topic=nothing") == []
    assert titles(client, "atom", "?topic=%00") == []


def test_an_entry_carries_its_picture_with_the_credit_and_an_absolute_address(client, library):
    entry = json.loads(client.get("/feeds/resources.json").content)["items"][0]
    html = BeautifulSoup(entry["content_html"], "html.parser")

    assert entry["url"] == "http://testserver/resources/equity-in-education/"
    assert entry["authors"] == [{"name": "Irene Akana"}]
    assert entry["tags"] == ["Equity"]
    assert html.img["src"].startswith("http://testserver/media/")
    assert html.img["alt"] == "Three children look over a fence, each on a box that fits."
    assert "© Interaction Institute for Learning | Artist: Ana Maguire" in html.figcaption.get_text()


def test_the_words_of_a_feed_are_escaped(client, library):
    library.article.title = "</title><script>alert(1)</script>"
    library.article.summary = "<script>alert(2)</script>"
    library.article.save()

    for form in ("rss", "atom"):
        feed = BeautifulSoup(client.get(f"/feeds/resources.{form}").content, "xml")
        assert not feed.find("script")
    entry = json.loads(client.get("/feeds/resources.json").content)["items"][0]
    assert not BeautifulSoup(entry["content_html"], "html.parser").find("script")


def test_a_sign_that_xml_does_not_know_is_left_out(client, library):
    library.article.title = "Equity\x0b in\x02 education"
    library.article.summary = "Two\x08 fences"
    library.article.save()
    Term.objects.update(name="Equ\x1fity")

    for form in ("rss", "atom"):
        assert titles(client, form) == ["Equity in education"]
        assert "Two fences" in client.get(f"/feeds/resources.{form}").content.decode()


def test_the_spanish_feed_holds_spanish_resources_alone(client, library):
    assert titles(client, "rss") == ["Equity in education"]
    assert client.get("/es/feeds/resources.rss").status_code == 200
    assert BeautifulSoup(client.get("/es/feeds/resources.rss").content, "xml").find_all("item") == []


def test_the_spanish_feed_is_described_in_the_words_of_the_spanish_home_page(client, library):
    Organisation.objects.create(tagline="Learning side by side.", description="A network of schools.")
    HomePage.objects.filter(locale=spanish()).update(lead="Una red de escuelas.")

    assert json.loads(client.get("/feeds/resources.json").content)["description"] == "A network of schools."
    assert json.loads(client.get("/es/feeds/resources.json").content)["description"] == "Una red de escuelas."


def test_an_unknown_form_of_feed_is_not_found(client, library):
    assert client.get("/feeds/resources.pdf").status_code == 404


def test_the_names_of_entries_stay_when_the_address_changes(client, library):
    def names():
        return [item["id"] for item in json.loads(client.get("/feeds/resources.json").content)["items"]]

    before = names()
    library.article.slug = "equity"
    library.article.save()

    assert names() == before
