"""What templates ask for: the frame, pictures with their credit, shelves of cards, the reader's search."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.core.paginator import Page as PageOfList
from django.http import HttpRequest, QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.blocks import StreamValue
from wagtail.models import Page
from wagtail.rich_text import get_text_for_indexing

from content import calendar, navigation, pictures, public_pages, shelves, structured_data
from content.credits import credit_line
from content.models import (
    ArticlePage,
    CollectionPage,
    CreditedDocument,
    CreditedImage,
    EventPage,
    Facet,
    Partner,
    StoryPage,
    Term,
)
from content.models.pages import ReadingPage
from content.wording import Wording, in_language

register = template.Library()
for shelf in (
    shelves.chosen,
    shelves.collected,
    shelves.collections,
    shelves.featured,
    shelves.latest_resources,
    shelves.latest_stories,
    shelves.next_events,
    shelves.related_resources,
):
    register.simple_tag(shelf)


@register.simple_tag(takes_context=True)
def frame(context: template.Context) -> navigation.Frame:
    """The navigation around this page."""
    page = context.get("page")
    if not isinstance(page, Page):
        return navigation.around(context["request"], context.get("partner"))
    shelves.open_to_read(page)
    return navigation.around(context["request"], page)


register.filter(navigation.absolute)
register.filter(in_language)
register.simple_tag(structured_data.script, name="structured_data")


@register.simple_tag
def credit(work: CreditedImage | CreditedDocument) -> SafeString:
    """The credit line of a picture or document."""
    return credit_line(work).html()


@register.simple_tag
def wording(image: CreditedImage, name: str) -> Wording:
    """Words of a picture in the page's language, or else in another one, which the words say."""
    return image.wording(name)


@register.simple_tag(takes_context=True)
def picture(
    context: template.Context,
    image: CreditedImage,
    shape: str = "text",
    alt: str | None = None,
    first: bool = False,
    credited: bool = False,
) -> SafeString:
    """A picture, and its credit: none is shown without.

    The end of the page names it. Where nothing is known of a page, the credit stands right under the picture.

    Args:
        context: of the template.
        image: what to show.
        shape: its place on the page, a key of `pictures.SHAPES`.
        alt: the alt text in this place; None takes the picture's own, "" says that it only decorates.
        first: whether it is the first large thing a reader sees.
        credited: whether the template itself puts the credit beside the picture.
    """
    drawn = pictures.picture(image, shape, alt=alt, first=first)
    request: Any = context.get("request")
    if not credited and request is None:
        return format_html('{}<p class="credit">{}</p>', drawn, credit(image))
    if not credited:
        request.small_pictures = {**getattr(request, "small_pictures", {}), image.pk: image}
    return format_html("{}", drawn)


@register.simple_tag(takes_context=True)
def small_pictures(context: template.Context) -> list[CreditedImage]:
    """The pictures shown without a credit line of their own, each once, in the order they were shown."""
    return list(getattr(context.get("request"), "small_pictures", {}).values())


@register.simple_tag(takes_context=True)
def signup_shown(context: template.Context) -> str:
    """Remember that the page has a sign-up form, so that its foot need not repeat it."""
    if request := context.get("request"):
        request.has_signup = True
    return ""


@dataclass(frozen=True)
class Kind:
    """What a card is about: a word for the styles and a word for the reader."""

    slug: str
    label: str


@register.simple_tag
def lang(words: Page | Partner) -> str:
    """The `lang` attribute for words in another language than the page around them (WCAG 3.1.2); else nothing."""
    code = words.locale.language_code
    return "" if code == get_language() else format_html(' lang="{}"', code)


TYPE = "type"  # the facet whose term says what a resource is: a guide, a protocol ...


