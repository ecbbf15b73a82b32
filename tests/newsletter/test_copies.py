"""Test copies of an issue, and their way out."""

from __future__ import annotations

import email
import email.policy
import re

import pytest
from bs4 import BeautifulSoup
from django.core.management import CommandError, call_command
from django.test import Client

from newsletter import delivery, messages, subscribers
from newsletter.models import ConsentEvent, CopyRecipient

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def scanner():
    return Client(enforce_csrf_checks=True)


def way_out(issue, address, language="en"):
    """The path of the https link in a test copy's List-Unsubscribe header."""
    mail = email.message_from_bytes(messages.test_message(issue, address, language), policy=email.policy.default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return re.search(r"<http://testserver(/[^>]+)>", mail["List-Unsubscribe"])[1]


def test_one_click_in_a_test_copy_unsubscribes_and_ends_test_copies(scanner, issue, maria, settings, tmp_path):
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    assert delivery.send_test(issue, ["Maria.Lopez@school.example"]) == 1
    path = way_out(issue, "Maria.Lopez@school.example")
    answer = scanner.post(path, ONE_CLICK, headers={"origin": "https://mail.example"})
    assert answer.status_code == 200 and not answer.cookies
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"
    event = ConsentEvent.objects.get()
    assert (event.kind, event.source, event.subscription) == ("unsubscribed", "test copy", maria)
    with pytest.raises(delivery.Refused, match=r"maria\.lopez@school\.example asked for no more test copies"):
        delivery.send_test(issue, ["editor@school.example", "maria.lopez@school.example"])
    assert len(list((tmp_path / "mailbox" / "new").iterdir())) == 1
    with pytest.raises(CommandError, match="no more test copies"):
        call_command("send_issue", str(issue.pk), "--test-to", "<maria.lopez@school.example>")


@pytest.mark.parametrize("language", ["en", "es"])
def test_visiting_the_link_of_a_test_copy_changes_nothing(scanner, issue, maria, language):
    path = way_out(issue, "maria.lopez@school.example", language)
    for hung_on in ("", ".", "%20", ")."):
        page = scanner.get(path + hung_on)
        assert page.status_code == 200 and page["Cache-Control"] == "no-store"
        soup = BeautifulSoup(page.content, "html.parser")
        assert soup.html["lang"] == language and soup.select_one("main form[method=post] button")
        assert "m•••@s•••.example" in soup.main.text and "maria.lopez" not in page.content.decode()
    assert scanner.head(path).status_code == scanner.get(path.rstrip("/")).status_code == 200
    maria.refresh_from_db()
    assert maria.status == "confirmed" and CopyRecipient.objects.get().refused_at is None


def test_who_is_not_subscribed_ends_test_copies_too_and_may_ask_for_them_again(scanner, issue):
    path = way_out(issue, "editor@school.example")
    first = [scanner.post(path, ONE_CLICK) for _again in range(2)]
    assert [answer.status_code for answer in first] == [200, 200]
    assert "No more test copies" in first[0].content.decode() and first[0].content == first[1].content
    with pytest.raises(delivery.Refused):
        delivery.send_test(issue, ["editor@school.example"])
    assert scanner.post(path, {"action": "again"}).status_code == 200
    assert CopyRecipient.objects.get().refused_at is None


def test_asking_for_test_copies_again_subscribes_nobody(scanner, issue, maria):
    path = way_out(issue, "maria.lopez@school.example")
    scanner.post(path)
    scanner.post(path, {"action": "again"})
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"


def test_two_test_copies_have_the_same_way_out_and_another_address_another(issue):
    assert way_out(issue, "editor@school.example") == way_out(issue, "Editor@School.example")
    assert way_out(issue, "editor@school.example") != way_out(issue, "other@school.example")


def test_a_link_of_a_test_copy_serves_no_other_purpose(scanner, issue):
    token = way_out(issue, "editor@school.example").rstrip("/").rpartition("/")[2]
    for purpose in ("confirm", "preferences", "unsubscribe", "export", "erase"):
        assert scanner.get(f"/newsletter/{purpose}/{token}/").status_code == 404
    other = "B" if token[-1] != "B" else "C"
    assert scanner.post(f"/newsletter/copies/{token[:-1]}{other}/").status_code == 404
    assert CopyRecipient.objects.get().refused_at is None


def test_an_erasure_forgets_the_address_and_keeps_its_no(scanner, issue):
    refused, kept = way_out(issue, "no@school.example"), way_out(issue, "yes@school.example")
    scanner.post(refused)
    for address in ("no@school.example", "yes@school.example"):
        subscribers.erase(address, source="test")
    assert not CopyRecipient.objects.filter(address_key__contains="@").exists()
    assert scanner.get(refused).status_code == scanner.get(kept).status_code == 404
    with pytest.raises(delivery.Refused):
        delivery.send_test(issue, ["no@school.example"])


def test_a_persons_own_copy_of_their_data_tells_of_test_copies(issue, maria):
    assert subscribers.portrait(maria.subscriber)["test_copies"] == []
    way_out(issue, "maria.lopez@school.example")
    assert subscribers.portrait(maria.subscriber)["test_copies"] == [{"refused_at": None}]
