"""A planned change to one complaint or other subject, with its events and escalations.

The rules make a `Change`, and `storage.save` writes it. Each event holds the members that changed since the
event before, so adding up all events of a complaint gives its present state (`history.fold`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar
from uuid import UUID

from complaints.domain.complaint.facts import (
    AnySubject,
    Complaint,
    Deadline,
    Escalation,
    Hold,
    Promise,
    copy_with,
)
from complaints.domain.complaint.subject import COMPLAINT_KIND, Subject
from complaints.domain.json_text import to_json

ENGINE = "engine"
Fact = TypeVar("Fact", bound=AnySubject)

# Events do not record these members: an event has them itself, or they follow from the other members.
_NOT_RECORDED = frozenset({"id", "version", "updated_at", "deadlines", "holds"})
_RECORDED_OF_DEADLINE = (
    "id", "kind", "cycle", "sequence", "attempt", "status", "started_at", "due_at",
    "met_at", "breached_at", "paused_seconds", "level",
)  # fmt: skip
_deadline_values = attrgetter(*_RECORDED_OF_DEADLINE)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a history. `at` is the time of the entry, in UTC.

    `data` holds facts: `history.canonical` writes them as JSON, once. `version` is the version of the complaint or
    other subject after the change.
    """

    type: str
    version: int
    at: datetime
    actor: str
    data: dict[str, Any]


