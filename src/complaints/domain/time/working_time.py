"""Due times of targets, and the time that counts between two instants (rules 2.1 to 2.13).

Every target is an amount of counted time after an anchor. Elapsed and calendar targets count every second.
Open and working-day targets count the open time of a calendar. Time in a pause does not count. The due time is
the earliest instant at which the amount has counted, so a target can be due exactly at closing time (rule 2.3).
Arguments are aware instants in any zone. Results are in UTC and exact to the microsecond.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from complaints.domain.time.calendars import (
    FOREVER,
    AllTime,
    CountedTime,
    OpenHours,
    Piece,
    WorkCalendar,
    always_open,
)
from complaints.domain.time.local_dates import shift_microseconds
from complaints.domain.time.zones import (
    DAY,
    SECOND,
    WEEK,
    CalendarExhausted,
    TimeOutOfRange,
    from_microseconds,
    to_microseconds,
    zone_of,
)

__all__ = [
    "OPEN_UNITS",
    "CalendarExhausted",
    "Pause",
    "Segment",
    "Target",
    "TimeOutOfRange",
    "Unit",
    "add_time",
    "always_open",
    "due_at",
    "elapsed_seconds",
    "explain",
    "join_segments",
    "pause_extension_seconds",
    "share_at",
    "subtract_time",
    "trace",
    "trace_target",
]

Pause = tuple[datetime, datetime | None]
"""Start and end. None means no end yet. A pause that does not end after its start has no effect."""

_REAL_TIME = AllTime("elapsed")
_Range = tuple[int, int]


class Unit(StrEnum):
    """The unit in which a target counts."""

    ELAPSED_SECONDS = "elapsed"
    OPEN_SECONDS = "open"
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    CALENDAR_MONTHS = "calendar_months"


OPEN_UNITS = frozenset({Unit.OPEN_SECONDS, Unit.WORKING_DAYS})
"""Units that count the open time of a calendar."""


@dataclass(frozen=True, slots=True)
class Target:
    """The length of a deadline: `amount` of `unit`. With zero or less it is due at its start.

    With `from_next_day` it begins on the next day at 00:00, in the zone of the calendar.

    Working days are local dates with open time. A target that starts on another date begins with the next
    working day. It ends at the same local time after that many working days. If the calendar is closed at that
    time, it ends at the last closing time before. Example: three working days from Monday 22:00 end on Thursday
    at closing time, and three working days that begin on Tuesday end at the same time.
    """

    amount: int
    unit: Unit
    from_next_day: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the time of a deadline. `end` is None for a pause without an end.

    `reason` of time that counts: `open`, `override: open` or `elapsed` (every second counts). `reason` of time
    that does not count: `closed`, `holiday`, `holiday: <name>`, `override: closed`, `paused` or `not started`
    (the rest of the day of the start).
    """

    start: datetime
    end: datetime | None
    counted: bool
    reason: str


# Due times --------------------------------------------------------------------------------------------------


