"""Keeps the site's processes running: prefixed output, restarts, a clean end, nothing left behind."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GUARDIAN = Path(__file__).with_name("guardian.py")
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
SLOWEST_RESTART = 4.0  # seconds
LOOK_EVERY = 1.0  # seconds between looks at the heartbeats
GRACE = 5.0  # seconds between TERM and KILL; with the broker's own end it stays under 10
LAST_GRACE = 2.0
HEARTBEAT = "HEARTBEAT_FILE"  # in a child's environment: with its own process id behind it, the file that it touches
FIRST_HEARTBEAT = 180.0  # seconds a child may take to start on a busy machine
PIECE = 4000  # bytes; a pipe that is writable takes this much without blocking
LINE_LIMIT = 1_000_000  # bytes


class Stopped(Exception):
    """Somebody asked the supervisor to end."""


def die_with_parent(number: int, parent: int) -> None:
    """Ask the kernel for a signal at the parent's death, where it can (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


class Heartbeats:
    """The files that a child and the processes it starts touch as long as they live, by this process's own clock.

    Args:
        prefix: of their names; behind it stands the process id of each.
        timeout: seconds without a touch after which a living process hangs.
    """

    def __init__(self, prefix: Path, timeout: float) -> None:
        self.prefix = prefix
        self.timeout = timeout
        self.heard: dict[int, tuple[int, float]] = {}  # by process: its last touch, and when that was first seen

    def begin(self) -> None:
        """Forget the processes of an earlier start."""
        self.prefix.parent.mkdir(exist_ok=True)
        self.heard.clear()
        for file in self._files():
            file.unlink(missing_ok=True)

    def hung(self, leader: int, started: float) -> bool:
        """Whether one of the living processes has not been heard from for too long.

        Args:
            leader: the process that was started; it must be heard from within FIRST_HEARTBEAT seconds.
            started: when that was.
        """
        now = time.monotonic()
        for file in self._files():
            pid = int(file.suffix[1:])
            try:
                os.kill(pid, 0)
                touched = file.stat().st_mtime_ns
            except OSError:
                file.unlink(missing_ok=True)
                self.heard.pop(pid, None)
                continue
            if touched != self.heard.get(pid, (0, 0.0))[0]:
                self.heard[pid] = (touched, now)
        silent = any(now - seen > self.timeout for _touched, seen in self.heard.values())
        return silent or (leader not in self.heard and now - started > max(FIRST_HEARTBEAT, self.timeout))

    def _files(self) -> list[Path]:
        return [file for file in self.prefix.parent.glob(f"{self.prefix.name}.*") if file.suffix[1:].isdigit()]


