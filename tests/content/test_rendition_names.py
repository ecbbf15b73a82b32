"""The name of a rendition's file belongs to its picture for ever, and no media file is hidden."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from content.importing.intake import Intake
from content.models import CreditedImage
from content.pictures import SHAPES
from newsletter.messages.tree import PICTURE
from tests.content.conftest import FULL_CREDIT, drawn

pytestmark = [pytest.mark.once, pytest.mark.django_db]

LONG = "max-1104x1104|format-jpeg|jpegquality-82|bgcolor-ffffff|bgcolor-fefefe|bgcolor-fdfdfd|bgcolor-fcfcfc"
SPECS = [*SHAPES["card"].filters, *SHAPES["text"].filters, PICTURE, LONG, "original"]


def kept(name, color="teal", size=(320, 200), **fields):
    file = ContentFile(drawn(color, size), name)
    return CreditedImage.objects.create(title="Fences", file=file, **{**FULL_CREDIT, **fields})


def hidden():
    return [path.name for path in Path(settings.MEDIA_ROOT).rglob("*") if path.name.startswith(".")]


@pytest.fixture(autouse=True)
def nothing_of_other_tests(settings, tmp_path):
    cache.clear()
    settings.MEDIA_ROOT = tmp_path / "media"


def test_renditions_of_two_pictures_with_the_same_name_never_share_a_file():
    one, two = kept("a-very-long-name-that-begins-alike-0001.png"), kept("a-very-long-name-that-begins-alike-0002.png")
    names = [rendition.file.name for image in (one, two) for rendition in image.get_renditions(*SPECS).values()]
    assert len(set(names)) == len(names) == 2 * len(set(SPECS))
    assert hidden() == []


def test_a_later_picture_never_takes_over_the_name_of_one_that_was_deleted_or_replaced(
    django_capture_on_commit_callbacks,
):
    taken = set()
    image = kept("fences.png")
    for color in ("teal", "maroon", "navy"):
        with django_capture_on_commit_callbacks(execute=True):
            names = {rendition.file.name for rendition in image.get_renditions(*SPECS).values()}
            assert not names & taken
            taken |= names
            image.delete()
        image = kept("fences.png", color)
    image.file = ContentFile(drawn("gold"), "fences.png")
    image.save()
    assert not {rendition.file.name for rendition in image.get_renditions(*SPECS).values()} & taken


def test_the_name_says_which_picture_it_is_of_and_fits_its_column():
    image = kept("Two fences, and a box that fits each of the three children – really.png")
    for rendition in image.get_renditions(*SPECS).values():
        assert rendition.file.name.startswith(f"images/{image.pk}/two_fences_and_a_box_that_fits.")
        assert len(rendition.file.name) <= 90
    assert kept("图画.png").get_rendition("width-50").file.name.split("/")[-1].startswith(("picture.", "tuhua."))


@pytest.mark.parametrize(
    ("name", "ending"),
    [(".png", "file.png"), ("..png", "file.png"), (".hidden.png", "hidden.png"), ("...", "file")],
)
def test_no_file_is_kept_under_a_hidden_name(name, ending):
    saved = default_storage.save(f"original_images/{name}", ContentFile(b"content"))
    assert saved == f"original_images/{ending}"
    assert hidden() == []


def test_pictures_and_documents_with_hidden_names_are_kept_visibly(document):
    image = kept(".png")
    assert PurePath(image.file.name).name == "png.png"
    plan = document()
    plan.file.save(".pdf", ContentFile(b"A plan"))
    assert PurePath(plan.file.name).name == "file.pdf"
    image.get_renditions(*SPECS)
    assert hidden() == []


def test_an_imported_picture_with_a_hidden_name_is_kept_visibly(resources, tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / ".png").write_bytes(drawn())
    (folder / "one.md").write_text("# One\n\nWords.\n\n![A fence in the snow](.png)\n")
    Intake(folder, "markdown", None, dry_run=False, publish=False).run()
    CreditedImage.objects.get().get_renditions(*SPECS)
    assert hidden() == []
