"""The pages of the site."""

import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey, ParentalManyToManyField
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel, PageChooserPanel
from wagtail.api import APIField
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Orderable, Page
from wagtail.search import index

from content import gate
from content.blocks import BodyBlock, FactsBlock
from content.forms.pages import PublishingForm
from content.models.drafts import OpenableDraft
from content.models.images import CreditedImage
from content.models.partners import Partner, Person
from content.models.terms import Term
from content.representation import AttributionField, NamesField, PartnerField, TermsField


class ReadingPage(OpenableDraft, Page):
    """A page people read: a summary, a picture, a body, the terms it is found under."""

    summary = models.TextField(
        _("summary"),
        max_length=300,
        blank=True,
        help_text=_("One or two sentences for lists, search engines and the digest."),
    )
    picture = models.ForeignKey(
        CreditedImage,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("cover picture"),
    )
    body = StreamField(BodyBlock(), blank=True, verbose_name=_("body"))
    published_on = models.DateField(
        _("date"), null=True, blank=True, help_text=_("The date readers see. Empty: the day it was first published.")
    )
    terms = ParentalManyToManyField(Term, blank=True, related_name="+", verbose_name=_("terms"))

    api_fields = [
        APIField("summary"),
        APIField("date"),
        APIField("picture", serializer=AttributionField()),
        APIField("body"),
        APIField("terms", serializer=TermsField()),
    ]
    base_form_class = PublishingForm
    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        FieldPanel("picture"),
        FieldPanel("body"),
    ]
    search_fields = [*Page.search_fields, index.SearchField("summary"), index.SearchField("body")]

    class Meta:
        abstract = True

    @property
    def date(self) -> datetime.date | None:
        """The date readers see, in the organisation's time zone; None for a draft that never went live."""
        if self.published_on:
            return self.published_on
        return timezone.localdate(self.first_published_at) if self.first_published_at else None


class IndexPage(OpenableDraft, Page):
    """A page that lists its children: a title and a few words above the list."""

    introduction = RichTextField(_("introduction"), blank=True, features=["bold", "italic", "link"])

    base_form_class = PublishingForm
    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    search_fields = [*Page.search_fields, index.SearchField("introduction")]

    class Meta:
        abstract = True


class HomePage(OpenableDraft, Page):
    """The front door."""

    lead = models.TextField(_("lead"), max_length=400, blank=True, help_text=_("What this place is, in two sentences."))
    picture = models.ForeignKey(
        CreditedImage,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("cover picture"),
    )
    body = StreamField(BodyBlock(), blank=True, verbose_name=_("body"))

    base_form_class = PublishingForm
    content_panels = [
        *Page.content_panels,
        FieldPanel("lead"),
        FieldPanel("picture"),
        InlinePanel("featured", label=_("Featured page"), max_num=6),
        FieldPanel("body"),
    ]
    search_fields = [*Page.search_fields, index.SearchField("lead"), index.SearchField("body")]
    template = "content/home_page.html"

    class Meta:
        verbose_name = _("home page")


class FeaturedPage(Orderable):
    """A page shown on the home page, in the editor's order."""

    home = ParentalKey(HomePage, on_delete=models.CASCADE, related_name="featured")
    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="+", verbose_name=_("page"))

    panels = [
        PageChooserPanel(
            "page", ["content.ArticlePage", "content.StoryPage", "content.CollectionPage", "content.EventPage"]
        )
    ]


class ResourceCenterPage(IndexPage):
    """The Resource Center: every resource, with search and facets."""

    max_count_per_parent = 1
    parent_page_types = ["content.HomePage"]
    subpage_types = ["content.ArticlePage"]

    class Meta:
        verbose_name = _("Resource Center page")


class ArticlePage(ReadingPage):
    """A resource: something an educator can read, print, share and use."""

    api_fields = [*ReadingPage.api_fields, APIField("bylines", serializer=NamesField())]
    parent_page_types = ["content.ResourceCenterPage"]
    subpage_types: list[str] = []
    content_panels = [
        *ReadingPage.content_panels,
        InlinePanel("bylines", label=_("Byline")),
        MultiFieldPanel([FieldPanel("published_on"), FieldPanel("terms")], heading=_("Where it is found")),
    ]

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")


class ArticleByline(Orderable):
    """A person who wrote an article."""

    page = ParentalKey(ArticlePage, on_delete=models.CASCADE, related_name="bylines")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", verbose_name=_("person"))

    panels = [FieldPanel("person")]


class StoriesPage(IndexPage):
    """The list of best-practice stories."""

    max_count_per_parent = 1
    parent_page_types = ["content.HomePage"]
    subpage_types = ["content.StoryPage"]

    class Meta:
        verbose_name = _("stories page")


