"""Working calendars: when time counts (domain §2, rules 2.4 and 2.5).

Wall times become instants by one rule: a boundary inside a DST gap moves forward by the gap, inside a fold it
is the first of the two. A local date that a zone left out (Apia, 2011-12-30) has no open time. Everything
inside is exact: whole microseconds since 1970-01-01T00:00Z, never floats.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from complaints.domain.errors import Fault, InvalidContent

Span = tuple[int, int]
"""Seconds of local wall time since midnight; 0 <= start < end <= 86400."""
Interval = tuple[datetime, datetime]
"""Half open, aware, UTC."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED_DAYS_LIMIT = 366
FOREVER = 1 << 62
"""Later than every instant, in microseconds."""

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_DAY_SECONDS = 86_400
_DAY = _DAY_SECONDS * 1_000_000
_WEEK = 7 * _DAY
_LARGEST_OFFSET = 2 * _DAY  # wider than any zone's distance from UTC
_FIRST_DAY = date(2, 1, 1).toordinal()
_LAST_DAY = date(9998, 12, 31).toordinal()
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # after which dates and weekdays repeat
_RULES_ONLY_FROM = 2038  # from here on zones follow a yearly rule
_CACHED_DAYS = 4_096
_SPANS_A_DAY = 96


class CalendarExhausted(InvalidContent):
    """No hour is open within 366 days, so the clock would never end."""


class TimeOutOfRange(InvalidContent):
    """The reckoning leaves the years 2 to 9998 (for a clock that never closes: 1 to 9999)."""


