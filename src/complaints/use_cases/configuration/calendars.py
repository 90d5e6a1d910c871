"""Stored calendars that policy documents can name.

A policy copies the calendar when it is applied. A later change of the calendar has no effect on deadlines until
the policy is applied again.
"""

from collections.abc import Mapping
from datetime import timedelta

from complaints.domain.errors import InvalidContent, NotFound
from complaints.domain.time.calendar_document import calendar_document, parse_calendar
from complaints.domain.time.calendars import WorkCalendar, check_special_days, check_stays_open
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller
from complaints.use_cases.configuration.changing import claim_to_change, finish_change
from complaints.use_cases.service import Service

_MOST_DAYS = 5_000


def load_calendar(configuration: Configuration, code: str) -> WorkCalendar:
    """The calendar. Raises NotFound."""
    if (found := configuration.calendars.get(code)) is None:
        raise NotFound(f"There is no calendar {code!r}.")
    return found


def put_calendar(
    service: Service, tx: Transaction, caller: Caller, code: str, document: Mapping[str, object]
) -> tuple[WorkCalendar, bool]:
    """Create or replace a calendar. Returns it, and true if it is new.

    Raises InvalidContent for a document with faults, and for a calendar that stays closed for 366 days
    (rule 2.5).
    """
    configuration = claim_to_change(service, tx, caller)
    calendar = parse_calendar(document)
    if len({*calendar.holidays, *calendar.overrides}) > _MOST_DAYS:
        raise InvalidContent(f"A calendar has at most {_MOST_DAYS} holidays and overrides.")
    check_special_days(calendar)
    check_stays_open(calendar, first_on=tx.now.date() - timedelta(days=1), pointer="/hours")
    new = code not in configuration.calendars
    values = {"document": calendar_document(calendar)}
    if new:
        configuration_rows.insert_row(tx, configuration_rows.calendar, {"code": code, **values})
    else:
        configuration_rows.update_row(tx, configuration_rows.calendar, code, values)
    finish_change(tx, caller, AuditSubject.CALENDAR, code)
    return calendar, new
