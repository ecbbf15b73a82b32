"""Sites to travel through: one on SQLite with the embedded broker, one on PostgreSQL with Redis."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.conftest import need
from tests.inbox import Inbox
from tests.live import LiveSite


@pytest.fixture(scope="session")
def inbox():
    """An SMTP server that takes everything, and the mails it took."""
    with Inbox() as inbox:
        yield inbox


@pytest.fixture(scope="module", params=["sqlite and embedded broker", "postgres and redis"])
def site(request, tmp_path_factory, inbox):
    """A running site without content, sending to the inbox over SMTP."""
    folder = tmp_path_factory.mktemp("site")
    if request.param.startswith("sqlite"):
        with LiveSite(folder, SMTP_URL=inbox.url) as site:
            yield site
        return
    server, broker = need("PostgreSQL"), need("Redis")
    name = f"journey_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            with LiveSite(folder, SMTP_URL=inbox.url, DATABASE_URL=f"{server}/{name}", REDIS_URL=broker) as site:
                yield site
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
