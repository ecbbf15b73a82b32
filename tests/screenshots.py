"""Pictures of every kind of page and of the digest mail, taken from a fresh demo site.

`python -m tests.screenshots [FOLDER] [--url URL]` writes `<kind>-<language>-<width>-<light|dark>.png`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.chromium import ARGUMENTS, executable
from tests.live import ROOT, LiveSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")


def first(url: str, kind: str, language: str) -> str:
    """The path of the first page of a kind in a language, as the read API lists them."""
    query = f"{url}/api/v2/pages/?type={kind}&locale={language}&limit=1&order=id"
    items = json.load(urllib.request.urlopen(query))["items"]
    return items[0]["meta"]["html_url"].removeprefix(url) if items else ""


def pages(url: str) -> Iterator[tuple[str, str, str]]:
    """Every kind of page as (name, language, path)."""
    for language, prefix in (("en", ""), ("es", "/es")):
        yield "home", language, f"{prefix}/"
        yield "resources", language, f"{prefix}/resources/"
        yield "resources-search", language, f"{prefix}/resources/?q=" + ("equity" if language == "en" else "equidad")
        yield "resources-nothing", language, f"{prefix}/resources/?q=xylophone"
        for room in ("stories", "events", "collections", "newsletter", "image-credits"):
            yield room, language, f"{prefix}/{room}/"
        for name, kind in (
            ("article", "content.ArticlePage"),
            ("story", "content.StoryPage"),
            ("event", "content.EventPage"),
            ("collection", "content.CollectionPage"),
            ("information", "content.InformationPage"),
            ("issue", "newsletter.IssuePage"),
        ):
            if path := first(url, kind, language):
                yield name, language, path
        yield "not-found", language, f"{prefix}/no-such-page/"
    yield "partner", "en", "/partners/" + partner(url) + "/"


def partner(url: str) -> str:
    """The slug of a partner, read off the stories page."""
    html = urllib.request.urlopen(f"{url}/stories/").read().decode()
    return html.split("/partners/", 1)[1].split("/", 1)[0] if "/partners/" in html else "none"


def take(browser: Browser, url: str, folder: Path) -> int:
    """Photograph every page at every width in both schemes. Returns how many pictures were written."""
    count = 0
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
            page = context.new_page()
            for name, language, path in pages(url):
                page.goto(url + path)
                page.evaluate(LOAD_LAZY_PICTURES)
                page.screenshot(path=folder / f"{name}-{language}-{width}-{scheme}.png", full_page=True)
                count += 1
            count += take_mail(page, url, folder, f"{width}-{scheme}")
            context.close()
    return count


LOAD_LAZY_PICTURES = """async () => {
  for (const image of document.images) image.loading = 'eager';
  await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
}"""


def take_mail(page, url: str, folder: Path, suffix: str) -> int:
    """Photograph the newest digest in the local mailbox, as HTML and as text."""
    page.goto(f"{url}/mailbox/")
    link = page.locator("a[href*='/mailbox/']", has_text="Resource").first
    if link.count() == 0:
        return 0
    page.goto(url + link.get_attribute("href"))
    page.screenshot(path=folder / f"mail-en-{suffix}.png", full_page=True)
    return 1


@contextmanager
def demo(given: str) -> Iterator[str]:
    """The address of the site to photograph: the given one, or a fresh demo site."""
    if given:
        yield given.rstrip("/")
        return
    with tempfile.TemporaryDirectory() as folder, LiveSite(Path(folder), "demo") as site:
        yield site.url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "var" / "screenshots")
    parser.add_argument("--url", default="", help="photograph this site instead of a fresh demo")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with demo(options.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        count = take(browser, url, options.folder)
        browser.close()
    print(f"{count} pictures in {options.folder}")


if __name__ == "__main__":
    main()
