"""One tree per issue and language, as plain data: mail, text part and web page are all made from it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any, TypedDict
from urllib.parse import urljoin

import nh3
from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from wagtail.blocks import StreamValue
from wagtail.models import Page
from wagtail.rich_text import expand_db_html

from content import languages, shelves
from content.credits import credit_line
from content.models import CreditedImage, EventPage, Organisation, StoryPage
from content.public_pages import public_pages
from newsletter.messages.headers import one_line
from newsletter.models import IssuePage, NewsletterPage

# JPEG, because Outlook shows neither WebP nor AVIF; white under what was transparent; twice the width shown.
PICTURE = "max-1104x1104|format-jpeg|jpegquality-82|bgcolor-ffffff"
PICTURE_WIDTH = 552

SECTIONS = ("resources", "stories", "events")
INTRODUCTION_TAGS = {"a", "b", "br", "em", "i", "li", "ol", "p", "strong", "sub", "sup", "ul"}


class Picture(TypedDict):
    image: int
    url: str
    width: int
    height: int
    alt: str
    language: str  # of the alt text: not the issue's own where the picture has no words in that
    credit_text: str
    credit_html: str


class Item(TypedDict):
    """One page in an issue. `language` is set where it is not the issue's own; `facts` say whose, when, where."""

    page: int
    title: str
    summary: str
    url: str
    language: str
    facts: list[str]
    pinned: bool
    terms: list[str]
    picture: Picture | None


class Section(TypedDict):
    kind: str
    title: str
    action: str
    items: list[Item]


class Tree(TypedDict):
    """Everything an issue says, in one language. Addresses are absolute, rich text is clean HTML."""

    language: str
    newsletter: str
    organisation: str
    title: str
    month: str
    subject: str
    preheader: str
    introduction: str
    sections: list[Section]
    closing: str
    postal_address: list[str]
    web_url: str
    archive_url: str
    home_url: str


def tree(issue: IssuePage) -> Tree:
    """What an issue says, with its items in the editor's order; only pages that anybody may read."""
    language = issue.locale.language_code
    with translation.override(language):
        content: Tree = _clean(
            Tree(
                language=language,
                newsletter=issue.newsletter.name,
                organisation=Organisation.load().name,
                title=issue.title,
                month=date_format(issue.month, "YEAR_MONTH_FORMAT"),
                subject=one_line(issue.subject),
                preheader=one_line(issue.preheader),
                introduction=_rich(issue.introduction),
                sections=_sections(issue, language),
                closing=_rich(issue.closing),
                postal_address=postal_address(),
                web_url=absolute(page_path(issue)),
                archive_url=archive_url(language),
                home_url=home_url(language),
            )
        )
    return content


def arranged(content: Tree, wanted: Collection[str]) -> Tree:
    """The tree as one group of subscribers gets it: pinned first, then resources under a term they chose.

    The first item of each section leads it and keeps its picture; the others make do with words.
    """
    sections = []
    for section in content["sections"]:
        items = list(section["items"])
        if section["kind"] == "resources":
            items.sort(key=lambda item: (not item["pinned"], wanted and not set(item["terms"]) & set(wanted)))
        led: list[Item] = [{**item, "picture": item["picture"] if item is items[0] else None} for item in items]
        sections.append(Section(kind=section["kind"], title=section["title"], action=section["action"], items=led))
    return {**content, "sections": sections}


def order_key(content: Tree) -> str:
    """A name for the order of a tree's items: SHA-256, in hex."""
    order = [[item["page"] for item in section["items"]] for section in content["sections"]]
    return sha256(repr(order).encode()).hexdigest()


def editions(issue: IssuePage) -> dict[str, IssuePage]:
    """The pages of an issue by language, with their latest words: its own, and each finished translation.

    A translation counts as finished when it has a subject and at least one item; until then its readers get
    the issue in the site's first language.
    """
    spoken = issue.get_translations().filter(locale__language_code__in=languages.codes())
    pages = [issue, *spoken.select_related("locale")]
    latest = {page.locale.language_code: page.get_latest_revision_as_object() for page in pages}
    own = issue.locale.language_code
    return {code: page for code, page in latest.items() if code == own or (page.subject and any(chosen_pages(page)))}


def chosen_pages(issue: IssuePage) -> list[int]:
    """The ids of the pages an issue names, in its order."""
    values = [child.value for name in SECTIONS for child in getattr(issue, name)]
    return [value["page"].pk for value in values if value["page"] is not None]


def readable(pages: Iterable[int]) -> dict[int, Page]:
    """Those of the pages that anybody may read now, by id."""
    found = public_pages(Page.objects.filter(pk__in=pages).select_related("locale").specific())
    return {page.pk: page for page in found}


def absolute(path: str) -> str:
    """An address on this site, or elsewhere as it stands."""
    return urljoin(f"{settings.SITE_URL}/", path)


