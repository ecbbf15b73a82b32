"""The short form of the faults in tests/torture: database, disk, clock and broker fail while a mailing goes out."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from newsletter import delivery, synthetic
from newsletter.delivery import claims, clock, ledger, rounds, supply
from newsletter.delivery.statements import Desk
from newsletter.models import IssuePage, Mailing
from newsletter.site import found
from resource_center import dumps
from tests import machine
from tests.live import ROOT
from tests.newsletter.issues import an_issue
from tests.newsletter.sending import send
from tests.sink import Sink
from tests.torture import servers

READERS = 300
LANES = 4


@pytest.fixture
def sink(tmp_path):
    with Sink(record=tmp_path / "record", delay=0.03, keep=False) as sink:
        sink.record.touch()
        yield sink


@pytest.fixture
def issue(live_database, settings, sink):
    settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
    synthetic.subscribers(found().newsletter, READERS)
    return an_issue()


@pytest.fixture
def manage(sink, settings, tmp_path):
    """Starts `manage.py` in a process of its own, on the test's database or another one."""
    started = []

    def start(*arguments, database="", **names):
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "resource_center.settings",
            "SECRET_KEY": settings.SECRET_KEY,
            "DATA_DIR": str(tmp_path / "var"),
            "DATABASE_URL": database or here(),
            "SMTP_URL": sink.url,
            **names,
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", *map(str, arguments), "--json"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def here():
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    return f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"


def ended_well(process, patience=180):
    out, err = process.communicate(timeout=patience)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


def count(sink):
    return sink.record.read_bytes().count(b"\n")


def wait_for(sink, number, patience=90):
    end = time.monotonic() + patience
    while count(sink) < number:
        assert time.monotonic() < end
        time.sleep(0.02)


def copies(sink):
    """How many copies went to each address; all of one address have one Message-ID."""
    taken = [json.loads(line) for line in sink.record.read_text().splitlines()]
    ids = {(line["to"], line["id"]) for line in taken}
    found = Counter(line["to"] for line in taken)
    assert len(ids) == len(found)
    return found


def made(make, *arguments):
    try:
        return make(*arguments)
    except servers.NotHere as lack:
        if machine.REQUIRED and os.getuid() == 0:
            pytest.fail(str(lack))
        pytest.skip(str(lack))


@pytest.fixture
def disk(tmp_path):
    disk = made(servers.SmallDisk, tmp_path / "disk", 48)
    yield disk
    disk.close()


def empty_journal(database):
    """SQLite writes over its journal again and again: as long as there is one, a full disk goes unnoticed."""
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as other, contextlib.suppress(sqlite3.Error):
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture
def cluster(live_database):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that could die.")
    cluster = made(servers.Postgres)
    yield cluster
    cluster.close()


def test_a_full_disk_sends_nothing_without_a_record_and_goes_on_when_there_is_room(issue, sink, disk, manage):
    if connection.vendor != "sqlite":
        pytest.skip("tests/torture fills the disk of a PostgreSQL server.")
    mailing = delivery.send(issue)
    dumps.dump(disk.folder / "db.sqlite3")
    process = manage("deliver", mailing.pk, "--lanes", LANES, database=f"sqlite:///{disk.folder}/db.sqlite3")
    wait_for(sink, 60)
    disk.fill()
    empty_journal(disk.folder / "db.sqlite3")
    disk.fill()
    time.sleep(2)
    full_at = count(sink)
    time.sleep(3)
    assert count(sink) == full_at < READERS
    disk.empty()
    assert ended_well(process)["sent"] == READERS
    assert sum(copies(sink).values()) == READERS


def test_a_database_that_dies_at_once_loses_nobody(issue, sink, cluster, manage, tmp_path):
    mailing = delivery.send(issue)
    dumps.dump(tmp_path / "dump")
    url = cluster.create("another")
    subprocess.run(["pg_restore", "--no-owner", "--dbname", url, tmp_path / "dump"], check=True)
    process = manage("deliver", mailing.pk, "--lanes", LANES, database=url)
    wait_for(sink, 60)
    cluster.restart_at_once()
    assert ended_well(process)["failed"] == 0
    sent = copies(sink)
    assert len(sent) == READERS
    assert sum(sent.values()) - READERS <= LANES


