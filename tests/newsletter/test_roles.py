"""Who may do what: managers the newsletter, editors and moderators the library and the words, but no subscriber."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from wagtail.models import Workflow

from newsletter import delivery, roles
from newsletter.models import Bounce, IssuePage, Mailing
from newsletter.site import found

ADDRESS = "maria.lopez@school.example"


@pytest.fixture
def mailing(issue, maria):
    """October's mailing, frozen, paused, with a bounce."""
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    Bounce.objects.create(event_id="1", delivery=mailing.deliveries.get(), kind="hard", detail=f"<{ADDRESS}> unknown")
    mailing.deliveries.update(reply=f"550 5.1.1 <{ADDRESS}> unknown")
    delivery.pause(mailing, "The mail server said no.")
    return Mailing.objects.get()


@pytest.fixture
def login(client):
    def enter(group):
        user = User.objects.create_user(group.split()[0].lower(), f"{group.split()[0].lower()}@resource-center.example")
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        return client

    return enter


def rooms(mailing):
    """Every address of the newsletter's desk that could show a reader."""
    row = mailing.deliveries.get()
    yield from (f"/admin/newsletter/{room}/" for room in ("mailings", "deliveries", "bounces", "subscribers"))
    yield from (f"/admin/newsletter/{room}/results/" for room in ("mailings", "deliveries", "bounces", "subscribers"))
    yield from (f"/admin/newsletter/{room}/?export=csv" for room in ("deliveries", "bounces"))
    yield "/admin/newsletter/subscribers/export/"
    yield f"/admin/newsletter/mailings/inspect/{mailing.pk}/"
    yield f"/admin/newsletter/mailings/progress/{mailing.pk}/"
    yield from (f"/admin/newsletter/mailings/{act}/{mailing.pk}/" for act in ("pause", "resume", "retry", "cancel"))
    yield f"/admin/newsletter/deliveries/inspect/{row.pk}/"
    yield f"/admin/newsletter/deliveries/resend/{row.pk}/"
    yield f"/admin/newsletter/subscribers/inspect/{row.subscriber_id}/"
    yield from (f"/admin/newsletter/subscribers/{act}/{row.subscriber_id}/" for act in ("suppress", "lift", "erase"))


def test_managers_see_everything_of_the_newsletter(login, mailing):
    manager = login(roles.MANAGERS)
    menu = manager.get("/admin/").content.decode()
    for room in ("issues", "mailings", "deliveries", "bounces", "subscribers"):
        assert f"/admin/newsletter/{room}/" in menu, room
    for address in rooms(mailing):
        assert manager.get(address).status_code == 200, address


@pytest.mark.parametrize("group", ["Editors", "Moderators"])
def test_editors_and_moderators_see_no_subscriber_anywhere(login, mailing, issue, group):
    editor = login(group)
    menu = editor.get("/admin/").content.decode()
    assert "/admin/newsletter/subscribers/" not in menu and "The newsletter needs you" not in menu
    for address in rooms(mailing):
        answer = editor.get(address)
        assert answer.status_code in (302, 403), address
        editor.post(address)
    mailing.refresh_from_db()
    assert mailing.state == "paused" and mailing.deliveries.count() == 1
    elsewhere = [
        "/admin/newsletter/issues/",
        f"/admin/pages/{issue.pk}/edit/",
        f"/admin/pages/{issue.pk}/history/",
        f"/admin/pages/{issue.pk}/view_draft/?mode=mail",
        f"/admin/pages/{issue.pk}/view_draft/?mode=text",
        f"/admin/newsletter/issues/test/{issue.pk}/",
        f"/admin/newsletter/issues/send/{issue.pk}/",
        "/admin/reports/site-history/",
    ]
    for address in elsewhere:
        page = editor.get(address, follow=True).content.decode()
        assert ADDRESS not in page and "López" not in page, address
    history = editor.get("/admin/reports/site-history/", follow=True).content.decode()
    assert "The mail server said no." not in history


@pytest.mark.parametrize(("group", "sends"), [(roles.MANAGERS, True), ("Editors", False), ("Moderators", False)])
def test_only_managers_send(login, issue, maria, group, sends):
    someone = login(group)
    page = someone.get(f"/admin/pages/{issue.pk}/edit/").content.decode()
    assert (f"/issues/send/{issue.pk}/" in page) is sends
    someone.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": ""})
    assert Mailing.objects.exists() is sends


def test_managers_draft_and_edit_issues_and_no_other_page(login, november, october):
    manager = login(roles.MANAGERS)
    manager.post("/admin/newsletter/issues/draft/", {"month": "2026-10-01"})
    for issue in IssuePage.objects.all():
        assert manager.get(f"/admin/pages/{issue.pk}/edit/").status_code == 200
    assert manager.get(f"/admin/pages/{october['fractions'].pk}/edit/").status_code == 302


@pytest.mark.parametrize("group", ["Editors", "Moderators"])
@pytest.mark.parametrize("kind", ["partner", "person", "term"])
def test_editors_and_moderators_keep_the_library(login, newsletter, group, kind):
    editor = login(group)
    assert f"/admin/snippets/content/{kind}/" in editor.get("/admin/").content.decode()
    assert editor.get(f"/admin/snippets/content/{kind}/add/").status_code == 200
    assert editor.get("/admin/snippets/content/facet/").status_code == 302
    for address in ("images", "images/multiple/add", "documents", "documents/multiple/add"):
        assert editor.get(f"/admin/{address}/").status_code == 200, address


def test_what_an_administrator_changed_about_a_group_stands(newsletter):
    for name in (roles.MANAGERS, "Editors"):
        group = Group.objects.get(name=name)
        group.permissions.remove(*group.permissions.filter(codename__in=["delete_subscriber", "add_partner"]))
    found()
    for name, codename in ((roles.MANAGERS, "delete_subscriber"), ("Editors", "add_partner")):
        assert not Group.objects.get(name=name).permissions.filter(codename=codename).exists()


def test_a_moderator_still_reviews_an_issue(login, issue, django_user_model):
    writer = django_user_model.objects.create_user("writer")
    Workflow.objects.get(name="Moderators approval").start(issue, writer)
    moderator = login("Moderators")
    assert "October 2026" in moderator.get("/admin/").content.decode()
