"""The files that everybody can fetch carry the credit, and nothing of where and with what a picture was taken."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.utils import translation
from PIL import Image as Drawing

from content import renditions
from content.models import CreditedImage, CreditedRendition
from tests import exif
from tests.conftest import need
from tests.content.conftest import FULL_CREDIT, drawn, figure

pytestmark = [pytest.mark.once, pytest.mark.django_db]

FORMATS = ["jpeg", "png", "webp", "avif"]
PRIVATE = [
    "-EXIF:GPSLatitude=36.597", "-EXIF:GPSLatitudeRef=N", "-EXIF:GPSLongitude=4.508", "-EXIF:GPSLongitudeRef=W",
    "-EXIF:SerialNumber=5512345", "-EXIF:LensSerialNumber=998877", "-EXIF:OwnerName=Somebody", "-EXIF:Make=Camera",
    "-XMP-exif:GPSLatitude=36.597", "-XMP-aux:SerialNumber=5512345", "-XMP-photoshop:City=Saltmarsh",
    "-XMP-iptcCore:Location=12 Maple Street", "-XMP-iptcExt:LocationShownCity=Saltmarsh", "-XMP-dc:creator=A stranger",
    "-Comment=Taken at 12 Maple Street",
]  # fmt: skip
PRIVATE_IN_JPEG = ["-IPTC:City=Saltmarsh", "-IPTC:Sub-location=12 Maple Street", "-IFD1:ThumbnailImage<={thumbnail}"]


@pytest.fixture
def exiftool():
    return need("exiftool")


@pytest.fixture
def photograph(exiftool, tmp_path):
    """Makes the bytes of a photograph that says where, by whom and with what it was taken."""

    def make(form="JPEG", mode="RGB"):
        path, thumbnail = tmp_path / f"photograph.{form.lower()}", tmp_path / "thumbnail.jpg"
        Drawing.new("RGB", (32, 24), "red").save(thumbnail)
        picture = Drawing.linear_gradient("L").resize((1400, 900)).convert(mode)
        picture.save(path, form)
        private = [*PRIVATE, *(PRIVATE_IN_JPEG if form == "JPEG" else [])]
        words = [word.format(thumbnail=thumbnail) for word in private]
        subprocess.run([exiftool, "-q", "-m", "-overwrite_original", *words, path], check=True)
        found = exif.tags(path)[0]
        assert {"GPS:GPSLatitude", "ExifIFD:SerialNumber", "XMP-photoshop:City"} <= set(found)
        return path.read_bytes()

    return make


@pytest.fixture
def taken(db, photograph):
    """Makes a picture of the library from such a photograph."""

    def make(form="JPEG", mode="RGB", **fields):
        fields = {"creator": "Ana Núñez", "holder": "Café & Söhne", **fields}
        return kept(f"Harbor street.{form.lower()}", photograph(form, mode), **fields)

    return make


def kept(name, content, **fields):
    """A picture of the library with this file."""
    return CreditedImage.objects.create(title="Harbor", file=ContentFile(content, name), **{**FULL_CREDIT, **fields})


def public_files():
    return [path for path in Path(settings.MEDIA_ROOT, "images").rglob("*") if path.is_file()]


@pytest.fixture(autouse=True)
def nothing_of_other_tests(settings, tmp_path):
    cache.clear()
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("source", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA"), ("PNG", "L"), ("WEBP", "RGB")])
def test_a_rendition_carries_the_credit_in_every_format_and_nothing_private(taken, source, mode, form):
    rendition = taken(source, mode, source_url="https://example.org/a?b=1&c=2").get_rendition(
        f"width-320|format-{form}"
    )

    assert exif.credit(rendition.file.path) == {
        "artist": "Ana Núñez",
        "copyright": "© Café & Söhne",
        "creator": ["Ana Núñez"],
        "notice": "© Café & Söhne",
        "credit line": "© Café & Söhne | Artist: Ana Núñez",
        "marked": True,
        "web statement": "https://creativecommons.org/licenses/by-sa/4.0/",
        "usage terms": "CC BY-SA 4.0",
    }
    assert exif.beside_credit(exif.tags(rendition.file.path)[0]) == []


def test_the_place_of_a_real_photograph_is_in_no_public_file(exiftool, corpus, client, draft):
    image = kept("sunrise.jpg", (corpus / "images" / "bep__sunrise.jpg").read_bytes())
    page = draft(title="By the sea", slug="by-the-sea", picture=image)
    block = page.body.stream_block.child_blocks["figure"]
    page.body = [("figure", block.to_python({**figure(image)["value"], "size": "wide"}))]
    page.save_revision().publish()

    for address in (page.url, "/resources/", "/image-credits/", "/feeds/resources.rss", f"/api/v2/images/{image.pk}/"):
        assert client.get(address).status_code == 200
    image.get_rendition("max-165x165")  # what the admin lists
    image.get_rendition("original")

    files = public_files()
    assert len(files) > 8
    assert [(file, private) for file in exif.tags(*files) if (private := exif.beside_credit(file))] == []
    assert {exif.credit(file)["artist"] for file in files} == {"Ana Maguire"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"licence": "CC0-1.0"},
            {"marked": False, "notice": "CC0 1.0 (public domain dedication)", "credit line": "Ana Maguire"},
        ),
        (
            {"licence": "LicenseRef-permission", "source_url": "https://example.org/works/7"},
            {"marked": True, "notice": "© Ana Maguire", "web statement": "https://example.org/works/7"},
        ),
        ({"credit_override": "Courtesy of the Delta Archive"}, {"notice": "Courtesy of the Delta Archive"}),
        ({"creator": "Bell\x07 <&> “Bo”\x00"}, {"creator": ["Bell <&> “Bo”"], "artist": "Bell <&> “Bo”"}),
    ],
)
def test_what_the_file_says_follows_the_fields(exiftool, picture, fields, expected):
    image = picture(**{"holder": "", **fields})
    found = exif.credit(image.get_rendition("width-100|format-webp").file.path)
    assert {name: found[name] for name in expected} == expected


def test_a_picture_without_any_credit_claims_nothing(exiftool, picture):
    image = picture(creator="", holder="", licence="")
    for form in FORMATS:
        assert exif.credit(image.get_rendition(f"width-100|format-{form}").file.path) == {}


def test_the_credit_in_a_file_does_not_hang_on_the_language_of_who_asks_first(exiftool, picture):
    with translation.override("es"):
        rendition = picture().get_rendition("width-100|format-jpeg")
    assert exif.credit(rendition.file.path)["credit line"].endswith("| Artist: Ana Maguire")
    assert picture().get_rendition("width-100|format-jpeg").pk != rendition.pk


def test_a_change_of_the_credit_draws_every_rendition_anew(exiftool, picture, client, draft):
    image = picture()
    page = draft(title="Two fences", slug="two-fences", picture=image)
    page.save_revision().publish()
    client.get(page.url)
    before = set(CreditedRendition.objects.values_list("pk", "file"))
    assert before

    image.creator = "Rosa Lindqvist"
    image.save()
    client.get(page.url)

    after = set(CreditedRendition.objects.values_list("pk", "file"))
    assert len(after) == len(before) and not after & before
    creators = {tuple(exif.credit(rendition.file.path)["creator"]) for rendition in CreditedRendition.objects.all()}
    assert creators == {("Rosa Lindqvist",)}


def test_renditions_that_were_loaded_ahead_are_looked_at_too(picture):
    image = picture()
    image.get_rendition("width-100")
    image.creator = "Rosa Lindqvist"
    image.save()
    (loaded,) = type(image).objects.prefetch_related("renditions")
    first, second = loaded.get_rendition("width-100"), loaded.get_rendition("width-100")
    assert first.pk == second.pk == CreditedRendition.objects.get().pk


def test_a_new_file_draws_every_rendition_anew_through_whichever_door_it_came(picture):
    image = picture()
    before = image.get_rendition("width-100").file.name
    image.file = ContentFile(drawn("maroon"), "fences.png")
    image.save()
    assert image.get_rendition("width-100").file.name != before


def test_renditions_of_before_go_from_the_disk_and_are_drawn_anew(
    exiftool, taken, draft, django_capture_on_commit_callbacks
):
    shown, forgotten = taken(), taken()
    draft(title="Shown", slug="shown", picture=shown).save_revision().publish()
    storage = CreditedRendition._meta.get_field("file").storage
    for image in (shown, forgotten):
        content = ContentFile(Path(image.file.path).read_bytes())
        name = storage.save("images/.width-1280.format-jpeg.jpegquality-78.jpg", content)
        image.renditions.create(filter_spec="width-1280|format-jpeg|bgcolor-fbf8f1|jpegquality-78", file=name)

    with django_capture_on_commit_callbacks(execute=True):
        while renditions.draw_ahead():
            pass

    assert not CreditedRendition.objects.exclude(file__regex=r"^images/\d+/").exists()
    files = public_files()
    assert files
    assert [private for file in exif.tags(*files) if (private := exif.beside_credit(file))] == []
    assert shown.renditions.exists() and not forgotten.renditions.exists()
