"""Reads a file of an import with its options. Each row becomes a create body, or a list of faults.

This module stores nothing and knows nothing of stored complaints. The digest of a row identifies it if it has
no external id. `use_cases.importing` is the caller.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.importing.dates import DateReader, MissingTimeZone, load_zone
from complaints.domain.importing.file_checks import FileChecker
from complaints.domain.importing.files import CSV, MAX_ROWS, NDJSON, DataFile, FileRow, open_data_file
from complaints.domain.importing.lines import START, Place
from complaints.domain.importing.mapping import RowMapper, plan_mapping
from complaints.domain.importing.options import (
    Dates,
    ImportOptions,
    RepeatedIds,
    Unmapped,
    parse_options,
    read_options,
    refuse,
    speak_as_command,
)

__all__ = [
    "CSV",
    "MAX_ROWS",
    "NDJSON",
    "START",
    "Dates",
    "FileFacts",
    "ImportFile",
    "ImportOptions",
    "ImportRow",
    "Place",
    "RepeatedIds",
    "Unmapped",
    "open_import",
    "parse_options",
    "read_options",
    "reopen_import",
    "speak_as_command",
]


class ImportRow(NamedTuple):
    """A row of an import: either a `body` for `POST /v1/complaints`, or `faults` with pointers into this body.

    `number` counts the rows from 1, without header and blank lines. `line` is the line of the file in which
    the row begins. `digest` is the SHA-256 of the row's content in hex. Identical rows without an external id
    get different digests: the digest includes their running number. `end` is the place after the row.
    """

    number: int
    line: int
    body: dict[str, Any] | None
    faults: tuple[Fault, ...]
    digest: str
    end: Place


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The facts that the check of a whole file found. With them the file is read again without a check.

    `rows` is the number of rows. `repeats` holds the rows without external id that repeat an earlier row: the
    running number of each, from 2, by row number.
    """

    rows: int
    columns: tuple[str, ...]
    repeats: Mapping[int, int]


class ImportFile:
    """A file without faults of the whole; single rows can have faults. `len()` is the number of rows."""

    def __init__(self, data_file: DataFile, mapper: RowMapper, facts: FileFacts) -> None:
        self._data_file = data_file
        self._mapper = mapper
        self.facts = facts

    def __len__(self) -> int:
        return self.facts.rows

    def rows(self, start: Place = START) -> Iterator[ImportRow]:
        """The rows from a place on, in the order of the file, made one at a time. Each call reads them again."""
        for row in self._data_file.rows(start):
            faults: list[Fault] = []
            body: dict[str, Any] = {}
            if row.fault is None:
                body, faults = self._mapper.body(row.values)
            else:
                faults = [Fault("", f"the row cannot be read: {row.fault}")]
            digest = self._digest(row, is_known="external_id" in body)
            end = Place(row.number, row.end)
            yield ImportRow(row.number, row.line, None if faults else body, tuple(faults), digest, end)

    def skip(self, start: Place, count: int) -> Place:
        """The place `count` rows after `start`, or the end of the file. The rows are read but not mapped."""
        for row in islice(self._data_file.rows(start), count):
            start = Place(row.number, row.end)
        return start

    def _digest(self, row: FileRow, *, is_known: bool) -> str:
        digest = hashlib.sha256(self._data_file.content(row.values))
        if not is_known:
            digest.update(b"\n%d" % self.facts.repeats.get(row.number, 1))
        return digest.hexdigest()


def open_import(
    content: bytes, *, media_type: str, charset: str | None, options: ImportOptions
) -> ImportFile:
    """Open a file and check it as a whole. `media_type` is `CSV` or `NDJSON`.

    `charset` is the encoding that the sender declared, or None. Raises InvalidContent for a file that is
    empty, is no text, has an unknown encoding, no header or over 1,000,000 rows. Also, all at once, for options that
    cannot be read or do not fit the columns. Also for swapped days and months, dates that are numbers, and external
    ids that are not unique.
    """
    options, dates = _read_dates(options)
    try:
        data_file = open_data_file(content, media_type=media_type, charset=charset)
    except InvalidContent as refusal:
        refuse([*options.faults, *refusal.faults])
    mapper = plan_mapping(data_file, options, dates)
    checker = FileChecker(data_file, mapper, options, dates)
    repeats = _RepeatCounter(data_file, mapper)
    for row in data_file.rows():
        checker.add(row)
        repeats.add(row)
    checker.check()
    return ImportFile(data_file, mapper, FileFacts(checker.rows, data_file.columns, repeats.found))


def reopen_import(
    content: bytes, *, media_type: str, charset: str | None, options: ImportOptions, facts: FileFacts
) -> ImportFile:
    """Open a file that `open_import` checked before. It reads no row until rows are asked for."""
    data_file = open_data_file(content, media_type=media_type, charset=charset, columns=facts.columns)
    return ImportFile(data_file, plan_mapping(data_file, options, _open_dates(options)), facts)


class _RepeatCounter:
    """Finds rows without external id that have the content of an earlier row."""

    def __init__(self, data_file: DataFile, mapper: RowMapper) -> None:
        self.found: dict[int, int] = {}
        self._data_file = data_file
        self._mapper = mapper
        self._counts: dict[int, int] = {}

    def add(self, row: FileRow) -> None:
        """Count a row. A row that cannot be read does not count."""
        if row.fault is not None or self._mapper.external_id(row.values):
            return
        content = hash(self._data_file.content(row.values))
        count = self._counts[content] = self._counts.get(content, 0) + 1
        if count > 1:
            self.found[row.number] = count


def _read_dates(options: ImportOptions) -> tuple[ImportOptions, DateReader]:
    """The reader of dates. If there is none, the options have its fault too."""
    try:
        return options, _open_dates(options)
    except InvalidContent as refusal:
        return replace(options, faults=(*options.faults, *refusal.faults)), DateReader(None, None)


def _open_dates(options: ImportOptions) -> DateReader:
    zone = None
    try:
        if options.timezone is not None:
            zone = load_zone(options.timezone)
    except ValueError as exc:
        raise InvalidContent.in_query("timezone", f"timezone: {exc}") from exc
    try:
        return DateReader(options.date_format, zone)
    except MissingTimeZone as exc:
        raise InvalidContent.in_query("timezone", f"timezone: {exc}") from exc
    except ValueError as exc:
        raise InvalidContent.in_query("date_format", f"date_format: {exc}") from exc
