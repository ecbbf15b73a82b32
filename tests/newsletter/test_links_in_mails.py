"""Links as mail programs pass them on, and what helps who lost theirs."""

from __future__ import annotations

import itertools

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode

from newsletter import links, subscribers
from newsletter.messages import notice_message
from newsletter.models import ConsentEvent, Notice, SignupAttempt, Subscription, Suppression

# As they stand in the path of a request: what mail programs take for a part of the link in front of it.
SIGNS = [".", ")", ">", ",", "%C2%A0", "%20", "%3E", "%2520", "&gt;", "%22", "%0A", "%E2%80%8B", ";", "%A0", ").%20"]
LINK = "/newsletter/link/"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("newsletter.views.subscribing.ANSWER_AFTER", 0)


@pytest.fixture
def scanner():
    """A client as strict as a browser, and without any cookie."""
    return Client(enforce_csrf_checks=True)


def path_of(url):
    return url.removeprefix("http://testserver").rstrip("/")


def links_of(person, language):
    now = timezone.now()
    return {
        "confirm": path_of(links.confirm_url(person.public_id, now, language)),
        "preferences": path_of(links.preferences_url(person.public_id, language)),
        "unsubscribe": path_of(links.unsubscribe_url(person.public_id, None, language)),
        "export": path_of(links.export_url(person.public_id, now, language)),
        "erase": path_of(links.erase_url(person.public_id, now, language)),
    }


@pytest.mark.parametrize(("language", "slash"), [("en", ""), ("es", "/")])
def test_what_mail_programs_hang_on_to_a_link_is_dropped(scanner, sam, language, slash):
    for purpose, path in links_of(sam, language).items():
        for hung_on in SIGNS:
            page = scanner.get(f"{path}{slash}{hung_on}")
            assert page.status_code == 200, (purpose, hung_on)
            assert BeautifulSoup(page.content, "html.parser").html["lang"] == language
    sam.refresh_from_db()
    assert sam.status == "pending" and not ConsentEvent.objects.exists() and not Notice.objects.exists()


@pytest.mark.parametrize("hung_on", ["/.", ")", "/>,", "%C2%A0", "/%20"])
def test_such_a_link_does_its_work(scanner, people, hung_on):
    def somebody(status):
        return people(f"{status}@school.example", status=status)

    joining, leaving, choosing = somebody("pending"), somebody("confirmed"), people("c@school.example")
    assert scanner.post(links_of(joining, "es")["confirm"] + hung_on).status_code == 200
    assert (
        scanner.post(links_of(leaving, "en")["unsubscribe"] + hung_on, {"List-Unsubscribe": "One-Click"}).status_code
        == 200
    )
    assert scanner.post(links_of(choosing, "es")["preferences"] + hung_on, {"name": "Cy"}).status_code == 200
    assert scanner.post(links_of(choosing, "en")["export"] + hung_on).json()["name"] == "Cy"
    assert scanner.post(links_of(choosing, "en")["erase"] + hung_on).status_code == 200
    assert dict(Subscription.objects.values_list("subscriber__email", "status")) == {
        "pending@school.example": "confirmed",
        "confirmed@school.example": "unsubscribed",
    }


def test_a_letter_more_or_less_is_no_token(scanner, maria):
    path = links_of(maria, "en")["unsubscribe"]
    for altered in (f"{path}A", f"{path}/A", f"{path}-", f"{path}.A", path[:-1], f"{path}%41", f"{path}/%20A"):
        for slash in ("", "/", "/."):
            assert scanner.get(altered + slash).status_code == 404, altered
            assert scanner.post(altered + slash).status_code == 404, altered
    maria.refresh_from_db()
    assert maria.status == "confirmed"


@pytest.mark.once
@pytest.mark.parametrize("slash", ["", "/"])
def test_no_tail_of_three_signs_hides_a_token(slash):
    for tail in itertools.product([".", ")", ">", ",", "\u00a0", " ", "%20", "&gt;", "/"], repeat=3):
        assert links.Token().to_python(f"a-B_9.1.x-Y_z-{slash}{''.join(tail)}") == "a-B_9.1.x-Y_z-"


@pytest.mark.once
def test_a_long_tail_costs_nothing():
    token = links.Token()
    assert token.to_python("abc.1.xyz" + ".)> " * 500_000) == "abc.1.xyz"
    assert token.to_python("%20" * 100_000) == ""


