"""Files are stored before the row that names them: when the row can not be saved, they are deleted again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.files.storage import Storage

_stored: ContextVar[list[tuple[Storage, str]] | None] = ContextVar("stored", default=None)


@contextmanager
def deletes_stored_files_on_error() -> Iterator[None]:
    """Delete the pictures' files that were stored inside when an exception ends this; put it around a transaction."""
    outer, inner = _stored.get(), []  # type: ignore[var-annotated]
    token = _stored.set(inner)
    try:
        yield
    except BaseException:
        for storage, name in inner:
            storage.delete(name)
        raise
    else:
        if outer is not None:
            outer.extend(inner)
    finally:
        _stored.reset(token)


def note_stored_file(storage: Storage, name: str) -> None:
    """A file was stored whose row is not saved yet."""
    stored = _stored.get()
    if stored is not None:
        stored.append((storage, name))
