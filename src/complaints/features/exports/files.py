"""The files of an export: NDJSON and CSV in pieces, and XLSX as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Any

from complaints.domain.json_text import encode
from complaints.features.exports.columns import ExportContent, HeaderLanguage, titles_of, values_of
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.table_files.cells import text_of
from complaints.use_cases.table_files.csv_text import BOM, CSV_TYPE, write_lines
from complaints.use_cases.table_files.workbook import XLSX_TYPE, Workbook

NDJSON_TYPE = "application/x-ndjson"


class ExportFormat(StrEnum):
    """The formats of an export."""

    NDJSON = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {ExportFormat.NDJSON: NDJSON_TYPE, ExportFormat.CSV: CSV_TYPE, ExportFormat.XLSX: XLSX_TYPE}


@dataclass(frozen=True, slots=True)
class ExportForm:
    """How an export is written. Instants of a table are in `zone`. `has_bom`: CSV begins with a byte order mark."""

    format: ExportFormat
    content: ExportContent
    language: HeaderLanguage = HeaderLanguage.EN
    zone: tzinfo = UTC
    has_bom: bool = False

    def with_kinds(self, names: Mapping[str, str]) -> "ExportForm":
        """The form whose tables have columns for these kinds of deadlines, with the Chinese names of own kinds."""
        return replace(self, content=replace(self.content, kinds=tuple(names), kind_names=names))

    def titles(self) -> list[str]:
        """The titles of the columns. The name of an own kind may begin as a formula does."""
        return [
            text_of(title)
            for title in titles_of(self.content.columns(), self.language, self.content.kind_names)
        ]

    def header(self) -> bytes:
        """The bytes before the first complaint."""
        if self.format is ExportFormat.NDJSON:
            return b""
        titles = write_lines([self.titles()])
        return ((BOM if self.has_bom else "") + titles).encode()

    def lines(self, complaints: Iterable[ComplaintParts]) -> bytes:
        """The lines of complaints."""
        items = map(self.content.item_of, complaints)
        if self.format is ExportFormat.NDJSON:
            return b"".join(encode(item) + b"\n" for item in items)
        columns, zone = self.content.columns(), self.zone
        return write_lines(
            [text_of(value, zone) for value in values_of(item, columns)] for item in items
        ).encode()


class ExportWorkbook:
    """The sheets of an export in a workbook: the complaints, and what a reader must know about the file."""

    def __init__(self, book: Workbook, form: ExportForm) -> None:
        self._book, self._form = book, form
        self._columns = form.content.columns()
        book.add_sheet("complaints 投诉", form.titles())
        self.rows = 0

    def add(self, complaints: Sequence[ComplaintParts]) -> None:
        """Write complaints below the others. Raises Unavailable for a full disk."""
        items = map(self._form.content.item_of, complaints)
        self._book.write_rows(values_of(item, self._columns) for item in items)
        self.rows += len(complaints)

    def finish(self, *, at: datetime, cursor: str) -> None:
        """Add the sheet about the file, and pack it. Raises Unavailable for a full disk."""
        facts: dict[str, Any] = {
            "begun_at 导出时间": at,
            "timezone 时区": str(self._form.zone),
            "rows 行数": self.rows,
            "feed_cursor 变更流位置": cursor,
        }
        self._book.add_sheet("about 说明", ["name 名称", "value 值"])
        self._book.write_rows(list(facts.items()))
        self._book.close()


def file_name(form: ExportForm, at: datetime) -> str:
    """The name under which the file is saved."""
    return f"complaints-{at:%Y%m%dT%H%M%SZ}.{form.format}"
