"""Which pages anybody may read, and which of them lists name: an alias is the same text as its source.

Wagtail's own `public()` knows nothing of aliases. It lets an alias of a private page through, although the page itself
is served behind the lock of its source; and it gives the same text once for every alias.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from wagtail.models import Page

from content import languages

P = TypeVar("P", bound=Page)


def public_pages(pages: QuerySet[P]) -> QuerySet[P]:
    """Those of the pages that anybody may read: live, behind no lock, and no alias of a page behind one."""
    private = Page.objects.all().private_q()
    source = _sources(private)
    return _spoken(pages).filter(live=True).exclude(private).filter(Q(alias_of=None) | Exists(source))


def listed_pages(pages: QuerySet[P]) -> QuerySet[P]:
    """Those of the pages that lists, feeds and search name: public, and every text once in a language.

    An alias stands for its source only in another language, where the source does not stand itself; of several
    aliases there, the first one does.
    """
    private = Page.objects.all().private_q()
    elsewhere = _sources(private).exclude(locale=OuterRef("locale"))
    before = _open(private).filter(alias_of=OuterRef("alias_of"), locale=OuterRef("locale"), pk__lt=OuterRef("pk"))
    once = Q(alias_of=None) | (Exists(elsewhere) & ~Exists(before))
    return _spoken(pages).filter(live=True).exclude(private).filter(once)


def source_of(page: Page) -> Page:
    """The page that an alias repeats, which search engines are sent to; any other page is its own source."""
    seen = {page.pk}
    while page.alias_of_id and page.alias_of_id not in seen:
        seen.add(page.alias_of_id)
        page = page.alias_of
    return page


def _spoken(pages: QuerySet[P]) -> QuerySet[P]:
    """Those in a language of the site: a page in another one, which LANGUAGES named once, has no address."""
    return pages.filter(locale__language_code__in=languages.codes())


def _sources(private: Q) -> QuerySet[Page]:
    """The source of a page in an outer query, where it is open. An alias of an alias of an alias has none."""
    first = _open(private).filter(pk=OuterRef("alias_of"), alias_of=None)
    return _open(private).filter(pk=OuterRef("alias_of")).filter(Q(alias_of=None) | Exists(first))


def _open(private: Q) -> QuerySet[Page]:
    pages: QuerySet[Page] = Page.objects.filter(live=True).exclude(private)
    return pages
