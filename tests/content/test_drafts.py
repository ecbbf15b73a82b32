"""A draft opens although something it names was deleted since: the place is empty, and the editor is told."""

import datetime

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone
from wagtail.models import Locale, Page, PageLogEntry, Revision, Task, Workflow, WorkflowTask

from content import tasks
from content.models import (
    ArticleByline,
    ArticlePage,
    CollectionItem,
    CollectionPage,
    CollectionsPage,
    Facet,
    Partner,
    Person,
    StoriesPage,
    StoryPage,
    Term,
)
from content.publishing import deletion
from tests.content.conftest import figure

WHOLE = {"terms", "person", "cover picture", "figure", "embed", "document", "document link", "story", "partner"}


@pytest.fixture
def editor(client, db):
    user = get_user_model().objects.create_superuser("ed", "ed@example.org", "password")
    client.force_login(user)
    return client


@pytest.fixture
def english(resources):
    return Locale.objects.get(language_code="en")


@pytest.fixture
def partner(english):
    return Partner.objects.create(name="Harbor Street School", slug="harbor", kind="school", state="MA", locale=english)


@pytest.fixture
def person(english):
    return Person.objects.create(name="Irene Akana", locale=english)


@pytest.fixture
def term(english):
    facet = Facet.objects.create(name="Topic", slug="topic", locale=english)
    return Term.objects.create(facet=facet, name="Equity", slug="equity", locale=english)


@pytest.fixture
def other_story(resources):
    return StoriesPage.objects.get(locale__language_code="en").add_child(
        instance=StoryPage(title="The hour that changed us", slug="hour", live=False)
    )


@pytest.fixture
def story(resources, picture, document, partner, person, term, other_story):
    """A story whose latest draft alone names one thing of every kind; what it names is at hand by kind."""
    page = StoriesPage.objects.get(locale__language_code="en").add_child(
        instance=StoryPage(title="A new bell", slug="bell")
    )
    named = {
        "cover picture": picture("Cover"),
        "figure": picture("Figure"),
        "embed": picture("In the words"),
        "document": document("A plan"),
        "document link": document("A linked plan"),
        "partner": partner,
        "person": person,
        "terms": term,
        "story": other_story,
    }
    page.picture, page.partner, page.terms = named["cover picture"], partner, [term]
    page.body = [
        figure(named["figure"]),
        {
            "type": "text",
            "value": f'<p>See <a linktype="document" id="{named["document link"].pk}">the plan</a> and '
            f'<a linktype="page" id="{other_story.pk}">the story</a>.</p>',
        },
        {
            "type": "callout",
            "value": {
                "tone": "note",
                "title": "",
                "text": f'<embed embedtype="image" id="{named["embed"].pk}" alt="A hall" format="left"/>',
            },
        },
        {"type": "document", "value": {"document": named["document"].pk, "title": ""}},
        {"type": "stories", "value": {"title": "More", "stories": [other_story.pk]}},
    ]
    page.bylines = [page.bylines.model(person=person)]
    page.save_revision(user=None)
    page = StoryPage.objects.get(pk=page.pk)
    page.named = named
    return page


def clear_away(page):
    """Delete, in drafts alone, everything the draft names."""
    for thing in page.named.values():
        thing.delete()


def latest(page):
    return StoryPage.objects.get(pk=page.pk).get_latest_revision_as_object()


def test_what_is_gone_leaves_its_place_empty_and_is_named(story):
    clear_away(story)
    draft = latest(story)
    assert (draft.picture, draft.partner, list(draft.terms.all()), list(draft.bylines.all())) == (None, None, [], [])
    assert draft.body[0].value["image"] is None
    assert draft.body[3].value["document"] is None
    assert list(draft.body[4].value["stories"]) == [None]
    assert {reference.place for reference in draft.gone_references} == {
        "Cover picture",
        "Partner",
        "Terms",
        "Person",
        "Figure 1 in the body",
        "Text 1 in the body",
        "Call-out 1 in the body",
        "Document to download 1 in the body",
        "Related stories 1 in the body",
    }
    assert len(draft.gone_references) == 10


