"""The head of a page: one description, one canonical address, and for each page of a list its own."""

import re

import pytest
from bs4 import BeautifulSoup
from django.core.files.base import ContentFile
from django.utils import timezone
from wagtail.models import Page

from content import search, views
from content.models import CreditedImage, EventPage, EventsPage
from newsletter.models import IssuePage, NewsletterPage
from tests.content.conftest import FULL_CREDIT, drawn
from tests.content.library import stocked

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.fixture
def library(picture):
    return stocked(picture)


@pytest.fixture
def many(library, picture, monkeypatch):
    """More than one page of everything that is listed."""
    monkeypatch.setattr(views, "PICTURES_PER_PAGE", 3)
    past = timezone.now() - timezone.timedelta(days=30)
    for number in range(14):
        library.add_article(f"Resource {number}", f"resource-{number}")
        library.add_story(f"Story {number}", f"story-{number}")
        EventsPage.objects.get(locale=library.home.locale).add_child(
            instance=EventPage(title=f"Event {number}", slug=f"event-{number}", starts_at=past, ends_at=past)
        )
        page = NewsletterPage.objects.get(locale=library.home.locale)
        page.add_child(
            instance=IssuePage(
                title=f"Issue {number}",
                slug=f"issue-{number}",
                newsletter=page.newsletter,
                month=f"2025-{number % 12 + 1:02}-01",
                subject="Words",
            )
        )
    search.rebuild()
    return library


LISTS = ["/resources/", "/stories/", "/events/", "/newsletter/", "/image-credits/"]


def page_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.content, "html.parser")


def head(client, path):
    return page_of(client, path).head


def canonical(found):
    (link,) = found.select('link[rel="canonical"]')
    return link["href"].removeprefix("http://testserver")


@pytest.mark.parametrize("path", LISTS)
def test_the_second_page_of_a_list_has_its_own_title_and_address(client, many, path):
    first, second = head(client, path), head(client, f"{path}?page=2")
    assert canonical(first) == path
    assert canonical(second) == f"{path}?page=2"
    assert first.title.get_text() != second.title.get_text()
    assert " – page 2 – " in second.title.get_text()
    assert [each["content"] for each in first.select('meta[name="description"]')] != [""]
    if second.select_one('meta[property="og:url"]'):
        assert second.select_one('meta[property="og:url"]')["content"].endswith(f"{path}?page=2")
        assert not second.select('link[rel="alternate"][hreflang]')
    page = page_of(client, f"{path}?page=2")
    assert page.select_one('a[rel="prev"]')["href"] == "?"


@pytest.mark.parametrize("path", LISTS)
def test_a_page_that_a_list_has_not_is_called_what_is_shown(client, many, path):
    past_the_end = head(client, f"{path}?page=999")
    number = re.search(r" – page (\d+) – ", past_the_end.title.get_text())[1]
    assert canonical(past_the_end) == f"{path}?page={number}" != f"{path}?page=999"
    for none in ("1", "0", "-3", "two", "%00"):
        assert canonical(head(client, f"{path}?page={none}")) in (path, f"{path}?page={number}"), none


def test_a_narrowed_list_is_a_part_of_the_whole_one(client, many):
    narrowed = head(client, "/resources/?topic=equity&page=2")
    assert canonical(narrowed) == "/resources/"
    assert " – page 2 – " in narrowed.title.get_text()


def test_no_page_has_two_descriptions_or_two_canonical_addresses(client, many):
    newsletter = NewsletterPage.objects.get(locale=many.home.locale)
    newsletter.newsletter.description = "Once a month, from classrooms."
    newsletter.newsletter.save()
    IssuePage.objects.filter(slug="issue-0").update(
        introduction="<p>Dear reader, welcome &amp; hello.</p>", preheader="Fractions & friends"
    )
    NewsletterPage.objects.update(introduction="<p>What we send.</p>")
    for page in Page.objects.live().public().filter(depth__gt=1):
        found = head(client, page.url)
        assert len(found.select('meta[name="description"]')) <= 1, page.url
        assert len(found.select('meta[property="og:description"]')) <= 1, page.url
        assert len(found.select('link[rel="canonical"]')) == 1, page.url
    (description,) = head(client, "/newsletter/issues/issue-0/").select('meta[name="description"]')
    assert description["content"] == "Fractions & friends"


def test_a_description_with_signs_of_markup_is_the_same_on_every_page(client, many):
    many.home.get_children().filter(slug="resources").update(search_description="Math & “more”")
    assert head(client, "/resources/").select_one('meta[name="description"]')["content"] == "Math & “more”"
    second = head(client, "/resources/?page=2").select_one('meta[name="description"]')["content"]
    assert second == "Math & “more” – page 2"


def test_a_width_is_promised_only_where_there_is_a_choice(client, library, picture):
    library.article.picture = picture(title="A small one")  # 320 pixels wide: narrower than any place
    library.story.picture = CreditedImage.objects.create(
        title="A large one",
        file=ContentFile(drawn(size=(1700, 1000)), "large.png"),
        width=1700,
        height=1000,
        **FULL_CREDIT,
    )
    for page in (library.article, library.story):
        page.save_revision().publish()
    for path in ("/", "/resources/", "/resources/equity-in-education/", "/stories/the-hour/", "/image-credits/"):
        for tag in page_of(client, path).select("img, source"):
            widths = re.findall(r" (\d+)w", tag.get("srcset", ""))
            assert ("sizes" in tag.attrs) == bool(widths), tag
            assert len(widths) == len(set(widths)), tag
    assert not page_of(client, "/resources/equity-in-education/").select_one("main figure").select("[sizes]")
    assert len(page_of(client, "/stories/the-hour/").select_one("main figure source")["srcset"].split(",")) == 3
