"""Nothing goes out with a picture or document that lacks alt text, credit or licence, by whatever door."""

import datetime
import json

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from wagtail.models import Page, PageLogEntry, Revision, Task, Workflow, WorkflowTask
from wagtail.test.utils.form_data import inline_formset, nested_form_data, rich_text, streamfield

from content import gate, tasks
from content.credits import Lack
from content.models import ArticlePage
from tests.content.conftest import figure

NO_LICENCE = "Figure 1 in the body: the picture “Two fences” has no licence."


def messages(page):
    return [finding.message for finding in gate.findings(page)]


@pytest.fixture
def unlicensed(draft, picture):
    """A draft whose only figure has no licence."""
    return draft(body=[figure(picture(licence=""))])


def test_a_page_with_complete_pictures_goes_live(draft, picture, document):
    page = draft(
        picture=picture(), body=[figure(picture()), {"type": "document", "value": {"document": document().pk}}]
    )
    page.save_revision().publish()
    page.refresh_from_db()
    assert page.live


def test_findings_name_picture_field_and_place_in_the_order_of_the_page(draft, picture, document):
    bare = picture(title="Hall", description="", creator="", holder="", licence="")
    page = draft(
        picture=bare,
        body=[
            {"type": "heading", "value": "Why"},
            figure(picture()),
            figure(picture(licence=""), alt="img_22.png"),
            {
                "type": "text",
                "value": f'<p>See <a linktype="document" id="{document(licence="").pk}">the plan</a>.</p>',
            },
            {
                "type": "callout",
                "value": {
                    "tone": "note",
                    "title": "",
                    "text": f'<embed embedtype="image" id="{bare.pk}" alt="A hall" format="left"/>',
                },
            },
        ],
    )
    assert messages(page) == [
        "Cover picture: the picture “Hall” has no alt text, and is not marked as decorative.",
        "Cover picture: the picture “Hall” names no creator and no copyright holder.",
        "Cover picture: the picture “Hall” has no licence.",
        "Figure 2 in the body: the picture “Two fences” has a file name in place of an alt text.",
        "Figure 2 in the body: the picture “Two fences” has no licence.",
        "Text 1 in the body: the document “Lesson plan” has no licence.",
        "Call-out 1 in the body: the picture “Hall” names no creator and no copyright holder.",
        "Call-out 1 in the body: the picture “Hall” has no licence.",
    ]
    second = gate.findings(page)[4]
    assert (second.field, second.block, second.lack) == ("body", 2, Lack.LICENCE)


def test_a_decorative_picture_needs_a_credit_but_no_alt_text(draft, picture):
    assert messages(draft(body=[figure(picture(description=""), alt="", decorative=True)])) == []
    assert messages(draft(picture=picture(description="", is_decorative=True))) == []


def test_the_number_of_pictures_does_not_change_the_number_of_queries(draft, picture, django_assert_num_queries):
    page = ArticlePage.objects.get(pk=draft(body=[figure(picture()) for _ in range(5)]).pk)
    list(page.body)
    with django_assert_num_queries(1):
        gate.findings(page)


def test_plain_code_can_not_publish_it(unlicensed):
    with pytest.raises(gate.Refused, match="has no licence"):
        unlicensed.save_revision().publish()
    unlicensed.live = True
    with pytest.raises(gate.Refused):
        unlicensed.save()
    generic = Page.objects.get(pk=unlicensed.pk)
    generic.live = True
    with pytest.raises(gate.Refused):
        generic.save()
    assert not Page.objects.get(pk=unlicensed.pk).live


def test_it_can_not_be_created_live(resources, picture):
    with pytest.raises(gate.Refused):
        resources.add_child(instance=ArticlePage(title="At once", body=[figure(picture(licence=""))]))
    assert not Page.objects.filter(title="At once").exists()


def test_a_live_page_can_not_be_copied_live_once_its_picture_has_lost_its_licence(draft, picture):
    image = picture()
    page = draft(body=[figure(image)])
    page.save_revision().publish()
    type(image).objects.update(licence="")
    page.refresh_from_db()
    with pytest.raises(gate.Refused):
        page.copy(update_attrs={"slug": "copy"})


