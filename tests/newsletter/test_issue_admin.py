"""What editors do with an issue in the admin: draft, try, send, schedule, and put the brakes on a mailing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, Permission
from wagtail.models import GroupPagePermission, Locale, Page, Workflow

from newsletter import delivery
from newsletter.models import IssuePage, Mailing


@pytest.fixture
def editor(client, django_user_model, newsletter):
    """Someone who may write and change pages, and nothing more."""
    group = Group.objects.create(name="Writers")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    for codename in ("add_page", "change_page"):
        GroupPagePermission.objects.create(
            group=group, page=Page.objects.get(depth=1), permission=Permission.objects.get(codename=codename)
        )
    user = django_user_model.objects.create_user("writer", "writer@school.example")
    user.groups.add(group)
    client.force_login(user)
    return client


@pytest.fixture
def mailing(issue, maria):
    """October's mailing, frozen, not yet sent."""
    mailing = delivery.schedule(issue)
    delivery.start(mailing)
    return Mailing.objects.get()


def test_an_editor_drafts_the_issue_of_a_month(admin_client, november, october):
    answer = admin_client.post("/admin/newsletter/issues/draft/", {"month": "2026-10-01"})
    issue = IssuePage.objects.get(locale__language_code="en")
    assert answer.headers["Location"] == f"/admin/pages/{issue.pk}/edit/"
    assert issue.get_latest_revision().user.username == "admin"


def test_an_empty_month_is_refused_in_the_form(admin_client, november, newsletter):
    answer = admin_client.post("/admin/newsletter/issues/draft/", {"month": "2026-10-01"})
    assert "Nothing was published in October 2026" in answer.content.decode()


def test_the_list_of_issues_shows_month_and_mailing(admin_client, mailing):
    page = admin_client.get("/admin/newsletter/issues/").content.decode()
    assert "October 2026" in page
    assert "Sending" in page


def test_the_editor_of_an_issue_leads_to_test_and_send(admin_client, issue):
    page = admin_client.get(f"/admin/pages/{issue.pk}/edit/").content.decode()
    assert f"/admin/newsletter/issues/test/{issue.pk}/" in page
    assert f"/admin/newsletter/issues/send/{issue.pk}/" in page


def test_a_test_copy_goes_to_the_mailbox_and_makes_no_mailing(admin_client, issue, settings):
    answer = admin_client.post(
        f"/admin/newsletter/issues/test/{issue.pk}/", {"address": "me@school.example", "language": "es"}
    )
    assert answer.status_code == 302
    (mail,) = [path for path in settings.MAILBOX_DIR.rglob("*") if path.is_file() and b"[Test]" in path.read_bytes()]
    assert b"To: me@school.example" in mail.read_bytes()
    assert not Mailing.objects.exists()


def test_the_summary_says_what_goes_out_and_to_how_many(admin_client, issue, maria, people):
    people("ana@school.example", language="es")
    people("sam@school.example", status="pending")
    page = admin_client.get(f"/admin/newsletter/issues/send/{issue.pk}/").content.decode()
    assert "October: A good morning" in page
    assert "Octubre: Fracciones en la mano" in page
    assert "2 confirmed subscribers" in page
    assert f"/admin/pages/{issue.pk}/view_draft/?mode=mail" in page


def test_looking_at_the_summary_sends_nothing(admin_client, issue, maria):
    admin_client.get(f"/admin/newsletter/issues/send/{issue.pk}/")
    assert not Mailing.objects.exists()


def test_sending_makes_a_mailing_in_the_editors_name_and_is_logged(admin_client, issue, maria):
    answer = admin_client.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": ""})
    mailing = Mailing.objects.get()
    assert answer.headers["Location"] == f"/admin/newsletter/mailings/inspect/{mailing.pk}/"
    assert mailing.created_by.username == "admin"
    history = admin_client.get(f"/admin/pages/{issue.pk}/history/").content.decode()
    assert "Approved the issue and had it sent" in history


def test_scheduling_keeps_the_hour_and_leaves_the_issue_open_to_edits(admin_client, issue, maria):
    admin_client.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": "2026-11-05 08:00"})
    mailing = Mailing.objects.get()
    assert mailing.scheduled_for == datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
    assert set(IssuePage.objects.values_list("locked", flat=True)) == {False}


def test_a_moment_that_is_over_is_refused(admin_client, issue, maria):
    page = admin_client.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": "2026-11-01 08:00"}).content.decode()
    assert "This moment is over." in page
    assert not Mailing.objects.exists()


def test_problems_are_listed_and_there_is_no_button(admin_client, issue, maria):
    issue.subject = ""
    issue.save_revision()
    page = admin_client.get(f"/admin/newsletter/issues/send/{issue.pk}/").content.decode()
    assert "The subject is empty." in page
    assert "Send this issue" not in page


