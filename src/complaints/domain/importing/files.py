"""Reads the rows of an imported file: CSV (RFC 4180) as spreadsheets write it, or NDJSON."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from operator import itemgetter, methodcaller
from typing import Any, Final, NamedTuple, NoReturn, Protocol

from complaints.domain.importing.columns import ColumnNames, NameFinder
from complaints.domain.importing.encoding import find_encoding, refuse_file
from complaints.domain.importing.lines import START, Lines, Place
from complaints.domain.importing.options import shorten
from complaints.domain.importing.separators import find_separator
from complaints.domain.json_reading import (
    MAX_DEPTH,
    DoubledMember,
    NumberTooLarge,
    UnknownConstant,
    find_unstorable,
    parse_float,
    strict_decoder,
)

CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
MAX_ROWS = 1_000_000
MAX_COLUMNS = 1000
MAX_LINE = 1024 * 1024
_LONG_ROW = 1000
_MARK = "\ufeff"
csv.field_size_limit(2**31 - 1)  # for the whole process; the size of a file limits its cells
_TOO_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_LONG_NUMBER = re.compile("[0-9]{300}")
ABSENT: Final = object()


class FileRow(NamedTuple):
    """A row of a file. `number` counts rows and `line` counts lines, both from 1.

    A row with a `fault` has no usable `values`. `end` is the offset in bytes after the row.
    """

    number: int
    line: int
    values: Any
    fault: str | None
    end: int


class DataFile(Protocol):
    """A file with rows and columns. In NDJSON a column is a member of the objects.

    `objects` is true if values can be lists and objects. `unnamed` are the columns without a name in the file.
    """

    columns: tuple[str, ...]
    unnamed: frozenset[str]
    objects: bool

    def rows(self, start: Place = START) -> Iterator[FileRow]:
        """The rows from a place on. Raises InvalidContent if the rest of the file cannot be read, or is too long."""

    def find(self, column: str) -> str | None:
        """The exact name of a column that can be read, or None. White space and width may differ."""

    def reader(self, column: str) -> Callable[[Any], Any]:
        """The function that reads `column` from the values of a row. It returns ABSENT without a value."""

    def attribute_reader(self, columns: list[str]) -> Callable[[Any], dict[str, Any]]:
        """The function that reads `columns` from the values of a row, without empty values."""

    def content(self, values: Any) -> bytes:
        """The content of a row. Rows with the same meaning have equal content."""


def open_data_file(
    content: bytes, *, media_type: str, charset: str | None, columns: tuple[str, ...] | None = None
) -> DataFile:
    """Open a file. Raises InvalidContent if it is neither CSV nor NDJSON, or has no usable header or object.

    `columns` are the columns that an earlier check found. Without them NDJSON is read once to find them.
    """
    if media_type not in (CSV, NDJSON):
        refuse_file(f"'{media_type}' cannot be imported: send {CSV} or {NDJSON}")
    encoding = find_encoding(content, charset)
    if media_type == CSV:
        return CsvFile(content, encoding)
    return NdjsonFile(content, encoding, columns)


class CsvFile:
    """A file of rows under a header, with commas, semicolons, tabs or bars between the cells.

    Blank lines, rows without any value, and the header where it comes again, do not count as rows.
    """

    objects = False

    def __init__(self, content: bytes, encoding: str) -> None:
        self._content = content
        self._encoding = encoding
        self._separator = find_separator(_without_marks(self._lines()))
        header = next(self._raw_rows(), None)
        if header is None:
            refuse_file("the file is empty: its first line must name the columns")
        if header.fault:
            refuse_file(f"line {header.line}: {header.fault}")
        self._header = _trim(header.values)
        if len(self._header) > MAX_COLUMNS:
            refuse_file(f"the file has more than {MAX_COLUMNS} columns")
        self._given_names = [*filter(None, self._header)]
        names = ColumnNames(self._header)
        self.columns = tuple(names.places)
        self.unnamed = frozenset(names.unnamed)
        self._index = names.places
        self._finder = NameFinder(self.columns)
        by_name = sorted(names.named)
        self._in_order: Callable[[list[str]], tuple[str, ...]] = _getter([names.places[n] for n in by_name])
        self._names = "\0".join(by_name) + "\n"
        self._unnamed_places = [item for item in names.places.items() if item[0] in self.unnamed]

    def rows(self, start: Place = START) -> Iterator[FileRow]:
        """The rows under the header. Cells that a row leaves out at its end are empty.

        A row with more cells than the header has a fault, unless the others are empty.
        """
        width = len(self._header)
        rows = self._raw_rows(start)
        if start == START:
            next(rows)
        for row in rows:
            if row.number > MAX_ROWS:
                _refuse_rows()
            cells = row.values
            if row.fault or len(cells) == width:
                yield row
            elif any(map(str.strip, cells[width:])):
                yield row._replace(fault=f"it has {len(cells)} cells, the header has {width}")
            else:
                yield row._replace(values=cells[:width] + [""] * (width - len(cells)))

    def _raw_rows(self, start: Place = START) -> Iterator[FileRow]:
        """The rows from a place on. At the start of the file the header comes first, with number 0."""
        lines = self._lines(start)
        texts = _without_marks(lines)
        if start == START and self._separator.declared:
            next(texts)
        reader = csv.reader(texts, delimiter=self._separator.char, strict=True)
        number = 0 if start == START else start.row + 1
        while True:
            line, lines_before = lines.next_number, reader.line_num
            fault = None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as exc:
                _check_quotes(exc, line, lines=reader.line_num - lines_before)
                cells, fault = [], f"it is not valid CSV: {exc}"
            is_row = any(map(str.strip, cells)) and not (number and self._is_header(cells))
            if fault or is_row:
                yield FileRow(number, line, cells, fault, lines.end)
                number += 1

    def _is_header(self, cells: list[str]) -> bool:
        """True if the cells with a value are the header again."""
        return self._header[0] in cells[0] and [*filter(None, _trim(cells))] == self._given_names

    def _lines(self, start: Place = START) -> Lines:
        return Lines(self._content, self._encoding, start=start.byte, universal=True)

    def find(self, column: str) -> str | None:
        """The exact name of the column, or None."""
        return self._finder.find(column)

    def reader(self, column: str) -> Callable[[Any], Any]:
        """The function that reads the cell of `column`."""
        index = self._index[column]
        return itemgetter(index)

    def attribute_reader(self, columns: list[str]) -> Callable[[Any], dict[str, Any]]:
        """The function that reads the cells of `columns`, trimmed, without empty cells."""
        places = [(column, self._index[column]) for column in columns]
        return lambda cells: {column: text for column, index in places if (text := cells[index].strip())}

    def content(self, values: Any) -> bytes:
        """The cells in the order of the column names, so the order in the file makes no difference.

        Empty columns without a name make none either.
        """
        if len(values) != len(self._header):
            return (self._names + "\0".join(map(str.strip, values))).encode()
        text = self._names + "\0".join(map(str.strip, self._in_order(values)))
        for name, index in self._unnamed_places:
            if cell := values[index].strip():
                text += f"\0{name}\n{cell}"
        return text.encode()


def _without_marks(lines: Lines) -> Iterator[str]:
    """The lines, without byte order marks in front: files that were joined have several."""
    return map(methodcaller("lstrip", _MARK), lines)


def _getter(indexes: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """The function that reads the cells at `indexes`."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    (index,) = indexes
    return lambda cells: (cells[index],)


