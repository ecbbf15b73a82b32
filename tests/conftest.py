"""Fixtures for every room: databases that are ready quickly, and what this machine has."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import uuid
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection

from tests import machine

CACHE = machine.ROOT / ".cache"


LONG_TRIPS = {"journeys", "browser"}
SIDE = os.environ.get("TEST_ON", "")


def pytest_collection_modifyitems(config, items):
    """Side by side (see __main__.py), what no database can change runs on one side only."""
    config.hook.pytest_deselected(items=[item for item in items if belongs_elsewhere(item)])
    items[:] = [item for item in items if not belongs_elsewhere(item)]


def belongs_elsewhere(item) -> bool:
    """Long trips choose their databases themselves and run beside PostgreSQL, the rest beside SQLite."""
    is_long = item.path.parent.name in LONG_TRIPS
    is_once = is_long or item.get_closest_marker("once")
    return bool(SIDE and is_once and is_long != (SIDE == "postgres"))


def schema_digest() -> str:
    """Changes whenever a migration of ours or the lock file does."""
    files = [*machine.ROOT.glob("*/migrations/*.py"), machine.ROOT / "uv.lock"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:16]


@pytest.fixture(scope="session")
def migrated_sqlite() -> Path:
    """Where a migrated, empty SQLite database is kept from run to run."""
    CACHE.mkdir(exist_ok=True)
    return CACHE / f"migrated-{schema_digest()}.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb():
    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, migrated_sqlite):
    """Begin with a copy of the migrated database, where an earlier run left one."""
    if connection.vendor == "sqlite" and migrated_sqlite.exists():
        shutil.copy(migrated_sqlite, settings.DATABASES["default"]["TEST"]["NAME"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, migrated_sqlite):
    """Leave the migrated database for the next run."""
    if connection.vendor == "sqlite" and not migrated_sqlite.exists():
        draft = migrated_sqlite.with_suffix(f".{os.getpid()}")
        with django_db_blocker.unblock():
            connection.ensure_connection()
            with sqlite3.connect(draft) as copy:
                connection.connection.backup(copy)
            copy.close()
        for old in CACHE.glob("migrated-*.sqlite3"):
            old.unlink(missing_ok=True)
        draft.replace(migrated_sqlite)


@pytest.fixture
def rows_of_migrations(django_db_setup, django_db_blocker):
    """Puts back afterwards what migrations wrote, for the tests that come next: real commits empty every table."""
    yield
    with django_db_blocker.unblock():
        connection.creation.deserialize_db_from_string(connection._test_serialized_contents)


@pytest.fixture
def live_database(rows_of_migrations, django_db_serialized_rollback, transactional_db):
    """Real commits, for tests with threads or other processes."""


def need(name: str) -> str:
    """Where a service is; without it the test is skipped, or fails under REQUIRE_ALL=1."""
    find, place = machine.WHERE[name]
    found = find()
    if not found:
        (pytest.fail if machine.REQUIRED else pytest.skip)(f"{name}: not found ({place})")
    return found


@pytest.fixture
def postgres_url():
    """The URL of a fresh, empty PostgreSQL database."""
    server = need("PostgreSQL")
    name = f"resource_center_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield f"{server}/{name}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def redis_url():
    """The URL of an empty Redis database, emptied again afterwards."""
    url = need("Redis")
    yield url
    with redis.Redis.from_url(url) as server:
        server.flushdb()


@pytest.fixture(scope="session")
def chromium_path():
    """The path of a Chromium."""
    return need("Chromium")


@pytest.fixture(scope="session")
def corpus():
    """The folder of example articles, mails and bounces."""
    return Path(need("The corpora"))
