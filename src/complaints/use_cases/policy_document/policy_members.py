"""The members of a policy document as pydantic models (rules 4.2 to 4.5, docs/policies.md).

`document` reads documents with them. Members are read from top to bottom: time zone, effective date
and calendars go into the context, because later members depend on them.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)

from complaints.domain.complaint.identity import is_phone_region
from complaints.domain.instants import read_instant
from complaints.domain.policy.checks import PlacedFault, route_faults
from complaints.domain.policy.side_by_side import CHOOSING_MEMBERS
from complaints.domain.time.calendars import CALENDAR_YEARS
from complaints.domain.time.zones import find_zone
from complaints.domain.vocabulary import (
    AccessRole,
    AssignmentMethod,
    Cause,
    Channel,
    ContactAfterEnd,
    Priority,
    Severity,
)
from complaints.use_cases.policy_document.calendar_members import CalendarMembers, read_calendars
from complaints.use_cases.policy_document.deadline_members import RuleMembers, read_rules
from complaints.use_cases.policy_document.fields import (
    TRUTH_VALUE,
    Members,
    checked,
    choose_word,
    every,
    fitting,
    items,
    mapping,
    member_of,
    name_of,
    parsed,
    read_text,
    read_with,
    text,
    whole_number,
    word,
)
from complaints.use_cases.policy_document.reading_context import ReadingContext
from complaints.use_cases.policy_document.shared_members import (
    FOR_SOME,
    AnyTarget,
    Category,
    FollowUpPlan,
    PlanMembers,
    PriorityWord,
    TargetMembers,
    TargetWithoutCalendar,
    Team,
    Text,
    Texts,
)

_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_CODE_MESSAGE = "must be 1 to 64 lower-case letters, digits, '_', '-' and '.', such as 'telecom-handbook'"
_TIMEZONE_MESSAGE = "'{}' is not an IANA time zone such as Asia/Shanghai or UTC"
_PHONE_REGION_MESSAGE = "must be the two letters of a country, in upper case, such as 'CN'"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_MOST_VALUES = 1000  # of a member of `applies_to`
_RAISED_BY = ("vulnerable", "repeat", "regulator")


def _parse_instant(written: str) -> datetime:
    instant = None
    with suppress(ValueError):
        instant = read_instant(written, allow_minutes=True)
    if instant is None or instant.year not in CALENDAR_YEARS:
        raise ValueError("must be an instant with its offset, such as 2026-10-01T00:00:00+08:00")
    return instant.astimezone(UTC)


def _check_end(instant: datetime, info: ValidationInfo[ReadingContext]) -> datetime:
    begin = info.context.effective_at
    if begin is not None and instant <= begin:
        raise ValueError("must be later than 'effective_at'")
    return instant


def _placeholder_faults(texts: Mapping[str, str]) -> Iterator[PlacedFault]:
    for language, written in texts.items():
        for placeholder in set(_PLACEHOLDER.findall(written)) - {"{number}"}:
            yield (language,), f"unknown placeholder '{placeholder[:60]}'; '{{number}}' is the only one"


class PrioritiesMembers(Members):
    """How a priority is derived."""

    from_severity: Annotated[dict[Severity, PriorityWord], every(Severity)]
    raised_by: Annotated[frozenset[Annotated[str, word("reason", _RAISED_BY)]], items(0, len(_RAISED_BY))]
    repeat_window_days: Annotated[int, whole_number(1, 3660)]


class RouteMembers(Members):
    """A route to a team."""

    team: Team
    cause: Annotated[Cause, member_of(Cause)] | None = None
    category: Category | None = None
    region: Text | None = None

    @classmethod
    def faults_of(cls, given: Mapping[str, Any]) -> Iterator[PlacedFault]:
        """A route without a condition would fit every complaint."""
        if all(given.get(name) is None for name in ("cause", "category", "region")):
            yield (), "fits every complaint; that is what 'default_team' is for"


Routes = Annotated[
    tuple[RouteMembers, ...],
    items(0, 1000),
    checked(lambda routes: route_faults([(route.cause, route.category, route.region) for route in routes])),
]


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


_values = (
    AfterValidator(lambda values: tuple(dict.fromkeys(values))),
    items(1, _MOST_VALUES),
    BeforeValidator(_as_list),
)
Codes = Annotated[tuple[Text, ...], *_values]
Channels = Annotated[tuple[Annotated[Channel, member_of(Channel)], ...], *_values]
Categories = Annotated[tuple[Category, ...], *_values]


class AppliesToMembers(Members):
    """The complaints that a policy is for. Each member has one value or a list of values."""

    region: Codes | None = None
    source: Codes | None = None
    channel: Channels | None = None
    category: Categories | None = None

    @classmethod
    def faults_of(cls, given: Mapping[str, Any]) -> Iterator[PlacedFault]:
        """Without a member it would fit every complaint."""
        if all(given.get(name) is None for name in CHOOSING_MEMBERS):
            yield (), "names no member; a policy without 'applies_to' fits every complaint"

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """The values of each named member, in the order of their importance."""
        named = ((name, getattr(self, name)) for name in CHOOSING_MEMBERS)
        return {name: tuple(str(value) for value in values) for name, values in named if values is not None}


def _read_assignment(
    value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo[ReadingContext]
) -> Any:
    given, known = mapping(value), info.context.teams
    faults: list[PlacedFault] = []
    for team in given:
        try:
            read_text(team) if known is None else choose_word(team, "team", known)
        except ValueError as error:
            faults.append(((team,), str(error)))
    unplaced = {place[0] for place, _ in faults}
    return read_with(handler, {t: method for t, method in given.items() if t not in unplaced}, faults)


class PolicyMembers(Members):
    """A policy document."""

    code: Annotated[str, fitting(_CODE.fullmatch, _CODE_MESSAGE)]
    title: Texts
    effective_at: Annotated[datetime, parsed(_parse_instant)]
    effective_until: Annotated[datetime, AfterValidator(_check_end), parsed(_parse_instant)] | None = None
    applies_to: AppliesToMembers | None = None
    example: Annotated[bool, TRUTH_VALUE] = False
    sources: Annotated[tuple[Annotated[str, text(500)], ...], items(1, 50)] = ()
    timezone: Annotated[str, fitting(find_zone, _TIMEZONE_MESSAGE)]
    phone_region: Annotated[str, fitting(is_phone_region, _PHONE_REGION_MESSAGE)]
    calendars: Annotated[dict[str, CalendarMembers], WrapValidator(read_calendars)] = Field(
        default={}, validate_default=True
    )
    priorities: PrioritiesMembers
    deadlines: Annotated[dict[str, RuleMembers], WrapValidator(read_rules)]
    follow_ups: Annotated[dict[Priority, FollowUpPlan], every(Priority)]
    follow_ups_where: Annotated[tuple[PlanMembers, ...], *FOR_SOME] = ()
    closure: AnyTarget
    closure_where: Annotated[tuple[TargetMembers, ...], *FOR_SOME] = ()
    contact_match_days: Annotated[int, whole_number(0, 366)]
    unreachable_retry: AnyTarget
    unreachable_attempts: Annotated[int, whole_number(1, 10)]
    hold_maximum: TargetWithoutCalendar
    reopen_window: TargetWithoutCalendar
    contact_after_end: Annotated[ContactAfterEnd, member_of(ContactAfterEnd)] = ContactAfterEnd.REOPEN
    routes: Routes
    default_team: Team
    early_close_roles: Annotated[
        frozenset[Annotated[AccessRole, member_of(AccessRole)]], items(0, len(AccessRole))
    ]
    acknowledgement: Annotated[Texts, checked(_placeholder_faults)]
    assignment: Annotated[
        dict[str, Annotated[AssignmentMethod, member_of(AssignmentMethod)]], WrapValidator(_read_assignment)
    ] = Field(default={}, max_length=1000)
    duty_outside: Annotated[str, name_of("calendar", "calendars")] | None = None

    @classmethod
    def faults_of(cls, given: Mapping[str, Any]) -> Iterator[PlacedFault]:
        """A policy that fits every complaint has no end: another one takes over from it."""
        if given.get("effective_until") is not None and given.get("applies_to") is None:
            yield (
                ("effective_until",),
                "is for policies with 'applies_to': another policy takes over from this one",
            )

    @field_validator("effective_at", "timezone", "calendars")
    @classmethod
    def _keep_for_later_members(cls, value: Any, info: ValidationInfo[ReadingContext]) -> Any:
        setattr(info.context, str(info.field_name), value)
        return value
