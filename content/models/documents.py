"""Documents that carry their credit."""

from django.utils.translation import gettext_lazy as _
from wagtail.documents.models import AbstractDocument

from content.models.credited import CREDIT_FIELDS, CREDIT_SEARCH_FIELDS, Credited


class CreditedDocument(Credited, AbstractDocument):
    """A file to download, with its credit."""

    admin_form_fields = ("title", "file", *CREDIT_FIELDS, "collection", "tags")
    search_fields = [*AbstractDocument.search_fields, *CREDIT_SEARCH_FIELDS]

    class Meta(AbstractDocument.Meta):
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        permissions = [("choose_document", "Can choose document")]