def _trim(cells: list[str]) -> list[str]:
    """The trimmed cells. Of the empty ones at the end, only as many stay as there can be columns."""
    trimmed = [cell.replace(_MARK, "").strip() for cell in cells]
    filled = max((number for number, cell in enumerate(trimmed, 1) if cell), default=0)
    return trimmed[: max(filled, min(len(trimmed), MAX_COLUMNS))]


class NdjsonFile:
    """A file with a JSON object in each line. Blank lines do not count as rows."""

    objects = True

    def __init__(self, content: bytes, encoding: str, columns: tuple[str, ...] | None = None) -> None:
        self._content = content
        self._encoding = encoding
        self.columns = tuple(self._collect_columns()) if columns is None else columns
        self.unnamed: frozenset[str] = frozenset()
        self._known = frozenset(self.columns)
        self._finder = NameFinder(self.columns)

    def _collect_columns(self) -> dict[str, None]:
        columns: dict[str, None] = {}
        first: FileRow | None = None
        readable = False
        for row in self.rows():
            first = first or row
            if row.fault is None:
                readable = True
                columns.update(dict.fromkeys(row.values))
            if len(columns) > MAX_COLUMNS:
                refuse_file(f"the objects have more than {MAX_COLUMNS} different members")
        if first is None:
            refuse_file("the file is empty: it needs one JSON object a line")
        if not readable:
            refuse_file(f"no line can be read as a JSON object; line {first.line}: {first.fault}")
        return columns

    def rows(self, start: Place = START) -> Iterator[FileRow]:
        """A row for each line. A line that is no JSON object has a fault."""
        lines = Lines(self._content, self._encoding, start=start.byte, universal=False)
        number, line = start.row, lines.next_number
        for text in lines:
            if text := text.strip(" \t\r\n\ufeff"):
                number += 1
                if number > MAX_ROWS:
                    _refuse_rows()
                values, fault = _parse(text)
                yield FileRow(number, line, values, fault, lines.end)
            line = lines.next_number

    def find(self, column: str) -> str | None:
        """The exact name of the member, or the path itself if some object has its first member. Or None."""
        is_path = column.split(".")[0] in self._known
        return column if is_path and column not in self._known else self._finder.find(column)

    def reader(self, column: str) -> Callable[[Any], Any]:
        """The function that reads the member, or follows the path through inner values."""
        if column in self._known:
            return lambda values: values.get(column, ABSENT)
        path = column.split(".")
        return lambda values: _walk(values, path)

    def attribute_reader(self, columns: list[str]) -> Callable[[Any], dict[str, Any]]:
        """The function that reads the members `columns`, without null and without empty text."""
        wanted = frozenset(columns)
        return lambda values: {
            name: kept
            for name, value in values.items()
            if name in wanted
            and (kept := value.strip() if isinstance(value, str) else value) not in ("", None)
        }

    def content(self, values: Any) -> bytes:
        """The object with sorted members, so order and spaces in the file make no difference."""
        text = values if isinstance(values, str) else _CANONICAL.encode(values)
        return text.encode(errors="surrogatepass")


