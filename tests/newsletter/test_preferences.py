"""Choices, and what a person may ask of us by law: a copy of their data, and to be forgotten."""

from __future__ import annotations

import io
import json

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from content.models import EventPage, EventsPage
from newsletter import choices, links, subscribers
from newsletter.models import (
    Bounce,
    ConsentEvent,
    Delivery,
    Mailing,
    Notice,
    Registration,
    Subscriber,
    Suppression,
    Variant,
)


def path_of(url):
    return url.removeprefix("http://testserver")


@pytest.fixture
def browser():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def desk(maria):
    """Where Maria finds her choices."""
    return path_of(links.preferences_url(maria.public_id, "en"))


def link_of(notice):
    make = {"export": links.export_url, "erasure": links.erase_url}[notice.kind]
    return path_of(make(notice.subscription.public_id, notice.created_at, "en"))


def test_the_page_shows_the_choices_and_hides_the_address(browser, maria, desk, terms):
    choices.choose(maria, frozenset([terms["coach"], terms["math"]]))
    soup = BeautifulSoup(browser.get(desk).content, "html.parser")
    assert "m•••@s•••.example" in soup.main.text and "maria.lopez" not in str(soup)
    assert [tag["value"] for tag in soup.select("input:checked")] == ["coach", "math"]
    assert soup.select_one("[name=name]")["value"] == "Maria López"
    assert soup.select_one("[name=language] option:checked")["value"] == "en"
    assert not ConsentEvent.objects.exists()


def test_saving_keeps_what_was_chosen(browser, maria, desk, terms):
    answer = browser.post(
        desk, {"name": " Maria  L. ", "language": "es", "topic": ["equity", "nonsense"], "role": "coach"}
    )
    assert answer.status_code == 200 and not answer.cookies
    assert "Your choices are saved" in answer.content.decode()
    maria.refresh_from_db()
    assert (maria.subscriber.name, maria.subscriber.language) == ("Maria L.", "es")
    assert choices.chosen(maria) == {terms["equity"], terms["coach"]}
    assert maria.choices_key == choices.key([terms["coach"], terms["equity"]])
    assert ConsentEvent.objects.get().kind == "changed"


def test_saving_nothing_takes_all_choices_back(browser, maria, desk, terms):
    choices.choose(maria, frozenset([terms["coach"]]))
    browser.post(desk, {})
    maria.refresh_from_db()
    assert (choices.chosen(maria), maria.choices_key) == (frozenset(), "")


def test_a_choice_made_in_spanish_is_the_same_choice(browser, maria, terms):
    browser.post(path_of(links.preferences_url(maria.public_id, "es")), {"topic": "math", "language": "es"})
    assert choices.chosen(maria) == {terms["math"]}


def test_extra_fields_change_nothing_else(browser, maria, desk):
    browser.post(
        desk, {"status": "complained", "email": "other@school.example", "public_id": "x", "name": "Maria López"}
    )
    maria.refresh_from_db()
    assert (maria.status, maria.subscriber.email) == ("confirmed", "maria.lopez@school.example")


def test_one_can_leave_here_and_ask_to_come_back(browser, maria, desk):
    assert "You are unsubscribed" in browser.post(desk, {"action": "unsubscribe"}).content.decode()
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"
    assert "Check your inbox" in browser.post(desk, {"action": "resubscribe"}).content.decode()
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"
    notice = Notice.objects.get()
    assert notice.kind == "confirmation"
    browser.post(path_of(links.confirm_url(maria.public_id, notice.created_at, "en")))
    maria.refresh_from_db()
    assert maria.status == "confirmed"
    assert ConsentEvent.objects.get(kind="requested").wording


@pytest.mark.parametrize(("action", "kind"), [("export", "export"), ("erase", "erasure")])
def test_asking_for_ones_data_mails_a_fresh_link_and_does_nothing_else(browser, maria, desk, action, kind):
    for _time in range(3):
        answer = browser.post(desk, {"action": action})
        assert answer.status_code == 200 and "Check your inbox" in answer.content.decode()
    assert [notice.kind for notice in Notice.objects.all()] == [kind]
    assert Subscriber.objects.filter(pk=maria.subscriber_id).exists()


def test_the_copy_holds_everything_and_comes_by_post_only(browser, maria, desk, terms):
    choices.choose(maria, frozenset([terms["math"]]))
    browser.post(desk, {"action": "export"})
    link = link_of(Notice.objects.get())
    assert "Download my data" in browser.get(link).content.decode()
    answer = browser.post(link)
    assert answer["Content-Type"] == "application/json" and "attachment" in answer["Content-Disposition"]
    data = json.loads(answer.content)
    assert (data["email"], data["name"]) == ("maria.lopez@school.example", "Maria López")
    subscription = data["subscriptions"][0]
    assert (subscription["status"], subscription["choices"]) == ("confirmed", ["topic/math"])
    assert [event["kind"] for event in subscription["consent"]] == ["exported"]