def test_a_post_past_the_missing_button_is_refused_too(admin_client, issue, maria):
    issue.subject = ""
    issue.save_revision()
    page = admin_client.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": ""}).content.decode()
    assert "The subject is empty." in page
    assert not Mailing.objects.exists()


def test_an_issue_under_review_can_not_be_sent(admin_client, admin_user, issue, maria):
    Workflow.objects.get(name="Moderators approval").start(issue, admin_user)
    page = admin_client.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": ""}).content.decode()
    assert "It is still being reviewed." in page
    assert not Mailing.objects.exists()


def test_a_translation_under_review_can_not_be_sent(admin_client, admin_user, issue, maria):
    Workflow.objects.get(name="Moderators approval").start(issue.get_translations().get(), admin_user)
    page = admin_client.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": ""}).content.decode()
    assert "It is still being reviewed." in page
    assert not Mailing.objects.exists()


def test_who_may_not_publish_every_language_may_not_send(editor, issue, maria):
    GroupPagePermission.objects.create(
        group=Group.objects.get(name="Writers"), page=issue, permission=Permission.objects.get(codename="publish_page")
    )
    assert editor.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": ""}).status_code == 302
    assert not Mailing.objects.exists()


def test_a_drafted_issue_can_be_copied_and_translated(issue):
    issue.copy(update_attrs={"slug": "another"})
    issue.get_translations().get().delete()
    issue.copy_for_translation(Locale.objects.get(language_code="es"))
    assert list(IssuePage.objects.exclude(pk=issue.pk).values_list("digest_key", "composed_revision")) == [
        (None, None),
        (None, None),
    ]


def test_who_may_not_publish_may_not_send(editor, issue, maria):
    assert editor.get(f"/admin/newsletter/issues/send/{issue.pk}/").status_code == 302
    assert editor.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": ""}).status_code == 302
    assert not Mailing.objects.exists()
    assert f"/issues/send/{issue.pk}/" not in editor.get(f"/admin/pages/{issue.pk}/edit/").content.decode()


def test_who_has_no_right_to_the_newsletter_sees_no_addresses(editor, mailing):
    assert editor.get("/admin/newsletter/deliveries/").status_code == 302
    assert editor.get(f"/admin/newsletter/mailings/inspect/{mailing.pk}/").status_code == 302
    editor.post(f"/admin/newsletter/mailings/pause/{mailing.pk}/")
    assert Mailing.objects.get().state == "sending"


def test_a_sent_issue_offers_its_mailing_in_place_of_the_button(admin_client, issue, mailing):
    page = admin_client.get(f"/admin/newsletter/issues/send/{issue.pk}/").content.decode()
    assert "It has a mailing already: Sending." in page
    assert "Send this issue" not in page


def test_a_mailing_shows_counts_that_add_up(admin_client, mailing):
    page = admin_client.get(f"/admin/newsletter/mailings/inspect/{mailing.pk}/").content.decode()
    assert "0 of 1 done" in page
    assert f"/admin/newsletter/deliveries/?mailing={mailing.pk}&amp;state=queued" in page


@pytest.mark.parametrize(
    ("brakes", "state"), [(["pause"], "paused"), (["pause", "resume"], "sending"), (["cancel"], "cancelled")]
)
def test_the_brakes_act_by_post_only_and_are_logged(admin_client, mailing, brakes, state):
    for brake in brakes:
        before = Mailing.objects.get().state
        assert admin_client.get(f"/admin/newsletter/mailings/{brake}/{mailing.pk}/").status_code == 200
        assert Mailing.objects.get().state == before
        admin_client.post(f"/admin/newsletter/mailings/{brake}/{mailing.pk}/")
    assert Mailing.objects.get().state == state


def test_a_brake_that_does_not_apply_says_why(admin_client, mailing):
    answer = admin_client.post(f"/admin/newsletter/mailings/resume/{mailing.pk}/", follow=True)
    assert "is not paused" in answer.content.decode()


def test_deliveries_are_found_by_address_and_taken_away_as_csv(admin_client, mailing):
    page = admin_client.get(f"/admin/newsletter/deliveries/?mailing={mailing.pk}&q=maria").content.decode()
    assert "maria.lopez@school.example" in page
    answer = admin_client.get(f"/admin/newsletter/deliveries/?mailing={mailing.pk}&state=queued&export=csv")
    assert "maria.lopez@school.example" in b"".join(answer.streaming_content).decode()
    answer = admin_client.get(f"/admin/newsletter/deliveries/?mailing={mailing.pk}&state=sent&export=csv")
    assert "maria.lopez" not in b"".join(answer.streaming_content).decode()
