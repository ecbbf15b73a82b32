"""Leaving: by button or with one click, without a cookie, a login or a question."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone

from newsletter import links
from newsletter.models import ConsentEvent, Mailing, Notice, Subscriber, Suppression


def path_of(url):
    return url.removeprefix("http://testserver")


@pytest.fixture
def way_out(maria):
    return path_of(links.unsubscribe_url(maria.public_id, None, "en"))


@pytest.fixture
def scanner():
    """A client as strict as a browser, and without any cookie."""
    return Client(enforce_csrf_checks=True)


def test_visiting_the_link_shows_a_button_and_changes_nothing(scanner, maria, way_out):
    page = scanner.get(way_out)
    assert page.status_code == 200
    soup = BeautifulSoup(page.content, "html.parser")
    assert soup.select_one("main form[method=post] button").text == "Unsubscribe"
    assert "m•••@s•••.example" in soup.main.text and "maria.lopez" not in page.content.decode()
    assert scanner.head(way_out).status_code == scanner.options(way_out).status_code == 200
    maria.refresh_from_db()
    assert maria.status == "confirmed"
    assert not ConsentEvent.objects.exists()


def test_pressing_the_button_ends_the_subscription_without_a_redirect(scanner, maria, way_out):
    answer = scanner.post(way_out)
    assert answer.status_code == 200 and not answer.cookies
    assert "You are unsubscribed" in answer.content.decode()
    maria.refresh_from_db()
    assert maria.status == "unsubscribed" and maria.ended_at


@pytest.mark.parametrize("body", ["urlencoded", "multipart", "none", "nonsense"])
def test_one_click_works_in_every_encoding(scanner, maria, way_out, body):
    how = {
        "urlencoded": {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"},
        "multipart": {"data": {"List-Unsubscribe": "One-Click"}},
        "none": {},
        "nonsense": {"data": b"\x00\xff--", "content_type": "multipart/form-data; boundary=x"},
    }[body]
    answer = scanner.post(way_out, headers={"origin": "https://mail.example"}, **how)
    assert answer.status_code == 200
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"


@pytest.mark.parametrize("language", ["en", "es"])
def test_one_click_works_without_the_final_slash(scanner, maria, language):
    way_out = path_of(links.unsubscribe_url(maria.public_id, None, language)).rstrip("/")
    assert scanner.get(way_out).status_code == 200
    assert scanner.post(way_out[:-1] + ("B" if way_out[-1] != "B" else "C")).status_code == 404
    maria.refresh_from_db()
    assert maria.status == "confirmed"
    assert scanner.post(way_out, {"List-Unsubscribe": "One-Click"}).status_code == 200
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"


def test_no_link_of_a_mail_needs_its_final_slash(scanner, maria, sam):
    now = timezone.now()
    assert scanner.post(path_of(links.confirm_url(sam.public_id, now, "en")).rstrip("/")).status_code == 200
    sam.refresh_from_db()
    assert sam.status == "confirmed"
    desk, data, erase = (
        path_of(url).rstrip("/")
        for url in (
            links.preferences_url(maria.public_id, "en"),
            links.export_url(maria.public_id, now, "en"),
            links.erase_url(maria.public_id, now, "en"),
        )
    )
    assert "Your choices are saved" in scanner.post(desk, {"name": "Maria"}).content.decode()
    assert scanner.post(data).json()["name"] == "Maria"
    assert scanner.post(erase).status_code == 200
    assert not Subscriber.objects.filter(email="maria.lopez@school.example").exists()


def test_the_form_is_taken_without_the_final_slash(scanner, newsletter):
    assert scanner.post("/newsletter/subscribe", {"email": "ana@school.example"}).status_code == 200
    assert Subscriber.objects.get().email == "ana@school.example"
    assert scanner.get("/newsletter/subscribe")["Location"] == "/newsletter/"


def test_leaving_twice_is_answered_alike(scanner, maria, way_out):
    answers = [scanner.post(way_out), scanner.post(way_out), scanner.get(way_out)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.content for answer in answers}) == 1
    assert ConsentEvent.objects.filter(kind="unsubscribed").count() == 1


def test_the_mailing_they_left_from_is_remembered(scanner, maria, newsletter):
    mailing = Mailing.objects.create(newsletter=newsletter, subject="October", scheduled_for=timezone.now())
    scanner.post(path_of(links.unsubscribe_url(maria.public_id, mailing.pk, "en")))
    event = ConsentEvent.objects.get()
    assert (event.kind, event.mailing, event.subscription) == ("unsubscribed", mailing, maria)


def test_a_link_of_a_mailing_long_deleted_still_works(scanner, maria):
    assert scanner.post(path_of(links.unsubscribe_url(maria.public_id, 987_654, "en"))).status_code == 200
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"


def test_who_never_joined_may_say_never(scanner, sam):
    way_out = path_of(links.unsubscribe_url(sam.public_id, None, "en"))
    assert "Never mail this address again" in scanner.get(way_out).content.decode()
    scanner.post(way_out, {"never": "1"})
    assert Suppression.objects.get().address_key == "sam@school.example"
    scanner.post("/newsletter/subscribe/", {"email": "sam@school.example"})
    assert not Notice.objects.exists()


def test_a_forwarded_mail_can_not_bar_a_subscriber_for_good(scanner, maria, way_out):
    scanner.post(way_out, {"never": "1"})
    assert not Suppression.objects.exists()


def test_a_bounced_subscription_stays_what_it_is(scanner, people):
    bounced = people("old@school.example", status="bounced")
    assert scanner.post(path_of(links.unsubscribe_url(bounced.public_id, None, "en"))).status_code == 200
    bounced.refresh_from_db()
    assert bounced.status == "bounced"


PAGES = ("confirm", "preferences", "unsubscribe", "export", "erase")


@pytest.mark.parametrize("purpose", PAGES)
def test_unknown_links_get_a_kind_page(scanner, maria, purpose):
    right = links.unsubscribe_url(maria.public_id, 1, "en").rstrip("/").rpartition("/")[2]
    other = "B" if right[-1] != "B" else "C"
    for token in ("1", "undefined", right[:-1] + other, "%F0%9F%98%80", "[]", "a/b", "a" * 5000, "%00"):
        for answer in (scanner.get(f"/newsletter/{purpose}/{token}/"), scanner.post(f"/newsletter/{purpose}/{token}/")):
            assert answer.status_code == 404
            assert "We do not know this link" in answer.content.decode()
            assert answer["Cache-Control"] == "no-store"
    for path in (f"/newsletter/{purpose}/", f"/newsletter/{purpose}//", f"/newsletter/{purpose}"):
        assert scanner.get(path).status_code == scanner.post(path).status_code == 404
    maria.refresh_from_db()
    assert maria.status == "confirmed"


@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_private_pages_are_kept_by_nobody(scanner, maria, way_out, method):
    answer = getattr(scanner, method)(way_out)
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Robots-Tag"] == "noindex"
    assert not answer.cookies
    if method == "get":
        assert BeautifulSoup(answer.content, "html.parser").select_one("meta[name=robots][content=noindex]")


def test_the_page_speaks_the_language_of_its_address(scanner, maria):
    page = scanner.get(path_of(links.unsubscribe_url(maria.public_id, None, "es")), headers={"accept-language": "en"})
    assert BeautifulSoup(page.content, "html.parser").html["lang"] == "es"
