"""PostgreSQL and Redis of our own, to be stopped, killed and starved: never the ones that others use."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import redis

from resource_center import broker
from tests.live import free_port


class NotHere(Exception):
    """This machine lacks what a server needs; the message says what."""


class Postgres:
    """A cluster in a folder of its own, run by an account that PostgreSQL accepts."""

    def __init__(self, folder: Path | None = None) -> None:
        """Make and start it.

        Args:
            folder: where; a new one under the temporary directory if not given.

        Raises:
            NotHere: the server's programs are missing.
        """
        self.programs = programs()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="resource-center-postgres-"))
        self.data = self.folder / "data"
        self.port = free_port()
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        account = ["--auth", "trust", "--username", "postgres"]
        self.run("initdb", "--pgdata", self.data, *account, "--encoding", "UTF8", "--no-sync")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
            file.write("shared_buffers = 32MB\nmax_wal_size = 64MB\nmin_wal_size = 32MB\n")
        self.start()

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}"

    def start(self) -> None:
        self.run("pg_ctl", "start", "--wait", "--pgdata", self.data, "--log", self.folder / "log")

    def restart_at_once(self) -> None:
        """As after a power cut: no connection is told, and the log is replayed."""
        self.run(
            "pg_ctl", "restart", "--wait", "--mode", "immediate", "--pgdata", self.data, "--log", self.folder / "log"
        )

    def answers(self) -> bool:
        with contextlib.suppress(psycopg.Error):
            psycopg.connect(f"{self.url}/postgres", connect_timeout=3).close()
            return True
        return False

    def create(self, name: str) -> str:
        """A new database, and its URL."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        return f"{self.url}/{name}"

    def run(self, program: str, *arguments: object) -> None:
        as_whom = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*as_whom, str(self.programs / program), *map(str, arguments)]
        # What it starts keeps its output open: a pipe would never end.
        subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "stop", "--mode", "immediate", "--pgdata", self.data)
        shutil.rmtree(self.folder, ignore_errors=True)


def programs() -> Path:
    """The folder of initdb and pg_ctl.

    Raises:
        NotHere: there is none.
    """
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*folders, *([Path(on_path).resolve().parent] if on_path else [])]:
        if (folder / "initdb").exists():
            return folder
    raise NotHere("initdb: not found (a PostgreSQL server's programs, in /usr/lib/postgresql or on PATH)")


class Redis:
    """A broker of our own, with its append-only file on, as the embedded one has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        options += ["--appendonly", "yes", "--save", "", "--daemonize", "no"]
        self.process = subprocess.Popen([broker.binary(), *options], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not self.answers():
            assert time.monotonic() < end, "Redis does not start"
            time.sleep(0.1)

    def answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.url, socket_timeout=2) as client:
            return bool(client.ping())
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    close = kill


class SmallDisk:
    """A disk in memory that can be filled."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Mount it.

        Raises:
            NotHere: this account may not.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
            raise NotHere("mount: not allowed (a small disk to fill needs root)")

    def fill(self) -> None:
        """Take every byte that is left."""
        with contextlib.suppress(OSError), (self.folder / "filler").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def empty(self) -> None:
        (self.folder / "filler").unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)
