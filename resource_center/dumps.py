"""The whole database into one file and back, each database by its own means, while others work with it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

PATIENCE = 60.0  # seconds for a lock
LIBPQ = {"passfile", "service", "connect_timeout"}  # and everything about SSL


class DumpFailed(Exception):
    """The database could not be written to a file, or read back; the message is one line."""


def file_name() -> str:
    """What a dump of this kind of database is called."""
    return "database.sqlite3" if connection.vendor == "sqlite" else "database.dump"


def dump(file: Path) -> None:
    """Write the database as it is at one moment.

    Raises:
        DumpFailed: with the reason in one line.
    """
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        try:
            with sqlite3.connect(file) as copy:
                connection.connection.backup(copy)
            copy.close()
        except sqlite3.Error as error:
            raise DumpFailed(f"The database could not be copied: {error}.") from error
        return
    database, environment = _libpq()
    _run(["pg_dump", "--format", "custom", "--no-owner", "--no-acl", "--file", str(file), database], environment)


def load(file: Path, then: str) -> None:
    """Put a dump in the place of the whole database, in one act: nobody ever sees a part of it.

    Args:
        file: what `dump` wrote; it is changed.
        then: a statement that belongs to the same act.

    Raises:
        DumpFailed: with the reason in one line; the database is as it was.
    """
    if connection.vendor == "sqlite":
        _load_sqlite(file, then)
    else:
        _load_postgresql(file, then)
    connection.close()


def _load_sqlite(file: Path, then: str) -> None:
    name = Path(connection.settings_dict["NAME"])
    connection.close()
    try:
        with sqlite3.connect(file) as restored:
            restored.execute(then)
        with sqlite3.connect(name, timeout=PATIENCE) as standing:
            restored.backup(standing)
        standing.close()
        restored.close()
    except sqlite3.Error as error:
        raise DumpFailed(f"The database could not be restored: {error}.") from error


def _load_postgresql(file: Path, then: str) -> None:
    """As one script in one transaction: what stands now, and may be newer than the dump, goes first."""
    database, environment = _libpq()
    script, drop = file.with_suffix(".sql"), file.with_suffix(".drop.sql")
    tables = [connection.ops.quote_name(table) for table in connection.introspection.table_names()]
    connection.close()
    drop.write_text("".join(f"DROP TABLE IF EXISTS {table} CASCADE;\n" for table in tables), encoding="utf-8")
    _run(["pg_restore", "--no-owner", "--no-acl", "--file", str(script), str(file)], environment)
    options = ["--no-psqlrc", "--quiet", "--output", os.devnull, "--set", "ON_ERROR_STOP=1", "--single-transaction"]
    # The script empties the search path for itself.
    acts = ["--file", str(drop), "--file", str(script), "--command", f"SET search_path TO DEFAULT; {then}"]
    _run(["psql", *options, *acts, database], environment)


def _libpq() -> tuple[str, dict[str, str]]:
    """How PostgreSQL's own programs reach the database: an address without the password, and their environment."""
    facts = connection.settings_dict
    options = {name: value for name, value in facts["OPTIONS"].items() if name in LIBPQ or name.startswith("ssl")}
    named = {"dbname": facts["NAME"], "user": facts["USER"], "host": facts["HOST"], "port": facts["PORT"], **options}
    address = make_conninfo("", **{name: value for name, value in named.items() if value})
    password = {"PGPASSWORD": str(facts["PASSWORD"])} if facts["PASSWORD"] else {}
    return address, {**os.environ, **password}


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise DumpFailed(
            f"{command[0]} is not here: install the client programs of the server's version (postgresql-client)."
        ) from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        raise DumpFailed(said[0] if said else f"{command[0]} ended with {done.returncode}.")
