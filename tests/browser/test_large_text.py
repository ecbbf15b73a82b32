"""Text at twice its size fits on a phone: nothing has to be scrolled sideways (WCAG 1.4.4, 1.4.10)."""

from __future__ import annotations

import re

import pytest

from tests.chromium import ARGUMENTS
from tests.screenshots import pages

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("demo")]

PHONE = {"width": 390, "height": 844}
ADDRESS = "large.print@school.example"
TOO_WIDE = """() => {
  const window_ = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("body *")].filter(
    (one) => !one.closest(".table, .code, .visually-hidden") && one.getBoundingClientRect().right > window_ + 1
  );
  return [document.documentElement.scrollWidth - window_, out.map((one) => one.outerHTML.slice(0, 120))];
}"""


def too_wide(page):
    """By how many pixels the page is wider than its window, and what sticks out of it with all details open."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    return page.evaluate(TOO_WIDE)


@pytest.fixture(scope="module")
def large_print(browser, chromium_path):
    """A browser whose reader has set the text to twice the usual size."""
    arguments = [*ARGUMENTS, "--blink-settings=defaultFontSize=32"]
    large = browser.browser_type.launch(executable_path=chromium_path, args=arguments)
    yield large
    large.close()


def test_text_at_twice_its_size_fits_on_every_kind_of_page(demo, large_print):
    for width in (390, 768, 1280):
        context = large_print.new_context(viewport={"width": width, "height": 844})
        page = context.new_page()
        for name, language, path in pages(demo.url):
            page.goto(demo.url + path)
            assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
            assert too_wide(page) == [0, []], (width, name, language)
        context.close()


def test_text_that_a_style_enlarges_fits_too(demo, browser):
    """A reader's own style sheet moves no media query, so that the layout of the usual size must hold large text."""
    for width in (390, 768):
        context = browser.new_context(viewport={"width": width, "height": 844})
        page = context.new_page()
        for name, language, path in pages(demo.url):
            page.goto(demo.url + path)
            page.evaluate("document.documentElement.style.fontSize = '32px'")
            assert too_wide(page) == [0, []], (width, name, language)
        context.close()


def test_what_is_out_of_sight_stays_there(demo, large_print):
    context = large_print.new_context(viewport=PHONE)
    page = context.new_page()
    for path in ("/", "/es/"):
        page.goto(demo.url + path)
        skip = page.locator(".skip")
        assert skip.bounding_box()["y"] + skip.bounding_box()["height"] <= 0
        page.keyboard.press("Tab")
        assert skip.bounding_box()["y"] >= 0
    context.close()


def test_the_pages_of_a_subscriber_fit(demo, large_print):
    context = large_print.new_context(viewport=PHONE)
    page = context.new_page()

    def fits():
        page.wait_for_load_state()
        assert too_wide(page) == [0, []], page.url

    page.goto(f"{demo.url}/newsletter/")
    page.locator("main input[name=email]").fill("large print")
    page.locator("main form").evaluate("form => form.noValidate = true")
    page.locator("main button[type=submit]").click()
    fits()
    page.locator("main input[name=email]").fill(ADDRESS)
    page.locator("main button[type=submit]").click()
    fits()

    def arrived():
        page.goto(f"{demo.url}/mailbox/")
        return page.locator(".mailbox a", has_text=ADDRESS).count()

    demo.wait(arrived, 60, "the confirmation in the mailbox")
    fits()
    page.locator(".mailbox a", has_text=ADDRESS).first.click()
    fits()
    found = re.findall(r"https?://\S+/newsletter/\w+/\S+", page.locator(".mail-words").first.inner_text())
    links = {link.split("/newsletter/")[1].split("/")[0]: link for link in found}
    page.goto(links["confirm"])
    fits()
    page.locator("main button[type=submit]").click()
    fits()
    for purpose in ("preferences", "unsubscribe"):
        page.goto(links[purpose])
        fits()
    page.locator("main button[type=submit]").first.click()
    fits()
    for lost in (links["confirm"][:-5] + "/", f"{demo.url}/newsletter/confirm/", f"{demo.url}/es/no-such-page/"):
        page.goto(lost)
        fits()
    context.close()
