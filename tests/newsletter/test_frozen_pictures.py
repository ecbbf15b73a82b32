"""What was sent stays what was sent: a frozen issue shows copies of its pictures, which only a withdrawal changes."""

from __future__ import annotations

import email
import hashlib
import importlib
import subprocess
from datetime import timedelta
from email.policy import SMTP
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils import timezone
from PIL import Image as Drawing

from content.models import ArticlePage, CreditedImage, CreditedRendition
from content.publishing import deletion
from newsletter import delivery, frozen_pictures, messages
from newsletter.messages.tree import PICTURE
from newsletter.models import Delivery, FrozenPicture, IssuePage, Mailing, Variant
from tests import exif
from tests.conftest import need

pytestmark = pytest.mark.django_db

ARCHIVE = "/newsletter/issues/2026-10/"
SPANISH_ARCHIVE = "/es/newsletter/issues/2026-10/"


@pytest.fixture(autouse=True)
def nothing_of_other_tests(settings, tmp_path):
    cache.clear()
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def sent(issue, maria):
    """October's issue, frozen and on the web."""
    return delivery.send(issue)


def mail():
    """The HTML of what the one reader gets."""
    template = Delivery.objects.get().variant.template
    slots = messages.Slots(
        "maria@school.example", "<d.1@testserver>", timezone.now(), "http://x.example", "http://y.example"
    )
    message = email.message_from_bytes(messages.fill(template, slots), policy=SMTP)
    return BeautifulSoup(message.get_body(("html",)).get_content(), "lxml")


def archive(client, path=ARCHIVE):
    answer = client.get(path)
    assert answer.status_code == 200
    return BeautifulSoup(answer.content, "lxml").main


def pictures(client, soup):
    """What a reader sees: address, bytes, alt text and credit of every picture."""
    found = []
    for image in soup("img"):
        answer = client.get(urlsplit(image["src"]).path)
        assert answer.status_code == 200
        credit = image.find_next(class_="credit").get_text()
        found.append((image["src"], answer.getvalue(), image["alt"], credit))
    return found


def shown(client):
    """All that mail and archive show, in both languages."""
    return [
        *pictures(client, mail()),
        *pictures(client, archive(client)),
        *pictures(client, archive(client, SPANISH_ARCHIVE)),
    ]


def other_picture(color="maroon"):
    file = BytesIO()
    Drawing.new("RGB", (1600, 900), color).save(file, "PNG")
    return ContentFile(file.getvalue(), "tiles.png")


def replace():
    for image in CreditedImage.objects.all():
        image.renditions.all().delete()
        image.file.storage.delete(image.file.name)
        image.file = other_picture()
        image.description, image.creator = "Another alt text.", "Somebody else"
        image.save()
        image.get_rendition(PICTURE)


def delete():
    with deletion.allowed():  # as an erasure that the law demands
        CreditedImage.objects.all().delete()
    for color in ("navy", "gold", "maroon", "olive"):
        later = CreditedImage.objects.create(title="Later", file=other_picture(color), creator="Somebody else")
        later.get_rendition(PICTURE)


def correct_credit():
    for image in CreditedImage.objects.all():
        image.holder = "The true holder"
        image.save()
        image.get_rendition(PICTURE)


def unpublish():
    for page in ArticlePage.objects.live():
        page.unpublish()


def expire():
    ArticlePage.objects.update(expire_at=timezone.now() - timedelta(hours=1))
    call_command("publish_scheduled")


def delete_pages():
    for page in ArticlePage.objects.all():
        page.delete()


@pytest.mark.parametrize("act", [replace, delete, correct_credit, unpublish, expire, delete_pages])
def test_mail_and_archive_keep_their_pictures_byte_for_byte(sent, client, django_capture_on_commit_callbacks, act):
    before = shown(client)
    assert len(before) >= 5

    with django_capture_on_commit_callbacks(execute=True):
        act()

    assert shown(client) == before
    for address, content, _alt, _credit in before:
        assert address == f"http://testserver/media/issues/{hashlib.sha256(content).hexdigest()}.jpg"


def test_the_same_bytes_are_kept_once_for_all_variants_languages_and_issues(sent, issue):
    copies = {frozen.file.name: frozen.sha256 for frozen in FrozenPicture.objects.all()}
    addresses = {
        item["picture"]["url"]
        for variant in Variant.objects.all()
        for section in variant.content["sections"]
        for item in section["items"]
        if item["picture"]
    }
    assert {f"http://testserver/media/{name}" for name in copies} == addresses
    assert len(set(copies.values())) == len(copies)

    messages.variants(issue, [("en", ""), ("es", "")])
    assert FrozenPicture.objects.count() == len(copies)


