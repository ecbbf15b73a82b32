"""What stands around every page: the ways to the rooms, to the other languages, and to the words about the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.models import Page, Site

from content.languages import language_name
from content.models import HomePage, InformationPage, Organisation, Partner, ResourceCenterPage
from content.public_pages import public_pages


@dataclass(frozen=True)
class Door:
    """One link of the navigation."""

    title: str
    url: str
    current: bool = False
    language: str = ""
    is_alias: bool = False


@dataclass(frozen=True)
class Frame:
    """Everything around the words of one page."""

    organisation: Organisation
    tagline: str
    description: str
    home_url: str
    search_url: str
    rooms: list[Door]
    information: list[Door]
    languages: list[Door]
    alternates: list[Door]


def around(request: HttpRequest, page: Page | Partner | None = None) -> Frame:
    """Gather what stands around a page, in the active language and in a fixed number of queries.

    Args:
        request: the reader's request; its path says which link is the current one.
        page: the Wagtail page or the partner being read, or None for another page made by a view.
    """
    homes = _homes(request)
    home = homes.get(get_language() or "") or homes.get(settings.LANGUAGE_CODE)
    shown: Any = public_pages(home.get_children().in_menu()) if home else []
    rooms = list(shown.specific()) if home else []
    alternates = _alternates(request, page)
    organisation = Organisation.load(request_or_site=request)
    return Frame(
        organisation=organisation,
        tagline=_tagline(organisation, home),
        description=_description(organisation, home),
        home_url=home.get_url(request) if home else "/",
        search_url=next((room.get_url(request) for room in rooms if isinstance(room, ResourceCenterPage)), ""),
        rooms=[_door(room, request) for room in rooms],
        information=[_door(words, request) for words in _information(home)],
        languages=[alternates.get(code) or _door(other, request) for code, other in homes.items()],
        alternates=[door for door in alternates.values() if not door.is_alias],
    )


def _tagline(organisation: Organisation, home: HomePage | None) -> str:
    """The organisation's tagline, which it has in one language; elsewhere the title of the translated home page."""
    if home is None or home.locale.language_code == settings.LANGUAGE_CODE:
        return organisation.tagline
    return str(home.title)


def _description(organisation: Organisation, home: HomePage | None) -> str:
    """The organisation's own words, which it has in one language; elsewhere the lead of the translated home page."""
    if home is None or home.locale.language_code == settings.LANGUAGE_CODE:
        return organisation.description
    return home.lead


def absolute(address: str) -> str:
    """An address of ours with the scheme and host of SITE_URL; one that has its own stays as it is."""
    return urljoin(settings.SITE_URL, address)


def _homes(request: HttpRequest) -> dict[str, HomePage]:
    site = Site.find_for_request(request)
    if site is None:
        return {}
    homes = HomePage.objects.filter(translation_key=site.root_page.translation_key).live().select_related("locale")
    found = {home.locale.language_code: home for home in homes}
    return {code: found[code] for code, _name in settings.LANGUAGES if code in found}


def _information(home: HomePage | None) -> list[InformationPage]:
    return list(public_pages(InformationPage.objects.child_of(home))) if home else []


def _door(page: Page, request: HttpRequest) -> Door:
    title = {ResourceCenterPage: _("Resources"), HomePage: ""}.get(type(page), page.title)
    url = page.get_url(request) or "/"
    return Door(
        title=title or language_name(page.locale.language_code),
        url=url,
        current=request.path.startswith(url),
        language=page.locale.language_code if isinstance(page, HomePage) else "",
    )


def _alternates(request: HttpRequest, page: Page | Partner | None) -> dict[str, Door]:
    """The same page in every language it exists in, this one among them.

    An alias in another language leads readers on, but repeats its source: search engines are not told of it.
    """
    if isinstance(page, Page):
        translations = public_pages(page.get_translations(inclusive=True)).select_related("locale")
        found = {each.locale.language_code: each for each in translations}
        urls = {code: each.get_url(request) for code, each in found.items()}
        repeated = {code for code, each in found.items() if each.alias_of_id}
    else:
        urls, repeated = _partner_urls(page) if page else _view_urls(request), set()
    return {
        code: Door(language_name(code), urls[code], code == get_language(), code, code in repeated)
        for code, _name in settings.LANGUAGES
        if urls.get(code)
    }


def _partner_urls(partner: Partner) -> dict[str, str]:
    versions = Partner.objects.filter(slug=partner.slug).select_related("locale")
    return {version.locale.language_code: version.url for version in versions}


def _view_urls(request: HttpRequest) -> dict[str, str]:
    match = request.resolver_match
    if match is None or match.view_name == "wagtail_serve":
        return {}
    return {code: translate_url(request.path, code) for code, _name in settings.LANGUAGES}