def test_a_draft_that_lost_nothing_says_nothing(story):
    assert latest(story).gone_references == []


@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_the_editor_opens_whatever_was_deleted_and_says_so(editor, story, kind):
    thing = story.named[kind]
    thing.delete()
    answer = editor.get(f"/admin/pages/{story.pk}/edit/")
    assert answer.status_code == 200
    assert "something that it names was deleted" in answer.content.decode()


def test_the_message_names_what_an_editor_deleted(editor, story):
    partner = story.named["partner"]
    assert editor.post(f"/admin/snippets/content/partner/delete/{partner.pk}/").status_code == 302
    first, second = story.named["cover picture"], story.named["figure"]
    assert editor.post(f"/admin/images/{first.pk}/delete/").status_code == 302
    bulk = f"/admin/bulk/content/creditedimage/delete/?id={second.pk}"
    assert editor.post(bulk).status_code == 302
    shown = editor.get(f"/admin/pages/{story.pk}/edit/").content.decode()
    assert "Partner: “Harbor Street School” (partner) was deleted." in shown
    assert "Cover picture: “Cover” (image) was deleted." in shown
    assert "Figure 1 in the body: “Figure” (image) was deleted." in shown


def test_the_message_is_spanish_for_a_spanish_editor(editor, story):
    from wagtail.users.models import UserProfile

    user = get_user_model().objects.get()
    UserProfile.objects.update_or_create(user=user, defaults={"preferred_language": "es"})
    editor.post(f"/admin/snippets/content/partner/delete/{story.named['partner'].pk}/")
    shown = editor.get(f"/admin/pages/{story.pk}/edit/").content.decode()
    assert "se eliminó algo que este borrador menciona" in shown
    assert "se eliminó «Harbor Street School»" in shown


def test_every_view_of_a_draft_opens_after_all_it_names_is_gone(editor, story):
    first = story.latest_revision_id
    clear_away(story)
    later = StoryPage.objects.get(pk=story.pk).get_latest_revision_as_object()
    later.title = "A new bell rings"
    second = later.save_revision().pk
    for path in (
        f"{story.pk}/edit/",
        f"{story.pk}/view_draft/",
        f"{story.pk}/edit/preview/?mode=",
        f"{story.pk}/history/",
        f"{story.pk}/usage/",
        f"{story.pk}/revisions/{first}/revert/",
        f"{story.pk}/revisions/{first}/view/",
        f"{story.pk}/revisions/compare/{first}...{second}/",
        f"{story.pk}/revisions/compare/{first}...latest/",
        f"{story.pk}/revisions/compare/live...{first}/",
        f"{story.pk}/copy/",
        f"{story.pk}/unpublish/",
        f"{story.pk}/delete/",
        f"{story.pk}/",
    ):
        answer = editor.get(f"/admin/pages/{path}")
        assert answer.status_code in (200, 302), path
    assert editor.get(f"/admin/translation/submit/page/{story.pk}/").status_code == 200


def test_a_draft_with_empty_places_is_copied_translated_and_reverted(editor, story):
    first = story.latest_revision_id
    clear_away(story)
    copied = {"new_title": "A copy", "new_slug": "copy", "new_parent_page": story.get_parent().pk}
    assert editor.post(f"/admin/pages/{story.pk}/copy/", copied).status_code == 302
    assert latest(StoryPage.objects.get(slug="copy")).partner is None
    spanish = Locale.objects.get(language_code="es")
    story = StoryPage.objects.get(pk=story.pk)
    translated = story.copy_for_translation(spanish, copy_parents=True)
    assert latest(translated).partner is None
    assert Revision.objects.get(pk=first).as_object().partner is None