def test_what_is_not_sent_has_no_copies(issue, admin_client):
    messages.test_message(issue, "editor@school.example", "en")
    assert admin_client.get(f"/admin/pages/{issue.pk}/view_draft/?mode=mail").status_code == 200
    assert not FrozenPicture.objects.exists()


@pytest.mark.once
def test_the_picture_of_a_mail_carries_its_credit_and_no_place(newsletter, issue, maria, october, corpus, client):
    need("exiftool")
    picture = october["morning"].picture
    picture.file = ContentFile((corpus / "images" / "bep__sunrise.jpg").read_bytes(), "sunrise.jpg")
    picture.save()
    delivery.send(issue)
    files = [frozen.file.path for frozen in FrozenPicture.objects.all()]
    assert [private for file in exif.tags(*files) if (private := exif.beside_credit(file))] == []
    assert {exif.credit(file)["artist"] for file in files} == {"Rosa Lindqvist"}


def test_a_copy_that_was_cut_off_or_lost_is_written_again(issue, maria, client):
    name = next(iter(messages.variants(issue, [("en", "")]))).content["sections"][0]["items"][0]["picture"]["url"]
    whole, *others = [Path(frozen.file.path) for frozen in FrozenPicture.objects.all()]
    content = whole.read_bytes()
    whole.write_bytes(content[:100])
    for other in others:
        other.unlink()

    delivery.send(issue)

    assert whole.read_bytes() == content
    assert name in {address for address, *_rest in shown(client)}


def test_a_rendition_whose_file_was_lost_is_drawn_again(issue, maria, client):
    messages.test_message(issue, "editor@school.example", "en")
    for rendition in CreditedRendition.objects.all():
        Path(rendition.file.path).unlink()
    delivery.send(issue)
    assert len(shown(client)) >= 5


def test_nothing_is_sent_while_a_copy_can_not_be_written(issue, maria):
    Path(settings.MEDIA_ROOT).mkdir(exist_ok=True)
    blocked = Path(settings.MEDIA_ROOT, "issues")
    blocked.write_text("A file where the folder should be.")
    with pytest.raises(OSError, match="issues"):
        delivery.send(issue)
    assert Mailing.objects.get().state == Mailing.State.PREPARING
    assert not FrozenPicture.objects.exists() and not Delivery.objects.exists()

    blocked.unlink()
    delivery.start(Mailing.objects.get())
    assert Mailing.objects.get().state == Mailing.State.SENDING


# --- Withdrawn


@pytest.fixture
def withdrawn(sent, client, admin_user):
    """The first picture of the mail, withdrawn; with what was seen before."""
    before = shown(client)
    picture = FrozenPicture.objects.get(sha256=hashlib.sha256(before[0][1]).hexdigest())
    frozen_pictures.withdraw(picture, "The release was revoked.", admin_user)
    return picture, before


def test_a_withdrawal_puts_a_neutral_picture_at_the_address_and_changes_nothing_else(withdrawn, client, admin_user):
    picture, before = withdrawn
    after = shown(client)
    assert [(address, alt, credit) for address, _content, alt, credit in after] == [
        (address, alt, credit) for address, _content, alt, credit in before
    ]
    for old, new in zip(before, after, strict=True):
        assert (old[1] != new[1]) == (picture.sha256 in old[0])
    neutral = next(content for address, content, *_words in after if picture.sha256 in address)
    with Drawing.open(BytesIO(neutral)) as drawing:
        assert drawing.size == (1104, 621)
        assert len(drawing.convert("RGB").getcolors()) == 1
    assert picture.sha256 == hashlib.sha256(before[0][1]).hexdigest()
    assert picture.withdrawn_at and picture.withdrawn_by == admin_user
    assert picture.reason == "The release was revoked."


def test_withdrawing_again_repairs_the_file_and_keeps_the_first_day_and_actor(withdrawn, admin_user):
    picture, _before = withdrawn
    first, neutral = picture.withdrawn_at, Path(picture.file.path).read_bytes()
    Path(picture.file.path).unlink()
    frozen_pictures.withdraw(picture, "Another reason.")
    assert len(Path(picture.file.path).read_bytes()) > 100
    assert Path(picture.file.path).read_bytes()[:2] == neutral[:2]
    assert (picture.withdrawn_at, picture.withdrawn_by, picture.reason) == (
        first,
        admin_user,
        "The release was revoked.",
    )


