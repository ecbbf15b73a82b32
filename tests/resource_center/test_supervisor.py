"""The processes behind `make demo`: restarts, a clean end, nothing left behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live import LiveSite

pytestmark = [pytest.mark.once, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]
ROOT = Path(__file__).resolve().parents[2]


def processes(folder: Path) -> dict[int, str]:
    """Every living process that belongs to the site in this folder: its id and command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except (OSError, NotADirectoryError):
            continue
        mark = os.fsencode(folder)
        if (mark in environment or mark in command) and int(entry.name) != os.getpid() and command:
            found[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return found


def wait(happened, patience: float) -> float:
    """Wait until something is true.

    Returns:
        How long it took, in seconds.
    """
    begun = time.monotonic()
    while time.monotonic() - begun < patience:
        if happened():
            return time.monotonic() - begun
        time.sleep(0.05)
    raise AssertionError(f"waited {patience} s in vain")


def last_start(site: LiveSite) -> str:
    """What the site said at its latest start, up to and including that it is ready."""

    def said() -> str:
        latest = site.log.read_text().rsplit("Starting the broker", 1)[-1]
        return latest if "Ready." in latest else ""

    return site.wait(said, 30, "the site's word that it is ready")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo site that has been started once, and stands still."""
    folder = tmp_path_factory.mktemp("demo")
    with LiveSite(folder, "demo") as site:
        first = last_start(site)
    return site, first


@pytest.fixture
def running(demo):
    """The demo site, started again."""
    site, _ = demo
    site.start()
    last_start(site)
    yield site
    site.stop()
    assert processes(site.folder) == {}


def test_a_start_prints_every_address_and_the_password_of_the_admin(demo):
    site, said = demo
    assert f"Site: {site.url}/\n" in said
    assert f"Mailbox: {site.url}/mailbox/\n" in said
    password = (site.folder / "var" / "admin_password").read_text().strip()
    assert f"Admin: {site.url}/admin/  user: admin  password: {password}\n" in said
    assert len(password) >= 16


def test_secrets_are_for_this_account_alone(demo):
    for name in ("admin_password", "demo.env"):
        assert (demo[0].folder / "var" / name).stat().st_mode & 0o077 == 0


def test_after_the_end_no_process_is_left(demo):
    assert processes(demo[0].folder) == {}


def test_the_folder_holds_no_path_of_its_own_and_may_be_copied(demo, tmp_path):
    site, first = demo
    copied = LiveSite(tmp_path, "demo")
    shutil.rmtree(tmp_path / "var")
    shutil.copytree(site.folder / "var", tmp_path / "var")
    for file in (tmp_path / "var").rglob("*"):
        if file.is_file():
            assert os.fsencode(site.folder) not in file.read_bytes(), file
    with copied:
        said = last_start(copied)
    assert re.search(r"password: (\S+)", said)[1] == re.search(r"password: (\S+)", first)[1]


def test_a_warm_start_does_nothing_twice(running):
    said = last_start(running)
    assert "Building the database" not in said
    assert "Collecting" not in said


@pytest.mark.parametrize("name", ["granian", "worker", "beat", "valkey"])
def test_a_dead_child_is_started_again_within_five_seconds(running, name):
    old = {pid for pid, command in processes(running.folder).items() if name in command}
    os.kill(min(old), signal.SIGKILL)
    wait(
        lambda: (
            (now := {pid for pid, command in processes(running.folder).items() if name in command})
            and min(old) not in now
        ),
        5,
    )
    running.wait(running.is_ready, 60, "the site to be ready again")


def test_a_killed_supervisor_leaves_nothing_behind_and_the_site_starts_again(running):
    assert len(processes(running.folder)) >= 7
    running.process.kill()
    running.process.wait()
    wait(lambda: not processes(running.folder), 3)
    running.start()


def test_a_killed_make_takes_the_site_with_it(demo):
    site, _ = demo
    make = subprocess.Popen(
        ["make", "--no-print-directory", "demo"],
        cwd=ROOT,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait(lambda: any("prepare" in command for command in processes(site.folder).values()), 60)
    make.kill()
    make.wait()
    wait(lambda: not processes(site.folder), 10)


@pytest.mark.parametrize("moment", [0.5, 2.0, 5.0, 8.0])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_start_up_ends_everything_within_ten_seconds(demo, moment, number):
    site, _ = demo
    process = subprocess.Popen(
        [sys.executable, "-m", "resource_center.start", "demo"],
        cwd=ROOT,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(moment)
    begun = time.monotonic()
    process.send_signal(number)
    process.wait(timeout=10)
    wait(lambda: not processes(site.folder), 10 - (time.monotonic() - begun))


def test_a_reader_that_stops_reading_does_not_stop_the_site(demo):
    site, _ = demo
    process = subprocess.Popen(
        [sys.executable, "-m", "resource_center.start", "demo"],
        cwd=ROOT,
        env=site.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    os.set_blocking(process.stdout.fileno(), False)
    filler = os.open(f"/proc/{process.pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(filler, b"x" * 4096)
    except BlockingIOError:
        os.close(filler)
    wait(lambda: any("prepare" in command for command in processes(site.folder).values()), 20)
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()
    assert processes(site.folder) == {}


def test_a_second_site_on_the_same_folder_is_refused(running):
    other = LiveSite(running.folder, "demo")
    done = subprocess.run(
        [sys.executable, "-m", "resource_center.start", "demo"],
        cwd=ROOT,
        env=other.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is in use by another site" in done.stderr


def test_a_password_that_was_changed_is_no_longer_shown(demo):
    site, _ = demo
    change = "from django.contrib.auth import get_user_model as g; u = g().objects.get(username='admin'); "
    site.manage("shell", "--no-imports", "-c", f"{change}u.set_password('one of my own'); u.save()")
    with site:
        assert "password: the one you set" in last_start(site)
