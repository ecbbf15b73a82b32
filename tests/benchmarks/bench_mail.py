"""How fast a mailing goes out: this engine, Postfix's `smtp-source`, Django's mail and django-newsletter, to one sink.

    python -m pytest tests/benchmarks/bench_mail.py -s

Needs Debian's postfix for `smtp-source` and `smtp-sink`. Every message is about 30 KB and personal. What is compared
is sent in turns, so that a busy neighbour slows both. Numbers are printed and written to docs/benchmarks.md, never
asserted. BENCH_MAILS (20,000) says how many messages a round sends, BENCH_PAIRS (5) how many rounds there are,
BENCH_SIZES ("10000 100000") which sizes are compared for memory; the peers send 2,000 each.
"""

from __future__ import annotations

import email
import email.policy
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.live import ROOT, free_port

MAILS = int(os.environ.get("BENCH_MAILS", 20_000))
PAIRS = int(os.environ.get("BENCH_PAIRS", 5))
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10000 100000").split()]
LANES = 16
PEER_MAILS = 2_000
PEERS = {"django": "Django's SMTP backend, one connection", "django-newsletter": "django-newsletter 1.2.1"}
LIST_HEADERS = {"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Archive", "Feedback-ID"}
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "PYTHONDONTWRITEBYTECODE"}
REPORT = ROOT / "docs" / "benchmarks.md"


@dataclass
class Round:
    """One sending: messages a second, CPU seconds of sender, database and sink, and the share of time stolen."""

    rate: float
    cpu: float
    database_cpu: float
    sink_cpu: float
    stolen: float
    memory: int = 0


