"""The member `calendars` of a policy document: stored calendars by name, and calendars that are written out."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    InstanceOf,
    ModelWrapValidatorHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    model_validator,
)

from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.policy.checks import PlacedFault
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import CALENDAR_YEARS, WorkCalendar, always_open, check_stays_open
from complaints.use_cases.policy_document.fields import (
    TRUTH_VALUE,
    Members,
    choose_word,
    items,
    mapping,
    read_with,
    split_pointer,
    text,
    whole_number,
)
from complaints.use_cases.policy_document.reading_context import ReadingContext

_CALENDAR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class HolidayTableMembers(Members):
    """The source of the holidays of one year."""

    year: Annotated[int, whole_number(CALENDAR_YEARS.start, CALENDAR_YEARS.stop - 1)]
    source: Annotated[str, text(500)]
    confirmed: Annotated[bool, TRUTH_VALUE]


class CalendarMembers(BaseModel):
    """A calendar: a stored one that `use` names, or one that is written out in the policy."""

    calendar: InstanceOf[WorkCalendar]
    holiday_tables: Annotated[tuple[HolidayTableMembers, ...], items(0, 100)] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _read(
        cls, value: object, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo[Any]
    ) -> Self:
        given = mapping(value)
        calendar, faults = always_open("UTC"), list[PlacedFault]()
        try:
            calendar = _read_calendar(given, info.context)
        except InvalidContent as refused:
            found = refused.faults or [Fault("", refused.detail)]
            faults = [(split_pointer(fault.pointer), fault.message) for fault in found]
        tables = given.get("holiday_tables")
        read = {"calendar": calendar, "holiday_tables": [] if tables is None else tables}
        return read_with(handler, read, faults)


def _read_calendar(given: Mapping[str, Any], context: ReadingContext) -> WorkCalendar:
    """The calendar of these members. Raises InvalidContent, also if it stays closed for a year (rule 2.5)."""
    if "use" in given:
        calendar = _choose_stored_calendar(given, context)
    elif "hours" in given:
        document = {name: member for name, member in given.items() if name != "holiday_tables"}
        calendar = parse_calendar(document | {"timezone": given.get("timezone") or context.timezone})
    else:
        raise InvalidContent.at("", "lacks 'hours'; write 'hours: null' for a calendar that is always open")
    if context.effective_at is not None:
        check_stays_open(calendar, first_on=context.effective_at.date() - timedelta(days=1))
    return calendar


def _choose_stored_calendar(given: Mapping[str, Any], context: ReadingContext) -> WorkCalendar:
    if len(given) > 1:
        raise InvalidContent.at(
            "", "'use' takes a stored calendar as it is; remove the other members or write all of them here"
        )
    try:
        return context.stored_calendars[
            choose_word(given["use"], "stored calendar", context.stored_calendars)
        ]
    except ValueError as error:
        raise InvalidContent.at("/use", str(error)) from error


def read_calendars(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
    """The calendars of a policy by name. It is a wrap validator."""
    given = mapping(value)
    named = {name: member for name, member in given.items() if _CALENDAR_NAME.fullmatch(name)}
    message = "a calendar's name must be 1 to 64 letters, digits, '_', '-' and '.'"
    return read_with(handler, named, [((name,), message) for name in given if name not in named])
