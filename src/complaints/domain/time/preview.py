"""Calculator for due times and elapsed time: `POST /v1/deadlines/preview` and `/v1/deadlines/elapsed`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import islice, takewhile

from complaints.domain.errors import InvalidContent
from complaints.domain.time.calendars import ALWAYS_OPEN, OpenHours, WorkCalendar, check_opens
from complaints.domain.time.local_dates import shift_local
from complaints.domain.time.notation import parse_target
from complaints.domain.time.working_time import (
    OPEN_UNITS,
    CalendarExhausted,
    Pause,
    Segment,
    Target,
    Unit,
    elapsed_seconds,
    join_segments,
    trace,
    trace_target,
)
from complaints.domain.time.zones import SECOND, TimeOutOfRange, to_microseconds, zone_of

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2400, 1, 1, tzinfo=UTC)
_MOST_YEARS = 100
_MOST_PIECES = 25_000  # pieces of time; this limits the work for one request
_MOST_DAYS = 15_000  # days in which working days are looked for
_PAUSES_LIMIT = 10_000
DURATION_LENGTH = 100
_NUMBER = r"([0-9]+(?:[.,][0-9]+)?)"
DURATION = (
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
"""The pattern of a duration. Some texts that match are no durations, such as `P`."""


@dataclass(frozen=True, slots=True)
class Duration:
    """An ISO 8601 duration: calendar months, then calendar days, then microseconds."""

    months: int
    days: int
    microseconds: int

    @property
    def seconds(self) -> Fraction:
        """The time part in seconds, exact."""
        return Fraction(self.microseconds, SECOND)


@dataclass(frozen=True, slots=True)
class PreviewResult:
    """The due time of a target. It is None, and the status is `paused`, if a pause without an end stops it."""

    due_at: datetime | None
    segments: tuple[Segment, ...]

    @property
    def status(self) -> str:
        """`running` or `paused`."""
        return "paused" if self.due_at is None else "running"


def parse_duration(text: str, *, pointer: str = "/target") -> Duration:
    """Read a duration such as `PT4H`, `P2W`, `P1M2DT3H` or `PT0.5H`. Zero is allowed.

    Years become months, and weeks become days. The last of hours, minutes and seconds may have a fraction that
    is exact to the microsecond. Raises InvalidContent at `pointer` for a text that is no duration, is negative
    or is longer than 100 years.
    """
    match = re.fullmatch(DURATION, text) if len(text) <= DURATION_LENGTH else None
    if match is None or text.endswith(("P", "T")):
        if text.startswith("-") and len(text) > 1:
            raise InvalidContent.at(pointer, "A duration cannot be negative.")
        raise InvalidContent.at(pointer, "Must be an ISO 8601 duration such as PT4H, P2D or P1M.")
    years, months, weeks, days, _, *time = match.groups()
    found = [part for part in (years, months, weeks, days, *time) if part is not None]
    whole = [*found[:-1], *(part for part in (years, months, weeks, days) if part)]
    if not all(part.isdigit() for part in whole):
        raise InvalidContent.at(pointer, "Only the last of hours, minutes and seconds may have a fraction.")
    hours, minutes, seconds = (Fraction((part or "0").replace(",", ".")) for part in time)
    microseconds = (hours * 3_600 + minutes * 60 + seconds) * SECOND
    if microseconds.denominator != 1:
        raise InvalidContent.at(pointer, "Must be exact to the microsecond.")
    duration = Duration(
        int(years or 0) * 12 + int(months or 0), int(weeks or 0) * 7 + int(days or 0), int(microseconds)
    )
    _check_length(duration, pointer)
    return duration


def _check_length(duration: Duration, pointer: str) -> None:
    years = Fraction(duration.months, 12)
    years += Fraction(duration.days * 4, 1_461) + Fraction(duration.microseconds, 31_557_600_000_000)
    if years > _MOST_YEARS:
        raise InvalidContent.at(pointer, f"A duration is at most {_MOST_YEARS} years long.")


def plan_preview(
    calendar: WorkCalendar | None, start: datetime, target_text: str, pauses: Sequence[Pause] = ()
) -> PreviewResult:
    """The due time of a target that starts at `start`, and the segments of time up to it, in UTC.

    The target is a duration, or a target as policies write it (rule 4.5). The calendar part of a duration (years to
    days) comes first: it ends at the same local time, and every second counts. The open time follows. Without a
    calendar every second counts, in UTC. Instants are aware. Raises InvalidContent at `/calendar`, `/start`,
    `/target` or `/pauses/N`.
    """
    calendar = calendar or ALWAYS_OPEN
    if not target_text.startswith(("P", "-P")):
        return plan_targets([(_read_target(target_text), calendar)], start, pauses)
    duration = parse_duration(target_text)
    _check_instant(start, "/start")
    _check_pauses(pauses)
    if duration.microseconds:
        check_opens(calendar, start_on=_local_date(start, calendar), pointer="/calendar")
    return _preview(start, _trace(calendar, start, duration, pauses))


def _read_target(text: str) -> Target:
    try:
        return parse_target(text)
    except ValueError as error:
        message = f"Must be an ISO 8601 duration such as PT4H, P2D or P1M, or a target of a policy: {error}."
        raise InvalidContent.at("/target", message) from None


def plan_targets(
    targets: Sequence[tuple[Target, WorkCalendar]], start: datetime, pauses: Sequence[Pause] = ()
) -> PreviewResult:
    """As `plan_preview`, for targets that follow one another, each by its own calendar."""
    _check_instant(start, "/start")
    _check_pauses(pauses)
    return _preview(start, _trace_targets(targets, start, pauses))


def _trace_targets(
    targets: Sequence[tuple[Target, WorkCalendar]], start: datetime, pauses: Sequence[Pause]
) -> Iterator[Segment]:
    at: datetime | None = start
    for target, calendar in targets:
        if at is None:
            return
        if target.unit in OPEN_UNITS:
            check_opens(calendar, start_on=_local_date(at, calendar), pointer="/calendar")
            _check_reach(target, at, calendar)
        for segment in trace_target(at, target, calendar, pauses):
            at = segment.end
            yield segment


def _check_reach(target: Target, start: datetime, calendar: WorkCalendar) -> None:
    """Refuse working days that end more than 40 years away: looking for them would take too long."""
    if target.unit is not Unit.WORKING_DAYS or not isinstance(calendar.counted_time, OpenHours):
        return
    first = _local_date(start, calendar).toordinal()
    days = takewhile(lambda day: day < first + _MOST_DAYS, calendar.counted_time.open_days(first))
    if sum(1 for _ in islice(days, target.amount + 1)) <= target.amount:
        raise _too_far()


def _preview(start: datetime, traced: Iterator[Segment]) -> PreviewResult:
    """Raises InvalidContent at `/calendar` or `/target`."""
    try:
        segments = tuple(join_segments(_bounded(traced)))
    except CalendarExhausted as error:
        raise InvalidContent.at("/calendar", error.detail) from error
    except TimeOutOfRange as error:
        raise InvalidContent.at("/target", error.detail) from error
    return PreviewResult(segments[-1].end if segments else start.astimezone(UTC), segments)


def _trace(
    calendar: WorkCalendar, start: datetime, duration: Duration, pauses: Sequence[Pause]
) -> Iterator[Segment]:
    due_at: datetime | None = start
    shifted = shift_local(start, calendar.timezone, months=duration.months, days=duration.days)
    real_seconds = Fraction(to_microseconds(shifted) - to_microseconds(start), SECOND)
    for segment in trace(start, real_seconds, calendar, pauses, real_time=True):
        due_at = segment.end
        yield segment
    if due_at is not None:
        yield from trace(due_at, duration.seconds, calendar, pauses)


def _bounded(segments: Iterable[Segment]) -> Iterator[Segment]:
    for count, segment in enumerate(segments):
        if count >= _MOST_PIECES:
            raise _too_far()
        yield segment


def _too_far() -> InvalidContent:
    return InvalidContent.at("/target", "The due time is too far away: choose a shorter target.")


def plan_elapsed(
    calendar: WorkCalendar | None, start: datetime, end: datetime, pauses: Sequence[Pause] = ()
) -> float:
    """The open seconds without pauses from `start` to `end`, an int if whole. 0 if `end` is not after `start`.

    Raises InvalidContent at `/start`, `/end` or `/pauses/N`, also if the measuring would take too long.
    """
    _check_instant(start, "/start")
    _check_instant(end, "/end")
    _check_pauses(pauses)
    calendar = calendar or ALWAYS_OPEN
    if _most_pieces(calendar, end - start, pauses) > _MOST_PIECES:
        raise InvalidContent.at(
            "/end", "So much time of this calendar cannot be measured: choose an earlier end."
        )
    return elapsed_seconds(start, end, calendar, pauses)


def _most_pieces(calendar: WorkCalendar, length: timedelta, pauses: Sequence[Pause]) -> float:
    """The most pieces of time to look at: the days, three more for each pause, and a tenth for each open span."""
    if not isinstance(calendar.counted_time, OpenHours):
        return 0
    return (length.days + 3 * len(pauses)) * (1 + calendar.counted_time.most_spans / 10)


def _check_instant(instant: datetime, pointer: str) -> None:
    if not _EARLIEST <= instant <= _LATEST:
        raise InvalidContent.at(pointer, f"Must lie between the years {_EARLIEST.year} and {_LATEST.year}.")


def _check_pauses(pauses: Sequence[Pause]) -> None:
    if len(pauses) > _PAUSES_LIMIT:
        raise InvalidContent.at("/pauses", f"At most {_PAUSES_LIMIT} pauses can be given.")
    for index, (start, end) in enumerate(pauses):
        if end is not None and end < start:
            raise InvalidContent.at(f"/pauses/{index}", "A pause cannot end before it starts.")


def _local_date(instant: datetime, calendar: WorkCalendar) -> date:
    return instant.astimezone(zone_of(calendar.timezone).info).date()
