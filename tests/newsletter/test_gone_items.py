"""An issue whose items were deleted opens, is refused with its reason, and what was sent stays as it was."""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache

from content.models import ArticlePage, CreditedImage
from content.publishing import deletion
from content.publishing.usage import Standing, key_of, places_showing
from newsletter import delivery, digest
from newsletter.models import FrozenPicture, IssuePage, Mailing, Variant


@pytest.fixture
def editor(client, db):
    client.force_login(get_user_model().objects.create_superuser("ed", "ed@example.org", "password"))
    return client


def test_an_issue_whose_item_was_deleted_opens_everywhere_and_says_so(editor, issue, october):
    title = october["morning"].title
    assert editor.post(f"/admin/pages/{october['morning'].pk}/delete/").status_code == 302
    for path in (
        f"pages/{issue.pk}/edit/",
        f"pages/{issue.pk}/view_draft/",
        f"pages/{issue.pk}/edit/preview/?mode=mail",
        f"pages/{issue.pk}/history/",
        f"pages/{issue.pk}/copy/",
        f"pages/{issue.pk}/revisions/compare/live...latest/",
        f"newsletter/issues/test/{issue.pk}/",
        f"newsletter/issues/send/{issue.pk}/",
        "newsletter/issues/",
    ):
        assert editor.get(f"/admin/{path}").status_code == 200, path
    lost = f"“{title}” (page) was deleted."
    assert lost in editor.get(f"/admin/pages/{issue.pk}/edit/").content.decode()
    assert lost in editor.get(f"/admin/newsletter/issues/send/{issue.pk}/").content.decode()


def test_an_issue_whose_item_was_deleted_is_not_sent(editor, issue, october, maria):
    october["morning"].delete()
    answer = editor.post(f"/admin/newsletter/issues/send/{issue.pk}/", {"at": ""})
    assert answer.status_code == 200
    assert "was deleted" in answer.content.decode()
    assert not Mailing.objects.exists()


def test_once_the_item_is_taken_out_the_issue_can_go(issue, october, maria):
    october["morning"].delete()
    for page in IssuePage.objects.all():
        page = page.get_latest_revision_as_object()
        page.resources = [("item", child.value) for child in page.resources if child.value["page"]]
        page.save_revision()
    assert digest.problems(IssuePage.objects.get(pk=issue.pk)) == []


def test_an_approved_mailing_whose_item_was_deleted_pauses_and_says_what(issue, october, maria):
    mailing = delivery.schedule(issue)
    (place,) = [
        place
        for place in places_showing([october["morning"]])[key_of(october["morning"])]
        if place.title == mailing.subject
    ]
    assert (place.standing, place.would_lose) == (Standing.DRAFT, False)
    october["morning"].delete()
    with pytest.raises(delivery.Refused, match="was deleted"):
        delivery.start(mailing)
    mailing.refresh_from_db()
    assert mailing.state == "paused"
    assert "was deleted" in mailing.pause_reason


def test_a_page_that_a_sent_issue_shows_is_deleted_and_the_issue_is_named(editor, client, issue, october, maria):
    delivery.send(issue)
    issue.refresh_from_db()
    before = client.get(issue.url).content
    page = october["morning"]
    words = editor.get(f"/admin/pages/{page.pk}/delete/").content.decode()
    assert "(Sent issue)" in words
    assert "can not be deleted" not in words
    assert editor.post(f"/admin/pages/{page.pk}/delete/").status_code == 302
    assert not ArticlePage.objects.filter(pk=page.pk).exists()
    assert page.title.encode() in before
    assert page.title.encode() in client.get(issue.url).content


@pytest.mark.parametrize("is_old", [False, True])
def test_a_picture_that_a_sent_issue_shows_names_the_issue(issue, october, maria, picture, is_old):
    cache.clear()  # Wagtail would draw nothing and hand out the rendition of another test's picture.
    delivery.send(issue)
    shown = CreditedImage.objects.get(title="A bell")
    if is_old:  # frozen before pictures were numbered in what is frozen, and taken over by the migration
        FrozenPicture.objects.create(file="images/bell.jpg", image=shown)
        for variant in Variant.objects.all():
            for section in variant.content["sections"]:
                for item in section["items"]:
                    if item["picture"] and item["picture"].pop("image") == shown.pk:
                        item["picture"]["url"] = "http://testserver/media/images/bell.jpg"
            variant.save()
    places = places_showing([shown])[key_of(shown)]
    assert [place.standing for place in places] == [Standing.LIVE, Standing.SENT]
    other = picture("Never used")
    assert Standing.SENT not in [place.standing for place in places_showing([other])[key_of(other)]]


def test_a_page_in_a_live_issue_that_was_not_sent_is_held(issue, october):
    issue.get_latest_revision().publish()
    with pytest.raises(deletion.StillShown, match="October"):
        deletion.check([october["bell"]])


def test_a_cancelled_mailing_shows_nothing(issue, october, maria):
    mailing = delivery.send(issue)
    delivery.cancel(mailing)
    places = places_showing([october["bell"]])[key_of(october["bell"])]
    assert Standing.SENT not in [place.standing for place in places]
