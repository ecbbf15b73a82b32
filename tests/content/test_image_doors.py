"""Every way into the picture library: what is let in can be drawn, what is not is refused and leaves nothing behind."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError
from django.urls import reverse
from PIL import Image
from wagtail.images.forms import get_image_form

from content.images import UndrawablePicture
from content.models import CreditedImage
from tests.content import picture_zoo as zoo
from tests.content.conftest import FULL_CREDIT, drawn
from tests.content.test_image_zoo import FILTERS

pytestmark = [pytest.mark.once, pytest.mark.django_db]

PHOTO = zoo.encoded(zoo.photo(), "JPEG")
LET_IN = {
    "sixteen-bits.png": zoo.encoded(Image.new("I;16", (40, 30), 30_000), "PNG"),
    "cmyk.jpg": zoo.encoded(zoo.in_mode(zoo.photo(), "CMYK"), "JPEG"),
    "turned.jpg": zoo.turned("JPEG", 6),
    "transparent.png": dict(zoo.of_every_mode())["PNG-P-transparent.png"],
    "animated.gif": dict(zoo.of_several_pictures())["animated.gif"],
    "scan.tiff": zoo.encoded(zoo.photo(), "TIFF", compression="tiff_lzw"),
    "chart.svg": dict(zoo.harmless_drawings())["gradient.svg"],
    "telephone.heic": zoo.HEIC.read_bytes(),
    "misnamed.webp": PHOTO,
}
REFUSED = {
    "cut-off.jpg": PHOTO[: len(PHOTO) // 2],
    "script.svg": dict(zoo.hostile_drawings())["script.svg"],
    "words.png": b"no picture at all",
}
ZOO = LET_IN | REFUSED


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    cache.clear()  # Wagtail keeps sizes there by the number of their picture, and numbers come again.
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


def files(media):
    return sorted(file.relative_to(media).as_posix() for file in media.rglob("*") if file.is_file())


def single(client, name, data):
    answer = client.post(reverse("wagtailimages:add"), {"title": name, "file": SimpleUploadedFile(name, data)})
    return answer, [] if answer.status_code == 302 else answer.context["form"].errors["file"]


def multiple(client, name, data):
    answer = client.post(
        reverse("wagtailimages:add_multiple"), {"title": name, "files[]": SimpleUploadedFile(name, data)}
    )
    said = answer.json()
    return answer, [] if said["success"] else [said["error_message"]]


def chooser(client, name, data):
    fields = {"title": name, "file": SimpleUploadedFile(name, data)}
    answer = client.post(
        reverse("wagtailimages_chooser:create"),
        {f"image-chooser-upload-{field}": value for field, value in fields.items()},
    )
    said = answer.json()
    return answer, [] if said["step"] == "chosen" else [said["htmlFragment"]]


DOORS = {"single": single, "multiple": multiple, "chooser": chooser}


def assert_is_right(image, data, media):
    """The file is what its row says, its upload is what came, and it is drawn in every size."""
    contents = Path(image.file.path).read_bytes()
    with Image.open(image.file.path) as stored:
        assert (image.width, image.height) == stored.size
        assert stored.mode in ("RGB", "RGBA")
    assert image.file_size == len(contents)
    fresh = CreditedImage.objects.get(pk=image.pk)
    fresh._set_file_hash()
    assert image.file_hash == fresh.file_hash
    assert Path(image.upload.path).read_bytes() == data
    assert image.upload.path.startswith(str(media / "uploads"))
    assert all(size.is_drawn for size in image.get_renditions(*FILTERS).values())


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("door", DOORS)
def test_every_upload_is_let_in_or_refused_with_a_sentence_at_the_file(admin_client, media, door, name):
    answer, errors = DOORS[door](admin_client, name, ZOO[name])

    assert answer.status_code in (200, 302)
    if name in LET_IN:
        assert not errors
        assert_is_right(CreditedImage.objects.get(), LET_IN[name], media)
    else:
        assert any("Save it" in error or "save it" in error for error in errors)
        assert not CreditedImage.objects.exists()
        assert files(media) == []
    assert admin_client.get(reverse("wagtailimages:index")).status_code == 200


@pytest.mark.parametrize("name", ZOO)
def test_another_file_for_a_picture_comes_in_by_the_same_door(
    admin_client, media, picture, name, django_capture_on_commit_callbacks
):
    image = picture()
    image.get_renditions(*FILTERS)
    before = files(media)
    form = {**FULL_CREDIT, "title": "Two fences", "file": SimpleUploadedFile(name, ZOO[name])}
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin_client.post(reverse("wagtailimages:edit", args=[image.pk]), form)
    image.refresh_from_db()

    if name in LET_IN:
        assert answer.status_code == 302
        assert not image.renditions.exists()
        assert len(files(media)) == 2  # the file and its upload; what stood before is gone
        assert_is_right(image, LET_IN[name], media)
    else:
        assert answer.status_code == 200
        assert answer.context["form"].errors["file"]
        whole = image.renditions.get(filter_spec="original").file.name  # the form shows it
        assert [file for file in files(media) if file != whole] == before
        assert image.renditions.exclude(filter_spec="original").count() == len(FILTERS)


@pytest.mark.parametrize("name", ZOO)
def test_plain_code_comes_in_by_the_same_door(media, name):
    def create():
        return CreditedImage.objects.create(title=name, file=ContentFile(ZOO[name], name))

    if name in LET_IN:
        assert_is_right(create(), LET_IN[name], media)
        return
    with pytest.raises(UndrawablePicture):
        create()
    assert files(media) == []


@pytest.mark.parametrize("name", ZOO)
def test_an_import_comes_in_by_the_same_door(resources, media, tmp_path, name):
    folder = tmp_path / "import"
    folder.mkdir()
    (folder / name).write_bytes(ZOO[name])
    (folder / "article.md").write_text(f"---\ntitle: One\n---\n\n![What it shows]({name})\n")
    said = StringIO()
    call_command("import_resources", str(folder), "--format", "markdown", "--json", stdout=said)
    receipt = json.loads(said.getvalue())

    assert receipt["created"] == 1
    if name in LET_IN:
        assert (receipt["images"], receipt["missing_images"]) == (1, 0)
        assert_is_right(CreditedImage.objects.get(), LET_IN[name], media)
    else:
        assert (receipt["images"], receipt["missing_images"]) == (0, 1)
        assert name in receipt["problems"][0]["what"]
        assert files(media) == []


@pytest.mark.parametrize("name", LET_IN)
def test_an_upload_that_waits_for_a_title_comes_in_by_the_same_door(admin_client, media, name):
    upload = {"title": "x" * 300, "files[]": SimpleUploadedFile(name, LET_IN[name])}
    waiting = admin_client.post(reverse("wagtailimages:add_multiple"), upload).json()["uploaded_file_id"]
    assert not CreditedImage.objects.exists()

    address = reverse("wagtailimages:create_multiple_from_uploaded_image", args=[waiting])
    answer = admin_client.post(address, {f"uploaded-image-{waiting}-title": "A title"})

    assert answer.json()["success"]
    assert_is_right(CreditedImage.objects.get(), LET_IN[name], media)


def test_a_row_that_can_not_be_saved_leaves_no_file(media):
    with pytest.raises(DatabaseError):
        CreditedImage.objects.create(title="Too late", file=ContentFile(PHOTO, "a.jpg"), collection_id=None)

    assert files(media) == []


def test_a_failed_import_leaves_no_file(resources, media, tmp_path):
    folder = tmp_path / "import"
    folder.mkdir()
    (folder / "a.png").write_bytes(drawn())
    (folder / "article.md").write_text("---\ntitle: One\n---\n\n![What it shows](a.png)\n")
    resources.delete()  # the Spanish one is left, and has no place for English pages
    said = StringIO()
    call_command("import_resources", str(folder), "--format", "markdown", "--json", stdout=said)

    assert json.loads(said.getvalue())["skipped"] == 1
    assert files(media) == []


def test_with_a_picture_goes_its_upload(picture, media, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        picture().delete()

    assert files(media) == []


def test_the_word_about_an_animation_stands_where_it_was_uploaded(admin_client):
    answer, _errors = multiple(admin_client, "animated.gif", LET_IN["animated.gif"])
    image = CreditedImage.objects.get()
    edit = admin_client.get(reverse("wagtailimages:edit", args=[image.pk])).content.decode()

    assert "only the first picture of it is shown" in answer.json()["form"]
    assert "only the first picture of it is shown" in edit


def test_the_form_for_one_picture_says_so_of_an_animation(admin_client):
    form = {"title": "Moving", "file": SimpleUploadedFile("animated.gif", LET_IN["animated.gif"])}
    answer = admin_client.post(reverse("wagtailimages:add"), form, follow=True)

    assert "only the first picture of it is shown" in answer.content.decode()


def test_the_upload_form_names_every_format_it_takes(admin_client):
    form = admin_client.get(reverse("wagtailimages:add")).content.decode()

    assert "AVIF, GIF, JPG, JPEG, PNG, SVG, TIF, TIFF, WEBP, HEIC, HEIF" in form


def test_a_form_is_not_asked_for_a_file_that_it_has_not_got(picture):
    form = get_image_form(CreditedImage)({**FULL_CREDIT, "title": "Two fences"}, instance=picture())

    assert form.is_valid(), form.errors
