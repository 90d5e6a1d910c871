"""The files of an import as rows: CSV (RFC 4180) and NDJSON, in UTF-8 or GB18030."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol

from complaints.domain.importing.encoding import find_encoding, refuse_file
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
MAX_COLUMNS = 1000
MAX_LINE = 1024 * 1024
_TOO_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_LONG_NUMBER = re.compile("[0-9]{300}")
ABSENT: Final = object()


class Record(NamedTuple):
    """One row. `number` counts rows from 1, `line` the lines of the file; either `values` or a `fault`."""

    number: int
    line: int
    values: Any
    fault: str | None = None


class Source(Protocol):
    """A file as rows with columns; in NDJSON a column is a member of the objects."""

    columns: tuple[str, ...]
    objects: bool

    def records(self) -> Iterator[Record]:
        """The rows, from the start. Raises InvalidContent where the rest of the file cannot be read."""

    def has(self, column: str) -> bool:
        """Whether `column` can be read, as far as the file's columns tell."""

    def reader(self, column: str) -> Callable[[Any], Any]:
        """What takes the value of `column` out of a row's values; ABSENT where it is not there."""

    def keeper(self, columns: list[str]) -> Callable[[Any], dict[str, Any]]:
        """What takes the named columns out of a row's values, without the empty ones."""

    def content(self, values: Any) -> bytes:
        """The row's content, equal for rows that say the same."""


def open_source(content: bytes, *, media_type: str, charset: str | None) -> Source:
    """The file as rows. Raises InvalidContent where it cannot be one."""
    if media_type not in (CSV, NDJSON):
        refuse_file(f"'{media_type}' cannot be imported: send {CSV} or {NDJSON}")
    encoding = find_encoding(content, charset)
    if media_type == CSV:
        return CsvSource(content, encoding)
    return NdjsonSource(content, encoding)


class CsvSource:
    """Comma-separated rows under a header. Blank lines do not count."""

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

    def records(self) -> Iterator[Record]:
        """The rows under the header; one with too many or too few cells is at fault."""
        width = len(self.columns)
        rows = self._raw_rows()
        next(rows)
        for row in rows:
            if row.fault or len(row.values) == width:
                yield row
            else:
                message = f"it has {len(row.values)} cells, the header has {width}"
                yield Record(row.number, row.line, row.values, message)

    def _raw_rows(self) -> Iterator[Record]:
        """The rows with the header as number 0."""
        reader = csv.reader(_text(self._content, self._encoding, newline=""), strict=True)
        number = 0
        while True:
            line = reader.line_num + 1
            fault = None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as exc:
                _check_quotes(exc, line)
                cells, fault = [], f"it is not valid CSV: {exc}"
            if cells or fault:
                yield Record(number, line, cells, fault)
                number += 1

    def has(self, column: str) -> bool:
        """Whether there is a column of this name."""
        return column in self._index

    def reader(self, column: str) -> Callable[[Any], Any]:
        """What takes the cell of `column`."""
        index = self._index[column]
        return itemgetter(index)

    def keeper(self, columns: list[str]) -> Callable[[Any], dict[str, Any]]:
        """What takes the cells of `columns`, trimmed, without the empty ones."""
        places = [(column, self._index[column]) for column in columns]
        return lambda cells: {column: text for column, index in places if (text := cells[index].strip())}

    def content(self, values: Any) -> bytes:
        """The cells in the order of the column names, so that the order in the file does not matter."""
        cells = self._in_order(values) if len(values) == len(self.columns) else values
        return (self._names + "\0".join(map(str.strip, cells))).encode()


class NdjsonSource:
    """One JSON object a line. Blank lines do not count."""

    objects = True

    def __init__(self, content: bytes, encoding: str) -> None:
        self._content = content
        self._encoding = encoding
        self.columns = tuple(self._collect_columns())
        self._known = frozenset(self.columns)

    def _collect_columns(self) -> dict[str, None]:
        columns: dict[str, None] = {}
        first: Record | None = None
        readable = False
        for record in self.records():
            first = first or record
            if record.fault is None:
                readable = True
                columns.update(dict.fromkeys(record.values))
            if len(columns) > MAX_COLUMNS:
                refuse_file(f"the objects have more than {MAX_COLUMNS} different members")
        if first is None:
            refuse_file("the file is empty: it needs one JSON object a line")
        if not readable:
            refuse_file(f"no line can be read as a JSON object; line {first.line}: {first.fault}")
        return columns

    def records(self) -> Iterator[Record]:
        """One row a line; one that is no JSON object is at fault."""
        number = 0
        for line, text in enumerate(_text(self._content, self._encoding, newline="\n"), 1):
            text = text.strip(" \t\r\n\ufeff")
            if text:
                number += 1
                yield _parse(text, number=number, line=line)

    def has(self, column: str) -> bool:
        """Whether some object has such a member, or one the path begins with."""
        return column in self._known or column.split(".")[0] in self._known

    def reader(self, column: str) -> Callable[[Any], Any]:
        """What takes the member, or follows the path."""
        if column in self._known:
            return lambda values: values.get(column, ABSENT)
        path = column.split(".")
        return lambda values: _walk(values, path)

    def keeper(self, columns: list[str]) -> Callable[[Any], dict[str, Any]]:
        """What takes the members `columns`, without null and empty text."""
        wanted = frozenset(columns)
        return lambda values: {
            name: kept
            for name, value in values.items()
            if name in wanted
            and (kept := value.strip() if isinstance(value, str) else value) not in ("", None)
        }

    def content(self, values: Any) -> bytes:
        """The object with its members in order, so that neither order nor spacing matters."""
        text = values if isinstance(values, str) else _CANONICAL.encode(values)
        return text.encode(errors="surrogatepass")


def _parse(text: str, *, number: int, line: int) -> Record:
    """The object on a line; its text where it is none, so that the row can still be told from others."""
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
        return Record(number, line, text, f"it is not valid JSON: {exc.msg} at character {exc.pos + 1}")
    except RecursionError:
        return Record(number, line, text, _TOO_DEEP)
    except ValueError as exc:
        return Record(number, line, text, _fault(exc))
    return Record(number, line, values)


def _fault(error: ValueError) -> str:
    if isinstance(error, DoubledMember):
        return f"the member {shorten(error.args[0])!a} is there twice"
    if isinstance(error, NumberTooLarge):
        return "a number is too large"
    if isinstance(error, UnknownConstant):
        return f"{error.args[0]} is no JSON"
    return str(error)


def _has_long_number(text: str) -> bool:
    # A run of 300 digits covers one of every 300 characters: looking there first saves most searches.
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
    """Refuse what JSON can write and nothing else can keep: NUL, half of a surrogate pair, huge integers."""
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
    """A quotation mark left open swallows all rows after it, so it is the whole file's fault."""
    if "unexpected end of data" in str(exc) or "field larger" in str(exc):
        refuse_file(
            f"a value in the row that begins in line {line} never ends: is a quotation mark left open?"
        )


def _text(content: bytes, encoding: str, *, newline: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline=newline)
