"""The newsletter's own page on an empty site, in every language."""

from __future__ import annotations

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from content import languages, site
from content.models import HomePage
from newsletter import roles
from newsletter.models import Newsletter, NewsletterPage

SLUG = "newsletter"


@transaction.atomic
def found() -> NewsletterPage:
    """Make the site's pages, the newsletter, its page in every language and its managers, where they are missing.

    Returns:
        The newsletter's page in the site's first language.
    """
    home = site.found()
    newsletter = Newsletter.objects.first() or Newsletter.objects.create(
        name="Resource Center newsletter", slug="monthly"
    )
    first = _page(home, newsletter)
    others = HomePage.objects.filter(locale__language_code__in=languages.codes()).exclude(pk=home.pk)
    for local_home in others.order_by("path"):
        _page(local_home, newsletter)
    roles.found()
    return first


def _page(home: HomePage, newsletter: Newsletter) -> NewsletterPage:
    standing: NewsletterPage | None = NewsletterPage.objects.child_of(home).first()
    if standing is not None:
        return standing
    original = site.in_any_language(NewsletterPage, home)
    with translation.override(home.locale.language_code):
        page = NewsletterPage(
            title=_("Newsletter"), slug=SLUG, newsletter=newsletter, show_in_menus=True, locale=home.locale
        )
    if original is not None:
        page.translation_key = original.translation_key
    home.add_child(instance=page)
    roles.entrust(page)
    return page
