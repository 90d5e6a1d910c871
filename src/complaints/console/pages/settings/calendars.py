"""The calendars: the stored ones, which documents can name, and those that policies took in. A month of each."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from complaints.console.forms import FormFields, SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import FieldKind, FormField, make_field
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    read_configuration,
    show_part,
)
from complaints.console.pages.settings.sheets import Sheet, make_sheet, saved, send_sheet, show_sheet
from complaints.console.views.clock_badges import Tone
from complaints.console.views.months import show_month, write_spans
from complaints.console.views.tables import Cell, Table, TableFact
from complaints.domain.errors import InvalidContent, NotFound
from complaints.domain.policy.policy import HolidayTable
from complaints.domain.time.calendars import CALENDAR_YEARS, WEEKDAYS, WorkCalendar
from complaints.domain.time.zones import zone_of
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.configuration import calendars
from complaints.use_cases.service import Transaction

router = APIRouter()
PART = "calendars"
Month = Annotated[str | None, Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]


class CalendarCode(Content):
    """The code of a new calendar."""

    code: Identifier


@router.get("/calendars")
def list_calendars(request: SignedIn) -> Response:
    """The stored calendars, and those of the policies in force now or later."""
    open_part(request, PART)
    configuration = read_configuration(request)
    words, now = request.locale.texts.settings, request.read(lambda tx: tx.now)
    heads = (words.heads.calendar, words.heads.zone, words.heads.week, words.heads.holidays)
    stored = [
        _row(request, code, address_of(PART, code), calendar, ())
        for code, calendar in sorted(configuration.calendars.items())
    ]
    taken_in = [
        _row(
            request,
            f"{policy.code} · {policy.version} · {name}",
            address_of("policies", policy.code, policy.version, "calendars", name),
            calendar,
            policy.holiday_tables.get(name, ()),
        )
        for policy in configuration.side_by_side.list_now_or_later(now)
        for name, calendar in policy.calendars.items()
    ]
    tables = [
        Table(heads, stored, words.stored_calendars, words.empty.calendars, words.notes.stored_calendars),
        Table(heads, taken_in, words.taken_in_calendars, words.empty.calendars),
    ]
    buttons = [button(request, "new_calendar", address_of(PART, "new"), Right.CONFIGURE)]
    return show_part(request, PART, note=words.notes.calendars, buttons=buttons, tables=tables)


def _row(
    request: PageRequest, name: str, address: str, calendar: WorkCalendar, tables: Sequence[HolidayTable]
) -> tuple[Cell, ...]:
    return (
        Cell(name, address),
        Cell(calendar.timezone),
        Cell(_week_words(request, calendar)),
        _holidays_cell(request, calendar, tables),
    )


def _week_words(request: PageRequest, calendar: WorkCalendar) -> str:
    """The weekly hours, days with the same hours together: `Mon–Fri 09:00-18:00`."""
    if calendar.hours is None:
        return str(request.locale.texts.settings.days.always)
    names = request.locale.texts.common.dates.weekdays
    runs: list[tuple[int, int, str]] = []
    for weekday in range(7):
        spans = write_spans(calendar.hours.get(weekday, ()))
        if runs and runs[-1][2] == spans:
            runs[-1] = (runs[-1][0], weekday, spans)
        else:
            runs.append((weekday, weekday, spans))
    shown = [
        (names[first] if first == last else f"{names[first]}–{names[last]}") + f" {spans}"
        for first, last, spans in runs
        if spans
    ]
    return "; ".join(shown)


def _holidays_cell(request: PageRequest, calendar: WorkCalendar, tables: Sequence[HolidayTable]) -> Cell:
    """The years with holidays. A year whose holidays are not confirmed warns."""
    words = request.locale.texts.settings
    if tables:
        doubtful = [str(table.year) for table in tables if not table.confirmed]
        note = " · ".join(f"{table.year}: {table.source}" for table in tables)
        if doubtful:
            comma = str(words.list_comma)
            return Cell(
                str(words.years_unconfirmed).format(years=comma.join(doubtful)), note=note, tone=Tone.SOON
            )
        return Cell(words.confirmed, note=note, tone=Tone.MET)
    years = sorted({day.year for day in calendar.holidays})
    return Cell(", ".join(str(year) for year in years) or "–")


# One calendar -----------------------------------------------------------------------------------------------


@router.get("/calendars/new")
def show_new(request: SignedIn) -> Response:
    """The empty form of a calendar."""
    sheet = _new_sheet(request)
    return show_sheet(request, sheet, {"timezone": request.locale.zone})


@router.post("/calendars/new")
def create_calendar(request: SignedIn, form: SentForm) -> Response:
    """Make a calendar."""
    return send_sheet(request, _new_sheet(request), form, lambda tx: _put_new(request, tx, form))


@router.get("/calendars/{code}")
def show_calendar(request: SignedIn, code: str, month: Month = None) -> Response:
    """A stored calendar: its week, a month, its holidays and its other days."""
    open_part(request, PART)
    calendar = calendars.load_calendar(read_configuration(request), code)
    buttons = [button(request, "change", address_of(PART, code, "change"), Right.CONFIGURE)]
    return _show(request, PART, code, calendar, (), month, buttons)


@router.get("/policies/{code}/{version}/calendars/{name}")
def show_calendar_of_policy(
    request: SignedIn, code: str, version: Annotated[int, Path(ge=1)], name: str, month: Month = None
) -> Response:
    """A calendar that a policy took in."""
    open_part(request, "policies")
    policy = read_configuration(request).policy(code, version)
    if name not in policy.calendars:
        raise NotFound(f"There is no calendar {name!r}.")
    tables = policy.holiday_tables.get(name, ())
    return _show(
        request, "policies", f"{code} · {version} · {name}", policy.calendars[name], tables, month, []
    )


def _show(
    request: PageRequest,
    part: str,
    title: str,
    calendar: WorkCalendar,
    tables: Sequence[HolidayTable],
    month: str | None,
    buttons: Sequence[Any],
) -> Response:
    words = request.locale.texts.settings
    first = _first_of(month, calendar, request.read(lambda tx: tx.now))
    heads = words.heads
    facts = [
        TableFact(heads.zone, Cell(calendar.timezone)),
        TableFact(heads.week, Cell(_week_words(request, calendar))),
        TableFact(heads.holidays, _holidays_cell(request, calendar, tables)),
    ]
    year_days = sorted({*calendar.holidays, *calendar.overrides})
    rows = [_special_row(request, calendar, day) for day in year_days if day.year == first.year]
    special = Table(
        (heads.day, heads.kind, heads.hours),
        rows,
        str(words.special_days).format(year=first.year),
        words.empty.special_days,
    )
    return show_part(
        request,
        part,
        "settings/calendar.html",
        title=title,
        buttons=buttons,
        facts=facts,
        tables=[special],
        month=show_month(calendar, first, request.locale),
    )


def _first_of(month: str | None, calendar: WorkCalendar, now: datetime) -> date:
    """The first day of the month that is asked for, else of the present month in the zone of the calendar."""
    if month is None:
        return now.astimezone(zone_of(calendar.timezone).info).date().replace(day=1)
    year, number = (int(part) for part in month.split("-"))
    if year not in CALENDAR_YEARS:
        raise NotFound("There is nothing at this address.")
    return date(year, number, 1)


def _special_row(request: PageRequest, calendar: WorkCalendar, day: date) -> tuple[Cell, ...]:
    words = request.locale.texts.settings.days
    shown = Cell(request.locale.day(day))
    if day in calendar.overrides:
        spans = calendar.overrides[day]
        return shown, Cell(words.special), Cell(write_spans(spans) or words.closed)
    return shown, Cell(words.holiday), Cell(calendar.holidays[day] or words.closed)


# Forms ------------------------------------------------------------------------------------------------------


def _fields(request: PageRequest) -> Iterator[FormField]:
    locale = request.locale
    yield make_field(locale, "timezone", required=True)
    yield make_field(locale, "always", FieldKind.SWITCH)
    for number, name in enumerate(WEEKDAYS):
        hint = locale.texts.settings.hints.hours if number == 0 else ""
        label = locale.texts.common.dates.weekdays[number]
        yield FormField(name=f"hours.{name}", label=label, hint=hint)
    yield make_field(locale, "holidays", FieldKind.AREA)
    yield make_field(locale, "overrides", FieldKind.AREA)


def _new_sheet(request: PageRequest) -> Sheet:
    request.caller.require(Right.CONFIGURE)
    fields = (
        make_field(
            request.locale, "code", required=True, hint=request.locale.texts.settings.hints.identifier
        ),
        *_fields(request),
    )
    return make_sheet(request, "new_calendar", PART, back=address_of(PART), fields=fields)


def _change_sheet(request: PageRequest, code: str) -> Sheet:
    request.caller.require(Right.CONFIGURE)
    back = address_of(PART, code)
    return make_sheet(request, "change_calendar", PART, back=back, fields=tuple(_fields(request)), code=code)


@router.get("/calendars/{code}/change")
def show_change(request: SignedIn, code: str) -> Response:
    """The form of a calendar."""
    sheet = _change_sheet(request, code)
    calendar = calendars.load_calendar(read_configuration(request), code)
    return show_sheet(request, sheet, dict(_written(calendar)))


@router.post("/calendars/{code}/change")
def change_calendar(request: SignedIn, code: str, form: SentForm) -> Response:
    """Replace a calendar."""

    def work(tx: Transaction) -> str:
        calendars.put_calendar(request.service, tx, request.caller, code, _document(form))
        return saved(address_of(PART, code))

    return send_sheet(request, _change_sheet(request, code), form, work)


def _put_new(request: PageRequest, tx: Transaction, form: FormFields) -> str:
    code = read_command(CalendarCode, {"code": form.text("code").strip()}).code
    if code in request.service.cache.claim(tx).calendars:
        raise InvalidContent.at("/code", f"There is a calendar {code!r} already.")
    calendars.put_calendar(request.service, tx, request.caller, code, _document(form))
    return saved(address_of(PART, code))


def _written(calendar: WorkCalendar) -> Iterator[tuple[str, Any]]:
    """The fields of a calendar as texts."""
    yield "timezone", calendar.timezone
    yield "always", calendar.hours is None
    for number, name in enumerate(WEEKDAYS):
        yield f"hours.{name}", write_spans((calendar.hours or {}).get(number, ()))
    yield "holidays", "\n".join(f"{day} {name}".strip() for day, name in sorted(calendar.holidays.items()))
    lines = (f"{day} {write_spans(spans)}".strip() for day, spans in sorted(calendar.overrides.items()))
    yield "overrides", "\n".join(lines)


def _document(form: FormFields) -> dict[str, object]:
    """The fields as a document of a calendar. What cannot be read stays as it is, so the document is refused."""
    hours = {name: _read_spans(form.text(f"hours.{name}")) for name in WEEKDAYS}
    return {
        "timezone": form.text("timezone").strip(),
        "hours": None if form.text("always") else {name: spans for name, spans in hours.items() if spans},
        "holidays": dict(_read_lines(form.text("holidays"))),
        "overrides": {day: _read_spans(text) for day, text in _read_lines(form.text("overrides"))},
    }


def _read_spans(text: str) -> list[list[str]]:
    parts = text.replace("，", ",").replace("–", "-").split(",")
    return [[time.strip() for time in part.split("-")] for part in parts if part.strip()]


def _read_lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        day, _, rest = line.strip().partition(" ")
        if day:
            yield day, rest.strip()
