"""Statements of the hot path: prepared once, given all their rows as one JSON value, and on PostgreSQL not waited for.

A statement has one text for PostgreSQL, and for SQLite as many as it takes, run one after another in the caller's
transaction. `rows` stands in both for the rows under one key of the value.
"""

from __future__ import annotations

import json
import select
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, cast
from weakref import WeakKeyDictionary

from django.db import connection
from psycopg import errors, pq

# Text as libpq writes it -> what it means; everything else in an answer is a number or text.
Answer = list[tuple[str | None, ...]]

_prepared: WeakKeyDictionary[pq.abc.PGconn, set[bytes]] = WeakKeyDictionary()


def rows(key: str, **columns: str) -> str:
    """A subquery for the rows under `key`: lists of values in the order of `columns`, which say name and type."""
    if connection.vendor == "postgresql":
        fields = ", ".join(f"(e->>{place})::{kind} AS {name}" for place, (name, kind) in enumerate(columns.items()))
        return f"(SELECT {fields} FROM json_array_elements($1::json->'{key}') AS e)"
    fields = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns))
    return f"(SELECT {fields} FROM json_each(%(facts)s, '$.{key}'))"


class Pending:
    """A statement that PostgreSQL is at. Nothing else may be asked on the connection before its answer is taken."""

    def __init__(self, server: pq.abc.PGconn) -> None:
        self._server = server

    @property
    def descriptor(self) -> int:
        """What becomes readable when there is an answer."""
        return self._server.socket

    @property
    def done(self) -> bool:
        """Whether `answer` will not wait."""
        with connection.wrap_database_errors:
            self._server.consume_input()
            return not self._server.is_busy()

    def answer(self) -> Answer:
        """The rows of the answer, waiting for it if need be.

        Raises:
            DatabaseError: the statement failed, or the connection broke.
        """
        while not self.done:
            poller = select.poll()
            poller.register(self._server.socket, select.POLLIN)
            poller.poll()
        with connection.wrap_database_errors:
            result = self._server.get_result()
            while self._server.get_result() is not None:
                pass
            if result is None or result.status != pq.ExecStatus.TUPLES_OK:
                raise errors.error_from_result(result) if result else errors.OperationalError("no answer")
            return [
                tuple(_text(result.get_value(row, column)) for column in range(result.nfields))
                for row in range(result.ntuples)
            ]


class Statement:
    """One step of the hot path.

    Args:
        postgres: its text, with `$1` for the JSON value.
        sqlite: its texts, with `%(facts)s` for the JSON value; those that answer do so with the columns of `postgres`.
    """

    def __init__(self, postgres: str, sqlite: Sequence[str]) -> None:
        self.postgres, self.sqlite = postgres.encode(), sqlite
        self.name = sha256(self.postgres).hexdigest()[:32].encode()

    def begin(self, facts: Mapping[str, Any], *more: Any) -> Pending:
        """Have PostgreSQL begin; outside of a transaction, the statement is one by itself.

        Args:
            facts: what `rows` reads.
            more: values for `$2` and so on, which are `%(more0)s` and so on to SQLite.
        """
        connection.ensure_connection()
        server = cast(pq.abc.PGconn, connection.connection.pgconn)
        with connection.wrap_database_errors:
            self._prepare(server)
            server.send_query_prepared(
                self.name, [json.dumps(facts).encode(), *(str(value).encode() for value in more)]
            )
            server.flush()
        return Pending(server)

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
                raise errors.error_from_result(result)
            known.add(self.name)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