def test_a_withdrawn_picture_is_never_sent_again(withdrawn, issue):
    picture, _before = withdrawn
    neutral = Path(picture.file.path).read_bytes()
    (variant,) = messages.variants(issue, [("en", "")])
    assert picture.sha256.encode() not in variant.template
    assert Path(picture.file.path).read_bytes() == neutral


def test_a_withdrawal_that_can_not_be_written_does_not_count(sent):
    picture = FrozenPicture.objects.first()
    Path(picture.file.path).unlink()
    Path(picture.file.path).mkdir()
    with pytest.raises(OSError, match=picture.sha256):
        frozen_pictures.withdraw(picture, "The release was revoked.")
    assert not FrozenPicture.objects.exclude(withdrawn_at=None).exists()


# --- Sent before there were copies


@pytest.fixture
def sent_before(sent):
    """The issue as it was kept before: its variants show renditions, whose files say where they were taken."""
    FrozenPicture.objects.all().delete()
    need("exiftool")
    for variant in Variant.objects.all():
        for section in variant.content["sections"]:
            for item in section["items"]:
                if picture := item["picture"]:
                    picture["url"] = f"http://testserver/media/{of_before(picture.pop('image'))}"
        variant.save()
    for path in Path(settings.MEDIA_ROOT, "issues").iterdir():
        path.unlink()
    return IssuePage.objects.get(locale__language_code="en")


def of_before(pk):
    """The name of the rendition of a mail as it was, hidden and alike for all."""
    image = CreditedImage.objects.get(pk=pk)
    rendition = image.renditions.filter(file__startswith="images/.").first()
    if rendition is None:
        path = Path(settings.MEDIA_ROOT, f"images/.max-1104x1104.{pk}.jpg")
        path.write_bytes(Path(image.get_rendition(PICTURE).file.path).read_bytes())
        place = ["-GPSLatitude=36.6", "-GPSLatitudeRef=N", "-SerialNumber=5512345", "-Artist=A stranger"]
        subprocess.run(["exiftool", "-q", "-overwrite_original", *place, path], check=True)
        rendition = image.renditions.create(filter_spec=f"before-{pk}", file=f"images/{path.name}")
    return rendition.file.name


def upgrade():
    importlib.import_module("newsletter.migrations.0009_keep_pictures_of_sent_issues").keep(apps, None)


def test_issues_sent_before_keep_their_pictures_at_their_addresses(
    sent_before, client, django_capture_on_commit_callbacks
):
    before = pictures(client, archive(client))
    assert all(address.startswith("http://testserver/media/images/.max-1104x1104.") for address, *_rest in before)
    assert "GPS:GPSLatitude" in exif.tags(*Path(settings.MEDIA_ROOT, "images").glob(".max*"))[0]

    upgrade()
    assert pictures(client, archive(client)) == before
    taken = frozen_pictures.take_in_old_copies()
    files = list(Path(settings.MEDIA_ROOT, "images").glob(".max*"))
    assert taken == FrozenPicture.objects.exclude(sha256="").count() == len(files)
    assert frozen_pictures.take_in_old_copies() == 0

    kept = pictures(client, archive(client))
    assert [(address, alt, credit) for address, _content, alt, credit in kept] == [
        (address, alt, credit) for address, _content, alt, credit in before
    ]
    for file in exif.tags(*files):
        assert exif.beside_credit(file) == []
        assert file["IFD0:Artist"] == "Rosa Lindqvist"
    with django_capture_on_commit_callbacks(execute=True):
        delete()
    assert pictures(client, archive(client)) == kept


def test_an_old_copy_that_is_withdrawn_before_it_was_read_keeps_its_hash(sent_before):
    upgrade()
    picture = FrozenPicture.objects.first()
    content = Path(picture.file.path).read_bytes()
    frozen_pictures.withdraw(picture, "The release was revoked.")
    frozen_pictures.take_in_old_copies()
    picture.refresh_from_db()
    assert picture.sha256 == hashlib.sha256(content).hexdigest()
    assert Path(picture.file.path).read_bytes() != content


def test_an_old_copy_whose_file_is_gone_or_broken_stops_no_other(sent_before, client):
    upgrade()
    gone, broken, *others = FrozenPicture.objects.order_by("pk")
    Path(gone.file.path).unlink()
    Path(broken.file.path).write_bytes(b"no picture")

    frozen_pictures.take_in_old_copies()

    assert not FrozenPicture.objects.filter(pk=gone.pk).exists()
    assert Path(broken.file.path).read_bytes() == b"no picture"
    assert not FrozenPicture.objects.filter(sha256="").exists() and others
