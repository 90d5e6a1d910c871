"""Reads the dates of an import by a format."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from complaints.domain.importing.counted_dates import COUNTED_FORMATS, find_count
from complaints.domain.importing.plain_text import to_plain
from complaints.domain.instants import MalformedInstant, read_instant

AnyDate = TypeVar("AnyDate", bound=date)
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_MAX_FORMAT = 100
_AFTERNOON = ("p", "下", "午後", "오후")
_HALF_DAY = r"[ap]\.?\s?m\.?|[上下]午|午[前後]|오[전후]"
_ZONE = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})(?::?([0-9]{2}))?")
_ZONE_PATTERN = r"z|[+-][0-9]{2}:?[0-9]{2}(?::?[0-9]{2})?"


def _names(words: tuple[str, ...]) -> str:
    return "|".join(f"{word}|{word[:3]}" for word in words)


_DIRECTIVES = {
    "d": "(?P<d>[0-9]{1,2})", "m": "(?P<m>[0-9]{1,2})", "y": "(?P<y>[0-9]{2})", "Y": "(?P<Y>[0-9]{4})",
    "b": f"(?P<b>{_names(_MONTHS)})", "B": f"(?P<b>{_names(_MONTHS)})",
    "H": "(?P<H>[0-9]{1,2})", "I": "(?P<I>[0-9]{1,2})", "M": "(?P<M>[0-9]{1,2})", "S": "(?P<S>[0-9]{1,2})",
    "f": "(?P<f>[0-9]{1,6})", "p": f"(?P<p>{_HALF_DAY})", "z": f"(?P<z>{_ZONE_PATTERN})",
    "a": f"(?:{_names(_DAYS)})", "A": f"(?:{_names(_DAYS)})", "%": "%",
}  # fmt: skip


def load_zone(name: str) -> ZoneInfo:
    """The IANA time zone with this name. Raises ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"'{name}' is no time zone: give an IANA name such as Europe/Berlin") from exc


class DateReader:
    """Reads dates by `date_format`, with the directives of `strptime`. Without a format it reads RFC 3339.

    The formats of `COUNTED_FORMATS` read numbers. White space, digits, dashes and colons can have any form.
    Invisible marks, and the apostrophe with which a spreadsheet marks text, do not count.

    `zone` is the time zone of dates without an offset. A local time in a gap of daylight saving moves forward
    by the gap; a local time that comes twice is the first of both. A format without a time of day means
    midnight. `numeric` is true if the format has day and month as numbers, so that they can be swapped.
    Raises ValueError for a format that does not determine a date.
    """

    def __init__(self, date_format: str | None, zone: ZoneInfo | None) -> None:
        self.date_format = date_format
        self._zone = zone
        self.numeric = False
        self._read: Callable[[str], datetime] = _read_rfc_3339
        if date_format is not None:
            self._read = self._choose_reader(date_format)

    def _choose_reader(self, date_format: str) -> Callable[[str], datetime]:
        has_offset = date_format == "epoch"
        read = COUNTED_FORMATS.get(date_format)
        if read is None:
            pattern = _compile_format(to_plain(date_format))
            has_offset = "z" in pattern.groupindex
            self.numeric = {"d", "m"} <= pattern.groupindex.keys()
            read = partial(_read_fields, pattern, date_format=date_format)
        if self._zone is None and not has_offset:
            missing = (
                f"{date_format} has no offset" if date_format in COUNTED_FORMATS else "the format has no %z"
            )
            raise MissingTimeZone(f"{missing}: give timezone, an IANA name such as Europe/Berlin")
        return read

    def swap_format(self) -> "DateReader":
        """A reader for the same format with day and month swapped."""
        other = {"%d": "%m", "%m": "%d"}
        other_format = re.sub("%.", lambda found: other.get(found[0], found[0]), self.date_format or "")
        return DateReader(other_format, self._zone)

    def read(self, text: str) -> datetime:
        """The date and time as written, naive if the text has no offset. Raises ValueError.

        The message offers `excel` or `epoch` if the text is such a number.
        """
        plain = to_plain(text).strip().removeprefix("'")
        try:
            return self._read(plain)
        except ValueError as exc:
            if (offer := self.offer(plain)) is None:
                raise
            raise ValueError(f"{exc}; {offer}") from exc

    def offer(self, text: str) -> str | None:
        """The offer to read a number by a counted format. None if `text` is none, or the format reads numbers."""
        found = None if self.date_format in COUNTED_FORMATS else find_count(to_plain(text))
        if found is None:
            return None
        name, written = found
        return f"with date_format={name} (--date-format {name}) it is {written:%Y-%m-%d %H:%M}"

    def instant(self, written: datetime) -> datetime:
        """The instant in UTC for a date and time as written. Raises ValueError."""
        if written.tzinfo is None:
            if self._zone is None:
                raise ValueError("it has no offset: write one, or give timezone")
            written = written.replace(tzinfo=self._zone)
        try:
            return written.astimezone(UTC)
        except OverflowError as exc:
            raise ValueError("it lies outside the years 1 to 9999") from exc


