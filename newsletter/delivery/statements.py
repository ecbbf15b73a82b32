"""Statements of the hot path: prepared once, given all their rows in one go, and on PostgreSQL not waited for.

A statement has one text for PostgreSQL, and for SQLite as many as it takes, run one after another in the caller's
transaction. `rows` stands in both for rows that it is given, `answer` for the columns that come back: from PostgreSQL
they come as one JSON value, which costs a tenth of reading them cell by cell.
"""

from __future__ import annotations

import json
import re
import select
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, cast
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors as refusals
from psycopg import pq

Answer = list[Sequence[Any]]

AWAY = (OperationalError, InterfaceError)  # what is raised when the database can not be asked

_prepared: WeakKeyDictionary[pq.abc.PGconn, set[bytes]] = WeakKeyDictionary()


# A parameter by name, which PostgreSQL gets as a number: one column of the rows under a key.
PARAMETER = re.compile(r"\$([a-z]+)\.(\d+)")


def rows(key: str, **columns: str) -> str:
    """A subquery for the rows under `key`: lists of values in the order of `columns`, which say name and type."""
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"${key}.{place}::{kind}[]" for place, kind in enumerate(columns.values()))
        return f"(SELECT * FROM unnest({arrays}) AS given ({', '.join(columns)}))"
    fields = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns))
    return f"(SELECT {fields} FROM json_each(%(facts)s, '$.{key}'))"


def answer(*columns: str) -> str:
    """What a statement answers, row by row; to be named `answer` where it is gathered."""
    listed = ", ".join(columns)
    return f"json_build_array({listed}) AS answer" if connection.vendor == "postgresql" else listed


def gathered(text: str) -> str:
    """A query for PostgreSQL all of whose answers come as one value; SQLite gives rows."""
    return f"SELECT COALESCE(json_agg(answer), '[]') FROM ({text}) AS gathered"


# For statements that touch a few rows each: no plans that pay for many rows only, and no planning of what is planned.
PLAIN_PLANS = {
    "jit": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}


class Desk:
    """A connection of its own, where PostgreSQL is given one statement at a time and is not waited for."""

    def __init__(self) -> None:
        self._database: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS].copy()

    def open(self) -> BaseDatabaseWrapper:
        """The connection, opened if need be.

        Raises:
            OperationalError: the database is away.
        """
        if self._database.connection is None:
            with self._database.cursor() as cursor:
                for name, value in PLAIN_PLANS.items():
                    cursor.execute(f"SET {name} = {value}")
        return self._database

    def close(self) -> None:
        """Let the connection go; the next statement opens another."""
        self._database.close()


class Pending:
    """A statement that PostgreSQL is at. Nothing else may be asked on the connection before its answer is taken."""

    def __init__(self, server: pq.abc.PGconn, errors: AbstractContextManager[None]) -> None:
        self._server = server
        self._errors = errors

    @property
    def descriptor(self) -> int:
        """What becomes readable when there is an answer."""
        return self._server.socket

    @property
    def done(self) -> bool:
        """Whether `answer` will not wait: there is one, or the connection is gone."""
        try:
            return not self._is_busy()
        except AWAY:
            return True  # and whoever takes the answer hears why

    def answer(self) -> Answer:
        """The rows of the answer, waiting for it if need be.

        Raises:
            DatabaseError: the statement failed, or the connection broke.
        """
        while self._is_busy():
            poller = select.poll()
            poller.register(self._server.socket, select.POLLIN)
            poller.poll()
        with self._errors:
            result = self._server.get_result()
            while self._server.get_result() is not None:
                pass
            if result is None or result.status != pq.ExecStatus.TUPLES_OK:
                raise refusals.error_from_result(result) if result else refusals.OperationalError("no answer")
            rows: Answer = json.loads(result.get_value(0, 0) or b"[]")
            return rows

    def _is_busy(self) -> bool:
        with self._errors:
            self._server.consume_input()
            return bool(self._server.is_busy())


class Statement:
    """One step of the hot path.

    Args:
        postgres: its text; its answers are `gathered`.
        sqlite: its texts; those that answer do so in the same columns.
    """

    def __init__(self, postgres: str, sqlite: Sequence[str]) -> None:
        self.sqlite = sqlite
        numbers: dict[tuple[str, int], int] = {}

        def number(found: re.Match[str]) -> str:
            return f"${numbers.setdefault((found[1], int(found[2])), len(numbers) + 1)}"

        self.postgres = PARAMETER.sub(number, postgres).encode()
        self.parameters = list(numbers)
        self.name = sha256(self.postgres).hexdigest()[:32].encode()

    def begin(self, facts: Mapping[str, Any], *more: Any, desk: Desk | None = None) -> Pending:
        """Have PostgreSQL begin; outside of a transaction, the statement is one by itself.

        Args:
            facts: the rows that `rows` stands for, by key.
            more: single values, for `$more.0` and so on, which are `%(more0)s` and so on to SQLite.
            desk: where; without one, on the connection of this thread.
        """
        database = desk.open() if desk else connections[DEFAULT_DB_ALIAS]
        database.ensure_connection()
        server, errors = cast(pq.abc.PGconn, database.connection.pgconn), database.wrap_database_errors
        columns = {key: list(zip(*given, strict=True)) for key, given in facts.items()}
        values = [
            str(more[place]).encode() if key == "more" else _array(columns[key][place] if columns[key] else ())
            for key, place in self.parameters
        ]
        with errors:
            self._prepare(server)
            server.send_query_prepared(self.name, values)
            server.flush()
        return Pending(server, errors)

    def run(self, facts: Mapping[str, Any], *more: Any) -> Answer:
        """Begin and wait, within the transaction that the caller holds open."""
        if connection.vendor == "postgresql":
            return self.begin(facts, *more).answer()
        payload, answer = json.dumps(facts), []
        with connection.cursor() as cursor:
            for text in self.sqlite:
                values = {"facts": payload, **{f"more{place}": value for place, value in enumerate(more)}}
                cursor.execute(text, values)
                if cursor.description:
                    answer += cursor.fetchall()
        return answer

    def _prepare(self, server: pq.abc.PGconn) -> None:
        known = _prepared.setdefault(server, set())
        if self.name not in known:
            result = server.prepare(self.name, self.postgres)
            if result.status != pq.ExecStatus.COMMAND_OK:
                raise refusals.error_from_result(result)
            known.add(self.name)


def _array(values: Sequence[Any]) -> bytes:
    """An array of numbers or of texts as PostgreSQL reads it (section 8.15.2 of its manual)."""
    if values and isinstance(values[0], str):
        values = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return f"{{{','.join(map(str, values))}}}".encode()
