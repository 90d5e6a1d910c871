"""Facts: the complaint and its parts as frozen values. All instants are aware and in UTC.

The rules read facts and never change one. Facts that get new values often have no slots: `copy_with` copies
their dictionary, which is fast.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
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
    DeadlineStatus,
    HoldReason,
    Nature,
    Outcome,
    Priority,
    PriorityReason,
    Severity,
    Status,
)

Fact = TypeVar("Fact")
UNMET_STATUSES = frozenset({DeadlineStatus.RUNNING, DeadlineStatus.PAUSED, DeadlineStatus.BREACHED})


@dataclass(frozen=True)
class Deadline:
    """One deadline of a complaint or of another subject. An annex declares the kinds of other subjects.

    `target` is None if the due time was given (a promise) or follows from another deadline (closure).
    `paused_until` is the latest end of the present pause. `wake_at` is the next time at which the product must
    act on the deadline. `steps_taken` names the steps of its ladder already taken, in order; `level` is their
    highest level. `repetitions` is the number of the last repetition that was taken, 0 for none. A user
    acknowledged the repeating step at `acknowledged_at`, so no repetition follows.
    """

    id: UUID
    policy_code: str
    policy_version: int
    kind: str
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
    repetitions: int = 0
    acknowledged_at: datetime | None = None

    @property
    def unmet(self) -> bool:
        """True if the required action is still missing: running, paused or breached."""
        return self.status in UNMET_STATUSES


@dataclass(frozen=True)
class Hold:
    """A time in which the work waits. `ended_at` is None while the hold lasts."""

    id: UUID
    cycle: int
    reason: HoldReason
    started_at: datetime
    until_at: datetime
    ended_at: datetime | None = None


class AnySubject:
    """What complaints and all other subjects have in common. Each of their facts declares these members.

    `sequence` is the running number of its kind. `version` counts its changes and `cycle` its rounds, both from 1.
    """

    id: UUID
    sequence: int
    version: int
    status: str
    cycle: int
    created_at: datetime
    updated_at: datetime
    team: str
    policy_code: str
    policy_version: int
    ended_at: datetime | None
    deadlines: tuple[Deadline, ...]
    holds: tuple[Hold, ...]

    @property
    def next_due_at(self) -> datetime | None:
        """The earliest due time of the running and breached deadlines."""
        return min(
            (d.due_at for d in self.deadlines if d.unmet and d.status is not DeadlineStatus.PAUSED),
            default=None,
        )

    @property
    def overdue_after_at(self) -> datetime | None:
        """The complaint is overdue at every instant after this one.

        Paused deadlines count too: their due time assumes that the pause lasts to its latest end (rule 2.6).
        """
        return min((d.due_at for d in self.deadlines if d.unmet), default=None)

    @property
    def wake_at(self) -> datetime | None:
        """The next time at which the product must act: a hold ends, a deadline breaches or a step is due."""
        hold = self.current_hold if self.holds else None
        wakes = [d.wake_at for d in self.deadlines if d.wake_at is not None]
        return min([*wakes, hold.until_at] if hold else wakes, default=None)

    @property
    def current_hold(self) -> Hold | None:
        """The hold that lasts now, or None."""
        return next((h for h in self.holds if h.ended_at is None), None)


@dataclass(frozen=True)
class Escalation:
    """One step that was taken, or a call for help by a user.

    A call for help has the step "manual" and neither `deadline_id` nor `kind`. `roles` also has named recipients.
    """

    id: UUID
    deadline_id: UUID | None
    kind: str | None
    step: str
    level: int
    roles: tuple[str, ...]
    recipients: tuple[str, ...]
    planned_at: datetime
    taken_at: datetime
    superseded: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise to the complainant. The deadline with the same id holds its time."""

    id: UUID
    text: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Person:
    """The complainant, or the reporter who speaks for the complainant.

    Personal data: no event and no other table holds it.
    """

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    account_no: str | None = None
    preferred_contact: ContactChannel | None = None
    language: str | None = None
    vulnerable: bool = False


