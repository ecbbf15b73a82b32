"""`make test`: one pytest run, beside SQLite and, where it answers, beside PostgreSQL at the same time.

`python -m tests [pytest's arguments]` does the same by hand.
"""

import os
import sys

from tests import machine

SIDE_BY_SIDE = ["--dist", "each", "--tx", "popen//env:TEST_ON=sqlite", "--tx", "popen//env:TEST_ON=postgres"]
SQLITE_ONLY = ["-n", "2", "--dist", "loadfile"]

for line in machine.absent():
    print(line, flush=True)
arguments = SIDE_BY_SIDE if machine.postgres() else SQLITE_ONLY
os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments, *sys.argv[1:]])
