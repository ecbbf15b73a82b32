"""A worker or beat that hangs is noticed everywhere, and started again."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter import heartbeats
from newsletter.admin import attention
from newsletter.delivery import clock
from newsletter.models import Heartbeat
from tests.live import LiveSite

TIMEOUT = 20  # seconds; in production 90


def lived(seconds: float, role: str = "worker", host: str = "") -> None:
    """A process that was heard from so many seconds ago."""
    Heartbeat.objects.create(role=role, host=host or heartbeats.host(), at=clock.moment(-seconds))


@pytest.mark.django_db
def test_readiness_names_the_processes_that_hang(client):
    assert "worker" not in client.get("/readyz").json()  # None is known to run here.
    lived(3600)
    lived(5, "beat")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() | {"broker": ""} == {
        "database": "answers",
        "broker": "",
        "storage": "answers",
        "worker": "does not answer",
        "beat": "answers",
    }


@pytest.mark.django_db
def test_the_processes_of_other_hosts_are_no_matter_of_this_ones_readiness(client):
    lived(3600, host="elsewhere")
    assert "worker" not in client.get("/readyz").json()


@pytest.mark.django_db
def test_nothing_is_missed_while_it_starts_and_all_that_never_comes(client):
    lived(7200)
    heartbeats.expect(Heartbeat.Role, 180)
    told = client.get("/readyz").json()
    assert (told["worker"], told["beat"]) == ("answers", "answers")
    heartbeats.expect(Heartbeat.Role, -100)  # as it looks 100 seconds after they should have come
    assert client.get("/readyz").json()["worker"] == "does not answer"


@pytest.mark.django_db
def test_a_process_that_ends_as_it_should_is_not_missed(client):
    lived(7200)
    heartbeats.remove(Heartbeat.Role.WORKER)
    assert "worker" not in client.get("/readyz").json()


@pytest.mark.django_db
def test_a_host_that_was_taken_away_is_forgotten_after_a_day():
    lived(25 * 3600, host="elsewhere")
    lived(23 * 3600)
    assert [process.host for process in heartbeats.silent()] == [heartbeats.host()]
    assert heartbeats.forget() == 1
    assert Heartbeat.objects.count() == 1


@pytest.mark.django_db
def test_the_first_page_of_the_admin_warns_of_what_hangs(admin_client):
    assert attention.matters() == []
    lived(120, "worker", "mail-2")
    lived(120, "beat", "mail-2")
    page = admin_client.get("/admin/").content.decode()
    assert "The worker hangs" in page
    assert "The scheduler hangs" in page
    assert "Nothing was heard from it on mail-2 since" in page


def ready(site: LiveSite) -> dict[str, str]:
    """What /readyz says of each part, and its status."""
    try:
        with urllib.request.urlopen(f"{site.url}/readyz", timeout=10) as answer:
            return {"status": answer.status, **json.load(answer)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, **json.load(error)}


def beating(site: LiveSite, role: str) -> list[int]:
    """The processes that beat for a role, the one that was started first."""
    return sorted(int(file.suffix[1:]) for file in (site.folder / "var" / "heartbeats").glob(f"{role}.*"))


def stop_and_wait(site: LiveSite, role: str, which: int) -> None:
    """Stop a process of a role, the first or the last that was started, until the role is back with new processes."""
    leader, stopped = beating(site, role)[0], beating(site, role)[which]
    os.kill(stopped, signal.SIGSTOP)
    if stopped == leader:
        said = site.wait(lambda: s if (s := ready(site))["status"] == 503 else None, 3 * TIMEOUT, "readiness to end")
        assert said[role] == "does not answer"
    site.wait(lambda: not Path(f"/proc/{leader}").exists(), 4 * TIMEOUT, f"the {role} to be ended")

    whole = 3 if role == "worker" else 1  # its main process, and two of its pool

    def is_back() -> bool:
        now = beating(site, role)
        return len(now) >= whole and leader not in now and ready(site)["status"] == 200

    site.wait(is_back, 90, f"the {role} to beat again")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A running site with a short patience, all of whose processes have been heard from."""
    with LiveSite(tmp_path_factory.mktemp("site"), HEARTBEAT_TIMEOUT=str(TIMEOUT)) as site:
        site.wait(lambda: len(beating(site, "worker")) >= 3 and beating(site, "beat"), 60, "all processes to beat")
        said = site.log.read_text()
        for missed in ('"worker": "does not', '"beat": "does not', "hangs"):
            assert missed not in said  # while it started
        yield site


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.once
@on_linux
def test_a_stopped_worker_beat_or_pool_process_is_noticed_and_started_again(site):
    assert ready(site)["status"] == 200
    for role, which in (("worker", 0), ("beat", 0), ("worker", -1)):
        stop_and_wait(site, role, which)
    assert site.log.read_text().count("hangs: not heard from for 20 s; it is ended") == 3


@pytest.mark.once
@on_linux
def test_a_broker_that_does_not_answer_makes_nobody_else_hang(site):
    before = beating(site, "worker"), beating(site, "beat")
    with without_broker(site):
        time.sleep(2 * TIMEOUT)
        told = ready(site)
    assert told == {
        "status": 503,
        "database": "answers",
        "broker": "does not answer",
        "storage": "answers",
        "worker": "answers",
        "beat": "answers",
    }
    site.wait(lambda: ready(site)["status"] == 200, 60, "the broker to answer again")
    assert (beating(site, "worker"), beating(site, "beat")) == before


@pytest.mark.once
@on_linux
def test_a_worker_that_starts_without_a_broker_waits_for_it(site):
    old = beating(site, "worker")[0]
    with without_broker(site):
        os.kill(old, signal.SIGKILL)
        site.wait(lambda: len(new := beating(site, "worker")) >= 3 and old not in new, 60, "another worker to beat")
        new = beating(site, "worker")
        time.sleep(2 * TIMEOUT)
        assert ready(site)["worker"] == "answers"
    site.wait(lambda: ready(site)["status"] == 200, 60, "the broker to answer again")
    assert beating(site, "worker") == new


@contextmanager
def without_broker(site: LiveSite) -> Iterator[None]:
    """Let the broker accept connections, and say nothing."""
    [broker] = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_broker_of(site, pid)]
    os.kill(broker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker, signal.SIGCONT)


def is_broker_of(site: LiveSite, pid: int) -> bool:
    try:
        command, stat = ((Path("/proc") / str(pid) / name).read_text(errors="replace") for name in ("cmdline", "stat"))
    except OSError:
        return False
    return "valkey" in command and int(stat.rpartition(")")[2].split()[1]) == site.process.pid
