"""The repetitions of the last step of a ladder (rule 3.9)."""

from collections.abc import Iterator
from datetime import datetime

from complaints.domain.time import local_dates, working_time
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.notation import Repeat

MARK = "/"
"""Stands between the name of a step and the number of its repetition: `+24h/3`."""


def plan_repetitions(
    repeat: Repeat,
    first_at: datetime,
    *,
    taken: int,
    recorded_at: datetime,
    calendar: WorkCalendar,
    timezone: str,
) -> Iterator[tuple[int, datetime]]:
    """The number and the time of each repetition after number `taken`, without end.

    The step itself is at `first_at`. Hours count in `calendar`; days are calendar days in `timezone`. If no repetition
    was taken, those at or before `recorded_at` are left out: the complaint was not on record then.
    """
    number = taken or _count_until(repeat, first_at, recorded_at, calendar, timezone)
    if repeat.seconds is None:
        while True:
            number += 1
            yield number, _day_at(repeat, first_at, number, timezone)
    at = _add_time(first_at, repeat.seconds * number, calendar)
    while True:
        number, at = number + 1, _add_time(at, repeat.seconds, calendar)
        yield number, at


def _count_until(
    repeat: Repeat, first_at: datetime, end: datetime, calendar: WorkCalendar, timezone: str
) -> int:
    """The number of repetitions at or before `end`."""
    if end <= first_at:
        return 0
    if repeat.seconds is not None:
        return int(working_time.elapsed_seconds(first_at, end, calendar) // repeat.seconds)
    number = (end - first_at).days // (
        repeat.days or 1
    ) + 1  # a day may have 25 hours, so this may be one too many
    while number > 0 and _day_at(repeat, first_at, number, timezone) > end:
        number -= 1
    return number


def _day_at(repeat: Repeat, first_at: datetime, number: int, timezone: str) -> datetime:
    return local_dates.shift_days(first_at, (repeat.days or 0) * number, timezone)


def _add_time(start: datetime, seconds: int, calendar: WorkCalendar) -> datetime:
    at = working_time.add_time(start, seconds, calendar)
    assert at is not None  # only an endless pause leaves a time open
    return at
