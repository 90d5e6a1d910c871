"""Reads the rows of an imported file: CSV (RFC 4180) or NDJSON, in UTF-8 or GB18030."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Final, NamedTuple, NoReturn, Protocol

from complaints.domain.importing.encoding import find_encoding, refuse_file
from complaints.domain.importing.lines import START, Lines, Place
from complaints.domain.importing.options import quote_all, shorten
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

    `objects` is true if values can be lists and objects.
    """

    columns: tuple[str, ...]
    objects: bool

    def rows(self, start: Place = START) -> Iterator[FileRow]:
        """The rows from a place on. Raises InvalidContent if the rest of the file cannot be read, or is too long."""

    def has(self, column: str) -> bool:
        """True if `column` can be read, judged by the names of the columns."""

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
    """A file of comma-separated rows under a header. Blank lines do not count as rows."""

    objects = False

    def __init__(self, content: bytes, encoding: str) -> None:
        self._content = content
        self._encoding = encoding
        header = next(self._raw_rows(), None)
        if header is None:
            refuse_file("the file is empty: its first line must name the columns")
        if header.fault:
            refuse_file(f"line {header.line}: {header.fault}")
        self.columns = _check_header([cell.replace("\ufeff", "").strip() for cell in header.values])
        self._index = {column: index for index, column in enumerate(self.columns)}
        by_name = sorted(range(len(self.columns)), key=self.columns.__getitem__)
        self._in_order: Callable[[list[str]], Iterable[str]] = (
            itemgetter(*by_name) if len(by_name) > 1 else tuple
        )
        self._names = "\0".join(sorted(self.columns)) + "\n"

    def rows(self, start: Place = START) -> Iterator[FileRow]:
        """The rows under the header. A row with too many or too few cells has a fault."""
        width = len(self.columns)
        rows = self._raw_rows(start)
        if start == START:
            next(rows)
        for row in rows:
            if row.number > MAX_ROWS:
                _refuse_rows()
            if row.fault or len(row.values) == width:
                yield row
            else:
                yield row._replace(fault=f"it has {len(row.values)} cells, the header has {width}")

    def _raw_rows(self, start: Place = START) -> Iterator[FileRow]:
        """The rows from a place on. At the start of the file the header comes first, with number 0."""
        lines = Lines(self._content, self._encoding, start=start.byte, universal=True)
        reader = csv.reader(lines, strict=True)
        number = 0 if start == START else start.row + 1
        while True:
            line = lines.next_number
            fault = None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as exc:
                _check_quotes(exc, line)
                cells, fault = [], f"it is not valid CSV: {exc}"
            if cells or fault:
                yield FileRow(number, line, cells, fault, lines.end)
                number += 1

    def has(self, column: str) -> bool:
        """True if there is a column with this name."""
        return column in self._index

    def reader(self, column: str) -> Callable[[Any], Any]:
        """The function that reads the cell of `column`."""
        index = self._index[column]
        return itemgetter(index)

    def attribute_reader(self, columns: list[str]) -> Callable[[Any], dict[str, Any]]:
        """The function that reads the cells of `columns`, trimmed, without empty cells."""
        places = [(column, self._index[column]) for column in columns]
        return lambda cells: {column: text for column, index in places if (text := cells[index].strip())}

    def content(self, values: Any) -> bytes:
        """The cells in the order of the column names, so the order in the file makes no difference."""
        cells = self._in_order(values) if len(values) == len(self.columns) else values
        return (self._names + "\0".join(map(str.strip, cells))).encode()


class NdjsonFile:
    """A file with a JSON object in each line. Blank lines do not count as rows."""

    objects = True

    def __init__(self, content: bytes, encoding: str, columns: tuple[str, ...] | None = None) -> None:
        self._content = content
        self._encoding = encoding
        self.columns = tuple(self._collect_columns()) if columns is None else columns
        self._known = frozenset(self.columns)

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

    def has(self, column: str) -> bool:
        """True if some object has this member, or has the first member of this path."""
        return column in self._known or column.split(".")[0] in self._known

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


def _check_header(columns: list[str]) -> tuple[str, ...]:
    if not all(columns):
        refuse_file(f"column {columns.index('') + 1} has no name: the first line must name every column")
    if len(columns) > MAX_COLUMNS:
        refuse_file(f"the file has more than {MAX_COLUMNS} columns")
    if doubled := sorted({column for column in columns if columns.count(column) > 1}):
        refuse_file(f"doubled column {quote_all(doubled)}: give every column a name of its own")
    separator = next((char for char in ";\t|" if char in columns[0]), None)
    if len(columns) == 1 and separator:
        refuse_file(f"the columns seem to be separated by {separator!r}: save the file with commas")
    return tuple(columns)


def _check_quotes(exc: csv.Error, line: int) -> None:
    """Refuse the file if a quotation mark is left open, because it hides all rows after it."""
    if "unexpected end of data" in str(exc) or "field larger" in str(exc):
        refuse_file(
            f"a value in the row that begins in line {line} never ends: is a quotation mark left open?"
        )


def _refuse_rows() -> NoReturn:
    refuse_file(f"the file has more than {MAX_ROWS:,} rows: import it in parts")
