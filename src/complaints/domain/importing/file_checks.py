"""Finds systematic faults of an import, which no single row shows."""

from dataclasses import dataclass, field

from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.importing.date_swaps import DateCounts, SwapFinding
from complaints.domain.importing.dates import DateReader, swap_day_and_month
from complaints.domain.importing.files import ABSENT, DataFile, FileRow
from complaints.domain.importing.mapping import ColumnMapping, RowMapper
from complaints.domain.importing.options import (
    Dates,
    ImportOptions,
    RepeatedIds,
    option_pointer,
    refuse,
    shorten,
)

_FEW = 3
_MANY = 10


class FileChecker:
    """Counts all rows of a file in one pass and then checks the whole. `rows` is the number of rows so far."""

    def __init__(
        self, data_file: DataFile, mapper: RowMapper, options: ImportOptions, dates: DateReader
    ) -> None:
        self.rows = 0
        self._data_file = data_file
        self._dates = dates
        self._date_mapping = mapper.mappings.get("received_at") if options.dates is Dates.ASK else None
        self._id_mapping = (
            mapper.mappings.get("external_id") if options.repeated_ids is RepeatedIds.ASK else None
        )
        self._unseen = [
            (name, column, data_file.reader(column))
            for name, mapping in mapper.mappings.items()
            for column in mapping.columns
        ]
        self._swapped_dates = dates.swap_format() if dates.numeric else None
        self._days = DateCounts()
        self._only_swapped = _Examples()
        self._repeated = _Examples()
        self._ids: dict[str, int] = {}

    def add(self, row: FileRow) -> None:
        """Count a row."""
        self.rows += 1
        if row.fault is not None:
            return
        if self._unseen:
            self._unseen = [entry for entry in self._unseen if entry[2](row.values) is ABSENT]
        if text := _text_of(self._date_mapping, row):
            self._count_date(text, row)
        if text := _text_of(self._id_mapping, row):
            self._count_id(text, row)

    def check(self) -> None:
        """Raise InvalidContent for a systematic fault."""
        if self.rows == 0:
            raise InvalidContent.at("", "the file has a header, but no rows")
        if self._unseen and self._data_file.objects:
            refuse(
                [
                    Fault(option_pointer(f"map.{name}"), f"map.{name}: no row has '{shorten(column)}'")
                    for name, column, _ in self._unseen
                ]
            )
        self._check_format()
        if finding := self._days.find_swap(numeric=self._dates.numeric):
            raise InvalidContent.at("/dates", _describe_swap(finding))
        self._check_ids()

    def _count_date(self, text: str, row: FileRow) -> None:
        try:
            self._days.add(self._dates.read(text), row=row.number, text=text)
        except ValueError:
            if self._swapped_dates and _reads(self._swapped_dates, text):
                self._only_swapped.add(row, text)

    def _count_id(self, external_id: str, row: FileRow) -> None:
        content = hash(self._data_file.content(row.values))
        if self._ids.setdefault(external_id, content) != content:
            self._repeated.add(row, external_id)

    def _check_format(self) -> None:
        wrong, right = self._only_swapped, self._days.dated
        if self._swapped_dates is None or wrong.rows < _FEW or wrong.rows * 4 < right:
            return
        message = (
            f"date_format: {wrong.rows:,} of {wrong.rows + right:,} dates do not read as "
            f"{self._dates.date_format}, but do as {self._swapped_dates.date_format}: {wrong}. Give the other "
            "format, or dates=as_written to let these rows fail"
        )
        raise InvalidContent.at("/date_format", message)

    def _check_ids(self) -> None:
        repeated = self._repeated
        if repeated.rows < _MANY or repeated.rows * 10 < self.rows:
            return
        message = (
            f"external_id: {repeated.rows:,} of {self.rows:,} rows repeat an id that another row gave with "
            f"other content, and would be taken for the same complaint: {repeated}. Map a column that tells "
            "complaints apart or none, or give repeated_ids=accept if they are the same"
        )
        raise InvalidContent.at("/repeated_ids", message)


@dataclass(slots=True)
class _Examples:
    """A number of rows, with the first two rows as examples."""

    rows: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, row: FileRow, text: str) -> None:
        self.rows += 1
        if len(self.first) < 2:
            self.first.append(f"row {row.number} '{shorten(text)}'")

    def __str__(self) -> str:
        return "e.g. " + ", ".join(self.first)


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
