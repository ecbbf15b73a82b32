"""An issue says what its pictures show in the language of the issue, in the mail, its text part and on the web."""

from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from django.core.files.base import ContentFile
from PIL import Image as Drawing
from wagtail.models import Locale

from content.models import ArticlePage, CreditedImage, ImageText
from newsletter.messages import bodies, tree
from newsletter.models import IssuePage, NewsletterPage
from newsletter.site import found
from tests.newsletter.issues import an_issue

pytestmark = [pytest.mark.once, pytest.mark.django_db]

ALT, SPANISH_ALT = "Three children look over a fence.", "Tres niños miran sobre una cerca."


@pytest.fixture
def image():
    file = BytesIO()
    Drawing.new("RGB", (320, 200), "teal").save(file, "PNG")
    return CreditedImage.objects.create(
        title="Two fences",
        file=ContentFile(file.getvalue(), "fences.png"),
        description=ALT,
        creator="Ana Maguire",
        licence="CC-BY-4.0",
        width=320,
        height=200,
    )


@pytest.fixture
def spanish_issue(image):
    """A Spanish issue with an English resource that has a picture."""
    found()
    issue = an_issue()
    ArticlePage.objects.update(picture=image)
    page = NewsletterPage.objects.get(locale__language_code="es")
    article = ArticlePage.objects.get()
    return page.add_child(
        instance=IssuePage(
            title="Octubre",
            slug="octubre",
            newsletter=page.newsletter,
            month=issue.month,
            subject="Leer en voz alta",
            resources=[("item", {"page": article, "title": "", "summary": "", "pinned": False})],
            live=False,
        )
    )


def sent(issue):
    """The first picture of the mail, and the text part."""
    content = tree.arranged(tree.tree(issue), ())
    made = bodies.digest(content, unsubscribe="http://testserver/u", preferences="http://testserver/p")
    return BeautifulSoup(made.html, "lxml").select_one("td.picture"), made.text


def test_a_spanish_mail_describes_its_pictures_in_spanish(spanish_issue, image):
    ImageText.objects.create(
        image=image, locale=Locale.objects.get(language_code="es"), title="Dos cercas", alt=SPANISH_ALT
    )
    cell, text = sent(spanish_issue)
    assert cell.img["alt"] == SPANISH_ALT and "lang" not in cell.img.attrs
    assert cell["lang"] == "es"  # inside an item whose words are English
    assert "Dos cercas ©" in cell.get_text()
    assert SPANISH_ALT in text and "Dos cercas ©" in text
    assert ALT not in text and "Two fences" not in text


def test_a_spanish_mail_labels_what_is_only_there_in_english(spanish_issue):
    cell, text = sent(spanish_issue)
    assert (cell.img["alt"], cell.img["lang"]) == (ALT, "en")
    assert cell.select_one('.credit [lang="en"]').get_text() == "Two fences"
    assert f"{ALT} (en inglés)" in text


def test_the_web_page_of_an_issue_says_the_same(admin_client, spanish_issue, image):
    ImageText.objects.create(image=image, locale=Locale.objects.get(language_code="es"), alt=SPANISH_ALT)
    spanish_issue.save_revision()
    page = admin_client.get(f"/admin/pages/{spanish_issue.pk}/view_draft/").content
    figure = BeautifulSoup(page, "lxml").select_one("figure")
    assert figure.img["alt"] == SPANISH_ALT
    assert figure["lang"] == "es"
    assert figure.select_one('.credit [lang="en"]').get_text() == "Two fences"
