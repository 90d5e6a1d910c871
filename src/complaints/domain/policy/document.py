"""Policy documents: the written form of a policy (domain §4, docs/policies.md), in YAML or JSON, and back.

Reading finds everything that is wrong at once, each fault with its place in the document and its line.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from complaints.domain.errors import Fault, escape_pointer
from complaints.domain.instants import write_instant
from complaints.domain.policy.nodes import Findings, Node
from complaints.domain.policy.policy import DeadlineRule, Policy, Step
from complaints.domain.policy.reading import Context, policy_of
from complaints.domain.policy.yaml_nodes import compose
from complaints.domain.time.calendar_document import calendar_document
from complaints.domain.time.calendars import WorkCalendar, always_open
from complaints.domain.time.notation import length_text, target_text


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """A policy read without a fault, and what in its document deserves a look, each with its line."""

    policy: Policy
    warnings: tuple[Fault, ...]


def read_policy(
    text: str,
    *,
    version: int = 1,
    calendars: Mapping[str, WorkCalendar] | None = None,
    teams: Collection[str] | None = None,
    categories: Collection[str] | None = None,
) -> PolicyReading:
    """The policy that `text` (YAML or JSON) describes; `version` is assigned by whoever stores it.

    `calendars` are the stored ones that `use` may name; the policy takes them in as they are now. Teams and
    categories named must be among `teams` and `categories`; None leaves them unchecked. Raises
    InvalidContent with one fault for each thing wrong: its JSON pointer, and "line N: " before the message.
    """
    root, findings = compose(text)
    return _read(root, Context(findings, calendars or {}, teams, categories), version=version)


def to_document(policy: Policy) -> dict[str, object]:
    """The policy as plain JSON data, its calendars written out: `from_document` reads it back equal."""
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
        "routes": [
            _given(team=r.team, cause=r.cause, category=r.category, region=r.region) for r in policy.routes
        ],
        "default_team": policy.default_team,
        "early_close_roles": sorted(policy.early_close_roles),
        "acknowledgement": dict(policy.acknowledgement),
    }


def from_document(document: Mapping[str, object], *, version: int) -> Policy:
    """The policy that `to_document` wrote. Raises InvalidContent when it is not one (all is on line 1)."""
    context = Context(Findings({}), {}, None, None)
    return _read(_node_of(document, ""), context, version=version).policy


def _read(root: Node, context: Context, *, version: int) -> PolicyReading:
    policy = context.findings.read(root, partial(policy_of, context=context, version=version))
    context.findings.raise_faults("policy document")
    return PolicyReading(policy.value, tuple(context.findings.warnings))


# From a policy to data --------------------------------------------------------------------------------------


def _calendar_members(policy: Policy, name: str) -> dict[str, object]:
    tables = [
        {"year": table.year, "source": table.source, "confirmed": table.confirmed}
        for table in policy.holiday_tables.get(name, ())
    ]
    return {**calendar_document(policy.calendars[name]), **({"holiday_tables": tables} if tables else {})}


def _rule_members(rule: DeadlineRule, policy: Policy) -> dict[str, object]:
    targets = [
        _given(target=target_text(c.target), priority=c.priority, category=c.category) for c in rule.targets
    ]
    budget = rule.pause_budget_seconds
    return _given(
        calendar=None if rule.calendar == always_open(policy.timezone) else rule.calendar.name,
        targets=targets or None,
        ladder=[_step_members(step) for step in rule.ladder],
        pauses_on=sorted(rule.pauses_on),
        pause_budget=None if budget is None else length_text(budget),
    )


def _step_members(step: Step) -> dict[str, object]:
    return _given(
        at=step.name,
        level=step.level,
        notify=[str(role) for role in step.notify],
        raise_priority=step.raise_priority or None,
        move_to_team=step.move_to_team,
    )


def _given(**members: object) -> dict[str, object]:
    return {name: member for name, member in members.items() if member is not None}


# From data and from text to nodes ---------------------------------------------------------------------------


def _node_of(data: object, pointer: str) -> Node:
    """JSON data as nodes."""
    if isinstance(data, Mapping):
        members = {
            str(name): _node_of(inner, f"{pointer}/{escape_pointer(str(name))}")
            for name, inner in data.items()
        }
        return Node(pointer, 1, members)
    if isinstance(data, list):
        return Node(pointer, 1, tuple(_node_of(item, f"{pointer}/{n}") for n, item in enumerate(data)))
    if data is None or isinstance(data, str):
        return Node(pointer, 1, data)
    return Node(pointer, 1, json.dumps(data), plain=True)