class PlannedChange(Generic[Fact]):
    """A planned change to one complaint or other subject. Nothing is stored until `storage.save` writes it.

    `subject` is the fact after the change. `before` is the fact before it, None for a new one. `touched` is true
    if the change counts as a new version. `actor` is the cause of all events that name no other actor.
    """

    __slots__ = (
        "_recorded", "actor", "before", "escalations", "events", "new_id", "promises", "subject", "touched",
    )  # fmt: skip

    def __init__(self, subject: Fact, *, actor: str, new_id: Callable[[], UUID], new: bool = False) -> None:
        self.before = None if new else subject
        self._recorded = self.before
        self.subject = subject
        self.actor = actor
        self.new_id = new_id
        self.events: list[Event] = []
        self.escalations: list[Escalation] = []
        self.promises: list[Promise] = []
        self.touched = new

    def set(self, **changes: Any) -> None:
        """Set members of the fact. Raises TypeError for an unknown member."""
        self.subject = copy_with(self.subject, **changes)

    def touch(self, now: datetime) -> None:
        """Give the fact a new version, updated at `now`. Only the first call has an effect."""
        if not self.touched:
            self.touched = True
            self.set(version=self.subject.version + 1, updated_at=now)

    def add_deadlines(self, deadlines: Iterable[Deadline]) -> None:
        """Add deadlines to the fact."""
        self.set(deadlines=(*self.subject.deadlines, *deadlines))

    def put_deadline(self, deadline: Deadline) -> None:
        """Replace the deadline with the same id."""
        self.set(deadlines=tuple(deadline if d.id == deadline.id else d for d in self.subject.deadlines))

    def put_hold(self, hold: Hold) -> None:
        """Add a hold, or replace the hold with the same id."""
        others = tuple(h for h in self.subject.holds if h.id != hold.id)
        self.set(holds=(*others, hold))

    def deadline(self, deadline_id: UUID) -> Deadline:
        """The present state of the deadline with this id. Raises StopIteration if there is none."""
        return next(d for d in self.subject.deadlines if d.id == deadline_id)

    def unmet(self, kind: str, *, cycle: int | None = None) -> list[Deadline]:
        """The unmet deadlines of a kind, earliest due time first. Without `cycle`: of every cycle."""
        found = [d for d in self.subject.deadlines if d.kind == kind and d.unmet and cycle in (None, d.cycle)]
        return sorted(found, key=lambda d: (d.due_at, d.id))

    def record(self, event_type: str, at: datetime, *, actor: str | None = None, **data: Any) -> None:
        """Add an event with everything that changed since the last event. Values of None are left out."""
        recorded = {key: value for key, value in data.items() if value is not None}
        recorded.update(self._unrecorded())
        self._recorded = self.subject
        self.events.append(Event(event_type, self.subject.version, at, actor or self.actor, recorded))

    def _unrecorded(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        before, after = self._recorded, self.subject
        if before is after:
            return found
        if changes := _changed_members(before, after):
            found["changes"] = changes
        known = before.deadlines if before else ()
        if known is not after.deadlines and (
            moved := [_members_of(d) for d in after.deadlines if _is_moved(known, d)]
        ):
            found["deadlines"] = moved
        return found

    def finish(self) -> None:
        """Check that events record every change. Raises RuntimeError if a rule forgot its event."""
        if self._recorded is not self.subject and self._unrecorded():
            raise RuntimeError(f"changes without an event: {self._unrecorded()}")


class Change(PlannedChange[Complaint]):
    """A planned change to one complaint. `complaint` is another name of the member `subject`."""

    __slots__ = ()
    complaint: Complaint

    @classmethod
    def stamped(
        cls,
        before: Complaint | None,
        after: Complaint,
        *,
        actor: str,
        new_id: Callable[[], UUID],
        events: list[Event],
        escalations: list[Escalation],
    ) -> "Change":
        """The change from `before` to `after` whose events and escalations are known, from a plan."""
        change = cls(after, actor=actor, new_id=new_id)
        change.before, change.events, change.escalations = before, events, escalations
        change.touched = before is None or before.version != after.version
        return change

    @classmethod
    def joined(cls, changes: "Sequence[Change]") -> "Change":
        """Changes of one complaint that follow each other, as one change with all their events, to be saved together.

        Each keeps its versions, instants and actors. Raises RuntimeError as `finish`.
        """
        first, last = changes[0], changes[-1]
        for change in changes:
            change.finish()
        joined = cls.stamped(
            first.before,
            last.complaint,
            actor=last.actor,
            new_id=last.new_id,
            events=[event for change in changes for event in change.events],
            escalations=[taken for change in changes for taken in change.escalations],
        )
        joined.promises = [promise for change in changes for promise in change.promises]
        return joined


Change.complaint = PlannedChange.subject  # type: ignore[misc]


class SubjectChange(PlannedChange[Subject]):
    """A planned change to a subject that is no complaint."""

    __slots__ = ()

    def record(self, event_type: str, at: datetime, *, actor: str | None = None, **data: Any) -> None:
        """As for a complaint, but `complaint.escalated` is called `incident.escalated` if it is an incident."""
        own = event_type.replace(f"{COMPLAINT_KIND}.", f"{self.subject.kind}.", 1)
        super().record(own, at, actor=actor, **data)


AnyChange = PlannedChange[Any]


def recorded_changes(before: AnySubject | None, after: AnySubject) -> dict[str, Any]:
    """The members that differ, as JSON, with their new values. For a new fact: all members with a value."""
    return {name: to_json(value) for name, value in _changed_members(before, after).items()}


def recorded_members(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that the first event of a history records: those with a value."""
    known = ((name, value) for name, value in members.items() if value is not None)
    return {n: v for n, v in known if n not in _NOT_RECORDED and v != () and v != {}}


def recorded_deadline(deadline: Deadline) -> dict[str, Any]:
    """The form of a deadline in events, as JSON: its id, and each recorded member that has a value."""
    return {name: to_json(value) for name, value in _members_of(deadline).items()}


def _changed_members(before: AnySubject | None, after: AnySubject) -> dict[str, Any]:
    """The members that differ. Most members are the same object in both facts, so that is compared first."""
    if before is None:
        return recorded_members(vars(after))
    old, new = vars(before), vars(after)
    return {n: v for n, v in new.items() if v is not old[n] and n not in _NOT_RECORDED and v != old[n]}


def _members_of(deadline: Deadline) -> dict[str, Any]:
    members = zip(_RECORDED_OF_DEADLINE, _deadline_values(deadline), strict=True)
    return {name: value for name, value in members if value is not None}


def _is_moved(before: Sequence[Deadline], after: Deadline) -> bool:
    """True if a recorded member of the deadline changed, or if it is new."""
    if any(after is known for known in before):
        return False
    known = next((d for d in before if d.id == after.id), None)
    return known is None or _deadline_values(known) != _deadline_values(after)
