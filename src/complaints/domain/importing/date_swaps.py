"""Noticing that day and month of a file's dates were exchanged.

Spreadsheets read `05-06-15` their own way. A file that went through one often has day and month exchanged in
every date whose day is not above 12, and nowhere else. Each such date is valid by itself: only the file as a
whole tells.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

_OFTEN = 10
_DIFFERENT = 3
_SCATTERED = 5
_NEAR_DAYS = 14
_SHORT_DAYS = 43
_EARLY = 12 / 30.4
_CHANCE = 1e-4


@dataclass(slots=True)
class DayTally:
    """How often a date stands in the file, and where first."""

    row: int
    text: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class SwapFinding:
    """Why day and month look exchanged. Counts are rows; `examples` are dates as written.

    `ambiguous` can be read both ways, `same` of them with the same result; of the ambiguous, `astray` lie as
    written where the file has no other date, and `still_astray` would if exchanged. `first` and `last` are
    the ends of the dates that can be read one way only, None where there is none.
    """

    dated: int
    ambiguous: int
    same: int
    astray: int
    still_astray: int
    first: date | None
    last: date | None
    examples: tuple[tuple[date, DayTally], ...]


@dataclass(slots=True)
class DateCensus:
    """All dates of a file, as written, counted."""

    days: dict[date, DayTally] = field(default_factory=dict)
    dated: int = 0

    def add(self, written: datetime, *, row: int, text: str) -> None:
        """Count one row."""
        day = written.date()
        tally = self.days.get(day)
        if tally is None:
            tally = self.days[day] = DayTally(row, text)
        tally.rows += 1
        self.dated += 1

    def find_swap(self, *, numeric: bool) -> SwapFinding | None:
        """What shows that day and month are exchanged where the day is not above 12, if anything does.

        A day above 12 can be read one way only. Dates more than 14 days from all such days are astray (a run
        of days is never without one above 12 for so long). They are exchanged if they are many, nearly all of
        them come home when exchanged, and chance does not explain that each of them has a day of at most 12
        and comes to lie in the part of the year known for sure. Without any day above 12, only a `numeric`
        format is judged: several dates over four months or more that become one short run.
        """
        home = self._home()
        if not home:
            return self._finding(self._ambiguous(), home) if numeric and self._looks_scattered() else None
        astray = [day for day in self._ambiguous() if day.toordinal() not in home]
        if self._rows(astray) < _OFTEN or len(astray) < _DIFFERENT:
            return None
        still_astray = [day for day in astray if swapped(day).toordinal() not in home]
        if self._rows(still_astray) * 20 > self._rows(astray):
            return None
        chance = (_EARLY * _share_at_home(astray, home)) ** len(astray)
        return self._finding(astray, home) if chance < _CHANCE else None

    def _ambiguous(self) -> list[date]:
        return [day for day in self.days if day.day <= 12]

    def _home(self) -> set[int]:
        """The days, as ordinals, near one that can be read one way only."""
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
        exchanged = [swapped(day) for day in days]
        months = {(day.year, day.month) for day in days}
        return len(months) >= 4 and (max(exchanged) - min(exchanged)).days <= _SHORT_DAYS

    def _finding(self, astray: list[date], home: set[int]) -> SwapFinding:
        certain = [day for day in self.days if day.day > 12]
        ambiguous = self._ambiguous()
        by_row = sorted((day for day in astray if day.day != day.month), key=lambda day: self.days[day].row)
        return SwapFinding(
            dated=self.dated,
            ambiguous=self._rows(ambiguous),
            same=self._rows(day for day in ambiguous if day.day == day.month),
            astray=self._rows(astray),
            still_astray=self._rows(d for d in ambiguous if home and swapped(d).toordinal() not in home),
            first=min(certain, default=None),
            last=max(certain, default=None),
            examples=tuple((day, self.days[day]) for day in by_row[:2]),
        )

    def _rows(self, days: Iterable[date]) -> int:
        return sum(self.days[day].rows for day in days)


def swapped(day: date) -> date:
    """The date with day and month exchanged; its day is at most 12."""
    return day.replace(month=day.day, day=day.month)


def _share_at_home(astray: list[date], home: set[int]) -> float:
    """The part of the years in question that is home: the chance of one stray date to come home exchanged."""
    ends = [
        (date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()) for year in {d.year for d in astray}
    ]
    days = [day for first, last in ends for day in range(first, last + 1)]
    return sum(day in home for day in days) / len(days)
