"""What `make demo` and `make run` start, and in which order.

`python -m resource_center.start demo|run` stays in the foreground until Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import fcntl
import http.client
import ipaddress
import os
import secrets
import sys
import time
from typing import TYPE_CHECKING

from resource_center import broker, preflight
from resource_center.supervisor import FIRST_HEARTBEAT, Child, Heartbeats, Stopped, Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEMO_MAIL = {
    "MAIL_FROM": "Resource Center <news@example.org>",
    "MAIL_REPLY_TO": "hello@example.org",
    "MAIL_POSTAL_ADDRESS": "12 Lantern Street, Providence, RI 02903",
    "BOUNCE_DOMAIN": "bounces.example.org",
}
PATIENCE_FOR_LOCK = 5.0  # seconds; a killed predecessor's processes need a moment to end
PYTHON = [sys.executable]
MANAGE = [*PYTHON, str(preflight.BASE_DIR / "manage.py")]
CELERY = [*PYTHON, "-m", "celery", "--app", "resource_center", "--quiet"]
QUIETLY = ["--loglevel", "WARNING"]


class CannotStart(Exception):
    """The site can not be started; the message is one line for the person who tried."""


def lock(data_dir: Path) -> int:
    """Take the data folder for this site alone.

    Returns:
        The descriptor that holds the lock.

    Raises:
        CannotStart: another site runs on the same folder.
    """
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + PATIENCE_FOR_LOCK
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise CannotStart(f"DATA_DIR {data_dir} is in use by another site: stop it or set DATA_DIR.") from None
            time.sleep(0.1)
        else:
            return descriptor


def keep_demo_settings(data_dir: Path, given: Mapping[str, str], full: Mapping[str, str]) -> None:
    """Keep what the demo made up, and its address, where `manage.py` finds it as well."""
    kept = {"SECRET_KEY": secrets.token_urlsafe(50)} | DEMO_MAIL | preflight.kept(data_dir)
    kept |= {"BIND": full["BIND"], "PORT": full["PORT"], "SITE_URL": given.get("SITE_URL", "")}
    lines = ["# Made by `make demo`; the environment and .env go before it.", *(f'{k}="{v}"' for k, v in kept.items())]
    draft = data_dir / "demo.env.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    draft.replace(data_dir / "demo.env")


def environment(target: str, given: Mapping[str, str]) -> dict[str, str]:
    """What every child finds. `make run` shuts out what a demo may have kept in the same folder."""
    shut_out = {} if target == "demo" else {name: given.get(name, "") for name in preflight.SETTINGS}
    return {**os.environ, **shut_out, "PYTHONUNBUFFERED": "1", preflight.STARTED_AS: target}


def web(full: Mapping[str, str]) -> Child:
    workers = min(os.cpu_count() or 1, 4)
    return Child(
        "web",
        [
            *(*PYTHON, "-m", "granian", "--interface", "wsgi", "--no-ws", "--blocking-threads", "2"),
            *("--host", full["BIND"], "--port", full["PORT"], "--workers", str(workers)),
            *("--respawn-failed-workers", "--respawn-interval", "1", "--log-level", "warning"),
            "resource_center.wsgi:application",
        ],
    )


def heartbeats(role: str, data_dir: Path, full: Mapping[str, str]) -> Heartbeats:
    return Heartbeats(data_dir / "heartbeats" / role, float(full["HEARTBEAT_TIMEOUT"]))


def worker(data_dir: Path, full: Mapping[str, str]) -> Child:
    # TERM lets running tasks end for a moment and gives the rest back to the broker.
    processes = str(max(2, os.cpu_count() or 1))
    command = [*CELERY, "worker", *QUIETLY, "--without-mingle", "--concurrency", processes]
    alive = heartbeats("worker", data_dir, full)
    return Child("worker", command, {"REMAP_SIGTERM": "SIGQUIT"}, politeness=5, heartbeat=alive)


def beat(data_dir: Path, full: Mapping[str, str]) -> Child:
    schedule = data_dir / "beat"
    schedule.mkdir(exist_ok=True)
    command = [*CELERY, "beat", *QUIETLY, "--schedule", str(schedule / "schedule")]
    return Child("beat", command, politeness=5, heartbeat=heartbeats("beat", data_dir, full))


def answer(full: Mapping[str, str]) -> str:
    """What the site says when asked whether it is ready: nothing when it is."""
    bind = ipaddress.ip_address(full["BIND"])
    loopback = "127.0.0.1" if bind.version == 4 else "::1"
    asked = http.client.HTTPConnection(loopback if bind.is_unspecified else str(bind), int(full["PORT"]), timeout=2)
    try:
        asked.request("GET", "/readyz", headers={"Host": "localhost"})
        reply = asked.getresponse()
        said = reply.read(500).decode(errors="replace")
        return "" if reply.status == 200 else f"/readyz says {reply.status} {said}"
    except (OSError, http.client.HTTPException):
        return "the web process does not answer yet"
    finally:
        asked.close()


def announce(supervisor: Supervisor, target: str, data_dir: Path, full: Mapping[str, str]) -> None:
    """Say where everything is."""
    url = preflight.site_url(full)
    supervisor.say("")
    supervisor.say(f"Site: {url}/")
    if not full["SMTP_URL"] and not full["ESP"]:
        supervisor.say(f"Mailbox: {url}/mailbox/")
        if target == "run":
            supervisor.say(
                f"No mail leaves this machine: without SMTP_URL or ESP all of it stays in {data_dir / 'mailbox'}, "
                "which superusers read at /mailbox/."
            )
    if target == "demo":
        password = data_dir / "admin_password"
        secret = password.read_text().strip() if password.is_file() else "the one you set"
        supervisor.say(f"Admin: {url}/admin/  user: admin  password: {secret}")
    else:
        supervisor.say(f"Admin: {url}/admin/  (`manage.py createsuperuser` makes an account)")
    supervisor.say("Ready. Ctrl-C stops everything.")
    supervisor.say("")


def serve(supervisor: Supervisor, target: str, data_dir: Path, full: Mapping[str, str]) -> None:
    """Start everything in order, and keep it running.

    Raises:
        CannotStart: a step failed.
        Stopped: somebody asked to stop.
    """
    if not full["REDIS_URL"]:
        supervisor.say("Starting the broker ...")
        supervisor.keep(Child("broker", broker.command(data_dir), foundation=True))
    supervisor.say("Preparing database and files (the first time takes up to a minute) ...")
    options = ["--expect-heartbeats", f"{FIRST_HEARTBEAT:g}", *(["--demo"] if target == "demo" else [])]
    if not supervisor.finish(Child("prepare", [*MANAGE, "prepare", *options])):
        raise CannotStart("The site could not be prepared: the lines above say why.")
    supervisor.say("Starting web, worker and beat ...")
    for child in (web(full), worker(data_dir, full), beat(data_dir, full)):
        supervisor.keep(child)
    await_readiness(supervisor, full)
    announce(supervisor, target, data_dir, full)
    supervisor.wait_until(lambda: False)


def await_readiness(supervisor: Supervisor, full: Mapping[str, str]) -> None:
    """Wait for the site's own word, and every ten seconds say what it waits for."""
    said = time.monotonic()

    def ready() -> bool:
        nonlocal said
        reason = answer(full)
        if reason and time.monotonic() - said > 10:
            supervisor.say(f"Still waiting: {reason}")
            said = time.monotonic()
        return not reason

    supervisor.wait_until(ready)


def main(target: str) -> int:
    """Run the site until it is stopped.

    Returns:
        The exit code: 0 after Ctrl-C or SIGTERM, 1 when it could not start.
    """
    if troubles := preflight.troubles(target):
        sys.stderr.write("\n".join(troubles) + "\n")
        return 1
    given = preflight.given()
    full = preflight.completed(given)
    data_dir = preflight.data_dir(full)
    supervisor = None
    try:
        held = lock(data_dir)
        if target == "demo":
            keep_demo_settings(data_dir, given, full)
        supervisor = Supervisor(
            environment(target, given), held=(held,), speaks_json=full["LOG_FORMAT"].lower() == "json"
        )
        serve(supervisor, target, data_dir, full)
    except Stopped:
        return 0
    except (CannotStart, broker.BrokerUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        if supervisor:
            supervisor.stop()
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["demo"], ["run"]):
        sys.exit("Usage: python -m resource_center.start demo|run")
    sys.exit(main(sys.argv[1]))