def test_it_can_not_be_scheduled(unlicensed):
    unlicensed.go_live_at = timezone.now() + datetime.timedelta(days=1)
    with pytest.raises(gate.Refused):
        unlicensed.save_revision().publish()
    assert not Revision.page_revisions.exclude(approved_go_live_at=None).exists()


def test_a_permission_must_still_hold_on_the_day_it_goes_live(draft, picture):
    page = draft(body=[figure(picture(licence_expires=timezone.localdate() + datetime.timedelta(days=2)))])
    assert messages(page) == []
    page.go_live_at = timezone.now() + datetime.timedelta(days=5)
    assert messages(page) == ["Figure 1 in the body: the picture “Two fences” was permitted for a time that is over."]


def test_at_its_hour_an_incomplete_page_is_held_back_and_the_others_go_live(draft, picture):
    image = picture()
    spoilt, sound = (
        draft(title="Spoilt", body=[figure(image)]),
        draft(title="Sound", body=[figure(picture(title="Two"))]),
    )
    for page in (spoilt, sound):
        page.go_live_at = timezone.now() + datetime.timedelta(hours=1)
        page.save_revision().publish()
    type(image).objects.filter(pk=image.pk).update(licence="")
    with time_machine.travel(timezone.now() + datetime.timedelta(hours=2)):
        tasks.publish_scheduled()
    assert list(ArticlePage.objects.live().values_list("title", flat=True)) == ["Sound"]
    entry = PageLogEntry.objects.get(page=spoilt.pk, action="content.held_back")
    assert entry.data["reasons"] == [NO_LICENCE]


def test_wagtails_own_command_can_not_publish_it_either(draft, picture):
    image = picture()
    page = draft(body=[figure(image)], go_live_at=timezone.now() + datetime.timedelta(hours=1))
    page.save_revision().publish()
    type(image).objects.update(licence="")
    with time_machine.travel(timezone.now() + datetime.timedelta(hours=2)), pytest.raises(gate.Refused):
        call_command("publish_scheduled")
    assert not ArticlePage.objects.get(pk=page.pk).live


# --- The editor's doors


def editor_form(page, image, **extra):
    body = [
        ("figure", {"image": {"image": image.pk, "alt_text": "A fence", "decorative": ""}, "caption": rich_text("")})
    ]
    body[0][1]["size"] = "text"
    return nested_form_data(
        {
            "title": page.title,
            "slug": page.slug,
            "summary": "",
            "picture": "",
            "body": streamfield(body),
            "bylines": inline_formset([]),
            "comments": inline_formset([]),
            "published_on": "",
            **extra,
        }
    )


def test_the_editor_is_told_at_the_figure_and_above_the_form(admin_client, draft, picture):
    page, image = draft(), picture(licence="")
    answer = admin_client.post(f"/admin/pages/{page.pk}/edit/", editor_form(page, image, **{"action-publish": "1"}))
    assert answer.status_code == 200
    assert NO_LICENCE in answer.content.decode()
    errors = answer.context["form"].errors.as_data()["body"][0].block_errors
    assert errors[0].messages == [NO_LICENCE]
    assert not ArticlePage.objects.get(pk=page.pk).live


def test_the_same_words_are_kept_as_a_draft_without_complaint(admin_client, draft, picture):
    page, image = draft(), picture(licence="")
    answer = admin_client.post(f"/admin/pages/{page.pk}/edit/", editor_form(page, image))
    assert answer.status_code == 302
    assert ArticlePage.objects.get(pk=page.pk).get_latest_revision_as_object().body[0].value["image"].pk == image.pk


def test_a_complete_page_is_published_from_the_editor(admin_client, draft, picture):
    page = draft()
    form = editor_form(page, picture(), **{"action-publish": "1"})
    assert admin_client.post(f"/admin/pages/{page.pk}/edit/", form).status_code == 302
    assert ArticlePage.objects.get(pk=page.pk).live


def test_the_editor_can_not_schedule_it(admin_client, draft, picture):
    page = draft()
    form = editor_form(page, picture(licence=""), **{"action-publish": "1", "go_live_at": "2099-01-01 10:00"})
    answer = admin_client.post(f"/admin/pages/{page.pk}/edit/", form)
    assert NO_LICENCE in answer.content.decode()
    assert not Revision.page_revisions.exclude(approved_go_live_at=None).exists()


