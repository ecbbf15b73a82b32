"""Shelves the demo library on an empty site: every page written, dated and published the way an editor would."""

from __future__ import annotations

import calendar
import json
import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from wagtail.models import Locale, Page

from content import languages, site
from content.demo import holdings, manuscripts
from content.demo.holdings import Holdings
from content.demo.manuscripts import Block, Manuscript
from content.models import (
    ArticleByline,
    ArticlePage,
    CollectionItem,
    CollectionPage,
    CreditedImage,
    EventPage,
    FeaturedPage,
    HomePage,
    InformationPage,
    Organisation,
    Partner,
    StoryByline,
    StoryPage,
)

KINDS: dict[str, type[Page]] = {
    "resources": ArticlePage,
    "stories": StoryPage,
    "events": EventPage,
    "information": InformationPage,
}
PLAIN = ("summary", "invitation", "venue", "online_url", "capacity")
RICH = {"callout": ("text",), "figure": ("caption",), "video": ("transcript",)}
ANNOUNCED = timedelta(days=21)  # before an event that is over; one to come is announced today at the latest
FIRST = "en"  # what the demo is written in; other languages translate some of it
LOCAL_LINK = re.compile(r'href="(/[^"]*)"')


class NotEmpty(Exception):
    """Somebody has written here already; the demo would mix with their pages."""


class NotSpoken(Exception):
    """The site does not speak the language that the demo is written in."""


def is_empty() -> bool:
    """Whether nobody has written, uploaded or named anything: the demo never touches a site in use."""
    written = Page.objects.filter(depth__gt=3).exists() or InformationPage.objects.exists()
    return not written and not CreditedImage.objects.exists() and not Partner.objects.exists()


def spoken() -> list[str]:
    """The languages of the demo that the site speaks, its first one first; none when English is not among them."""
    codes = [code for code in manuscripts.LANGUAGES if code in languages.codes()]
    return codes if FIRST in codes else []


@transaction.atomic
def load(today: date | None = None) -> dict[str, int]:
    """Load the whole library.

    Args:
        today: the day that all dates count from; None takes the organisation's own today.

    Returns:
        How many of what was loaded.

    Raises:
        NotEmpty: and nothing is changed.
        NotSpoken: and nothing is changed.
    """
    if not is_empty():
        raise NotEmpty
    if not spoken():
        raise NotSpoken
    home = site.found()
    introduce()
    shelving = Shelving(home, holdings.acquire(), today or timezone.localdate())
    shelving.shelve()
    holdings.draw_sizes(shelving.held.pictures)
    counted = {kind: len([key for key in shelving.pages if key[1] == kind]) for kind in (*KINDS, "collections")}
    return {"pictures": len(shelving.held.pictures), **counted}


def introduce() -> None:
    """Say whose resource center this is."""
    organisation = Organisation.load()
    for name, value in manuscripts.data("library.yaml")["organisation"].items():
        setattr(organisation, name, value)
    organisation.save()


