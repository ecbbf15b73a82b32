"""Guessing passwords is slowed by account, by network and by page; nobody is locked out for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from wagtail.documents import get_document_model
from wagtail.models import Collection, CollectionViewRestriction, Page, PageViewRestriction

from newsletter import limits
from newsletter.models import Attempt
from newsletter.site import found

LOGIN = "/admin/login/"
RIGHT = "the right password 5"


@pytest.fixture
def ada(db):
    found()
    return User.objects.create_superuser("ada", "ada@house.example", RIGHT)


@pytest.fixture
def wall():
    """A clock that stands until it is moved."""
    with time_machine.travel(datetime(2026, 11, 3, 17, tzinfo=UTC), tick=False) as wall:
        yield wall


def log_in(network: str, password: str = "wrong", name: str = "ada", **headers: str) -> int:
    """The status of a try: 302 let in, 200 wrong, 429 slowed."""
    answer = Client().post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=network, headers=headers)
    return answer.status_code


def test_forty_names_from_one_network_are_slowed_and_others_are_not(ada, wall):
    said = [log_in(f"203.0.113.{number}", name=f"name{number}") for number in range(40)]
    assert said == [200] * 20 + [429] * 20
    assert log_in("203.0.113.77", RIGHT) == 429
    assert log_in("192.0.2.1", RIGHT) == 302
    wall.shift(timedelta(minutes=16))
    assert log_in("203.0.113.77", RIGHT) == 302


def test_thirty_networks_at_one_account_are_slowed_and_its_owner_gets_in(ada, wall):
    assert log_in("192.0.2.1", RIGHT) == 302
    said = [log_in(f"198.51.{number}.7") for number in range(30)]
    assert said == [200] * 20 + [429] * 10
    assert log_in("192.0.2.99", RIGHT) == 302  # from where she has been
    assert log_in("198.18.0.1", RIGHT) == 429  # from elsewhere
    assert log_in("198.18.0.1", "x", "grace") == 200  # another account
    wall.shift(timedelta(minutes=16))
    assert log_in("198.18.0.1", RIGHT) == 302


def test_going_on_locks_nobody_out_for_longer(ada, wall):
    for _minute in range(14):
        for number in range(5):
            log_in(f"198.51.{number}.7")
        wall.shift(timedelta(minutes=1))
    assert log_in("192.0.2.1", RIGHT) == 429
    wall.shift(timedelta(minutes=1, seconds=1))  # after the first of them is a quarter of an hour old
    assert log_in("192.0.2.1", RIGHT) == 302


def test_whoever_mistypes_ten_times_waits_even_where_they_are_known(ada, wall):
    assert log_in("192.0.2.1", RIGHT) == 302
    assert [log_in("192.0.2.1") for _time in range(12)] == [200] * 10 + [429] * 2


def test_capitals_and_blanks_make_no_other_account(ada, wall):
    said = [log_in("192.0.2.1", name=name) for name in ("ada", "Ada", " ADA ") * 4]
    assert said == [200] * 10 + [429] * 2


def test_an_unknown_name_is_slowed_like_a_known_one(ada, wall):
    said = [
        [log_in(network, name=name) for _time in range(12)]
        for network, name in (("192.0.2.1", "ada"), ("198.18.0.1", "nobody"))
    ]
    assert said[0] == said[1]


def test_the_limits_outlive_the_cache(ada, wall):
    for _time in range(10):
        log_in("192.0.2.1")
    cache.clear()
    assert log_in("192.0.2.1", RIGHT) == 429


def test_two_hundred_tries_get_ten_answers(ada, wall):
    said = [log_in("192.0.2.1") for _time in range(200)]
    assert said.count(200) == 10


def test_the_answer_is_a_kind_page_that_says_when_to_try_again(ada, wall):
    for _time in range(10):
        log_in("192.0.2.1")
    wall.shift(timedelta(minutes=5))
    client = Client(REMOTE_ADDR="192.0.2.1")
    answer = client.post(LOGIN, {"username": "ada", "password": RIGHT})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "600"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Please try again in 10 minutes." in answer.content.decode()
    spanish = client.post(LOGIN, {"username": "ada", "password": RIGHT}, headers={"Accept-Language": "es"})
    assert "Inténtelo de nuevo dentro de 10 minutos." in spanish.content.decode()
    assert '<html lang="es">' in spanish.content.decode()


def test_only_hashes_are_kept_and_no_longer_than_they_count(ada, wall):
    log_in("192.0.2.1")
    log_in("192.0.2.1", RIGHT)
    assert "ada" not in str(Attempt.objects.values_list())
    assert "192.0.2" not in str(Attempt.objects.values_list())
    wall.shift(timedelta(days=2))
    assert limits.forget_attempts() == 1
    wall.shift(timedelta(days=29))
    assert limits.forget_attempts() == 1


@pytest.fixture
def closed(ada):
    """A page with a password, and the address of its form."""
    page = Page.objects.filter(depth=3).first()
    restriction = PageViewRestriction.objects.create(page=page, restriction_type="password", password="open sesame")
    return page, f"_util/authenticate_with_password/{restriction.pk}/{page.pk}/"


def enter(address: str, network: str, password: str = "wrong"):
    return Client().post(address, {"password": password, "return_url": "/"}, REMOTE_ADDR=network)


@pytest.mark.parametrize("language", ["", "es/"])
def test_the_password_of_a_page_is_guessed_thirty_times_in_a_quarter_of_an_hour(closed, wall, language):
    page, form = closed
    assert Client().get(page.url).status_code == 200
    said = [enter(f"/{language}{form}", "192.0.2.1").status_code for _time in range(40)]
    assert said == [200] * 30 + [429] * 10
    assert ("dentro de 15 minutos" if language else "in 15 minutes") in enter(
        f"/{language}{form}", "192.0.2.1"
    ).content.decode()
    assert enter(f"/{form}", "198.18.0.1", "open sesame").status_code == 302
    wall.shift(timedelta(minutes=16))
    assert enter(f"/{form}", "192.0.2.1", "open sesame").status_code == 302


def test_a_class_that_knows_the_password_is_not_slowed(closed, wall):
    _page, form = closed
    assert {enter(f"/{form}", "192.0.2.1", "open sesame").status_code for _reader in range(150)} == {302}


def test_the_password_of_documents_is_throttled_too(ada, wall):
    collection = Collection.get_first_root_node().add_child(name="For partners")
    restriction = CollectionViewRestriction.objects.create(
        collection=collection, restriction_type="password", password="open sesame"
    )
    assert get_document_model()  # whose view restrictions these are
    form = f"/documents/authenticate_with_password/{restriction.pk}/"
    assert Client().get(form).status_code == 200
    said = [enter(form, "192.0.2.1").status_code for _time in range(32)]
    assert said == [200] * 30 + [429] * 2
    assert enter(form, "198.18.0.1", "open sesame").status_code == 302


def test_readers_who_log_in_at_a_page_are_throttled_like_editors(ada, wall):
    said = [
        Client().post("/_util/login/", {"username": "ada", "password": "x"}, REMOTE_ADDR="192.0.2.1").status_code
        for _time in range(12)
    ]
    assert said == [200] * 10 + [429] * 2


def test_a_program_that_logs_in_without_a_request_is_not_counted(ada):
    assert Client().login(username="ada", password=RIGHT)
    assert not Attempt.objects.exists()


def test_many_at_once_get_no_more_tries_than_one_after_the_other(live_database):
    def attempt(_number: int) -> bool:
        try:
            limits.attempt(Attempt.Action.LOGIN, "ada", "192.0.2.1")
        except limits.TooManyAttempts:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert 1 <= sum(pool.map(attempt, range(40))) <= 10
