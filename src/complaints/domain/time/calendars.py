"""Working calendars and the time in which they are open (rules 2.4 and 2.5).

A local time becomes an instant by one rule. In a DST gap it moves forward by the gap. In a DST fold it is the
first of the two instants. A local date that a zone skipped (Apia, 2011-12-30) has no open time. Instants are
whole microseconds since 1970-01-01T00:00Z, so no calculation loses precision.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Protocol

from complaints.domain.errors import InvalidContent
from complaints.domain.time.running_totals import RunningTotals
from complaints.domain.time.zones import (
    DAY,
    EPOCH_ORDINAL,
    FIRST_DAY,
    LAST_DAY,
    SECOND,
    WEEK,
    CalendarExhausted,
    TimeOutOfRange,
    from_microseconds,
    out_of_range,
    to_microseconds,
    zone_of,
)

Span = tuple[int, int]
"""Seconds of local wall time since midnight; 0 <= start < end <= 86400."""
Interval = tuple[datetime, datetime]
"""Start and end in UTC. The end is not part of the interval."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED_DAYS_LIMIT = 366
CALENDAR_YEARS = range(1900, 2200)
"""The years of special days, which are holidays and overrides."""
FOREVER = 1 << 62
"""Later than every instant, in microseconds."""

_LARGEST_OFFSET = 2 * DAY  # wider than any zone's distance from UTC
_CACHED_DAYS = 4_096
_NEAR_DAYS = 64
"""Running totals begin every so many days and reach twice as far, so they know at least so many days ahead."""
_CACHED_TOTALS = 64
_ONE_DAY = timedelta(days=1)


# Counted time -----------------------------------------------------------------------------------------------

Piece = tuple[int, int, bool, str]
"""Start, end (at most FOREVER), true if it counts, and the reason as in `working_time.Segment`."""


class CountedTime(Protocol):
    """The time that counts for a deadline. All instants and amounts are in microseconds."""

    def advance(self, start: int, amount: int, limit: int) -> tuple[int | None, int]:
        """The earliest instant at which `amount` has counted since `start`, and the amount that has counted.

        `amount` is more than 0. The instant is None if `limit` comes first. Raises CalendarExhausted if no time
        counts for 366 days and there is no limit.
        """

    def pieces(self, start: int) -> Iterator[Piece]:
        """All time from `start` on, without gaps. Raises CalendarExhausted after 366 days that do not count."""


