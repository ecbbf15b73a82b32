"""What the editors' room works with: an empty site, and pictures drawn on the spot."""

from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from PIL import Image as Drawing

from content.models import ArticlePage, CreditedDocument, CreditedImage, ResourceCenterPage
from newsletter.site import found

FULL_CREDIT = {
    "description": "Three children look over a fence, each on a box that fits.",
    "holder": "Interaction Institute for Learning",
    "creator": "Ana Maguire",
    "licence": "CC-BY-SA-4.0",
}


def drawn(colour="teal", size=(320, 200)):
    """The bytes of a small PNG."""
    file = BytesIO()
    Drawing.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def resources(db):
    """The Resource Center's page on an empty site."""
    found()
    return ResourceCenterPage.objects.get(locale__language_code="en")


@pytest.fixture
def picture(db):
    """Makes a picture; what is not said is complete."""

    def make(title="Two fences", file_name="fences.png", **fields):
        file = ContentFile(drawn(), file_name)
        return CreditedImage.objects.create(title=title, file=file, width=320, height=200, **{**FULL_CREDIT, **fields})

    return make


@pytest.fixture
def document(db):
    """Makes a document; what is not said is complete."""

    def make(title="Lesson plan", **fields):
        file = ContentFile(b"A plan", "plan.txt")
        return CreditedDocument.objects.create(
            title=title, file=file, **{"creator": "Ana Maguire", "licence": "CC-BY-4.0", **fields}
        )

    return make


@pytest.fixture
def draft(resources):
    """Makes a draft article under the Resource Center."""

    def make(title="Equity in education", **fields):
        return resources.add_child(instance=ArticlePage(title=title, live=False, **fields))

    return make


def figure(image, alt="Three children look over a fence.", decorative=False):
    """A figure block with this picture."""
    return {
        "type": "figure",
        "value": {
            "image": {"image": image.pk, "alt_text": alt, "decorative": decorative},
            "caption": "",
            "size": "text",
        },
    }