@dataclass
class Child:
    """One process that is kept running, with everything it starts, in a process group of its own.

    A foundation (the broker) is what the others stand on: it ends after them.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    foundation: bool = False
    politeness: int = 0  # nice(2): background work lets readers go first
    heartbeat: Heartbeats | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    looked_at: float = 0.0
    killed: float = 0.0  # when it is, since it hangs and was asked to end
    delay: float = 0.5
    unfinished: bytes = b""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def output(self) -> IO[bytes] | None:
        """What it writes to, while that is open."""
        stream = self.process.stdout if self.process else None
        return None if stream is None or stream.closed else stream


class Supervisor:
    """Starts children, shows what they say, starts the dead again, and ends them all."""

    def __init__(
        self, environment: Mapping[str, str], held: tuple[int, ...] = (), *, speaks_json: bool = False
    ) -> None:
        """Take over the signals of this process.

        Args:
            environment: what every child finds.
            held: file descriptors (locks) that the guardian keeps until the last child is gone.
            speaks_json: whether each line it shows is one JSON object.
        """
        self.environment = environment
        self.speaks_json = speaks_json
        self.held = held
        self.children: list[Child] = []
        self.kept: list[Child] = []
        self.selector = selectors.DefaultSelector()
        self.stopping = False
        self.muted = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup(1) means it.
                signal.signal(number, self._ask_to_stop)
        if "MAKELEVEL" in os.environ:  # `make demo` that is killed must not leave a site behind.
            die_with_parent(signal.SIGTERM, os.getppid())
        self._start_guardian()

    def say(self, line: str, name: str = "") -> None:
        """Write one line; when nobody reads, it is dropped rather than waited for."""
        plain = f"{name:<8}| {line}\n" if name else f"{line}\n"
        data = (self._as_json(line, name) if self.speaks_json else plain).encode()
        if len(data) > LINE_LIMIT:
            data = data[: LINE_LIMIT - 1] + b"\n"
        for begin in range(0, len(data), PIECE):
            self.muted = not select.select([], [1], [], 0 if self.muted else 1)[1]
            if self.muted:
                return
            with contextlib.suppress(OSError):
                os.write(1, data[begin : begin + PIECE])

    def _as_json(self, line: str, name: str) -> str:
        """One object for each line: what a child has written as one, and whatever else anybody says."""
        if line.startswith("{"):
            with contextlib.suppress(ValueError):
                return f"{json.dumps({**json.loads(line), 'process': name}, ensure_ascii=False)}\n"
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        told = {"event": line, "level": "info", "process": name or "supervisor", "timestamp": moment}
        return f"{json.dumps(told, ensure_ascii=False)}\n" if line else ""

    def keep(self, child: Child) -> None:
        """Start a child and start it again whenever it dies."""
        self.kept.append(child)
        self._start(child)

    def finish(self, child: Child) -> bool:
        """Run a child to its end.

        Returns:
            Whether it ended well.

        Raises:
            Stopped: somebody asked to stop meanwhile.
        """
        self._start(child)
        while child.running:
            self.turn()
        self._clear(child)
        return child.process is not None and child.process.returncode == 0

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Keep everything running until `done` says so, asked twice a second.

        Raises:
            Stopped: somebody asked to stop meanwhile.
        """
        asked = 0.0
        while True:
            self.turn()
            if time.monotonic() - asked >= 0.5:
                if done():
                    return
                asked = time.monotonic()

    def turn(self) -> None:
        """Once around: show output, bury the dead, start again what is due.

        Raises:
            Stopped: somebody asked to stop.
        """
        self._pump(0.1)
        if self.stopping:
            raise Stopped
        if self.guardian.poll() is not None:
            self._start_guardian()
        for child in self.kept:
            self._end_if_hung(child)
            self._revive(child)

    def stop(self) -> None:
        """End every child: TERM, then KILL; the foundations last. Takes less than 10 seconds."""
        if any(child.running for child in self.children):
            self.say("Stopping ...")
        upper = [child for child in self.children if not child.foundation]
        lower = [child for child in self.children if child.foundation]
        for wave, grace in ((upper, GRACE), (lower, LAST_GRACE)):
            for child in wave:
                if child.running and child.process:
                    child.process.terminate()
            end = time.monotonic() + grace
            while any(child.running for child in wave) and time.monotonic() < end:
                self._pump(0.1)
            for child in wave:
                self._clear(child)
        if self.guardian.stdin:
            self.guardian.stdin.close()
        self.guardian.wait()

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self.stopping = True

    def _start_guardian(self) -> None:
        self.guardian = subprocess.Popen(
            [sys.executable, "-I", str(GUARDIAN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=self.held,
            start_new_session=True,
            text=True,
            bufsize=1,
        )
        for child in self.children:
            if child.process:
                self._tell_guardian(f"+{child.process.pid}")

    def _tell_guardian(self, change: str) -> None:
        with contextlib.suppress(OSError):
            if self.guardian.stdin:
                os.write(self.guardian.stdin.fileno(), f"{change}\n".encode())

    def _start(self, child: Child) -> None:
        supervisor = os.getpid()

        def in_the_child() -> None:
            # Before it can start anything, it is on the guardian's list.
            self._tell_guardian(f"+{os.getpid()}")
            die_with_parent(signal.SIGKILL, supervisor)
            os.nice(child.politeness)

        if child not in self.children:
            self.children.append(child)
        child.started = time.monotonic()
        child.due = child.killed = 0.0
        beating = {}
        if child.heartbeat:
            child.heartbeat.begin()
            beating[HEARTBEAT] = str(child.heartbeat.prefix)
        child.process = subprocess.Popen(
            child.command,
            env={**self.environment, **child.environment, **beating},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=in_the_child,
        )
        if child.output:
            os.set_blocking(child.output.fileno(), False)
            self.selector.register(child.output, selectors.EVENT_READ, child)

    def _end_if_hung(self, child: Child) -> None:
        """Ask a child that hangs, and all it has started, to end; kill what has not ended in time."""
        now = time.monotonic()
        if child.process is None or child.heartbeat is None or not child.running or now < child.looked_at + LOOK_EVERY:
            return
        child.looked_at = now
        if child.killed:
            if now > child.killed:
                self._signal_group(child.process.pid, signal.SIGKILL)
        elif child.heartbeat.hung(child.process.pid, child.started):
            self.say(f"hangs: not heard from for {child.heartbeat.timeout:g} s; it is ended", child.name)
            child.killed = now + GRACE
            self._signal_group(child.process.pid, signal.SIGTERM)

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        if child.due and now >= child.due:
            self._start(child)
        elif not child.due and child.process and not child.running:
            lived = now - child.started
            child.delay = 0.5 if lived > 10 else min(child.delay * 2, SLOWEST_RESTART)
            child.due = now + child.delay
            self._clear(child)
            self.say(f"ended ({child.process.returncode}); it is started again in {child.delay:g} s", child.name)

    def _pump(self, timeout: float) -> None:
        for key, _events in self.selector.select(timeout):
            self._show(key.data)

    def _show(self, child: Child) -> None:
        """Show the whole lines that a child has said; at its end the rest too."""
        if child.output is None:
            return
        data = child.output.read(65536)
        *lines, child.unfinished = (child.unfinished + (data or b"")).split(b"\n")
        for line in lines:
            self.say(line.decode(errors="replace").rstrip(), child.name)
        if data == b"":
            self._close(child)

    def _close(self, child: Child) -> None:
        if child.output is None:
            return
        self.selector.unregister(child.output)
        child.output.close()
        if child.unfinished:
            self.say(child.unfinished.decode(errors="replace"), child.name)
            child.unfinished = b""

    def _clear(self, child: Child) -> None:
        """Kill what is left of a child's group, and take it off the list."""
        if child.process is None:
            return
        self._signal_group(child.process.pid, signal.SIGKILL)
        child.process.wait()
        self._show(child)
        self._close(child)
        self._tell_guardian(f"-{child.process.pid}")

    def _signal_group(self, group: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
