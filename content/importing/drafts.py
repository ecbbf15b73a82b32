"""Makes draft articles of imported resources, and writes an article again that nobody has touched since."""

from __future__ import annotations

from html import escape
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _
from wagtail.models import Locale

from content import languages
from content.importing.resource import (
    Callout,
    Card,
    Code,
    Figure,
    Heading,
    ImportedResource,
    Piece,
    Quote,
    Table,
    Video,
    Words,
)
from content.models import ArticleByline, ArticlePage, CreditedImage, ImportedSource, Person, ResourceCenterPage, Term

Images = dict[Figure, CreditedImage]


@transaction.atomic
def write(resource: ImportedResource, images: Images, known: ImportedSource) -> ArticlePage:
    """Make or renew the draft of a resource, and remember where it came from.

    Args:
        resource: what was read.
        images: the pictures that were found, by figure.
        known: where it came from, with the fingerprint it has now; saved here.
    """
    page = known.page.specific if known.page else ArticlePage(live=False, locale=_parent(resource).locale)
    with translation.override(page.locale.language_code):
        _fill(page, resource, images)
    if page.pk is None:
        page.slug = _free_slug(resource)
        _parent(resource).add_child(instance=page)
    elif not page.live:
        page.save()
    known.page, known.revision = page, page.save_revision().pk
    known.save()
    return page


def is_untouched(known: ImportedSource) -> bool:
    """Whether the newest words of a page are still those of the import."""
    return known.page is None or known.page.latest_revision_id == known.revision


def unknown_names(resource: ImportedResource) -> list[str]:
    """What the resource names that this site has not got, in words."""
    said = []
    people, terms = _people(resource), _terms(resource)
    authors = [
        name for name in resource.authors if name.casefold() not in {person.name.casefold() for person in people}
    ]
    topics = [topic for topic in resource.topics if slugify(topic) not in {term.slug for term in terms}]
    if authors:
        said.append(f"no person here has the name of these authors: {', '.join(authors)}")
    if topics:
        said.append(f"no term here has the name of these topics: {', '.join(topics)}")
    return said


def _fill(page: ArticlePage, resource: ImportedResource, images: Images) -> None:
    page.title = resource.title[:255] or _("Untitled")
    page.draft_title = page.title
    page.summary = _cut(resource.summary, 300)
    page.published_on = resource.published_on
    page.picture = images.get(resource.cover) if resource.cover else None
    page.body = [block for piece in resource.pieces for block in _block(piece, images)]
    page.terms.set(_terms(resource))
    page.bylines = [ArticleByline(person=person) for person in _people(resource)]


def _block(piece: Piece, images: Images) -> list[dict[str, Any]]:
    value: Any
    match piece:
        case Heading(text):
            kind, value = "heading", text
        case Words(html):
            kind, value = "text", html
        case Figure():
            kind, value = _figure(piece, images.get(piece))
        case Table():
            kind, value = "table", _table(piece)
        case Code(text, language):
            kind, value = "code", {"language": language, "text": text}
        case Callout(tone, title, html):
            kind, value = "callout", {"tone": tone, "title": title, "text": html}
        case Quote(text, attribution):
            kind, value = "quote", {"text": text, "attribution": attribution, "role": ""}
        case Video(title, url):
            kind, value = "video", {"title": title, "url": url, "transcript": ""}
        case Card(title, url):
            kind, value = "links", {"title": "", "items": [{"title": title, "url": url, "source": "", "text": ""}]}
    return [{"type": kind, "value": value}]


def _figure(figure: Figure, image: CreditedImage | None) -> tuple[str, Any]:
    """The figure, or a call-out that keeps its place and its words until the picture is found."""
    if image is not None:
        placed = {"image": image.pk, "alt_text": figure.alt, "decorative": figure.decorative}
        return "figure", {"image": placed, "caption": figure.caption and f"<p>{figure.caption}</p>", "size": "text"}
    words = [escape(figure.alt, quote=False), figure.caption, escape(figure.credit.line, quote=False)]
    title = _("Picture missing: %(name)s") % {"name": figure.source[:120]}
    text = "".join(f"<p>{line}</p>" for line in dict.fromkeys(words) if line)
    return "callout", {"tone": "caution", "title": title, "text": text}


def _table(table: Table) -> dict[str, Any]:
    first = "name" if table.names_rows else "text"
    columns = [{"type": "text" if number else first, "heading": text} for number, text in enumerate(table.headings)]
    return {"columns": columns, "rows": [{"values": row} for row in table.rows], "caption": table.caption}


def _parent(resource: ImportedResource) -> ResourceCenterPage:
    """The Resource Center in the resource's language, or else in the site's first."""
    pages = ResourceCenterPage.objects.order_by("path")
    code = languages.closest(resource.language)
    page: ResourceCenterPage | None = pages.filter(locale__language_code=code).first()
    page = page or pages.filter(locale=Locale.get_default()).first()
    if page is None:
        raise ResourceCenterPage.DoesNotExist("There is no Resource Center page to put the articles under.")
    return page


def _free_slug(resource: ImportedResource) -> str:
    wanted = slugify(resource.slug or resource.title)[:200] or "article"
    taken = set(_parent(resource).get_children().values_list("slug", flat=True))
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _terms(resource: ImportedResource) -> list[Term]:
    slugs = {slugify(topic) for topic in resource.topics}
    return list(Term.objects.filter(slug__in=slugs, locale=_parent(resource).locale)) if slugs else []


def _people(resource: ImportedResource) -> list[Person]:
    found = []
    for name in resource.authors:
        person = Person.objects.filter(name__iexact=name, locale=_parent(resource).locale).first()
        if person and person not in found:
            found.append(person)
    return found


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,.;") + "…"
