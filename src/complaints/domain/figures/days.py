"""Local days, weeks and months as numbers, and the keys that show them."""

import re
from datetime import date, datetime, timedelta, tzinfo

from complaints.domain.figures.answers import GroupBy
from complaints.domain.time.zones import EPOCH_ORDINAL

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_TO_MONDAY = 3  # 1970-01-01 was a Thursday


def day_number(day: date) -> int:
    """The days from 1970-01-01 to a date."""
    return day.toordinal() - EPOCH_ORDINAL


def date_of(number: int) -> date:
    """The date with this number."""
    return date.fromordinal(number + EPOCH_ORDINAL)


def local_day(at: datetime, zone: tzinfo) -> tuple[int, int]:
    """The number of the local day of an instant, and its month as 202610."""
    local = at.astimezone(zone)
    return local.toordinal() - EPOCH_ORDINAL, local.year * 100 + local.month


def day_key(number: int) -> str:
    """The key of a day: 2026-10-01."""
    return date_of(number).isoformat()


def read_day(key: str) -> int:
    """The number of the day with this key. Raises ValueError."""
    return day_number(date.fromisoformat(key))


def week_key(number: int) -> str:
    """The key of a week, as ISO 8601 counts them: 2026-W40. `number` counts weeks from Monday 1969-12-29."""
    year, week, _ = date_of(number * 7 - _TO_MONDAY).isocalendar()
    return f"{year}-W{week:02}"


def read_week(key: str) -> int:
    """The number of the week with this key. Raises ValueError."""
    found = _WEEK.fullmatch(key)
    if found is None:
        raise ValueError(f"{key!r} is no week such as 2026-W40")
    monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
    return (day_number(monday) + _TO_MONDAY) // 7


def month_key(number: int) -> str:
    """The key of a month: 2026-10."""
    return f"{number // 100}-{number % 100:02}"


def read_month(key: str) -> int:
    """The number of the month with this key. Raises ValueError."""
    found = _MONTH.fullmatch(key)
    if found is None or not 1 <= int(found[2]) <= 12:
        raise ValueError(f"{key!r} is no month such as 2026-10")
    return int(found[1]) * 100 + int(found[2])


def period_before(from_on: date, to_on: date) -> tuple[date, date]:
    """The period of the same number of days that ends where this one begins."""
    return from_on - timedelta(days=(to_on - from_on).days), from_on


def period_days(group_by: GroupBy, number: int) -> tuple[int, int]:
    """The first day of a day, week or month, and the day after its last one. Raises ValueError for other groups."""
    match group_by:
        case GroupBy.DAY:
            return number, number + 1
        case GroupBy.WEEK:
            return number * 7 - _TO_MONDAY, number * 7 - _TO_MONDAY + 7
        case GroupBy.MONTH:
            year, month = divmod(number, 100)
            following = date(year + month // 12, month % 12 + 1, 1)
            return day_number(date(year, month, 1)), day_number(following)
        case _:
            raise ValueError(f"{group_by} is no period")
