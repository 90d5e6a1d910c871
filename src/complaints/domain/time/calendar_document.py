"""Reads and writes working calendars as JSON documents."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

from complaints.domain.errors import Fault, InvalidContent, escape_pointer
from complaints.domain.time.calendars import WEEKDAYS, Span, WorkCalendar
from complaints.domain.time.zones import DAY_SECONDS, find_zone

_SPANS_A_DAY = 96
_MEMBERS = frozenset({"timezone", "hours", "holidays", "overrides"})
_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def parse_calendar(
    document: Mapping[str, object], *, pointer: str = "", name: str | None = None
) -> WorkCalendar:
    """The calendar in a JSON document, as in `POST /v1/deadlines/preview`. A null member counts as absent.

    `timezone` is required. `hours` has spans by weekday, `mon` to `sun`. `holidays` is a list of dates, or a
    mapping of dates to names. `overrides` has spans by date. Raises InvalidContent with all faults, at their
    JSON pointers below `pointer`.
    """
    return _Reader(pointer).calendar(document, name)


class _Reader:
    """Reads one document and collects its faults."""

    def __init__(self, pointer: str) -> None:
        self._root = pointer
        self._faults: list[Fault] = []

    def calendar(self, document: object, name: str | None) -> WorkCalendar:
        if not isinstance(document, Mapping):
            raise InvalidContent.at(self._root, "Must be an object.")
        members = self._mapping(document, self._root)
        for member in members.keys() - _MEMBERS:
            self._fault(
                f"{self._root}/{escape_pointer(member)}",
                f"Unknown member: a calendar has {', '.join(sorted(_MEMBERS))}.",
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
        self._fault(f"{self._root}/timezone", "Must be an IANA time zone such as Asia/Shanghai or UTC.")
        return "UTC"

    def _hours(self, value: object) -> dict[int, tuple[Span, ...]] | None:
        if value is None:
            return None
        pointer = f"{self._root}/hours"
        hours = {}
        for key, spans in self._mapping(value, pointer).items():
            if key not in WEEKDAYS:
                self._fault(
                    f"{pointer}/{escape_pointer(key)}", f"Unknown weekday: use {', '.join(WEEKDAYS)}."
                )
            elif spans is not None:
                hours[WEEKDAYS.index(key)] = self._spans(spans, f"{pointer}/{escape_pointer(key)}")
        return hours

    def _holidays(self, value: object) -> dict[date, str]:
        pointer = f"{self._root}/holidays"
        if isinstance(value, Mapping):
            named = ((str(key), key, label) for key, label in value.items())
        elif value is None or isinstance(value, list | tuple):
            named = ((str(index), on, None) for index, on in enumerate(value or ()))
        else:
            self._fault(pointer, "Must be a list of dates, or an object of dates and names.")
            return {}
        holidays = {}
        for key, on, label in named:
            found = self._date(on, f"{pointer}/{escape_pointer(key)}")
            if label is not None and not isinstance(label, str):
                self._fault(f"{pointer}/{escape_pointer(key)}", "The name of a holiday must be text.")
            elif found is not None:
                holidays[found] = label or ""
        return holidays

    def _overrides(self, value: object) -> dict[date, tuple[Span, ...]]:
        pointer = f"{self._root}/overrides"
        if value is not None and not isinstance(value, Mapping):
            self._fault(pointer, "Must be an object of dates and spans.")
            return {}
        overrides = {}
        for key, spans in (value or {}).items():
            on = self._date(key, f"{pointer}/{escape_pointer(str(key))}")
            if on is not None and spans is not None:
                overrides[on] = self._spans(spans, f"{pointer}/{escape_pointer(str(key))}")
        return overrides

    def _date(self, value: object, pointer: str) -> date | None:
        if isinstance(value, date) and not isinstance(
            value, datetime
        ):  # a caller may pass dates instead of text
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
        read = ((self._span(span, f"{pointer}/{index}"), index) for index, span in enumerate(value))
        spans = sorted((span, index) for span, index in read if span is not None)
        for (earlier, _), (later, index) in pairwise(spans):
            if later[0] < earlier[1]:
                self._fault(f"{pointer}/{index}", "Overlaps another span of that day: make them one.")
        return tuple(span for span, _ in spans)

    def _span(self, value: object, pointer: str) -> Span | None:
        if not isinstance(value, list | tuple) or len(value) != 2:
            self._fault(pointer, 'Must be a pair of times such as ["09:00", "18:00"].')
            return None
        start, end = (self._time(time, f"{pointer}/{index}", index) for index, time in enumerate(value))
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
            if seconds < DAY_SECONDS or (seconds == DAY_SECONDS and index == 1):
                return seconds
        self._fault(pointer, "Must be a time from 00:00 to 23:59, or 24:00 as an end.")
        return None


def _find_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def calendar_document(calendar: WorkCalendar) -> dict[str, object]:
    """The calendar as plain JSON data. `parse_calendar` reads it back."""
    hours = calendar.hours
    return {
        "timezone": calendar.timezone,
        "hours": None
        if hours is None
        else {WEEKDAYS[day]: _span_texts(spans) for day, spans in hours.items()},
        "holidays": {day.isoformat(): name for day, name in sorted(calendar.holidays.items())},
        "overrides": {
            day.isoformat(): _span_texts(spans) for day, spans in sorted(calendar.overrides.items())
        },
    }


def _span_texts(spans: Sequence[Span]) -> list[list[str]]:
    return [[_time_text(start), _time_text(end)] for start, end in spans]


def _time_text(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    tail = f":{second:02d}" if second else ""
    return f"{minutes // 60:02d}:{minutes % 60:02d}{tail}"