class StoryPage(ReadingPage):
    """A best practice, told by or with the partner it comes from."""

    partner = models.ForeignKey(
        Partner, null=True, blank=True, on_delete=models.SET_NULL, related_name="stories", verbose_name=_("partner")
    )
    facts = StreamField(FactsBlock(), blank=True, verbose_name=_("facts at a glance"))

    api_fields = [
        *ReadingPage.api_fields,
        APIField("partner", serializer=PartnerField()),
        APIField("facts"),
        APIField("bylines", serializer=NamesField()),
    ]
    parent_page_types = ["content.StoriesPage"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldPanel("partner"),
        FieldPanel("summary"),
        FieldPanel("picture"),
        FieldPanel("facts"),
        FieldPanel("body"),
        InlinePanel("bylines", label=_("Byline")),
        MultiFieldPanel([FieldPanel("published_on"), FieldPanel("terms")], heading=_("Where it is found")),
    ]

    class Meta:
        verbose_name = _("story")
        verbose_name_plural = _("stories")


class StoryByline(Orderable):
    """A person who told or wrote a story."""

    page = ParentalKey(StoryPage, on_delete=models.CASCADE, related_name="bylines")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", verbose_name=_("person"))

    panels = [FieldPanel("person")]


class EventsPage(IndexPage):
    """The list of events, to come and past."""

    max_count_per_parent = 1
    parent_page_types = ["content.HomePage"]
    subpage_types = ["content.EventPage"]

    class Meta:
        verbose_name = _("events page")


class EventPage(ReadingPage):
    """Something to come to, in a room or online."""

    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    venue = models.CharField(
        _("venue"), max_length=200, blank=True, help_text=_("Name and address; empty when online.")
    )
    online_url = models.URLField(_("link to join"), blank=True, help_text=_("Only for people who registered."))
    registration_url = models.URLField(_("where to register"), blank=True)
    capacity = models.PositiveIntegerField(_("places"), null=True, blank=True)
    invitation = models.TextField(
        _("invitation"), max_length=400, blank=True, help_text=_("How the digest invites: two warm sentences.")
    )

    api_fields = [
        *ReadingPage.api_fields,
        *(APIField(name) for name in ("starts_at", "ends_at", "venue", "registration_url", "invitation")),
    ]
    parent_page_types = ["content.EventsPage"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        FieldPanel("invitation"),
        FieldRowPanel([FieldPanel("starts_at"), FieldPanel("ends_at")]),
        FieldPanel("venue"),
        FieldPanel("online_url"),
        FieldPanel("registration_url"),
        FieldPanel("capacity"),
        FieldPanel("picture"),
        FieldPanel("body"),
        FieldPanel("terms"),
    ]

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def clean(self) -> None:
        """Refuse an end before the start, at every door: forms, importers, plain code.

        Raises:
            Refused: at the field of the end.
        """
        super().clean()
        if found := gate.contradictions(self):
            raise gate.Refused(self, found, at_fields=True)

    @property
    def is_past(self) -> bool:
        """Whether the event is over: its end, or its start when no end is given, lies behind us."""
        last = self.ends_at or self.starts_at
        return last is not None and last < timezone.now()


class CollectionsPage(IndexPage):
    """The list of collections."""

    max_count_per_parent = 1
    parent_page_types = ["content.HomePage"]
    subpage_types = ["content.CollectionPage"]

    class Meta:
        verbose_name = _("collections page")


class CollectionPage(ReadingPage):
    """A curated set of resources and stories, in the curator's order."""

    parent_page_types = ["content.CollectionsPage"]
    subpage_types: list[str] = []
    content_panels = [
        *ReadingPage.content_panels,
        InlinePanel("items", label=_("Page"), min_num=1),
        FieldPanel("terms"),
    ]

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")


class CollectionItem(Orderable):
    """A page in a collection, with the curator's reason for it."""

    collection = ParentalKey(CollectionPage, on_delete=models.CASCADE, related_name="items")
    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="+", verbose_name=_("page"))
    note = models.CharField(_("why it is here"), max_length=250, blank=True)

    panels = [PageChooserPanel("page", ["content.ArticlePage", "content.StoryPage"]), FieldPanel("note")]


class InformationPage(OpenableDraft, Page):
    """A page about the site itself: about, privacy, accessibility."""

    summary = models.TextField(_("summary"), max_length=300, blank=True)
    body = StreamField(BodyBlock(), blank=True, verbose_name=_("body"))

    api_fields = [APIField("summary"), APIField("body")]
    parent_page_types = ["content.HomePage", "content.InformationPage"]
    base_form_class = PublishingForm
    content_panels = [*Page.content_panels, FieldPanel("summary"), FieldPanel("body")]
    search_fields = [*Page.search_fields, index.SearchField("summary"), index.SearchField("body")]

    class Meta:
        verbose_name = _("information page")
        verbose_name_plural = _("information pages")
