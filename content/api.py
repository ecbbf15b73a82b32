"""The read API (Wagtail API v2) at /api/v2/: live, public pages, and the pictures and documents readers can see."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import BigIntegerField, CharField, Model, QuerySet
from django.db.models.functions import Cast
from django.utils import translation
from rest_framework.fields import ReadOnlyField
from rest_framework.request import Request
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.serializers import BaseSerializer, PageSerializer
from wagtail.api.v2.utils import BadRequestError
from wagtail.api.v2.views import BaseAPIViewSet, PagesAPIViewSet
from wagtail.documents.api.v2.views import DocumentsAPIViewSet
from wagtail.images.api.v2.views import ImagesAPIViewSet
from wagtail.models import Locale, Page, ReferenceIndex

from content import pictures, shelves
from content.models import CreditedDocument, CreditedImage
from content.public_pages import public_pages

LOCALE = "locale"  # Wagtail's own parameter for pages
CREDIT = ["creator", "holder", "licence", "licence_url", "credit_line", "source_url", "adapted"]
TEXTS = ["alt_text", "is_decorative", "long_description", "languages"]


def offered() -> QuerySet[ReferenceIndex]:
    """The keys of the documents that live, public pages offer."""
    kinds = ContentType.objects.get_for_models(Page, CreditedDocument)
    pages = public_pages(Page.objects.all()).annotate(key=Cast("pk", CharField())).values("key")
    uses = ReferenceIndex.objects.filter(
        base_content_type=kinds[Page], object_id__in=pages, to_content_type=kinds[CreditedDocument]
    )
    keys: QuerySet[ReferenceIndex] = uses.annotate(key=Cast("to_object_id", BigIntegerField())).values("key")
    return keys


class Questions(BaseAPIViewSet):
    """Refuses what no database can look for, before one is asked."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if any("\x00" in value for _name, values in request.GET.lists() for value in values):
            raise BadRequestError("a question can not hold a null character")
        for name in ("id", "offset"):
            if not re.fullmatch("[0-9]{1,18}", request.GET.get(name, "0")):
                raise BadRequestError(f"{name} must be a positive integer of at most 18 digits")


class PageInItsLanguage(PageSerializer):
    """A page in its own language, whatever the address: so are the words of its pictures."""

    def to_representation(self, instance: Page) -> dict[str, Any]:
        with translation.override(instance.locale.language_code):
            if "body" in self.fields:
                pictures.in_body(instance.body)
            page: dict[str, Any] = super().to_representation(instance)
        return page


class Pages(Questions, PagesAPIViewSet):
    """Live, public pages in the languages of the site."""

    base_serializer_class = PageInItsLanguage

    def get_queryset(self) -> QuerySet[Page]:
        pages = public_pages(super().get_queryset())
        return pages.prefetch_related(*shelves.PICTURE) if hasattr(pages.model, "picture") else pages


class ImageInOneLanguage(BaseSerializer):
    """A picture with its words in the language asked for; `languages` says which each of them is really in.

    The base is not Wagtail's own, which tells of the originals: those are for editors alone.
    """

    languages = ReadOnlyField(source="described.languages")
    long_description = ReadOnlyField(source="described.long_description")
    title = ReadOnlyField(source="described.title")

    def to_representation(self, instance: CreditedImage) -> dict[str, Any]:
        with translation.override(self.context["request"].GET.get(LOCALE) or settings.LANGUAGE_CODE):
            image: dict[str, Any] = super().to_representation(instance)
        return image


class Images(Questions, ImagesAPIViewSet):
    """Pictures with their credit, and their words in the site's first language or in that of `?locale=`."""

    base_serializer_class = ImageInOneLanguage
    known_query_parameters = ImagesAPIViewSet.known_query_parameters.union([LOCALE])
    body_fields = [*ImagesAPIViewSet.body_fields, *TEXTS, *CREDIT]
    listing_default_fields = [*ImagesAPIViewSet.listing_default_fields, "width", "height", *TEXTS, *CREDIT]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        languages = Locale.objects.values_list("language_code", flat=True)
        if LOCALE in request.GET and request.GET[LOCALE] not in languages:
            raise BadRequestError("locale must be the code of a language of this site")

    def get_queryset(self) -> QuerySet[Model]:
        shown: QuerySet[Model] = super().get_queryset().filter(pk__in=pictures.shown().values("pk"))
        return shown.prefetch_related("renditions", "texts")


class Documents(Questions, DocumentsAPIViewSet):
    """Documents with their credit."""

    body_fields = [*DocumentsAPIViewSet.body_fields, *CREDIT]
    listing_default_fields = [*DocumentsAPIViewSet.listing_default_fields, *CREDIT]

    def get_queryset(self) -> QuerySet[Model]:
        shown: QuerySet[Model] = super().get_queryset().filter(pk__in=offered())
        return shown


router = WagtailAPIRouter("api")
router.register_endpoint("pages", Pages)
router.register_endpoint("images", Images)
router.register_endpoint("documents", Documents)
