"""The read API (Wagtail API v2) at /api/v2/: live, public pages, and the pictures and documents readers can see."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.db.models import BigIntegerField, CharField, Model, Q, QuerySet
from django.db.models.functions import Cast
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
        Q(base_content_type=kinds[Page], object_id__in=pages) | Q(base_content_type__in=[kinds[Partner], kinds[Person]])
    )
    return model._default_manager.filter(
        pk__in=uses.annotate(key=Cast("to_object_id", BigIntegerField())).values("key")
    )


class Images(ImagesAPIViewSet):
    """Pictures with their credit."""

    body_fields = [*ImagesAPIViewSet.body_fields, *TEXTS, *CREDIT]
    listing_default_fields = [*ImagesAPIViewSet.listing_default_fields, "width", "height", *TEXTS, *CREDIT]

    def get_queryset(self) -> QuerySet[Model]:
        seen: QuerySet[Model] = super().get_queryset() & published(CreditedImage)
        return seen


class Documents(DocumentsAPIViewSet):
    """Documents with their credit."""

    body_fields = [*DocumentsAPIViewSet.body_fields, *CREDIT]
    listing_default_fields = [*DocumentsAPIViewSet.listing_default_fields, *CREDIT]

    def get_queryset(self) -> QuerySet[Model]:
        seen: QuerySet[Model] = super().get_queryset() & published(CreditedDocument)
        return seen


router = WagtailAPIRouter("api")
router.register_endpoint("pages", PagesAPIViewSet)
router.register_endpoint("images", Images)
router.register_endpoint("documents", Documents)
