"""The failure table of docs/delivery.md, on whole sites: every row is broken on purpose, and what came of it counted.

`make torture` takes about an hour, most of it the minutes that messages in doubt wait. `-k small` or `-k large`
chooses a site, KILLS=20 shortens the longest scenario.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import redis as redis_client

from resource_center import broker
from tests.live import ROOT, LiveSite
from tests.torture import servers
from tests.torture.conftest import here
from tests.torture.stage import LANES, READERS, SinkProcess, Stage, children, connections

KILLS = int(os.environ.get("KILLS", "100"))  # on each of the two sites
KILLS_A_MAILING = 25
START_IN = 30  # seconds: time for what hits a mailing in its middle to get ready
CELERY = [sys.executable, "-m", "celery", "--app", "resource_center", "--quiet"]


def test_killed_senders_and_workers_lose_nobody(stage, figures):
    total = {}
    for _mailing in range(0, KILLS, KILLS_A_MAILING):
        stage.send()
        kills = allowed = 0
        while kills < min(KILLS, KILLS_A_MAILING) and stage.sink.wait_for_more(random.randint(3, 25)):
            allowed += stage.kill_something()
            kills += 1
        facts = {"kills": kills, **stage.judged(allowed)}
        print(f"  {facts}", flush=True)
        for what, number in facts.items():
            total[what] = total.get(what, 0) + number
    figures(total)


def test_a_killed_supervisor_loses_nobody(stage, figures):
    stage.send()
    stage.sink.wait_for_more(READERS // 4)
    allowed = connections(stage.sink.port) // 2
    stage.site.process.kill()
    stage.site.process.wait()
    stage.site.start()
    figures(stage.judged(max(allowed, 2 * LANES)))


def test_a_sender_that_is_stopped_past_its_lease_sends_nothing_on_its_old_connections(stage, figures):
    stage.send()
    stage.sink.wait_for_more(READERS // 4)
    [pid, *_others] = stage.site.wait(stage.senders, 60, "a sending process")
    os.kill(pid, signal.SIGSTOP)
    held = connections(stage.sink.port, pid)
    time.sleep(75)
    os.kill(pid, signal.SIGCONT)
    figures(stage.judged(held))


def broker_of(stage):
    url = stage.site.environment.get("REDIS_URL") or broker.embedded_url(Path(stage.site.environment["DATA_DIR"]))
    return redis_client.Redis.from_url(url)


def test_an_emptied_broker_loses_and_doubles_nothing(stage, figures):
    stage.send()
    for _time in range(5):
        stage.sink.wait_for_more(READERS // 8)
        with broker_of(stage) as server:
            server.flushall()
    figures({"times": 5, **stage.judged(0)})


def test_a_broker_that_is_away_for_a_while_loses_and_doubles_nothing(large, redis, figures):
    stage = large
    stage.send()
    stage.sink.wait_for_more(READERS // 8)
    redis.kill()
    before = stage.sink.count
    time.sleep(60)
    went_on = stage.sink.count - before
    redis.start()
    back = time.monotonic()
    facts = stage.judged(0)
    figures({**facts, "mails while it was away": went_on, "seconds to the end": round(time.monotonic() - back)})


def test_the_embedded_broker_killed_again_and_again_loses_and_doubles_nothing(small, figures):
    small.send()
    for _time in range(5):
        small.sink.wait_for_more(READERS // 8)
        [pid] = [
            pid
            for pid in children(small.site.process.pid)
            if b"valkey" in Path(f"/proc/{pid}/cmdline").read_bytes()[:200]
        ]
        os.kill(pid, signal.SIGKILL)
        time.sleep(3)
    figures({"times": 5, **small.judged(0)})


def test_a_database_that_dies_at_once_loses_nobody(large, postgres, figures):
    large.send()
    allowed = 0
    for _time in range(3):
        large.sink.wait_for_more(READERS // 8)
        allowed += connections(large.sink.port) // 2 or LANES
        postgres.restart_at_once()
    figures({"times": 3, **large.judged(allowed)})


def test_two_of_everything_send_everything_once(stage, figures):
    """A second worker, a second beat, two `deliver`, and the same task again and again."""
    environment = stage.site.environment
    extra = [
        subprocess.Popen([*CELERY, "worker", "--concurrency", "2"], cwd=ROOT, env=environment, start_new_session=True),
        subprocess.Popen(
            [*CELERY, "beat", "--schedule", str(stage.site.folder / "second")],
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        ),
    ]
    try:
        mailing = stage.send()
        command = [sys.executable, "manage.py", "deliver", str(mailing)]
        delivers = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) for _time in range(2)
        ]
        stage.script("scene", "ring", mailing, 20)
        facts = stage.judged(0)
        assert [process.wait(60) for process in delivers] == [0, 0]
    finally:
        for process in extra:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    figures(facts)


def test_edits_and_departures_in_mid_send(stage, figures):
    mailing = stage.send(START_IN)
    changed = json.loads(stage.script("scene", "change", mailing, 20))
    gone, left_at = set(changed["gone"]), changed["at"]
    assert gone
    skipped = stage.site.wait(stage.is_sent, 600, "the mailing to be sent")["skipped"]
    facts = stage.judged(0, skipped=skipped)
    taken = stage.sink.taken[stage.begun :]
    late = [line for line in taken if line["to"] in gone and line["at"] > left_at + 1]
    assert late == []
    assert {line["subject"] for line in taken} == {"Reading aloud, and more"}
    figures({**facts, "left": len(gone), "of them skipped": skipped, "mails later than a second": len(late)})


def test_a_backup_of_mid_send_restored_after_the_end_sends_nothing_by_itself(stage, figures, tmp_path):
    stage.send(START_IN)
    stage.script("scene", "backup", stage.mailing, tmp_path / "site.tar")
    first = stage.judged(0)
    before = stage.sink.count
    restored = stage.site.manage_json("restore", tmp_path / "site.tar", "--replace")
    time.sleep(130)  # two ticks
    by_itself = stage.sink.count - before
    status = stage.site.manage_json("mailing_status", stage.mailing)
    assert (by_itself, status["state"], restored["paused"]) == (0, "paused", 1)
    assert 0 < status["queued"] + status["in_flight"] < READERS
    stage.site.manage("resume_mailing", stage.mailing)
    stage.watch()
    facts = stage.judged(status["queued"] + status["in_flight"])
    figures({**facts, "before the restore": first["second copies"], "mails before a person resumed": by_itself})


# --- Scenarios that need a site of their own


@pytest.fixture
def own_sink(tmp_path):
    sink = SinkProcess(tmp_path)
    yield sink
    sink.close()


@pytest.fixture
def disk():
    """Makes a small disk, which is given back at the end. PostgreSQL's account can not reach into pytest's folders."""
    made, folder = [], Path(tempfile.mkdtemp(prefix="resource-center-disk-"))
    folder.chmod(0o755)

    def make(megabytes):
        made.append(here(servers.SmallDisk, folder, megabytes))
        return made[-1]

    yield make
    for each in made:
        each.close()
    folder.rmdir()


def through_a_full_disk(stage, disk):
    """Fill the disk in mid-send, look, make room; what came of it."""
    stage.send()
    stage.sink.wait_for_more(READERS // 4)
    disk.fill()
    time.sleep(20)
    full_at = stage.sink.count
    time.sleep(20)
    went_on = stage.sink.count - full_at
    disk.empty()
    return went_on


def test_a_full_disk_under_sqlite_loses_nobody(tmp_path, own_sink, disk, migrated_sqlite, figures):
    small_disk = disk(64)
    if migrated_sqlite.exists():
        shutil.copy(migrated_sqlite, small_disk.folder / "db.sqlite3")
    with LiveSite(tmp_path, SMTP_URL=own_sink.url, DATABASE_URL=f"sqlite:///{small_disk.folder}/db.sqlite3") as site:
        stage = Stage(site, own_sink)
        went_on = through_a_full_disk(stage, small_disk)
        assert went_on == 0
        figures({**stage.judged(2 * LANES), "mails while it was full": went_on})


def test_a_full_disk_under_postgresql_loses_nobody(tmp_path, own_sink, disk, redis, figures):
    small_disk = disk(256)
    cluster = here(servers.Postgres, small_disk.folder)
    try:
        settings = {"DATABASE_URL": cluster.create("full"), "REDIS_URL": redis.url.replace("/0", "/1")}
        with LiveSite(tmp_path, SMTP_URL=own_sink.url, **settings) as site:
            stage = Stage(site, own_sink)
            went_on = through_a_full_disk(stage, small_disk)
            died = not cluster.answers()
            if died:
                cluster.start()
            assert went_on == 0
            figures({**stage.judged(2 * LANES), "mails while it was full": went_on, "times the server died": int(died)})
    finally:
        cluster.close()


def test_a_clock_that_jumps_a_day_doubles_nothing(tmp_path, own_sink, postgres, redis, figures):
    """Our processes' clock alone: the database's stays true."""
    library = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if library is None:
        pytest.skip("libfaketime: not found (apt-get install faketime)")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    settings = {"DATABASE_URL": postgres.create("clock"), "REDIS_URL": redis.url.replace("/0", "/2")}
    fake = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with LiveSite(tmp_path, SMTP_URL=own_sink.url, **settings, **fake) as site:
        stage = Stage(site, own_sink)
        stage.send()
        for offset in ("+1d", "-1d", "+1d", "+0"):
            stage.sink.wait_for_more(READERS // 8)
            clock.write_text(offset)
            stage.script("scene", "draft", 2)
        facts = stage.judged(0)
        # One that is scheduled goes out in its hour by the database's clock, once, though ours jumps about.
        clock.write_text("+1d")
        at = time.time() + 90
        stage.send(90)
        time.sleep(5)
        clock.write_text("-1d")
        time.sleep(5)
        clock.write_text("+0")
        assert stage.sink.count == stage.begun
        scheduled = stage.judged(0)
        assert stage.sink.taken[stage.begun]["at"] >= at
        assert set(json.loads(stage.script("scene", "drafts")).values()) == {1}
    figures({**facts, "second copies of the scheduled one": scheduled["second copies"]})
