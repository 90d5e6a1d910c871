"""From the nodes of a policy document to the policy: one reader for each part (domain §2 to §5,
docs/policies.md).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import pairwise

from complaints.domain.complaint.identity import is_phone_region
from complaints.domain.errors import InvalidContent
from complaints.domain.instants import read_instant
from complaints.domain.policy.nodes import (
    E,
    Field,
    Findings,
    Members,
    Node,
    Told,
    Wrong,
    boolean_of,
    choice_of,
    integer_of,
    listed,
    members_of,
    plain_data,
    text_of,
    word_of,
)
from complaints.domain.policy.policy import (
    DeadlineRule,
    HolidayTable,
    Policy,
    PriorityRule,
    Route,
    Step,
    TargetChoice,
)
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import Span, WorkCalendar, always_open, check_opens
from complaints.domain.time.notation import StepPlace, parse_length, parse_step_place, parse_target
from complaints.domain.time.working_time import Target, Unit
from complaints.domain.time.zones import find_zone
from complaints.domain.vocabulary import (
    AccessRole,
    Cause,
    DeadlineKind,
    HoldReason,
    Priority,
    RecipientRole,
    Severity,
)

_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_CALENDAR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_YEARS = range(1900, 2200)
_DAY = timedelta(days=1)
_NEEDED_LANGUAGES = ("en", "zh")
_RAISED_BY = ("vulnerable", "repeat", "regulator")
_WORKING_UNITS = frozenset({Unit.OPEN_SECONDS, Unit.WORKING_DAYS})
_DUE_FROM_ELSEWHERE = {
    DeadlineKind.FOLLOW_UP: "they come from 'follow_ups'",
    DeadlineKind.CLOSURE: "its due time comes from 'closure'",
    DeadlineKind.PROMISE: "its due time is the one promised",
}
_POLICY_MEMBERS = (
    "code",
    "title",
    "effective_at",
    "timezone",
    "phone_region",
    "calendars",
    "priorities",
    "deadlines",
    "follow_ups",
    "closure",
    "contact_match_days",
    "unreachable_retry",
    "unreachable_attempts",
    "hold_maximum",
    "reopen_window",
    "routes",
    "default_team",
    "early_close_roles",
    "acknowledgement",
)

Calendars = tuple[dict[str, WorkCalendar], dict[str, tuple[HolidayTable, ...]]]


@dataclass(frozen=True, slots=True)
class Context:
    """What the parts of a document are read against.

    `stored_calendars` may be named by `use`; teams and categories are unchecked when None. The rest is
    filled in on the way; None while it is at fault itself.
    """

    findings: Findings
    stored_calendars: Mapping[str, WorkCalendar]
    teams: Collection[str] | None
    categories: Collection[str] | None
    timezone: str = "UTC"
    effective_at: datetime | None = None
    calendars: Mapping[str, WorkCalendar] | None = None


def policy_of(node: Node, *, context: Context, version: int) -> Policy:
    """The policy a document's root describes. Faults go to the context's findings, and then raise `Told`."""
    members = Members(node, context.findings, names=_POLICY_MEMBERS)
    code, title = members.need("code", _code), members.need("title", partial(_texts, context=context))
    effective_at, timezone = members.need("effective_at", _instant), members.need("timezone", _timezone)
    context = replace(context, timezone=timezone.value_or("UTC"), effective_at=effective_at.value_or(None))
    no_calendars: Calendars = ({}, {})
    calendars = members.may("calendars", partial(_calendars, context=context), default=no_calendars)
    read_calendars = calendars.value_or(None)
    context = replace(context, calendars=read_calendars[0] if read_calendars else None)
    phone_region = members.need("phone_region", _phone_region)
    priorities = members.need("priorities", partial(_priorities, context=context))
    rules = members.need("deadlines", partial(_rules, context=context))
    follow_ups = members.need("follow_ups", partial(_follow_ups, context=context))
    closure, retry = members.need("closure", _target), members.need("unreachable_retry", _target)
    contact_match_days = members.need("contact_match_days", partial(integer_of, least=0, most=366))
    attempts = members.need("unreachable_attempts", partial(integer_of, least=1, most=10))
    hold_maximum = members.need("hold_maximum", _target_without_calendar)
    reopen_window = members.need("reopen_window", _target_without_calendar)
    routes = members.need("routes", partial(_routes, context=context))
    default_team = members.need("default_team", partial(_team, context=context))
    early_close_roles = members.need(
        "early_close_roles", partial(_choices, words=AccessRole, context=context)
    )
    acknowledgement = members.need("acknowledgement", partial(_acknowledgement, context=context))
    return Policy(
        code=code.value,
        version=version,
        title=title.value,
        effective_at=effective_at.value,
        timezone=timezone.value,
        phone_region=phone_region.value,
        calendars=calendars.value[0],
        rules=rules.value,
        priorities=priorities.value,
        follow_ups=follow_ups.value,
        closure=closure.value,
        contact_match_days=contact_match_days.value,
        unreachable_retry=retry.value,
        unreachable_attempts=attempts.value,
        hold_maximum=hold_maximum.value,
        reopen_window=reopen_window.value,
        routes=routes.value,
        default_team=default_team.value,
        early_close_roles=frozenset(early_close_roles.value),
        acknowledgement=acknowledgement.value,
        holiday_tables=calendars.value[1],
    )


# Names, texts, instants -------------------------------------------------------------------------------------


def _code(node: Node) -> str:
    text = text_of(node)
    if not _CODE.fullmatch(text):
        raise Wrong(
            node, "must be 1 to 64 lower-case letters, digits, '_', '-' and '.', such as 'telecom-handbook'"
        )
    return text


def _name(node: Node) -> str:
    """The name under which the node stands in its mapping."""
    return node.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _texts(node: Node, *, context: Context) -> dict[str, str]:
    """Texts by language, at least those in the languages of the house."""
    for name, member in members_of(node).items():
        if not _LANGUAGE.fullmatch(name):
            context.findings.blame(
                member.pointer, f"'{name[:60]}' is not a language tag such as 'en' or 'zh'"
            )
    missing = [language for language in _NEEDED_LANGUAGES if language not in members_of(node)]
    if missing:
        context.findings.blame(node.pointer, f"lacks the text in {listed(missing)}")
    return context.findings.read_members(node, partial(text_of, longest=2000))


def _acknowledgement(node: Node, *, context: Context) -> dict[str, str]:
    texts = _texts(node, context=context)
    for language, text in texts.items():
        for placeholder in set(_PLACEHOLDER.findall(text)) - {"{number}"}:
            context.findings.blame(
                members_of(node)[language].pointer,
                f"unknown placeholder '{placeholder[:60]}'; '{{number}}' is the only one",
            )
    return texts


def _phone_region(node: Node) -> str:
    text = text_of(node)
    if not is_phone_region(text):
        raise Wrong(node, "must be the two letters of a country, in upper case, such as 'CN'")
    return text


def _timezone(node: Node) -> str:
    name = text_of(node)
    if find_zone(name) is None:
        raise Wrong(node, f"'{name[:60]}' is not an IANA time zone such as Asia/Shanghai or UTC")
    return name


def _instant(node: Node) -> datetime:
    instant = None
    with suppress(ValueError):
        instant = read_instant(text_of(node), allow_minutes=True)
    if instant is None or instant.year not in _YEARS:
        raise Wrong(node, "must be an instant with its offset, such as 2026-10-01T00:00:00+08:00")
    return instant.astimezone(UTC)


def _team(node: Node, *, context: Context) -> str:
    return text_of(node) if context.teams is None else word_of(node, kind="team", known=context.teams)


def _category(node: Node, *, context: Context) -> str:
    known = context.categories
    return text_of(node) if known is None else word_of(node, kind="category", known=known)


def _choices(node: Node, *, words: type[E], context: Context, least: int = 0) -> tuple[E, ...]:
    """The members of a closed set that a list names, each once."""
    items = context.findings.read_items(node, partial(choice_of, words=words), least=least, most=len(words))
    return tuple(dict.fromkeys(items))


# Targets ----------------------------------------------------------------------------------------------------


def _target(node: Node) -> Target:
    try:
        return parse_target(text_of(node))
    except ValueError as error:
        raise Wrong(node, str(error)) from error


def _target_without_calendar(node: Node) -> Target:
    target = _target(node)
    if target.unit in _WORKING_UNITS:
        raise Wrong(
            node, "has no calendar to count working time by; use elapsed hours, calendar days or months"
        )
    return target


def _length(node: Node) -> int:
    try:
        return parse_length(text_of(node))
    except ValueError as error:
        raise Wrong(node, str(error)) from error


def _follow_ups(node: Node, *, context: Context) -> dict[Priority, tuple[Target, ...]]:
    plans = context.findings.read_members(
        node, partial(_follow_up_plan, context=context), names=[priority.value for priority in Priority]
    )
    return {priority: plans[priority] for priority in Priority}


def _follow_up_plan(node: Node, *, context: Context) -> tuple[Target, ...]:
    plan = context.findings.read_items(node, _target, least=1, most=12)
    for place, (earlier, later) in enumerate(pairwise(plan), start=1):
        if _surely_not_later(later, earlier):
            context.findings.blame(f"{node.pointer}/{place}", "must be later than the follow-up before it")
    return plan


def _surely_not_later(target: Target, than: Target) -> bool:
    """Whether `target` cannot end after `than`, whatever the start and the calendar."""
    if (target.unit, target.from_next_day) == (than.unit, than.from_next_day):
        return target.amount <= than.amount
    return _days_at_most(target) <= _days_at_least(than)


def _days_at_least(target: Target) -> float:
    per_unit = {Unit.ELAPSED_SECONDS: 1 / 86_400, Unit.OPEN_SECONDS: 1 / 86_400, Unit.CALENDAR_MONTHS: 28}
    return target.amount * per_unit.get(target.unit, 1) - 1 / 24 - (target.unit is Unit.WORKING_DAYS)


def _days_at_most(target: Target) -> float:
    if target.unit in _WORKING_UNITS:
        return float("inf")
    per_unit = {Unit.ELAPSED_SECONDS: 1 / 86_400, Unit.CALENDAR_MONTHS: 31}
    return target.amount * per_unit.get(target.unit, 1) + 1 / 24 + target.from_next_day


# Calendars --------------------------------------------------------------------------------------------------


def _calendars(node: Node, *, context: Context) -> Calendars:
    read = context.findings.read_members(node, partial(_calendar, context=context))
    tables = {name: tables for name, (_, tables) in read.items() if tables}
    return {name: calendar for name, (calendar, _) in read.items()}, tables


def _calendar(node: Node, *, context: Context) -> tuple[WorkCalendar, tuple[HolidayTable, ...]]:
    members, name = members_of(node), _name(node)
    if not _CALENDAR_NAME.fullmatch(name):
        raise Wrong(node, "a calendar's name must be 1 to 64 letters, digits, '_', '-' and '.'")
    tables: tuple[HolidayTable, ...] = ()
    if "use" in members:
        calendar = _stored_calendar(node, context)
    else:
        calendar, tables = _inline_calendar(node, context)
    calendar = replace(calendar, name=name)
    _check_stays_open(calendar, node, context)
    if calendar.timezone != context.timezone:
        message = f"is in {calendar.timezone}, not in {context.timezone}: its days and months are those there"
        context.findings.warn(node.pointer, message)
    return calendar, tables


def _stored_calendar(node: Node, context: Context) -> WorkCalendar:
    members = members_of(node)
    if len(members) > 1:
        raise Wrong(
            node, "'use' takes a stored calendar as it is; remove the other members or write all of them here"
        )
    return context.stored_calendars[
        word_of(members["use"], kind="stored calendar", known=context.stored_calendars)
    ]


def _inline_calendar(node: Node, context: Context) -> tuple[WorkCalendar, tuple[HolidayTable, ...]]:
    members = members_of(node)
    if "hours" not in members:
        raise Wrong(node, "lacks 'hours'; write 'hours: null' for a calendar that is always open")
    written = members.get("holiday_tables")
    tables: Field[tuple[HolidayTable, ...]] = Field(())
    if written is not None and written.value is not None:
        tables = context.findings.read(written, partial(_holiday_tables, context=context))
    calendar = context.findings.read(node, partial(_work_calendar, timezone=context.timezone))
    if tables.value:
        _warn_of_years_without_table(calendar.value, tables.value, node, context)
    return calendar.value, tables.value


def _work_calendar(node: Node, *, timezone: str) -> WorkCalendar:
    document = {
        name: plain_data(member) for name, member in members_of(node).items() if name != "holiday_tables"
    }
    document["timezone"] = document.get("timezone") or timezone
    return parse_calendar(document, pointer=node.pointer)


def _holiday_tables(node: Node, *, context: Context) -> tuple[HolidayTable, ...]:
    tables = context.findings.read_items(node, partial(_holiday_table, context=context), least=0, most=100)
    for place, table in enumerate(tables):
        if not table.confirmed:
            context.findings.warn(
                f"{node.pointer}/{place}",
                f"the holidays of {table.year} are not confirmed; correct them once they are published",
            )
    return tables


def _holiday_table(node: Node, *, context: Context) -> HolidayTable:
    members = Members(node, context.findings, names=("year", "source", "confirmed"))
    year = members.need("year", partial(integer_of, least=_YEARS.start, most=_YEARS.stop - 1))
    source = members.need("source", partial(text_of, longest=500))
    confirmed = members.need("confirmed", boolean_of)
    return HolidayTable(year.value, source.value, confirmed.value)


def _warn_of_years_without_table(
    calendar: WorkCalendar, tables: tuple[HolidayTable, ...], node: Node, context: Context
) -> None:
    years = {day.year for day in (*calendar.holidays, *calendar.overrides)} - {table.year for table in tables}
    for year in sorted(years):
        context.findings.warn(node.pointer, f"no holiday table says where the days of {year} come from")


def _check_stays_open(calendar: WorkCalendar, node: Node, context: Context) -> None:
    """Refuse a calendar with 366 days without an open hour anywhere: intake never fails for one (rule 2.5)."""
    if calendar.hours is None or context.effective_at is None:
        return
    far = [day for day in (*calendar.holidays, *calendar.overrides) if day.year not in _YEARS]
    if far:
        raise Wrong(node, f"{far[0]} is too far away; holidays and overrides are from 1900 to 2199")
    for day in _closed_from(calendar, calendar.hours, context.effective_at.date() - timedelta(days=1)):
        try:
            check_opens(calendar, start_on=day)
        except InvalidContent as refused:
            raise Wrong(node, f"from {day} on there is no open hour within 366 days") from refused


def _closed_from(
    calendar: WorkCalendar, hours: Mapping[int, tuple[Span, ...]], first_on: date
) -> Iterator[date]:
    """The days from which on it may stay closed for long: the first of all, the first of each row of closed
    days with a holiday or an override in it, and the day after the last of those.
    """
    special = sorted(day for day in {*calendar.holidays, *calendar.overrides} if day > first_on)

    def closed(day: date) -> bool:
        usual = () if day in calendar.holidays else hours.get(day.weekday(), ())
        return not calendar.overrides.get(day, usual)

    yield first_on
    for day in special:
        first = day
        while first > first_on and closed(first - _DAY):
            first -= _DAY
        yield first
    yield special[-1] + _DAY if special else first_on


# Deadline kinds and ladders ---------------------------------------------------------------------------------


def _rules(node: Node, *, context: Context) -> dict[DeadlineKind, DeadlineRule]:
    rules = context.findings.read_members(
        node, partial(_rule, context=context), names=[kind.value for kind in DeadlineKind]
    )
    return {kind: rules[kind] for kind in DeadlineKind}


def _rule(node: Node, *, context: Context) -> DeadlineRule:
    kind = DeadlineKind(_name(node))
    members = Members(
        node, context.findings, names=("calendar", "targets", "ladder", "pauses_on", "pause_budget")
    )
    calendar = members.may(
        "calendar", partial(_named_calendar, context=context), default=always_open(context.timezone)
    )
    targets = _targets_for(kind, members, context)
    ladder = members.need("ladder", partial(_ladder, context=context))
    pauses_on = members.may("pauses_on", partial(_choices, words=HoldReason, context=context), default=())
    pause_budget = members.may("pause_budget", _length, default=None)
    if "pause_budget" in members and not pauses_on.value:
        context.findings.blame(
            members.node("pause_budget").pointer, "limits pauses, but 'pauses_on' names none"
        )
    if calendar.value.hours is None and any(choice.target.unit in _WORKING_UNITS for choice in targets.value):
        context.findings.warn(node.pointer, "counts working time by a calendar that is always open")
    return DeadlineRule(
        kind, targets.value, calendar.value, ladder.value, frozenset(pauses_on.value), pause_budget.value
    )


def _named_calendar(node: Node, *, context: Context) -> WorkCalendar:
    if context.calendars is None:
        raise Told
    return context.calendars[word_of(node, kind="calendar", known=context.calendars)]


def _targets_for(kind: DeadlineKind, members: Members, context: Context) -> Field[tuple[TargetChoice, ...]]:
    if kind not in _DUE_FROM_ELSEWHERE:
        return members.need("targets", partial(_targets, context=context))
    if "targets" in members:
        message = f"'{kind}' takes no targets: {_DUE_FROM_ELSEWHERE[kind]}"
        context.findings.blame(members.node("targets").pointer, message)
    return Field(())


def _targets(node: Node, *, context: Context) -> tuple[TargetChoice, ...]:
    choices = context.findings.read_items(node, partial(_target_choice, context=context), least=1, most=200)
    met: set[tuple[Priority | None, str | None]] = set()
    for place, choice in enumerate(choices):
        pointer = f"{node.pointer}/{place}"
        if (choice.priority, choice.category) in met:
            context.findings.blame(pointer, "is never taken: an earlier target is for the same complaints")
        elif (None, None) in met:
            context.findings.blame(
                pointer, "is never taken: an earlier target is for every complaint; put that last"
            )
        met.add((choice.priority, choice.category))
    if (None, None) not in met:
        context.findings.blame(
            f"{node.pointer}/{len(choices) - 1}",
            "the last target must be for every complaint: without 'priority' and 'category'",
        )
    return choices


def _target_choice(node: Node, *, context: Context) -> TargetChoice:
    members = Members(node, context.findings, names=("target", "priority", "category"))
    target = members.need("target", _target)
    priority = members.may("priority", partial(choice_of, words=Priority), default=None)
    category = members.may("category", partial(_category, context=context), default=None)
    return TargetChoice(target.value, priority.value, category.value)


def _ladder(node: Node, *, context: Context) -> tuple[Step, ...]:
    steps = context.findings.read_items(node, partial(_step, context=context), least=1, most=20)
    for place, step in enumerate(steps):
        above = next((other for other in steps[:place] if _surely_not_after(step, other)), None)
        if above:
            message = f"{step.name} must come after {above.name} above it"
            context.findings.blame(f"{node.pointer}/{place}/at", message)
    if not any(_phase(step) >= 1 for step in steps):
        context.findings.blame(
            node.pointer, "must have a step at or after 100%, so that nothing is forgotten"
        )
    return steps


def _step(node: Node, *, context: Context) -> Step:
    members = Members(
        node, context.findings, names=("at", "level", "notify", "raise_priority", "move_to_team")
    )
    level = members.need("level", partial(integer_of, least=0, most=9))
    notify = members.need("notify", partial(_choices, words=RecipientRole, context=context, least=1))
    raise_priority = members.may("raise_priority", boolean_of, default=False)
    move_to_team = members.may("move_to_team", partial(_team, context=context), default=None)
    at = members.need("at", _step_place)
    return Step(
        name=at.value.name,
        level=level.value,
        notify=notify.value,
        share=at.value.share,
        offset_seconds=at.value.offset_seconds,
        offset_days=at.value.offset_days,
        raise_priority=raise_priority.value,
        move_to_team=move_to_team.value,
    )


def _step_place(node: Node) -> StepPlace:
    try:
        return parse_step_place(text_of(node))
    except ValueError as error:
        raise Wrong(node, str(error)) from error


def _surely_not_after(step: Step, other: Step) -> bool:
    """Whether `step` is after `other` on no deadline: days and open hours, say, cannot be compared."""
    for mine, theirs in (
        (step.share, other.share),
        (step.offset_seconds, other.offset_seconds),
        (step.offset_days, other.offset_days),
    ):
        if mine is not None and theirs is not None:
            return mine <= theirs
    return _phase(step) < _phase(other)


def _phase(step: Step) -> int:
    """0 before due, 1 at due, 2 after."""
    from_due = step.offset_seconds or step.offset_days or (step.share or Fraction()) - 1
    return 0 if from_due < 0 else 1 if from_due == 0 else 2


# Priorities and routing -------------------------------------------------------------------------------------


def _priorities(node: Node, *, context: Context) -> PriorityRule:
    members = Members(node, context.findings, names=("from_severity", "raised_by", "repeat_window_days"))
    from_severity = members.need("from_severity", partial(_from_severity, context=context))
    raised_by = members.need("raised_by", partial(_reasons, context=context))
    window = members.need("repeat_window_days", partial(integer_of, least=1, most=3660))
    return PriorityRule(from_severity.value, raised_by.value, window.value)


def _from_severity(node: Node, *, context: Context) -> dict[Severity, Priority]:
    priorities = context.findings.read_members(
        node, partial(choice_of, words=Priority), names=[severity.value for severity in Severity]
    )
    return {severity: priorities[severity] for severity in Severity}


def _reasons(node: Node, *, context: Context) -> frozenset[str]:
    reader = partial(word_of, kind="reason", known=_RAISED_BY)
    return frozenset(context.findings.read_items(node, reader, least=0, most=len(_RAISED_BY)))


def _routes(node: Node, *, context: Context) -> tuple[Route, ...]:
    routes = context.findings.read_items(node, partial(_route, context=context), least=0, most=1000)
    met: set[tuple[Cause | None, str | None, str | None]] = set()
    for place, route in enumerate(routes):
        conditions = (route.cause, route.category, route.region)
        if conditions in met:
            context.findings.blame(
                f"{node.pointer}/{place}", "is never taken: an earlier route fits the same complaints"
            )
        met.add(conditions)
    return routes


def _route(node: Node, *, context: Context) -> Route:
    members = Members(node, context.findings, names=("team", "cause", "category", "region"))
    team = members.need("team", partial(_team, context=context))
    cause = members.may("cause", partial(choice_of, words=Cause), default=None)
    category = members.may("category", partial(_category, context=context), default=None)
    region = members.may("region", text_of, default=None)
    if not any(name in members for name in ("cause", "category", "region")):
        raise Wrong(node, "fits every complaint; that is what 'default_team' is for")
    return Route(team.value, cause.value, category.value, region.value)