def test_a_new_page_can_not_be_published_with_it(admin_client, resources, picture):
    form = editor_form(ArticlePage(title="New", slug="new"), picture(licence=""), **{"action-publish": "1"})
    answer = admin_client.post(f"/admin/pages/add/content/articlepage/{resources.pk}/", form)
    assert NO_LICENCE in answer.content.decode()
    assert not Page.objects.filter(title="New", live=True).exists()


def test_a_bulk_action_publishes_nothing_and_says_which_page(admin_client, unlicensed, draft):
    sound = draft(title="Sound")
    answer = admin_client.post(
        f"/admin/bulk/wagtailcore/page/publish/?id={sound.pk}&id={unlicensed.pk}&next=/admin/",
        {"include_descendants": ""},
        follow=True,
    )
    assert answer.status_code == 200
    assert f"“{unlicensed.title}” was not published. {NO_LICENCE}" in answer.content.decode()
    assert not ArticlePage.objects.live().exists()


def test_the_admins_api_answers_with_the_reason(admin_client, unlicensed):
    unlicensed.save_revision()
    answer = admin_client.post(f"/admin/api/main/pages/{unlicensed.pk}/action/publish/", HTTP_ACCEPT="application/json")
    assert answer.status_code == 400
    assert NO_LICENCE in json.loads(answer.content)["__all__"]


@pytest.fixture
def submitted(unlicensed, admin_user):
    """The unlicensed draft, waiting for approval."""
    workflow = Workflow.objects.create(name="Second pair of eyes")
    WorkflowTask.objects.create(workflow=workflow, task=Task.objects.first().specific, sort_order=0)
    unlicensed.save_revision(user=admin_user)
    return workflow.start(unlicensed, admin_user)


def test_approving_it_from_a_list_changes_nothing_and_says_why(admin_client, unlicensed, submitted):
    address = f"/admin/pages/workflow/action/{unlicensed.pk}/approve/{submitted.current_task_state.pk}/"
    answer = admin_client.post(address, {"comment": ""}, follow=True)
    assert NO_LICENCE in answer.content.decode()
    submitted.refresh_from_db()
    assert submitted.status == submitted.STATUS_IN_PROGRESS
    assert not ArticlePage.objects.get(pk=unlicensed.pk).live


def test_approving_it_in_the_editor_is_an_error_on_the_form_and_rejecting_is_not(
    admin_client, unlicensed, submitted, picture
):
    form = editor_form(unlicensed, picture(licence=""), **{"action-workflow-action": "1"})
    address = f"/admin/pages/{unlicensed.pk}/edit/"
    answer = admin_client.post(address, {**form, "workflow-action-name": "approve"})
    assert NO_LICENCE in answer.content.decode()
    answer = admin_client.post(address, {**form, "workflow-action-name": "reject"})
    assert answer.status_code == 302
    submitted.refresh_from_db()
    assert submitted.status == submitted.STATUS_NEEDS_CHANGES


# --- Pictures that readers already see


def image_form(image, **changes):
    fields = ("title", "description", "creator", "holder", "licence", "licence_evidence", "source_url", "adapted")
    return {**{name: getattr(image, name) for name in fields}, "collection": image.collection_id, "tags": "", **changes}


def test_the_credit_of_a_published_picture_can_be_changed_but_not_taken_away(
    admin_client, draft, picture, django_capture_on_commit_callbacks
):
    image = picture()
    with django_capture_on_commit_callbacks(execute=True):
        draft(body=[figure(image)]).save_revision().publish()
    address = f"/admin/images/{image.pk}/"
    answer = admin_client.post(address, image_form(image, licence=""))
    assert "It is shown on: Equity in education. Saved like this, the picture “Two fences” has no licence." in (
        answer.content.decode()
    )
    assert admin_client.post(address, image_form(image, licence="CC-BY-4.0")).status_code == 302
    image.refresh_from_db()
    assert image.licence == "CC-BY-4.0"


def test_the_credit_of_an_unused_picture_may_be_half_filled(admin_client, picture):
    image = picture()
    assert admin_client.post(f"/admin/images/{image.pk}/", image_form(image, licence="")).status_code == 302
