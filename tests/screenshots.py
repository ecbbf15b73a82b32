"""Pictures of every kind of page and of the digest mail, taken from a fresh demo site.

`python -m tests.screenshots [FOLDER] [--url URL]` writes `<kind>-<language>-<width>-<light|dark>.png` into FOLDER
(`var/screenshots`), and the README's six into `docs/screenshots/`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.chromium import ARGUMENTS, executable
from tests.live import ROOT, LiveSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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
    """The slug of a partner, read off the page of one of its stories."""
    story = urllib.request.urlopen(url + first(url, "content.StoryPage", "en")).read().decode()
    return story.split("/partners/", 1)[1].split("/", 1)[0]


README = {
    "home": ("home-en", 1280, "light"),
    "article-phone": ("article-en", 390, "light"),
    "resources": ("resources-search-en", 1280, "light"),
    "story-dark": ("story-en", 1280, "dark"),
    "mail": ("mail-en", 1280, "light"),
    "event-es": ("event-es", 390, "light"),
}
README_FOLDER = ROOT / "docs" / "screenshots"
README_HEIGHT = {390: 844, 1280: 900}


def crop_for_readme(folder: Path) -> None:
    """Cut the upper part out of six of the pictures, small enough for a README."""
    README_FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (picture, width, scheme) in README.items():
        with Image.open(folder / f"{picture}-{width}-{scheme}.png") as whole:
            part = whole.convert("RGB").crop((0, 0, width, min(whole.height, README_HEIGHT[width])))
            part.quantize(128).save(README_FOLDER / f"{name}.png", optimize=True)


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


def take_mail(page: Page, url: str, folder: Path, suffix: str) -> int:
    """Photograph the newest mail in the local mailbox, as HTML and as text, where there is one."""
    page.goto(f"{url}/mailbox/")
    newest = page.locator(".mailbox a").first
    if newest.count() == 0:
        return 0
    mail = newest.get_attribute("href")
    for name, part in (("mail", "html"), ("mail-text", "text")):
        page.goto(f"{url}{mail}{part}/")
        page.screenshot(path=folder / f"{name}-en-{suffix}.png", full_page=True)
    return 2


def send_a_digest(site: LiveSite) -> None:
    """Draft last month's issue and send a test copy, so that there is a mail to look at."""
    last_month = datetime.date.today().replace(day=1) - datetime.timedelta(days=1)
    drafted = site.manage_json("compose_digest", "--month", f"{last_month:%Y-%m}")
    site.manage_json("send_issue", drafted["issue"], "--test-to", "reader@example.org")


@contextmanager
def demo(given: str) -> Iterator[str]:
    """The address of the site to photograph: the given one, or a fresh demo site."""
    if given:
        yield given.rstrip("/")
        return
    with tempfile.TemporaryDirectory() as folder, LiveSite(Path(folder), "demo") as site:
        send_a_digest(site)
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
    crop_for_readme(options.folder)
    print(f"{count} pictures in {options.folder}")


if __name__ == "__main__":
    main()
