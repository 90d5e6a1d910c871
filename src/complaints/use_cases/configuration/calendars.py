"""Stored calendars, which policy documents may name.

A policy takes in the calendar as it is when applied, so a calendar changed later changes no deadline until a
policy is applied again.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from complaints.domain.errors import InvalidContent, NotFound
from complaints.domain.time.calendar_document import calendar_document, parse_calendar
from complaints.domain.time.calendars import WorkCalendar, check_opens
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller
from complaints.use_cases.configuration.changing import claim_to_change
from complaints.use_cases.service import Service

_YEARS = range(1900, 2200)
_MOST_DAYS = 5_000
_DAY = timedelta(days=1)


def load_calendar(configuration: Configuration, code: str) -> WorkCalendar:
    """The calendar. Raises NotFound."""
    if (found := configuration.calendars.get(code)) is None:
        raise NotFound(f"There is no calendar {code!r}.")
    return found


def put_calendar(
    service: Service, tx: Transaction, caller: Caller, code: str, document: Mapping[str, object]
) -> tuple[WorkCalendar, bool]:
    """Make or replace a calendar: it, and whether it is new.

    Raises InvalidContent for a faulty document, or one that stays closed for 366 days (rule 2.5).
    """
    configuration = claim_to_change(service, tx, caller)
    calendar = parse_calendar(document)
    _check_stays_open(calendar, tx.now)
    new = code not in configuration.calendars
    values = {"document": calendar_document(calendar)}
    if new:
        configuration_rows.insert_row(tx, configuration_rows.calendar, {"code": code, **values})
    else:
        configuration_rows.update_row(tx, configuration_rows.calendar, code, values)
    configuration_rows.raise_version(tx)
    return calendar, new


def _check_stays_open(calendar: WorkCalendar, now: datetime) -> None:
    dated = {*calendar.holidays, *calendar.overrides}
    if len(dated) > _MOST_DAYS:
        raise InvalidContent(f"A calendar has at most {_MOST_DAYS} holidays and overrides.")
    far = next((day for day in sorted(dated) if day.year not in _YEARS), None)
    if far is not None:
        raise InvalidContent(f"{far} is too far away: holidays and overrides are from 1900 to 2199.")
    for day in _starts(dated, now.date() - _DAY):
        check_opens(calendar, start_on=day, pointer="/hours")


def _starts(dated: set[date], first_on: date) -> list[date]:
    """Where a long time without an open hour may begin: now, and at and after each row of special days."""
    coming = sorted(day for day in dated if day > first_on)
    return [
        first_on,
        *(day for day in coming if day - _DAY not in dated),
        *(day + _DAY for day in coming if day + _DAY not in dated),
    ]
