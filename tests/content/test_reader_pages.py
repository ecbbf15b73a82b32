"""What readers see: every kind of page, whole, credited, private where it should be, and cheap."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models.signals import post_init
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from wagtail.models import Page

from content import views
from content.blocks import BodyBlock
from content.models import (
    ArticlePage,
    CollectionItem,
    CreditedImage,
    HomePage,
    Organisation,
    ResourceCenterPage,
    StoriesPage,
    StoryPage,
)
from content.patterns import patterns
from tests.content.conftest import figure
from tests.content.library import spanish, stocked

pytestmark = [pytest.mark.once, pytest.mark.django_db]

PAGES = [
    "/",
    "/resources/",
    "/resources/equity-in-education/",
    "/stories/",
    "/stories/the-hour/",
    "/events/",
    "/events/learning-walk/",
    "/collections/",
    "/collections/first-month/",
    "/about/",
    "/partners/harbor-street/",
    "/image-credits/",
]


@pytest.fixture
def library(picture):
    return stocked(picture)


def read(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, path
    return BeautifulSoup(answer.content, "html.parser")


def test_every_page_has_its_language_one_heading_one_main_and_a_title(client, library):
    for path in PAGES:
        page = read(client, path)

        assert page.html["lang"] == "en", path
        assert len(page.find_all("h1")) == len(page.find_all("main")) == 1, path
        assert page.h1.get_text(strip=True), path
        assert page.title.get_text(strip=True).strip("– "), path
        assert page.find("meta", attrs={"name": "viewport"}), path
        assert page.find("a", href="#main"), path


def test_every_picture_has_an_alt_attribute_measures_and_a_credit(client, library):
    for path in PAGES:
        page = read(client, path)

        for image in page.find_all("img"):
            assert image.has_attr("alt"), path
            assert image["width"] and image["height"], path
            around = image.find_parent("figure") or page.find("aside", class_="small-pictures")
            assert "Artist: Ana Maguire" in around.get_text(), path


def test_no_page_runs_or_styles_inline_or_asks_another_host_or_sets_a_cookie(client, library):
    for path in PAGES:
        answer = client.get(path)
        page = BeautifulSoup(answer.content, "html.parser")

        assert not page.find_all(style=True) and not page.find_all("style"), path
        assert {tag.get("type") for tag in page.find_all("script")} <= {"application/ld+json"}, path
        assert not [tag for tag in page.find_all(True) if any(name.startswith("on") for name in tag.attrs)], path
        for tag in page.find_all(["img", "source", "script"]) + page.find_all("link", rel="stylesheet"):
            for address in [tag.get("src"), tag.get("srcset"), tag.get("href")]:
                assert not address or not re.search(r"(?:^|\s)(https?:)?//", address), path
        assert not answer.cookies, path


def test_drafts_and_private_pages_are_named_nowhere(client, library):
    for path in PAGES:
        assert not re.search("Draft words|Private words|Draft story", read(client, path).get_text()), path


def test_a_private_page_is_not_shown_to_anybody(client, library):
    assert client.get("/resources/private-words/").status_code in (302, 403)
    assert client.get("/resources/draft-words/").status_code == 404


def test_the_first_picture_is_fetched_at_once_and_the_others_when_they_are_near(client, library):
    page = read(client, "/resources/equity-in-education/")

    first, *others = page.main.find_all("img")
    assert first["fetchpriority"] == "high"
    assert "loading" not in first.attrs
    assert all(image["loading"] == "lazy" for image in others)


def test_pictures_are_offered_as_webp_with_a_jpeg_to_fall_back_on(client, library):
    figure = read(client, "/resources/equity-in-education/").main.find("figure")

    assert figure.source["type"] == "image/webp"
    assert figure.img["src"].endswith(".jpg")


def test_a_figure_shows_the_alt_text_of_its_place_its_credit_and_its_long_description(client, library, picture):
    drawing = picture("Two fences", long_description="On the left, one box each.")
    block = library.article.body.stream_block.child_blocks["figure"]
    library.article.body = [
        ("figure", block.to_python(figure(drawing, alt="Three children share three boxes.")["value"]))
    ]
    library.article.save()

    shown = read(client, "/resources/equity-in-education/").find("img", alt="Three children share three boxes.")

    caption = shown.find_parent("figure").figcaption
    assert "© Interaction Institute for Learning | Artist: Ana Maguire" in caption.get_text()
    assert caption.find("a", rel="license")["href"] == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert "On the left, one box each." in caption.details.get_text()


def test_a_decorative_picture_is_skipped_by_screen_readers(client, library, picture):
    drawing = picture("A line of leaves")
    block = library.article.body.stream_block.child_blocks["figure"]
    library.article.body = [("figure", block.to_python(figure(drawing, alt="", decorative=True)["value"]))]
    library.article.save()

    images = read(client, "/resources/equity-in-education/").select(".prose img")

    assert [image["alt"] for image in images] == [""]


def test_every_block_has_a_template_of_its_own():
    templates = {name: block.meta.template for name, block in BodyBlock().child_blocks.items()}

    assert all((settings.BASE_DIR / "templates" / template).is_file() for template in templates.values())


def test_the_way_back_from_an_article_keeps_the_search(client, library):
    page = read(client, "/resources/equity-in-education/?q=equity+now&topic=equity&page=2")

    assert {link["href"] for link in page.select("a.back")} == {"/resources/?q=equity+now&topic=equity&page=2"}
    assert "search" in page.select_one("a.back").get_text()


@pytest.mark.parametrize(
    "address", ["?next=//evil.example", "?utm_source=x", "?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"]
)
def test_the_way_back_never_leaves_the_resource_center(client, library, address):
    page = read(client, f"/resources/equity-in-education/{address}")

    for link in page.select("a.back"):
        assert link["href"] == "/resources/" or re.fullmatch(r"/resources/\?q=[\w%+.-]*", link["href"])
    assert "evil.example" not in str(page)
    assert not page.find("script", type=None)


def test_the_address_without_the_search_is_the_canonical_one(client, library):
    page = read(client, "/resources/equity-in-education/?q=equity")

    assert page.find("link", rel="canonical")["href"] == "http://testserver/resources/equity-in-education/"


def test_related_resources_share_a_term_and_leave_the_article_itself_out(client, library):
    library.add_article("Equality is not equity", "equality")
    other = library.add_article("Fractions", "fractions")
    other.terms = []
    other.save()

    titles = [
        link.get_text() for link in read(client, "/resources/equity-in-education/").select(".related .card__title")
    ]

    assert titles == ["Equality is not equity"]


def test_a_translated_page_links_its_translation_and_others_link_the_home_page(client, library):
    home = HomePage.objects.get(locale=spanish())
    shelf = ResourceCenterPage.objects.get(locale=spanish())
    shelf.add_child(
        instance=ArticlePage(
            title="Equidad", slug="equidad", locale=spanish(), translation_key=library.article.translation_key
        )
    )

    page = read(client, "/resources/equity-in-education/")
    about = read(client, "/about/")

    assert page.select_one('.masthead a[hreflang="es"]')["href"] == "/es/resources/equidad/"
    assert {link["hreflang"]: link["href"] for link in page.select('link[rel="alternate"][hreflang]')} == {
        "en": "http://testserver/resources/equity-in-education/",
        "es": "http://testserver/es/resources/equidad/",
        "x-default": "http://testserver/resources/equity-in-education/",
    }
    assert about.select_one('.masthead a[hreflang="es"]')["href"] == home.url == "/es/"
    assert read(client, "/es/resources/equidad/").html["lang"] == "es"


def test_the_foot_of_a_spanish_page_speaks_spanish(client, library):
    organisation = Organisation.load()
    organisation.description = "A network of schools."
    organisation.save()
    HomePage.objects.filter(locale=spanish()).update(lead="Una red de escuelas.")

    assert "A network of schools." in read(client, "/").footer.get_text()
    assert "Una red de escuelas." in read(client, "/es/").footer.get_text()
    assert "A network of schools." not in read(client, "/es/").get_text()


def test_the_tagline_stands_on_the_pages_of_its_own_language_alone(client, library):
    organisation = Organisation.load()
    organisation.tagline = "Learning side by side."
    organisation.save()
    HomePage.objects.filter(locale=spanish()).update(title="Aprender juntos")

    assert read(client, "/").h1.get_text() == "Learning side by side."
    page = read(client, "/es/")
    assert page.h1.get_text() == "Aprender juntos"
    assert "Learning side by side." not in str(page)


def test_a_past_event_says_so_and_offers_no_registration(client, library):
    library.event.starts_at = library.event.ends_at = "2026-01-05T18:00:00Z"
    library.event.registration_url = "https://tickets.example/walk"
    library.event.save()

    page = read(client, "/events/learning-walk/")

    assert "This event is over" in page.main.get_text()
    assert not page.find("a", href="https://tickets.example/walk")


def test_a_partner_page_names_the_place_and_lists_its_stories(client, library):
    page = read(client, "/partners/harbor-street/")

    assert "Saltmarsh, Massachusetts" in page.main.get_text()
    assert page.find("a", href="/stories/the-hour/")
    assert client.get("/partners/nobody/").status_code == 404


def test_a_partner_is_found_and_offered_in_the_languages_it_is_written_in_alone(client, library):
    def offered():
        listed = BeautifulSoup(client.get("/sitemap.xml").content, "xml")
        switch = read(client, "/partners/harbor-street/").select_one('.masthead a[hreflang="es"]')["href"]
        return switch, "http://testserver/es/partners/harbor-street/" in [loc.get_text() for loc in listed("loc")]

    assert client.get("/es/partners/harbor-street/").status_code == 404
    assert offered() == ("/es/", False)

    library.partner.copy_for_translation(spanish()).save()

    page = read(client, "/es/partners/harbor-street/")
    assert page.html["lang"] == "es"
    assert page.select_one('.masthead a[hreflang="en"]')["href"] == "/partners/harbor-street/"
    assert offered() == ("/es/partners/harbor-street/", True)


def test_a_spanish_story_leads_to_its_partner_in_the_language_that_tells_of_it(client, library):
    StoriesPage.objects.get(locale=spanish()).add_child(
        instance=StoryPage(title="La hora", slug="la-hora", partner=library.partner, locale=spanish())
    )

    assert read(client, "/es/stories/la-hora/").select_one(".facts a")["href"] == "/partners/harbor-street/"


def test_a_card_in_another_language_than_its_page_says_so(client, library):
    shelf = ResourceCenterPage.objects.get(locale=spanish())
    article = shelf.add_child(
        instance=ArticlePage(title="Equidad", slug="equidad", summary="Tres cajas.", locale=spanish())
    )
    CollectionItem.objects.create(collection=library.collection, page=article)

    cards = read(client, "/collections/first-month/").select(".card")
    told = [[words.get("lang") for words in card.select(".card__title a, .card__summary")] for card in cards]
    assert told == [[None, None], ["es", "es"]]
    assert not read(client, "/es/resources/").select(".card [lang]")


def test_the_image_credits_name_every_published_picture_and_where_it_is(client, library, picture):
    picture("Never used")

    shown = read(client, "/image-credits/").main
    places = {
        item.get_text(" ", strip=True).split(" ©")[0]: {link["href"] for link in item.find_all("a")}
        for item in shown.select("li")
    }

    assert "/resources/equity-in-education/" in places["Equity in education"]
    assert "/partners/harbor-street/" in places["The school by the harbor"]
    assert "/stories/the-hour/" in places["The hour that changed us"]
    assert "/resources/equity-in-education/" in places["Irene at her desk"]
    assert not {"Never used", "Draft words", "Private words", "Draft story"} & set(places)


def test_the_image_credits_name_a_translated_partner_once_in_the_readers_language(client, library):
    library.partner.copy_for_translation(spanish()).save()

    def partners(path):
        return [link["href"] for link in read(client, path).select(".pictures a") if "/partners/" in link["href"]]

    assert partners("/image-credits/") == ["/partners/harbor-street/"]
    assert partners("/es/image-credits/") == ["/es/partners/harbor-street/"]


def test_the_image_credits_load_only_the_pictures_and_pages_of_one_part(client, library, monkeypatch):
    monkeypatch.setattr(views, "PICTURES_PER_PAGE", 2)
    loaded = []

    def note(instance, **said):
        loaded.append((type(instance), getattr(instance, "title", "")))

    post_init.connect(note)
    try:
        page = read(client, "/image-credits/?page=2")
    finally:
        post_init.disconnect(note)

    assert "Page 2 of 3" in page.main.get_text()
    assert [title for kind, title in loaded if kind is CreditedImage] == ["Irene at her desk", "Learning walk"]
    assert (Page, "Equity in education") in loaded
    assert (Page, "The hour that changed us") not in loaded


def test_the_header_and_the_footer_lead_everywhere(client, library):
    page = read(client, "/about/")

    rooms = [link["href"] for link in page.select(".masthead__rooms a")]
    assert rooms == ["/resources/", "/stories/", "/events/", "/collections/", "/newsletter/"]
    assert page.find("form", action="/resources/").find("input", attrs={"name": "q"})
    assert page.footer.find("form", action="/newsletter/subscribe/").find("input", attrs={"name": "email"})
    assert {"/about/", "/image-credits/"} <= {link["href"] for link in page.footer.find_all("a")}


def queries(client, path):
    """The number of queries of a page whose pictures have their sizes, with nothing in the cache."""
    read(client, path)
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        read(client, path)
    return len(captured)


def test_more_pages_and_pictures_cost_no_more_queries(client, library):
    paths = [
        "/",
        "/resources/equity-in-education/",
        "/collections/first-month/",
        "/partners/harbor-street/",
        "/image-credits/",
    ]

    def add(name):
        for number in range(3):
            page = library.add_article(f"{name} {number}", f"{name}-{number}")
            library.add_story(f"{name} story {number}", f"{name}-story-{number}")
            CollectionItem.objects.create(collection=library.collection, page=page, sort_order=5)

    add("early")
    before = [queries(client, path) for path in paths]
    add("more")

    assert [queries(client, path) for path in paths] == before


def test_the_body_costs_no_query_for_each_picture(client, library, picture):
    block = library.article.body.stream_block.child_blocks["figure"]
    counts = []
    for number in (2, 5):
        drawings = [picture(f"Drawing {number} {index}") for index in range(number)]
        library.article.body = [("figure", block.to_python(figure(drawing)["value"])) for drawing in drawings]
        library.article.save()
        counts.append(queries(client, "/resources/equity-in-education/"))

    assert counts[0] == counts[1]


def test_an_unknown_address_gets_a_kind_page_with_ways_on(client, library):
    page = read(client, "/resources/never-written/", 404)

    assert page.find("meta", attrs={"name": "robots"})["content"] == "noindex"
    assert page.main.find("a", href="/resources/")


def test_the_page_for_our_own_failures_needs_nothing_to_be_rendered():
    page = BeautifulSoup(render_to_string("500.html"), "html.parser")

    assert page.h1 and page.html["lang"] == "en"


def test_the_pattern_page_shows_every_part_and_only_to_developers(client, library, rf):
    page = BeautifulSoup(patterns(rf.get("/patterns/")).content, "html.parser")

    parts = [
        "card",
        "notice",
        "field",
        "empty",
        "figure",
        "quote",
        "callout",
        "steps",
        "link-card",
        "table",
        "pagination",
    ]
    assert [part for part in parts if not page.main.find(class_=part)] == []
    assert client.get("/patterns/").status_code == 404


def test_machines_find_their_files(client, library):
    sitemap = client.get("/sitemap.xml")
    robots = client.get("/robots.txt")
    security = client.get("/.well-known/security.txt")
    icon = client.get("/favicon.ico")

    assert sitemap["Content-Type"].startswith("application/xml")
    assert "Sitemap: http://testserver/sitemap.xml" in robots.text
    assert "Disallow: /admin/" in robots.text
    assert re.search(r"^Contact: .+\nExpires: 20\d\d-\d\d-01T00:00:00Z$", security.text, re.M)
    assert icon["Content-Type"] == "image/x-icon"
    assert icon.getvalue().startswith(b"\0\0\1\0")


def test_the_sitemap_lists_what_is_public_with_its_translations(client, library):
    text = client.get("/sitemap.xml").text
    listed = BeautifulSoup(text, "xml")
    urls = {entry.loc.get_text(): entry for entry in listed.find_all("url")}

    for path in PAGES:
        assert f"http://testserver{path}" in urls
    assert not re.search("private-words|draft-words|draft-story", text)
    alternates = {link["hreflang"]: link["href"] for link in urls["http://testserver/"].find_all("xhtml:link")}
    assert alternates == {"en": "http://testserver/", "es": "http://testserver/es/"}


def test_the_styles_name_colours_only_as_tokens():
    styles = Path(settings.BASE_DIR / "content/static/content/css")

    for file in ("parts.css", "lists.css"):
        assert not re.search(r"#[0-9a-f]{3,8}\b|rgb\(|hsl\(", (styles / file).read_text()), file


def test_the_fonts_are_small_and_carry_their_licence():
    fonts = settings.BASE_DIR / "content/static/content/fonts"

    assert sum(file.stat().st_size for file in fonts.glob("*.woff2")) <= 120 * 1024
    for name in {file.name.split("-italic")[0].removesuffix(".woff2") for file in fonts.glob("*.woff2")}:
        assert "SIL Open Font License" in (fonts / f"{name}-OFL.txt").read_text()
