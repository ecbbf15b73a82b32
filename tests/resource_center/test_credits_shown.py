"""Every picture that the demo shows is credited where it is shown: on pages, issues and mails, in both languages."""

from __future__ import annotations

import datetime
import email
from email.policy import SMTP
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.template import Context, Template
from django.utils import timezone, translation

from content.credits import credit_line
from content.demo import load as library
from content.models import CreditedDocument, CreditedImage, CreditedRendition
from newsletter import messages
from newsletter.demo import load as demo
from newsletter.models import FrozenPicture, Variant

pytestmark = [pytest.mark.once, pytest.mark.django_db]

DOORS = ("/", "/es/", "/image-credits/", "/es/image-credits/")
ROOMS = {"/resources/", "/stories/", "/events/", "/collections/", "/partners/", "/newsletter/issues/", "/es/resources/"}


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker):
    """The whole demo site, loaded once for this module and taken back afterwards."""
    cache.clear()
    with django_db_blocker.unblock(), transaction.atomic():
        library.load(datetime.date.today())
        demo.load()
        yield
        transaction.set_rollback(True)
    cache.clear()


@pytest.fixture
def pages(site, client):
    """Every public page, as far as links and the sitemap lead: its address and what stands on it."""
    sitemap = BeautifulSoup(client.get("/sitemap.xml").content, "xml")
    waiting = [*DOORS, *(urlsplit(loc.get_text()).path for loc in sitemap("loc"))]
    found: dict[str, BeautifulSoup] = {}
    while waiting:
        address = waiting.pop()
        if address in found or urlsplit(address).query:
            continue
        answer = client.get(address)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        found[address] = soup = BeautifulSoup(answer.content, "lxml")
        waiting += [link for a in soup("a", href=True) if (link := inner(a["href"], address))]
    return found


def inner(link, address):
    """Where a link leads on this site; nothing for one that leads elsewhere or to a file."""
    parts = urlsplit(urljoin(f"{settings.SITE_URL}{address}", urldefrag(link).url))
    ours = parts.netloc == urlsplit(settings.SITE_URL).netloc
    return parts.path if ours and not parts.path.startswith(("/documents/", "/media/", "/admin/")) else ""


def pictures_shown(soup):
    """The pictures of the library that a page or mail shows, by what its markup lets a browser fetch."""
    sources = {image["src"] for image in soup("img", src=True)}
    for element in soup(["img", "source"], srcset=True):
        sources |= {part.split()[0] for part in element["srcset"].split(",")}
    return {known(source) for source in sources if unquote(urlsplit(source).path).startswith(settings.MEDIA_URL)}


def known(source):
    name = unquote(urlsplit(source).path).removeprefix(settings.MEDIA_URL)
    rendition = CreditedRendition.objects.filter(file=name).first() or FrozenPicture.objects.filter(file=name).first()
    assert rendition is not None, f"{source} is no picture that we know"
    return rendition.image_id


def credits_shown(soup):
    """The credit lines of a page or mail: their words and where their links lead."""
    return {words_and_links(place) for place in soup.select(".credit, .small-pictures li")}


def credit(work):
    return words_and_links(BeautifulSoup(credit_line(work).html(), "lxml"))


def words_and_links(element):
    return " ".join(element.get_text().split()), tuple(a["href"] for a in element("a"))


def test_every_picture_on_every_public_page_has_its_credit_on_that_page_and_no_credit_is_left_over(pages):
    assert {room for room in ROOMS if any(address.startswith(room) and address != room for address in pages)} == ROOMS
    images, documents = list(CreditedImage.objects.all()), list(CreditedDocument.objects.all())
    wrong, seen = {}, set()
    for address, soup in pages.items():
        with translation.override(soup.html["lang"]):
            shown, credited = pictures_shown(soup), credits_shown(soup)
            named = {image.pk for image in images if credit(image) in credited}
            known_credits = {credit(work) for work in (*images, *documents)}
        seen |= shown
        if shown != named or not credited <= known_credits:
            wrong[address] = {"without credit": shown - named, "without picture": named - shown}
    assert wrong == {}
    assert seen == {image.pk for image in images}


def test_every_picture_of_a_mail_has_its_credit_in_both_parts(site):
    variants = Variant.objects.all()
    assert {variant.language for variant in variants} == {"en", "es"}
    for variant in variants:
        mail = email.message_from_bytes(messages.fill(variant.template, slots()), policy=SMTP)
        text, html = (part.get_content() for part in mail.iter_parts())
        soup = BeautifulSoup(html, "lxml")
        shown, images = pictures_shown(soup), list(CreditedImage.objects.all())
        with translation.override(variant.language):
            named = {image.pk for image in images if credit(image) in credits_shown(soup)}
            flat = "".join(text.split())
            in_text = {image.pk for image in images if "".join(credit_line(image).text().split()) in flat}
        assert shown and shown == named == in_text
        assert all(image.get("alt") is not None for image in soup("img"))


def slots():
    return messages.Slots(
        to="reader@school.example",
        message_id="<d.1.1.test@testserver>",
        date=timezone.now(),
        unsubscribe="http://testserver/newsletter/unsubscribe/x/",
        preferences="http://testserver/newsletter/preferences/x/",
    )


@pytest.mark.parametrize("words", ["", " credited=True"])
def test_a_picture_in_a_template_that_knows_no_page_has_its_credit_right_there(site, words):
    image = CreditedImage.objects.first()
    shown = Template("{% load content_tags %}{% picture image 'card'" + words + " %}").render(Context({"image": image}))
    soup = BeautifulSoup(shown, "lxml")
    assert pictures_shown(soup) == {image.pk}
    assert credits_shown(soup) == (set() if words else {credit(image)})
