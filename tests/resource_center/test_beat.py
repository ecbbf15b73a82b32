"""Beat goes on after its host's clock was wrong."""

from datetime import timedelta

import pytest
from celery.beat import PersistentScheduler

from resource_center.beat import Clockwork
from resource_center.celery import app

pytestmark = pytest.mark.once


@pytest.fixture
def left_by_a_wrong_clock(tmp_path):
    """What beat has kept of the day on which its clock was a day ahead."""
    file = str(tmp_path / "schedule")
    scheduler = PersistentScheduler(app=app, schedule_filename=file)
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.default_now() + timedelta(days=1)
    scheduler.close()
    return file


def test_a_clock_that_was_set_right_does_not_silence_beat_for_a_day(left_by_a_wrong_clock):
    scheduler = Clockwork(app=app, schedule_filename=left_by_a_wrong_clock)
    try:
        assert scheduler.tick() <= 60
        for name in ("tick", "publish-scheduled"):
            entry = scheduler.schedule[name]
            entry.last_run_at -= timedelta(seconds=61)
            assert scheduler.is_due(entry).is_due
        scheduler._heap = None
        scheduler.tick()
        scheduler.tick()
        ran = [name for name, entry in scheduler.schedule.items() if entry.total_run_count]
        assert {"tick", "publish-scheduled"} <= set(ran)
    finally:
        scheduler.close()


def test_the_site_uses_it():
    assert app.conf.beat_scheduler == "resource_center.beat:Clockwork"
