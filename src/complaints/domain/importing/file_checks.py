"""What is systematically wrong with an import, which no single row tells."""

from dataclasses import dataclass, field

from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.importing.date_swaps import DateCensus, SwapFinding, swapped
from complaints.domain.importing.dates import DateReader
from complaints.domain.importing.files import ABSENT, Record, Source
from complaints.domain.importing.mapping import Field, RowMapper
from complaints.domain.importing.options import (
    Dates,
    ImportOptions,
    RepeatedIds,
    option_pointer,
    refuse,
    shorten,
)

MAX_ROWS = 1_000_000
_FEW = 3
_MANY = 10


class FileChecks:
    """What only the file as a whole tells, counted in one pass over it. `rows` is their number so far."""

    def __init__(self, source: Source, mapper: RowMapper, options: ImportOptions, dates: DateReader) -> None:
        self.rows = 0
        self._source = source
        self._dates = dates
        self._date_field = mapper.fields.get("received_at") if options.dates is Dates.ASK else None
        self._id_field = mapper.fields.get("external_id") if options.repeated_ids is RepeatedIds.ASK else None
        self._unseen = [
            (name, column, source.reader(column))
            for name, mapped in mapper.fields.items()
            for column in mapped.columns
        ]
        self._exchanged = dates.exchanged() if dates.numeric else None
        self._days = DateCensus()
        self._only_exchanged = _Examples()
        self._repeated = _Examples()
        self._ids: dict[str, int] = {}

    def count(self, record: Record) -> None:
        """Take in one row."""
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise InvalidContent.at("", f"the file has more than {MAX_ROWS:,} rows: import it in parts")
        if record.fault is not None:
            return
        if self._unseen:
            self._unseen = [entry for entry in self._unseen if entry[2](record.values) is ABSENT]
        if text := _text_of(self._date_field, record):
            self._count_date(text, record)
        if text := _text_of(self._id_field, record):
            self._count_id(text, record)

    def check(self) -> None:
        """Raise InvalidContent for what is systematically wrong."""
        if self.rows == 0:
            raise InvalidContent.at("", "the file has a header, but no rows")
        if self._unseen and self._source.objects:
            refuse(
                [
                    Fault(option_pointer(f"map.{name}"), f"map.{name}: no row has '{shorten(column)}'")
                    for name, column, _ in self._unseen
                ]
            )
        self._check_format()
        if finding := self._days.find_swap(numeric=self._dates.numeric):
            raise InvalidContent.at("/dates", _tell_swap(finding))
        self._check_ids()

    def _count_date(self, text: str, record: Record) -> None:
        try:
            self._days.add(self._dates.read(text), row=record.number, text=text)
        except ValueError:
            if self._exchanged and _reads(self._exchanged, text):
                self._only_exchanged.add(record, text)

    def _count_id(self, external_id: str, record: Record) -> None:
        content = hash(self._source.content(record.values))
        if self._ids.setdefault(external_id, content) != content:
            self._repeated.add(record, external_id)

    def _check_format(self) -> None:
        wrong, right = self._only_exchanged, self._days.dated
        if self._exchanged is None or wrong.rows < _FEW or wrong.rows * 4 < right:
            return
        message = (
            f"date_format: {wrong.rows:,} of {wrong.rows + right:,} dates do not read as "
            f"{self._dates.date_format}, but do as {self._exchanged.date_format}: {wrong}. Give the other "
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
    """A number of rows, and the first two."""

    rows: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, record: Record, text: str) -> None:
        self.rows += 1
        if len(self.first) < 2:
            self.first.append(f"row {record.number} '{shorten(text)}'")

    def __str__(self) -> str:
        return "e.g. " + ", ".join(self.first)


def _text_of(source_field: Field | None, record: Record) -> str:
    """The row's text for a member; none where it is not text, which is then the row's own fault."""
    try:
        return source_field.text(record.values) if source_field else ""
    except ValueError:
        return ""


def _reads(dates: DateReader, text: str) -> bool:
    try:
        dates.read(text)
    except ValueError:
        return False
    return True


def _tell_swap(finding: SwapFinding) -> str:
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
        f"row {tally.row} '{shorten(tally.text)}' is {day} as written, {swapped(day)} exchanged"
        for day, tally in finding.examples
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
