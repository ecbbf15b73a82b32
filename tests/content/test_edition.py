"""The edition moves when what readers see may have changed, and only then."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from content import edition, tasks
from content.models import EventPage, EventsPage, Facet, Organisation

pytestmark = pytest.mark.once


@pytest.fixture
def moved(resources):
    """Tells whether the edition has moved since it was last asked."""
    last = edition.current()

    def ask():
        nonlocal last
        before, last = last, edition.current()
        return before != last

    return ask


def test_a_draft_moves_nothing_and_publishing_does(moved, draft):
    page = draft()
    page.save_revision()
    assert not moved()
    page.save_revision().publish()
    assert moved()
    page.refresh_from_db()
    page.title = "A draft of a live page"
    page.save_revision()
    assert not moved()
    page.unpublish()
    assert moved()


def test_deleting_a_live_page_moves_it(moved, draft):
    page = draft()
    page.save_revision().publish()
    moved()
    page.delete()
    assert moved()


def test_pictures_terms_and_settings_move_it(moved, picture, resources):
    image = picture()
    assert moved()
    image.creator = "Bo Lee"
    image.save()
    assert moved()
    facet = Facet.objects.create(name="Topic", slug="topic", locale=resources.locale)
    assert moved()
    facet.delete()
    assert moved()
    organisation = Organisation.load()
    moved()
    organisation.name = "Delta"
    organisation.save()
    assert moved()


def test_the_clock_moves_it_at_midnight_and_when_an_event_ends(moved, resources):
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) + datetime.timedelta(days=1)
    with time_machine.travel(noon, tick=False) as clock:
        parent = EventsPage.objects.get(locale=resources.locale)
        times = {"starts_at": noon - datetime.timedelta(hours=1), "ends_at": noon + datetime.timedelta(minutes=30)}
        parent.add_child(instance=EventPage(title="Meeting", **times))
        moved()
        clock.shift(datetime.timedelta(minutes=29))
        tasks.publish_scheduled()
        assert not moved()
        clock.shift(datetime.timedelta(minutes=2))
        tasks.publish_scheduled()
        assert moved()
        tasks.publish_scheduled()
        assert not moved()
        clock.shift(datetime.timedelta(hours=12))
        tasks.publish_scheduled()
        assert moved()
