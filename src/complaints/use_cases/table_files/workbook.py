"""XLSX workbooks, written row by row in constant memory. No cell is a formula or a link.

The library writes each row to a temporary file, and packs the files when the workbook is closed.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from complaints.domain.errors import Unavailable
from complaints.use_cases.table_files.cells import GUARD, text_of

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_575
"""The rows of a sheet below its header."""
_LONGEST_TEXT = 32_767  # in UTF-16 units
_CUT = "…"
_LARGEST_EXACT = 2**53
_FIRST_DATE = datetime(1900, 1, 3, tzinfo=UTC)  # Excel knows no dates before 1900, in any zone
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_WIDTH, _LEAST_WIDTH, _MOST_WIDTH = 1.2, 19, 40  # a date needs 19
_NOT_IN_XML = dict.fromkeys((0xFFFE, 0xFFFF))
_RICH_START, _RICH_END = "<r>", "</r>"


class Workbook:
    """A workbook that `close` makes at `path`. Instants become dates of Excel in `zone`.

    Numbers and booleans keep their types.
    Raises Unavailable if the file cannot be written, as on a full disk.
    """

    def __init__(self, path: Path, *, zone: tzinfo = UTC) -> None:
        import xlsxwriter  # takes 0.1 s and 10 MB, and many processes never write a workbook

        options = {**_OPTIONS, "tmpdir": str(path.parent)}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._book.use_zip64()
        self.path = path
        self._zone = zone
        self._bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._date = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._sheet: Any = None
        self._row = 0

    def add_sheet(self, name: str, header: Sequence[str]) -> None:
        """Begin a sheet with a header that stays in view. Rows go to the sheet that was added last."""
        with _writing():
            self._sheet, self._row = self._book.add_worksheet(name), 1
            self._sheet.freeze_panes(1, 0)
            for number, title in enumerate(header):
                self._sheet.set_column(number, number, _width_of(title))
                self._sheet.write_string(0, number, title, self._bold)

    def write_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows below the others. A cell without a value stays empty."""
        with _writing():
            for row in rows:
                for number, value in enumerate(row):
                    if value is not None:
                        self._write(number, value)
                self._row += 1

    def _write(self, number: int, value: Any) -> None:
        sheet, row = self._sheet, self._row
        if isinstance(value, bool):
            sheet.write_boolean(row, number, value)
        elif isinstance(value, datetime) and value >= _FIRST_DATE:
            local = value.astimezone(self._zone).replace(tzinfo=None)
            sheet.write_datetime(row, number, local, self._date)
        elif isinstance(value, int | float | Decimal) and _is_exact(float(value)):
            sheet.write_number(row, number, float(value))
        elif text := text_of(value, self._zone):
            sheet.write_string(row, number, _fit(text))

    def close(self) -> None:
        """Pack the workbook."""
        with _writing():
            self._book.close()

    def discard(self) -> None:
        """Close what is still open. Without `close` before it, no workbook is made."""
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()
        self._book.fileclosed = True


@contextmanager
def temporary_workbook(*, zone: tzinfo = UTC) -> Iterator[Workbook]:
    """A workbook in a directory of its own, which is deleted at the end of the block. Raises Unavailable."""
    with ExitStack() as stack:
        with _writing():
            directory = stack.enter_context(TemporaryDirectory(prefix="complaints-"))
            book = Workbook(Path(directory) / "workbook.xlsx", zone=zone)
        stack.callback(book.discard)
        yield book


def _width_of(title: str) -> float:
    """The width of a column in characters."""
    longest = max(map(len, title.split("\n")))
    return min(max(longest * _WIDTH, _LEAST_WIDTH), _MOST_WIDTH)


def _is_exact(number: float) -> bool:
    """True if a cell keeps all digits of a whole number of this size."""
    return abs(number) <= _LARGEST_EXACT


@contextmanager
def _writing() -> Iterator[None]:
    """Raise Unavailable if the disk refuses."""
    from xlsxwriter.exceptions import XlsxFileError

    try:
        yield
    except (OSError, XlsxFileError) as error:
        raise Unavailable(
            "The workbook cannot be written just now: ask for CSV, or try again later."
        ) from error


def _fit(text: str) -> str:
    """The text as a cell can hold it: not too long, and without what XML does not allow."""
    text = text.translate(_NOT_IN_XML)
    if text.startswith(_RICH_START) and text.endswith(_RICH_END):
        text = GUARD + text  # the library would put it into the file as XML, unescaped
    if len(text) * 2 <= _LONGEST_TEXT:
        return text
    units = text.encode("utf-16-le")
    if len(units) // 2 <= _LONGEST_TEXT:
        return text
    return units[: (_LONGEST_TEXT - 1) * 2].decode("utf-16-le", errors="ignore") + _CUT