@dataclass(frozen=True, kw_only=True)
class PlainMembers:
    """The members that a complaint takes from the caller as they are. `members` says what follows from them."""

    channel: Channel
    subject: str
    description: str | None = None
    external_id: str | None = None
    severity: Severity = Severity.NORMAL
    region: str | None = None
    service_type: str | None = None
    service_id: str | None = None
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Complaint(PlainMembers, AnySubject):
    """One complaint with its deadlines.

    `version` counts its changes and `cycle` its rounds, both from 1. `ended_at` is the time at which it was
    closed, rejected, withdrawn or merged. `priority_raised_by` has an entry for each level by which the priority was
    raised, oldest first. `result_told_at` is the time at which the complainant heard the result
    of this cycle. `contact_outcome` is the outcome of the last follow-up contact that reached the complainant.
    `outcome_assumed` is True if the caller who resolved the complaint named no outcome, otherwise None (rule 1.20).
    `unreachable_at` is the time of the last contact, if it reached nobody. `external_ids` has the names of the
    complaint in other systems, by system. `external_id` is its name in the system `source`. `policy_chosen_by` is the
    rule that chose its policy (rule 4.16).
    """

    id: UUID
    sequence: int
    version: int
    status: Status
    cycle: int
    received_at: datetime
    created_at: datetime
    updated_at: datetime
    priority: Priority
    priority_given: bool
    source: str
    team: str
    first_owner: str
    policy_code: str
    policy_version: int
    priority_raised_by: tuple[PriorityReason, ...] = ()
    assignee: str | None = None
    category: str | None = None
    cause: Cause | None = None
    nature: Nature | None = None
    outcome: Outcome | None = None
    outcome_assumed: bool | None = None
    resolution: str | None = None
    root_cause: str | None = None
    compensation_amount: Decimal | None = None
    compensation_currency: str | None = None
    resolved_at: datetime | None = None
    result_told_at: datetime | None = None
    contact_outcome: ContactOutcome | None = None
    unreachable_at: datetime | None = None
    csat: int | None = None
    nps: int | None = None
    ended_at: datetime | None = None
    merged_into: UUID | None = None
    external_ids: dict[str, str] = field(default_factory=dict)
    policy_chosen_by: dict[str, str] = field(default_factory=dict)
    deadlines: tuple[Deadline, ...] = ()
    holds: tuple[Hold, ...] = ()

    @property
    def open(self) -> bool:
        """True if somebody still works on the complaint."""
        return self.status in OPEN_STATUSES

    @property
    def priority_reasons(self) -> tuple[PriorityReason, ...]:
        """Why the complaint has its priority: it was given, or it follows from the severity; then each raise."""
        return reasons_of_priority(given=self.priority_given, raised_by=self.priority_raised_by)

    @property
    def ids_by_system(self) -> dict[str, str]:
        """Every external id of the complaint, by system."""
        return add_own_id(self.external_ids, self.source, self.external_id)


def reasons_of_priority(*, given: bool, raised_by: tuple[PriorityReason, ...]) -> tuple[PriorityReason, ...]:
    """The reason with which a priority began, then the reason of each raise."""
    return (PriorityReason.GIVEN if given else PriorityReason.SEVERITY, *raised_by)


def add_own_id(others: dict[str, str], source: str, external_id: str | None) -> dict[str, str]:
    """The external ids in all systems, by system: its own in `source`, if it has one, and the others."""
    return others if external_id is None else {source: external_id, **others}


def copy_with(fact: Fact, **changes: Any) -> Fact:
    """A copy of `fact` with new values of some members. Ten times as fast as `dataclasses.replace`.

    Raises TypeError for a name that is no member of the fact.
    """
    made: Fact = object.__new__(type(fact))
    members = vars(made)
    members.update(vars(fact))
    count = len(members)
    members.update(changes)
    if len(members) != count:
        raise TypeError(f"{type(fact).__name__} has no {', '.join(changes.keys() - vars(fact).keys())}")
    return made


def restore(kind: type[Fact], names: Sequence[str], values: Iterable[Any]) -> Fact:
    """A fact made from the values of all its members, in the order of `names`. Ten times as fast as its constructor.

    Raises ValueError if the numbers of names and values differ.
    """
    made: Fact = object.__new__(kind)
    vars(made).update(zip(names, values, strict=True))
    return made


def defaults_of(kind: type[Any]) -> dict[str, Any]:
    """The members of a fact that have a default, with it. Those whose default is made for each fact are left out."""
    return {member.name: member.default for member in fields(kind) if member.default is not MISSING}


def make_fact(kind: type[Fact], members: Mapping[str, Any]) -> Fact:
    """A fact made from all its members, without its constructor. It is not checked that none is missing."""
    made: Fact = object.__new__(kind)
    vars(made).update(members)
    return made
