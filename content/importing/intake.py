"""Goes through a folder of articles and gives a receipt for each of them."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from bs4.exceptions import ParserRejectedMarkup
from charset_normalizer import from_bytes
from django.db import transaction

from content import gate
from content.credits import ATTRIBUTION, Lack, missing
from content.images import deletes_stored_files_on_error
from content.importing import drafts, html, markdown, pictures
from content.importing.resource import Figure, ImportedResource, Problem
from content.models import ArticlePage, CreditedImage, ImportedSource
from content.text_cleaning import clean_line, legible

logger = logging.getLogger(__name__)

LARGEST = 10_000_000  # bytes
Outcome = Literal["created", "updated", "skipped"]


@dataclass(frozen=True)
class Format:
    endings: tuple[str, ...]
    read: Callable[[str, str], ImportedResource]


FORMATS = {
    "html": Format((".html", ".htm", ".xhtml"), html.read),
    "markdown": Format((".md", ".markdown"), markdown.read),
}


@dataclass
class Receipt:
    """What an import did. `created`, `updated` and `skipped` add up to the files of that format."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    images: int = 0
    missing_images: int = 0
    needs_attribution: int = 0
    problems: list[Problem] = field(default_factory=list)

    def count(self, outcome: Outcome) -> None:
        """Count one file."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    def data(self) -> dict[str, Any]:
        return asdict(self)


class Unreadable(Exception):
    """A file can not be read as an article; the message says why."""


class Intake:
    """One import of one folder or file.

    Args:
        path: a folder, or one article.
        format: a key of FORMATS.
        media: another folder to look for pictures in.
        dry_run: read and count only.
        publish: publish what is complete.
    """

    def __init__(
        self, path: Path, format: str, media: Path | None = None, dry_run: bool = False, publish: bool = False
    ) -> None:
        self.root = path.resolve() if path.is_dir() else path.resolve().parent
        self.format = FORMATS[format]
        self.files = _files(path.resolve(), self.format.endings)
        self.media, self.dry_run, self.publish = media, dry_run, publish
        self.receipt = Receipt()

    def run(self) -> Receipt:
        """Take every article of the folder."""
        for file in self.files:
            self._take(file, legible(file.relative_to(self.root).as_posix()))
        return self.receipt

    def _take(self, file: Path, where: str) -> None:
        """Take one article wholly or not at all; whatever befalls it, the others still come."""
        try:
            text, resource = self._read(file, where)
            with deletes_stored_files_on_error(), transaction.atomic():
                outcome = self._place(file, where, text, resource)
        except Unreadable as reason:
            self._skip(where, str(reason))
        except Exception as error:
            logger.exception("%s could not be imported", where)
            self._skip(where, f"the file could not be taken ({type(error).__name__}): the log says more")
        else:
            self.receipt.count(outcome)

    def _read(self, file: Path, where: str) -> tuple[str, ImportedResource]:
        text, guessed = _text(file)
        text = legible(text)
        try:
            resource = self.format.read(text, where)
        except (RecursionError, ParserRejectedMarkup, ValueError) as error:
            raise Unreadable(f"the file is too broken to be read ({type(error).__name__})") from error
        if guessed:
            self._problem(where, f"the file is no UTF-8 and was read as {guessed}: look at its letters")
        resource.title = clean_line(resource.title) or clean_line(re.sub(r"[_-]+", " ", file.stem)).capitalize()
        resource.authors = [clean_line(author) for author in resource.authors]
        resource.topics = [clean_line(topic) for topic in resource.topics]
        self.receipt.problems.extend(resource.problems)
        return text, resource

    def _place(self, file: Path, where: str, text: str, resource: ImportedResource) -> Outcome:
        found = self._find(resource, file, where)
        fingerprint = hashlib.sha256(
            "\n".join([text, *(each.fingerprint for each in found.values())]).encode()
        ).hexdigest()
        known = ImportedSource.objects.filter(source=self._key(where)).select_related("page").first()
        outcome = self._outcome(known, fingerprint, where)
        write = outcome != "skipped" and not self.dry_run
        known = known or ImportedSource(source=self._key(where))
        known.fingerprint = fingerprint
        images = {figure: pictures.keep(each, figure, save=write) for figure, each in found.items()}
        for figure, image in images.items():
            self._judge(figure, image, where)
        for said in drafts.unknown_names(resource):
            self._problem(where, said)
        if write:
            page = drafts.write(resource, images, known)
            if self.publish:
                self._publish(page, where, complete=all(figure in images for figure in resource.figures))
        return outcome

    def _find(self, resource: ImportedResource, file: Path, where: str) -> dict[Figure, pictures.Found]:
        """The files of all pictures; a missing one is counted once for each place in the text."""
        found = {}
        for figure in [*resource.figures, *([resource.cover] if resource.cover else [])]:
            place = "the picture at the head" if figure is resource.cover else "the picture"
            try:
                found[figure] = pictures.find(figure.source, file, self.root, self.media)
                if said := found[figure].said:
                    self._problem(where, f"{place} {figure.source[:200]} {said}")
            except pictures.Absent as reason:
                self._problem(where, f"{place} {figure.source[:200]} is missing: {reason}")
        self.receipt.images += sum(figure in found for figure in [*resource.figures, resource.cover])
        self.receipt.missing_images += sum(figure not in found for figure in resource.figures)
        return found

    def _outcome(self, known: ImportedSource | None, fingerprint: str, where: str) -> Outcome:
        if known is None or known.page is None:
            return "created"
        if known.fingerprint == fingerprint:
            return "skipped"
        if not drafts.is_untouched(known):
            self._problem(
                where, "the source has changed, but the page was edited here since it was imported: it stays as it is"
            )
            return "skipped"
        return "updated"

    def _judge(self, figure: Figure, image: CreditedImage, where: str) -> None:
        lacks = missing(image, alt=figure.alt or image.description, decorative=figure.decorative or image.is_decorative)
        if needed := [lack for lack in lacks if lack in ATTRIBUTION]:
            self.receipt.needs_attribution += 1
            self._problem(
                where, f"the picture “{image.title}” ({figure.source[:200]}) lacks: {', '.join(map(_field, needed))}"
            )

    def _publish(self, page: ArticlePage, where: str, complete: bool) -> None:
        if not complete:
            self._problem(where, "the page stays a draft: pictures of it are missing")
            return
        try:
            page.get_latest_revision().publish()
        except gate.Refused as refused:
            self._problem(where, f"the page stays a draft: {' '.join(refused.messages)}")

    def _skip(self, where: str, what: str) -> None:
        self.receipt.count("skipped")
        self._problem(where, what)

    def _problem(self, where: str, what: str) -> None:
        self.receipt.problems.append(Problem(where, what))

    def _key(self, where: str) -> str:
        return f"{self.root.name}/{where}"[:500]


def _field(lack: Lack) -> str:
    return "alt text (it has a file name there)" if lack is Lack.ALT_TEXT_WORDS else str(lack.value)


def _files(path: Path, endings: tuple[str, ...]) -> list[Path]:
    """The articles in their order; what is hidden or leads out of the folder is left alone."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in endings
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
        and file.resolve().is_relative_to(path)
    )


def _text(file: Path) -> tuple[str, str]:
    """The text of a file, and the encoding when it had to be guessed."""
    if file.stat().st_size > LARGEST:
        raise Unreadable(f"the file is larger than {LARGEST // 1_000_000} MB")
    data = file.read_bytes()
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), ""
    if b"\x00" in data[:4096]:
        raise Unreadable("the file is no text")
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return _guessed(data)


def _guessed(data: bytes) -> tuple[str, str]:
    declared = re.search(rb"charset=[\"']?([\w-]+)", data[:2048])
    if declared:
        name = declared[1].decode("ascii", "replace")
        try:
            return data.decode(name), name
        except (LookupError, UnicodeDecodeError):
            pass
    best = from_bytes(data).best()
    if best is None or re.match(r"cp125[0247]|iso8859|latin|mac_|hp_roman", best.encoding):
        # Western encodings are told apart by luck only; this one is by far the most written.
        return data.decode("cp1252", "replace"), "windows-1252"
    return str(best), best.encoding
