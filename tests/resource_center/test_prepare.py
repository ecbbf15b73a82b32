"""What every start does first."""

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import override_settings
from wagtail.models import Site

from content.models import HomePage
from newsletter.models import NewsletterPage
from resource_center.management.commands import prepare

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path, monkeypatch, settings):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(prepare, "PASSWORD_FILE", tmp_path / "admin_password")
    (tmp_path / "static.stamp").write_text(prepare.fingerprint())
    return tmp_path


def test_an_empty_site_gets_its_own_pages_and_no_account(folder):
    call_command("prepare")
    assert {home.locale.language_code for home in HomePage.objects.all()} == {"en", "es"}
    assert NewsletterPage.objects.count() == 2
    assert not get_user_model().objects.exists()


def test_preparing_twice_changes_nothing(folder):
    call_command("prepare")
    call_command("prepare")
    assert HomePage.objects.count() == 2


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://www.example.org", "www.example.org", 443),
        ("http://127.0.0.1:8000", "127.0.0.1", 8000),
        ("http://library.example", "library.example", 80),
    ],
)
def test_the_one_site_follows_the_settings(url, host, port):
    with override_settings(SITE_URL=url, HTTPS=url.startswith("https:")):
        prepare.follow_site_url()
    one = Site.objects.get()
    assert (one.hostname, one.port) == (host, port)


def test_the_demos_admin_gets_a_random_password_that_is_kept(folder):
    prepare.keep_admin()
    password = (folder / "admin_password").read_text().strip()
    assert get_user_model().objects.get(username="admin").check_password(password)
    prepare.keep_admin()
    assert (folder / "admin_password").read_text().strip() == password


def test_a_password_that_somebody_changed_is_forgotten(folder):
    prepare.keep_admin()
    admin = get_user_model().objects.get(username="admin")
    admin.set_password("one of my own")
    admin.save()
    prepare.keep_admin()
    assert not (folder / "admin_password").exists()


def test_an_admin_who_was_there_before_keeps_the_password(folder):
    get_user_model().objects.create_superuser("admin", password="from an earlier time")
    prepare.keep_admin()
    assert get_user_model().objects.get(username="admin").check_password("from an earlier time")
    assert not (folder / "admin_password").exists()
