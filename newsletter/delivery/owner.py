"""Who holds a lane: this process, named so that another one on the same host can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


def owner() -> str:
    """Host, process id and start of this process."""
    return f"{_host()} {os.getpid()} {_started(os.getpid())}"


def is_dead(name: str) -> bool:
    """Whether that owner was a process of this host and is gone. False when nobody here can know."""
    host, pid, started = name.rsplit(" ", 2)
    return host == _host() and _started(int(pid)) != started


@cache
def _host() -> str:
    """This machine since its last start, and the room in it: containers may share a name and count processes apart."""
    boot = _read(Path("/proc/sys/kernel/random/boot_id"))[:8]
    try:
        room = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        room = ""
    return f"{socket.gethostname()[:40]}/{boot}/{room}"


def _started(pid: int) -> str:
    """When that process started, in ticks since the boot; where the system does not say, whether it lives."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    if fields:
        # A zombie has ended, even while its parent has not noticed.
        return "gone" if fields[0] in "ZX" else fields[19]
    if Path("/proc/self/stat").exists():
        return "gone"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        pass
    return "alive"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