class Shelving:
    """One loading: every page gets its place and address, then its words, so that pages can point at each other."""

    def __init__(self, home: HomePage, held: Holdings, today: date) -> None:
        self.held, self.today = held, today
        self.library = manuscripts.data("library.yaml")
        self.homes = {code: home.get_translation(Locale.objects.get(language_code=code)) for code in spoken()}
        self.pages: dict[tuple[str, str, str], Page] = {}
        self.addresses: dict[str, int] = {}

    def shelve(self) -> None:
        written = [(room, text) for code in self.homes for room in KINDS for text in manuscripts.shelf(room, code)]
        for room, text in written:
            self._place(room, text)
        self.addresses |= {page.url: page.pk for page in [*self.pages.values(), *self._rooms()]}
        for room, text in written:
            self._write(self.pages[text.language, room, text.slug], text)
        self._collect()
        for code, home in self.homes.items():
            self._furnish(code, home)

    def _rooms(self) -> list[Page]:
        return [room for home in self.homes.values() for room in home.get_children().specific()]

    def _room(self, code: str, slug: str) -> Page:
        home = self.homes[code]
        return home if slug == "information" else home.get_children().get(slug=slug)

    def _place(self, room: str, text: Manuscript) -> None:
        page = KINDS[room](title=text.about["title"], slug=text.slug, live=False)
        page.locale = self.homes[text.language].locale
        page.first_published_at = self._moment(self._day(text.about))
        original = self.pages.get((FIRST, room, text.slug))
        if original is not None:
            page.translation_key = original.translation_key
        self.pages[text.language, room, text.slug] = self._room(text.language, room).add_child(instance=page)

    def _write(self, page: Any, text: Manuscript) -> None:
        about = text.about
        for name in PLAIN:
            if name in about:
                setattr(page, name, about[name])
        page.body = self._body(text.body, text.language)
        if not isinstance(page, InformationPage):
            page.picture = self.held.pictures[about["picture"]]
            page.published_on = self._day(about)
            page.terms = self.held.terms_of(text.language, about["terms"])
        if isinstance(page, ArticlePage | StoryPage):
            byline = ArticleByline if isinstance(page, ArticlePage) else StoryByline
            page.bylines = [byline(person=self.held.people[text.language, slug]) for slug in about["authors"]]
        if isinstance(page, StoryPage):
            page.partner = self.held.partners[text.language, about["partner"]]
            facts = [{"type": "fact", "value": {"label": label, "value": fact}} for label, fact in about["facts"]]
            page.facts = json.dumps(facts)
        if isinstance(page, EventPage):
            page.starts_at = self._start(about)
            page.ends_at = page.starts_at + timedelta(minutes=about["minutes"])
        self._publish(page)

    def _collect(self) -> None:
        room = self._room(FIRST, "collections")
        for slug, about in self.library["collections"].items():
            day = self._day(about)
            collection = CollectionPage(
                title=about["title"],
                slug=slug,
                live=False,
                summary=about["summary"],
                picture=self.held.pictures[about["picture"]],
                published_on=day,
                first_published_at=self._moment(day),
                locale=room.locale,
            )
            room.add_child(instance=collection)
            collection.terms = self.held.terms_of(FIRST, about["terms"])
            collection.items = [
                CollectionItem(page=self._find(FIRST, item), note=note) for item, note in about["items"]
            ]
            self._publish(collection)
            self.pages[FIRST, "collections", slug] = collection

    def _furnish(self, code: str, home: Any) -> None:
        """Write the home page and the words above each list."""
        home = home.specific
        text = manuscripts.read(manuscripts.FOLDER / ("" if code == FIRST else code) / "home.md", code)
        home.title, home.seo_title, home.lead = (text.about[name] for name in ("title", "seo_title", "lead"))
        home.picture = self.held.pictures[text.about["picture"]]
        home.featured = [FeaturedPage(page=self._find(code, slug)) for slug in text.about["featured"]]
        home.body = self._body(text.body, code)
        self._publish(home)
        for slug, introduction in self.library["rooms"].items():
            room = self._room(code, slug).specific
            room.introduction = manuscripts.rich(introduction[code])
            self._publish(room)

    def _find(self, code: str, slug: str) -> Page:
        """A page by its slug, in this language where it was written in it."""
        found = {key[0]: page for key, page in self.pages.items() if key[2] == slug}
        return found.get(code) or found[FIRST]

    def _body(self, body: list[Block], code: str) -> str:
        return json.dumps([{"type": block["type"], "value": self._value(block, code)} for block in body])

    def _value(self, block: Block, code: str) -> Any:
        kind, value = block["type"], block["value"]
        if kind == "heading":
            return value
        if kind == "text":
            return self._linked(value)
        value = value | {name: self._rich(value[name]) for name in RICH.get(kind, ()) if name in value}
        if kind == "figure":
            picture = self.held.pictures[value["image"]]
            alt = value.get("alt_text") or picture.wording("alt", code).text
            return {**value, "image": {"image": picture.pk, "alt_text": alt, "decorative": False}}
        if kind == "stories":
            return {**value, "stories": [self._find(code, slug).pk for slug in value["stories"]]}
        if kind == "steps":
            return {**value, "items": [{**step, "text": self._rich(step.get("text", ""))} for step in value["items"]]}
        if kind == "table":
            return _table(value)
        return value

    def _rich(self, words: str) -> str:
        return self._linked(manuscripts.rich(words))

    def _linked(self, html: str) -> str:
        """Turn addresses of our own pages into Wagtail's links, which follow a page when it moves."""

        def link(found: re.Match[str]) -> str:
            pk = self.addresses.get(found[1])
            return f'linktype="page" id="{pk}"' if pk else found[0]

        return LOCAL_LINK.sub(link, html)

    def _publish(self, page: Any) -> None:
        """Publish as an editor does, through the gate; then date the last change like the first."""
        page.full_clean()
        page.save_revision().publish()
        if page.first_published_at:
            Page.objects.filter(pk=page.pk).update(
                last_published_at=page.first_published_at, latest_revision_created_at=page.first_published_at
            )

    def _day(self, about: dict[str, Any]) -> date:
        """The day a page came out. Events were announced three weeks before, and at the latest ten days ago."""
        if "starts_in_days" in about:
            return min(self._start(about).date() - ANNOUNCED, self.today - timedelta(days=10))
        return self.today - timedelta(days=about.get("days_ago", 90))

    def _moment(self, day: date) -> datetime:
        """Nine in the morning of a day, and never in the future."""
        return min(timezone.make_aware(datetime.combine(day, time(9))), timezone.now())

    def _start(self, about: dict[str, Any]) -> datetime:
        """When an event begins: on its weekday, on or after so many days from today."""
        day = self.today + timedelta(days=about["starts_in_days"])
        day += timedelta(days=(getattr(calendar, about["weekday"].upper()) - day.weekday()) % 7)
        return timezone.make_aware(datetime.combine(day, time.fromisoformat(about["at"])))


def _table(value: dict[str, Any]) -> dict[str, Any]:
    """The first row names the columns, the first cell of every other row names the row."""
    headings, *rows = [[str(cell) for cell in row] for row in value["rows"]]
    return {
        "caption": value["caption"],
        "columns": [{"type": "text" if place else "name", "heading": words} for place, words in enumerate(headings)],
        "rows": [{"values": [manuscripts.rich(cell) for cell in row]} for row in rows],
    }
