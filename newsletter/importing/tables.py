"""A CSV file as a table: its encoding, its delimiter, what its columns are called, and its rows with their lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from content.text_cleaning import clean_line, fold
from newsletter import choices
from newsletter.exporting import columns, unguarded

DELIMITERS = ",;\t"
OTHER_NAMES = {
    "email": (
        "e-mail", "mail", "email address", "e-mail address", "email_address", "subscriber", "subscriber email",
        "correo", "correo electronico", "direccion de correo electronico", "e-mail-adresse", "email-adresse",
        "emailadresse", "mailadresse", "adresse e-mail", "adresse email", "adresse electronique", "courriel",
    ),
    "name": ("full name", "fullname", "nombre", "nombre completo", "nom complet", "vollstandiger name"),
    "first name": ("first_name", "firstname", "fname", "given name", "vorname", "prenom"),
    "last name": ("last_name", "lastname", "lname", "surname", "family name", "nachname", "apellido", "apellidos"),
    "language": ("locale", "idioma", "sprache", "langue"),
}  # fmt: skip
OUR_NAMES = {other: ours for ours, others in OTHER_NAMES.items() for other in others}


class UnreadableFile(Exception):
    """The file as a whole can not be taken. Its message says why and what to do."""


class RejectedRow(Exception):
    """One row can not be taken. Its message says why."""


@dataclass(frozen=True)
class Row:
    """One row: the line it begins on, its cells in order, and by the names of their columns."""

    line: int
    cells: list[str]
    named: dict[str, str]


class Table:
    """The rows of a file. It can be walked as often as one likes.

    Raises:
        UnreadableFile: the first line names no column of addresses, or one that we need twice.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        head = text.partition("\n")[0]
        self._delimiter = max(DELIMITERS, key=head.count)
        try:
            self.titles = [clean_line(title) for title in next(self._sheet(), [])]
        except csv.Error as error:
            raise UnreadableFile(f"The first line can not be read ({error}). It should name the columns.") from error
        self.columns = _our_names([fold(title) for title in self.titles])
        self._check()

    def rows(self) -> Iterator[Row | tuple[int, RejectedRow]]:
        """Each row that says anything, or its line and why it can not be read."""
        sheet = self._sheet()
        next(sheet, None)
        while True:
            line = sheet.line_num + 1
            try:
                cells = next(sheet, None)
            except csv.Error as error:
                yield line, RejectedRow(f"The row can not be read ({error}). Check its quotation marks.")
                continue
            if cells is None:
                return
            if any(cells[len(self.columns) :]):
                why = f"The row has {len(cells)} cells, the first line names {len(self.columns)} columns."
                yield line, RejectedRow(why)
            elif any(cells):
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row:
        whole = [unguarded(cell.strip()) for cell in cells[: len(self.columns)]]
        whole += [""] * (len(self.columns) - len(whole))
        return Row(line, whole, dict(zip(self.columns, whole, strict=True)))

    def _sheet(self) -> Any:
        lines = io.StringIO(self._text, newline="")
        return csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True, strict=True)

    def _check(self) -> None:
        if "email" not in self.columns:
            raise UnreadableFile(
                f"No column is called “email” (the first line names: {', '.join(self.titles)[:200] or 'nothing'}). "
                "Name the column of addresses “email” and import the file again."
            )
        for name in columns(choices.facet_slugs()):
            if name != "status" and self.columns.count(name) > 1:
                raise UnreadableFile(f"Two columns are called “{name}”. Keep one of them and import the file again.")


def _our_names(names: list[str]) -> list[str]:
    """The names of columns as we call them; another name counts only where our own is not there."""
    ours = [OUR_NAMES.get(name, name) for name in names]
    return [our if our not in names else name for our, name in zip(ours, names, strict=True)]


def decode(data: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, with or without its mark, or else in Windows-1252.

    Raises:
        UnreadableFile: it is an archive or a workbook (both are ZIP files).
    """
    if data.startswith(b"PK\x03\x04"):
        raise UnreadableFile(
            "This is an archive or a workbook. Take the CSV files out of it and import them one by one."
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
