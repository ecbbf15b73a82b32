"""The plan of an empty site: the pages that every resource center has before anybody wrote a word."""

from __future__ import annotations

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from wagtail.models import Locale, Page, Site

from content import roles
from content.models import CollectionsPage, EventsPage, HomePage, ResourceCenterPage, StoriesPage

ROOMS: tuple[tuple[type[Page], str], ...] = (
    (ResourceCenterPage, "resources"),
    (StoriesPage, "stories"),
    (EventsPage, "events"),
    (CollectionsPage, "collections"),
)


def room_title(slug: str) -> str:
    """The title of a room's page in the active language."""
    return {
        "resources": _("Resource Center"),
        "stories": _("Stories"),
        "events": _("Events"),
        "collections": _("Collections"),
    }[slug]


@transaction.atomic
def found() -> HomePage:
    """Make the home page and the room pages in every language, where they do not stand yet.

    Wagtail's own welcome page is replaced. Safe to call at every start.

    Returns:
        The home page in the site's first language.
    """
    root = Page.get_first_root_node()
    site = Site.objects.get(is_default_site=True)
    home: HomePage | None = HomePage.objects.filter(locale=Locale.get_default()).first()
    if home is None:
        home = HomePage(title=_("Home"), slug="resource-center", locale=Locale.get_default())
        root.add_child(instance=home)
        welcome, site.root_page = site.root_page, home
        site.save()
        if welcome.specific_class is Page and not welcome.get_children().exists():
            welcome.delete()
    for code in ("en", "es"):
        locale = Locale.objects.get_or_create(language_code=code)[0]
        with translation.override(code):
            local_home = home if locale == home.locale else _translated(home, locale, root, _("Home"))
            for kind, slug in ROOMS:
                _room(kind, slug, home, local_home, locale)
    roles.found()
    return home


def _room(kind: type[Page], slug: str, home: HomePage, local_home: Page, locale: Locale) -> None:
    original = kind.objects.child_of(home).first()
    if original is None:
        home.add_child(instance=kind(title=room_title(slug), slug=slug, show_in_menus=True, locale=locale))
    elif locale != home.locale:
        _translated(original, locale, local_home, room_title(slug))


def _translated(page: Page, locale: Locale, parent: Page, title: str) -> Page:
    existing = page.get_translation_or_none(locale)
    if existing is not None:
        return existing
    slug = page.slug if parent.depth > 1 else f"{page.slug}-{locale.language_code}"
    copy = type(page)(
        title=title, slug=slug, show_in_menus=page.show_in_menus, locale=locale, translation_key=page.translation_key
    )
    return parent.add_child(instance=copy)
