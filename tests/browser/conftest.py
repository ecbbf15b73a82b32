"""The demo site in processes of its own, and a headless Chromium in front of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright

from tests.chromium import ARGUMENTS
from tests.live import LiveSite


@pytest.fixture(scope="session")
def demo(chromium_path, tmp_path_factory):
    """The demo site, ready to be read."""
    with LiveSite(tmp_path_factory.mktemp("demo"), "demo") as site:
        yield site


@pytest.fixture(scope="module")
def browser(chromium_path):
    """One browser for a file of tests. Its event loop ends with it: Django refuses to work inside one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()
