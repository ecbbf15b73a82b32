"""The short form of tests/torture: a sending process is killed, and nobody is missed or mailed twice unawares."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from newsletter import delivery, synthetic
from newsletter.models import Delivery, Lane
from newsletter.site import found
from tests.live import ROOT
from tests.newsletter.issues import an_issue
from tests.sink import Sink

READERS = 400
LANES = 4


@pytest.fixture
def sink(tmp_path):
    with Sink(record=tmp_path / "record", delay=0.02, keep=False) as sink:
        yield sink


@pytest.fixture
def mailing(live_database):
    newsletter = found().newsletter
    synthetic.subscribers(newsletter, READERS)
    return delivery.send(an_issue())


@pytest.fixture
def deliver(mailing, sink, settings):
    """Starts `manage.py deliver` in a process of its own, beside this one on the same database."""
    facts = connection.settings_dict
    database = (
        f"sqlite:///{facts['NAME']}"
        if connection.vendor == "sqlite"
        else f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "resource_center.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "DATA_DIR": str(settings.DATA_DIR),
        "DATABASE_URL": database,
        "SMTP_URL": sink.url,
    }
    started = []

    def start(*options):
        command = [sys.executable, "manage.py", "deliver", str(mailing.pk), "--lanes", str(LANES), "--json", *options]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def recorded(sink):
    if not sink.record.exists():
        return []
    return [json.loads(line) for line in sink.record.read_text().split("\n")[:-1]]


def wait_until(happened, patience=60):
    end = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < end
        counts = delivery.counts(Delivery.objects.first().mailing)
        assert counts.pop("recipients") == sum(counts.values()) == READERS
        time.sleep(0.02)


def stop_between_transactions(process):
    """Stop a process, and let its leases run out. One that is stopped while it writes would lock all of SQLite."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA busy_timeout = 200")
    while True:
        process.send_signal(signal.SIGSTOP)
        try:
            Lane.objects.update(lease_until=timezone.now(), owner="elsewhere 1 1")
        except OperationalError:
            process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
        else:
            return


def everything_is_due():
    Delivery.objects.filter(state="queued").update(due_at=timezone.now())


def test_a_killed_sender_loses_nobody_and_doubles_at_most_one_message_a_connection(deliver, sink, mailing):
    for kill in (1, 2):
        process = deliver()
        wait_until(lambda kill=kill: len(recorded(sink)) > kill * 80)
        process.send_signal(signal.SIGKILL)
        process.wait()
    delivery.reap()
    everything_is_due()
    last = deliver()
    out, err = last.communicate(timeout=120)
    assert last.returncode == 0, err.decode()
    assert json.loads(out)["failed"] == 0
    taken = recorded(sink)
    copies = Counter(line["to"] for line in taken)
    assert set(copies) == set(Delivery.objects.values_list("address", flat=True))
    assert len(copies) == READERS
    assert sum(copies.values()) - READERS <= 2 * LANES
    for address, count in copies.items():
        if count > 1:
            assert len({line["id"] for line in taken if line["to"] == address}) == 1
    assert delivery.counts(mailing)["sent"] == READERS
    mailing.refresh_from_db()
    assert mailing.state == "sent"


def test_a_sender_that_is_asked_to_stop_leaves_nothing_in_doubt(deliver, sink):
    process = deliver()
    wait_until(lambda: len(recorded(sink)) > 80)
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    assert not Lane.objects.exists()
    assert not Delivery.objects.filter(state="in_flight").exists()
    assert 80 < Delivery.objects.filter(state="sent").count() == len(recorded(sink)) < READERS
    last = deliver()
    _out, err = last.communicate(timeout=120)
    assert last.returncode == 0, err.decode()
    assert len(recorded(sink)) == READERS


def test_a_sender_that_stands_still_past_its_lease_sends_nothing_when_it_wakes(deliver, sink, mailing):
    process = deliver()
    wait_until(lambda: len(recorded(sink)) > 40)
    stop_between_transactions(process)
    assert delivery.reap() == LANES
    doubtful = Delivery.objects.filter(reason="uncertain").count()
    assert doubtful <= LANES
    stood = len(recorded(sink))
    process.send_signal(signal.SIGCONT)
    wait_until(lambda: not Delivery.objects.filter(state="queued", reason="").exists())
    everything_is_due()
    _out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    copies = Counter(line["to"] for line in recorded(sink))
    assert len(copies) == READERS
    assert sum(copies.values()) - READERS <= doubtful
    assert stood < READERS


def test_two_processes_on_one_mailing_send_everything_once(deliver, sink):
    first, second = deliver(), deliver()
    for process in (first, second):
        _out, err = process.communicate(timeout=180)
        assert process.returncode == 0, err.decode()
    copies = Counter(line["to"] for line in recorded(sink))
    assert (len(copies), sum(copies.values())) == (READERS, READERS)