def page_path(page: Page) -> str:
    """A page's address without scheme and host."""
    parts = page.get_url_parts()
    return parts[2] if parts and parts[2] else "/"


def home_url(language: str) -> str:
    """The front door in one language."""
    code = languages.spoken(language)
    return absolute("/" if code == languages.first() else f"/{code}/")


def archive_url(language: str) -> str:
    """The page that lists the issues, in one language when it stands there, else in the first one found."""
    spoken = NewsletterPage.objects.live().filter(locale__language_code__in=languages.codes())
    pages = {page.locale.language_code: page for page in spoken.select_related("locale").order_by("path")}
    page = pages.get(language) or pages.get(languages.first()) or next(iter(pages.values()), None)
    return absolute(page_path(page) if page else "/newsletter/")


def postal_address() -> list[str]:
    """The lines of the organisation's postal address."""
    lines = settings.MAIL_POSTAL_ADDRESS.replace("\\n", "\n").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _sections(issue: IssuePage, language: str) -> list[Section]:
    words = {
        "resources": (_("Actionable resources"), _("Read the resource")),
        "stories": (_("Stories of best practice"), _("Read the story")),
        "events": (_("Invitations"), _("See the invitation")),
    }
    pages = readable(chosen_pages(issue))
    shelves.stocked(pages.values())
    sections = [
        Section(kind=kind, title=title, action=action, items=_items(getattr(issue, kind), pages, language))
        for kind, (title, action) in words.items()
    ]
    return [section for section in sections if section["items"]]


def _items(stream: StreamValue, pages: dict[int, Page], language: str) -> list[Item]:
    chosen = [(child.value, pages.get(child.value["page"].pk)) for child in stream if child.value.get("page")]
    return [_item(value, page, language) for value, page in chosen if page is not None]


def _item(value: Any, page: Any, language: str) -> Item:
    invitation = page.invitation if isinstance(page, EventPage) else ""
    own = page.locale.language_code
    return Item(
        page=page.pk,
        title=value["title"] or page.title,
        summary=value["summary"] or invitation or page.summary,
        url=absolute(page_path(page)),
        language="" if own == language else own,
        facts=[fact for fact in (*_facts(page), _foreign(own) if own != language else "") if fact],
        pinned=bool(value["pinned"]),
        terms=[str(key) for key in page.terms.values_list("translation_key", flat=True)],
        picture=_picture(page.picture, language),
    )


def _facts(page: Any) -> list[str]:
    if isinstance(page, StoryPage) and page.partner:
        return [f"{page.partner.name}, {page.partner.get_state_display()}"]
    if isinstance(page, EventPage):
        return [_when(page), page.venue or _("Online")]
    return []


def _foreign(language: str) -> str:
    words = {"en": _("In English"), "es": _("In Spanish")}
    return words.get(language) or languages.language_name(language)


def _picture(image: CreditedImage | None, language: str) -> Picture | None:
    if image is None:
        return None
    rendition = image.get_rendition(PICTURE)
    width = min(PICTURE_WIDTH, rendition.width)
    credit, alt = credit_line(image, language), image.alt_at(None, language)
    return Picture(
        image=image.pk,
        url=absolute(rendition.url) if rendition.is_drawn else "",  # without one, the alt text stands in its place
        width=width,
        height=round(rendition.height * width / rendition.width) if rendition.is_drawn else 0,
        alt=alt.text,
        language=alt.language,
        credit_text=str(credit.text()),
        credit_html=str(credit.html()),
    )


def _when(event: EventPage) -> str:
    if event.starts_at is None:
        return ""
    start, end = timezone.localtime(event.starts_at), event.ends_at and timezone.localtime(event.ends_at)
    if end is None:
        return _("%(day)s, %(time)s") % {"day": _day(start), "time": date_format(start, "P T")}
    if end.date() == start.date():
        times = {"day": _day(start), "start": date_format(start, "P"), "end": date_format(end, "P T")}
        return _("%(day)s, %(start)s to %(end)s") % times
    moments = {"start": f"{_day(start)}, {date_format(start, 'P')}", "end": f"{_day(end)}, {date_format(end, 'P T')}"}
    return _("%(start)s to %(end)s") % moments


def _day(moment: datetime) -> str:
    # Translators: a date in full, in Django's date format letters, such as "Tuesday, December 1, 2026".
    return date_format(moment, languages.date_pattern("l, F j, Y"))


def _rich(source: str) -> str:
    return nh3.clean(
        expand_db_html(source),
        tags=INTRODUCTION_TAGS,
        attributes={"a": {"href"}},
        attribute_filter=lambda _tag, _name, value: absolute(value),
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )


def _clean(value: Any) -> Any:
    """Plain data without the characters that mail can not hold or that mark our own slots."""
    if isinstance(value, str):
        return "".join(sign for sign in value if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Co", "Cs"))
    if isinstance(value, dict):
        return {key: _clean(part) for key, part in value.items()}
    return [_clean(part) for part in value] if isinstance(value, list) else value
