"""Pictures from before the normalizer are checked by a command that can be stopped anywhere."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from PIL import Image

from content.edition import current
from content.models import CreditedImage
from tests.content import picture_zoo as zoo
from tests.content.test_image_zoo import FILTERS

pytestmark = pytest.mark.django_db

OLD = {
    "plain.png": zoo.encoded(zoo.flag(), "PNG"),
    "photo.jpg": zoo.encoded(zoo.photo(), "JPEG"),
    "deep.png": zoo.encoded(Image.new("I;16", (400, 300), 30_000), "PNG"),
    "turned.jpg": zoo.turned("JPEG", 6),
    "private.jpg": zoo.with_private_facts(),
    "cmyk.jpg": zoo.encoded(zoo.in_mode(zoo.photo(), "CMYK"), "JPEG"),
    "animated.webp": dict(zoo.of_several_pictures())["animated.webp"],
    "cut-off.jpg": zoo.encoded(zoo.photo(), "JPEG")[:900],
    "gone.png": None,
}
TO_MEND = {"deep.png", "turned.jpg", "private.jpg", "cmyk.jpg", "animated.webp"}


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    cache.clear()
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def old():
    """Rows and files as a version without the normalizer left them."""
    for name, data in OLD.items():
        stored = default_storage.save(f"original_images/{name}", ContentFile(data or b""))
        if data is None:
            default_storage.delete(stored)
        CreditedImage.objects.bulk_create(
            [CreditedImage(title=name, file=stored, width=48, height=32, file_size=1, collection_id=1)]
        )
    return {image.title: image for image in CreditedImage.objects.all()}


def check(*options):
    said = StringIO()
    call_command("check_images", "--json", *options, stdout=said)
    return json.loads(said.getvalue())


def test_what_can_be_mended_is_and_what_can_not_be_drawn_is_named(old):
    receipt = check()

    assert (receipt["checked"], receipt["mended"]) == (len(OLD), len(TO_MEND))
    assert {each["title"] for each in receipt["undrawable"]} == {"cut-off.jpg", "gone.png"}
    assert {image.title for image in CreditedImage.objects.filter(undrawable_since__isnull=False)} == {
        "cut-off.jpg",
        "gone.png",
    }
    for image in CreditedImage.objects.filter(undrawable_since=None):
        assert all(size.is_drawn for size in image.get_renditions(*FILTERS).values())
        with Image.open(image.file.path) as stored:
            assert (image.width, image.height) == stored.size or image.title in ("plain.png", "photo.jpg")


def test_no_byte_that_was_kept_is_lost(old):
    check()

    for image in CreditedImage.objects.exclude(title="gone.png"):
        kept = image.upload if image.title in TO_MEND else image.file
        assert Path(kept.path).read_bytes() == OLD[image.title]
        assert bool(image.upload) == (image.title in TO_MEND)


def test_sizes_are_drawn_anew_from_the_mended_picture(old):
    spec = "width-1280|format-jpeg|bgcolor-fbf8f1|jpegquality-78"
    before = old["private.jpg"].get_rendition(spec)
    edition = current()

    check()

    assert not CreditedImage.objects.get(title="private.jpg").renditions.filter(pk=before.pk).exists()
    after = CreditedImage.objects.get(title="private.jpg").get_rendition(spec)
    assert after.is_drawn
    assert after.url != before.url
    assert current() != edition


def test_a_run_goes_on_where_the_last_one_stopped(old, monkeypatch):
    class Stopped(BaseException):
        pass

    seen = []
    normal = CreditedImage.open_file

    def stop_at_the_fourth(image):
        seen.append(image.title)
        if len(seen) == 4:
            raise Stopped
        return normal(image)

    with monkeypatch.context() as patched:
        patched.setattr(CreditedImage, "open_file", stop_at_the_fourth)
        with pytest.raises(Stopped):
            check()

    assert check()["checked"] == len(OLD) - 3
    assert check() == {"checked": 0, "mended": 0, "undrawable": []}


def test_again_begins_anew_and_changes_nothing_more(old):
    check()
    files = {image.title: image.file.name for image in CreditedImage.objects.all()}

    receipt = check("--again")

    assert (receipt["checked"], receipt["mended"], len(receipt["undrawable"])) == (len(OLD), 0, 2)
    assert {image.title: image.file.name for image in CreditedImage.objects.all()} == files


def test_a_picture_that_came_back_leaves_the_list(old):
    check()
    default_storage.save(old["gone.png"].file.name, ContentFile(OLD["plain.png"]))

    receipt = check("--again")

    assert {each["title"] for each in receipt["undrawable"]} == {"cut-off.jpg"}
    assert CreditedImage.objects.get(title="gone.png").undrawable_since is None


def test_a_person_reads_the_receipt_in_words(old):
    said = StringIO()
    call_command("check_images", stdout=said)

    assert "mended: 5" in said.getvalue()
    assert f"- gone.png (image {old['gone.png'].pk}):" in said.getvalue()


def test_what_is_uploaded_now_needs_no_check(picture):
    picture()

    assert check()["checked"] == 0
