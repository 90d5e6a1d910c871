"""Reading an import: a file and its options in, a create body or what is wrong out, row by row.

Nothing here stores anything or knows what is stored already. A row without an external id is known by its
digest.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.importing.dates import DateReader, NoZone, load_zone
from complaints.domain.importing.file_checks import MAX_ROWS, FileChecks
from complaints.domain.importing.files import CSV, NDJSON, Record, Source, open_source
from complaints.domain.importing.mapping import RowMapper, plan_mapping
from complaints.domain.importing.options import (
    Dates,
    ImportOptions,
    RepeatedIds,
    Unmapped,
    parse_options,
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
]


class ImportRow(NamedTuple):
    """One row: either `body`, as `POST /v1/complaints` takes it, or `faults` with pointers into that body.

    `number` counts the rows from 1, without header and blank lines; `line` is where the row begins in the
    file. `digest` is SHA-256 in hex over the row's content; of equal rows without an external id each has its
    own, as it also covers which of them it is.
    """

    number: int
    line: int
    body: dict[str, Any] | None
    faults: tuple[Fault, ...]
    digest: str


class ImportFile:
    """A file whose faults as a whole have been ruled out. `len()` is its number of rows."""

    def __init__(self, source: Source, mapper: RowMapper, *, rows: int) -> None:
        self._source = source
        self._mapper = mapper
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def rows(self) -> Iterator[ImportRow]:
        """The rows in the order of the file, made one by one; every call starts anew and gives the same."""
        seen: dict[bytes, int] = {}
        for record in self._source.records():
            faults: list[Fault] = []
            body: dict[str, Any] = {}
            if record.fault is None:
                body, faults = self._mapper.body(record.values)
            else:
                faults = [Fault("", f"the row cannot be read: {record.fault}")]
            known = "external_id" in body
            digest = self._digest(record, None if known else seen)
            yield ImportRow(record.number, record.line, None if faults else body, tuple(faults), digest)

    def _digest(self, record: Record, seen: dict[bytes, int] | None) -> str:
        digest = hashlib.sha256(self._source.content(record.values))
        if seen is not None:
            key = digest.digest()[:16]
            seen[key] = seen.get(key, 0) + 1
            digest.update(b"\n%d" % seen[key])
        return digest.hexdigest()


def open_import(
    content: bytes, *, media_type: str, charset: str | None, options: ImportOptions
) -> ImportFile:
    """The file, once its faults as a whole are ruled out; `media_type` is `CSV` or `NDJSON`.

    `charset` is what the sender declared, if anything. Raises InvalidContent: empty, not text, an unknown
    encoding, no header, a doubled column, over 1,000,000 rows, options that do not fit the columns, day and
    month exchanged, an external id that is none.
    """
    dates = _open_dates(options)
    source = open_source(content, media_type=media_type, charset=charset)
    mapper = plan_mapping(source, options, dates)
    census = FileChecks(source, mapper, options, dates)
    for record in source.records():
        census.count(record)
    census.check()
    return ImportFile(source, mapper, rows=census.rows)


def _open_dates(options: ImportOptions) -> DateReader:
    zone = None
    try:
        if options.timezone is not None:
            zone = load_zone(options.timezone)
    except ValueError as exc:
        raise InvalidContent.at("/timezone", f"timezone: {exc}") from exc
    try:
        return DateReader(options.date_format, zone)
    except NoZone as exc:
        raise InvalidContent.at("/timezone", f"timezone: {exc}") from exc
    except ValueError as exc:
        raise InvalidContent.at("/date_format", f"date_format: {exc}") from exc