def test_a_clock_that_jumps_a_day_starts_nothing_early_and_doubles_nothing(issue, sink):
    """The clock of our processes: the database's stays true."""
    mailing = delivery.schedule(issue, timezone.now() + timedelta(hours=1))
    for days in (1, -1):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            rounds.tick()
            rounds.work_on(mailing.pk)
    assert count(sink) == 0
    Mailing.objects.update(scheduled_for=clock.moment())
    for days in (1, -1, 0):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            rounds.tick()
            rounds.work_on(mailing.pk)
    assert set(copies(sink).values()) == {1}
    assert len(copies(sink)) == READERS


def test_who_sends_now_with_a_wrong_clock_does_not_wait_for_tomorrow(issue):
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        mailing = delivery.schedule(issue)
    assert mailing.scheduled_for <= timezone.now()


def test_the_same_task_and_the_same_tick_again_and_again_send_everything_once(issue, sink):
    mailing = delivery.send(issue)

    def run(verb, *arguments):
        try:
            verb(*arguments)
        finally:
            connection.close()

    calls = [(rounds.work_on, mailing.pk)] * 3 + [(rounds.tick,)] * 3
    threads = [threading.Thread(target=run, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    rounds.work_on(mailing.pk)
    assert set(copies(sink).values()) == {1}
    assert len(copies(sink)) == READERS


def test_without_a_broker_an_issue_is_sent_all_the_same(issue, sink, manage):
    nobody = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    names = {
        "MAIL_FROM": "Resource Center <news@resource-center.example>",
        "MAIL_POSTAL_ADDRESS": "1 Test Lane, Providence, RI 02903",
    }
    facts = ended_well(manage("send_issue", issue.pk, **nobody, **names))
    assert facts["recipients"] == READERS
    assert ended_well(manage("deliver", facts["mailing"], **nobody, **names))["sent"] == READERS
    assert IssuePage.objects.get(pk=issue.pk).live


def test_two_hosts_without_any_broker_share_a_mailing(issue, sink, manage, tmp_path):
    """Each has a folder of its own; on SQLite they are two processes of one host, and wait for each other."""
    mailing = delivery.send(issue)
    folders = [tmp_path / "one", tmp_path / "two"] if connection.vendor == "postgresql" else [tmp_path / "var"] * 2
    nobody = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    hosts = [manage("deliver", mailing.pk, "--lanes", LANES, DATA_DIR=str(each), **nobody) for each in folders]
    facts = [ended_well(host) for host in hosts]
    assert sum(each["sent"] for each in facts) == READERS
    assert set(copies(sink).values()) == {1}
    mailing.refresh_from_db()
    assert mailing.state == "sent"


def test_lanes_come_to_their_ends_together(issue, settings):
    if connection.vendor != "postgresql":
        pytest.skip("On SQLite all lanes that run short are fed at once.")
    with Sink(delay=0.005) as sink:
        settings.SMTP_URLS = [sink.url]
        send(delivery.schedule(issue), lanes=8)
    had = Counter(taken.connection for taken in sink.taken)
    assert sum(had.values()) == READERS and len(had) == 8
    assert max(had.values()) - min(had.values()) <= supply.FEWEST_CLAIMED


def test_claims_pass_nothing_twice_and_find_in_the_end_what_was_given_back(issue):
    if connection.vendor != "postgresql":
        pytest.skip("On SQLite a sender claims where it stands, and waits for the answer.")
    mailing = delivery.send(issue)
    everything = list(mailing.deliveries.order_by("due_at", "pk").values_list("pk", flat=True))
    dead, lane = ledger.open_lane("dead"), ledger.open_lane("alive")
    with contextlib.closing(Desk()) as desk:

        def claimed(claim):
            return [row.pk for row, _reason in claim.answer()], claim.end

        first, end = claimed(claims.Claim(mailing.pk, dead, 0, 10, desk))
        second, end = claimed(claims.Claim(mailing.pk, lane, 0, 30, desk, end))
        claims.free(dead)
        rest, end = claimed(claims.Claim(mailing.pk, lane, 30, READERS, desk, end))
        assert (first, second, rest) == (everything[:10], everything[10:40], everything[40:])
        assert end is None
        assert claimed(claims.Claim(mailing.pk, lane, READERS, READERS, desk)) == (first, None)
