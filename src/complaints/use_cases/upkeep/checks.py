"""The invariants of the database, for `complaints check`: history, deadlines, escalations, followers (rule 2.12)."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from complaints.domain.complaint.change import Event, recorded_changes, recorded_deadline
from complaints.domain.complaint.facts import Complaint, Deadline
from complaints.domain.complaint.history import HistoryEnd, chained_digest, fold
from complaints.domain.complaint.numbers import number_of
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.deadlines import terms_of
from complaints.domain.rules.ladder import plan_remaining_steps
from complaints.domain.rules.repetitions import MARK
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import DeadlineStatus, EventType
from complaints.storage import months
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import audit
from complaints.storage.queries.audit import ComplaintRow, EscalationRow, EventRow
from complaints.storage.rows.event import find_last_number
from complaints.storage.rows.follower import find_cursors
from complaints.use_cases.service import Service

BATCH = 500
LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach of an invariant. `number` is the number of the complaint; "" if it concerns no complaint."""

    invariant: str
    number: str
    message: str


@dataclass(frozen=True, slots=True)
class _Case:
    """One complaint with everything that is stored about it.

    `now_is_late`: the complaint's wake time is more than a minute ago. `cut_off`: the history began in a month that
    was detached, so only the rest of it can be checked.
    """

    stored: ComplaintRow
    events: Sequence[EventRow]
    escalations: Sequence[EscalationRow]
    policy: Policy
    directory: Directory
    now_is_late: bool
    cut_off: bool

    @property
    def complaint(self) -> Complaint:
        return self.stored.loaded.complaint


@dataclass(frozen=True, slots=True)
class ProofSize:
    """How many complaints there are to check.

    `cut_off` counts the complaints that began in a month whose history was detached.
    """

    complaints: int
    cut_off: int


def count_to_check(service: Service) -> ProofSize:
    """Count the complaints that `check_all` will go through."""
    return service.read(lambda tx: ProofSize(audit.count_complaints(tx), audit.count_cut_off(tx)))


def check_all(
    service: Service, *, progress: Callable[[int], None] = lambda count: None
) -> Iterator[Violation]:
    """Every breach of an invariant of a complaint. `progress` is called after each batch with its size."""
    after: UUID | None = None
    while True:
        found, after, count = service.read(lambda tx, start=after: _check_batch(service, tx, start))  # type: ignore[misc]
        yield from found
        progress(count)
        if after is None:
            return


def _check_batch(
    service: Service, tx: Transaction, after: UUID | None
) -> tuple[list[Violation], UUID | None, int]:
    batch = audit.find_batch(tx, after, BATCH)
    ids = [stored.loaded.complaint.id for stored in batch.stored]
    count = len(ids) + len(batch.unreadable)
    events = {
        key: list(rows)
        for key, rows in groupby(audit.find_events(tx, batch.stored), lambda e: e.complaint_id)
    }
    taken = {
        key: list(rows) for key, rows in groupby(audit.find_escalations(tx, ids), lambda e: e.complaint_id)
    }
    configuration, horizon = service.configuration(tx), months.horizon(tx)
    found = [Violation("readable", number_of(n), "its stored data makes no sense") for n in batch.unreadable]
    for stored in batch.stored:
        complaint = stored.loaded.complaint
        wake_at = complaint.wake_at
        own = events.get(complaint.id, [])
        case = _Case(
            stored=stored,
            events=own,
            escalations=taken.get(complaint.id, []),
            policy=configuration.policy(complaint.policy_code, complaint.policy_version),
            directory=configuration.directory,
            now_is_late=wake_at is not None and tx.now - wake_at > LATE,
            cut_off=stored.loaded.events_after < horizon and not (own and own[0].ordinal == 1),
        )
        number = number_of(complaint.sequence)
        found.extend(Violation(name, number, message) for name, rule in _RULES for message in rule(case))
    return found, batch.last if count == BATCH else None, count


# The invariants ----------------------------------------------------------------------------------------------------


def _history_unbroken(case: _Case) -> Iterator[str]:
    end, events = _beginning(case)
    for row in events:
        event = Event(EventType(row.type), row.version, row.at, row.actor, {})
        if row.ordinal != end.count + 1:
            yield f"after event {end.count} comes event {row.ordinal}"
        if chained_digest(end.digest, row.ordinal, event, row.data) != row.digest:
            yield f"event {row.ordinal} is not what was written"
        end = HistoryEnd(row.ordinal, row.digest)
    if end != case.stored.loaded.history_end:
        yield f"the history ends with event {end.count}, not with event {case.stored.loaded.history_end.count}"


def _beginning(case: _Case) -> tuple[HistoryEnd, Sequence[EventRow]]:
    """The end from which the chain is checked, and the events after it.

    If the history is cut off, the digest of its first event cannot be checked: the event before is not there.
    """
    if not case.cut_off:
        return HistoryEnd(), case.events
    if not case.events:
        return case.stored.loaded.history_end, []
    return HistoryEnd(case.events[0].ordinal, case.events[0].digest), case.events[1:]


