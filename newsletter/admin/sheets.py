"""Lists as CSV or XLSX, a million rows as well as ten: read, written and sent on piece by piece."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, QuerySet
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from wagtail.admin.views.mixins import ExcelDateFormatter, SpreadsheetExportMixin
from wagtail.log_actions import log

from content import hours
from newsletter.exporting import guarded

AT_ONCE = 2_000  # rows read from the database
ROWS_OF_A_SHEET = 1_000_000  # a sheet of XLSX holds 1,048,576
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SheetMixin:
    """For an IndexView: no cell is a formula, memory does not grow with the rows, and who took the file is logged."""

    # Hours are the organization's: with their offset in CSV; cells of XLSX know no zone, the column's heading names it.
    custom_value_preprocess = {
        **SpreadsheetExportMixin.custom_value_preprocess,
        datetime: {
            SpreadsheetExportMixin.FORMAT_CSV: lambda moment: timezone.localtime(moment).isoformat(timespec="seconds"),
            SpreadsheetExportMixin.FORMAT_XLSX: timezone.make_naive,
        },
    }

    request: HttpRequest
    is_export: bool
    get_queryset: Callable[[], QuerySet[Any]]
    list_export: list[str]
    get_filename: Callable[[], str]
    get_heading: Callable[[QuerySet[Any], str], str]
    to_row_dict: Callable[[Any], dict[str, Any]]
    preprocess_field_value: Callable[[str, Any, str], Any]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Give the file without the page around it, which would read every row first."""
        if self.is_export:
            return self.as_spreadsheet(self.get_queryset(), request.GET["export"])
        return super().get(request, *args, **kwargs)  # type: ignore[misc, no-any-return]

    def as_spreadsheet(self, queryset: QuerySet[Any], form: str) -> StreamingHttpResponse | FileResponse:
        log(self.get_logged(), "newsletter.export_list", user=self.request.user, data={"list": self.get_filename()})
        return super().as_spreadsheet(queryset, form)  # type: ignore[misc, no-any-return]

    def get_logged(self) -> Any:
        """What the export is about, in the log."""
        raise NotImplementedError

    def write_csv_response(self, queryset: QuerySet[Any]) -> StreamingHttpResponse:
        answer: StreamingHttpResponse = super().write_csv_response(_piecemeal(queryset))  # type: ignore[misc]
        answer.headers["Content-Type"] = "text/csv; charset=utf-8"
        return answer

    def write_csv_row(self, writer: Any, row_dict: dict[str, Any]) -> Any:
        cells = {name: self.preprocess_field_value(name, value, "csv") for name, value in row_dict.items()}
        return writer.writerow({name: _safe(cell) for name, cell in cells.items()})

    def write_xlsx_response(self, queryset: QuerySet[Any]) -> FileResponse:
        file = tempfile.TemporaryFile()  # noqa: SIM115 the answer closes it
        self.write_xlsx(_piecemeal(queryset), file)
        file.seek(0)
        return FileResponse(file, as_attachment=True, content_type=XLSX, filename=f"{self.get_filename()}.xlsx")

    def get_heading_with_zone(self, queryset: Any, name: str) -> str:
        """The heading of a column, with the zone of its hours."""
        heading = self.get_heading(queryset, name)
        is_moment = isinstance(queryset.model._meta.get_field(name), DateTimeField)
        return f"{heading} ({hours.zone_name()})" if is_moment else heading

    def write_xlsx(self, queryset: Any, output: Any) -> None:
        workbook = Workbook(write_only=True, iso_dates=True)
        moment = ExcelDateFormatter().get()
        headings = [self.get_heading_with_zone(queryset, name) for name in self.list_export]
        sheet = workbook.create_sheet()
        sheet.append(headings)
        for number, row in enumerate(queryset):
            if number and number % ROWS_OF_A_SHEET == 0:
                sheet = workbook.create_sheet()
                sheet.append(headings)
            cells = {name: _printable(value) for name, value in self.to_row_dict(row).items()}
            sheet.append(self.generate_xlsx_row(sheet, cells, date_format=moment))  # type: ignore[attr-defined]
        workbook.save(output)


class _Piecemeal:
    """The rows of a query, read in pieces; knows its model, as headings need it."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        self.queryset, self.model = queryset, queryset.model

    def __iter__(self) -> Iterator[Any]:
        return self.queryset.iterator(chunk_size=AT_ONCE)


def _piecemeal(queryset: QuerySet[Any]) -> Iterable[Any]:
    return _Piecemeal(queryset)


def _safe(cell: Any) -> Any:
    return guarded(cell) if isinstance(cell, str) else cell


def _printable(value: Any) -> Any:
    return ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
