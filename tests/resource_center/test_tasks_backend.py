"""Wagtail's own tasks on Celery: after commit, and never to the caller's harm."""

import pytest
from django.db import IntegrityError, transaction
from django_tasks import task
from kombu import Connection

from content import site
from content.models import CreditedImage, HomePage
from resource_center.celery import app
from resource_center.tasks_backend import run

pytestmark = pytest.mark.django_db
done: list[str] = []


@task()
def note(word: str) -> None:
    if word == "collide once" and not done:
        done.append(word)
        raise IntegrityError(word)
    if word == "fail":
        raise ValueError(word)
    done.append(word)


@pytest.fixture(autouse=True)
def on_celery(settings):
    done.clear()
    waiting()  # What other tests of this process have left there is none of our business.
    settings.TASKS = {"default": {"BACKEND": "resource_center.tasks_backend.CeleryBackend"}}


@pytest.fixture
def refusing_broker(monkeypatch):
    monkeypatch.setattr(app.conf, "broker_url", "redis+socket:///nowhere/valkey.sock")
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


def waiting() -> list[str]:
    """The words of the tasks that wait in the broker."""
    found = []
    with Connection("memory://") as connection, connection.SimpleQueue("celery") as queue:
        while queue.qsize():
            message = queue.get_nowait()
            arguments, *_rest = message.payload
            found += arguments[1] if len(arguments) > 1 else []
            message.ack()
    return found


def test_a_task_goes_to_the_broker_after_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        note.enqueue("after commit")
        assert waiting() == []
    assert waiting() == ["after commit"]
    assert done == []


def test_a_task_that_another_worker_got_in_the_way_of_is_tried_again():
    run.apply(args=[note.module_path, ["collide once"], {}])
    assert done == ["collide once", "collide once"]


def test_a_task_of_a_rolled_back_transaction_never_runs(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ValueError, match="undone"):  # noqa: SIM117
        with transaction.atomic():
            note.enqueue("never")
            raise ValueError("undone")
    assert waiting() == []


def test_when_the_broker_refuses_the_task_runs_here(refusing_broker, django_capture_on_commit_callbacks, caplog):
    with django_capture_on_commit_callbacks(execute=True):
        note.enqueue("here")
    assert done == ["here"]
    assert "it runs here instead" in caplog.text


def test_a_task_that_fails_here_does_not_fail_the_caller(refusing_broker, django_capture_on_commit_callbacks, caplog):
    with django_capture_on_commit_callbacks(execute=True):
        note.enqueue("fail")
    assert "ValueError: fail" in caplog.text


def test_which_pages_show_a_picture_is_known_before_any_worker_wakes(settings):
    site.found()
    picture = CreditedImage.objects.create(
        title="Shelf",
        file="shelf.png",
        width=1,
        height=1,
        description="A shelf of books.",
        creator="Ana Maguire",
        licence="CC-BY-4.0",
    )
    home = HomePage.objects.get(locale__language_code="en")
    home.picture = picture
    home.save()
    assert [page.pk for page, _uses in picture.get_usage()] == [home.pk]
