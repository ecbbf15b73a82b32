"""Hostile values through every public field of the newsletter: refused or kept as text, never a 5xx, never run."""

from __future__ import annotations

import csv
import io
import json
import time
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from django.core.management import CommandError, call_command
from django.test import Client

from newsletter import addresses, choices, exporting, forms, links, subscribers
from newsletter.messages import notice_message
from newsletter.models import Notice, Subscriber, Subscription

DOOR = "/newsletter/subscribe/"
# What surrounds an address or can not be seen in it is taken off: tests/newsletter/test_address_cleaning.py.
CLEANED = {"<a@example.com>", "mailto:a@example.com", "admin@examp\u200dle.com", "admin@example.com\u00a0"}
FIELDS = ("name", "language", "role", "grade", "topic", "website", "action", "never", "List-Unsubscribe")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("newsletter.views.subscribing.ANSWER_AFTER", 0)


@pytest.fixture(scope="session")
def hostile(corpus):
    """The corpus: values for a field."""
    items = json.loads((corpus / "hostile.json").read_text(encoding="utf-8"))["items"]

    def of(target, category=None):
        return [item["value"] for item in items if target in item["targets"] and category in (None, item["category"])]

    return of


@pytest.fixture
def everything(hostile):
    """Every value of the corpus, whatever it was meant for."""
    return sorted(
        {value for target in ("email", "name", "query", "csv", "token", "url", "next") for value in hostile(target)}
    )


def send(path, data, client, network):
    start = time.process_time()
    answer = client.post(path, data, REMOTE_ADDR=f"10.{network // 250}.{network % 250}.1")
    assert answer.status_code < 500
    assert time.process_time() - start < 1
    return answer


def test_addresses_that_can_not_work_make_no_row_and_no_mail(hostile, newsletter):
    client = Client(raise_request_exception=False)
    bad = hostile("email", "email-syntax-bad") + hostile("email", "header-injection")
    for number, value in enumerate(value for value in bad if value not in CLEANED):
        answer = send(DOOR, {"email": value}, client, number)
        assert answer.status_code == 400, value
        assert BeautifulSoup(answer.content, "html.parser").select_one(".field__error")
    assert not Subscriber.objects.exists() and not Notice.objects.exists()


def test_addresses_that_work_are_taken(hostile, newsletter):
    for number, value in enumerate(hostile("email", "email-syntax-good")):
        assert send(DOOR, {"email": value}, Client(), number).status_code == 200
    assert Subscriber.objects.count() == len(hostile("email", "email-syntax-good"))


def test_look_alikes_are_never_the_plain_address(hostile, people):
    for plain in ("admin@example.com", "k@example.com", "a@example.com"):
        people(plain)
    for number, value in enumerate(value for value in hostile("email", "unicode-tricks") if value not in CLEANED):
        answer = send(DOOR, {"email": value}, Client(), number)
        if value != "K@example.com":
            assert answer.status_code == 400, value
    assert not Notice.objects.exclude(subscription__subscriber__address_key="k@example.com").exists()


def test_no_address_of_the_corpus_breaks_the_form(hostile, newsletter):
    client = Client(raise_request_exception=False)
    for number, value in enumerate(hostile("email")):
        send(DOOR, {"email": value}, client, number)
    for subscriber in Subscriber.objects.all():
        assert addresses.parse(subscriber.email).key == subscriber.address_key
        assert subscriber.email.isascii() and subscriber.email.isprintable() and " " not in subscriber.email


def test_choices_that_can_not_be_printed_are_left_out(newsletter, terms):
    sign_up = {"email": "ana@school.example", "role": ["teacher", "\0", "coach\0"], "topic": "\x7f"}
    assert forms.TermsField().clean(["teacher", "coach\0", "\ud800", ""]) == ["teacher", ""]
    assert send(DOOR, sign_up, Client(), 1).status_code == 200
    assert choices.chosen(Subscription.objects.get()) == {terms["teacher"]}


def test_names_are_kept_as_text_and_stay_out_of_the_mail(hostile, newsletter, terms):
    client = Client(raise_request_exception=False)
    for number, value in enumerate(hostile("name")):
        send(
            DOOR,
            {"email": f"t{number}@example.com", **dict.fromkeys(("name", "role", "language"), value)},
            client,
            number,
        )
    assert Subscription.objects.count() == len(hostile("name"))
    for notice in Notice.objects.select_related("subscription__subscriber", "subscription__newsletter"):
        subscriber = notice.subscription.subscriber
        assert len(subscriber.name) <= 120
        assert not any(sign in subscriber.name for sign in "\0\r\n\x1b\u2028")
        message = notice_message(notice)
        head = message.partition(b"\r\n\r\n")[0]
        assert head.lower().count(b"\nto:") == 1 and b"\nbcc:" not in head.lower()
        if len(subscriber.name) > 12:
            assert subscriber.name.encode() not in message