class AllTime:
    """Every second counts."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def advance(self, start: int, amount: int, limit: int) -> tuple[int | None, int]:
        """See `CountedTime`."""
        if limit - start >= amount:
            return start + amount, amount
        return None, max(0, limit - start)

    def pieces(self, start: int) -> Iterator[Piece]:
        """See `CountedTime`."""
        yield start, FOREVER, True, self._reason


class OpenHours:
    """The open hours of a calendar count.

    Running totals answer what ends within some months. Beyond, days are looked at one by one, and whole weeks without
    a special day are skipped in one step.
    """

    def __init__(self, calendar: "WorkCalendar", hours: Mapping[int, tuple[Span, ...]]) -> None:
        self.zone = zone_of(calendar.timezone)
        self._hours = tuple(_in_microseconds(hours.get(weekday, ())) for weekday in range(7))
        self._holidays = {on.toordinal(): name for on, name in calendar.holidays.items()}
        self._overrides = {
            on.toordinal(): _in_microseconds(spans) for on, spans in calendar.overrides.items()
        }
        self._dated = sorted({*self._holidays, *self._overrides})
        self._weekly = sum(end - start for spans in self._hours for start, end in spans)
        self.most_spans = max(len(spans) for spans in (*self._hours, *self._overrides.values()))
        """The number of open intervals of the day that has most."""
        self._days: dict[int, tuple[Span, ...]] = {}
        self._special: dict[int, list[int]] = {}
        self._near: dict[int, RunningTotals | None] = {}

    def intervals(self, ordinal: int) -> tuple[Span, ...]:
        """The open intervals of a local date, ascending and without overlaps. Instants are in microseconds."""
        known = self._days.get(ordinal)
        if known is None:
            if len(self._days) >= _CACHED_DAYS:
                self._days.clear()
            known = self._days[ordinal] = self._find_intervals(ordinal)
        return known

    def _find_intervals(self, ordinal: int) -> tuple[Span, ...]:
        if not FIRST_DAY <= ordinal <= LAST_DAY:
            raise out_of_range()
        if ordinal not in self.zone.uneven(date.fromordinal(ordinal).year):
            midnight = self.zone.instant(ordinal)
            return tuple((midnight + start, midnight + end) for start, end in self._spans(ordinal))
        # A DST change can move a boundary across midnight, so the days before and after may have open time here.
        first, last = self.zone.instant(ordinal), self.zone.instant(ordinal + 1)
        around = sorted(span for day in (ordinal - 1, ordinal, ordinal + 1) for span in self._moved(day))
        clipped = ((max(start, first), min(end, last)) for start, end in around)
        return _united(span for span in clipped if span[0] < span[1])

    def _moved(self, ordinal: int) -> Iterator[Span]:
        instant = self.zone.instant
        if instant(ordinal) == instant(ordinal + 1):  # the zone skipped this date
            return
        for start, end in self._spans(ordinal):
            yield instant(ordinal, start), instant(ordinal, end)

    def _spans(self, ordinal: int) -> tuple[Span, ...]:
        if ordinal in self._overrides:
            return self._overrides[ordinal]
        if ordinal in self._holidays:
            return ()
        return self._hours[(ordinal - 1) % 7]

    def open_days(self, ordinal: int) -> Iterator[int]:
        """The ordinals of the dates with open time, from `ordinal` on. Raises CalendarExhausted."""
        closed = 0
        while closed <= CLOSED_DAYS_LIMIT:
            if self.intervals(ordinal):
                yield ordinal
                closed = 0
            else:
                closed += 1
            ordinal += 1
        raise _exhausted()

    def advance(self, start: int, amount: int, limit: int) -> tuple[int | None, int]:
        """See `CountedTime`."""
        return self._advance_near(start, amount, limit) or self._advance_far(start, amount, limit)

    def _advance_near(self, start: int, amount: int, limit: int) -> tuple[int | None, int] | None:
        """As `advance`, by the running totals around `start`. None if the answer lies after them."""
        if min(amount, limit - start) > _NEAR_DAYS * DAY or (near := self._totals_around(start)) is None:
            return None
        before = near.measure(start)
        at = near.find(before + amount)
        if at is not None and at <= limit:
            return at, amount
        return (None, max(0, near.measure(limit) - before)) if limit <= near.until else None

    def _totals_around(self, start: int) -> RunningTotals | None:
        """The running totals that know `start` and what comes next. None at the first and the last of all days."""
        number = ((start - _LARGEST_OFFSET) // DAY - 1 + EPOCH_ORDINAL) // _NEAR_DAYS
        if number not in self._near:
            if len(self._near) >= _CACHED_TOTALS:
                self._near.clear()
            self._near[number] = self._sum_up(number * _NEAR_DAYS)
        return self._near[number]

    def _sum_up(self, first: int) -> RunningTotals | None:
        after = first + 2 * _NEAR_DAYS
        if not FIRST_DAY < first < after < LAST_DAY:
            return None
        intervals = chain.from_iterable(map(self.intervals, range(first, after)))
        return RunningTotals(intervals, until=self.zone.instant(after))

    def _advance_far(self, start: int, amount: int, limit: int) -> tuple[int | None, int]:
        """As `advance`, day by day."""
        left, closed, day = amount, 0, self._day_before(start)
        while (day - EPOCH_ORDINAL) * DAY - _LARGEST_OFFSET < limit:
            if weeks := self._whole_weeks(day, start, limit, left):
                left -= weeks * self._weekly
                closed = 0 if self._weekly else closed + 7 * weeks
                day += 7 * weeks
            else:
                at, left = _take(self.intervals(day), start, limit, left)
                if at is not None:
                    return at, amount
                closed = 0 if self.intervals(day) else closed + 1
                day += 1
            if closed > CLOSED_DAYS_LIMIT and limit == FOREVER:
                raise _exhausted()
        return None, amount - left

    def _whole_weeks(self, day: int, start: int, limit: int, left: int) -> int:
        """The number of weeks from `day` on that have no special day, end before `limit` and count less than `left`."""
        if left <= self._weekly or not FIRST_DAY <= day <= LAST_DAY:
            return 0
        begin = self.zone.instant(day)
        weeks = min((self._next_special(day) - day) // 7, (limit - begin) // WEEK)
        if weeks <= 0 or begin < start:
            return 0
        return min(weeks, (left - 1) // self._weekly) if self._weekly else weeks

    def _next_special(self, day: int) -> int:
        """The next special day from `day` on, or 1 January of the year after next if there is none before it."""
        year = date.fromordinal(day).year
        for candidate in (year, year + 1):
            special = self._special_days(candidate)
            index = bisect_left(special, day)
            if index < len(special):
                return special[index]
        return date(min(year + 2, 9999), 1, 1).toordinal()

    def _special_days(self, year: int) -> list[int]:
        known = self._special.get(year)
        if known is None:
            first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
            dated = self._dated[bisect_left(self._dated, first) : bisect_right(self._dated, last)]
            known = self._special[year] = sorted(self.zone.uneven(year).union(dated))
        return known

    def pieces(self, start: int) -> Iterator[Piece]:
        """See `CountedTime`."""
        closed, day = 0, self._day_before(start)
        while closed <= CLOSED_DAYS_LIMIT:
            for begin, end, counted, reason in self._pieces_of(day):
                if end > start:
                    yield max(begin, start), end, counted, reason
            closed = 0 if self.intervals(day) else closed + 1
            day += 1
        raise _exhausted()

    def _pieces_of(self, ordinal: int) -> Iterator[Piece]:
        opened, shut = self._reasons(ordinal)
        spans = self.intervals(ordinal)
        at, midnight = self.zone.instant(ordinal), self.zone.instant(ordinal + 1)
        for start, end in spans:
            if at < start:
                yield at, start, False, shut
            yield start, end, True, opened
            at = end
        if at < midnight:
            yield at, midnight, False, shut

    def _reasons(self, ordinal: int) -> tuple[str, str]:
        if ordinal in self._overrides:
            return "override: open", "override: closed"
        name = self._holidays.get(ordinal)
        if name is None:
            return "open", "closed"
        return "open", f"holiday: {name}" if name else "holiday"

    def _day_before(self, instant: int) -> int:
        # Start one day early: with a DST change at midnight, an instant may belong to the day before.
        return max(FIRST_DAY, self.zone.clock(instant)[0] - 1)


def _exhausted() -> CalendarExhausted:
    return CalendarExhausted(
        f"The calendar has no open hour within {CLOSED_DAYS_LIMIT} days: give it weekly hours."
    )


def _in_microseconds(spans: Sequence[Span]) -> tuple[Span, ...]:
    return tuple((start * SECOND, end * SECOND) for start, end in spans)


def _united(spans: Iterator[Span]) -> tuple[Span, ...]:
    """The ascending spans, with overlapping and adjacent spans joined."""
    united: list[Span] = []
    for start, end in spans:
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return tuple(united)


def _take(spans: tuple[Span, ...], start: int, limit: int, left: int) -> tuple[int | None, int]:
    """Count `spans` from `start` to `limit`. Gives the instant at which `left` was used up, or None and the rest."""
    for begin, end in spans:
        begin, end = max(begin, start), min(end, limit)
        if end - begin >= left:
            return begin + left, 0
        if end > begin:
            left -= end - begin
    return None, left


# Calendars --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Weekly hours by local weekday in an IANA zone, with holidays and exceptions by local date.

    `hours` maps weekdays (0 is Monday) to spans. A missing weekday is closed. None means always open, and then
    holidays and overrides have no effect. `holidays` maps dates to names; "" is a holiday without a name.
    `overrides` replace the hours of a date, also on a holiday. `counted_time` is derived from the other members.
    Raises InvalidContent for an unknown zone.
    """

    timezone: str
    hours: Mapping[int, tuple[Span, ...]] | None
    holidays: Mapping[date, str] = field(default_factory=dict)
    overrides: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    name: str | None = None
    counted_time: CountedTime = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zone_of(self.timezone)
        made = AllTime("open") if self.hours is None else OpenHours(self, self.hours)
        object.__setattr__(self, "counted_time", made)

    def __hash__(self) -> int:
        return hash((self.timezone, self.name, self.hours is None))


