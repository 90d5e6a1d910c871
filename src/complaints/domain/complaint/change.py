"""A plan in the making: the complaint as it will be, the events that tell of it, the escalations it brings.

The rules change the draft; `storage.save` writes the difference. Every event carries the change it tells of,
so that folding a complaint's events gives its state.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from complaints.domain.complaint.facts import Complaint, Deadline, Escalation, Hold, Promise, changed
from complaints.domain.json_text import plain
from complaints.domain.vocabulary import DeadlineKind, EventType

ENGINE = "engine"

# What an event does not repeat: it stands in the event itself, or follows from the rest.
_NOT_RECORDED = frozenset({"id", "version", "updated_at", "deadlines", "holds"})
_RECORDED = tuple(f.name for f in fields(Complaint) if f.name not in _NOT_RECORDED)
_RECORDED_OF_DEADLINE = (
    "kind", "cycle", "sequence", "attempt", "status", "started_at", "due_at",
    "met_at", "breached_at", "paused_seconds", "level",
)  # fmt: skip
_recorded_values = attrgetter(*_RECORDED)
_deadline_values = attrgetter(*_RECORDED_OF_DEADLINE)


@dataclass(frozen=True, slots=True)
class Event:
    """One happening in the life of a complaint. `data` is plain JSON; `at` is when it happened."""

    type: EventType
    version: int
    at: datetime
    actor: str
    data: dict[str, Any]


class Change:
    """The complaint as it will be, and what happens on the way. `before` is None for a new one."""

    __slots__ = (
        "_recorded", "actor", "before", "complaint", "escalations", "events", "new_id", "promises", "touched",
    )  # fmt: skip

    def __init__(
        self, complaint: Complaint, *, actor: str, new_id: Callable[[], UUID], new: bool = False
    ) -> None:
        self.before = None if new else complaint
        self._recorded = self.before
        self.complaint = complaint
        self.actor = actor
        self.new_id = new_id
        self.events: list[Event] = []
        self.escalations: list[Escalation] = []
        self.promises: list[Promise] = []
        self.touched = new

    def set(self, **changes: Any) -> None:
        """Change members of the complaint."""
        self.complaint = changed(self.complaint, **changes)

    def touch(self, now: datetime) -> None:
        """Count this plan as a change of the complaint: one new version, however much it changes."""
        if not self.touched:
            self.touched = True
            self.set(version=self.complaint.version + 1, updated_at=now)

    def add_deadlines(self, deadlines: Iterable[Deadline]) -> None:
        """Start more clocks."""
        self.set(deadlines=(*self.complaint.deadlines, *deadlines))

    def put_deadline(self, deadline: Deadline) -> None:
        """Replace the clock of the same id."""
        self.set(deadlines=tuple(deadline if d.id == deadline.id else d for d in self.complaint.deadlines))

    def put_hold(self, hold: Hold) -> None:
        """Add a hold, or replace the one of the same id."""
        others = tuple(h for h in self.complaint.holds if h.id != hold.id)
        self.set(holds=(*others, hold))

    def deadline(self, deadline_id: UUID) -> Deadline:
        """The clock of that id as it stands in the draft."""
        return next(d for d in self.complaint.deadlines if d.id == deadline_id)

    def unmet(self, kind: DeadlineKind, *, cycle: int | None = None) -> list[Deadline]:
        """The unmet clocks of a kind, earliest due first."""
        found = [
            d for d in self.complaint.deadlines if d.kind is kind and d.unmet and cycle in (None, d.cycle)
        ]
        return sorted(found, key=lambda d: (d.due_at, d.id))

    def record(self, event_type: EventType, at: datetime, *, actor: str | None = None, **data: Any) -> None:
        """Record an event that tells of everything changed since the last one."""
        told = {key: plain(value) for key, value in data.items() if value is not None}
        told.update(self._unrecorded())
        self._recorded = self.complaint
        self.events.append(Event(event_type, self.complaint.version, at, actor or self.actor, told))

    def _unrecorded(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if changes := recorded_changes(self._recorded, self.complaint):
            found["changes"] = changes
        before = self._recorded.deadlines if self._recorded else ()
        if moved := [recorded_deadline(d) for d in self.complaint.deadlines if _recorded_moved(before, d)]:
            found["deadlines"] = moved
        return found

    def finish(self) -> None:
        """Check that every change was told. Raises RuntimeError: a rule forgot its event."""
        if self._recorded is not self.complaint and self._unrecorded():
            raise RuntimeError(f"changes without an event: {self._unrecorded()}")


def recorded_changes(before: Complaint | None, after: Complaint) -> dict[str, Any]:
    """The members that differ, with their new values; for a new complaint those that are set."""
    if before is None:
        set_ones = zip(_RECORDED, _recorded_values(after), strict=True)
        return {name: plain(v) for name, v in set_ones if v is not None and v != () and v != {}}
    old, new = _recorded_values(before), _recorded_values(after)
    if old == new:
        return {}
    return {name: plain(v) for name, was, v in zip(_RECORDED, old, new, strict=True) if v != was}


def recorded_deadline(deadline: Deadline) -> dict[str, Any]:
    """A deadline as events tell it: its id and what is known of it."""
    members = zip(_RECORDED_OF_DEADLINE, _deadline_values(deadline), strict=True)
    told = {name: plain(v) for name, v in members if v is not None}
    return {"id": str(deadline.id), **told}


def _recorded_moved(before: Sequence[Deadline], after: Deadline) -> bool:
    if any(after is known for known in before):
        return False
    known = next((d for d in before if d.id == after.id), None)
    return known is None or _deadline_values(known) != _deadline_values(after)