def test_a_hostile_name_is_shown_as_text_wherever_it_appears(hostile, maria, admin_client):
    path = links.preferences_url(maria.public_id, "en").removeprefix("http://testserver")
    for value in hostile("name", "xss") + hostile("name", "template-injection")[:2] + hostile("name", "bidi-rtl"):
        answer = Client().post(path, {"name": value})
        shown = addresses.tidy_name(value)
        soup = BeautifulSoup(answer.content, "html.parser")
        assert soup.select_one("input[name=name]").get("value", "") == shown
        pages = [soup, *(desk(admin_client, address) for address in ("", f"inspect/{maria.subscriber_id}/"))]
        for page in pages:
            assert_nothing_runs(page)
        for page in pages[1:]:
            assert shown in page.get_text()


def assert_nothing_runs(page):
    for tag in page.select("script, iframe, img, style, meta, svg, a"):
        assert "evil.example" not in str(tag) or tag.name == "a"
        assert not any(name.startswith("on") for name in tag.attrs)
        assert "alert(1)" not in tag.get_text() and not tag.get("href", "").lower().startswith(("javascript:", "data:"))


def desk(client, path):
    answer = client.get(f"/admin/newsletter/subscribers/{path}")
    assert answer.status_code == 200
    return BeautifulSoup(answer.content, "html.parser")


def test_tokens_of_every_kind_are_unknown(hostile, maria):
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    for purpose in ("confirm", "preferences", "unsubscribe", "export", "erase"):
        for value in hostile("token") + hostile("query", "xss")[::4] + hostile("filename")[::2]:
            path = f"/newsletter/{purpose}/{quote(value[:2000], safe='')}/"
            for answer in (client.get(path), client.post(path)):
                assert answer.status_code == 404, path
                assert_nothing_runs(BeautifulSoup(answer.content, "html.parser"))
    maria.refresh_from_db()
    assert maria.status == "confirmed"


def test_every_field_of_a_private_page_takes_anything(hostile, maria):
    client = Client(raise_request_exception=False)
    path = links.preferences_url(maria.public_id, "en").removeprefix("http://testserver")
    for number, value in enumerate(hostile("name")[::2] + hostile("query", "search-syntax")):
        assert send(path, dict.fromkeys(FIELDS, value), client, number).status_code == 200
    maria.refresh_from_db()
    assert (maria.status, maria.subscriber.email) == ("confirmed", "maria.lopez@school.example")


def test_hostile_headers_open_no_door(hostile, newsletter):
    client = Client(raise_request_exception=False)
    for value in hostile("next") + hostile("url") + hostile("email", "header-injection"):
        plain = "".join(sign for sign in value[:500] if sign.isprintable()).encode().decode("latin-1")
        for name in ("origin", "referer"):
            if plain:
                answer = client.post(DOOR, {"email": "a@example.com"}, headers={name: plain})
                assert answer.status_code == 403, (name, value)
    assert not Subscriber.objects.exists()


def test_no_answer_leads_to_another_site(hostile, newsletter):
    for value in hostile("next"):
        for data in ({"email": "a@example.com", "next": value}, {"next": value}):
            assert "Location" not in Client().post(DOOR, data).headers
        assert Client().get(DOOR, {"next": value}).url == "/newsletter/"


def test_files_of_every_shape_are_imported_or_refused_in_words(everything, newsletter, tmp_path):
    file = tmp_path / "list.csv"
    for value in everything:
        for text in (value, f"email,name\na@example.com,{value}", f'email\n{value}\n"fine@example.com"'):
            file.write_text(text, encoding="utf-8", newline="")
            try:
                call_command("import_subscribers", file, f"--consent={value[:100]}", "--json", stdout=io.StringIO())
            except CommandError as refusal:
                assert str(refusal).endswith("."), refusal


def test_hostile_names_survive_export_and_import_and_are_no_formulas(hostile, people, newsletter, tmp_path):
    names = [addresses.tidy_name(value) for value in hostile("name")]
    for number, name in enumerate(names):
        people(f"t{number}@example.com", name=name)
    file = tmp_path / "all.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        exporting.write(newsletter, out)
    with file.open(encoding="utf-8", newline="") as rows:
        cells = [cell for row in csv.reader(rows) for cell in row if cell]
    assert not any(cell[0] in "=+-@\t\r\0" for cell in cells)
    Subscriber.objects.all().delete()
    call_command("import_subscribers", file, stdout=io.StringIO())
    kept = {person.email: person.name for person in Subscriber.objects.all()}
    assert kept == {f"t{number}@example.com": name for number, name in enumerate(names)}


def test_a_form_of_any_size_is_answered_quickly(newsletter):
    for data in ({"email": "a" * 2_000_000}, {"email": "a@example.com", "name": "é" * 900_000}):
        assert send(DOOR, data, Client(raise_request_exception=False), 1).status_code in (200, 400, 413)
    many = {"email": "a@example.com", "topic": ["x"] * 900}
    assert send(DOOR, many, Client(raise_request_exception=False), 2).status_code == 200


def test_erasing_takes_hostile_addresses_too(hostile, newsletter):
    for value in hostile("email"):
        try:
            call_command("erase_subscriber", value, stdout=io.StringIO())
        except CommandError as refusal:
            assert value not in str(refusal) or len(value) < 3
    assert subscribers.erase("a@example.com", source="test") is False
