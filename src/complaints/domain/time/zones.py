"""Time zones, and instants as whole microseconds since 1970-01-01T00:00Z."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from complaints.domain.errors import InvalidContent
from complaints.domain.instants import MOMENT

DAY_SECONDS = 86_400
SECOND = 1_000_000
"""Microseconds, as in `DAY` and `WEEK`."""
DAY = DAY_SECONDS * SECOND
WEEK = 7 * DAY
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
FIRST_DAY = date(2, 1, 1).toordinal()
LAST_DAY = date(9998, 12, 31).toordinal()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # after this time, dates and weekdays repeat
_KNOWN_OFFSETS = 4_096
_RULES_ONLY_FROM = 2038  # from this year on, zones follow a yearly rule


class CalendarExhausted(InvalidContent):
    """No hour is open within 366 days, so the deadline would never be due."""


class TimeOutOfRange(InvalidContent):
    """An instant is outside the years 2 to 9998 (1 to 9999 for a calendar that is always open)."""


def to_microseconds(instant: datetime) -> int:
    """The microseconds from 1970 to an aware instant."""
    return (instant - _EPOCH) // MOMENT


def from_microseconds(microseconds: int) -> datetime:
    """The UTC instant that many microseconds after 1970. Raises TimeOutOfRange."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise out_of_range() from error


def out_of_range() -> TimeOutOfRange:
    """The error for an instant that a Python datetime cannot hold."""
    return TimeOutOfRange(
        "The time is too far in the past or in the future to calculate with it: choose a nearer time."
    )


@lru_cache(maxsize=1_024)
def find_zone(timezone: str) -> ZoneInfo | None:
    """The IANA zone with that name, or None. Zones with leap seconds or that depend on the machine are not known."""
    if timezone.startswith(("right/", "posix/")) or timezone in ("localtime", "posixrules", "Factory"):
        return None
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a directory such as "Europe" is an OSError
        return None


class Zone:
    """One IANA zone. A local time is the ordinal of a date and the microseconds since its midnight."""

    def __init__(self, info: ZoneInfo) -> None:
        self.info = info
        self._fixed = info.utcoffset(None) is not None
        self._uneven: dict[int, frozenset[int]] = {}
        self._steady: dict[int, int | None] = {}

    def instant(self, ordinal: int, microseconds: int = 0) -> int:
        """The instant of a local time; `microseconds` is at most a day. Raises TimeOutOfRange."""
        steady = self._steady_offset(ordinal)
        if steady is not None:
            return (ordinal - EPOCH_ORDINAL) * DAY + microseconds - steady
        try:
            wall = datetime.fromordinal(ordinal) + timedelta(microseconds=microseconds)
        except (OverflowError, ValueError) as error:
            raise out_of_range() from error
        offset = self.info.utcoffset(wall)  # fold=0 (PEP 495) gives the instant that rule 2.4 demands
        assert offset is not None
        return (ordinal - EPOCH_ORDINAL) * DAY + microseconds - offset // MOMENT

    def clock(self, instant: int) -> tuple[int, int]:
        """The local date of an instant, as an ordinal, and the microseconds since its midnight.

        Raises TimeOutOfRange.
        """
        steady = self._steady_offset(instant // DAY + EPOCH_ORDINAL)
        if steady is None:
            local = self.local(instant)
            return local.toordinal(), to_microseconds(local.replace(tzinfo=UTC)) % DAY
        day, microseconds = divmod(instant + steady, DAY)
        return day + EPOCH_ORDINAL, microseconds

    def local(self, microseconds: int) -> datetime:
        """The local time of an instant, as a datetime without a zone. Raises TimeOutOfRange."""
        try:
            local = from_microseconds(microseconds).astimezone(self.info).replace(tzinfo=None, fold=0)
        except (OverflowError, ValueError) as error:
            raise out_of_range() from error
        if not FIRST_DAY <= local.toordinal() <= LAST_DAY:
            raise out_of_range()
        return local

    def _steady_offset(self, ordinal: int) -> int | None:
        """The offset from UTC, in microseconds, if it is the same on a date, the date before and the date after."""
        if ordinal not in self._steady:
            if len(self._steady) >= _KNOWN_OFFSETS:
                self._steady.clear()
            self._steady[ordinal] = self._find_steady_offset(ordinal)
        return self._steady[ordinal]

    def _find_steady_offset(self, ordinal: int) -> int | None:
        if not FIRST_DAY < ordinal < LAST_DAY:
            return None
        around = (ordinal - 1, ordinal, ordinal + 1)
        if any(day in self.uneven(date.fromordinal(day).year) for day in around):
            return None
        offset = self._offset(ordinal)
        assert offset is not None
        return offset // MOMENT

    def uneven(self, year: int) -> frozenset[int]:
        """The dates of a year on which the offset from UTC changes, with the dates before and after them."""
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
    """The zone with that name. Raises InvalidContent for an unknown name."""
    info = find_zone(timezone)
    if info is None:
        raise InvalidContent(
            f"{timezone!r} is not an IANA time zone: use a name such as Asia/Shanghai or UTC."
        )
    return Zone(info)
