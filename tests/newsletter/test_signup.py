"""The sign-up form: the same answer for everybody, a confirmation by mail, and limits that hold."""

from __future__ import annotations

import datetime
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from bs4 import BeautifulSoup
from celery import current_app
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.utils import timezone, translation
from kombu.exceptions import OperationalError

from newsletter import addresses, forms, links
from newsletter.models import (
    ConsentEvent,
    Newsletter,
    Notice,
    SignupAttempt,
    Subscriber,
    Subscription,
    Suppression,
)

DOOR = "/newsletter/subscribe/"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """The even time of the answer is tested by itself."""
    monkeypatch.setattr("newsletter.views.subscribing.ANSWER_AFTER", 0)


def sign_up(client, email="ana@school.example", **data):
    return client.post(DOOR, {"email": email, **data})


def confirm_path(subscription):
    notice = Notice.objects.filter(subscription=subscription, kind="confirmation").latest("pk")
    return links.confirm_url(subscription.public_id, notice.created_at, "en").removeprefix("http://testserver")


def test_signing_up_makes_a_pending_subscription_and_queues_a_confirmation(client, newsletter):
    answer = sign_up(client, " Ana@School.Example ", name="Ana  Ruiz", language="es")
    assert answer.status_code == 200
    subscription = Subscription.objects.select_related("subscriber").get()
    assert (subscription.status, subscription.source) == ("pending", "form (en)")
    assert (subscription.subscriber.email, subscription.subscriber.address_key) == (
        "Ana@school.example",
        "ana@school.example",
    )
    assert (subscription.subscriber.name, subscription.subscriber.language) == ("Ana Ruiz", "es")
    notice = Notice.objects.get()
    assert (notice.kind, notice.state, notice.subscription) == ("confirmation", "queued", subscription)
    assert notice.due_at <= timezone.now()


def test_the_words_agreed_to_are_kept_in_the_language_they_were_shown_in(client, newsletter):
    client.post("/es" + DOOR, {"email": "ana@school.example"})
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source) == ("requested", "form (es)")
    with translation.override("es"):
        assert event.wording == forms.consent_wording()


def test_choices_are_kept_and_unknown_ones_ignored(client, terms):
    sign_up(
        client,
        role=["teacher", "astronaut"],
        topic=["equity", "math"],
        grade="k-99",
        language="tlh",
        status="confirmed",
    )
    subscription = Subscription.objects.get()
    assert set(subscription.choices.values_list("term_key", flat=True)) == {
        terms["teacher"],
        terms["equity"],
        terms["math"],
    }
    assert len(subscription.choices_key) == 64
    assert (subscription.status, subscription.subscriber.language) == ("pending", "en")


def test_everybody_gets_the_same_answer(client, people):
    people("pending@school.example", status="pending")
    people("confirmed@school.example")
    people("gone@school.example", status="unsubscribed")
    Suppression.objects.create(address_key="blocked@school.example", reason="complaint")
    names = ("new", "pending", "confirmed", "gone", "blocked")
    answers = [sign_up(client, f"{name}@school.example") for name in names]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert {notice.subscription.subscriber.email.partition("@")[0]: notice.kind for notice in Notice.objects.all()} == {
        "new": "confirmation",
        "pending": "confirmation",
        "confirmed": "already",
        "gone": "confirmation",
    }


def test_a_suppressed_address_leaves_no_trace_but_the_count(client, newsletter):
    Suppression.objects.create(address_key="blocked@school.example", reason="bounce")
    sign_up(client, "Blocked@School.example")
    assert not Subscriber.objects.exists() and not Notice.objects.exists() and not ConsentEvent.objects.exists()
    assert SignupAttempt.objects.count() == 1