@lru_cache(maxsize=128)
def always_open(timezone: str) -> WorkCalendar:
    """The calendar in which every second counts. The zone decides when a local day begins."""
    return WorkCalendar(timezone, None)


ALWAYS_OPEN = always_open("UTC")


def check_opens(calendar: WorkCalendar, *, start_on: date, pointer: str = "") -> None:
    """Refuse a calendar without an open hour within 366 days from the local date `start_on` (rule 2.5).

    Raises InvalidContent at `pointer`.
    """
    if not isinstance(calendar.counted_time, OpenHours):
        return
    try:
        next(calendar.counted_time.open_days(start_on.toordinal()))
    except (CalendarExhausted, TimeOutOfRange) as error:
        raise InvalidContent.at(pointer, error.detail) from error


def check_special_days(calendar: WorkCalendar) -> None:
    """Raises InvalidContent for a holiday or an override that is not from 1900 to 2199."""
    far = [day for day in (*calendar.holidays, *calendar.overrides) if day.year not in CALENDAR_YEARS]
    if far:
        raise InvalidContent(f"{far[0]} is too far away; holidays and overrides are from 1900 to 2199")


def check_stays_open(calendar: WorkCalendar, *, first_on: date, pointer: str = "") -> None:
    """Refuse a calendar that stays closed for 366 days at some time from the local date `first_on` (rule 2.5).

    Raises InvalidContent, at `pointer` for a calendar that closes.
    """
    if calendar.hours is None:
        return
    check_special_days(calendar)
    for day in _closed_period_starts(calendar, calendar.hours, first_on):
        try:
            check_opens(calendar, start_on=day)
        except InvalidContent as error:
            message = f"from {day} on there is no open hour within {CLOSED_DAYS_LIMIT} days"
            raise InvalidContent.at(pointer, message) from error


