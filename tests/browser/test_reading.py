"""What every reader may count on, whatever the device: seen in a browser on the demo site."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.screenshots import pages

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def paths(demo):
    """Every kind of page in English and Spanish: (name and language, path)."""
    return [(f"{name}-{language}", path) for name, language, path in pages(demo.url)]


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


def test_axe_finds_no_violation_on_any_kind_of_page(demo, browser, paths, scheme):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 844})
    page = context.new_page()
    found = {}
    for name, path in paths:
        page.goto(demo.url + path)
        if violations := Axe().run(page).response["violations"]:
            found[name] = [(rule["id"], [node["html"][:200] for node in rule["nodes"]][:3]) for rule in violations]
    context.close()
    assert found == {}


def test_pages_ask_no_other_host_set_no_cookie_and_break_no_policy(demo, browser, paths):
    context = browser.new_context()
    page = context.new_page()
    asked, said = set(), []
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    for name, path in paths:
        if not name.startswith("not-found"):
            page.goto(demo.url + path)
    cookies = context.cookies()
    context.close()
    assert asked == {urlsplit(demo.url).netloc}
    assert cookies == []
    assert said == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_its_window(demo, browser, paths, width):
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    wide = []
    for name, path in paths:
        page.goto(demo.url + path)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(name)
    context.close()
    assert wide == []


def test_a_reader_without_javascript_searches_narrows_reads_and_comes_back(demo, browser):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{demo.url}/resources/?q=equity")
    page.locator("main article a, main li a[href*='/resources/']").first.click()
    assert "/resources/" in page.url and page.locator("h1").count() == 1
    page.get_by_role("link", name="Back to").first.click()
    assert "q=equity" in page.url
    context.close()


def test_every_page_has_one_heading_one_main_and_alt_on_every_picture(demo, browser, paths):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for name, path in paths:
        page.goto(demo.url + path)
        assert page.locator("html").get_attribute("lang") == name.rsplit("-", 1)[1], name
        assert (page.locator("h1").count(), page.locator("main").count()) == (1, 1), name
        assert page.locator("img:not([alt])").count() == 0, name
        assert page.title(), name
    context.close()
