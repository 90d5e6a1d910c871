"""The promises of one complaint, with their deadlines as they stand now."""

from collections.abc import Sequence
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Deadline, Promise
from complaints.domain.errors import Conflict, InvalidContent, NotFound
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines
from complaints.domain.rules.deadlines import catch_up_status
from complaints.domain.vocabulary import DeadlineKind, DeadlineStatus, EventType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.deadline import find_promises
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.complaints import MakePromise
from complaints.use_cases.complaints.changing import change_complaint
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.service import Service


def list_promises(tx: Transaction, caller: Caller, reference: str) -> Sequence[tuple[Deadline, Promise]]:
    """All promises with their deadlines, in the order in which they were made. Raises NotFound."""
    complaint = load_known_complaint(tx, caller, reference).complaint
    promised = {
        d.id: catch_up_status(d, tx.now) for d in complaint.deadlines if d.kind is DeadlineKind.PROMISE
    }
    texts = find_promises(tx, promised.keys())
    return [(promised[promise_id], texts[promise_id]) for promise_id in promised]


def make_promise(
    service: Service, tx: Transaction, caller: Caller, reference: str, command: MakePromise
) -> tuple[Deadline, Promise]:
    """Promise something to the complainant by a time. Returns the deadline and the promise.

    Raises Conflict if the complaint has ended, and InvalidContent for a time that has passed.
    """
    made: list[UUID] = []

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        made.append(plan_promise(tx, caller, change, policy, command))

    complaint = change_complaint(service, tx, caller, reference, step)
    return _promised(complaint.deadlines, made[0]), Promise(made[0], command.text, caller.actor)


def keep_promise(
    service: Service, tx: Transaction, caller: Caller, reference: str, promise_id: UUID
) -> tuple[Deadline, Promise]:
    """Mark a promise as kept. Raises NotFound, and Conflict if the promise is no longer open."""

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        plan_keeping(tx, change, promise_id)

    complaint = change_complaint(service, tx, caller, reference, step)
    return _promised(complaint.deadlines, promise_id), find_promises(tx, [promise_id])[promise_id]


def plan_promise(
    tx: Transaction, caller: Caller, change: Change, policy: Policy, command: MakePromise
) -> UUID:
    """Plan a promise. Returns its id. Raises as `make_promise`."""
    if not change.complaint.open:
        raise Conflict(f"A complaint that is {change.complaint.status} takes no promise.")
    if command.due_at <= tx.now:
        raise InvalidContent.at("/due_at", "A promise is due in the future.")
    change.touch(tx.now)
    promise_id = deadlines.add_promise(
        change, policy, command.text, made_by=caller.actor, started_at=tx.now, due_at=command.due_at
    )
    change.record(EventType.PROMISE_MADE, tx.now, deadline_id=promise_id, text=command.text)
    return promise_id


def plan_keeping(tx: Transaction, change: Change, promise_id: UUID) -> None:
    """Plan that a promise is kept. Raises as `keep_promise`."""
    deadline = _promised(change.complaint.deadlines, promise_id)
    if not deadline.unmet:
        raise Conflict(f"This promise is {_ENDED[deadline.status]}.")
    change.touch(tx.now)
    change.record(EventType.PROMISE_KEPT, tx.now, deadline_id=promise_id)
    deadlines.meet(change, deadline, tx.now)


_ENDED = {
    DeadlineStatus.MET: "kept already",
    DeadlineStatus.MET_LATE: "kept already, late",
    DeadlineStatus.CANCELLED: "cancelled",
}


def _promised(known: Sequence[Deadline], promise_id: UUID) -> Deadline:
    for deadline in known:
        if deadline.id == promise_id and deadline.kind is DeadlineKind.PROMISE:
            return deadline
    raise NotFound("The complaint has no such promise.")
