"""The tables of what educators read."""

from content.models.documents import CreditedDocument
from content.models.drafts import OpenableDraft
from content.models.entries import EntryKind, EntryTerm, SearchEntry, SearchIndex
from content.models.image_texts import ImageText
from content.models.images import CreditedImage, CreditedRendition
from content.models.pages import (
    ArticleByline,
    ArticlePage,
    CollectionItem,
    CollectionPage,
    CollectionsPage,
    EventPage,
    EventsPage,
    FeaturedPage,
    HomePage,
    InformationPage,
    ResourceCenterPage,
    StoriesPage,
    StoryByline,
    StoryPage,
)
from content.models.partners import Partner, PartnerKind, Person
from content.models.site import Edition, ImportedSource, Organisation
from content.models.terms import Facet, Term

__all__ = [
    "ArticleByline",
    "ArticlePage",
    "CollectionItem",
    "CollectionPage",
    "CollectionsPage",
    "CreditedDocument",
    "CreditedImage",
    "CreditedRendition",
    "Edition",
    "EntryKind",
    "EntryTerm",
    "EventPage",
    "EventsPage",
    "Facet",
    "FeaturedPage",
    "HomePage",
    "ImageText",
    "ImportedSource",
    "InformationPage",
    "OpenableDraft",
    "Organisation",
    "Partner",
    "PartnerKind",
    "Person",
    "ResourceCenterPage",
    "SearchEntry",
    "SearchIndex",
    "StoriesPage",
    "StoryByline",
    "StoryPage",
    "Term",
]