def due_at(
    start: datetime, target: Target, calendar: WorkCalendar, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """The due time of a target that starts at `start`. None if a pause without an end stops it.

    Pauses extend elapsed and calendar targets by their full length; such targets use only the zone of
    `calendar`. Pauses extend targets in open time and working days by their open time (rule 2.6). Raises
    CalendarExhausted and TimeOutOfRange.
    """
    if not pauses and never_stops(target, calendar):
        return from_microseconds(to_microseconds(start) + max(0, target.amount) * SECOND)
    run = _run_of(start, target, calendar)
    return _instant(run.due(_merged(pauses, run.anchor)))


def share_at(
    start: datetime, target: Target, calendar: WorkCalendar, pauses: Sequence[Pause], share: Fraction
) -> datetime | None:
    """The instant at which `share` of the target has counted. 1 is the due time, and more is later.

    None if a pause without an end stops it. Raises CalendarExhausted and TimeOutOfRange.
    """
    if not pauses and never_stops(target, calendar):
        return from_microseconds(
            to_microseconds(start) + max(0, target.amount) * SECOND * share.numerator // share.denominator
        )
    run = _run_of(start, target, calendar)
    return _instant(run.share(_merged(pauses, run.anchor), share))


def pause_extension_seconds(
    start: datetime, target: Target, calendar: WorkCalendar, pauses: Sequence[Pause]
) -> int:
    """The seconds by which the pauses delay the due time, in the time that the target counts, rounded down.

    If a pause without an end stops the target: the seconds that the pauses before it have added.
    """
    if not pauses:
        return 0
    run = _run_of(start, target, calendar)
    merged = _merged(pauses, run.anchor)
    due = run.due(merged)
    end = merged[-1][0] if due is None else due
    unpaused = _measure(run.counted_time, run.anchor, end, merged)
    return (_measure(run.counted_time, run.anchor, end, []) - unpaused) // SECOND


def explain(
    start: datetime, target: Target, calendar: WorkCalendar, pauses: Sequence[Pause] = ()
) -> tuple[Segment, ...]:
    """The segments from `start` to the due time, without gaps (rule 2.13).

    There is none if the target is due at its start. The last has no end if a pause without an end stops it.
    """
    return tuple(join_segments(trace_target(start, target, calendar, pauses)))


def trace_target(
    start: datetime, target: Target, calendar: WorkCalendar, pauses: Sequence[Pause] = ()
) -> Iterator[Segment]:
    """The segments of `explain`, not yet joined. They are found one by one, so a caller can stop early."""
    yield from _TargetRun(start, target, calendar).segments(start, pauses)


def never_stops(target: Target, calendar: WorkCalendar) -> bool:
    """True if every second from the start counts, apart from pauses. Most targets are so, and have a fast path."""
    never_closed = target.unit is Unit.ELAPSED_SECONDS or (
        target.unit is Unit.OPEN_SECONDS and calendar.hours is None
    )
    return never_closed and not target.from_next_day


class _TargetRun:
    """A target as an amount of counted time after an anchor, in microseconds.

    `not_before` is the earliest end. The full amount may have counted earlier, at the closing time before.
    """

    __slots__ = ("amount", "anchor", "counted_time", "not_before")

    def __init__(self, start: datetime, target: Target, calendar: WorkCalendar) -> None:
        self.anchor = to_microseconds(start)
        if target.from_next_day:
            zone = zone_of(calendar.timezone)
            self.anchor = zone.instant(zone.clock(self.anchor)[0] + 1)
        self.counted_time: CountedTime = calendar.counted_time if target.unit in OPEN_UNITS else _REAL_TIME
        self.amount, self.not_before = _amount(self.anchor, target, calendar)

    def due(self, pauses: Sequence[_Range]) -> int | None:
        at = _advance(self.counted_time, self.anchor, self.amount, pauses)
        if at is None or at >= self.not_before:
            return at
        held = self._end_if_held(pauses)
        return None if held == FOREVER else held

    def _end_if_held(self, pauses: Sequence[_Range]) -> int:
        """`not_before`, or the end of the pause in which it lies."""
        return next((end for begin, end in pauses if begin < self.not_before < end), self.not_before)

    def share(self, pauses: Sequence[_Range], share: Fraction) -> int | None:
        if share == 1:
            return self.due(pauses)
        part = self.amount * share.numerator // share.denominator
        return _advance(self.counted_time, self.anchor, part, pauses)

    def segments(self, start: datetime, pauses: Sequence[Pause]) -> Iterator[Segment]:
        if to_microseconds(start) < self.anchor:
            yield Segment(start.astimezone(UTC), from_microseconds(self.anchor), False, "not started")
        at, merged = self.anchor, _merged(pauses, self.anchor)
        for piece in _until(_cut(self.counted_time.pieces(at), merged), self.amount):
            yield _segment(piece)
            at = piece[1]
        if at < self.not_before:
            rest = _cut(self.counted_time.pieces(at), _merged(pauses, at))
            yield from map(_segment, _before(rest, self._end_if_held(merged)))


@lru_cache(maxsize=16)
def _run_of(start: datetime, target: Target, calendar: WorkCalendar) -> _TargetRun:
    """The run of a target. It is kept for a while: after a due time, its shares are asked for."""
    return _TargetRun(start, target, calendar)


def _amount(anchor: int, target: Target, calendar: WorkCalendar) -> tuple[int, int]:
    """The microseconds that the target counts from its anchor, and the `not_before` of a `_TargetRun`."""
    if target.amount <= 0:
        return 0, anchor
    if target.unit in (Unit.ELAPSED_SECONDS, Unit.OPEN_SECONDS):
        return target.amount * SECOND, anchor
    if target.unit is Unit.WORKING_DAYS and isinstance(calendar.counted_time, OpenHours):
        return _working_days(calendar.counted_time, anchor, target.amount)
    months = target.amount if target.unit is Unit.CALENDAR_MONTHS else 0
    shifted = shift_microseconds(
        zone_of(calendar.timezone), anchor, months=months, days=target.amount - months
    )
    return max(0, shifted - anchor), anchor


def _working_days(counted_time: OpenHours, anchor: int, amount: int) -> tuple[int, int]:
    """As `_amount`, up to the same local time that many working days later."""
    first, time_of_day = counted_time.zone.clock(anchor)
    following = counted_time.open_days(first)
    if next(following) != first:
        time_of_day = 0
    last = next(islice(following, amount - 1, None))
    end = counted_time.zone.instant(last, time_of_day)
    open_then, _ = counted_time.advance(end, 1, end + 1)
    # With a start at midnight, the last day is the day before.
    ends_open = open_then is not None and time_of_day > 0
    return _measure(counted_time, anchor, end, []), end if ends_open else anchor


# Open time --------------------------------------------------------------------------------------------------


def add_time(
    start: datetime, seconds: float | Fraction, calendar: WorkCalendar, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """The earliest instant at which `seconds` of open time without pauses have passed since `start`.

    None if a pause without an end comes first. Zero or less gives `start`. Raises CalendarExhausted and
    TimeOutOfRange.
    """
    if calendar.hours is None and not pauses:
        return from_microseconds(to_microseconds(start) + max(0, _microseconds(seconds)))
    anchor = to_microseconds(start)
    return _instant(_advance(calendar.counted_time, anchor, _microseconds(seconds), _merged(pauses, anchor)))


def subtract_time(
    end: datetime, seconds: float | Fraction, calendar: WorkCalendar, pauses: Sequence[Pause] = ()
) -> datetime:
    """The latest instant from which `seconds` of open time without pauses pass until `end`.

    Zero or less gives `end`. Raises CalendarExhausted if there is not so much open time before, and
    TimeOutOfRange.
    """
    last, amount = to_microseconds(end), _microseconds(seconds)
    if amount <= 0 or (calendar.hours is None and not pauses):
        return from_microseconds(last - max(0, amount))
    width, before, found = max(amount, WEEK), -1, 0
    while found < amount:
        if found == before and width > 4 * 366 * DAY:
            raise CalendarExhausted("The calendar has no such open time before: give it weekly hours.")
        before, first = found, last - width
        merged = _merged(pauses, first)
        found = _measure(calendar.counted_time, first, last, merged)
        width *= 2
    # The next microsecond of open time comes right after the instant that is wanted.
    past = _advance(calendar.counted_time, first, found - amount + 1, merged)
    assert past is not None  # found - amount + 1 <= found, which has counted before `last`
    return from_microseconds(past - 1)


def elapsed_seconds(
    start: datetime, end: datetime, calendar: WorkCalendar, pauses: Sequence[Pause] = ()
) -> float:
    """The open seconds without pauses from `start` to `end`, an int if whole. 0 if `end` is not after `start`.

    Raises TimeOutOfRange.
    """
    first, last = to_microseconds(start), to_microseconds(end)
    if last <= first:
        return 0
    counted = _measure(calendar.counted_time, first, last, _merged(pauses, first))
    return counted / SECOND if counted % SECOND else counted // SECOND


def trace(
    start: datetime,
    seconds: float | Fraction,
    calendar: WorkCalendar,
    pauses: Sequence[Pause] = (),
    *,
    real_time: bool = False,
) -> Iterator[Segment]:
    """The segments of time that `add_time` passes, not yet joined. With `real_time` every second counts.

    Raises CalendarExhausted and TimeOutOfRange.
    """
    counted_time = _REAL_TIME if real_time else calendar.counted_time
    first = to_microseconds(start)
    pieces = _cut(counted_time.pieces(first), _merged(pauses, first))
    yield from map(_segment, _until(pieces, _microseconds(seconds)))


# Amounts of counted time, in microseconds -------------------------------------------------------------------


def _microseconds(seconds: float | Fraction) -> int:
    return seconds * SECOND if isinstance(seconds, int) else round(seconds * SECOND)


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_microseconds(microseconds)


def _merged(pauses: Sequence[Pause], start: int) -> list[_Range]:
    """The pauses after `start`, ascending and without overlaps. FOREVER stands for no end."""
    merged: list[_Range] = []
    for begin, end in sorted(_range(pause) for pause in pauses):
        if end <= begin or end <= start:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((max(begin, start), end))
    return merged


def _range(pause: Pause) -> _Range:
    return to_microseconds(pause[0]), FOREVER if pause[1] is None else to_microseconds(pause[1])


def _unpaused(start: int, pauses: Sequence[_Range]) -> Iterator[_Range]:
    for begin, end in pauses:
        if start < begin:
            yield start, begin
        start = end
    if start < FOREVER:
        yield start, FOREVER


def _advance(counted_time: CountedTime, start: int, amount: int, pauses: Sequence[_Range]) -> int | None:
    """The earliest instant at which `amount` has counted. None if a pause without an end comes first."""
    if amount <= 0:
        return start
    if not pauses:
        return counted_time.advance(start, amount, FOREVER)[0]
    for begin, limit in _unpaused(start, pauses):
        at, counted = counted_time.advance(begin, amount, limit)
        if at is not None:
            return at
        amount -= counted
    return None


def _measure(counted_time: CountedTime, start: int, end: int, pauses: Sequence[_Range]) -> int:
    """The microseconds that count from `start` to `end`."""
    total = 0
    for begin, limit in _unpaused(start, pauses):
        if begin >= end:
            break
        total += counted_time.advance(begin, FOREVER, min(limit, end))[1]
    return total


# Segments ---------------------------------------------------------------------------------------------------


def _segment(piece: Piece) -> Segment:
    start, end, counted, reason = piece
    return Segment(from_microseconds(start), _instant(None if end == FOREVER else end), counted, reason)


def _before(pieces: Iterator[Piece], stop: int) -> Iterator[Piece]:
    for start, end, counted, reason in pieces:
        if start >= stop:
            return
        yield start, min(end, stop), counted, reason


def _until(pieces: Iterator[Piece], amount: int) -> Iterator[Piece]:
    """The pieces up to the instant at which `amount` has counted."""
    for start, end, counted, reason in pieces:
        if amount <= 0:
            return
        if counted:
            end = min(end, start + amount)
            amount -= end - start
        yield start, end, counted, reason


def _cut(pieces: Iterator[Piece], pauses: list[_Range]) -> Iterator[Piece]:
    """The pieces, with paused time marked as not counted. A pause without an end is the last piece."""
    following = iter([*pauses, (FOREVER, FOREVER)])
    pause_start, pause_end = next(following)
    for start, end, counted, reason in pieces:
        while start < end:
            if pause_end <= start:
                pause_start, pause_end = next(following)
            elif start < pause_start:
                yield start, min(end, pause_start), counted, reason
                start = min(end, pause_start)
            elif pause_end == FOREVER:
                yield start, FOREVER, False, "paused"
                return
            else:
                yield start, min(end, pause_end), False, "paused" if counted else reason
                start = min(end, pause_end)


def join_segments(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments, with neighbours of the same reason joined."""
    last: Segment | None = None
    for segment in segments:
        if last and (last.counted, last.reason) == (segment.counted, segment.reason):
            last = Segment(last.start, segment.end, last.counted, last.reason)
            continue
        if last:
            yield last
        last = segment
    if last:
        yield last
