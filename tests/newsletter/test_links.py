"""Signed addresses: what a token says, and what it can not be made to say."""

from __future__ import annotations

import datetime
import time
from datetime import UTC

import pytest
import time_machine
from django.test import override_settings

from newsletter import links

pytestmark = pytest.mark.once

MARIA = "qK3fXw1oTz9cVb7nLm5rSg"
SAM = "zzzzzzzzzzzzzzzzzzzzzz"
NOON = datetime.datetime(2026, 11, 2, 12, 0, 0, 123456, tzinfo=UTC)


def token_of(url):
    return url.rstrip("/").rpartition("/")[2]


def test_a_link_says_whose_it_is_and_which_mailing_it_came_with():
    link = links.read("unsubscribe", token_of(links.unsubscribe_url(MARIA, 42, "en")))
    assert (link.public_id, link.mailing_id) == (MARIA, 42)
    assert links.read("unsubscribe", token_of(links.unsubscribe_url(MARIA, None, "en"))).mailing_id is None


def test_links_lead_to_the_pages_of_their_language():
    assert links.unsubscribe_url(MARIA, 1, "en").startswith("http://testserver/newsletter/unsubscribe/")
    assert links.preferences_url(MARIA, "es").startswith("http://testserver/es/newsletter/preferences/")
    assert links.confirm_url(MARIA, NOON, "es").startswith("http://testserver/es/newsletter/confirm/")


def test_the_same_mail_made_again_has_the_same_links():
    assert links.confirm_url(MARIA, NOON, "en") == links.confirm_url(MARIA, NOON, "en")
    assert links.unsubscribe_url(MARIA, 7, "en") == links.unsubscribe_url(MARIA, 7, "en")


def test_a_token_holds_no_address_and_stays_short():
    assert len(token_of(links.confirm_url(MARIA, NOON, "en"))) < 64


@pytest.mark.parametrize("purpose", ["confirm", "preferences", "export", "erase"])
def test_a_link_to_unsubscribe_serves_no_other_purpose(purpose):
    with pytest.raises(links.UnknownLink):
        links.read(purpose, token_of(links.unsubscribe_url(MARIA, 42, "en")))


def test_no_character_of_a_token_can_be_changed():
    token = token_of(links.unsubscribe_url(MARIA, 42, "en"))
    for place in range(len(token)):
        for other in "aB3-_.":
            if token[place] != other:
                with pytest.raises(links.UnknownLink):
                    links.read("unsubscribe", token[:place] + other + token[place + 1 :])


def test_the_signature_of_one_person_does_not_open_anothers_page():
    own, foreign = token_of(links.preferences_url(MARIA, "en")), token_of(links.preferences_url(SAM, "en"))
    with pytest.raises(links.UnknownLink):
        links.read("preferences", foreign.rpartition(".")[0] + "." + own.rpartition(".")[2])


@pytest.mark.parametrize(
    "text", ["", ".", "..", "1", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "é.ü.ß", "\x00", "a" * 100_000]
)
def test_what_is_no_token_is_refused(text):
    for purpose in ("confirm", "unsubscribe"):
        with pytest.raises(links.UnknownLink):
            links.read(purpose, text)
    with pytest.raises(links.UnknownLink):
        links.read_return_token(text)


def test_old_mails_keep_working_when_the_secret_key_is_changed(settings):
    old = token_of(links.unsubscribe_url(MARIA, 42, "en"))
    bounce = links.return_token("d", 7)
    with override_settings(SECRET_KEY="the next one", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert links.read("unsubscribe", old).mailing_id == 42
        assert links.read_return_token(bounce) == ("d", 7)
        assert token_of(links.unsubscribe_url(MARIA, 42, "en")) != old
    with override_settings(SECRET_KEY="the next one", SECRET_KEY_FALLBACKS=[]), pytest.raises(links.UnknownLink):
        links.read("unsubscribe", old)


@pytest.mark.parametrize(("purpose", "hours"), [("confirm", 72), ("export", 1), ("erase", 1)])
def test_links_that_open_something_expire(purpose, hours):
    token = token_of(getattr(links, f"{purpose}_url")(MARIA, NOON, "en"))
    with time_machine.travel(NOON + datetime.timedelta(hours=hours, seconds=-1), tick=False):
        assert not links.read(purpose, token).expired
    with time_machine.travel(NOON + datetime.timedelta(hours=hours, seconds=1), tick=False):
        assert links.read(purpose, token).expired


def test_links_to_leave_never_expire():
    token = token_of(links.unsubscribe_url(MARIA, 42, "en"))
    with time_machine.travel("2046-01-01"):
        assert not links.read("unsubscribe", token).expired


def test_a_link_remembers_the_moment_it_was_made():
    link = links.read("confirm", token_of(links.confirm_url(MARIA, NOON, "en")))
    assert abs(link.made_at - NOON) <= datetime.timedelta(microseconds=1)


def test_a_return_token_fits_before_the_at_sign_and_finds_its_row_again():
    token = links.return_token("d", 1_234_567_890)
    assert len(f"bounce+{token}") <= 64
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert links.read_return_token(token) == ("d", 1_234_567_890)
    assert links.read_return_token(token.upper()) == ("d", 1_234_567_890)


def test_a_forged_return_token_is_refused():
    token = links.return_token("d", 12)
    with pytest.raises(links.UnknownLink):
        links.read_return_token(token.replace("d-", "n-", 1))
    with pytest.raises(links.UnknownLink):
        links.read_return_token(links.return_token("d", 13).rpartition("-")[0] + "-" + token.rpartition("-")[2])


def test_a_token_to_unsubscribe_by_mail_fits_before_the_at_sign_and_says_whose_it_is():
    token = links.unsubscribe_mail_token(MARIA, 60_000_000)
    assert len(f"bounce+{token}") <= 64
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    link = links.read_unsubscribe_mail_token(token.upper())
    assert (link.purpose, link.public_id, link.mailing_id) == ("unsubscribe", MARIA, 60_000_000)
    assert links.read_unsubscribe_mail_token(links.unsubscribe_mail_token(SAM[:-1] + "w", None)).mailing_id is None


def test_a_sender_makes_the_same_tokens():
    urls = links.Personal(42, "en").urls(MARIA)
    assert urls == (
        links.unsubscribe_url(MARIA, 42, "en"),
        links.preferences_url(MARIA, "en"),
        links.unsubscribe_mail_token(MARIA, 42),
    )


def test_a_forged_token_to_unsubscribe_by_mail_is_refused():
    person, number, mark = links.unsubscribe_mail_token(MARIA, 42).split("-")
    other = links.unsubscribe_mail_token(SAM[:-1] + "w", 42).split("-")[0]
    link = token_of(links.unsubscribe_url(MARIA, 42, "en"))
    for forged in (f"{other}-{number}-{mark}", f"{person}-1-{mark}", f"{person}-{number}-{12 * '0'}", f"{mark}", link):
        with pytest.raises(links.UnknownLink):
            links.read_unsubscribe_mail_token(forged)


def test_a_hundred_thousand_links_are_made_in_seconds():
    links.unsubscribe_url(MARIA, 1, "en")
    start = time.perf_counter()
    for number in range(5000):
        links.unsubscribe_url(MARIA, number, "en")
    assert time.perf_counter() - start < 0.5
