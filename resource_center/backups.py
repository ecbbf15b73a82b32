"""Database and media in one archive, and a site out of such an archive.

An archive is a tar file: `manifest.json`, the database, `media/...`, and last `end.json` with the sum of all that.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import tomllib
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from wagtail.images import get_image_model
from wagtail.models import Page

from content import edition
from newsletter import delivery
from newsletter.demo import load as demo
from newsletter.models import Delivery, Mailing, Subscriber
from resource_center import dumps, preflight

FORMAT = 1
MANIFEST, MEDIA, END = "manifest.json", "media", "end.json"
GZIPPED = {".gz", ".tgz"}
BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, KeyError, TypeError, ValueError)


class BackupRefused(Exception):
    """An archive can not be made or restored; the message is one line."""


def make(path: Path) -> dict[str, Any]:
    """Write database and media into one archive, which is there whole or not at all.

    Args:
        path: the archive; in a folder, one named after this moment. Compressed when it ends in .gz or .tgz.

    Returns:
        Its manifest, with `path` and `bytes`.

    Raises:
        BackupRefused: it can not be written, or the database can not be read.
    """
    if path.is_dir():
        path /= f"resource-center-{timezone.localtime():%Y%m%d-%H%M%S}.tar"
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as folder:
            database, draft = Path(folder, dumps.file_name()), Path(folder, "archive")
            dumps.dump(database)
            with draft.open("wb") as file:
                facts = _write(file, database, "w:gz" if path.suffix in GZIPPED else "w")
                file.flush()
                os.fsync(file.fileno())
            draft.chmod(0o600)
            draft.replace(path)
    except dumps.DumpFailed as error:
        raise BackupRefused(str(error)) from error
    except OSError as error:
        raise BackupRefused(f"{path} can not be written: {error.strerror or error}.") from error
    return {"path": str(path), "bytes": path.stat().st_size, **facts}


def restore(path: Path, replace: bool = False) -> dict[str, Any]:
    """Make this site the one of an archive. Every unfinished mailing is paused, and no mail goes out by itself.

    Args:
        path: the archive; of a folder, the one whose name comes last.
        replace: also where a site stands already; what stood is set aside in DATA_DIR.

    Returns:
        The archive's manifest, with `paused` mailings, `set_aside`, and whether SECRET_KEY is the `same_key`.

    Raises:
        BackupRefused: it is broken, does not fit here, or a site stands here; nothing was changed.
    """
    if path.is_dir():
        path = max(path.glob("resource-center-*.tar"), default=path)
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    if not replace and _in_use():
        raise BackupRefused("There is a site here already: --replace puts the backup in its place and sets it aside.")
    try:
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.DATA_DIR) as folder:
            facts = _unpack(path, Path(folder))
            aside = _set_aside() if replace else ""
            dumps.load(Path(folder, dumps.file_name()), then=delivery.STANDSTILL)
            _swap_media(Path(folder, MEDIA), aside)
    except dumps.DumpFailed as error:
        raise BackupRefused(str(error)) from error
    except OSError as error:
        raise BackupRefused(f"{error.filename or path}: {error.strerror or error}.") from error
    call_command("migrate", interactive=False, verbosity=0)
    edition.move()
    return {**facts, "paused": delivery.hold(_came_back(facts)), "set_aside": aside, "same_key": facts["key"] == _key()}


# --- Writing


def _write(file: IO[bytes], database: Path, mode: Any) -> dict[str, Any]:
    facts = _manifest()
    total = hashlib.sha256()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        _add(archive, total, MANIFEST, io.BytesIO(json.dumps(facts, indent=1).encode()))
        with database.open("rb") as dumped:
            _add(archive, total, database.name, dumped)
        number = 0
        for name, content in _media():
            _add(archive, total, f"{MEDIA}/{name}", content)
            number += 1
        _add(archive, total, END, io.BytesIO(json.dumps({"sha256": total.hexdigest()}).encode()))
    return {**facts, "media": number}


def _manifest() -> dict[str, Any]:
    counts = {"pages": Page, "images": get_image_model(), "subscribers": Subscriber}
    counts |= {"mailings": Mailing, "deliveries": Delivery}
    return {
        "format": FORMAT,
        "version": _version(),
        "made_at": timezone.localtime().isoformat(timespec="seconds"),
        "database": connection.vendor,
        "migrations": sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations()),
        "counts": {name: model.objects.count() for name, model in counts.items()},
        "key": _key(),
    }


def _version() -> str:
    project = tomllib.loads((preflight.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _key() -> str:
    """Tells whether two sites share their SECRET_KEY, and nothing more of it."""
    return salted_hmac("resource_center.backups", "SECRET_KEY").hexdigest()[:16]


def _media() -> Iterator[tuple[str, IO[bytes]]]:
    """Every uploaded file, one open at a time; one that is deleted meanwhile is passed over."""
    root = Path(settings.MEDIA_ROOT)
    for folder, _folders, names in os.walk(root):
        for name in sorted(names):
            file = Path(folder, name)
            try:
                with file.open("rb") as content:
                    yield file.relative_to(root).as_posix(), content
            except FileNotFoundError:
                continue


def _add(archive: tarfile.TarFile, total: Any, name: str, content: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    content.seek(0, os.SEEK_END)
    member.size, member.mode, member.mtime = content.tell(), 0o600, int(timezone.now().timestamp())
    content.seek(0)
    total.update(f"{name} {member.size}\n".encode())
    archive.addfile(member, _Summed(content, total))


class _Summed(io.RawIOBase):
    """A file that adds to a sum whatever is read of it."""

    def __init__(self, file: IO[bytes], total: Any) -> None:
        self.file, self.total = file, total

    def read(self, size: int = -1, /) -> bytes:
        data = self.file.read(size)
        self.total.update(data)
        return data


# --- Reading


def _unpack(path: Path, folder: Path) -> dict[str, Any]:
    """Unpack an archive into a folder, and say what its manifest says.

    Raises:
        BackupRefused: it is broken, incomplete, or does not fit here.
    """
    total, facts, number = hashlib.sha256(), None, 0
    (folder / MEDIA).mkdir()
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is None:
                    raise ValueError(f"{member.name} is no file")
                if member.name == END:
                    if facts is None or json.load(content)["sha256"] != total.hexdigest():
                        raise ValueError("its sum is wrong")
                    return {**facts, "media": number}
                total.update(f"{member.name} {member.size}\n".encode())
                file = _place(folder, member.name)
                with file.open("wb") as written:
                    shutil.copyfileobj(_Summed(content, total), written, 1 << 20)
                if member.name == MANIFEST:
                    facts = json.loads(file.read_bytes())
                    _refuse_misfit(facts)
                number += member.name.startswith(f"{MEDIA}/")
    except BROKEN as error:
        reason = str(error).partition("\n")[0].rstrip(":.")
        raise BackupRefused(f"{path} is no backup of a site, or a broken one: {reason}.") from error
    raise BackupRefused(f"{path} is no backup of a site, or a broken one: its end is missing.")


def _place(folder: Path, name: str) -> Path:
    """Where a member belongs; nothing may leave the folder."""
    parts = PurePosixPath(name).parts
    if name not in (MANIFEST, dumps.file_name()) and (parts[0] != MEDIA or len(parts) < 2 or ".." in parts):
        raise ValueError(f"{name} does not belong into it")
    file = folder.joinpath(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _refuse_misfit(facts: dict[str, Any]) -> None:
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    if facts["format"] > FORMAT:
        raise BackupRefused(f"The backup was made by a newer version ({facts['version']}): update this site first.")
    if facts["database"] != connection.vendor:
        theirs, ours = names[facts["database"]], names[connection.vendor]
        raise BackupRefused(f"The backup is of a {theirs} database, and this site has {ours}: set DATABASE_URL.")
    known = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    if unknown := set(facts["migrations"]) - known:
        raise BackupRefused(
            f"The backup was made by a newer version ({facts['version']}): it knows {min(unknown)}. "
            "Update this site first."
        )


def _in_use() -> bool:
    """Whether anything stands here that somebody wrote or uploaded."""
    if any(Path(settings.MEDIA_ROOT).glob("*")):
        return True
    try:
        return bool(connection.introspection.table_names()) and not demo.is_empty()
    except DatabaseError:
        return True


def _set_aside() -> str:
    """Keep the database that stands here; the media follow once the new ones are ready."""
    start = f"before-restore-{timezone.localtime():%Y%m%d-%H%M%S}-"  # Two may begin within one second.
    folder = Path(tempfile.mkdtemp(prefix=start, dir=settings.DATA_DIR))
    dumps.dump(folder / dumps.file_name())
    return str(folder)


def _swap_media(restored: Path, aside: str) -> None:
    root = Path(settings.MEDIA_ROOT)
    if aside and root.exists():
        root.replace(Path(aside, MEDIA))
    elif root.exists():
        root.rmdir()
    restored.chmod(0o755)
    restored.replace(root)


def _came_back(facts: dict[str, Any]) -> str:
    moment = date_format(timezone.localtime(datetime.fromisoformat(facts["made_at"])), "DATETIME_FORMAT")
    return _("This site was restored from a backup of %(moment)s.") % {"moment": moment}
