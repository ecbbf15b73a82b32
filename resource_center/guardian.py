"""Outlives a killed supervisor and takes the processes it left with it.

Run as a script of its own, in its own session, so that no signal meant for the supervisor reaches it.
Reads lines `+GROUP` and `-GROUP` from a pipe that only the supervisor holds open; when the pipe ends,
every process group that is still on the list is killed.
"""

import contextlib
import os
import signal
import sys


def watch() -> None:
    """Follow the supervisor's list until the supervisor is gone, then clear up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line.startswith("+") else groups.discard
        change(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    watch()
