"""The lists readers see: the Resource Center, the stories, the events."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import Locale, PageViewRestriction

from content import search
from content.models import (
    ArticlePage,
    EventPage,
    EventsPage,
    Facet,
    Partner,
    ResourceCenterPage,
    StoriesPage,
    StoryPage,
    Term,
)
from content.site import found

pytestmark = pytest.mark.django_db

ARTICLES = {
    "kitchen-table": ("Conferences at the kitchen table", ["family-partnership"], ["k-2", "3-5"]),
    "small-groups": ("Small groups that read", ["literacy"], ["k-2"]),
    "number-talks": ("Number talks", ["mathematics"], ["3-5"]),
}


@pytest.fixture
def site():
    return found()


@pytest.fixture
def resources(site):
    """Three articles in English and one in Spanish, filed under topics and grades."""
    for slug, (title, topics, grades) in ARTICLES.items():
        article(slug, title, "en", {"topic": topics, "grade": grades})
    article("en-la-mesa", "Reuniones en la mesa", "es", {"topic": ["family-partnership"]})
    search.rebuild()


def article(slug, title, language, choices):
    locale = Locale.objects.get(language_code=language)
    page = ArticlePage(title=title, slug=slug, summary=f"About {title}.", locale=locale)
    page.terms = [term(facet, choice, locale) for facet, choices in choices.items() for choice in choices]
    return ResourceCenterPage.objects.get(locale=locale).add_child(instance=page)


def term(facet, slug, locale):
    named = {"name": facet.title(), "position": ["topic", "grade"].index(facet)}
    group = Facet.objects.get_or_create(slug=facet, locale=locale, defaults=named)[0]
    name = slug.replace("-", " ").capitalize()
    return Term.objects.get_or_create(slug=slug, facet=group, locale=locale, defaults={"name": name})[0]


def read(client, address):
    """The page at an address: 200, one main and one h1."""
    response = client.get(address)
    assert response.status_code == 200
    page = BeautifulSoup(response.content, "lxml")
    assert len(page.find_all("h1")) == len(page.find_all("main")) == 1
    return page


def titles(page):
    return [link.get_text(strip=True) for link in page.select("#found .card__title a")]


def number(page):
    return page.select_one("#found h2").get_text(strip=True)


def choices(page, name):
    """Value -> (label with its count, whether it is ticked) of the facet's boxes."""
    boxes = page.select(f'.searching__form input[name="{name}"]')
    return {box["value"]: (" ".join(box.parent.get_text().split()), box.has_attr("checked")) for box in boxes}


def test_the_resource_center_lists_every_resource_of_its_language(client, resources):
    page = read(client, "/resources/")
    assert set(titles(page)) == {title for title, _topics, _grades in ARTICLES.values()}
    assert number(page) == "3 resources"
    assert titles(read(client, "/es/resources/")) == ["Reuniones en la mesa"]


def test_each_choice_shows_its_count_and_the_form_keeps_what_was_asked(client, resources):
    page = read(client, "/resources/?q=read&topic=literacy&grade=k-2&sort=newest")
    assert titles(page) == ["Small groups that read"]
    assert number(page) == "1 resource"
    assert choices(page, "topic") == {"literacy": ("Literacy (1)", True)}
    assert choices(page, "grade") == {"k-2": ("K 2 (1)", True)}
    assert page.select_one("#words")["value"] == "read"
    assert page.select_one('.searching__form input[name="sort"]')["value"] == "newest"


def test_facets_work_as_a_plain_form_without_any_script(client, resources):
    form = read(client, "/resources/").select_one(".searching__form")
    assert form["method"] == "get"
    assert form.find("button", string="Show results")["type"] == "submit"
    assert choices(form, "topic").keys() == {"family-partnership", "literacy", "mathematics"}


