"""Reads a file of an import with its options. Each row becomes a create body, or a list of faults.

This module stores nothing and knows nothing of stored complaints. The digest of a row identifies it if it has
no external id. `use_cases.imports` is the caller.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.importing.dates import DateReader, MissingTimeZone, load_zone
from complaints.domain.importing.file_checks import MAX_ROWS, FileChecker
from complaints.domain.importing.files import CSV, NDJSON, DataFile, FileRow, open_data_file
from complaints.domain.importing.mapping import RowMapper, plan_mapping
from complaints.domain.importing.options import (
    Dates,
    ImportOptions,
    RepeatedIds,
    Unmapped,
    parse_options,
    speak_as_command,
)

__all__ = [
    "CSV",
    "MAX_ROWS",
    "NDJSON",
    "Dates",
    "ImportFile",
    "ImportOptions",
    "ImportRow",
    "RepeatedIds",
    "Unmapped",
    "open_import",
    "parse_options",
    "speak_as_command",
]


class ImportRow(NamedTuple):
    """A row of an import: either a `body` for `POST /v1/complaints`, or `faults` with pointers into this body.

    `number` counts the rows from 1, without header and blank lines. `line` is the line of the file in which
    the row begins. `digest` is the SHA-256 of the row's content in hex. Identical rows without an external id
    get different digests: the digest includes their running number.
    """

    number: int
    line: int
    body: dict[str, Any] | None
    faults: tuple[Fault, ...]
    digest: str


class ImportFile:
    """A file without faults of the whole; single rows can have faults. `len()` is the number of rows."""

    def __init__(self, data_file: DataFile, mapper: RowMapper, *, rows: int) -> None:
        self._data_file = data_file
        self._mapper = mapper
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def rows(self) -> Iterator[ImportRow]:
        """The rows in the order of the file, made one at a time. Each call gives all rows again."""
        seen: dict[bytes, int] = {}
        for row in self._data_file.rows():
            faults: list[Fault] = []
            body: dict[str, Any] = {}
            if row.fault is None:
                body, faults = self._mapper.body(row.values)
            else:
                faults = [Fault("", f"the row cannot be read: {row.fault}")]
            known = "external_id" in body
            digest = self._digest(row, None if known else seen)
            yield ImportRow(row.number, row.line, None if faults else body, tuple(faults), digest)

    def _digest(self, row: FileRow, seen: dict[bytes, int] | None) -> str:
        digest = hashlib.sha256(self._data_file.content(row.values))
        if seen is not None:
            key = digest.digest()[:16]
            seen[key] = seen.get(key, 0) + 1
            digest.update(b"\n%d" % seen[key])
        return digest.hexdigest()


def open_import(
    content: bytes, *, media_type: str, charset: str | None, options: ImportOptions
) -> ImportFile:
    """Open a file and check it as a whole. `media_type` is `CSV` or `NDJSON`.

    `charset` is the encoding that the sender declared, or None. Raises InvalidContent for a file that is
    empty, is no text, has an unknown encoding, no header or over 1,000,000 rows. Also for options that do not fit
    the columns. Also for swapped days and months, dates that are numbers, and external ids that are not unique.
    """
    dates = _open_dates(options)
    data_file = open_data_file(content, media_type=media_type, charset=charset)
    mapper = plan_mapping(data_file, options, dates)
    checker = FileChecker(data_file, mapper, options, dates)
    for row in data_file.rows():
        checker.add(row)
    checker.check()
    return ImportFile(data_file, mapper, rows=checker.rows)


def _open_dates(options: ImportOptions) -> DateReader:
    zone = None
    try:
        if options.timezone is not None:
            zone = load_zone(options.timezone)
    except ValueError as exc:
        raise InvalidContent.at("/timezone", f"timezone: {exc}") from exc
    try:
        return DateReader(options.date_format, zone)
    except MissingTimeZone as exc:
        raise InvalidContent.at("/timezone", f"timezone: {exc}") from exc
    except ValueError as exc:
        raise InvalidContent.at("/date_format", f"date_format: {exc}") from exc