def test_the_answer_takes_the_same_time(client, maria, monkeypatch):
    monkeypatch.setattr("newsletter.views.subscribing.ANSWER_AFTER", 0.4)
    for email in ("new@school.example", "maria.lopez@school.example"):
        start = datetime.datetime.now()
        sign_up(client, email)
        assert 0.4 <= (datetime.datetime.now() - start).total_seconds() < 0.8


def test_a_confirmed_subscription_is_not_touched_by_a_strangers_form(client, maria):
    sign_up(client, maria.subscriber.email, name="Mallory", language="es")
    maria.refresh_from_db()
    assert (maria.status, maria.subscriber.name, maria.subscriber.language) == ("confirmed", "Maria López", "en")


def test_signing_up_again_after_leaving_changes_nothing_until_it_is_confirmed(client, people):
    gone = people("gone@school.example", status="unsubscribed")
    sign_up(client, "gone@school.example")
    gone.refresh_from_db()
    assert gone.status == "unsubscribed"
    assert client.post(confirm_path(gone)).status_code == 200
    gone.refresh_from_db()
    assert (gone.status, gone.ended_at) == ("confirmed", None)


def test_no_cookie_is_set_and_none_is_needed(newsletter):
    answer = sign_up(Client(enforce_csrf_checks=True))
    assert answer.status_code == 200 and not answer.cookies
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://testserver"},
        {"origin": "https://www.resource-center.example"},
        {"origin": "https://partner.example"},
        {"referer": "http://testserver/resources/?q=x"},
        {"referer": "https://partner.example/join"},
        {"origin": "http://testserver", "referer": "https://evil.example/"},
        {},
    ],
)
def test_forms_of_our_own_pages_are_taken(client, newsletter, settings, headers):
    settings.SITE_URL = "https://www.resource-center.example"
    settings.EMBED_ORIGINS = ["https://partner.example"]
    assert client.post(DOOR, {"email": "ana@school.example"}, headers=headers).status_code == 200
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://testserver"},
        {"origin": "http://testserver:81"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"referer": "https://evil.example/http://testserver/"},
        {"referer": "http://[broken"},
        {"referer": "about:blank"},
        {"origin": "null", "referer": "http://testserver/"},
    ],
)
def test_forms_of_other_sites_are_refused_kindly(client, newsletter, headers):
    answer = client.post(DOOR, {"email": "ana@school.example"}, headers=headers)
    assert answer.status_code == 403
    assert "came from another site" in answer.content.decode()
    assert not Subscription.objects.exists()


def test_visiting_the_door_leads_to_the_newsletters_page(client, newsletter):
    for method in (client.get, client.head):
        answer = method(DOOR)
        assert (answer.status_code, answer.url) == (302, "/newsletter/")
    assert client.get("/es" + DOOR).url == "/es/newsletter/"
    assert client.put(DOOR).status_code == 405


def test_an_address_that_can_not_work_is_sent_back_with_a_kind_word(client, newsletter):
    answer = sign_up(client, "ana@", name="Ana")
    assert answer.status_code == 400
    soup = BeautifulSoup(answer.content, "html.parser")
    assert "name@school.org" in soup.select_one(".field__error").text
    assert soup.select_one("input[name=email]")["value"] == "ana@"
    assert soup.select_one("input[name=email]")["aria-invalid"] == "true"
    assert soup.select_one("input[name=name]")["value"] == "Ana"
    assert not Subscriber.objects.exists() and not SignupAttempt.objects.exists()


def test_a_program_that_fills_in_everything_is_thanked_and_ignored(client, newsletter):
    expected = sign_up(client).content
    answer = sign_up(client, "bot@school.example", website="https://spam.example")
    assert (answer.status_code, answer.content) == (200, expected)
    assert Subscription.objects.count() == 1