def test_what_was_asked_can_be_taken_back_piece_by_piece(client, resources):
    page = read(client, "/resources/?q=table&topic=family-partnership&grade=k-2&page=1")
    chips = {chip.get_text(" ", strip=True): chip["href"] for chip in page.select(".filters a")}
    assert chips == {
        "Take back: “table”": "?topic=family-partnership&grade=k-2",
        "Take back: Family partnership": "?q=table&grade=k-2",
        "Take back: K 2": "?q=table&topic=family-partnership",
        "Take all back": "?",
    }


def test_an_article_reached_from_a_search_leads_back_to_it(client, resources):
    page = read(client, "/resources/?q=table&topic=family-partnership")
    link = page.select_one("#found .card__title a")["href"]
    assert link == "/resources/kitchen-table/?q=table&topic=family-partnership"
    assert read(client, link).select_one("a.back")["href"] == "/resources/?q=table&topic=family-partnership"


def test_unknown_values_are_said_on_the_page(client, resources):
    page = read(client, "/resources/?topic=alchemy&topic=literacy&sort=sideways&page=seven")
    assert titles(page) == ["Small groups that read"]
    assert "We left out: Topic: alchemy; Sort by: sideways." in page.select_one(".notice").get_text(" ", strip=True)


def test_what_was_typed_is_shown_as_text_and_never_as_markup(client, resources):
    page = read(client, "/resources/?q=%3Cscript%3Ealert(1)%3C/script%3E&topic=%22%3E%3Cimg%20src=x%3E")
    assert not page.select("main script:not([type]), main img[src=x]")
    assert page.select_one("#words")["value"] == "<script>alert(1)</script>"


def test_hostile_questions_answer_with_a_page(client, resources):
    for text in ("\x00", '"', "a" * 100_000, "NEAR(a b) OR *", "\ud83d", "%", "'; --", "\u202e", '"' * 9_999):
        for parameter in ("q", "topic", "language", "sort", "page"):
            data = {parameter: text.encode("utf-8", "surrogatepass")}
            assert client.get("/resources/", data).status_code == 200, (parameter, ascii(text[:20]))


def test_a_list_tells_search_engines_what_it_is(client, resources):
    room = ResourceCenterPage.objects.get(locale__language_code="en")
    room.introduction = "<p>Guides &amp; routines, <b>used</b> with “students”.</p>"
    room.save()

    described = read(client, "/resources/").select('meta[name="description"]')

    assert [meta["content"] for meta in described] == ["Guides & routines, used with “students”."]


def test_a_search_without_an_answer_says_what_to_do(client, resources):
    page = read(client, "/resources/?q=zebra")
    assert number(page) == "0 resources"
    assert page.select_one(".empty a")["href"] == "?"


def test_an_answer_in_another_language_is_offered_when_this_one_has_none(client, resources):
    page = read(client, "/resources/?q=reuniones")
    assert page.select_one("p.found a")["href"] == "?q=reuniones&language=es"


def test_some_of_the_words_are_better_than_nothing_and_it_is_said(client, resources):
    page = read(client, "/resources/?q=kitchen+zebra")
    assert titles(page) == ["Conferences at the kitchen table"]
    assert "Nothing has all of these words" in page.select_one(".notice").get_text()


def test_a_private_resource_is_in_no_list(client, resources):
    PageViewRestriction.objects.create(page=ArticlePage.objects.get(slug="number-talks"), restriction_type="login")
    search.rebuild()
    assert "Number talks" not in titles(read(client, "/resources/"))


def test_a_list_costs_the_same_however_long_it_is(client, resources, django_assert_max_num_queries):
    client.get("/resources/?q=table")
    for number in range(20):
        article(f"more-{number}", f"More {number}", "en", {"topic": ["literacy"]})
    search.rebuild()
    with django_assert_max_num_queries(1000) as few:
        assert len(titles(read(client, "/resources/?q=table"))) == 1
    with django_assert_max_num_queries(1000) as many:
        assert len(titles(read(client, "/resources/?q=more"))) == 12
    assert len(many) == len(few) < 40


