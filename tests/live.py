"""A whole site in processes of its own, started as an operator starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from resource_center import preflight

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 240  # seconds until ready; a cold start migrates and loads the demo


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LiveSite:
    """`make run` or `make demo` in a folder of its own: web, worker, beat and broker are real processes."""

    def __init__(self, folder: Path, target: str = "run", **settings: str) -> None:
        self.folder = folder
        self.target = target
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "site.log"
        tests_own = {*preflight.SETTINGS, "DJANGO_SETTINGS_MODULE"}
        clean = {name: value for name, value in os.environ.items() if name not in tests_own}
        self.environment = {
            **clean,
            "DATA_DIR": str(folder / "var"),
            "PORT": str(self.port),
            **({} if target == "demo" else RUN_SETTINGS),
            **settings,
        }
        (folder / "var").mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LiveSite:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start every process and wait until the site says that it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "resource_center.start", self.target],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait(self.is_ready, PATIENCE, "the site to be ready")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the supervisor; it ends the rest."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None

    def is_ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"the site ended:\n{self.log.read_text()[-3000:]}")
        try:
            return urllib.request.urlopen(f"{self.url}/readyz", timeout=5).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait(self, happened, patience: float, what: str):
        """Ask until `happened()` is true, and give back what it said."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if said := happened():
                return said
            time.sleep(0.2)
        raise AssertionError(f"waited {patience} s in vain for {what}:\n{self.log.read_text()[-3000:]}")

    def manage(self, *arguments: object, expect: int = 0) -> str:
        """Run `manage.py` as an operator would.

        Returns:
            What it printed; standard error when it was expected to fail.
        """
        done = subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == expect, f"exit {done.returncode}: {done.stdout}\n{done.stderr}"
        return done.stderr if expect else done.stdout

    def manage_json(self, *arguments: object) -> dict:
        """Run a command with --json and read the one object it prints."""
        return json.loads(self.manage(*arguments, "--json"))


RUN_SETTINGS = {
    "SECRET_KEY": "a-key-for-tests-only-" + "0123456789" * 4,
    "MAIL_FROM": "Resource Center <news@resource-center.example>",
    "MAIL_POSTAL_ADDRESS": "1 Test Lane, Providence, RI 02903",
    "BOUNCE_DOMAIN": "bounces.resource-center.example",
}
