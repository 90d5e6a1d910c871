"""The complaint and its parts, as the rules see them: frozen facts. All instants are aware and in UTC.

Those that change often have no slots, so that a copy with a change is one of a dictionary (`changed`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from complaints.domain.time.working_time import Target
from complaints.domain.vocabulary import (
    OPEN_STATUSES,
    Cause,
    Channel,
    ContactChannel,
    ContactOutcome,
    DeadlineKind,
    DeadlineStatus,
    HoldReason,
    Nature,
    Outcome,
    Priority,
    RecipientRole,
    Severity,
    Status,
)

Fact = TypeVar("Fact")
UNMET_STATUSES = frozenset({DeadlineStatus.RUNNING, DeadlineStatus.PAUSED, DeadlineStatus.BREACHED})


@dataclass(frozen=True)
class Deadline:
    """One clock of one complaint.

    `target` is None where the due time was given (a promise) or follows from another (closure).
    `paused_until` is when the present pause ends at the latest; `wake_at` when the engine next has to act on
    it. `steps_taken` names the rungs of its ladder already taken, in order; `level` is the highest of them.
    """

    id: UUID
    policy_code: str
    policy_version: int
    kind: DeadlineKind
    cycle: int
    sequence: int
    attempt: int
    status: DeadlineStatus
    started_at: datetime
    target: Target | None
    due_at: datetime
    met_at: datetime | None = None
    breached_at: datetime | None = None
    paused_seconds: int = 0
    paused_until: datetime | None = None
    level: int = 0
    steps_taken: tuple[str, ...] = ()
    wake_at: datetime | None = None

    @property
    def unmet(self) -> bool:
        """Whether something is still to be done about it."""
        return self.status in UNMET_STATUSES


@dataclass(frozen=True)
class Hold:
    """A time in which work waits; `ended_at` is None while it lasts."""

    id: UUID
    cycle: int
    reason: HoldReason
    started_at: datetime
    until_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """One step taken, or one escalation asked for by a person (`deadline_id` None, `step` "manual")."""

    id: UUID
    deadline_id: UUID | None
    kind: DeadlineKind | None
    step: str
    level: int
    roles: tuple[RecipientRole, ...]
    recipients: tuple[str, ...]
    planned_at: datetime
    taken_at: datetime
    superseded: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised to the complainant; its clock is the deadline of the same id."""

    id: UUID
    text: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person: the complainant, or the reporter who speaks for them. Personal data, kept apart."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    account_no: str | None = None
    preferred_contact: ContactChannel | None = None
    language: str | None = None
    vulnerable: bool = False


@dataclass(frozen=True)
class Complaint:
    """One complaint with its clocks. `version` counts its changes; `cycle` its rounds, from 1.

    `ended_at` is when it was closed, rejected, withdrawn or merged. `result_told_at` is when the result of
    the present cycle was fed back; `contact_outcome` what the last answered follow-up contact of it brought.
    """

    id: UUID
    sequence: int
    version: int
    status: Status
    cycle: int
    channel: Channel
    subject: str
    received_at: datetime
    created_at: datetime
    updated_at: datetime
    severity: Severity
    priority: Priority
    priority_given: bool
    source: str
    team: str
    first_owner: str
    policy_code: str
    policy_version: int
    assignee: str | None = None
    description: str | None = None
    external_id: str | None = None
    category: str | None = None
    cause: Cause | None = None
    nature: Nature | None = None
    region: str | None = None
    service_type: str | None = None
    service_id: str | None = None
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    resolution: str | None = None
    root_cause: str | None = None
    compensation_amount: Decimal | None = None
    compensation_currency: str | None = None
    resolved_at: datetime | None = None
    result_told_at: datetime | None = None
    contact_outcome: ContactOutcome | None = None
    csat: int | None = None
    nps: int | None = None
    ended_at: datetime | None = None
    merged_into: UUID | None = None
    deadlines: tuple[Deadline, ...] = ()
    holds: tuple[Hold, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it is still in someone's hands."""
        return self.status in OPEN_STATUSES

    @property
    def next_due_at(self) -> datetime | None:
        """The earliest due time of its running or breached deadlines."""
        return min(
            (d.due_at for d in self.deadlines if d.unmet and d.status is not DeadlineStatus.PAUSED),
            default=None,
        )

    @property
    def overdue_after_at(self) -> datetime | None:
        """It is overdue at every instant after this one; paused deadlines too are past due by then."""
        return min((d.due_at for d in self.deadlines if d.unmet), default=None)

    @property
    def wake_at(self) -> datetime | None:
        """When the engine next has to act on it: a hold ends, a deadline breaches, a step is to be taken."""
        hold = self.current_hold
        wakes = [d.wake_at for d in self.deadlines if d.wake_at is not None]
        return min([*wakes, hold.until_at] if hold else wakes, default=None)

    @property
    def current_hold(self) -> Hold | None:
        """The hold that lasts now, if any."""
        return next((h for h in self.holds if h.ended_at is None), None)


def changed(fact: Fact, **changes: Any) -> Fact:
    """`fact` with other values of some members: `dataclasses.replace`, in a tenth of the time.

    Raises TypeError for what is no member.
    """
    made: Fact = object.__new__(type(fact))
    members = vars(made)
    members.update(vars(fact))
    count = len(members)
    members.update(changes)
    if len(members) != count:
        raise TypeError(f"{type(fact).__name__} has no {', '.join(changes.keys() - vars(fact).keys())}")
    return made


def restored(kind: type[Fact], names: Sequence[str], values: Iterable[Any]) -> Fact:
    """The fact with these values of all its members: its constructor, in a tenth of the time."""
    made: Fact = object.__new__(kind)
    vars(made).update(zip(names, values, strict=True))
    return made
