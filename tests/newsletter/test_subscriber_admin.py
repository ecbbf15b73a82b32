"""Subscribers in the editors' desk: seen by whom they concern, changed through the verbs only."""

from __future__ import annotations

import csv
import io

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group, Permission, User
from wagtail.models import ModelLogEntry

from newsletter import subscribers
from newsletter.models import ConsentEvent, Subscriber, Suppression

LIST = "/admin/newsletter/subscribers/"


def member(name, *permissions):
    """Somebody who may enter the admin, with these permissions on subscribers."""
    user = User.objects.create_user(name, password=None)
    user.groups.add(Group.objects.get(name="Editors"))
    codenames = [f"{permission}_subscriber" for permission in permissions]
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def manager(client, newsletter):
    client.force_login(member("manager", "view", "change", "delete"))
    return client


@pytest.fixture
def editor(client, newsletter):
    client.force_login(member("editor"))
    return client


def test_the_list_shows_everybody_with_their_status(manager, maria, sam):
    page = manager.get(LIST)
    assert page.status_code == 200
    words = BeautifulSoup(page.content, "html.parser").get_text(" ")
    assert "maria.lopez@school.example" in words and "Not confirmed yet" in words


def test_the_list_can_be_narrowed_and_searched(manager, maria, sam):
    assert "maria.lopez" not in manager.get(f"{LIST}?status=pending").content.decode()
    assert "sam@" in manager.get(f"{LIST}?status=pending").content.decode()
    found = manager.get(f"{LIST}results/?q=maria").content.decode()
    assert "maria.lopez" in found and "sam@" not in found


def test_the_list_costs_the_same_however_long_it_is(manager, people, django_assert_max_num_queries):
    for number in range(20):
        people(f"teacher{number}@school.example")
    manager.get(LIST)
    with django_assert_max_num_queries(20):
        manager.get(LIST)


def test_one_page_tells_all_about_a_subscriber(manager, newsletter):
    subscribers.subscribe(
        newsletter, "ana@school.example", ip="203.0.113.1", name="<b>Ana</b>", wording="Monthly, please."
    )
    ana = Subscriber.objects.get()
    page = manager.get(f"{LIST}inspect/{ana.pk}/").content.decode()
    assert "Monthly, please." in page and "confirmation" in page
    assert "&lt;b&gt;Ana" in page and "<b>Ana" not in page


def test_suppressing_asks_first_then_goes_through_the_verb(manager, maria):
    address = f"{LIST}suppress/{maria.subscriber_id}/"
    assert "no form or import" in manager.get(address).content.decode()
    maria.refresh_from_db()
    assert maria.status == "confirmed"
    assert manager.post(address).status_code == 302
    maria.refresh_from_db()
    assert maria.status == "unsubscribed"
    assert Suppression.objects.get().reason == "manual"
    assert ConsentEvent.objects.get().source == "admin"
    assert "suppressed" in manager.get(LIST).content.decode()
    manager.post(f"{LIST}lift/{maria.subscriber_id}/")
    maria.refresh_from_db()
    assert not Suppression.objects.exists() and maria.status == "unsubscribed"


def test_erasing_leaves_no_address_in_the_history(manager, maria):
    assert manager.post(f"{LIST}erase/{maria.subscriber_id}/").url == LIST
    assert not Subscriber.objects.exists()
    entry = ModelLogEntry.objects.get(action="newsletter.erase")
    assert entry.user.username == "manager" and "maria" not in f"{entry.label} {entry.data}".lower()
    assert manager.get("/admin/reports/site-history/").status_code in (200, 302)


def test_the_file_is_the_one_the_command_writes_and_the_taking_is_logged(manager, maria):
    answer = manager.get(f"{LIST}export/")
    assert answer["Content-Type"].startswith("text/csv") and "no-store" in answer["Cache-Control"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["email"], row["status"]) for row in rows] == [("maria.lopez@school.example", "confirmed")]
    assert ModelLogEntry.objects.get(action="newsletter.export").user.username == "manager"


@pytest.mark.parametrize("path", ["", "results/", "inspect/{}/", "export/", "suppress/{}/", "lift/{}/", "erase/{}/"])
def test_editors_without_the_right_see_no_subscriber(editor, maria, path):
    answer = editor.get(LIST + path.format(maria.subscriber_id))
    assert answer.status_code in (302, 403)
    assert "maria.lopez" not in answer.content.decode()
    assert LIST not in editor.get("/admin/").content.decode()
    editor.post(LIST + path.format(maria.subscriber_id))
    assert Subscriber.objects.exists() and not Suppression.objects.exists()


def test_who_may_only_look_can_not_act(client, maria):
    client.force_login(member("reader", "view"))
    page = client.get(f"{LIST}inspect/{maria.subscriber_id}/")
    assert page.status_code == 200 and "erase/" not in page.content.decode()
    for act in ("suppress", "lift", "erase"):
        client.post(f"{LIST}{act}/{maria.subscriber_id}/")
    assert Subscriber.objects.exists() and not Suppression.objects.exists()
