"""The life of a subject that is no complaint: it is opened, its deadlines start and are met, its state changes.

Its annex decides which of these may happen when.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import SubjectChange
from complaints.domain.complaint.facts import Deadline
from complaints.domain.errors import Conflict
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.subject_kinds import SubjectKind
from complaints.domain.rules.deadlines import (
    cancel,
    compute_due_time,
    make_deadline,
    meet,
    next_sequence,
)
from complaints.domain.vocabulary import EventType


def open_subject(change: SubjectChange, now: datetime, **data: Any) -> None:
    """Record that a new subject was opened. `data` are further members of the event."""
    change.record(EventType.CREATED, now, **data)


def start_deadline(
    change: SubjectChange,
    policy: Policy,
    kind: SubjectKind,
    name: str,
    started_at: datetime,
    *,
    due_at: datetime | None = None,
) -> UUID:
    """Start a deadline of the present cycle. Returns its id. An event must be recorded after it.

    `policy` has the deadlines of the kind. Without `due_at`, the declared target gives the due time. Raises Conflict
    for an ended subject.
    """
    if not change.subject.open:
        raise Conflict(f"{change.subject.number} has ended: no deadline can start.")
    deadline_kind = kind.deadline_kind(name)
    rule = policy.rules[deadline_kind]
    target = rule.target_for(None, None) if due_at is None else None
    deadline = make_deadline(
        change,
        policy,
        deadline_kind,
        started_at=started_at,
        target=target,
        due_at=compute_due_time(started_at, target, rule.calendar) if target else due_at or started_at,
        sequence=next_sequence(change.subject, deadline_kind),
    )
    change.add_deadlines([deadline])
    return deadline.id


def meet_deadline(change: SubjectChange, kind: SubjectKind, name: str, now: datetime) -> Deadline | None:
    """Meet the unmet deadline of this name that is due first. Returns None if there is none."""
    unmet = change.unmet(kind.deadline_kind(name))
    if not unmet:
        return None
    meet(change, unmet[0], now)
    return unmet[0]


def change_state(
    change: SubjectChange, kind: SubjectKind, state: str, event_type: str, now: datetime, **data: Any
) -> None:
    """Bring a subject into another of its states, with an event of its annex. `data` are members of the event.

    A state that is not open ends it: its unmet deadlines are cancelled (rule 2.11). Raises ValueError for an unknown
    state or type of event, because the annex is wrong.
    """
    if state not in kind.states or event_type not in kind.event_types:
        raise ValueError(f"the kind {kind.name} declares no state {state}, or no type of event {event_type}")
    change.touch(now)
    is_open = state in kind.open_states
    if not is_open:
        cancel(change, [d for d in change.subject.deadlines if d.unmet])
    change.set(status=state, ended_at=None if is_open else change.subject.ended_at or now)
    change.record(event_type, now, **data)
