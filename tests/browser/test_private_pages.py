"""The way of one subscriber through mail and private pages, on the smallest phone."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("demo")]

ADDRESS = "nia.brooks@school.example"
LINK = re.compile(r"https?://\S+")


@pytest.fixture
def phone(browser):
    """A page in a window of 320 pixels."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


@pytest.fixture
def fits(phone):
    """Checks that what is open is no wider than the window and that axe finds nothing wrong with it."""

    def check():
        assert phone.evaluate("document.documentElement.scrollWidth") <= 320, phone.url
        violations = Axe().run(phone).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in violations] == [], phone.url

    return check


def confirmation(demo, page):
    """Open the mail to ADDRESS in the mailbox; its links by their purpose."""

    def arrived():
        page.goto(f"{demo.url}/mailbox/")
        return page.locator(".mailbox a", has_text=ADDRESS).count()

    demo.wait(arrived, 60, "the confirmation in the mailbox")
    page.locator(".mailbox a", has_text=ADDRESS).first.click()
    links = LINK.findall(page.locator(".mail-words").first.inner_text())
    return {link.split("/newsletter/")[1].split("/")[0]: link for link in links if "/newsletter/" in link}


def test_signing_up_confirming_choosing_and_leaving_on_a_small_phone(demo, phone, fits):
    phone.goto(f"{demo.url}/newsletter/")
    fits()
    phone.locator("main input[name=email]").fill("nia at school")
    phone.locator("main form").evaluate("form => form.noValidate = true")
    phone.locator("main button[type=submit]").click()
    fits()
    phone.locator("main input[name=email]").fill(ADDRESS)
    phone.locator("main button[type=submit]").click()
    fits()

    links = confirmation(demo, phone)
    fits()
    phone.goto(links["confirm"])
    fits()
    phone.locator("main button[type=submit]").click()
    assert ADDRESS not in phone.content()
    fits()
    for purpose in ("preferences", "unsubscribe"):
        phone.goto(links[purpose])
        fits()
    phone.locator("main button[type=submit]").first.click()
    fits()
    phone.goto(links["confirm"][:-5] + "/")
    fits()
