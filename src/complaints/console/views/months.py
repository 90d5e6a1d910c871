"""A month of a working calendar: its days in weeks, each open, closed, a holiday, or a day made up for."""

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from complaints.console.locale import Locale
from complaints.domain.time.calendars import Span, WorkCalendar

_WEEKS = Calendar()


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of the month. `kind` is `open`, `closed`, `holiday`, `made_up` or `shortened`. `words` say more."""

    number: int
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class ShownMonth:
    """A month: weeks from Monday to Sunday with None outside the month. `before` and `after` are like `2026-11`."""

    title: str
    weeks: Sequence[Sequence[MonthDay | None]]
    before: str
    after: str


def show_month(calendar: WorkCalendar, first: date, locale: Locale) -> ShownMonth:
    """The month that begins with `first`."""
    weeks = [
        [_day(calendar, day, locale) if day.month == first.month else None for day in week]
        for week in _WEEKS.monthdatescalendar(first.year, first.month)
    ]
    months = locale.texts.common.dates.months
    title = str(locale.texts.settings.month_title).format(month=months[first.month - 1], year=first.year)
    return ShownMonth(
        title, weeks, _name(first - timedelta(days=1)), _name((first + timedelta(days=32)).replace(day=1))
    )


def _name(day: date) -> str:
    return f"{day:%Y-%m}"


def _day(calendar: WorkCalendar, day: date, locale: Locale) -> MonthDay:
    words = locale.texts.settings.days
    usual = () if calendar.hours is None else calendar.hours.get(day.weekday(), ())
    if calendar.hours is None:
        return MonthDay(day.day, "open", words.always)
    if day in calendar.overrides:
        spans = calendar.overrides[day]
        kind = "shortened" if not spans or usual else "made_up"
        return MonthDay(day.day, kind, write_spans(spans) or words.closed)
    if day in calendar.holidays:
        return MonthDay(day.day, "holiday", calendar.holidays[day] or words.holiday)
    return MonthDay(day.day, "open" if usual else "closed", write_spans(usual) or words.closed)


def write_spans(spans: Sequence[Span]) -> str:
    """Spans of a day as `09:00-12:00, 13:00-18:00`."""
    return ", ".join(f"{_time(start)}-{_time(end)}" for start, end in spans)


def _time(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