@pytest.mark.parametrize(("prefix", "button"), [("", "Mail me my link"), ("/es", "Envíenme mi enlace")])
@pytest.mark.parametrize("purpose", ["confirm", "preferences", "unsubscribe", "export", "erase", "copies"])
def test_an_unknown_link_offers_to_mail_the_right_one(scanner, newsletter, prefix, button, purpose):
    for answer in (
        scanner.get(f"{prefix}/newsletter/{purpose}/x.1.y/"),
        scanner.post(f"{prefix}/newsletter/{purpose}/"),
    ):
        assert answer.status_code == 404
        form = BeautifulSoup(answer.content, "html.parser").select_one(f"form[action='{prefix}/newsletter/link/']")
        assert form["method"] == "post" and form.select_one("input[name=email]") and form.button.text == button
        ids = [tag["id"] for tag in BeautifulSoup(answer.content, "html.parser").select("[id]")]
        assert len(ids) == len(set(ids))


def test_a_known_reader_is_mailed_their_links_in_their_language(scanner, people, django_capture_on_commit_callbacks):
    reader = people("ana@school.example", language="es")
    with django_capture_on_commit_callbacks() as rung:
        assert scanner.post(LINK, {"email": " Ana@School.example\u00a0"}).status_code == 200
    notice = Notice.objects.get()
    assert (notice.kind, notice.subscription, notice.state, len(rung)) == ("link", reader, "queued", 1)
    message = notice_message(notice).decode().replace("=\r\n", "")
    assert links.preferences_url(reader.public_id, "es") in message
    assert links.unsubscribe_url(reader.public_id, None, "es") in message
    reader.refresh_from_db()
    assert reader.status == "confirmed" and not ConsentEvent.objects.exists()


def test_the_answer_tells_nothing_about_an_address(scanner, people, django_capture_on_commit_callbacks):
    for status in Subscription.Status.values:
        people(f"{status}@school.example", status=status)
    subscribers.suppress("complained@school.example", "complaint", source="test")
    subscribers.suppress("bounced@school.example", "bounce", source="test")
    subscribers.erase("erased@school.example", source="test")
    answers = set()
    for name in (*Subscription.Status.values, "erased", "nobody"):
        with django_capture_on_commit_callbacks() as rung:
            answer = scanner.post(LINK, {"email": f"{name}@school.example"})
        answers.add((answer.status_code, answer.content, len(rung)))
    assert len(answers) == 1
    mailed = set(Notice.objects.values_list("subscription__subscriber__email", flat=True))
    assert mailed == {f"{status}@school.example" for status in ("pending", "confirmed", "unsubscribed")}


def test_links_are_mailed_once_an_hour_and_three_times_a_day(scanner, maria):
    with time_machine.travel("2026-11-02 08:00", tick=False) as clock:
        for _hour in range(8):
            for _again in range(2):
                assert scanner.post(LINK, {"email": maria.subscriber.email}).status_code == 200
            clock.shift(3601)
    assert Notice.objects.count() == 3


def test_a_network_asks_for_links_and_signs_up_sixty_times_an_hour(scanner, newsletter):
    for number in range(30):
        scanner.post(LINK, {"email": f"a{number}@school.example"})
        scanner.post("/newsletter/subscribe/", {"email": f"b{number}@school.example"})
    assert SignupAttempt.objects.count() == 60
    late = scanner.post(LINK, {"email": "late@school.example"})
    assert (late.status_code, late["Retry-After"]) == (429, "3600")


def test_links_are_asked_for_from_our_own_pages_only(scanner, maria):
    for origin in ("https://evil.example", "null"):
        answer = scanner.post(LINK, {"email": maria.subscriber.email}, headers={"origin": origin})
        assert answer.status_code == 403
    assert not Notice.objects.exists()


def test_the_form_for_a_lost_link_has_a_page_of_its_own(scanner, maria):
    for path in (LINK, LINK.rstrip("/"), "/es/newsletter/link/"):
        page = scanner.get(f"{path}?{urlencode({'email': maria.subscriber.email})}")
        assert page.status_code == scanner.head(path).status_code == 200
        assert BeautifulSoup(page.content, "html.parser").select_one("meta[name=robots][content=noindex]")
    wrong = scanner.post(LINK, {"email": "ana@"})
    assert wrong.status_code == 400
    assert BeautifulSoup(wrong.content, "html.parser").select_one(".field__error")
    assert not Notice.objects.exists() and not SignupAttempt.objects.exists()


def test_a_program_that_fills_in_everything_is_mailed_nothing(scanner, maria):
    answer = scanner.post(LINK, {"email": maria.subscriber.email, "website": "https://spam.example"})
    assert answer.status_code == 200 and not Notice.objects.exists()


def test_a_suppression_that_comes_meanwhile_holds(scanner, maria):
    Suppression.objects.create(address_key="maria.lopez@school.example", reason="manual")
    assert scanner.post(LINK, {"email": maria.subscriber.email}).status_code == 200
    assert not Notice.objects.exists()