@register.filter
def kind(page: Page) -> Kind:
    """Tell whether a page is a resource (by its type, where it has one), a story, an event or a collection."""
    if isinstance(page, ArticlePage):
        types = [term.name for term in page.terms.all() if term.facet.slug == TYPE]
        return Kind("resource", types[0] if types else _("Resource"))
    return {
        StoryPage: Kind("story", _("Story")),
        EventPage: Kind("event", _("Event")),
        CollectionPage: Kind("collection", _("Collection")),
    }.get(type(page), Kind("page", _("Page")))


@register.filter
def filed_under(page: ReadingPage) -> list[Term]:
    """The terms a page is found under, besides its type."""
    return [term for term in page.terms.all() if term.facet.slug != TYPE]


@register.filter
def first_terms(page: ReadingPage) -> list[Term]:
    """The few terms that a card shows: those of the first facet, which say what it is about."""
    terms = filed_under(page)
    return [term for term in terms if term.facet_id == terms[0].facet_id][:3]


@register.simple_tag
def illustrated(body: StreamValue) -> list[StreamValue.StreamChild]:
    """The blocks of a body, with the sizes of all its pictures loaded at once."""
    pictures.in_body(body)
    return list(body)


@register.filter
def host(url: str) -> str:
    """The host of an address, as readers know it."""
    return (urlsplit(url).hostname or url).removeprefix("www.")


@register.filter
def plain(words: str) -> str:
    """The words of rich text without its marks."""
    return " ".join(get_text_for_indexing(words or "").split())


@register.filter
def written(day: datetime.date) -> str:
    """A date written out."""
    return calendar.written(day)


@register.filter
def when(event: EventPage) -> str:
    """Day, times and zone of an event, written out."""
    return calendar.when(event)


SEARCH_PARAMETERS = ("q", "sort", "page", "language")


@register.simple_tag(takes_context=True)
def reader_search(context: template.Context) -> str:
    """The reader's search as a query string, such as `?q=equity&topic=math`; empty when there is none.

    The list hands it to its articles and an article hands it back, so that the way back needs no cookie and no
    script. Only the list's own parameters are passed on, newly encoded.
    """
    request: HttpRequest | None = context.get("request")
    if request is None or not request.GET:
        return ""
    known = {*SEARCH_PARAMETERS, *Facet.objects.values_list("slug", flat=True)}
    kept = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        if name in known:
            kept.setlist(name, [value[:200] for value in values[:20]])
    return f"?{kept.urlencode()}" if kept else ""


@register.simple_tag(takes_context=True)
def with_page(context: template.Context, number: int) -> str:
    """This address's query string with another page number; the first page has none."""
    query: Any = context["request"].GET.copy()
    query.pop("page", None)
    if number > 1:
        query["page"] = str(number)
    return f"?{query.urlencode()}"


@register.filter
def page_number(title: str, found: PageOfList[Any] | None) -> str:
    """The title of a list, from its second page on with the number of the page."""
    if not found or found.number == 1:
        return title
    return format_html(_("{title} – page {number}"), title=title, number=found.number)


@register.simple_tag(takes_context=True)
def canonical(context: template.Context, found: PageOfList[Any] | None = None, is_narrowed: bool = False) -> str:
    """The address that search engines are to keep for this page.

    An alias sends them to its source. Each page of a list has its own address; a list that was narrowed, searched or
    asked for a page it has not, has none but the whole list's.

    Args:
        context: of the page.
        found: the page of the list that is shown, if it is a list.
        is_narrowed: whether the list shows only what a reader asked for.
    """
    page, request = context.get("page"), context["request"]
    address = public_pages.source_of(page).get_url(request) if isinstance(page, Page) else request.path
    number = found.number if found and not is_narrowed else 1
    return navigation.absolute(f"{address}?page={number}" if number > 1 else address)


@register.simple_tag(takes_context=True)
def shown_at(context: template.Context, usage_url: str) -> Any:
    """Where the thing that a page asks to delete is shown, by the address of its usage; None on other pages."""
    shown: dict[str, Any] = context.get("shown_at") or {}
    return shown.get(usage_url)