class MissingTimeZone(ValueError):
    """The format has no offset, and no time zone was given."""


def swap_day_and_month(written: AnyDate) -> AnyDate:
    """The date with day and month swapped, unchanged if its day is above 12."""
    return written.replace(month=written.day, day=written.month) if written.day <= 12 else written


def _compile_format(date_format: str) -> re.Pattern[str]:
    """The format as a pattern with a group for each directive.

    Raises ValueError for a format that does not determine a date.
    """
    if len(date_format) > _MAX_FORMAT:
        raise ValueError(f"a format has at most {_MAX_FORMAT} characters")
    parts = []
    for directive, space, literal in re.findall(r"%(.?)|(\s+)|([^%\s]+)", date_format, re.DOTALL):
        if literal:
            parts.append(re.escape(literal))
        elif space:
            parts.append(r"\s+")
        elif directive in _DIRECTIVES:
            parts.append(_DIRECTIVES[directive])
        else:
            raise ValueError(
                f"'%{directive}' is not one of {', '.join('%' + known for known in _DIRECTIVES)}"
            )
    try:
        pattern = re.compile("".join(parts), re.IGNORECASE | re.ASCII)
    except re.error as exc:
        raise ValueError("a part of the date stands in the format twice") from exc
    _check_complete(pattern.groupindex.keys())
    return pattern


def _check_complete(given: Iterable[str]) -> None:
    given = set(given)
    if "d" not in given or not given & {"m", "b"} or not given & {"y", "Y"}:
        raise ValueError("it needs a day (%d), a month (%m, %b or %B) and a year (%y or %Y)")
    if {"m", "b"} <= given or {"y", "Y"} <= given or {"H", "I"} <= given:
        raise ValueError("a part of the date stands in the format twice")
    if ("I" in given) != ("p" in given):
        raise ValueError("%I (hour of 12) and %p (AM or PM) need each other; %H is the hour of 24")


def _read_rfc_3339(text: str) -> datetime:
    try:
        return read_instant(text, allow_space=True, allow_local=True)
    except MalformedInstant as exc:
        raise ValueError(f"{exc} such as 2026-11-22T01:15:00Z: give date_format for another form") from exc
    except ValueError as exc:
        raise ValueError(f"there is no such date: {exc}") from exc


def _read_fields(pattern: re.Pattern[str], text: str, *, date_format: str) -> datetime:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"it does not read as {date_format}")
    parts = found.groupdict()
    try:
        return datetime(
            _year(parts),
            int(parts["m"]) if "m" in parts else _month(parts["b"]),
            int(parts["d"]),
            _hour(parts),
            int(parts.get("M", 0)),
            int(parts.get("S", 0)),
            int(parts["f"].ljust(6, "0")) if "f" in parts else 0,
            _offset(parts["z"]) if "z" in parts else None,
        )
    except ValueError as exc:
        raise ValueError(f"there is no such date: {exc}") from exc


def _year(parts: Mapping[str, str]) -> int:
    """The year. Two digits mean 1969 to 2068, as in POSIX."""
    if "Y" in parts:
        return int(parts["Y"])
    year = int(parts["y"])
    return year + (1900 if year > 68 else 2000)


def _month(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.casefold()))


def _hour(parts: Mapping[str, str]) -> int:
    if "I" not in parts:
        return int(parts.get("H", 0))
    hour = int(parts["I"])
    if not 1 <= hour <= 12:
        raise ValueError("an hour before AM or PM is 1 to 12")
    return hour % 12 + (12 if parts["p"].casefold().startswith(_AFTERNOON) else 0)


def _offset(text: str) -> timezone:
    found = _ZONE.fullmatch(text)
    if found is None:
        return UTC
    distance = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return timezone(-distance if found[1] == "-" else distance)
