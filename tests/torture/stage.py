"""The stage of every scenario: a whole site, a mail server that writes down what it takes, and a hand on processes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.live import ROOT, LiveSite

READERS = int(os.environ.get("READERS", "2000"))
PATIENCE = 900
LANES = 8  # of one sending process


class SinkProcess:
    """The mail server, in a process of its own; what it took is in its record."""

    def __init__(self, folder: Path, delay: float = 0.1) -> None:
        self.record = folder / "record"
        self.record.touch()
        command = [sys.executable, "-m", "tests.sink", "--record", str(self.record), "--delay", str(delay)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"smtp://127.0.0.1:{self.port}"

    @property
    def taken(self) -> list[dict]:
        return [json.loads(line) for line in self.record.read_text().split("\n")[:-1]]

    @property
    def count(self) -> int:
        return self.record.read_bytes().count(b"\n")

    def wait_for_more(self, more: int, patience: float = PATIENCE) -> bool:
        """Wait until so many more mails came. False when none came for half a minute."""
        begun = last = self.count
        end, still = time.monotonic() + patience, time.monotonic() + 30
        while last < begun + more:
            assert time.monotonic() < end, f"waited in vain for {more} mails"
            if self.count > last:
                last, still = self.count, time.monotonic() + 30
            elif time.monotonic() > still:
                return False
            time.sleep(0.02)
        return True

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def children(of: int) -> list[int]:
    """The living children of a process."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == of and fields[0] not in "ZX":
                found.append(int(folder.name))
    return found


def connections(port: int, *processes: int) -> int:
    """How many connections to a port are open, of these processes or of all."""
    peer = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[2] == peer and row[3] == "01"}
    if not processes:
        return len(inodes)
    held = 0
    for process in processes:
        for entry in Path(f"/proc/{process}/fd").glob("*"):
            try:
                held += os.readlink(entry) in inodes
            except OSError:
                continue
    return held


class Stage:
    """One site under fire, and the mailing it is about."""

    def __init__(self, site: LiveSite, sink: SinkProcess) -> None:
        self.site, self.sink = site, sink
        self.month = 0
        self.mailing = self.recipients = self.begun = 0
        self.watcher: subprocess.Popen | None = None
        self.script("scene", "readers", READERS)

    def script(self, module: str, *arguments: object) -> str:
        command = [sys.executable, "-m", f"tests.torture.{module}", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, env=self.site.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def send(self, seconds: int = 0) -> int:
        """Put a new issue on its way to everybody, now or so many seconds from now, and begin to watch it."""
        self.month += 1
        self.begun = self.sink.count
        facts = json.loads(self.script("scene", "send", self.month, seconds))
        self.mailing, self.recipients = facts["mailing"], facts["recipients"]
        self.watch()
        return self.mailing

    def watch(self) -> None:
        self.stop_watching()
        self.counts = self.site.folder / f"counts-{self.mailing}"
        self.counts.write_text("")  # Of a restored mailing the earlier end says nothing.
        command = [sys.executable, "-m", "tests.torture.watch", str(self.mailing), str(self.counts)]
        true_clock = {name: value for name, value in self.site.environment.items() if name != "LD_PRELOAD"}
        self.watcher = subprocess.Popen(command, cwd=ROOT, env=true_clock)

    def stop_watching(self) -> None:
        if self.watcher:
            self.watcher.kill()
            self.watcher.communicate()
            self.watcher = None

    def worker(self) -> int:
        """The process that leads the site's worker."""

        def found() -> int | None:
            for pid in children(self.site.process.pid):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if b"celery" in command and b"worker" in command:
                    return pid
            return None

        return self.site.wait(found, 60, "a worker")

    def senders(self) -> list[int]:
        """The worker's processes that hold connections to the mail server."""
        return [pid for pid in children(self.worker()) if connections(self.sink.port, pid)]

    def kill_something(self) -> int:
        """SIGKILL, at a random moment, for a sending process or now and then for the whole worker.

        Returns:
            How many connections to the mail server died with it.
        """
        senders = self.senders()
        if senders and random.random() < 0.85:
            pid = random.choice(senders)
            os.kill(pid, signal.SIGSTOP)  # for an exact count
            died = connections(self.sink.port, pid)
            os.kill(pid, signal.SIGKILL)
            return died
        leader = self.worker()
        os.killpg(leader, signal.SIGSTOP)
        died = connections(self.sink.port, leader, *children(leader))
        os.killpg(leader, signal.SIGKILL)
        return died

    @property
    def polled(self) -> list[dict]:
        """Every answer of `mailing_status` so far."""
        return [json.loads(line) for line in self.counts.read_text().split("\n")[:-1]]

    def is_sent(self) -> dict | None:
        polled = self.polled
        return polled[-1] if polled and polled[-1]["state"] == "sent" else None

    def judged(self, allowed: int, skipped: int = 0, patience: float = PATIENCE) -> dict:
        """What came of it: nobody missing, no second copy that can not be explained, counts that always add up."""
        status = self.site.wait(self.is_sent, patience, "the mailing to be sent")
        polled = self.polled
        self.stop_watching()
        for each in polled:
            assert (
                sum(number for name, number in each.items() if name not in ("state", "recipients"))
                == each["recipients"]
            )
        listed = json.loads(self.script("scene", "listed", self.mailing))
        ours = {row["id"]: row for row in listed}
        taken = [line for line in self.sink.taken[self.begun :] if line["id"] in ours]
        copies = Counter(line["to"] for line in taken)
        missing = [row for row in listed if row["state"] in ("sent", "bounced") and not copies[row["address"]]]
        unlisted = [row for row in listed if row["state"] not in ("sent", "skipped") and row["reason"] != "uncertain"]
        second = sum(copies.values()) - len(copies)
        assert (missing, unlisted) == ([], [])
        assert len({line["id"] for line in taken}) == len(copies), "a second copy has another Message-ID"
        assert (status["recipients"], status["skipped"]) == (self.recipients, skipped)
        assert second <= allowed
        held = sum(row["reason"] == "uncertain" and row["state"] == "failed" for row in listed)
        return {
            "recipients": len(listed),
            "missing": len(missing),
            "second copies": second,
            "allowed": allowed,
            "held": held,
            "polls": len(polled),
        }
