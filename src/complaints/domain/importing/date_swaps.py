"""Finds files of which the dates have day and month swapped.

A spreadsheet may read `05-06-15` as month, day, year. A file from it often has day and month swapped in every
date with a day up to 12, and in no other date. Each such date is valid, so only all dates together show it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from complaints.domain.importing.dates import swap_day_and_month

_OFTEN = 10
_DIFFERENT = 3
_SCATTERED = 5
_NEAR_DAYS = 14
_SHORT_DAYS = 43
_EARLY = 12 / 30.4
_CHANCE = 1e-4


@dataclass(slots=True)
class DateCount:
    """The number of rows with a date. `row` and `text` are of the first such row."""

    row: int
    text: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class SwapFinding:
    """The evidence that day and month are swapped. All counts are numbers of rows.

    `dated` is the number of rows with a date. `ambiguous`: the day is at most 12, so day and month can be
    swapped. `same`: ambiguous, but swapping changes nothing. `astray`: ambiguous, and far from all certain
    dates. `still_astray`: ambiguous, and far from all certain dates after swapping. `first` and `last` are the
    earliest and the latest certain date, None without certain dates. `examples` are dates as written.
    """

    dated: int
    ambiguous: int
    same: int
    astray: int
    still_astray: int
    first: date | None
    last: date | None
    examples: tuple[tuple[date, DateCount], ...]


@dataclass(slots=True)
class DateCounts:
    """The dates of a file as written, with their numbers of rows. `dated` is the number of all rows."""

    days: dict[date, DateCount] = field(default_factory=dict)
    dated: int = 0

    def add(self, written: datetime, *, row: int, text: str) -> None:
        """Count the date of a row."""
        day = written.date()
        count = self.days.get(day)
        if count is None:
            count = self.days[day] = DateCount(row, text)
        count.rows += 1
        self.dated += 1

    def find_swap(self, *, numeric: bool) -> SwapFinding | None:
        """Find out whether day and month are swapped in the ambiguous dates. None if they are not.

        A date with a day above 12 is certain: it can be read in one way only. A date more than 14 days from
        all certain dates is astray: a run of days has a day above 12 at least that often. Dates count as
        swapped under three conditions. At least ten rows with three dates are astray. After swapping, 95 % of
        these rows lie near certain dates. Chance (p < 10⁻⁴) does not explain it. Without certain dates, only a
        `numeric` format is judged: dates in four months or more must become one short run.
        """
        known = self._days_near_certain_dates()
        if not known:
            return self._finding(self._ambiguous(), known) if numeric and self._looks_scattered() else None
        astray = [day for day in self._ambiguous() if day.toordinal() not in known]
        if self._rows(astray) < _OFTEN or len(astray) < _DIFFERENT:
            return None
        still_astray = [day for day in astray if swap_day_and_month(day).toordinal() not in known]
        if self._rows(still_astray) * 20 > self._rows(astray):
            return None
        chance = (_EARLY * _share_of_years(astray, known)) ** len(astray)
        return self._finding(astray, known) if chance < _CHANCE else None

    def _ambiguous(self) -> list[date]:
        return [day for day in self.days if day.day <= 12]

    def _days_near_certain_dates(self) -> set[int]:
        """The days, as ordinals, at most 14 days from a certain date."""
        return {
            near
            for day in self.days
            if day.day > 12
            for near in range(day.toordinal() - _NEAR_DAYS, day.toordinal() + _NEAR_DAYS + 1)
        }

    def _looks_scattered(self) -> bool:
        days = self._ambiguous()
        if self._rows(days) < _OFTEN or len(days) < _SCATTERED:
            return False
        swapped_days = [swap_day_and_month(day) for day in days]
        months = {(day.year, day.month) for day in days}
        return len(months) >= 4 and (max(swapped_days) - min(swapped_days)).days <= _SHORT_DAYS

    def _finding(self, astray: list[date], known: set[int]) -> SwapFinding:
        certain = [day for day in self.days if day.day > 12]
        ambiguous = self._ambiguous()
        by_row = sorted((day for day in astray if day.day != day.month), key=lambda day: self.days[day].row)
        return SwapFinding(
            dated=self.dated,
            ambiguous=self._rows(ambiguous),
            same=self._rows(day for day in ambiguous if day.day == day.month),
            astray=self._rows(astray),
            still_astray=self._rows(
                d for d in ambiguous if known and swap_day_and_month(d).toordinal() not in known
            ),
            first=min(certain, default=None),
            last=max(certain, default=None),
            examples=tuple((day, self.days[day]) for day in by_row[:2]),
        )

    def _rows(self, days: Iterable[date]) -> int:
        return sum(self.days[day].rows for day in days)


def _share_of_years(astray: list[date], known: set[int]) -> float:
    """The share of `known` days in the years of the astray dates.

    It is the chance that a swapped date lies among the known days.
    """
    ends = [
        (date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()) for year in {d.year for d in astray}
    ]
    days = [day for first, last in ends for day in range(first, last + 1)]
    return sum(day in known for day in days) / len(days)
