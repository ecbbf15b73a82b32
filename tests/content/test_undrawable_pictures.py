"""One picture never takes a page down: its alt text stands in its place, and the desk says what to mend."""

import json
import logging
import shutil
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image
from wagtail.models import Locale

from content.models import ArticleByline, CreditedImage, Partner, Person
from content.pictures import picture as picture_tag
from tests.content import picture_zoo as zoo
from tests.content.conftest import figure

pytestmark = pytest.mark.django_db

ALT = "Three children look over a fence, each on a box that fits."
BREAKS = {
    "gone": None,
    "cut off": zoo.encoded(zoo.photo(), "PNG")[:700],
    "no picture": b"no picture",
    "16 bit": zoo.encoded(Image.new("I;16", (400, 300), 30_000), "PNG"),
    "a folder": "folder",
}


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    cache.clear()
    settings.MEDIA_ROOT = str(tmp_path / "media")


def break_file(image, how):
    """What befalls files behind the site's back; 16 bit is what older versions let in."""
    path = Path(image.file.path)
    path.unlink()
    if how == "folder":
        path.mkdir()
    elif how is not None:
        path.write_bytes(how)


@pytest.fixture
def shown(draft, picture):
    """A picture that stands on top, in the text, beside the byline and with a partner."""
    image = picture()
    person = Person.objects.create(name="Ana Maguire", locale=Locale.get_default(), picture=image)
    Partner.objects.create(
        name="Maple Street", slug="maple", kind="school", state="OH", locale=Locale.get_default(), picture=image
    )
    page = draft(title="Two fences", slug="fences", picture=image, bylines=[ArticleByline(person=person)])
    block = page.body.stream_block.child_blocks["figure"]
    page.body = [("figure", block.to_python(figure(image)["value"]))]
    page.save_revision().publish()
    return image


PAGES = ("/resources/fences/", "/", "/resources/", "/resources/?q=fences", "/image-credits/", "/partners/maple/")
FOR_MACHINES = (
    "/feeds/resources.rss",
    "/feeds/resources.atom",
    "/feeds/resources.json",
    "/api/v2/images/",
    "/sitemap.xml",
)
DESK = ("/admin/", "/admin/images/", "/admin/images/?layout=list", "/admin/images/chooser/", "/admin/images/{pk}/")


@pytest.mark.parametrize("how", BREAKS)
def test_no_page_goes_down_with_a_picture(client, shown, caplog, how):
    break_file(shown, BREAKS[how])

    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "not-found" not in answer.content.decode(), path
    for path in ("/resources/fences/", "/image-credits/", "/partners/maple/"):
        assert ALT in client.get(path).content.decode(), path
    for path in FOR_MACHINES:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "not-found" not in answer.content.decode(), path
    assert ALT in client.get("/feeds/resources.rss").content.decode()
    page = client.get("/api/v2/pages/?type=content.ArticlePage&fields=*").json()["items"][0]
    assert page["picture"]["download_url"] == ""
    said = [record for record in caplog.records if "can not be drawn" in record.getMessage()]
    assert [record.levelno for record in said] == [logging.WARNING]
    assert f"image {shown.pk}" in said[0].getMessage()


@pytest.mark.parametrize("how", BREAKS)
def test_the_desk_stays_open_and_names_what_to_mend(client, admin_client, shown, how):
    break_file(shown, BREAKS[how])
    assert client.get("/resources/fences/").status_code == 200

    for path in DESK:
        assert admin_client.get(path.format(pk=shown.pk)).status_code == 200, path
    chosen = admin_client.get(reverse("wagtailimages_chooser:chosen", args=[shown.pk]))
    assert chosen.status_code == 200
    home = admin_client.get("/admin/").content.decode()
    assert "Pictures that can not be drawn" in home
    assert reverse("wagtailimages:edit", args=[shown.pk]) in home
    form = admin_client.get(reverse("wagtailimages:edit", args=[shown.pk])).content.decode()
    assert "Choose its file again" in form


def test_the_desk_says_nothing_when_all_is_well_and_asks_once(admin_client, shown):
    assert "Pictures that can not be drawn" not in admin_client.get("/admin/").content.decode()
    counts = []
    for number in (1, 12):
        CreditedImage.objects.filter(pk=shown.pk).update(undrawable_since="2026-10-01T12:00Z")
        for again in range(1, number):
            copy = CreditedImage.objects.get(pk=shown.pk)
            copy.pk, copy.title = None, f"Copy {again}"
            CreditedImage.objects.bulk_create([copy])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin_client.get("/admin/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert "There are more of them." in admin_client.get("/admin/").content.decode()


def test_a_picture_that_comes_back_is_shown_again_and_leaves_the_desk(client, admin_client, shown, tmp_path):
    shutil.move(shown.file.path, tmp_path / "away.png")
    assert ALT in client.get("/image-credits/").content.decode()
    assert CreditedImage.objects.filter(undrawable_since__isnull=False).exists()

    shutil.move(tmp_path / "away.png", shown.file.path)

    assert "<img" in client.get("/image-credits/").content.decode()
    assert not CreditedImage.objects.filter(undrawable_since__isnull=False).exists()
    assert "Pictures that can not be drawn" not in admin_client.get("/admin/").content.decode()


def test_a_storage_that_answers_with_an_error_takes_no_page_down(client, shown, settings, tmp_path):
    (Path(settings.MEDIA_ROOT) / "images").write_text("where sizes should be kept, there is a file")

    assert client.get("/resources/fences/").status_code == 200


def test_structured_data_leaves_the_address_out_and_keeps_the_credit(client, shown):
    break_file(shown, None)
    html = client.get("/resources/fences/").content.decode()
    data = json.loads(html.split('<script type="application/ld+json">')[1].split("</script>")[0])
    (image, *_others) = data["@graph"][0]["image"]

    assert "contentUrl" not in image
    assert "Interaction Institute for Learning" in json.dumps(image)
    assert "og:image" not in html


def test_a_decorative_picture_that_can_not_be_drawn_leaves_nothing(picture):
    image = picture()
    break_file(image, None)

    assert picture_tag(image, alt="") == ""
    assert picture_tag(image, alt="A <fence>") == '<p class="undrawn">A &lt;fence&gt;</p>'
