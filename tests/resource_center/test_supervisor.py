"""The processes behind `make demo`: restarts, a clean end, nothing left behind."""

import os
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
    """A demo site in its folder; `running` and `stopped` start and stop it as a test needs it."""
    site = LiveSite(tmp_path_factory.mktemp("demo"), "demo")
    yield site
    site.stop()


@pytest.fixture
def running(demo):
    if demo.process is None:
        demo.start()
        last_start(demo)
    return demo


@pytest.fixture
def stopped(demo, request):
    """A site that has run, and stands still."""
    if not (demo.folder / "var" / "admin_password").exists():
        request.getfixturevalue("running")
    demo.stop()
    return demo


def begin(site: LiveSite, *command: str, output: int = subprocess.DEVNULL) -> subprocess.Popen:
    """Begin a start and do not wait for it."""
    return subprocess.Popen(
        command or [sys.executable, "-m", "resource_center.start", "demo"],
        cwd=ROOT,
        env=site.environment,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def is_preparing(site: LiveSite) -> bool:
    return any("manage.py prepare" in command for command in processes(site.folder).values())


def test_a_start_prints_every_address_and_the_password_of_the_admin(running):
    said = last_start(running)
    assert f"Site: {running.url}/\n" in said
    assert f"Mailbox: {running.url}/mailbox/\n" in said
    password = (running.folder / "var" / "admin_password").read_text().strip()
    assert f"Admin: {running.url}/admin/  user: admin  password: {password}\n" in said
    assert len(password) >= 16


def test_secrets_are_for_this_account_alone(running):
    for name in ("admin_password", "demo.env"):
        assert (running.folder / "var" / name).stat().st_mode & 0o077 == 0


def test_a_dead_child_is_started_again_within_five_seconds(running):
    def pids(name: str) -> set[int]:
        return {pid for pid, command in processes(running.folder).items() if name in command}

    for name in ("granian", "worker", "beat", "valkey"):
        old = pids(name)
        os.kill(min(old), signal.SIGKILL)
        wait(lambda name=name, old=old: pids(name) - old, 5)
    running.wait(running.is_ready, 60, "the site to be ready again")


def test_a_second_site_on_the_same_folder_is_refused(running):
    other = LiveSite(running.folder, "demo")
    process = begin(other, output=subprocess.PIPE)
    said = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 1
    assert said.count("\n") == 1
    assert "is in use by another site" in said


def test_a_killed_supervisor_leaves_nothing_behind(running):
    assert len(processes(running.folder)) >= 7
    running.process.kill()
    running.process.wait()
    running.process = None
    wait(lambda: not processes(running.folder), 3)


def test_the_site_starts_again_after_that_and_does_nothing_twice(running):
    assert "Building the database" not in last_start(running)
    assert "Loading the demo" not in last_start(running)


def test_after_the_end_no_process_is_left(stopped):
    assert processes(stopped.folder) == {}


def test_the_folder_holds_no_path_of_its_own_and_may_be_copied(stopped, tmp_path):
    copied = LiveSite(tmp_path, "demo")
    shutil.rmtree(tmp_path / "var")
    shutil.copytree(stopped.folder / "var", tmp_path / "var")
    for file in (tmp_path / "var").rglob("*"):
        if file.is_file():
            assert os.fsencode(stopped.folder) not in file.read_bytes(), file
    with copied:
        said = last_start(copied)
    password = (stopped.folder / "var" / "admin_password").read_text().strip()
    assert f"password: {password}\n" in said


@pytest.mark.parametrize(
    ("moment", "number"),
    [(0.7, signal.SIGTERM), (2.0, signal.SIGINT), (5.0, signal.SIGTERM), (8.0, signal.SIGTERM), (9.0, signal.SIGINT)],
)
def test_a_signal_during_start_up_ends_everything_within_ten_seconds(stopped, moment, number):
    process = begin(stopped)
    time.sleep(moment)
    begun = time.monotonic()
    process.send_signal(number)
    process.wait(timeout=10)
    wait(lambda: not processes(stopped.folder), 10 - (time.monotonic() - begun))


def test_a_killed_make_takes_the_site_with_it(stopped):
    make = begin(stopped, "make", "--no-print-directory", "demo")
    wait(lambda: is_preparing(stopped), 60)
    make.kill()
    make.wait()
    wait(lambda: not processes(stopped.folder), 10)


def test_a_terminal_that_stops_reading_does_not_hold_up_the_end(stopped):
    process = begin(stopped, output=subprocess.PIPE)
    wait(lambda: is_preparing(stopped), 20)
    filler = os.open(f"/proc/{process.pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(filler, b"x" * 4096)
    os.close(filler)
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()
    assert processes(stopped.folder) == {}
