"""An issue whose pictures can not be drawn any more goes out with their alt text in their places."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.core.management import call_command
from PIL import Image

from content.models import CreditedImage
from newsletter import messages
from tests.newsletter.test_messages import SLOTS, bodies_of

pytestmark = pytest.mark.django_db

ALT = "Twelve tiles on a table."


def sixteen_bits() -> bytes:
    file = BytesIO()
    Image.new("I;16", (400, 300), 30_000).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(params=[None, b"no picture", sixteen_bits()], ids=["gone", "no picture", "16 bit"])
def broken_issue(request, settings, tmp_path, issue):
    cache.clear()
    for image in CreditedImage.objects.all():
        image.renditions.all().delete()
        Path(image.file.path).unlink()
        if request.param:
            Path(image.file.path).write_bytes(request.param)
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    return issue


def test_the_mail_shows_the_alt_text_with_its_credit(broken_issue):
    variant = messages.variants(broken_issue, [("en", "")])[0]
    text, html = bodies_of(messages.fill(variant.template, SLOTS))
    page = BeautifulSoup(html, "lxml")

    assert not page.find_all("img")
    assert "not-found" not in html
    assert page.get_text(" ").count(ALT) == 2
    assert "Artist: Rosa Lindqvist" in page.get_text(" ")
    assert f"Picture: {ALT}" in " ".join(text.split())


def test_the_test_copy_leaves_and_the_pages_of_the_issue_open(broken_issue, client, admin_client):
    call_command("send_issue", str(broken_issue.pk), "--test-to", "editor@school.example", "--json")
    broken_issue.save_revision().publish()

    for reader, path in ((client, broken_issue.url), (admin_client, f"/admin/pages/{broken_issue.pk}/edit/")):
        assert reader.get(path).status_code == 200
    html = client.get(broken_issue.url).content.decode()
    assert ALT in html and "not-found" not in html
