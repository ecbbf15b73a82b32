"""A small library for the tests of what readers see: one page of every kind, one draft, one that is private."""

import datetime
from dataclasses import dataclass

from django.utils import timezone
from wagtail.models import Locale, Page, PageViewRestriction

from content.models import (
    ArticleByline,
    ArticlePage,
    CollectionItem,
    CollectionPage,
    CollectionsPage,
    EventPage,
    EventsPage,
    Facet,
    FeaturedPage,
    HomePage,
    InformationPage,
    Partner,
    Person,
    ResourceCenterPage,
    StoriesPage,
    StoryPage,
    Term,
)
from newsletter.site import found

DAY = datetime.date(2026, 9, 14)


@dataclass
class Library:
    """The pages a test begins with."""

    picture: object
    home: HomePage
    article: ArticlePage
    story: StoryPage
    event: EventPage
    collection: CollectionPage
    about: InformationPage
    partner: Partner
    equity: Term

    def add_article(self, title, slug, **fields):
        """One more resource on equity, with a picture and a byline."""
        page = ArticlePage(
            title=title, slug=slug, summary=f"About {title}.", picture=self.picture(title), published_on=DAY, **fields
        )
        page.terms = [self.equity]
        ResourceCenterPage.objects.get(locale=self.home.locale).add_child(instance=page)
        ArticleByline.objects.create(page=page, person=Person.objects.get(name="Irene Akana"))
        return page

    def add_story(self, title, slug, **fields):
        """One more story of the partner."""
        page = StoryPage(
            title=title, slug=slug, partner=self.partner, picture=self.picture(title), published_on=DAY, **fields
        )
        return StoriesPage.objects.get(locale=self.home.locale).add_child(instance=page)


def english(kind):
    return kind.objects.get(locale__language_code="en")


def stocked(picture) -> Library:
    """Found the site and put one page of every kind on its shelves."""
    found()
    home = english(HomePage)
    facet = Facet.objects.create(name="Topic", slug="topic", locale=home.locale)
    equity = Term.objects.create(facet=facet, name="Equity", slug="equity", locale=home.locale)
    partner = Partner.objects.create(
        name="Harbor Street School",
        slug="harbor-street",
        kind="school",
        city="Saltmarsh",
        state="MA",
        locale=home.locale,
        picture=picture("The school by the harbor"),
    )
    Person.objects.create(name="Irene Akana", partner=partner, locale=home.locale, picture=picture("Irene at her desk"))
    library = Library(picture, home, None, None, None, None, None, partner, equity)
    library.article = library.add_article("Equity in education", "equity-in-education")
    library.story = library.add_story("The hour that changed us", "the-hour")
    library.event = english(EventsPage).add_child(
        instance=EventPage(
            title="Learning walk",
            slug="learning-walk",
            summary="Come and see.",
            picture=picture("Learning walk"),
            starts_at=timezone.now() + datetime.timedelta(days=9),
            ends_at=timezone.now() + datetime.timedelta(days=9, hours=2),
        )
    )
    library.collection = english(CollectionsPage).add_child(
        instance=CollectionPage(title="First month", slug="first-month", picture=picture("First month"))
    )
    CollectionItem.objects.create(collection=library.collection, page=library.article, note="Begin here.")
    library.about = home.add_child(instance=InformationPage(title="About us", slug="about", summary="Who we are."))
    FeaturedPage.objects.create(home=home, page=library.story)
    hide(library)
    return library


def hide(library):
    """A draft and a private page of each kind that lists show."""
    private = library.add_article("Private words", "private-words")
    PageViewRestriction.objects.create(page=Page.objects.get(pk=private.pk), restriction_type="login")
    library.add_article("Draft words", "draft-words", live=False)
    library.add_story("Draft story", "draft-story", live=False)
    for hidden in ArticlePage.objects.filter(slug__in=["private-words", "draft-words"]):
        CollectionItem.objects.create(collection=library.collection, page=hidden, sort_order=9)


def spanish() -> Locale:
    return Locale.objects.get(language_code="es")