def test_a_workflow_task_shows_and_approves_such_a_draft(editor, story):
    workflow = Workflow.objects.create(name="Review")
    WorkflowTask.objects.create(workflow=workflow, task=Task.objects.first(), sort_order=1)
    page = StoryPage.objects.get(pk=story.pk)
    workflow.start(page, get_user_model().objects.get())
    clear_away(story)
    state = page.current_workflow_task_state
    assert editor.get(f"/admin/pages/{page.pk}/edit/").status_code == 200
    assert editor.get(f"/admin/pages/workflow/preview/{page.pk}/{state.task.pk}/").status_code == 200
    assert editor.get(f"/admin/pages/{page.pk}/workflow_history/").status_code == 200
    assert editor.post(f"/admin/pages/workflow/action/{page.pk}/approve/{state.pk}/", {}).status_code == 302
    assert StoryPage.objects.get(pk=page.pk).current_workflow_state is None
    assert editor.get(f"/admin/pages/{page.pk}/edit/").status_code == 200


def test_a_published_draft_with_empty_places_is_read_without_an_error(client, story):
    clear_away(story)
    StoryPage.objects.get(pk=story.pk).latest_revision.publish()
    answer = client.get("/stories/bell/")
    assert answer.status_code == 200


def test_a_scheduled_page_that_lost_something_is_held_back_with_the_reason(story, draft):
    scheduled = latest(story)
    scheduled.go_live_at = timezone.now() + datetime.timedelta(hours=1)
    scheduled.save_revision().publish()
    beside = draft("Another page", slug="another")
    beside.go_live_at = timezone.now() + datetime.timedelta(hours=1)
    beside.save_revision().publish()
    clear_away(story)
    with time_machine.travel(timezone.now() + datetime.timedelta(hours=2)):
        tasks.publish_scheduled()
    entry = PageLogEntry.objects.get(page=story.pk, action="content.held_back")
    assert any("Partner" in reason for reason in entry.data["reasons"])
    assert Page.objects.get(slug="another").live


def test_wagtails_own_command_publishes_a_scheduled_page_that_lost_something(story):
    scheduled = latest(story)
    scheduled.go_live_at = timezone.now() + datetime.timedelta(hours=1)
    scheduled.save_revision().publish()
    clear_away(story)
    with time_machine.travel(timezone.now() + datetime.timedelta(hours=2)):
        call_command("publish_scheduled")
    assert StoryPage.objects.get(pk=story.pk).partner is None


def test_a_collection_opens_without_its_deleted_page(editor, draft, english):
    item = draft("Gone soon", slug="gone-soon")
    collection = CollectionsPage.objects.get(locale=english).add_child(
        instance=CollectionPage(title="First month", slug="first-month", live=False)
    )
    collection.items = [CollectionItem(page=item, note="Begin here.")]
    collection.save_revision()
    item.delete()
    opened = CollectionPage.objects.get(pk=collection.pk).get_latest_revision_as_object()
    assert list(opened.items.all()) == []
    assert [reference.place for reference in opened.gone_references] == ["Page"]
    assert "Page: “Gone soon” (page) was deleted." in editor.get(f"/admin/pages/{collection.pk}/edit/").content.decode()


def test_an_article_opens_without_its_deleted_author(editor, draft, person):
    page = draft("Fractions", slug="fractions")
    page.bylines = [ArticleByline(person=person)]
    page.save_revision()
    person.delete()
    assert editor.get(f"/admin/pages/{page.pk}/edit/").status_code == 200
    assert list(ArticlePage.objects.get(pk=page.pk).get_latest_revision_as_object().bylines.all()) == []


def test_the_number_of_named_things_does_not_change_the_number_of_queries(
    draft, picture, django_assert_max_num_queries
):
    page = draft(body=[figure(picture()) for _ in range(12)])
    page.save_revision()
    revision = Revision.objects.get(object_id=str(page.pk))
    with django_assert_max_num_queries(20):
        assert len(revision.as_object().body) == 12


def test_live_words_that_lost_something_by_code_are_still_read(client, story):
    StoryPage.objects.get(pk=story.pk).latest_revision.publish()
    with deletion.allowed():
        clear_away(story)
    assert client.get("/stories/bell/").status_code == 200
    assert client.get("/api/v2/pages/", {"type": "content.StoryPage", "fields": "*"}).status_code == 200
    assert client.get("/image-credits/").status_code == 200