def _state_is_history(case: _Case) -> Iterator[str]:
    if case.cut_off:
        return
    members, deadlines = fold([json.loads(row.data) for row in case.events])
    stored = recorded_changes(None, case.complaint)
    for name in sorted(members.keys() | stored.keys()):
        if members.get(name) != stored.get(name):
            yield f"{name} is not what the history says"
    kept = {str(d.id): recorded_deadline(d) for d in case.complaint.deadlines}
    for deadline_id in sorted(kept.keys() | deadlines.keys()):
        if kept.get(deadline_id) != deadlines.get(deadline_id):
            yield f"deadline {deadline_id} is not what the history says"


def _columns_follow(case: _Case) -> Iterator[str]:
    complaint, stored = case.complaint, case.stored
    for name in ("next_due_at", "overdue_after_at", "wake_at"):
        if getattr(complaint, name) != getattr(stored, name):
            yield f"{name} does not follow from the deadlines"


def _nothing_forgotten(case: _Case) -> Iterator[str]:
    """Rule 2.12: an open complaint has a deadline that still leads to something; an ended complaint has none."""
    complaint = case.complaint
    unmet = [d for d in complaint.deadlines if d.unmet]
    if not complaint.open:
        if unmet:
            yield f"it is {complaint.status} and has an unmet {unmet[0].kind} deadline"
    elif not any(_alive(d, case) for d in unmet):
        yield "it is open and none of its deadlines leads to anything"


def _alive(deadline: Deadline, case: _Case) -> bool:
    if deadline.status is not DeadlineStatus.BREACHED:
        return deadline.wake_at is not None
    terms = terms_of(deadline, case.complaint, case.policy)
    if plan_remaining_steps(deadline, terms, case.policy):
        return deadline.wake_at is not None
    owner = case.directory.users.get(case.complaint.assignee or case.complaint.first_owner)
    return owner is not None and owner.active


def _steps_once(case: _Case) -> Iterator[str]:
    by_deadline: dict[UUID, list[str]] = {}
    for row in case.escalations:
        if row.taken_at < row.planned_at:
            yield f"step {row.step} was taken before its time"
        if row.deadline_id is not None:
            by_deadline.setdefault(row.deadline_id, []).append(row.step)
    for deadline in case.complaint.deadlines:
        steps = by_deadline.get(deadline.id, [])
        ladder = [step for step in steps if MARK not in step]
        if sorted(ladder) != sorted(deadline.steps_taken) or len(set(steps)) != len(steps):
            yield f"the steps of deadline {deadline.id} differ from its escalations"
        if deadline.unmet and not _repetitions_counted(deadline, steps, case.policy):
            yield f"a repetition on deadline {deadline.id} is missing, or was not counted"


def _repetitions_counted(deadline: Deadline, steps: Sequence[str], policy: Policy) -> bool:
    """True if the repetitions among `steps` are numbered without gaps up to the last one that was taken (rule 3.9)."""
    last = policy.rules[deadline.kind].ladder[-1].name
    numbers = sorted(
        int(n) for name, mark, n in (step.partition(MARK) for step in steps) if mark and name == last
    )
    last_number = deadline.repetitions
    if not numbers:
        return last_number == 0
    return numbers == [*range(last_number - len(numbers) + 1, last_number + 1)]


def _settled_when_done(case: _Case) -> Iterator[str]:
    """Rule 3.8: no step of an unmet deadline is settled."""
    unmet = {d.id for d in case.complaint.deadlines if d.unmet}
    for row in case.escalations:
        if row.deadline_id in unmet and row.settled_at is not None:
            yield f"step {row.step} is settled, but somebody still has to act on it"


def _steps_heard(case: _Case) -> Iterator[str]:
    for row in case.escalations:
        if not row.superseded and not row.recipients:
            yield f"nobody was notified of step {row.step}: nobody holds its roles"


def _in_time(case: _Case) -> Iterator[str]:
    if case.stored.parked_at is not None:
        yield "it is set aside because its deadlines could not be caught up; the log says why"
    elif case.now_is_late:
        yield "its deadlines are over a minute behind: is a worker running?"


_RULES: tuple[tuple[str, Callable[[_Case], Iterator[str]]], ...] = (
    ("history unbroken", _history_unbroken),
    ("state is history", _state_is_history),
    ("columns follow", _columns_follow),
    ("nothing forgotten", _nothing_forgotten),
    ("steps taken once", _steps_once),
    ("steps settled", _settled_when_done),
    ("steps heard", _steps_heard),
    ("deadlines in time", _in_time),
)


# Followers ---------------------------------------------------------------------------------------------------------


def check_followers(service: Service, annexes: Collection[str]) -> Iterator[Violation]:
    """Breaches at the followers: a cursor after the last event, or a follower of none of `annexes` (their names)."""
    yield from service.read(lambda tx: list(_check_cursors(tx, annexes)))


def _check_cursors(tx: Transaction, annexes: Collection[str]) -> Iterator[Violation]:
    # The last event may be in a detached month. All numbers of detached months are below the horizon.
    last = max(find_last_number(tx), months.horizon(tx))
    for cursor in find_cursors(tx):
        if cursor.after > last:
            message = f"follower {cursor.name} is at event {cursor.after}, but the last event is {last}"
            yield Violation("followers in history", "", message)
        if cursor.name.partition(".")[0] not in annexes:
            message = (
                f"follower {cursor.name} belongs to no registered annex, and the history is kept for it from "
                f"event {cursor.after} on; delete its row in the table follower if the annex is gone for good"
            )
            yield Violation("followers registered", "", message)