def _parse(text: str) -> tuple[Any, str | None]:
    """The object in a line, and its fault. With a fault it is the text, so that its digest differs from others."""
    try:
        if len(text) > MAX_LINE:
            raise ValueError("it is longer than 1 MiB")
        values = _DECODER.decode(text)
        if not isinstance(values, dict):
            raise ValueError("it is JSON, but no object")
        if text.count("[") + text.count("{") > MAX_DEPTH:
            _check_depth(values, left=MAX_DEPTH)
        if ("\\u" in text and _ESCAPED.search(text)) or _has_long_number(text):
            _check_values(values)
    except json.JSONDecodeError as exc:
        return text, f"it is not valid JSON: {exc.msg} at character {exc.pos + 1}"
    except RecursionError:
        return text, _TOO_DEEP
    except ValueError as exc:
        return text, _fault(exc)
    return values, None


def _fault(error: ValueError) -> str:
    if isinstance(error, DoubledMember):
        return f"the member {shorten(error.args[0])!a} is there twice"
    if isinstance(error, NumberTooLarge):
        return "a number is too large"
    if isinstance(error, UnknownConstant):
        return f"{error.args[0]} is no JSON"
    return str(error)


def _has_long_number(text: str) -> bool:
    # A run of 300 digits covers at least one of the places 300, 600, and so on. Looking there first is fast.
    return any(map(str.isdigit, text[299::300])) and _LONG_NUMBER.search(text) is not None


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True)
_DECODER = strict_decoder()  # `_check_values` checks whole numbers: few lines have long ones


def _check_depth(value: Any, *, left: int) -> None:
    if isinstance(value, dict | list):
        if left == 0:
            raise ValueError(_TOO_DEEP)
        for inner in value.values() if isinstance(value, dict) else value:
            _check_depth(inner, left=left - 1)


def _check_values(value: Any) -> None:
    """Refuse JSON values that the database cannot store: NUL, half of a surrogate pair, huge integers."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_values(name)
            _check_values(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_values(inner)
    elif isinstance(value, int) and not isinstance(value, bool):
        parse_float(str(value))
    elif isinstance(value, str) and find_unstorable(value):
        raise ValueError("a text has a NUL or half of a surrogate pair in it")


def _walk(value: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part[:9]) < len(value):
            value = value[int(part)]
        else:
            return ABSENT
    return value


def _check_quotes(exc: csv.Error, line: int, *, lines: int) -> None:
    """Refuse the file if a quotation mark seems to be left open, because it hides the rows after it."""
    if "unexpected end of data" in str(exc) or lines > _LONG_ROW:
        refuse_file(
            f"a value in the row that begins in line {line} never ends: is a quotation mark left open?"
        )


def _refuse_rows() -> NoReturn:
    refuse_file(f"the file has more than {MAX_ROWS:,} rows: import it in parts")
