"""The same local time on another date: some days or months later (rules 2.4 and 2.7).

Arguments are aware instants in any zone. Results are in UTC and exact to the microsecond.
"""

from calendar import monthrange
from datetime import date, datetime

from complaints.domain.time.zones import TimeOutOfRange, Zone, from_microseconds, to_microseconds, zone_of


def shift_days(instant: datetime, days: int, timezone: str) -> datetime:
    """The same local time `days` later, or earlier if negative (rule 2.4).

    Raises TimeOutOfRange, and InvalidContent for an unknown zone.
    """
    return shift_local(instant, timezone, days=days)


def add_months(instant: datetime, months: int, timezone: str) -> datetime:
    """The same local time `months` later, or on the last day of a shorter month (rule 2.7).

    Raises TimeOutOfRange, and InvalidContent for an unknown zone.
    """
    return shift_local(instant, timezone, months=months)


def shift_local(instant: datetime, timezone: str, *, months: int = 0, days: int = 0) -> datetime:
    """The same local time `months` and then `days` later. The time between the two shifts need not exist.

    Raises TimeOutOfRange, and InvalidContent for an unknown zone.
    """
    return from_microseconds(
        shift_microseconds(zone_of(timezone), to_microseconds(instant), months=months, days=days)
    )


def shift_microseconds(zone: Zone, instant: int, *, months: int, days: int) -> int:
    """As `shift_local`, for an instant in microseconds."""
    if not months and not days:
        return instant  # without a shift, the second instant of a DST fold stays as it is
    ordinal, time_of_day = zone.clock(instant)
    return zone.instant((_months_later(ordinal, months) if months else ordinal) + days, time_of_day)


def _months_later(ordinal: int, months: int) -> int:
    """The same day of a later month, or the last day of a shorter one."""
    on = date.fromordinal(ordinal)
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise TimeOutOfRange("So many months lead out of the calendar: choose fewer.")
    day = min(on.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, day).toordinal()
