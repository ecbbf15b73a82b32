"""What search engines are told about a page."""

import json

import pytest
from bs4 import BeautifulSoup

from tests.content.library import stocked

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.fixture
def library(picture):
    return stocked(picture)


def facts(client, path):
    """The things a page tells of, by their type."""
    page = BeautifulSoup(client.get(path).content, "html.parser")
    graph = json.loads(page.find("script", type="application/ld+json").string)["@graph"]
    return {str(thing["@type"]): thing for thing in graph}


def test_an_article_names_its_author_dates_and_licensed_picture(client, library):
    article = facts(client, "/resources/equity-in-education/")["['Article', 'LearningResource']"]

    assert article["headline"] == "Equity in education"
    assert article["datePublished"] == "2026-09-14"
    assert article["author"] == [{"@type": "Person", "name": "Irene Akana"}]
    assert article["inLanguage"] == "en"
    image = article["image"][0]
    assert image["@type"] == "ImageObject"
    assert image["creditText"] == "© Interaction Institute for Learning | Artist: Ana Maguire"
    assert image["license"] == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert image["creator"] == {"@type": "Person", "name": "Ana Maguire"}
    assert image["contentUrl"].startswith("http://testserver/media/")


def test_an_event_tells_when_and_where(client, library):
    online = facts(client, "/events/learning-walk/")["Event"]
    library.event.venue = "Harbor Street School, Saltmarsh"
    library.event.save()
    local = facts(client, "/events/learning-walk/")["Event"]

    assert online["startDate"] < online["endDate"]
    assert online["location"]["@type"] == "VirtualLocation"
    assert online["eventAttendanceMode"].endswith("OnlineEventAttendanceMode")
    assert local["location"]["name"] == "Harbor Street School, Saltmarsh"
    assert local["eventAttendanceMode"].endswith("OfflineEventAttendanceMode")


def test_the_way_to_the_page_is_told(client, library):
    steps = facts(client, "/stories/the-hour/")["BreadcrumbList"]["itemListElement"]

    assert [step["item"] for step in steps] == [
        "http://testserver/",
        "http://testserver/stories/",
        "http://testserver/stories/the-hour/",
    ]
    assert [step["position"] for step in steps] == [1, 2, 3]


def test_words_that_look_like_markup_do_not_end_the_data(client, library):
    library.article.title = "</script><script>alert(1)</script> & \u2028 “quotes”"
    library.article.save()

    page = BeautifulSoup(client.get("/resources/equity-in-education/").content, "html.parser")

    assert [tag["type"] for tag in page.find_all("script")] == ["application/ld+json"]
    assert (
        facts(client, "/resources/equity-in-education/")["['Article', 'LearningResource']"]["headline"]
        == library.article.title
    )


def test_the_join_link_for_registered_people_is_not_told(client, library):
    library.event.online_url = "https://meet.example/secret"
    library.event.save()

    assert "meet.example" not in client.get("/events/learning-walk/").text
