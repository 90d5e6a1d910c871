"""Kinds of subjects as an annex declares them, and the policy with the rules for their deadlines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from complaints.domain.complaint.subject import COMPLAINT_KIND
from complaints.domain.policy.policy import DeadlineRule, Policy, Step, TargetChoice
from complaints.domain.time.calendars import ALWAYS_OPEN
from complaints.domain.time.working_time import Target
from complaints.domain.vocabulary import DeadlineKind, EventType

SHARED_EVENTS = ("created", "updated", "assigned", "escalated", "linked", "unlinked")
"""Every kind has these types of events: `incident.created`, and so on."""

NEUTRAL_EVENT_TYPES = frozenset(
    {
        EventType.DEADLINE_WARNING,
        EventType.DEADLINE_BREACHED,
        EventType.DEADLINE_MET,
        EventType.ESCALATION_ACKNOWLEDGED,
    }
)
"""The types of events that the subjects of all kinds share with complaints."""

_NAME = re.compile(r"[a-z][a-z_]{1,19}")
_PREFIX = re.compile(r"[A-Z]{1,4}")


@dataclass(frozen=True, slots=True)
class DeadlineDeclaration:
    """A deadline that subjects of a kind may have. `confirm` of an incident has the kind `incident.confirm`.

    `target` is None if the due time is given when the deadline starts. `calendar` names a calendar of the policy, in
    which working time counts; without it, and where the policy does not have it, time always counts. Without a
    `ladder`, the ladder of promises holds.
    """

    name: str
    target: Target | None = None
    calendar: str | None = None
    ladder: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of subjects. `prefix` begins their numbers. The first of `states` is the state of a new one.

    A subject in one of `open_states` needs a live deadline or an active owner (rule 2.12). `event_types` are the types
    beside `SHARED_EVENTS`; each begins with the name of the kind and a dot. Raises ValueError for a declaration that
    contradicts itself.
    """

    name: str
    prefix: str
    states: tuple[str, ...]
    open_states: frozenset[str]
    deadlines: tuple[DeadlineDeclaration, ...] = ()
    event_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself."""
        if not _NAME.fullmatch(self.name) or self.name == COMPLAINT_KIND:
            raise ValueError(f"{self.name!r} cannot be the name of a kind of subjects")
        if not _PREFIX.fullmatch(self.prefix) or self.prefix == "C":
            raise ValueError(f"the numbers of {self.name} cannot begin with {self.prefix!r}")
        if (
            not self.states
            or not self.open_states < set(self.states)
            or self.states[0] not in self.open_states
        ):
            raise ValueError(f"{self.name} needs a first state that is open, and another that is not")
        for event_type in self.event_types:
            if not event_type.startswith(f"{self.name}."):
                raise ValueError(f"the type of event {event_type} does not begin with {self.name}.")

    @property
    def all_event_types(self) -> frozenset[str]:
        """Every type that an event of such a subject may have."""
        shared = (f"{self.name}.{happening}" for happening in SHARED_EVENTS)
        return frozenset({*shared, *self.event_types, *NEUTRAL_EVENT_TYPES})

    @property
    def deadline_kinds(self) -> frozenset[str]:
        """Every kind that a deadline of such a subject may have."""
        return frozenset(self.deadline_kind(declared.name) for declared in self.deadlines)

    def number(self, sequence: int) -> str:
        """The number of a subject, as users read it."""
        return f"{self.prefix}{sequence:06d}"

    def deadline_kind(self, name: str) -> str:
        """The kind of the deadlines that are declared under this name."""
        return f"{self.name}.{name}"


KindsByName = Mapping[str, SubjectKind]


def with_deadlines_of(policy: Policy, kind: SubjectKind) -> Policy:
    """The policy with a rule for each deadline that a kind of subjects declares."""
    own = (_rule(policy, kind, declared) for declared in kind.deadlines)
    return replace(policy, rules={**policy.rules, **{rule.kind: rule for rule in own}})


def _rule(policy: Policy, kind: SubjectKind, declared: DeadlineDeclaration) -> DeadlineRule:
    return DeadlineRule(
        kind=kind.deadline_kind(declared.name),
        targets=(TargetChoice(declared.target),) if declared.target else (),
        calendar=policy.calendars.get(declared.calendar or "", ALWAYS_OPEN),
        ladder=declared.ladder or policy.rules[DeadlineKind.PROMISE].ladder,
    )
