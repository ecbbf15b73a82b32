"""The main promise under fire: a whole site, 2,000 recipients, and a hand that kills its processes.

`make torture`; a run takes some minutes, most of them the minute that a message in doubt waits.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import psycopg
import pytest
import redis

from resource_center import broker
from tests import live
from tests.conftest import need
from tests.live import ROOT, LiveSite

READERS = 2000
LANES = 8  # of one worker
KILLS = 5
PATIENCE = 600


@pytest.fixture(params=["sqlite and embedded broker", "postgres and redis"])
def settings(request):
    """What makes the site small or large."""
    if request.param.startswith("sqlite"):
        yield {}
        return
    server, redis_url = need("PostgreSQL"), need("Redis")
    name = f"torture_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield {"DATABASE_URL": f"{server}/{name}", "REDIS_URL": redis_url}
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class Sink:
    """The mail server, in a process of its own; what it took is in its record."""

    def __init__(self, folder):
        self.record = folder / "record"
        self.record.touch()
        command = [sys.executable, "-m", "tests.sink", "--record", str(self.record), "--delay", "0.1"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.url = f"smtp://127.0.0.1:{int(self.process.stdout.readline())}"

    @property
    def taken(self):
        return [json.loads(line) for line in self.record.read_text().split("\n")[:-1]]

    def wait_for(self, count, patience=PATIENCE):
        end = time.monotonic() + patience
        while len(self.taken) < count:
            assert time.monotonic() < end, f"waited in vain for {count} mails, {len(self.taken)} came"
            time.sleep(0.02)

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def sink(tmp_path):
    sink = Sink(tmp_path)
    yield sink
    sink.close()


@pytest.fixture
def site(tmp_path, settings, sink, migrated_sqlite, monkeypatch):
    """A whole site: supervisor, web, worker, beat and broker."""
    monkeypatch.setattr(live, "PATIENCE", PATIENCE)
    site = LiveSite(tmp_path, SMTP_URL=sink.url, **settings)
    if migrated_sqlite.exists():  # saves a minute
        shutil.copy(migrated_sqlite, tmp_path / "var" / "db.sqlite3")
    with site:
        yield site


@pytest.fixture
def mailing(site):
    """The issue is on its way to everybody."""
    command = [sys.executable, "-m", "tests.torture.scene", str(READERS)]
    issue = subprocess.run(command, cwd=ROOT, env=site.environment, capture_output=True, text=True, check=True).stdout
    facts = site.manage_json("send_issue", issue.strip())
    assert facts["recipients"] == READERS
    return facts["mailing"]


@pytest.fixture
def counts(site, mailing, tmp_path):
    """Every answer that mailing_status would have given, from beginning to end."""
    file = tmp_path / "counts"
    command = [sys.executable, "-m", "tests.torture.watch", str(mailing), str(file)]
    watcher = subprocess.Popen(command, cwd=ROOT, env=site.environment)
    yield lambda: [json.loads(line) for line in file.read_text().split("\n")[:-1]]
    watcher.kill()
    watcher.communicate()


def workers(site):
    """The process groups of this site's workers: the one that leads, and those it made."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            if b"celery" in command and b"worker" in command and parent == site.process.pid:
                found.append(int(folder.name))
    return found


def kill_worker(site):
    [leader] = site.wait(lambda: workers(site), 30, "a worker")
    os.killpg(leader, signal.SIGKILL)
    print(f"  killed worker {leader}", flush=True)


def finished(site, mailing):
    status = site.manage_json("mailing_status", mailing)
    numbers = {state: number for state, number in status.items() if state not in ("state", "recipients")}
    assert sum(numbers.values()) == status["recipients"] == READERS
    return status if status["state"] == "sent" else None


def judged(sink, site, mailing, counts):
    """What came of it: nobody missing, and how many copies too many."""
    status = site.wait(lambda: finished(site, mailing), PATIENCE, "the mailing to be sent")
    assert (status["sent"], status["failed"], status["skipped"]) == (READERS, 0, 0)
    polled = counts()
    assert all(sum(n for state, n in each.items() if state != "recipients") == READERS for each in polled)
    taken = sink.taken
    copies = Counter(line["to"] for line in taken)
    assert len(copies) == READERS
    for address, count in copies.items():
        assert count == 1 or len({line["id"] for line in taken if line["to"] == address}) == 1
    doubled = len(taken) - READERS
    print(f"  {READERS} recipients, 0 missing, {doubled} copies too many, {len(polled)} counts add up", flush=True)
    return doubled


def test_killed_workers_and_a_killed_supervisor_lose_nobody(site, sink, mailing, counts):
    for kill in range(KILLS + 1):
        sink.wait_for(len(sink.taken) + random.randint(60, 250))
        if kill == KILLS // 2:
            site.process.kill()
            site.process.wait()
            print("  killed the supervisor", flush=True)
            site.start()
        else:
            kill_worker(site)
    assert judged(sink, site, mailing, counts) <= LANES * (KILLS + 1)


def test_an_emptied_broker_loses_and_doubles_nothing(site, sink, mailing, counts, settings):
    url = settings.get("REDIS_URL") or broker.embedded_url(Path(site.environment["DATA_DIR"]))
    for _time in range(3):
        sink.wait_for(len(sink.taken) + random.randint(200, 500))
        with redis.Redis.from_url(url) as server:
            server.flushdb()
        print("  emptied the broker", flush=True)
    assert judged(sink, site, mailing, counts) == 0
