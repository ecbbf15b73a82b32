"""Pictures are drawn before readers come: by a worker, once, in every size that a page asks for."""

from __future__ import annotations

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import connection
from kombu.exceptions import OperationalError
from wagtail.models import Locale

from content import renditions, tasks
from content.models import ArticleByline, CreditedRendition, Partner, Person
from tests.content.conftest import figure

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    """The names of the tasks that a broker was given; the cache begins empty."""
    cache.clear()
    names = []
    monkeypatch.setattr(current_app, "send_task", lambda name, *_arguments, **_options: names.append(name))
    return names


@pytest.fixture
def article(draft, picture):
    """A live article with every kind of picture: its own, a wide figure, a face beside the byline."""
    person = Person.objects.create(name="Ana Maguire", locale=Locale.get_default(), picture=picture("A face"))
    page = draft(title="Two fences", picture=picture("On top"), bylines=[ArticleByline(person=person)])
    block = page.body.stream_block.child_blocks["figure"]
    page.body = [("figure", block.to_python({**figure(picture("In the body"))["value"], "size": "wide"}))]
    page.save_revision().publish()
    return page


def drawn():
    return set(CreditedRendition.objects.values_list("image__title", "filter_spec"))


def test_a_worker_draws_all_that_the_pages_of_a_site_show(client, article, picture):
    school = {"name": "Maple Street", "slug": "maple", "kind": "school", "state": "OH"}
    Partner.objects.create(**school, locale=Locale.get_default(), picture=picture("Hall"))
    tasks.draw_renditions()
    before = drawn()

    for path in (article.url, "/resources/", "/image-credits/", "/partners/maple/"):
        assert client.get(path).status_code == 200

    assert {title for title, _spec in before} == {"On top", "In the body", "A face", "Hall"}
    assert drawn() == before


def test_nothing_is_drawn_twice_or_for_drafts(draft, picture, article):
    draft(title="Not yet", picture=picture("Of a draft"))
    tasks.draw_renditions()
    before = set(CreditedRendition.objects.values_list("pk", flat=True))

    cache.clear()
    tasks.draw_renditions()

    assert set(CreditedRendition.objects.values_list("pk", flat=True)) == before
    assert "Of a draft" not in {title for title, _spec in drawn()}


def test_drawing_goes_on_in_shifts_until_nothing_is_left(article, monkeypatch, rung):
    monkeypatch.setattr(renditions, "SHIFT", 0)
    rung.clear()

    tasks.draw_renditions()
    assert rung == ["content.tasks.draw_renditions"]
    assert len({title for title, _spec in drawn()}) == 1

    while renditions.draw_ahead():
        pass
    assert {title for title, _spec in drawn()} == {"On top", "In the body", "A face"}


def test_a_picture_whose_file_is_broken_or_gone_stops_no_other(draft, picture):
    for number, contents in enumerate((b"no picture", None)):
        broken = picture(f"A broken one {number}")
        draft(title=f"Page {number}", slug=f"page-{number}", picture=broken).save_revision().publish()
        broken.file.storage.delete(broken.file.name)
        if contents:
            with broken.file.storage.open(broken.file.name, "wb") as file:
                file.write(contents)
    draft(title="Whole", picture=picture("The whole one")).save_revision().publish()

    tasks.draw_renditions()

    assert {title for title, _spec in drawn()} == {"The whole one"}


@pytest.mark.parametrize("breaking", [False, True], ids=["broker", "no broker"])
def test_publishing_and_changing_a_picture_ring_for_a_worker_and_a_draft_does_not(
    article, rung, monkeypatch, django_capture_on_commit_callbacks, breaking
):
    def refuse(*_arguments, **_options):
        raise OperationalError("no broker")

    if breaking:
        monkeypatch.setattr(current_app, "send_task", refuse)
    wanted = [] if breaking else ["content.tasks.draw_renditions"]
    for change, expected in (
        (lambda: article.save_revision(), []),
        (lambda: article.save_revision().publish(), wanted),
        (lambda: [article.picture.save() for _again in range(3)], wanted),
    ):
        rung.clear()
        connection.run_on_commit.clear()  # as a commit does
        with django_capture_on_commit_callbacks(execute=True):
            change()
        assert [name for name in rung if name == "content.tasks.draw_renditions"] == expected
