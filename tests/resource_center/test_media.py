"""Uploaded files under /media/."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

pytestmark = pytest.mark.django_db


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    pictures = ("images/a.width-800.png", "issues/0a1b.jpg", "original_images/a.png", "uploads/2026/a.jpg")
    for name in (*pictures, "documents/plan.pdf", "images/page.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"content")


def test_a_rendition_is_served_for_a_month(client, media):
    answer = client.get("/media/images/a.width-800.png")
    assert answer.status_code == 200
    assert answer.getvalue() == b"content"
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "public, max-age=2592000"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'"
    assert not answer.cookies


def test_the_picture_of_a_sent_issue_is_served_for_a_day_because_it_can_be_withdrawn(client, media):
    answer = client.get("/media/issues/0a1b.jpg")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "public, max-age=86400")
    answer.getvalue()


def test_a_picture_that_did_not_change_is_not_sent_again(client, media):
    first = client.get("/media/images/a.width-800.png")
    first.getvalue()
    again = client.get("/media/images/a.width-800.png", headers={"If-Modified-Since": first["Last-Modified"]})
    assert again.status_code == 304


def test_originals_are_for_editors(client, media):
    assert client.get("/media/original_images/a.png").status_code == 404
    editor = get_user_model().objects.create_user("editor")
    editor.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client.force_login(editor)
    answer = client.get("/media/original_images/a.png")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    answer.getvalue()


@pytest.mark.parametrize(
    "path",
    ["documents/plan.pdf", "uploads/2026/a.jpg", "images/../documents/plan.pdf", "images/none.png", "images/", ""],
)
def test_nothing_else_is_served(client, media, path):
    assert client.get(f"/media/{path}").status_code == 404


def test_what_is_no_picture_is_never_shown_in_the_page(client, media):
    answer = client.get("/media/images/page.html")
    assert answer["Content-Disposition"] == "attachment"
    answer.getvalue()


def test_a_name_that_no_file_system_takes_is_not_found(client, media):
    assert client.get("/media/images/" + "a" * 300).status_code == 404
