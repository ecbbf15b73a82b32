"""The read API (Wagtail API v2) at /api/v2/: live, public pages, and the pictures and documents that readers can see."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import BigIntegerField, CharField, Model, Q, QuerySet
from django.db.models.functions import Cast
from rest_framework.request import Request
from wagtail.api.v2.filters import FieldsFilter, OrderingFilter, SearchFilter
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.views import PagesAPIViewSet
from wagtail.documents.api.v2.views import DocumentsAPIViewSet
from wagtail.images.api.v2.views import ImagesAPIViewSet
from wagtail.models import Page, ReferenceIndex

from content.models import CreditedDocument, CreditedImage, Partner, Person

CREDIT = ["creator", "holder", "licence", "licence_url", "credit_line", "source_url", "adapted"]
TEXTS = ["alt_text", "is_decorative", "long_description"]


def published(model: type[Model]) -> QuerySet[Model]:
    """The pictures or documents that live, public pages, partners and people show."""
    kinds = ContentType.objects.get_for_models(Page, Partner, Person, model)
    pages = Page.objects.live().public().annotate(key=Cast("pk", CharField())).values("key")
    uses = ReferenceIndex.objects.filter(to_content_type=kinds[model]).filter(
        Q(base_content_type=kinds[Page], object_id__in=pages)
        | Q(base_content_type__in=[kinds[Partner], kinds[Person]])
    )
    return model._default_manager.filter(pk__in=uses.annotate(key=Cast("to_object_id", BigIntegerField())).values("key"))


class PlainSearchFilter(SearchFilter):  # type: ignore[misc]
    """Searches for words only: signs such as an open quotation mark break the full-text query of SQLite."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        if "search" in request.GET:
            asked = request.GET.copy()
            asked["search"] = re.sub(r"[\W_]+", " ", asked["search"])
            request._request.GET = asked
        return super().filter_queryset(request, queryset, view)


FILTERS = [FieldsFilter, OrderingFilter, PlainSearchFilter]


class Pages(PagesAPIViewSet):  # type: ignore[misc]
    """Live, public pages."""

    filter_backends = [
        PlainSearchFilter if backend is SearchFilter else backend for backend in PagesAPIViewSet.filter_backends
    ]


class Images(ImagesAPIViewSet):
    """Pictures with their credit."""

    filter_backends = FILTERS
    body_fields = [*ImagesAPIViewSet.body_fields, *TEXTS, *CREDIT]
    listing_default_fields = [*ImagesAPIViewSet.listing_default_fields, "width", "height", *TEXTS, *CREDIT]

    def get_queryset(self) -> QuerySet[Model]:
        return super().get_queryset() & published(CreditedImage)


class Documents(DocumentsAPIViewSet):
    """Documents with their credit."""

    filter_backends = FILTERS
    body_fields = [*DocumentsAPIViewSet.body_fields, *CREDIT]
    listing_default_fields = [*DocumentsAPIViewSet.listing_default_fields, *CREDIT]

    def get_queryset(self) -> QuerySet[Model]:
        return super().get_queryset() & published(CreditedDocument)


router = WagtailAPIRouter("api")
router.register_endpoint("pages", Pages)
router.register_endpoint("images", Images)
router.register_endpoint("documents", Documents)
