"""One complaint in a simulation: as it stands, what time does to it, and what was done to it or refused."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import accumulate, chain, count
from typing import Any, NamedTuple
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change, Event
from complaints.domain.complaint.facts import Complaint, Deadline, Escalation
from complaints.domain.errors import ComplaintError
from complaints.domain.instants import MOMENT
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import actions
from complaints.domain.rules.actions import ActionContext
from complaints.domain.rules.assignment import find_method
from complaints.domain.rules.merging import UNMERGE_ROLES, MergeRecord
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.simulation.past import (
    Course,
    DeadlineFate,
    DeadlineKey,
    History,
    PastEvent,
    TakenStep,
    name_steps,
)
from complaints.domain.simulation.staff_timeline import StaffTimeline, StaffVersion
from complaints.domain.vocabulary import AccessRole, Action, AssignmentMethod, EventType

_ALL_ROLES = frozenset(AccessRole)
_USER = "user:"


_READ_EVENTS = frozenset({EventType.ASSIGNED, EventType.REOPENED})


class SimulatedChange(Change):
    """A change of a simulation. Nobody stores its events, so it has only those that a simulation reads."""

    __slots__ = ()

    def record(self, event_type: str, at: datetime, *, actor: str | None = None, **data: Any) -> None:
        """Add an event with its own data alone, unless nobody reads it."""
        if event_type in _READ_EVENTS:
            self.events.append(Event(event_type, self.subject.version, at, actor or self.actor, data))


class NotPossible(NamedTuple):
    """An action of the past that the rules refuse in the simulation, with the reason. `at` is in UTC."""

    at: datetime
    action: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class SimulationTerms:
    """The conditions of a simulation.

    `policies` are those of the past, by code and version. `choose_policy` gives the policy that a complaint has in the
    simulation in place of one that it had in the past. Complaints are followed to the instant `until`, in UTC.
    """

    policies: Mapping[tuple[str, int], Policy]
    staff: StaffTimeline
    choose_policy: Callable[[History, Policy], Policy]
    until: datetime


@dataclass(slots=True, eq=False)
class SimulatedMerge:
    """What a simulated complaint knows of its own merge into another one.

    `refusal` says why the other complaint could not take it. `moved` are the promises that moved there. `record` is the
    merge that was made, `undone` the one that is being undone.
    """

    refusal: str | None = None
    moved: Mapping[UUID, UUID] = field(default_factory=dict)
    record: MergeRecord | None = None
    undone: MergeRecord | None = None


@lru_cache(maxsize=1_000)
def _make_id(number: int) -> UUID:
    """An id of a part of a complaint. All complaints take the same ones, from the lowest on."""
    return UUID(int=number)


class SimulatedComplaint:
    """A complaint in a simulation. `members` are those of the past, as JSON, after the event that is rerun.

    `policy` and `complaint` are there after the first event. `assignments_left` counts assignments by policy that could
    not be made again, because they depend on all complaints. `promise_ids` has the promises by their id of the past.
    `last_assigned` has the names of the data of the last assignment; None without one. `keeps_policy` is true if it has
    the policy that it got at its receipt in the past.
    """

    policy: Policy
    complaint: Complaint

    def __init__(self, history: History, terms: SimulationTerms) -> None:
        self.history, self.terms = history, terms
        self.members: dict[str, Any] = {}
        self.escalations: list[Escalation] = []
        self.not_possible: list[NotPossible] = []
        self.promise_ids: dict[str, UUID] = {}
        self.last_assigned: frozenset[str] | None = None
        self.awaited: AssignmentMethod | None = None
        self.assignments_left = 0
        self.keeps_policy = False
        self.merge = SimulatedMerge()
        self._ids = chain([history.id], map(_make_id, count(1)))
        late = sorted(history.late_looks())
        self._now = history.events[0].at
        self._late_since = [planned_at for planned_at, _ in late]
        self._late_until = list(accumulate((looked_at for _, looked_at in late), max))

    def new_id(self) -> UUID:
        """The id of the complaint at first, then ids that no other part of it has. Later ones are greater."""
        return next(self._ids)

    @property
    def past_policy(self) -> Policy:
        """The policy that the complaint had in the past. Raises KeyError if it is not known."""
        return self.terms.policies[self.members["policy_code"], self.members["policy_version"]]

    def choose_policy(self) -> Policy:
        """The policy of the simulation in place of that of the past."""
        return self.terms.choose_policy(self.history, self.past_policy)

    def staff_at(self, instant: datetime) -> StaffVersion:
        """The staff and the categories at an instant."""
        return self.terms.staff.at(instant)

    # Time

    def advance(self, until: datetime) -> None:
        """Let time pass up to `until`. The engine looks when something is due, or as late as it looked in the past."""
        while (wake_at := self.complaint.wake_at) is not None and (now := self._look_at(wake_at)) <= until:
            self._now = now
            self._catch_up_to(now, in_parts=True)

    def _look_at(self, wake_at: datetime) -> datetime:
        """When the engine looks for what is due at `wake_at`."""
        before = bisect_right(self._late_since, wake_at)
        return max(wake_at, self._now, self._late_until[before - 1] if before else wake_at)

    def catch_up(self, now: datetime) -> None:
        """Apply everything that time alone does up to `now`."""
        self.advance(now)
        self._now = now
        if (wake_at := self.complaint.wake_at) is not None and wake_at <= now:
            self._catch_up_to(now)

    def _catch_up_to(self, now: datetime, *, in_parts: bool = False) -> None:
        change = SimulatedChange(self.complaint, actor=ENGINE, new_id=self.new_id)
        catch_up(change, self.policy, self.staff_at(now).directory, now, in_parts=in_parts)
        self.keep(change)

    def finish(self) -> None:
        """Let time pass to the end of the simulation, or to the instant up to which the engine came in the past."""
        until, wake_at = self.terms.until, self.history.wake_at
        self.advance(until if wake_at is None or wake_at > until else wake_at - MOMENT)

    # Changes

    def open(self, event: PastEvent) -> Change:
        """A change of the complaint by the actor of an event."""
        return SimulatedChange(self.complaint, actor=event.actor, new_id=self.new_id)

    def keep(self, change: Change) -> None:
        """Take over what a change did."""
        self.complaint = change.complaint
        self.escalations += change.escalations
        for event in change.events:
            if event.type == EventType.ASSIGNED:
                self.last_assigned = frozenset(
                    name for name, value in event.data.items() if value is not None
                )
        if self.policy.assignment and (method := find_method(change, self.policy)) is not None:
            self.awaited = method
            self.assignments_left += 1

    def attempt(self, event: PastEvent, action: str, step: Callable[[Change], None]) -> Change | None:
        """Bring the complaint to the instant of an event, and do what the event tells.

        Returns the change; None if the rules refuse the action, which is then noted and leaves the complaint as it is.
        """
        self.catch_up(event.at)
        change = self.open(event)
        try:
            step(change)
        except ComplaintError as refusal:
            self.refuse(event, action, refusal.detail)
            return None
        catch_up(change, self.policy, self.staff_at(event.at).directory, event.at)
        self.keep(change)
        return change

    def plan_action(self, event: PastEvent, action: Action, arguments: dict[str, Any]) -> Change | None:
        """Take an action of the past again. Returns the change; None if the rules refuse the action."""
        context = self.context(event)
        return self.attempt(event, action, lambda change: actions.plan(change, context, action, arguments))

    def refuse(self, event: PastEvent, action: str, reason: str) -> None:
        """Note that an action is not possible in the simulation."""
        self.not_possible.append(NotPossible(event.at, action, event.actor, reason))

    def context(self, event: PastEvent) -> ActionContext:
        """The facts that decide on an action of the past in the simulation."""
        staff = self.staff_at(event.at)
        return ActionContext(
            event.at, self.policy, staff.directory, self._roles_of(event, staff), staff.categories
        )

    def _roles_of(self, event: PastEvent, staff: StaffVersion) -> frozenset[AccessRole]:
        """The roles of the actor. The past allowed the action, so they count only if fewer roles may close early."""
        if self.past_policy.early_close_roles <= self.policy.early_close_roles:
            return _ALL_ROLES
        user = staff.directory.users.get(event.actor.removeprefix(_USER))
        is_known = event.actor.startswith(_USER) and user is not None and user.roles is not None
        return frozenset(user.roles or ()) | frozenset(UNMERGE_ROLES) if is_known and user else _ALL_ROLES

    # What became of it

    def find_deadline(self, key: DeadlineKey | None) -> Deadline | None:
        """The deadline with this key. None if the simulation has none."""
        return next((d for d in self.complaint.deadlines if key_of(d) == key), None)

    def course(self) -> Course:
        """What became of the complaint."""
        keys = {d.id: key_of(d) for d in self.complaint.deadlines}
        deadlines = {keys[d.id]: _fate_of(d) for d in self.complaint.deadlines}
        steps = (
            (
                keys[one.deadline_id] if one.deadline_id else None,
                one.step,
                TakenStep(one.level, one.planned_at, one.taken_at, one.recipients),
            )
            for one in self.escalations
        )
        return Course(deadlines, name_steps(steps))


def key_of(deadline: Deadline) -> DeadlineKey:
    """The key of a deadline."""
    return DeadlineKey(deadline.kind, deadline.cycle, deadline.sequence, deadline.attempt)


def _fate_of(one: Deadline) -> DeadlineFate:
    return DeadlineFate(one.status, one.started_at, one.due_at, one.met_at, one.breached_at)


OtherComplaints = Mapping[UUID, SimulatedComplaint]
"""The complaints that are simulated together, because they were merged with each other, by id."""