def to_microseconds(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (instant - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The UTC instant so many microseconds after 1970. Raises TimeOutOfRange."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise _out_of_range() from error


def _out_of_range() -> TimeOutOfRange:
    return TimeOutOfRange(
        "The time is too far in the past or in the future to be reckoned: choose a nearer one."
    )


# Zones ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1_024)
def find_zone(timezone: str) -> ZoneInfo | None:
    """The IANA zone of that name, or None; leap-second and machine-dependent variants are not zones here."""
    if timezone.startswith(("right/", "posix/")) or timezone in ("localtime", "posixrules", "Factory"):
        return None
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a directory such as "Europe" is an OSError
        return None


class Zone:
    """Wall time of one IANA zone in ordinals of local dates and microseconds."""

    def __init__(self, info: ZoneInfo) -> None:
        self.info = info
        self._fixed = info.utcoffset(None) is not None
        self._uneven: dict[int, frozenset[int]] = {}

    def instant(self, ordinal: int, microseconds: int = 0) -> int:
        """The instant of a wall time: microseconds since that date's midnight, at most a day.

        Raises TimeOutOfRange.
        """
        try:
            wall = datetime.fromordinal(ordinal) + timedelta(microseconds=microseconds)
        except (OverflowError, ValueError) as error:
            raise _out_of_range() from error
        offset = self.info.utcoffset(wall)  # PEP 495 with fold=0 is exactly rule 2.4
        assert offset is not None
        return (ordinal - _EPOCH_ORDINAL) * _DAY + microseconds - offset // _MICROSECOND

    def local(self, microseconds: int) -> datetime:
        """The wall time of an instant, without a zone. Raises TimeOutOfRange."""
        try:
            local = from_microseconds(microseconds).astimezone(self.info).replace(tzinfo=None, fold=0)
        except (OverflowError, ValueError) as error:
            raise _out_of_range() from error
        if not _FIRST_DAY <= local.toordinal() <= _LAST_DAY:
            raise _out_of_range()
        return local

    def uneven(self, year: int) -> frozenset[int]:
        """The dates of a year on which, or beside which, the offset from UTC changes."""
        if self._fixed:
            return frozenset()
        if year >= _RULES_ONLY_FROM + _CYCLE_YEARS:
            cycles = (year - _RULES_ONLY_FROM) // _CYCLE_YEARS
            return frozenset(o + cycles * _CYCLE_DAYS for o in self.uneven(year - cycles * _CYCLE_YEARS))
        known = self._uneven.get(year)
        if known is None:
            known = self._uneven[year] = self._find_uneven(year)
        return known

    def _find_uneven(self, year: int) -> frozenset[int]:
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        found: set[int] = set()
        before = self._offset(first - 1)
        for ordinal in range(first - 1, last + 2):
            after = self._offset(ordinal + 1)
            if after != before:
                found.update((ordinal - 1, ordinal, ordinal + 1))
            before = after
        return frozenset(o for o in found if first <= o <= last)

    def _offset(self, ordinal: int) -> timedelta | None:
        return self.info.utcoffset(datetime.fromordinal(ordinal))


@lru_cache(maxsize=128)
def zone_of(timezone: str) -> Zone:
    """The zone of that name. Raises InvalidContent for an unknown one."""
    info = find_zone(timezone)
    if info is None:
        raise InvalidContent(
            f"{timezone!r} is not an IANA time zone: use a name such as Asia/Shanghai or UTC."
        )
    return Zone(info)


# Timelines: what of real time counts ------------------------------------------------------------------------

Piece = tuple[int, int, bool, str]
"""start, end (FOREVER at most), whether it counts, and why: the reasons of `clocks.Segment`."""


class Timeline(Protocol):
    """Which microseconds count."""

    def advance(self, start: int, amount: int, limit: int) -> tuple[int | None, int]:
        """The earliest instant up to `limit` when `amount` > 0 has counted since `start`, or None; what did.

        Raises CalendarExhausted if nothing counts for 366 days and no limit ends the search.
        """

    def pieces(self, start: int) -> Iterator[Piece]:
        """All time from `start`, adjacent. Raises CalendarExhausted after 366 days that do not count."""


class Continuous:
    """Everything counts."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def advance(self, start: int, amount: int, limit: int) -> tuple[int | None, int]:
        """See `Timeline`."""
        if limit - start >= amount:
            return start + amount, amount
        return None, max(0, limit - start)

    def pieces(self, start: int) -> Iterator[Piece]:
        """See `Timeline`."""
        yield start, FOREVER, True, self._reason


class WorkingTime:
    """Open hours of a calendar, day by day; whole weeks without anything special are taken in one step."""

    def __init__(self, calendar: "WorkCalendar", hours: Mapping[int, tuple[Span, ...]]) -> None:
        self.zone = zone_of(calendar.timezone)
        self._hours = tuple(_in_microseconds(hours.get(weekday, ())) for weekday in range(7))
        self._holidays = {on.toordinal(): name for on, name in calendar.holidays.items()}
        self._overrides = {
            on.toordinal(): _in_microseconds(spans) for on, spans in calendar.overrides.items()
        }
        self._dated = sorted({*self._holidays, *self._overrides})
        self._weekly = sum(end - start for spans in self._hours for start, end in spans)
        self._days: dict[int, tuple[Span, ...]] = {}
        self._special: dict[int, list[int]] = {}

    def intervals(self, ordinal: int) -> tuple[Span, ...]:
        """The open intervals of a local date as instants in microseconds, ascending, apart or touching."""
        known = self._days.get(ordinal)
        if known is None:
            if len(self._days) >= _CACHED_DAYS:
                self._days.clear()
            known = self._days[ordinal] = self._find_intervals(ordinal)
        return known

    def _find_intervals(self, ordinal: int) -> tuple[Span, ...]:
        if not _FIRST_DAY <= ordinal <= _LAST_DAY:
            raise _out_of_range()
        if ordinal not in self.zone.uneven(date.fromordinal(ordinal).year):
            midnight = self.zone.instant(ordinal)
            return tuple((midnight + start, midnight + end) for start, end in self._spans(ordinal))
        # Moved boundaries may cross midnight: take what the neighbours have within this day's bounds.
        first, last = self.zone.instant(ordinal), self.zone.instant(ordinal + 1)
        around = sorted(span for day in (ordinal - 1, ordinal, ordinal + 1) for span in self._moved(day))
        clipped = ((max(start, first), min(end, last)) for start, end in around)
        return _united(span for span in clipped if span[0] < span[1])

    def _moved(self, ordinal: int) -> Iterator[Span]:
        instant = self.zone.instant
        if instant(ordinal) == instant(ordinal + 1):  # the zone left this date out
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
        """The dates with open time, from `ordinal` on. Raises CalendarExhausted."""
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
        """See `Timeline`."""
        left, closed, day = amount, 0, self._day_before(start)
        while (day - _EPOCH_ORDINAL) * _DAY - _LARGEST_OFFSET < limit:
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
        """How many weeks from `day` on are plain, lie within bounds and leave something to count."""
        if left <= self._weekly or not _FIRST_DAY <= day <= _LAST_DAY:
            return 0
        begin = self.zone.instant(day)
        weeks = min((self._next_special(day) - day) // 7, (limit - begin) // _WEEK)
        if weeks <= 0 or begin < start:
            return 0
        return min(weeks, (left - 1) // self._weekly) if self._weekly else weeks

    def _next_special(self, day: int) -> int:
        """The next date, from `day` on, that is unlike its weekday; else the first of the year after next."""
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
        """See `Timeline`."""
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
        # One early: with a fold or a gap across midnight, an instant may belong to the day before.
        return max(_FIRST_DAY, self.zone.local(instant).toordinal() - 1)


def _exhausted() -> CalendarExhausted:
    return CalendarExhausted(
        f"The calendar has no open hour within {CLOSED_DAYS_LIMIT} days: give it weekly hours."
    )


def _in_microseconds(spans: Sequence[Span]) -> tuple[Span, ...]:
    return tuple((start * 1_000_000, end * 1_000_000) for start, end in spans)


def _united(spans: Iterator[Span]) -> tuple[Span, ...]:
    """Ascending spans, with what overlaps or touches made one."""
    united: list[Span] = []
    for start, end in spans:
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return tuple(united)


def _take(spans: tuple[Span, ...], start: int, limit: int, left: int) -> tuple[int | None, int]:
    """Count `spans` between `start` and `limit`: when `left` was used up, or None and what is still left."""
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

    `hours` maps weekdays (0 is Monday) to spans, a missing weekday is closed; None is always open, and then
    holidays and overrides mean nothing. `holidays` maps dates to names, "" when unnamed. `overrides` win over
    both. `timeline` is made from the rest. Raises InvalidContent for an unknown zone.
    """

    timezone: str
    hours: Mapping[int, tuple[Span, ...]] | None
    holidays: Mapping[date, str] = field(default_factory=dict)
    overrides: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    name: str | None = None
    timeline: Timeline = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zone_of(self.timezone)
        made = Continuous("open") if self.hours is None else WorkingTime(self, self.hours)
        object.__setattr__(self, "timeline", made)

    def __hash__(self) -> int:
        return hash((self.timezone, self.name, self.hours is None))


@lru_cache(maxsize=128)
def always_open(timezone: str) -> WorkCalendar:
    """The calendar in which every second counts; its zone says what a local day is."""
    return WorkCalendar(timezone, None)


ALWAYS_OPEN = always_open("UTC")


def check_opens(calendar: WorkCalendar, *, start_on: date, pointer: str = "") -> None:
    """Refuse a calendar without an open hour within 366 days from the local date `start_on` (rule 2.5).

    Raises InvalidContent at `pointer`.
    """
    if not isinstance(calendar.timeline, WorkingTime):
        return
    try:
        next(calendar.timeline.open_days(start_on.toordinal()))
    except (CalendarExhausted, TimeOutOfRange) as error:
        raise InvalidContent.at(pointer, error.detail) from error


def open_intervals(calendar: WorkCalendar, start: datetime) -> Iterator[Interval]:
    """Open time from the aware `start` on, lazily and ascending; neighbours may touch at midnight.

    Stops after 366 closed days. Always open is one interval to the end of time. Raises TimeOutOfRange past
    year 9998.
    """
    first = to_microseconds(start)
    if not isinstance(calendar.timeline, WorkingTime):
        yield from_microseconds(first), datetime.max.replace(tzinfo=UTC)
        return
    try:
        for begin, end, counted, _ in calendar.timeline.pieces(first):
            if counted:
                yield from_microseconds(begin), from_microseconds(end)
    except CalendarExhausted:
        return


# Documents --------------------------------------------------------------------------------------------------

_MEMBERS = frozenset({"timezone", "hours", "holidays", "overrides"})
_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def parse_calendar(
    document: Mapping[str, object], *, pointer: str = "", name: str | None = None
) -> WorkCalendar:
    """The calendar a JSON document describes, as in `POST /v1/deadlines/preview`; null is the same as absent.

    `timezone` is required; `hours` by `mon` … `sun`; `holidays` a list of dates or a mapping of dates to
    names; `overrides` by date. Raises InvalidContent with every fault at its JSON pointer below `pointer`.
    """
    return _Reader(pointer).calendar(document, name)


class _Reader:
    """Reads one document and gathers what is wrong with it."""

    def __init__(self, pointer: str) -> None:
        self._root = pointer
        self._faults: list[Fault] = []

    def calendar(self, document: object, name: str | None) -> WorkCalendar:
        if not isinstance(document, Mapping):
            raise InvalidContent.at(self._root, "Must be an object.")
        members = self._mapping(document, self._root)
        for member in members.keys() - _MEMBERS:
            self._fault(
                _below(self._root, member), f"Unknown member: a calendar has {', '.join(sorted(_MEMBERS))}."
            )
        timezone = self._timezone(members.get("timezone"))
        hours = self._hours(members.get("hours"))
        holidays = self._holidays(members.get("holidays"))
        overrides = self._overrides(members.get("overrides"))
        if self._faults:
            faults = sorted(self._faults, key=lambda fault: fault.pointer)
            raise InvalidContent(faults[0].message, faults=faults)
        return WorkCalendar(timezone, hours, holidays, overrides, name)

    def _fault(self, pointer: str, message: str) -> None:
        self._faults.append(Fault(pointer, message))

    def _mapping(self, value: object, pointer: str) -> dict[str, object]:
        if not isinstance(value, Mapping):
            self._fault(pointer, "Must be an object.")
            return {}
        return {str(key): inner for key, inner in value.items()}

    def _timezone(self, value: object) -> str:
        if isinstance(value, str) and find_zone(value) is not None:
            return value
        self._fault(_below(self._root, "timezone"), "Must be an IANA time zone such as Asia/Shanghai or UTC.")
        return "UTC"

    def _hours(self, value: object) -> dict[int, tuple[Span, ...]] | None:
        if value is None:
            return None
        pointer = _below(self._root, "hours")
        hours = {}
        for key, spans in self._mapping(value, pointer).items():
            if key not in WEEKDAYS:
                self._fault(_below(pointer, key), f"Unknown weekday: use {', '.join(WEEKDAYS)}.")
            elif spans is not None:
                hours[WEEKDAYS.index(key)] = self._spans(spans, _below(pointer, key))
        return hours

    def _holidays(self, value: object) -> dict[date, str]:
        pointer = _below(self._root, "holidays")
        if isinstance(value, Mapping):
            named = ((str(key), key, label) for key, label in value.items())
        elif value is None or isinstance(value, list | tuple):
            named = ((str(index), on, None) for index, on in enumerate(value or ()))
        else:
            self._fault(pointer, "Must be a list of dates, or an object of dates and names.")
            return {}
        holidays = {}
        for key, on, label in named:
            found = self._date(on, _below(pointer, key))
            if label is not None and not isinstance(label, str):
                self._fault(_below(pointer, key), "The name of a holiday must be text.")
            elif found is not None:
                holidays[found] = label or ""
        return holidays

    def _overrides(self, value: object) -> dict[date, tuple[Span, ...]]:
        pointer = _below(self._root, "overrides")
        if value is not None and not isinstance(value, Mapping):
            self._fault(pointer, "Must be an object of dates and spans.")
            return {}
        overrides = {}
        for key, spans in (value or {}).items():
            on = self._date(key, _below(pointer, str(key)))
            if on is not None and spans is not None:
                overrides[on] = self._spans(spans, _below(pointer, str(key)))
        return overrides

    def _date(self, value: object, pointer: str) -> date | None:
        if isinstance(value, date) and not isinstance(value, datetime):  # YAML has dates of its own
            return value
        found = _find_date(value) if isinstance(value, str) else None
        if found is None:
            self._fault(pointer, "Must be a date that exists, as YYYY-MM-DD.")
        return found

    def _spans(self, value: object, pointer: str) -> tuple[Span, ...]:
        if not isinstance(value, list | tuple) or len(value) > _SPANS_A_DAY:
            self._fault(
                pointer, f'Must be a list of at most {_SPANS_A_DAY} spans such as ["09:00", "18:00"].'
            )
            return ()
        read = ((self._span(span, _below(pointer, str(index))), index) for index, span in enumerate(value))
        spans = sorted((span, index) for span, index in read if span is not None)
        for (earlier, _), (later, index) in pairwise(spans):
            if later[0] < earlier[1]:
                self._fault(_below(pointer, str(index)), "Overlaps another span of that day: make them one.")
        return tuple(span for span, _ in spans)

    def _span(self, value: object, pointer: str) -> Span | None:
        if not isinstance(value, list | tuple) or len(value) != 2:
            self._fault(pointer, 'Must be a pair of times such as ["09:00", "18:00"].')
            return None
        start, end = (
            self._time(time, _below(pointer, str(index)), index) for index, time in enumerate(value)
        )
        if start is None or end is None:
            return None
        if end <= start:
            self._fault(
                pointer, "Must end after it starts: make a night shift two spans, the first up to 24:00."
            )
            return None
        return start, end

    def _time(self, value: object, pointer: str, index: int) -> int | None:
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        if match:
            seconds = int(match[1]) * 3_600 + int(match[2]) * 60 + int(match[3] or 0)
            if seconds < _DAY_SECONDS or (seconds == _DAY_SECONDS and index == 1):
                return seconds
        self._fault(pointer, "Must be a time from 00:00 to 23:59, or 24:00 as an end.")
        return None


def _find_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _below(pointer: str, member: str) -> str:
    return f"{pointer}/{member.replace('~', '~0').replace('/', '~1')}"
