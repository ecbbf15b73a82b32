"""An import again, when the files of pictures have changed since: each kind of file in the place of another."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from PIL import Image

from content.models import ArticlePage, CreditedImage
from content.pictures import SHAPES
from tests.content import picture_zoo as zoo

pytestmark = [pytest.mark.once, pytest.mark.django_db]

FILES = {
    "jpeg": zoo.encoded(zoo.photo(), "JPEG"),
    "png": zoo.encoded(zoo.flag(), "PNG"),
    "svg": dict(zoo.harmless_drawings())["gradient.svg"],
    "tiff": zoo.encoded(zoo.in_mode(zoo.photo(), "CMYK"), "TIFF"),
    "gif": dict(zoo.of_several_pictures())["animated.gif"],
    "heic": zoo.HEIC.read_bytes(),
    "deep": zoo.encoded(Image.new("I;16", (400, 300), 30_000), "PNG"),
}
BROKEN = {
    "cut off": FILES["jpeg"][:900],
    "no picture": b"no picture",
    "script": dict(zoo.hostile_drawings())["script.svg"],
    "empty": b"",
}


@pytest.fixture
def folder(resources, settings, tmp_path):
    cache.clear()
    settings.MEDIA_ROOT = str(tmp_path / "media")
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "article.md").write_text("---\ntitle: One\n---\n\nWords.\n\n![What it shows](pictures/one.png)\n")
    (folder / "pictures").mkdir()
    return folder


def take(folder):
    said = StringIO()
    call_command("import_resources", str(folder), "--format", "markdown", "--json", stdout=said)
    return json.loads(said.getvalue())


def put(folder, data):
    (folder / "pictures" / "one.png").write_bytes(data)


def assert_is_stored(image, data):
    with Image.open(image.file.path) as stored:
        assert (image.width, image.height) == stored.size
    contents = Path(image.file.path).read_bytes()
    assert image.file_size == len(contents)
    kept = image.file_hash
    image._set_file_hash()
    assert kept == image.file_hash
    assert Path(image.upload.path).read_bytes() == data


@pytest.mark.parametrize("after", FILES)
@pytest.mark.parametrize("before", ["jpeg", "png", "svg"])
def test_another_picture_takes_the_place_of_the_first_with_all_that_is_known_of_it(
    folder, before, after, django_capture_on_commit_callbacks
):
    put(folder, FILES[before])
    assert take(folder)["created"] == 1
    image = CreditedImage.objects.get()
    CreditedImage.objects.update(description="An editor's words", creator="Ana Maguire")
    image.get_renditions(*SHAPES["card"].filters)

    put(folder, FILES[after])
    with django_capture_on_commit_callbacks(execute=True):
        receipt = take(folder)

    image = CreditedImage.objects.get()
    is_same = before == after
    assert (receipt["updated"], receipt["skipped"]) == ((0, 1) if is_same else (1, 0))
    assert (receipt["images"], receipt["missing_images"]) == (1, 0)
    assert not any("could not be taken" in problem["what"] for problem in receipt["problems"])
    assert (image.description, image.creator) == ("An editor's words", "Ana Maguire")
    assert image.renditions.exists() == is_same
    assert_is_stored(image, FILES[after])
    assert all(size.is_drawn for size in image.get_renditions(*SHAPES["card"].filters).values())
    assert ArticlePage.objects.get().get_latest_revision_as_object().body[1].value["image"].pk == image.pk
    assert sum(file.is_file() for file in Path(image.file.path).parent.iterdir()) == 1
    assert take(folder)["skipped"] == 1


@pytest.mark.parametrize("after", BROKEN)
@pytest.mark.parametrize("before", ["jpeg", "svg"])
def test_a_broken_file_does_not_take_the_place_of_a_good_one(folder, before, after):
    put(folder, FILES[before])
    take(folder)

    put(folder, BROKEN[after])
    receipt = take(folder)

    assert (receipt["updated"], receipt["skipped"], receipt["images"]) == (0, 1, 1)
    assert "pictures/one.png stays as it was imported before: " in receipt["problems"][0]["what"]
    assert_is_stored(CreditedImage.objects.get(), FILES[before])
    assert ArticlePage.objects.get().get_latest_revision_as_object().body[1].block_type == "figure"
    put(folder, FILES["png"])
    assert take(folder)["updated"] == 1


@pytest.mark.parametrize("after", ["jpeg", "svg"])
@pytest.mark.parametrize("before", BROKEN)
def test_a_good_file_takes_the_place_of_a_broken_one(folder, before, after):
    put(folder, BROKEN[before])
    assert take(folder)["missing_images"] == 1

    put(folder, FILES[after])
    receipt = take(folder)

    assert (receipt["updated"], receipt["images"], receipt["missing_images"]) == (1, 1, 0)
    assert_is_stored(CreditedImage.objects.get(), FILES[after])


def test_an_animation_is_said(folder):
    put(folder, FILES["gif"])

    assert "only its first picture is kept" in take(folder)["problems"][0]["what"]


def test_a_picture_that_two_articles_show_is_replaced_once_for_both(folder):
    (folder / "other.md").write_text("---\ntitle: Two\n---\n\n![What it shows](pictures/one.png)\n")
    put(folder, FILES["jpeg"])
    assert take(folder)["created"] == 2

    put(folder, FILES["png"])

    assert take(folder)["updated"] == 2
    assert_is_stored(CreditedImage.objects.get(), FILES["png"])
