"""Reads policy documents, the written form of a policy in YAML or JSON, and writes them (docs/policies.md).

A document is read with all its faults at once, each with its place in the document and its line (rule 4.2).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.instants import write_instant
from complaints.domain.policy.policy import (
    DeadlineRule,
    HolidayTable,
    PlanChoice,
    Policy,
    PriorityRule,
    Route,
    Step,
    TargetChoice,
)
from complaints.domain.policy.side_by_side import PoliciesSideBySide
from complaints.domain.rules.feasibility import infeasible_faults
from complaints.domain.time.calendar_document import calendar_document
from complaints.domain.time.calendars import WorkCalendar, always_open
from complaints.domain.time.notation import length_text, target_text
from complaints.domain.time.working_time import OPEN_UNITS
from complaints.domain.vocabulary import ContactAfterEnd, find_kind
from complaints.use_cases.policy_document.deadline_members import RuleMembers
from complaints.use_cases.policy_document.fields import join_pointer, placed_faults
from complaints.use_cases.policy_document.policy_members import PolicyMembers
from complaints.use_cases.policy_document.reading_context import ReadingContext
from complaints.use_cases.policy_document.yaml_document import YamlDocument, read_yaml

_MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """A policy without faults, and warnings about its document, each with its line."""

    policy: Policy
    warnings: tuple[Fault, ...]


def read_policy(
    text: str,
    *,
    version: int = 1,
    calendars: Mapping[str, WorkCalendar] | None = None,
    teams: Collection[str] | None = None,
    categories: Collection[str] | None = None,
    users: Collection[str] | None = None,
    beside: PoliciesSideBySide | None = None,
    now: datetime | None = None,
) -> PolicyReading:
    """Read a policy document in YAML or JSON. The caller assigns `version`.

    Every target and step must be computable for a complaint received at `effective_at`, and at `now` if it is given.

    `calendars` are the stored calendars that `use` may name; the policy copies them as they are now. If
    `teams`, `categories` or `users` is given, the document may name no others. `beside` are the policies that are
    applied; the document must go with them (rule 4.15). Raises InvalidContent with all faults:
    the JSON pointer of each, and "line N: " before its message.
    """
    document = read_yaml(text)
    policy = _read(document, ReadingContext(calendars or {}, teams, categories, users), version)
    instants = {policy.effective_at, now or policy.effective_at}
    unfit = beside.with_next(policy).faults_of(policy) if beside is not None else ()
    faults = [
        _fault(document, join_pointer(place), message)
        for place, message in (*infeasible_faults(policy, instants), *unfit)
    ]
    if faults:
        raise _refusal(faults, document)
    return PolicyReading(policy, tuple(_warnings(policy, document)))


def from_document(document: Mapping[str, object], *, version: int) -> Policy:
    """The policy that `to_document` wrote. Raises InvalidContent for any other document."""
    return _read(YamlDocument(document, lines={}), ReadingContext({}, None, None), version)


def to_document(policy: Policy) -> dict[str, object]:
    """The policy as plain JSON data with its calendars written out. `from_document` reads an equal policy."""
    return {
        "code": policy.code,
        "title": dict(policy.title),
        "effective_at": write_instant(policy.effective_at),
        "timezone": policy.timezone,
        "phone_region": policy.phone_region,
        "calendars": {name: _calendar_members(policy, name) for name in policy.calendars},
        "priorities": {
            "from_severity": {str(s): str(p) for s, p in policy.priorities.from_severity.items()},
            "raised_by": sorted(policy.priorities.raised_by),
            "repeat_window_days": policy.priorities.repeat_window_days,
        },
        "deadlines": {str(kind): _rule_members(rule, policy) for kind, rule in policy.rules.items()},
        "follow_ups": {str(p): [target_text(t) for t in plan] for p, plan in policy.follow_ups.items()},
        "closure": target_text(policy.closure),
        "contact_match_days": policy.contact_match_days,
        "unreachable_retry": target_text(policy.unreachable_retry),
        "unreachable_attempts": policy.unreachable_attempts,
        "hold_maximum": target_text(policy.hold_maximum),
        "reopen_window": target_text(policy.reopen_window),
        "routes": [_given(**asdict(route)) for route in policy.routes],
        "default_team": policy.default_team,
        "early_close_roles": sorted(policy.early_close_roles),
        "acknowledgement": dict(policy.acknowledgement),
        **_given(
            contact_after_end=_unless_built_in(policy.contact_after_end),
            assignment={team: str(method) for team, method in policy.assignment.items()} or None,
            duty_outside=policy.duty_outside,
            follow_ups_where=[
                {"plan": [target_text(t) for t in choice.plan], **choice.conditions}
                for choice in policy.follow_ups_where
            ]
            or None,
            closure_where=_target_members(policy.closure_where),
            applies_to={name: list(values) for name, values in policy.applies_to.items()} or None,
            effective_until=policy.effective_until and write_instant(policy.effective_until),
            example=policy.example or None,
            sources=list(policy.sources) or None,
        ),
    }


def _unless_built_in(after_end: ContactAfterEnd) -> str | None:
    """The built-in value stays unwritten, so a program that does not know the member can read the document."""
    return None if after_end is ContactAfterEnd.REOPEN else after_end.value


# From a document to a policy --------------------------------------------------------------------------------


def _read(document: YamlDocument, context: ReadingContext, version: int) -> Policy:
    faults = list(document.duplicates)
    try:
        members = PolicyMembers.model_validate(document.data, context=context)
    except ValidationError as error:
        faults += [_fault(document, join_pointer(place), message) for place, message in placed_faults(error)]
    if faults:
        raise _refusal(faults, document)
    return _policy(members, version)


def _fault(document: YamlDocument, pointer: str, message: str) -> Fault:
    return Fault(pointer, f"line {document.line_of(pointer)}: {message}")


def _refusal(faults: list[Fault], document: YamlDocument) -> InvalidContent:
    """The refusal with the faults by line, or the first of them if there are many."""
    first = sorted(faults, key=lambda fault: document.line_of(fault.pointer))[:_MOST_FAULTS]
    count = f"{len(faults)} faults; the first: " if len(faults) > 1 else ""
    return InvalidContent(f"the policy document cannot be accepted: {count}{first[0].message}", faults=first)


def _policy(members: PolicyMembers, version: int) -> Policy:
    calendars = {name: replace(read.calendar, name=name) for name, read in members.calendars.items()}
    tables = {
        name: tuple(HolidayTable(**dict(table)) for table in read.holiday_tables)
        for name, read in members.calendars.items()
        if read.holiday_tables
    }
    read = dict(members) | {
        "calendars": calendars,
        "priorities": PriorityRule(**dict(members.priorities)),
        "routes": tuple(Route(**dict(route)) for route in members.routes),
        "follow_ups_where": tuple(PlanChoice(**dict(choice)) for choice in members.follow_ups_where),
        "closure_where": tuple(TargetChoice(**dict(choice)) for choice in members.closure_where),
        "applies_to": members.applies_to.values if members.applies_to else {},
    }
    rules = {
        kind: _rule(kind, rule, calendars.get(rule.calendar or "", always_open(members.timezone)))
        for kind, rule in ((find_kind(name), rule) for name, rule in read.pop("deadlines").items())
    }
    return Policy(version=version, rules=rules, holiday_tables=tables, **read)


def _rule(kind: str, rule: RuleMembers, calendar: WorkCalendar) -> DeadlineRule:
    return DeadlineRule(
        kind,
        tuple(TargetChoice(**dict(choice)) for choice in rule.targets),
        calendar,
        tuple(Step(**asdict(step.at), **{k: v for k, v in step if k != "at"}) for step in rule.ladder),
        rule.pauses_on,
        rule.pause_budget,
        rule.starts,
        rule.met_by,
        rule.title or {},
    )


def _warnings(policy: Policy, document: YamlDocument) -> Iterator[Fault]:
    """Warnings about content that is allowed but often a mistake."""
    if policy.example:
        message = "this policy is an example: check its dates and its sources, then remove 'example'"
        yield _fault(document, "/example", message)
    for name, calendar in policy.calendars.items():
        for place, message in _calendar_warnings(calendar, policy):
            yield _fault(document, join_pointer(("calendars", name, *place)), message)
    for kind, rule in policy.rules.items():
        if rule.calendar.hours is None and any(c.target.unit in OPEN_UNITS for c in rule.targets):
            message = "counts working time by a calendar that is always open"
            yield _fault(document, f"/deadlines/{kind}", message)
    if policy.duty_outside is not None and policy.calendars[policy.duty_outside].hours is None:
        yield _fault(
            document, "/duty_outside", "names a calendar that is always open, so no duty rota counts"
        )


def _calendar_warnings(calendar: WorkCalendar, policy: Policy) -> Iterator[tuple[tuple[str | int, ...], str]]:
    tables = policy.holiday_tables.get(calendar.name or "", ())
    for index, table in enumerate(tables):
        if not table.confirmed:
            message = f"the holidays of {table.year} are not confirmed; correct them once they are published"
            yield ("holiday_tables", index), message
    days = (*calendar.holidays, *calendar.overrides) if tables else ()
    for year in sorted({day.year for day in days} - {table.year for table in tables}):
        yield (), f"no holiday table says where the days of {year} come from"
    if calendar.timezone != policy.timezone:
        there = f"is in {calendar.timezone}, not in {policy.timezone}"
        yield (), f"{there}: its days and months are those there"


# From a policy to a document --------------------------------------------------------------------------------


def _calendar_members(policy: Policy, name: str) -> dict[str, object]:
    tables = [asdict(table) for table in policy.holiday_tables.get(name, ())]
    return calendar_document(policy.calendars[name]) | ({"holiday_tables": tables} if tables else {})


def _rule_members(rule: DeadlineRule, policy: Policy) -> dict[str, object]:
    budget = rule.pause_budget_seconds
    return _given(
        title=dict(rule.title) or None,
        calendar=None if rule.calendar == always_open(policy.timezone) else rule.calendar.name,
        starts=rule.starts,
        met_by=sorted(rule.met_by) or None,
        targets=_target_members(rule.targets),
        ladder=[_step_members(step) for step in rule.ladder],
        pauses_on=sorted(rule.pauses_on),
        pause_budget=None if budget is None else length_text(budget),
    )


def _target_members(choices: Sequence[TargetChoice]) -> list[dict[str, object]] | None:
    return [{"target": target_text(choice.target), **choice.conditions} for choice in choices] or None


def _step_members(step: Step) -> dict[str, object]:
    return _given(
        at=step.name,
        level=step.level,
        notify=[str(role) for role in step.notify],
        raise_priority=step.raise_priority or None,
        move_to_team=step.move_to_team,
        repeat=step.repeat.name if step.repeat else None,
    )


def _given(**members: object) -> dict[str, object]:
    return {name: member for name, member in members.items() if member is not None}
