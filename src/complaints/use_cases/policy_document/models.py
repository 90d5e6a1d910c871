"""The form of a policy document as pydantic models (rules 4.2 to 4.5, docs/policies.md).

`policy_document` reads documents with them. Members are read from top to bottom: time zone, effective date
and calendars go into the context, because later members depend on them.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    InstanceOf,
    ModelWrapValidatorHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from complaints.domain.complaint.identity import is_phone_region
from complaints.domain.errors import Fault, InvalidContent, ask_if_meant
from complaints.domain.instants import read_instant
from complaints.domain.policy.checks import (
    PlacedFault,
    follow_up_faults,
    ladder_faults,
    repeat_faults,
    route_faults,
)
from complaints.domain.policy.circumstances import Circumstances, choice_faults, target_faults
from complaints.domain.policy.side_by_side import CHOOSING_MEMBERS
from complaints.domain.rules.recipients import TEAM, USER, parse_named
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import CALENDAR_YEARS, WorkCalendar, always_open, check_stays_open
from complaints.domain.time.notation import (
    Repeat,
    StepPlace,
    parse_length,
    parse_repeat,
    parse_step_place,
    parse_target,
)
from complaints.domain.time.working_time import OPEN_UNITS, Target
from complaints.domain.time.zones import find_zone
from complaints.domain.vocabulary import (
    AccessRole,
    Action,
    AssignmentMethod,
    Cause,
    Channel,
    ContactAfterEnd,
    DeadlineKind,
    DeadlineStart,
    HoldReason,
    Priority,
    RecipientRole,
    Severity,
)
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
    quoted,
    read_text,
    read_with,
    split_pointer,
    text,
    unknown_members,
    whole_number,
    word,
)

_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_CODE_MESSAGE = "must be 1 to 64 lower-case letters, digits, '_', '-' and '.', such as 'telecom-handbook'"
_TIMEZONE_MESSAGE = "'{}' is not an IANA time zone such as Asia/Shanghai or UTC"
_PHONE_REGION_MESSAGE = "must be the two letters of a country, in upper case, such as 'CN'"
_CALENDAR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_NEEDED_LANGUAGES = ("en", "zh")
_RAISED_BY = ("vulnerable", "repeat", "regulator")
_WITHOUT_TARGETS = {
    DeadlineKind.FOLLOW_UP: "they come from 'follow_ups'",
    DeadlineKind.CLOSURE: "its due time comes from 'closure'",
    DeadlineKind.PROMISE: "its due time is the one promised",
}


_OWN_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_OWN_KINDS = 20
_OF_OWN_KINDS = ("starts", "met_by")
_NEVER_MEETS = {
    Action.REOPEN: "it begins a new cycle",
    Action.ESCALATE: "it only notifies",
    Action.MERGE: "it cancels every deadline",
    Action.UNMERGE: "it brings deadlines back",
}


@dataclass(slots=True)
class ReadingContext:
    """The names that a document may use, and members of the document that later members need.

    None for `teams`, `categories` or `users` accepts every name. `effective_at` and `calendars` are None until they
    were read without a fault.
    """

    stored_calendars: Mapping[str, WorkCalendar]
    teams: Collection[str] | None
    categories: Collection[str] | None
    users: Collection[str] | None = None
    timezone: str = "UTC"
    effective_at: datetime | None = None
    calendars: Collection[str] | None = None


# Names, texts, instants -------------------------------------------------------------------------------------


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


def _read_texts(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
    given = mapping(value)
    faults: list[PlacedFault] = [
        ((name,), f"'{name[:60]}' is not a language tag such as 'en' or 'zh'")
        for name in given
        if not _LANGUAGE.fullmatch(name)
    ]
    if missing := [language for language in _NEEDED_LANGUAGES if language not in given]:
        faults.append(((), f"lacks the text in {quoted(missing)}"))
    return read_with(handler, given, faults)


def _placeholder_faults(texts: Mapping[str, str]) -> Iterator[PlacedFault]:
    for language, written in texts.items():
        for placeholder in set(_PLACEHOLDER.findall(written)) - {"{number}"}:
            yield (language,), f"unknown placeholder '{placeholder[:60]}'; '{{number}}' is the only one"


Text = Annotated[str, text()]
Texts = Annotated[dict[str, Annotated[str, text(2000)]], WrapValidator(_read_texts)]
"""Texts by language, at least in English and Chinese."""
Team = Annotated[str, name_of("team", "teams")]
Category = Annotated[str, name_of("category", "categories")]
PriorityWord = Annotated[Priority, member_of(Priority)]


# Targets ----------------------------------------------------------------------------------------------------


def _check_needs_no_calendar(target: Target) -> Target:
    if target.unit in OPEN_UNITS:
        raise ValueError(
            "has no calendar to count working time by; use elapsed hours, calendar days or months"
        )
    return target


AnyTarget = Annotated[Target, parsed(parse_target)]
TargetWithoutCalendar = Annotated[AnyTarget, AfterValidator(_check_needs_no_calendar)]
FollowUpPlan = Annotated[tuple[AnyTarget, ...], items(1, 12), checked(follow_up_faults)]


class CircumstancesMembers(Members):
    """The complaints for which something is."""

    priority: PriorityWord | None = None
    category: Category | None = None
    channel: Annotated[Channel, member_of(Channel)] | None = None
    region: Text | None = None
    source: Text | None = None


class TargetMembers(CircumstancesMembers):
    """A target, and the complaints it is for."""

    target: AnyTarget


class PlanMembers(CircumstancesMembers):
    """A follow-up plan, and the complaints it is for."""

    plan: FollowUpPlan


def _need_condition(choices: Sequence[CircumstancesMembers]) -> Iterator[PlacedFault]:
    names = CircumstancesMembers.model_fields
    for index, choice in enumerate(choices):
        if all(getattr(choice, name) is None for name in names):
            yield (index,), f"is for every complaint; it needs one of {quoted(names)}"


def _read_choices(choices: Sequence[CircumstancesMembers]) -> list[Circumstances]:
    names = CircumstancesMembers.model_fields
    return [Circumstances(**{name: getattr(choice, name) for name in names}) for choice in choices]


Targets = Annotated[
    tuple[TargetMembers, ...],
    items(1, 200),
    checked(lambda targets: target_faults(_read_choices(targets))),
]
_FOR_SOME = (
    items(1, 200),
    checked(_need_condition),
    checked(lambda choices: choice_faults(_read_choices(choices))),
)


# Calendars --------------------------------------------------------------------------------------------------


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


def _read_calendars(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
    given = mapping(value)
    named = {name: member for name, member in given.items() if _CALENDAR_NAME.fullmatch(name)}
    message = "a calendar's name must be 1 to 64 letters, digits, '_', '-' and '.'"
    return read_with(handler, named, [((name,), message) for name in given if name not in named])


# Deadline kinds and ladders ---------------------------------------------------------------------------------


def _read_recipient(value: object, info: ValidationInfo[ReadingContext]) -> str:
    """A recipient role, `user:` and a login, or `team:` and the code of a team."""
    named = parse_named(read_text(value, 210))
    if named is None:
        return RecipientRole(choose_word(value, "recipient role", [role.value for role in RecipientRole]))
    kind, name = named
    known = {USER: info.context.users, TEAM: info.context.teams}[kind]
    if known is not None:
        choose_word(name, kind, known)
    return f"{kind}:{name}"


class StepMembers(Members):
    """A step of a ladder."""

    at: Annotated[StepPlace, parsed(parse_step_place)]
    level: Annotated[int, whole_number(0, 9)]
    notify: Annotated[
        tuple[Annotated[str, BeforeValidator(_read_recipient)], ...],
        items(1, 20),
        AfterValidator(lambda roles: tuple(dict.fromkeys(roles))),
    ]
    raise_priority: Annotated[bool, TRUTH_VALUE] = False
    move_to_team: Team | None = None
    repeat: Annotated[Repeat, parsed(parse_repeat)] | None = None


Ladder = Annotated[
    tuple[StepMembers, ...],
    items(1, 20),
    checked(lambda steps: ladder_faults([step.at for step in steps])),
    checked(lambda steps: repeat_faults([step.repeat for step in steps])),
]


def _read_action(value: object) -> Action:
    action = Action(choose_word(value, "action", [action.value for action in Action]))
    if action in _NEVER_MEETS:
        raise ValueError(f"'{action}' meets no deadline: {_NEVER_MEETS[action]}")
    return action


class RuleMembers(Members):
    """The rule of one deadline kind. `_WITHOUT_TARGETS` names the kinds that take no targets.

    Own kinds alone have `title`, `starts` and `met_by`.
    """

    title: Texts | None = None
    starts: Annotated[DeadlineStart, member_of(DeadlineStart)] | None = None
    met_by: Annotated[frozenset[Annotated[Action, BeforeValidator(_read_action)]], items(1, len(Action))] = (
        frozenset()
    )
    calendar: Annotated[str, name_of("calendar", "calendars")] | None = None
    targets: Targets = ()
    ladder: Ladder
    pauses_on: Annotated[
        frozenset[Annotated[HoldReason, member_of(HoldReason)]], items(0, len(HoldReason))
    ] = frozenset()
    pause_budget: Annotated[int, parsed(parse_length)] | None = None

    @classmethod
    def faults_of(cls, given: Mapping[str, Any]) -> Iterator[PlacedFault]:
        """A pause budget is a mistake if no hold pauses the deadline."""
        if given.get("pause_budget") is not None and given.get("pauses_on") in (None, []):
            yield ("pause_budget",), "limits pauses, but 'pauses_on' names none"


def _read_rules(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
    """The rules of the built-in kinds, and those of own kinds."""
    given = mapping(value)
    own = [name for name in given if name not in _BUILT_IN and _is_own(name, given[name])]
    named = {name: given[name] for name in (*_BUILT_IN, *own) if name in given}
    faults = [*unknown_members(given, named.keys() | {*_BUILT_IN}), *_own_name_faults(own)]
    if missing := [name for name in _BUILT_IN if name not in given]:
        faults.append(((), f"lacks {quoted(missing)}"))
    rules = {name: rule for name, rule in named.items() if isinstance(rule, Mapping)}
    faults += [fault for name, rule in rules.items() for fault in _rule_faults(name, rule)]
    return read_with(handler, named, faults)


_BUILT_IN = tuple(kind.value for kind in DeadlineKind)


def _is_own(name: str, rule: object) -> bool:
    """True for the rule of an own kind. A name that is nearly a built-in one, without its members, is a mistake."""
    if not isinstance(rule, Mapping):
        return False
    return any(rule.get(member) is not None for member in _OF_OWN_KINDS) or not ask_if_meant(name, _BUILT_IN)


def _own_name_faults(names: Sequence[str]) -> Iterator[PlacedFault]:
    for number, name in enumerate(names):
        if not _OWN_KIND.fullmatch(name):
            yield (
                (name,),
                "the name of an own kind must be 1 to 40 lower-case letters, digits and '_', a letter first",
            )
        elif number == _MOST_OWN_KINDS:
            yield (name,), f"there may be {_MOST_OWN_KINDS} own kinds"


def _rule_faults(kind: str, rule: Mapping[str, Any]) -> Iterator[PlacedFault]:
    given = [name for name in ("title", *_OF_OWN_KINDS) if rule.get(name) is not None]
    if kind in _BUILT_IN:
        for name in given:
            yield (kind, name), f"'{kind}' is built in: it takes no '{name}'"
    elif missing := [name for name in _OF_OWN_KINDS if name not in given]:
        yield (kind,), f"lacks {quoted(missing)}"
    elif rule["starts"] == DeadlineStart.RESULT and rule["met_by"] == [Action.NOTIFY_RESULT.value]:
        yield (kind, "met_by"), "'notify_result' tells the result that starts it, so nothing would meet it"
    has_targets = rule.get("targets") is not None
    if has_targets and kind in _WITHOUT_TARGETS:
        yield (kind, "targets"), f"'{kind}' takes no targets: {_WITHOUT_TARGETS[DeadlineKind(kind)]}"
    elif not has_targets and kind not in _WITHOUT_TARGETS:
        yield (kind,), "lacks 'targets'"


# Priorities, routes, the whole ------------------------------------------------------------------------------


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


# Policies side by side --------------------------------------------------------------------------------------

_MOST_VALUES = 1000


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
    calendars: Annotated[dict[str, CalendarMembers], WrapValidator(_read_calendars)] = Field(
        default={}, validate_default=True
    )
    priorities: PrioritiesMembers
    deadlines: Annotated[dict[str, RuleMembers], WrapValidator(_read_rules)]
    follow_ups: Annotated[dict[Priority, FollowUpPlan], every(Priority)]
    follow_ups_where: Annotated[tuple[PlanMembers, ...], *_FOR_SOME] = ()
    closure: AnyTarget
    closure_where: Annotated[tuple[TargetMembers, ...], *_FOR_SOME] = ()
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
