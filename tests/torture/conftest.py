"""Two whole sites, small and large, that all scenarios share; and the table of figures at the end."""

from __future__ import annotations

import shutil

import pytest

from tests import live, machine
from tests.live import LiveSite
from tests.torture import servers
from tests.torture.stage import PATIENCE, SinkProcess, Stage

FIGURES: list[tuple[str, dict]] = []


@pytest.fixture(scope="session", autouse=True)
def patience():
    """These machines have other things to do as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "PATIENCE", PATIENCE)
        yield


@pytest.fixture
def figures(request):
    """Keeps what a scenario has counted for the table at the end."""
    return lambda facts: FIGURES.append((request.node.name.removeprefix("test_"), facts))


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("figures")
    for name, facts in FIGURES:
        terminalreporter.write_line(f"{name}: " + ", ".join(f"{number} {what}" for what, number in facts.items()))


def here(make, *arguments):
    """Make something of ours; without what it needs the scenario is skipped, or fails under REQUIRE_ALL=1."""
    try:
        return make(*arguments)
    except servers.NotHere as lack:
        (pytest.fail if machine.REQUIRED else pytest.skip)(str(lack))


@pytest.fixture(scope="session")
def sink(tmp_path_factory):
    sink = SinkProcess(tmp_path_factory.mktemp("sink"))
    yield sink
    sink.close()


@pytest.fixture(scope="session")
def postgres():
    cluster = here(servers.Postgres)
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def redis(tmp_path_factory):
    redis = servers.Redis(tmp_path_factory.mktemp("redis"))
    yield redis
    redis.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory, sink, migrated_sqlite):
    """A site on SQLite with its embedded broker."""
    folder = tmp_path_factory.mktemp("small")
    site = LiveSite(folder, SMTP_URL=sink.url)
    if migrated_sqlite.exists():  # saves a minute
        shutil.copy(migrated_sqlite, folder / "var" / "db.sqlite3")
    with site:
        stage = Stage(site, sink)
        yield stage
        stage.stop_watching()


@pytest.fixture(scope="session")
def large(tmp_path_factory, sink, postgres, redis):
    """A site on PostgreSQL and Redis."""
    settings = {"DATABASE_URL": postgres.create("large"), "REDIS_URL": redis.url}
    with LiveSite(tmp_path_factory.mktemp("large"), SMTP_URL=sink.url, **settings) as site:
        stage = Stage(site, sink)
        yield stage
        stage.stop_watching()


@pytest.fixture(params=["small", "large"])
def stage(request):
    return request.getfixturevalue(request.param)
