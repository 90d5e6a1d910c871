"""Dates written as numbers: the days of a spreadsheet (serial numbers) and the seconds of Unix time (epochs)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_NUMBER = re.compile(r"([0-9]{1,20})(?:[.,]([0-9]{1,20}))?")
_LEAP_DAY_1900 = 60  # a spreadsheet counts this day, which never was
_LAST_SECOND = 253_402_300_799
_OFFERED_YEARS = range(1990, 2100)


def _number(text: str) -> Decimal:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError("it is no number")
    return Decimal(f"{found[1]}.{found[2] or 0}")


def _add(start: datetime, *, microseconds: Decimal) -> datetime:
    try:
        return start + timedelta(microseconds=int(microseconds))
    except OverflowError as exc:
        raise ValueError("there is no such date") from exc


def _read_excel(text: str) -> datetime:
    """The local time of a serial number of a spreadsheet, to the second."""
    days = _number(text)
    if days <= _LEAP_DAY_1900:
        raise ValueError("there is no such date: serial numbers are read from 1900-03-01 on")
    return _add(datetime(1899, 12, 30), microseconds=round(days * 86_400) * Decimal(10**6))  # noqa: DTZ001


def _read_excel_1904(text: str) -> datetime:
    """The same for the spreadsheets that count from 1904."""
    return _add(datetime(1904, 1, 1), microseconds=round(_number(text) * 86_400) * Decimal(10**6))  # noqa: DTZ001


def _read_epoch(text: str) -> datetime:
    """The instant of a Unix time in seconds. A larger number is in milli-, micro- or nanoseconds."""
    seconds = _number(text)
    while seconds > _LAST_SECOND:
        seconds /= 1000
    return _add(datetime(1970, 1, 1, tzinfo=UTC), microseconds=seconds * 10**6)


COUNTED_FORMATS: dict[str, Callable[[str], datetime]] = {
    "excel": _read_excel,
    "excel1904": _read_excel_1904,
    "epoch": _read_epoch,
}
"""The functions that read a number as a date, by format. Serial numbers give naive times. They raise ValueError."""


def find_count(text: str) -> tuple[str, datetime] | None:
    """The format by which a number is a date of our days, with that date. None if it is none."""
    for name in ("excel", "epoch"):
        try:
            written = COUNTED_FORMATS[name](text)
        except ValueError:
            continue
        if written.year in _OFFERED_YEARS:
            return name, written
    return None
