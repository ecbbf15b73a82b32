"""The plan of an empty site: the pages that every resource center has before anybody wrote a word."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from wagtail.models import Locale, Page, Site

from content import languages, roles
from content.models import CollectionsPage, EventsPage, HomePage, ResourceCenterPage, StoriesPage

P = TypeVar("P", bound=Page)
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
    locales = [Locale.objects.get_or_create(language_code=code)[0] for code in languages.codes()]
    home = _home(root, locales[0])
    for locale in locales:
        with translation.override(locale.language_code):
            local_home = home if locale == home.locale else _translated(home, locale, root, _("Home"))
            for kind, slug in ROOMS:
                _room(kind, slug, local_home, locale)
    roles.found()
    return home


def former_languages() -> list[tuple[str, str, int]]:
    """Languages that pages stand in and LANGUAGES does not name (any more): code, name, number of pages."""
    former = Locale.objects.exclude(language_code__in=languages.codes()).order_by("language_code")
    counted = [(each.language_code, Page.objects.filter(locale=each, depth__gt=1).count()) for each in former]
    return [(code, languages.language_name(code), pages) for code, pages in counted if pages]


def _home(root: Page, locale: Locale) -> HomePage:
    """The home page in the site's first language; at the root of the site, also when another language was first."""
    site = Site.objects.select_related("root_page").get(is_default_site=True)
    former = site.root_page
    standing = HomePage.objects.filter(translation_key=former.translation_key)
    home: HomePage | None = standing.filter(locale=locale).first() or HomePage.objects.filter(locale=locale).first()
    if home is None:
        with translation.override(locale.language_code):
            if former.specific_class is HomePage:
                home = _translated(former.specific, locale, root, _("Home"))
            else:
                home = HomePage(title=_("Home"), slug="resource-center", locale=locale)
                root.add_child(instance=home)
    if former.pk != home.pk:
        site.root_page = home
        site.save()
        if former.specific_class is Page and not former.get_children().exists():
            former.delete()
    return home


def _room(kind: type[Page], slug: str, home: Page, locale: Locale) -> None:
    """The page of a room, as a translation of the one that stands in another language."""
    if kind.objects.child_of(home).exists():
        return
    original = in_any_language(kind, home)
    if original is None:
        home.add_child(instance=kind(title=room_title(slug), slug=slug, show_in_menus=True, locale=locale))
    else:
        _translated(original, locale, home, room_title(slug))


def in_any_language(kind: type[P], home: Page) -> P | None:
    """A page of a kind that stands under a home page or one of its translations; the oldest of them."""
    homes = home.get_translations(inclusive=True).order_by("pk")
    found = (kind.objects.child_of(each).first() for each in homes)
    return next((page for page in found if page is not None), None)


def _translated(page: Any, locale: Locale, parent: Page, title: str) -> Any:
    existing = page.get_translation_or_none(locale)
    if existing is not None:
        return existing
    slug = page.slug if parent.depth > 1 else f"{page.slug}-{locale.language_code}"
    copy = type(page)(
        title=title, slug=slug, show_in_menus=page.show_in_menus, locale=locale, translation_key=page.translation_key
    )
    return parent.add_child(instance=copy)