@pytest.mark.parametrize("action", ["export", "erase"])
def test_links_to_ones_data_work_for_an_hour(browser, maria, desk, action):
    with time_machine.travel("2026-11-02 08:00", tick=False) as clock:
        browser.post(desk, {"action": action})
        link = link_of(Notice.objects.get())
        clock.shift(3601)
        for answer in (browser.get(link), browser.post(link)):
            assert answer.status_code == 410
            assert "one hour" in answer.content.decode()
    assert Subscriber.objects.filter(pk=maria.subscriber_id).exists()


def test_the_link_in_every_mail_opens_neither_export_nor_erasure(browser, maria, desk):
    token = desk.rstrip("/").rpartition("/")[2]
    for purpose in ("export", "erase"):
        assert browser.post(f"/newsletter/{purpose}/{token}/").status_code == 404


def test_erasing_by_link_leaves_the_address_nowhere(browser, maria, desk, newsletter):
    a_history_of(maria, newsletter)
    Suppression.objects.create(address_key="maria.lopez@school.example", reason="bounce")
    Notice.objects.create(subscription=maria, kind="erasure", due_at=timezone.now(), message_id="<n@x>")
    link = link_of(Notice.objects.get())
    assert "Erase everything about me" in browser.get(link).content.decode()
    answer = browser.post(link)
    assert answer.status_code == 200 and "Your data is erased" in answer.content.decode()
    assert not Subscriber.objects.exists() and not Notice.objects.exists()
    assert_nowhere("lopez")
    delivery = Delivery.objects.get()
    assert (delivery.subscriber, delivery.address, delivery.address_key) == (None, "", f"erased:{delivery.pk}")
    assert set(ConsentEvent.objects.values_list("subscription", "kind")) == {(None, "confirmed"), (None, "erased")}
    assert Suppression.objects.get().address_key.startswith("erased:")
    assert browser.post(link).status_code == browser.get(desk).status_code == 404


def a_history_of(subscription, newsletter):
    """A mailing, a bounce and an event that all know the address."""
    subscriber = subscription.subscriber
    mailing = Mailing.objects.create(newsletter=newsletter, subject="October", scheduled_for=timezone.now())
    variant = Variant.objects.create(
        mailing=mailing, language="en", order_key="", subject="October", content={}, template=b""
    )
    delivery = Delivery.objects.create(
        mailing=mailing,
        variant=variant,
        subscriber=subscriber,
        address=subscriber.email,
        address_key=subscriber.address_key,
        message_id="<d@x>",
        state="failed",
        reply=f"550 5.1.1 <{subscriber.email}>: unknown",
    )
    Bounce.objects.create(event_id="1", delivery=delivery, kind="hard", detail=f"<{subscriber.email}> unknown")
    events = EventsPage.objects.first()
    event = events.add_child(instance=EventPage(title="Evening", slug="evening", locale=events.locale))
    Registration.objects.create(event=event, email=subscriber.email, address_key=subscriber.address_key)
    subscribers.consent.record(subscription, ConsentEvent.Kind.CONFIRMED, source="test")


def assert_nowhere(text):
    """No row of any table holds the text."""
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                assert text not in repr(row), table


def test_erasing_by_command(maria, newsletter, capsys):
    a_history_of(maria, newsletter)
    call_command("erase_subscriber", "MARIA.Lopez@School.example")
    assert_nowhere("lopez")
    assert "lopez" not in capsys.readouterr().out.lower()
    call_command("erase_subscriber", "maria.lopez@school.example")
    assert Suppression.objects.count() == 1
    assert "nothing" in capsys.readouterr().out


def test_an_erased_address_can_not_be_imported_again(maria, newsletter, tmp_path):
    call_command("erase_subscriber", "maria.lopez@school.example")
    (tmp_path / "list.csv").write_text("email\nMaria.Lopez@school.example\n", encoding="utf-8")
    out = io.StringIO()
    call_command("import_subscribers", tmp_path / "list.csv", "--consent", "On paper", "--json", stdout=out)
    assert json.loads(out.getvalue())["suppressed"] == 1
    assert not Subscriber.objects.exists()


def test_the_copy_can_be_taken_by_a_person_with_a_history(maria, newsletter):
    a_history_of(maria, newsletter)
    data = subscribers.portrait(maria.subscriber)
    assert data["deliveries"] == [{"subject": "October", "state": "failed", "sent_at": None}]
    assert data["registrations"][0]["event"] == "Evening"
    assert serializers.json.DjangoJSONEncoder().encode(data)