def _closed_period_starts(
    calendar: WorkCalendar, hours: Mapping[int, tuple[Span, ...]], first_on: date
) -> Iterator[date]:
    """Days on which a long closed period may begin.

    These are `first_on`, the first closed day before each special day, and the day after the last special day.
    """
    special = sorted(day for day in {*calendar.holidays, *calendar.overrides} if day > first_on)

    def is_closed(day: date) -> bool:
        usual = () if day in calendar.holidays else hours.get(day.weekday(), ())
        return not calendar.overrides.get(day, usual)

    yield first_on
    before = first_on
    for day in special:
        start = day
        while start > before and is_closed(start - _ONE_DAY):
            start -= _ONE_DAY
        if start > before:  # else the closed period began at or before the special day before
            yield start
        before = day
    yield special[-1] + _ONE_DAY if special else first_on


def open_intervals(calendar: WorkCalendar, start: datetime) -> Iterator[Interval]:
    """The open intervals from `start` on, ascending. Two of them may meet at midnight.

    Ends after 366 closed days. A calendar that is always open gives one interval. Raises TimeOutOfRange after
    the year 9998.
    """
    first = to_microseconds(start)
    if not isinstance(calendar.counted_time, OpenHours):
        yield from_microseconds(first), datetime.max.replace(tzinfo=UTC)
        return
    try:
        for begin, end, counted, _ in calendar.counted_time.pieces(first):
            if counted:
                yield from_microseconds(begin), from_microseconds(end)
    except CalendarExhausted:
        return
