"""Nothing that a live page shows is deleted, by whatever door; whoever tries reads where it is shown."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from wagtail.models import Locale, Page
from wagtail.users.models import UserProfile

from content.models import (
    ArticleByline,
    ArticlePage,
    CollectionItem,
    CollectionPage,
    CreditedDocument,
    CreditedImage,
    Facet,
    Partner,
    Person,
    StoryPage,
    Term,
)
from content.publishing import deletion, usage
from content.publishing.usage import Standing, key_of, places_showing
from tests.content.conftest import figure
from tests.content.library import stocked


@pytest.fixture
def editor(client, db):
    user = get_user_model().objects.create_superuser("ed", "ed@example.org", "password")
    client.force_login(user)
    return client


@pytest.fixture
def library(picture):
    return stocked(picture)


@pytest.fixture
def shown(library, picture, document):
    """One thing of each kind that a live page shows."""
    inside, linked, downloaded = picture("In the body"), picture("In the words"), document("A plan")
    page = library.add_article(
        "Fractions",
        "fractions",
        body=[
            figure(inside),
            {"type": "text", "value": f'<p><embed embedtype="image" id="{linked.pk}" alt="A hall" format="left"/></p>'},
            {"type": "document", "value": {"document": downloaded.pk, "title": ""}},
        ],
    )
    return {
        "cover": page.picture,
        "figure": inside,
        "words": linked,
        "document": downloaded,
        "partner": library.partner,
        "partner's picture": library.partner.picture,
        "person": Person.objects.get(name="Irene Akana"),
        "person's picture": Person.objects.get(name="Irene Akana").picture,
        "term": library.equity,
        "facet": library.equity.facet,
        "page in a collection": library.article,
        "page on the front page": library.story,
    }


KINDS = [
    *("cover", "figure", "words", "document", "partner", "partner's picture", "person", "person's picture"),
    *("term", "facet", "page in a collection", "page on the front page"),
]
CONFIRMING = {
    CreditedImage: "/admin/images/{}/delete/",
    CreditedDocument: "/admin/documents/delete/{}/",
    Partner: "/admin/snippets/content/partner/delete/{}/",
    Person: "/admin/snippets/content/person/delete/{}/",
    Term: "/admin/snippets/content/term/delete/{}/",
    Facet: "/admin/snippets/content/facet/delete/{}/",
    ArticlePage: "/admin/pages/{}/delete/",
    StoryPage: "/admin/pages/{}/delete/",
}


def stands(thing):
    return type(thing).objects.filter(pk=thing.pk).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_that_asks_says_where_it_is_shown_and_has_no_button(editor, shown, kind):
    thing = shown[kind]
    answer = editor.get(CONFIRMING[type(thing)].format(thing.pk))
    words = answer.content.decode()
    assert answer.status_code == 200
    assert "can not be deleted while a live page shows it" in words
    assert "(Live)" in words
    assert 'class="button serious"' not in words


@pytest.mark.parametrize("kind", KINDS)
def test_the_door_for_one_refuses_it(editor, shown, kind):
    thing = shown[kind]
    before = Page.objects.count(), Term.objects.count(), Page.objects.get(pk=shown["page in a collection"].pk).numchild
    answer = editor.post(CONFIRMING[type(thing)].format(thing.pk))
    assert answer.status_code == 409
    assert stands(thing)
    assert before == (
        Page.objects.count(),
        Term.objects.count(),
        Page.objects.get(pk=shown["page in a collection"].pk).numchild,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_door_for_many_refuses_all_of_them(editor, shown, picture, kind):
    thing = shown[kind]
    model = Page if isinstance(thing, Page) else type(thing)
    unused = picture("Unused") if isinstance(thing, CreditedImage) else None
    keys = [thing.pk, *([unused.pk] if unused else [])]
    asked = "&".join(f"id={key}" for key in keys)
    path = f"/admin/bulk/{model._meta.app_label}/{model._meta.model_name}/delete/?{asked}"
    assert "can not be deleted while a live page shows it" in editor.get(path).content.decode()
    assert editor.post(path).status_code == 409
    assert stands(thing)
    assert unused is None or stands(unused)


@pytest.mark.parametrize("kind", KINDS)
def test_plain_code_is_refused_and_deletes_nothing_half(shown, kind):
    thing = shown[kind]
    with pytest.raises(deletion.StillShown), transaction.atomic():
        thing.delete()
    with pytest.raises(deletion.StillShown), transaction.atomic():
        type(thing).objects.filter(pk=thing.pk).delete()
    assert stands(thing)


@pytest.mark.parametrize("kind", KINDS)
def test_code_that_must_delete_it_can(shown, kind):
    thing = shown[kind]
    with deletion.allowed():
        type(thing).objects.get(pk=thing.pk).delete()
    assert not stands(thing)


def test_the_upload_page_of_many_pictures_refuses_too(live_database, editor, shown):
    answer = editor.post(
        f"/admin/images/multiple/{shown['cover'].pk}/delete/", headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert answer.status_code == 409
    assert "readers see it on Fractions" in json.loads(answer.content)["error_message"]
    assert stands(shown["cover"])


def test_a_refusal_is_a_page_that_links_where_it_is_shown(editor, shown):
    answer = editor.post(f"/admin/images/{shown['figure'].pk}/delete/")
    assert answer.status_code == 409
    page = ArticlePage.objects.get(slug="fractions")
    assert f'href="/admin/pages/{page.pk}/edit/"' in answer.content.decode()


def test_the_words_are_spanish_for_a_spanish_editor(editor, shown):
    UserProfile.objects.update_or_create(user=get_user_model().objects.get(), defaults={"preferred_language": "es"})
    words = editor.get(f"/admin/images/{shown['figure'].pk}/delete/").content.decode()
    assert "no se puede eliminar mientras se muestre en una página publicada" in words
    assert "(Publicada)" in words


def test_what_nobody_shows_is_deleted(editor, library, picture, document):
    english = Locale.objects.get(language_code="en")
    facet = Facet.objects.create(name="Mood", slug="mood", locale=english)
    for thing in (
        picture("Unused"),
        document("Unused"),
        Partner.objects.create(name="Nobody's", slug="nobodys", kind="school", state="OH", locale=english),
        Person.objects.create(name="Nobody", locale=english),
        Term.objects.create(facet=facet, name="Calm", slug="calm", locale=english),
        facet,
        library.add_article("Alone", "alone"),
    ):
        path = CONFIRMING[type(thing)].format(thing.pk)
        assert "It is shown nowhere." in editor.get(path).content.decode(), thing
        assert editor.post(path).status_code == 302, thing
        assert not stands(thing)


def test_what_drafts_alone_name_is_deleted_and_the_drafts_are_listed(editor, library, picture):
    draft_of_live, never_live, scheduled = picture("One"), picture("Two"), picture("Three")
    live = ArticlePage.objects.get(pk=library.article.pk)
    live.picture = draft_of_live
    live.save_revision()
    draft = ArticlePage.objects.get(slug="draft-words")
    draft.body = [figure(never_live)]
    draft.save_revision()
    for thing, title in ((draft_of_live, "Equity in education"), (never_live, "Draft words")):
        words = editor.get(f"/admin/images/{thing.pk}/delete/").content.decode()
        assert f"{title}</a> (Draft)" in words
        assert editor.post(f"/admin/images/{thing.pk}/delete/").status_code == 302
        assert not stands(thing)
    assert editor.get(f"/admin/pages/{live.pk}/edit/").status_code == 200
    assert stands(scheduled)


def test_a_picture_that_a_later_draft_dropped_is_still_held_by_the_live_page(library, picture):
    page = ArticlePage.objects.get(pk=library.article.pk)
    cover = page.picture
    page.picture = picture("Another")
    page.save_revision()
    (place,) = places_showing([cover])[key_of(cover)]
    assert (place.standing, place.would_lose) == (Standing.LIVE, True)


def test_a_link_in_the_words_is_listed_and_does_not_stop_a_page_from_being_deleted(editor, library):
    target = library.add_article("A target", "target")
    library.add_article(
        "Words", "words", body=[{"type": "text", "value": f'<p><a linktype="page" id="{target.pk}">Read</a></p>'}]
    )
    words = editor.get(f"/admin/pages/{target.pk}/delete/").content.decode()
    assert "Words</a> (Live)" in words
    assert "can not be deleted" not in words
    assert editor.post(f"/admin/pages/{target.pk}/delete/").status_code == 302
    assert not stands(target)


def test_a_whole_branch_is_deleted_with_what_shows_it(library):
    """What is deleted together loses nothing; what stands outside and shows a page of it does."""
    english = Locale.objects.get(language_code="en")
    root = CollectionPage.objects.get(slug="first-month").get_parent()
    beside = root.add_child(instance=CollectionPage(title="Second month", slug="second"))
    CollectionItem.objects.create(collection=beside, page=library.collection)
    assert root.locale == english
    root.specific.delete()
    assert not stands(beside)
    resources = library.article.get_parent()
    collection = resources.get_parent().add_child(instance=CollectionPage(title="Outside", slug="outside"))
    CollectionItem.objects.create(collection=collection, page=library.article)
    with pytest.raises(deletion.StillShown, match="Outside"), transaction.atomic():
        resources.specific.delete()
    assert stands(library.article)


def test_a_person_on_no_live_page_does_not_hold_their_school(library):
    english = Locale.objects.get(language_code="en")
    school = Partner.objects.create(name="Hill School", slug="hill", kind="school", state="OH", locale=english)
    person = Person.objects.create(name="Ada", partner=school, locale=english)
    ArticleByline.objects.create(page=ArticlePage.objects.get(slug="draft-words"), person=person)
    school.delete()
    person.refresh_from_db()
    assert person.partner is None


def test_a_draft_story_does_not_hold_its_partner(library):
    english = Locale.objects.get(language_code="en")
    school = Partner.objects.create(name="Hill School", slug="hill", kind="school", state="OH", locale=english)
    story = library.add_story("Told by the hill", "hill", live=False)
    StoryPage.objects.filter(pk=story.pk).update(partner=school)
    school.delete()
    assert StoryPage.objects.get(pk=story.pk).partner is None


def test_the_number_of_pages_does_not_change_the_number_of_queries(library, picture, django_assert_max_num_queries):
    cover = picture("Everywhere")
    for number in range(12):
        page = library.add_article(f"Page {number}", f"page-{number}", body=[figure(cover)])
        page.save_revision()
    with django_assert_max_num_queries(25):
        assert len(places_showing([cover])[key_of(cover)]) == 12


def test_a_branch_of_more_pages_than_a_database_looks_for_at_once_is_judged_alike(library):
    """One page outside shows one of them live, another names one in a draft alone."""
    room = library.article.get_parent()
    for number in range(usage.MOST_NUMBERS + 5):
        room.add_child(instance=ArticlePage(title=f"Page {number}", slug=f"page-{number}"))
    last = ArticlePage.objects.get(slug=f"page-{usage.MOST_NUMBERS}")
    outside = ArticlePage.objects.get(slug="page-1")
    outside.move(library.home, pos="last-child")
    outside = ArticlePage.objects.get(pk=outside.pk)
    outside.body = [{"type": "text", "value": f'<p><a linktype="page" id="{last.pk}">Read</a></p>'}]
    outside.save_revision()
    (place,) = [
        place
        for place in places_showing(list(room.get_descendants()))[key_of(last)]
        if place.standing == Standing.DRAFT
    ]
    assert place.title == "Page 1"
    with pytest.raises(deletion.StillShown, match="First month"), transaction.atomic():
        room.specific.delete()
    library.collection.items.clear()
    library.collection.save()
    room.specific.delete()
    assert not stands(last)


def test_what_was_taken_off_a_page_is_no_longer_held_by_it(library):
    """Also the last of its kind: Wagtail's own index learns nothing of children that are deleted with a save."""
    person = Person.objects.get(name="Irene Akana")
    page = ArticlePage.objects.get(pk=library.article.pk)
    for each in ArticlePage.objects.exclude(pk=page.pk):
        each.bylines.all().delete()
    page.save_revision().publish()
    draft = ArticlePage.objects.get(pk=page.pk).get_latest_revision_as_object()
    draft.bylines = []
    draft.save_revision().publish()
    assert not ArticleByline.objects.exists()
    assert places_showing([person])[key_of(person)] == []
    person.delete()
