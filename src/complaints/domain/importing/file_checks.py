"""Finds systematic faults of an import, which no single row shows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.date_swaps import DateCounts, SwapFinding
from complaints.domain.importing.dates import DateReader, swap_day_and_month
from complaints.domain.importing.external_ids import looks_lost
from complaints.domain.importing.files import ABSENT, DataFile, FileRow
from complaints.domain.importing.mapping import ColumnMapping, RowMapper
from complaints.domain.importing.options import (
    Dates,
    ImportOptions,
    RepeatedIds,
    Unmapped,
    fault_of_option,
    quote_all,
    refuse,
    shorten,
)

_FEW = 3
_HASH_BITS = 64


class FileChecker:
    """Counts all rows of a file in one pass and then checks the whole. `rows` is the number of rows so far."""

    def __init__(
        self, data_file: DataFile, mapper: RowMapper, options: ImportOptions, dates: DateReader
    ) -> None:
        self.rows = 0
        self._data_file = data_file
        self._dates = dates
        self._date_mapping = mapper.mappings.get("received_at") if options.dates is Dates.ASK else None
        self._external_id = mapper.external_id if options.repeated_ids is RepeatedIds.ASK else _no_id
        self._unseen = [
            (name, column, data_file.reader(column))
            for name, mapping in mapper.mappings.items()
            for column in mapping.columns
        ]
        self._swapped_dates = dates.swap_format() if dates.numeric else None
        self._days = DateCounts()
        self._only_swapped = _Examples()
        self._counted_dates = _Examples()
        self._ids = _IdCheck(mapper, data_file, whole=options.unmapped is not Unmapped.IGNORE)
        self._unnamed = self._undecided_columns(mapper) if options.unmapped is Unmapped.REFUSE else {}
        self._filled: dict[str, int] = {}

    def add(self, row: FileRow) -> None:
        """Count a row."""
        self.rows += 1
        if row.fault is not None:
            return
        if self._unseen:
            self._unseen = [entry for entry in self._unseen if entry[2](row.values) is ABSENT]
        if text := _text_of(self._date_mapping, row):
            self._count_date(text, row)
        if external_id := self._external_id(row.values):
            self._ids.add(external_id, row)
        for name, read in self._unnamed.items():
            if name not in self._filled and read(row.values).strip():
                self._filled[name] = row.number

    def check(self) -> None:
        """Raise InvalidContent for a systematic fault."""
        if self.rows == 0:
            raise InvalidContent.at("", "the file has a header, but no rows")
        if self._unseen and self._data_file.objects:
            refuse(
                [
                    fault_of_option(f"map.{name}", f"map.{name}: no row has '{shorten(column)}'")
                    for name, column, _ in self._unseen
                ]
            )
        self._check_unnamed()
        self._check_counted_dates()
        self._check_format()
        if finding := self._days.find_swap(numeric=self._dates.numeric):
            raise InvalidContent.in_query("dates", _describe_swap(finding))
        if self._ids.repeated.rows:
            raise InvalidContent.in_query("repeated_ids", self._ids.describe(self.rows))

    def _count_date(self, text: str, row: FileRow) -> None:
        try:
            self._days.add(self._dates.read(text), row=row.number, text=text)
        except ValueError:
            if self._swapped_dates and _reads(self._swapped_dates, text):
                self._only_swapped.add(row, text)
            elif offer := self._dates.offer(text):
                self._counted_dates.add(row, text, offer)

    def _undecided_columns(self, mapper: RowMapper) -> dict[str, Callable[[Any], str]]:
        """The readers of the columns without a name that no option maps."""
        used = {column for mapping in mapper.mappings.values() for column in mapping.columns}
        return {name: self._data_file.reader(name) for name in sorted(self._data_file.unnamed - used)}

    def _check_unnamed(self) -> None:
        if self._filled:
            rows = ", ".join(f"row {row}" for row in sorted(set(self._filled.values()))[:_FEW])
            message = (
                f"unmapped: {quote_all([*self._filled])} has a value but no name ({rows}): map it by this number, "
                "or give unmapped=attributes to keep it or unmapped=ignore to leave it out"
            )
            raise InvalidContent.in_query("unmapped", message)

    def _check_counted_dates(self) -> None:
        """Ask about a column of serial numbers or epochs. Single ones are the faults of their rows."""
        counted, others = self._counted_dates, self._days.dated + self._only_swapped.rows
        if counted.rows <= others * 3:
            return
        message = (
            f"date_format: {counted.rows:,} dates are numbers, as spreadsheets and programs count days or seconds: "
            f"{counted}. Give such a format, or dates=as_written to let these rows fail"
        )
        raise InvalidContent.in_query("date_format", message)

    def _check_format(self) -> None:
        wrong, right = self._only_swapped, self._days.dated
        if self._swapped_dates is None or wrong.rows < _FEW or wrong.rows * 4 < right:
            return
        message = (
            f"date_format: {wrong.rows:,} of {wrong.rows + right:,} dates do not read as "
            f"{self._dates.date_format}, but do as {self._swapped_dates.date_format}: {wrong}. Give the other "
            "format, or dates=as_written to let these rows fail"
        )
        raise InvalidContent.in_query("date_format", message)


@dataclass(slots=True)
class _Examples:
    """A number of rows, with the first two rows as examples."""

    rows: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, row: FileRow, text: str, note: str = "") -> None:
        self.rows += 1
        if len(self.first) < 2:
            self.first.append(f"row {row.number} '{shorten(text)}'" + (f" ({note})" if note else ""))

    def __str__(self) -> str:
        return "e.g. " + ", ".join(self.first)


class _IdCheck:
    """Finds rows with the external id of an earlier row but other content, and repeated ids that are lost ones.

    Without `whole`, only the values of mapped columns are the content.
    """

    def __init__(self, mapper: RowMapper, data_file: DataFile, *, whole: bool) -> None:
        self.repeated = _Examples()
        self._lost: str | None = None
        self._first_rows: list[str] = []
        self._first: dict[str, int] = {}  # by id: the number of the first row, then the hash of its content
        self._readers = [mapping.raw for mapping in mapper.mappings.values()]
        self._content: Callable[[Any], object] = data_file.content if whole else self._mapped

    def _mapped(self, values: Any) -> str:
        return repr([read(values) for read in self._readers])

    def add(self, external_id: str, row: FileRow) -> None:
        """Count a row with an id."""
        content = hash(self._content(row.values)) % 2**_HASH_BITS
        first = self._first.setdefault(external_id, row.number << _HASH_BITS | content)
        number = first >> _HASH_BITS
        if number == row.number:
            return
        if is_lost := looks_lost(external_id):
            self._lost = self._lost or external_id
        if is_lost or first % 2**_HASH_BITS != content:
            self.repeated.add(row, external_id)
            if len(self._first_rows) < 2:
                self._first_rows.append(f"row {number}")

    def describe(self, rows: int) -> str:
        """The question about the repeated ids. `rows` is the number of all rows."""
        what = "that another row gave with other content"
        if self._lost:
            what = f"that is none, or that a spreadsheet rounded, such as '{shorten(self._lost)}'"
        return (
            f"external_id: {self.repeated.rows:,} of {rows:,} rows repeat an id {what}, and would be taken for "
            f"the same complaint: {self.repeated} (first in {' and '.join(self._first_rows)}). Map a column that "
            "tells complaints apart or none, or give repeated_ids=accept if they are the same"
        )


def _no_id(values: Any) -> str:
    return ""


def _text_of(mapping: ColumnMapping | None, row: FileRow) -> str:
    """The text of a row for a member. Empty if the value is not text; then the row itself is at fault."""
    try:
        return mapping.text(row.values) if mapping else ""
    except ValueError:
        return ""


def _reads(dates: DateReader, text: str) -> bool:
    try:
        dates.read(text)
    except ValueError:
        return False
    return True


def _describe_swap(finding: SwapFinding) -> str:
    both = (
        f"{finding.ambiguous:,} of {finding.dated:,} dates can be read both ways (their day is not above 12"
    )
    both += f"; {finding.same:,} of them mean the same either way)" if finding.same else ")"
    if finding.first:
        why = (
            f"{finding.astray:,} of these lie where the file has no other date, and exchanged they do not; "
            f"the dates that can be read one way only run from {finding.first} to {finding.last}"
        )
    else:
        why = "as written they lie scattered over the year, exchanged they are one short run"
    examples = "; ".join(
        f"row {count.row} '{shorten(count.text)}' is {day} as written, {swap_day_and_month(day)} exchanged"
        for day, count in finding.examples
    )
    partly = (
        f". Exchanging all would put {finding.still_astray:,} astray, so only a part of the file seems to be "
        "affected: better repair it where it comes from"
        if finding.still_astray
        else ""
    )
    return (
        f"received_at: day and month look exchanged. {both}: {why}. For example, {examples}{partly}. Decide: "
        f"dates=swap_ambiguous (--dates swap_ambiguous) exchanges day and month of all {finding.ambiguous:,},"
        " dates=as_written imports them as they stand"
    )