def test_an_address_gets_one_confirmation_an_hour_and_three_a_day(client, newsletter):
    sent = []
    with time_machine.travel("2026-11-02 08:00", tick=False) as clock:
        for minute in range(0, 26 * 60, 30):
            clock.move_to(datetime.datetime(2026, 11, 2, 8) + datetime.timedelta(minutes=minute))
            sign_up(client, "ANA@school.example" if minute % 60 else "ana@school.example")
            sent.append(Notice.objects.count())
    assert sent[:8] == [1, 1, 2, 2, 3, 3, 3, 3]
    assert sent[47] == 3 and sent[48] == 4


def test_the_news_that_one_is_subscribed_is_limited_too(client, maria):
    for _time in range(5):
        sign_up(client, maria.subscriber.email)
    assert Notice.objects.count() == 1


def test_a_network_may_send_sixty_an_hour(client, newsletter):
    with time_machine.travel("2026-11-02 08:00", tick=False) as clock:
        for number in range(60):
            answer = client.post(DOOR, {"email": f"t{number}@school.example"}, REMOTE_ADDR=f"203.0.113.{number}")
            assert answer.status_code == 200
        answer = client.post(DOOR, {"email": "late@school.example"}, REMOTE_ADDR="203.0.113.200")
        assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
        assert Subscription.objects.count() == 60
        assert client.post(DOOR, {"email": "other@school.example"}, REMOTE_ADDR="203.0.114.1").status_code == 200
        clock.shift(3601)
        assert client.post(DOOR, {"email": "late@school.example"}, REMOTE_ADDR="203.0.113.200").status_code == 200


def test_limits_keep_no_address_of_person_or_machine(client, newsletter):
    client.post(DOOR, {"email": "ana@school.example"}, REMOTE_ADDR="203.0.113.9")
    attempt = SignupAttempt.objects.get()
    assert attempt.address_hash == addresses.keyed_hash("ana@school.example")
    assert attempt.network_hash == addresses.keyed_hash("203.0.113.0/24")


def test_signing_up_without_a_broker_still_succeeds(
    client, newsletter, monkeypatch, django_capture_on_commit_callbacks
):
    def refuse(*_args, **_options):
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app, "send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True) as rung:
        assert sign_up(client).status_code == 200
    assert rung
    assert Notice.objects.get().state == "queued"


def test_the_doorbell_rings_once_whoever_signs_up(client, maria, django_capture_on_commit_callbacks, monkeypatch):
    monkeypatch.setattr(current_app, "send_task", lambda *_args, **_options: None)
    Suppression.objects.create(address_key="blocked@school.example", reason="bounce")
    for email in ("new@school.example", "new@school.example", maria.subscriber.email, "blocked@school.example"):
        with django_capture_on_commit_callbacks() as rung:
            sign_up(client, email)
        assert len(rung) == 1


def test_visiting_the_link_shows_a_button_and_only_pressing_it_confirms(client, newsletter):
    sign_up(client)
    subscription = Subscription.objects.get()
    path = confirm_path(subscription)
    page = client.get(path)
    assert page.status_code == 200
    assert BeautifulSoup(page.content, "html.parser").select_one("main form[method=post] button")
    assert "ana@" not in page.content.decode() and "a•••@s•••.example" in page.content.decode()
    assert client.head(path).status_code == client.options(path).status_code == 200
    subscription.refresh_from_db()
    assert subscription.status == "pending"
    assert client.post(path).status_code == 200
    subscription.refresh_from_db()
    assert subscription.status == "confirmed" and subscription.confirmed_at
    assert list(ConsentEvent.objects.values_list("kind", flat=True)) == ["requested", "confirmed"]
    assert list(Notice.objects.values_list("kind", flat=True)) == ["confirmation", "welcome"]


def test_a_used_link_says_so_and_changes_nothing(client, newsletter):
    sign_up(client)
    path = confirm_path(Subscription.objects.get())
    client.post(path)
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 200
        assert "already subscribed" in answer.content.decode()
    assert Notice.objects.filter(kind="welcome").count() == 1


