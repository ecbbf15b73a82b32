"""What this machine has that the tests can use: PostgreSQL, Redis, Chromium, nginx and the corpora."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from tests.chromium import executable

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = os.environ.get("REQUIRE_ALL") == "1"


def postgres() -> str:
    """The URL of a PostgreSQL server that answers, without a database name; empty when there is none."""
    url = urlsplit(os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432"))
    server = f"{url.scheme}://{url.netloc}"
    with suppress(psycopg.Error):
        if url.netloc:
            psycopg.connect(f"{server}/{url.path.strip('/') or 'postgres'}", connect_timeout=3).close()
            return server
    return ""


def redis_server() -> str:
    """The URL of an empty numbered database of a Redis that answers; empty when there is none."""
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379").rstrip("/")
    if not url:
        return ""
    candidates = [url] if url.count("/") > 2 else [f"{url}/{number}" for number in range(15, 0, -1)]
    with suppress(redis.RedisError):
        for candidate in candidates:
            with redis.Redis.from_url(candidate, socket_connect_timeout=3) as server:
                if server.dbsize() == 0:
                    return candidate
    return ""


def chromium() -> str:
    """The path of the browser; empty when there is none."""
    return executable()


def perl() -> str:
    """The path of a Perl with the module that reads encoded words of mail headers; empty when there is none."""
    path = shutil.which(os.environ.get("PERL", "perl")) or ""
    asked = [path, "-MEncode::MIME::Header", "-e1"]
    return path if path and subprocess.run(asked, capture_output=True).returncode == 0 else ""


def nginx() -> str:
    """The path of the web server, which is often on root's PATH alone; empty when there is none."""
    return os.environ.get("NGINX", shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "")


def exiftool() -> str:
    """The path of the program that reads what a picture's file says; empty when there is none."""
    return shutil.which("exiftool") or ""


def corpus() -> str:
    """The folder of example articles, mails and bounces; empty when there is none."""
    folder = Path(os.environ.get("CORPUS_DIR", ROOT / ".." / "shared" / "corpus")).resolve()
    return str(folder) if folder.is_dir() else ""


WHERE = {
    "PostgreSQL": (postgres, "TEST_DATABASE_URL, usually postgres://postgres@127.0.0.1:5432"),
    "Redis": (redis_server, "TEST_REDIS_URL, usually redis://127.0.0.1:6379, with an empty numbered database"),
    "Chromium": (chromium, "CHROMIUM, usually chromium on PATH"),
    "Perl": (perl, "PERL, usually perl on PATH, with its standard modules"),
    "nginx": (nginx, "NGINX, usually nginx on PATH or in /usr/sbin"),
    "exiftool": (exiftool, "usually on PATH; Debian: libimage-exiftool-perl"),
    "The corpora": (corpus, "CORPUS_DIR, usually ../shared/corpus"),
}


def absent() -> list[str]:
    """One line for everything that was not found."""
    return [f"{name}: not found ({place})" for name, (find, place) in WHERE.items() if not find()]