class Bench:
    """A site of its own on one database, with a sink to send to."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {
            # Bytecode is kept, as on a site that runs: without, every round would compile what it imports.
            **{name: value for name, value in os.environ.items() if name not in NOT_OURS},
            "DATABASE_URL": database_url,
            "DATA_DIR": str(folder),
            "SECRET_KEY": "benchmark-" + "0123456789" * 5,
            "SITE_URL": "https://news.example.org",
            "REDIS_URL": "redis://127.0.0.1:1/0",  # nobody: `deliver` needs no broker
            "SMTP_URL": f"smtp://127.0.0.1:{self.port}",
            "MAIL_FROM": "News <news@example.org>",
            "MAIL_POSTAL_ADDRESS": "1 Bench Lane, Providence, RI 02903",
            "BOUNCE_DOMAIN": "bounces.example.org",
        }

    def stage(self, subscribers: int, issues: int) -> dict:
        """Mailings that are ready to be sent."""
        words = [sys.executable, "-m", "tests.benchmarks.stage", str(subscribers), str(issues)]
        done = subprocess.run(words, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def send(self, mailing: int, mails: int) -> Round:
        """One mailing, by `manage.py deliver`; one that is sent already, with no mails, shows what the start costs."""
        words = [sys.executable, "manage.py", "deliver", str(mailing), "--lanes", str(LANES), "--json"]
        before = database_cpu(), stolen_time(), self.sink_cpu()
        process = subprocess.Popen(words, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout:
            answer = json.loads(process.stdout.read())
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert (process.returncode, answer["sent"]) == (0, mails), answer
        stolen = (stolen_time() - before[1]) / max(answer["seconds"], 0.1) / os.cpu_count()
        cpu, rate = used.ru_utime + used.ru_stime, mails / max(answer["seconds"], 0.1)
        database, sink = database_cpu() - before[0], self.sink_cpu() - before[2]
        return Round(rate, cpu, database, sink, stolen, used.ru_maxrss)

    def smtp_source(self, mails: int, size: int) -> Round:
        """The same number of messages of the same size, by Postfix's own tool."""
        words = ["smtp-source", "-d", "-s", str(LANES), "-m", str(mails), "-l", str(size), f"127.0.0.1:{self.port}"]
        before, started, stolen, sink = children_cpu(), time.perf_counter(), stolen_time(), self.sink_cpu()
        subprocess.run(words, check=True)
        seconds = time.perf_counter() - started
        stolen = (stolen_time() - stolen) / seconds / os.cpu_count()
        return Round(mails / seconds, children_cpu() - before, 0.0, self.sink_cpu() - sink, stolen)

    @contextmanager
    def sink(self) -> Iterator[None]:
        """Takes everything and keeps nothing."""
        as_whom = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen(["smtp-sink", *as_whom, f"127.0.0.1:{self.port}", "1000"])
        self.sink_process = process.pid
        time.sleep(1)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def sink_cpu(self) -> float:
        """CPU seconds of the sink so far."""
        used = Path(f"/proc/{self.sink_process}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, used[11:13])) / os.sysconf("SC_CLK_TCK")

    def peer(self, name: str) -> dict[str, float]:
        """Let a peer send its share, with libraries of its own where it needs some."""
        home = self.folder / "peer"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(self.folder / "mail.json", home)
        script = shutil.copy(Path(__file__).with_name("peers.py"), home)
        database = self.environment["DATABASE_URL"] or f"sqlite:///{home / 'peer.sqlite3'}"
        words = [sys.executable, str(script), name, str(home), str(self.port), str(PEER_MAILS), database]
        path = str(installed()) if name == "django-newsletter" else ""
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path}
        done = subprocess.run(words, cwd=home, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def sample(self, mailing: int) -> dict[str, Any]:
        """What one message says, with `{{ link }}` where its own links stand, and the headers that a list adds."""
        code = (
            "import sys; from newsletter.messages import Slots, fill; from newsletter.models import Variant;"
            "from django.utils import timezone;"
            f"template = Variant.objects.filter(mailing={mailing}).first().template;"
            "slots = Slots('a@b.test', '<1@b.test>', timezone.now(), 'LINK', 'LINK');"
            "sys.stdout.buffer.write(fill(template, slots))"
        )
        words = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        done = subprocess.run(words, cwd=ROOT, env=self.environment, capture_output=True, check=True)
        message = email.message_from_bytes(done.stdout, policy=email.policy.default)
        parts = [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()]
        text, html = (part.replace("LINK", "{{ link }}") for part in parts)
        headers = {name: value.replace("LINK", "{{ link }}") for name, value in message.items() if name in LIST_HEADERS}
        return {"subject": message["Subject"], "headers": headers, "text": text, "html": html}


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def database_cpu() -> float:
    """CPU seconds of all PostgreSQL processes so far, those that have ended included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = stat.read_text().partition("(")[2].rsplit(")", 1)
        except (OSError, ValueError):
            continue
        if name == "postgres":
            used = fields.split()
            parent = Path(f"/proc/{used[1]}/comm")
            is_first = not parent.exists() or parent.read_text().strip() != "postgres"
            ticks += sum(map(int, used[11:15] if is_first else used[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def stolen_time() -> float:
    """Seconds that the host took from this machine's processors."""
    return int(Path("/proc/stat").read_text().split()[8]) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def tools():
    if not shutil.which("smtp-source") or not shutil.which("smtp-sink"):
        pytest.skip("smtp-source and smtp-sink: not found (Debian's postfix has them)")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def bench(request, tmp_path, tools):
    """The stage, on each database."""
    if request.param == "PostgreSQL":
        return Bench(tmp_path, request.getfixturevalue("postgres_url"))
    return Bench(tmp_path, "")


def bench_sending_beside_smtp_source(bench, request):
    """Rounds in turns with `smtp-source`, to the same sink."""
    staged = bench.stage(MAILS, PAIRS)
    ours, theirs = [], []
    with bench.sink():
        for mailing in staged["mailings"]:
            ours.append(bench.send(mailing, MAILS))
            theirs.append(bench.smtp_source(MAILS, staged["bytes"]))
        start = bench.send(staged["mailings"][0], 0)
    shares = sorted(mine.rate / his.rate for mine, his in zip(ours, theirs, strict=True))
    facts = [(r.rate, r.cpu - start.cpu, r.database_cpu, r.sink_cpu) for r in ours]
    rate, *cpu = [statistics.median(values) for values in zip(*facts, strict=True)]
    sender, database, sink = (seconds / MAILS for seconds in cpu)
    their_sink = statistics.median(r.sink_cpu for r in theirs) / MAILS
    cores = os.cpu_count() / rate
    of_cores = [f"{100 * used / cores:.0f} %" for used in (sink, sender, database, cores - sink - sender - database)]
    stolen = [f"{100 * max(r.stolen for r in rounds):.1f} %" for rounds in (ours, theirs)]
    report(
        f"Beside smtp-source, {request.node.callspec.params['bench']}",
        [
            f"{PAIRS} pairs of {MAILS:,} messages of {staged['bytes']:,} bytes, {LANES} lanes",
            f"share of `smtp-source -d -s {LANES}`: median {statistics.median(shares):.2f}, "
            f"from {shares[0]:.2f} to {shares[-1]:.2f}",
            f"messages a second: {rate:,.0f} (smtp-source {statistics.median(r.rate for r in theirs):,.0f})",
            f"CPU seconds per 20,000: sender {sender * 20_000:.2f}, PostgreSQL {database * 20_000:.2f}; "
            f"the start of the sender's process {start.cpu:.2f}",
            f"where the time of the {os.cpu_count()} cores goes: sink {of_cores[0]}, sender {of_cores[1]}, "
            f"PostgreSQL {of_cores[2]}, idle or elsewhere {of_cores[3]}",
            f"a message costs the sink {1e6 * sink:.0f} µs, one of smtp-source {1e6 * their_sink:.0f} µs",
            f"time stolen by the host: at most {stolen[0]} of ours, {stolen[1]} of smtp-source",
            f"freezing {MAILS:,}: {statistics.median(staged['freeze']):.2f} s",
        ],
    )


def bench_sending_beside_peers(bench, request):
    """Django's backend and django-newsletter, in turns with this engine."""
    staged = bench.stage(MAILS, 3)
    (bench.folder / "mail.json").write_text(json.dumps(bench.sample(staged["mailings"][0])))
    rates: dict[str, list[float]] = {name: [] for name in ["ours", *PEERS]}
    with bench.sink():
        for mailing in staged["mailings"]:
            rates["ours"].append(bench.send(mailing, MAILS).rate)
            for name in PEERS:
                rates[name].append(PEER_MAILS / bench.peer(name)["seconds"])
    middle = {name: statistics.median(values) for name, values in rates.items()}
    lines = [
        f"{words}: {middle[name]:,.0f} a second; this engine {middle['ours'] / middle[name]:.1f} times that"
        for name, words in PEERS.items()
    ]
    report(f"Beside peers, {request.node.callspec.params['bench']}", [f"this engine: {middle['ours']:,.0f}", *lines])


def bench_memory_and_linearity(bench, request):
    """A mailing costs the same per message, and the same memory, whatever its size.

    Of the smaller ones several are sent, half of them before the largest and half after it.
    """
    staged = {size: bench.stage(size, max(1, min(9, 300_000 // size))) for size in SIZES}
    first = [(size, mailing) for size in SIZES for mailing in staged[size]["mailings"][::2]]
    then = [(size, mailing) for size in reversed(SIZES) for mailing in staged[size]["mailings"][1::2]]
    sent: dict[int, list[Round]] = {size: [] for size in SIZES}
    with bench.sink():
        for size, mailing in first + then:
            sent[size].append(bench.send(mailing, size))
        idle = bench.send(mailing, 0)
    lines = []
    for size, rounds in sent.items():
        costs = sorted(1e6 / each.rate for each in rounds)
        spread = f" (median of {len(costs)}, {costs[0]:.0f} to {costs[-1]:.0f})" if len(costs) > 1 else ""
        lines.append(
            f"{size:,} recipients: frozen in {statistics.median(staged[size]['freeze']):.1f} s, "
            f"{statistics.median(costs):.0f} µs a message{spread}, "
            f"at most {max(each.memory for each in rounds) / 1024:.0f} MB of memory"
        )
    lines.append(f"the same process without anything to send: {idle.memory / 1024:.0f} MB")
    report(f"Memory and linearity, {request.node.callspec.params['bench']}", lines)


def installed() -> Path:
    """django-newsletter in a folder of its own."""
    folder = ROOT / ".cache" / "django-newsletter"
    if not (folder / "sorl").exists():
        uv = shutil.which("uv") or str(ROOT / ".bootstrap" / "bin" / "uv")
        words = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
        subprocess.run([*words, "django-newsletter==1.2.1", "sorl-thumbnail==13.0.0"], check=True)
    return folder


def report(title: str, lines: list[str]) -> None:
    """Print the lines, and put them in the place of what docs/benchmarks.md said under this title."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"\n{title} ({machine})", *lines, sep="\n  ", flush=True)
    before, mark, after = REPORT.read_text().partition(f"### {title}\n")
    rest = after[after.find("\n### ") + 1 :] if "\n### " in after else ""
    words = "\n".join([f"{datetime.now(UTC):%Y-%m-%d}, {machine}.", "", *(f"* {line}" for line in lines)])
    section = f"### {title}\n\n{words}\n"
    REPORT.write_text(f"{before if mark else before.rstrip() + chr(10) * 2}{section}{chr(10) + rest if rest else ''}")