def test_a_link_to_confirm_expires_after_72_hours_and_offers_the_form(client, newsletter):
    with time_machine.travel("2026-11-02 08:00", tick=False) as clock:
        sign_up(client)
        path = confirm_path(Subscription.objects.get())
        clock.shift(72 * 3600 + 1)
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 410
            soup = BeautifulSoup(answer.content, "html.parser")
            assert soup.select_one("main form[action='/newsletter/subscribe/'] input[name=email]")
    assert Subscription.objects.get().status == "pending"


def test_an_old_link_does_not_bring_back_who_left(client, newsletter):
    sign_up(client)
    subscription = Subscription.objects.get()
    path = confirm_path(subscription)
    client.post(path)
    client.post(links.unsubscribe_url(subscription.public_id, None, "en"))
    answer = client.post(path)
    assert answer.status_code == 200 and "done its work" in answer.content.decode()
    subscription.refresh_from_db()
    assert subscription.status == "unsubscribed"


def test_an_address_suppressed_since_can_not_be_confirmed(client, newsletter):
    sign_up(client)
    subscription = Subscription.objects.get()
    Suppression.objects.create(address_key="ana@school.example", reason="manual")
    assert client.post(confirm_path(subscription)).status_code == 200
    subscription.refresh_from_db()
    assert subscription.status == "pending"


def test_an_erased_person_may_start_anew_and_only_confirming_lifts_the_suppression(client, newsletter):
    erased = Suppression.objects.create(address_key=addresses.erased_key("ana@school.example"), reason="erased")
    sign_up(client)
    assert Suppression.objects.filter(pk=erased.pk).exists()
    client.post(confirm_path(Subscription.objects.get()))
    assert not Suppression.objects.exists()
    assert Subscription.objects.get().status == "confirmed"


def test_the_form_is_complete_and_asks_for_little(client, terms):
    html = Template("{% load newsletter_tags %}{% signup_form asking_choices=True %}").render(Context())
    soup = BeautifulSoup(html, "html.parser")
    assert [tag["name"] for tag in soup.select("[name]:not([hidden] *)")] == [
        "email", "name", "role", "role", "grade", "grade", "topic", "topic", "language",
    ]  # fmt: skip
    assert soup.select("[required]") == soup.select("[name=email]")
    assert forms.consent_wording() in soup.get_text(" ")
    assert not soup.select("[name=csrfmiddlewaretoken]")


def test_the_short_form_needs_no_database():
    words = Context({"title": "Join <us>", "text": "For a & b"})
    html = Template("{% load newsletter_tags %}{% signup_form title text 'foot' %}").render(words)
    soup = BeautifulSoup(html, "html.parser")
    assert soup.h2.text == "Join <us>" and soup.select_one("#foot-email") and soup.p.text == "For a & b"


def test_a_site_without_a_newsletter_has_nothing_to_sign_up_to(client, db):
    assert not Newsletter.objects.exists()
    assert sign_up(client).status_code == 404


def at_once(count, act):
    """Do something in many threads at the same moment, each with a connection of its own."""
    start = threading.Barrier(count)

    def run(number):
        try:
            start.wait(timeout=10)
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def test_signing_up_many_times_at_once_sends_one_confirmation(live_database, newsletter):
    answers = at_once(8, lambda _number: sign_up(Client()).status_code)
    assert answers == [200] * 8
    assert (Subscriber.objects.count(), Notice.objects.count(), SignupAttempt.objects.count()) == (1, 1, 8)


def test_the_limit_of_a_network_holds_when_many_come_at_once(live_database, newsletter):
    network = addresses.keyed_hash("127.0.0.0/24")
    SignupAttempt.objects.bulk_create(SignupAttempt(network_hash=network, address_hash="") for _number in range(58))
    answers = at_once(8, lambda number: sign_up(Client(), f"teacher{number}@school.example").status_code)
    assert sorted(answers) == [200] * 2 + [429] * 6
    assert Subscriber.objects.count() == 2