def test_the_pages_of_a_list_keep_the_question(client, resources):
    for number in range(20):
        article(f"more-{number}", f"More {number}", "en", {"topic": ["literacy"]})
    search.rebuild()
    first = read(client, "/resources/?q=more&topic=literacy")
    second = read(client, "/resources/" + first.select_one('a[rel="next"]')["href"])
    assert sorted(titles(first) + titles(second)) == sorted(f"More {number}" for number in range(20))
    assert "The list is not that long" in read(client, "/resources/?page=99").get_text()


@pytest.fixture
def stories(site):
    """A story from a school in Texas and one from a CMO in Ohio."""
    parent = StoriesPage.objects.get(locale__language_code="en")
    for slug, kind, state in (("lincoln-elementary", "school", "TX"), ("bright-schools", "cmo", "OH")):
        partner = Partner.objects.create(name=slug.title(), slug=slug, kind=kind, state=state, locale=parent.locale)
        parent.add_child(instance=StoryPage(title=f"How {slug}", slug=slug, partner=partner, locale=parent.locale))
    search.rebuild()


@pytest.mark.parametrize(
    "question",
    ["type=cmo", "state=oh", "state=OH", "partner=bright-schools", "q=ohio", "type=cmo&type=district&state=oh"],
)
def test_stories_are_found_by_partner_partner_type_and_state(client, stories, question):
    assert titles(read(client, f"/stories/?{question}")) == ["How bright-schools"]


def test_the_stories_offer_their_partners_with_counts(client, stories):
    page = read(client, "/stories/")
    assert number(page) == "2 stories"
    assert choices(page, "type") == {
        "school": ("School (1)", False),
        "cmo": ("Charter management organisation (1)", False),
    }
    assert choices(page, "state").keys() == {"oh", "tx"}


def test_a_search_in_the_resource_center_also_names_what_other_rooms_hold(client, resources, stories):
    page = read(client, "/resources/?q=ohio")
    assert [link["href"] for link in page.select(".elsewhere a")] == ["/stories/bright-schools/"]


def test_results_in_another_language_than_the_list_say_so(client, resources, stories):
    found = read(client, "/resources/?language=es")
    assert {words.get("lang") for words in found.select("#found .card__title a, #found .card__summary")} == {"es"}
    assert not read(client, "/resources/").select("#found [lang]")
    locale = Locale.objects.get(language_code="es")
    parent = StoriesPage.objects.get(locale=locale)
    costs = []
    for slug in ("visitas", "cartas"):
        parent.add_child(instance=StoryPage(title=f"{slug} en la mesa", slug=slug, locale=locale))
        search.rebuild()
        read(client, "/resources/?language=es&q=mesa")
        with CaptureQueriesContext(connection) as asked:
            page = read(client, "/resources/?language=es&q=mesa")
        costs.append(len(asked))
    told = {link["href"]: link["lang"] for link in page.select(".elsewhere a")}
    assert told == {"/es/stories/visitas/": "es", "/es/stories/cartas/": "es"}
    assert costs[0] == costs[1]


def test_events_are_listed_to_come_and_past(client, site):
    parent = EventsPage.objects.get(locale__language_code="en")
    for slug, days in (("next-month", 30), ("next-week", 7), ("last-week", -7), ("last-month", -30)):
        starts = timezone.now() + datetime.timedelta(days=days)
        ends = starts + datetime.timedelta(hours=1)
        parent.add_child(
            instance=EventPage(title=slug, slug=slug, starts_at=starts, ends_at=ends, locale=parent.locale)
        )
    page = read(client, "/events/")
    sections = {section["aria-labelledby"]: section for section in page.select("main section")}
    order = {name: [link.get_text() for link in section.select(".card__title a")] for name, section in sections.items()}
    assert order == {"coming": ["next-week", "next-month"], "past": ["last-week", "last-month"]}


def test_empty_rooms_say_what_will_be_there(client, site):
    for address in ("/resources/", "/stories/", "/events/", "/es/resources/"):
        assert read(client, address).select_one(".empty")


def test_the_styles_of_the_lists_name_no_colour_of_their_own():
    styles = Path("content/static/content/css/lists.css").read_text()
    assert not re.search(r"#[0-9a-f]{3,8}\b|rgb|hsl", styles)
