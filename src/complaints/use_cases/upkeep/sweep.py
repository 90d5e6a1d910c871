"""The sweep: claim the complaints and then the other subjects that are due, catch them up, and save them once."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change, SubjectChange
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.subject import Subject, name_of
from complaints.domain.errors import Unavailable
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.rules.waiting import catch_up_by_plan
from complaints.domain.vocabulary import EventType
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import due_complaints, due_subjects
from complaints.storage.queries.wake_order import DuePosition
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.rows.subject import SubjectRecord
from complaints.storage.save import ChangeToSave, save
from complaints.storage.subjects import SubjectToSave
from complaints.use_cases.complaints.assigning import assign_by_policy
from complaints.use_cases.service import Service

BATCH = 500
_NAMED = 20
_PARKED = "complaint parked: its deadlines cannot be caught up"
_CatchUp = Callable[[Service, Configuration, Complaint | Subject, datetime], Change | SubjectChange]
log = logging.getLogger(__name__)


class _Queue(Protocol):
    """The functions of `due_complaints` and of `due_subjects` that catch up one row after the other."""

    def claim_next(self, tx: Transaction, *, after: DuePosition | None) -> DuePosition | None: ...

    def load_claimed(
        self, tx: Transaction, ids: Sequence[UUID]
    ) -> Sequence[ComplaintRecord | SubjectRecord]: ...

    def park(self, tx: Transaction, ids: Sequence[UUID]) -> None: ...


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The counts of a sweep. `lags_seconds` has the lag of each step that was taken.

    `subjects` counts the subjects that are no complaints. `escalated` has the numbers of the first that were escalated.
    """

    complaints: int = 0
    parked: int = 0
    escalations: int = 0
    reminders: int = 0
    resumed: int = 0
    lags_seconds: tuple[float, ...] = ()
    escalated: tuple[str, ...] = ()
    subjects: int = 0

    @property
    def claimed(self) -> int:
        """How many complaints and other subjects were claimed."""
        return self.complaints + self.subjects

    def __add__(self, other: "SweepResult") -> "SweepResult":
        return SweepResult(
            self.complaints + other.complaints,
            self.parked + other.parked,
            self.escalations + other.escalations,
            self.reminders + other.reminders,
            self.resumed + other.resumed,
            self.lags_seconds + other.lags_seconds,
            (self.escalated + other.escalated)[:_NAMED],
            self.subjects + other.subjects,
        )


_QUEUES: tuple[_Queue, ...] = (due_complaints, due_subjects)


def sweep_once(service: Service, *, batch: int = BATCH) -> SweepResult:
    """Claim up to `batch` complaints, and as many other subjects, that are due and catch them up, in one transaction.

    Several processes can sweep at once: each claims rows that no other process has. If one complaint's stored
    data is invalid and fails the batch, the batch is retried one by one and that complaint is parked.
    """
    try:
        with service.database.begin() as tx:
            claimed = due_complaints.claim_due(tx, limit=batch)
            others = due_subjects.claim_due(tx, limit=batch)
            return _sweep(service, tx, [*claimed, *others], _catch_up_in_one_step, tx.now)
    except Unavailable:
        raise
    except Exception:
        log.warning("complaints cannot be caught up together, so each is caught up alone", exc_info=True)
        return _sweep_one_by_one(service, batch)


def _sweep_one_by_one(service: Service, limit: int) -> SweepResult:
    total = SweepResult()
    for queue in _QUEUES:
        place = None
        for _ in range(limit):
            place, result = _sweep_next(service, queue, place)
            if place is None:
                break
            total += result
    return total


def _sweep_next(
    service: Service, queue: _Queue, after: DuePosition | None
) -> tuple[DuePosition | None, SweepResult]:
    """Catch up the next due row of a queue after a place, or park it. Returns its place, None if none is due."""
    for is_last in (False, False, True):  # a conflict with another process passes; invalid data stays
        place = None
        try:
            with service.database.begin() as tx:
                place = queue.claim_next(tx, after=after)
                claimed = queue.load_claimed(tx, [place.id]) if place else []
                return place, _sweep(service, tx, claimed, _catch_up_in_one_step, tx.now)
        except Unavailable:
            raise
        except Exception:
            if place is None:
                raise
            if is_last:
                log.exception(_PARKED, extra={"id": str(place.id)})
    assert place is not None  # otherwise the loop has raised or returned
    service.write(lambda tx: queue.park(tx, [place.id]))
    is_complaint = queue is due_complaints
    return place, SweepResult(complaints=int(is_complaint), subjects=int(not is_complaint), parked=1)


def sweep_until(
    service: Service, tx: Transaction, target: datetime, *, slice_size: int = BATCH
) -> SweepResult:
    """Catch up everything to `target`, step by step, each step at its own time (for the test clock).

    Time is cut into slices of about `slice_size` complaints, so that the history is in order of time.
    """
    total = SweepResult()
    while (end := due_complaints.slice_end(tx, target, size=slice_size)) is not None:
        claimed: list[ComplaintRecord | SubjectRecord] = [
            *due_complaints.claim_until(tx, end),
            *due_subjects.claim_until(tx, end),
        ]
        total += _sweep(service, tx, claimed, _catch_up_step_by_step, end)
    return total


def _sweep(
    service: Service,
    tx: Transaction,
    claimed: Sequence[ComplaintRecord | SubjectRecord],
    catch_up_to: _CatchUp,
    until: datetime,
) -> SweepResult:
    configuration = service.configuration(tx)
    changes: list[ChangeToSave] = []
    subjects: list[SubjectToSave] = []
    parked: list[UUID] = []
    for loaded in claimed:
        fact = loaded.complaint if isinstance(loaded, ComplaintRecord) else loaded.subject
        try:
            change = catch_up_to(service, configuration, fact, until)
        except Exception:  # one that fails must not stop the deadlines of the others
            log.exception(_PARKED, extra={"id": str(fact.id)})
            parked.append(fact.id)
        else:
            if isinstance(change, Change):
                changes.append(ChangeToSave(change, loaded.history_end))
            else:
                subjects.append(SubjectToSave(change, loaded.history_end))
    due_complaints.park(tx, parked)
    due_subjects.park(tx, parked)
    assign_by_policy(service, tx, (to_save.change for to_save in changes))
    save(tx, changes, service.new_id, subjects=subjects)
    counted = _count_results([*changes, *subjects])
    complaints = sum(isinstance(loaded, ComplaintRecord) for loaded in claimed)
    return replace(counted, complaints=complaints, subjects=len(claimed) - complaints, parked=len(parked))


def log_result(swept: SweepResult) -> None:
    """Log a sweep that did something, with the numbers of the first complaints that it escalated."""
    if not swept.claimed:
        return
    counts = {
        name: getattr(swept, name)
        for name in ("complaints", "subjects", "escalations", "reminders", "resumed", "parked")
    }
    log.info("complaints were swept", extra={**counts, "escalated": list(swept.escalated)})


def _catch_up_step_by_step(
    service: Service, configuration: Configuration, fact: Complaint | Subject, until: datetime
) -> Change | SubjectChange:
    change, policy = _open_change(service, fact), configuration.policy_of(fact)
    while (wake_at := change.subject.wake_at) is not None and wake_at <= until:
        catch_up(change, policy, configuration.directory, wake_at, in_parts=True)
    return change


def _catch_up_in_one_step(
    service: Service, configuration: Configuration, fact: Complaint | Subject, now: datetime
) -> Change | SubjectChange:
    policy, directory = configuration.policy_of(fact), configuration.directory
    if isinstance(fact, Complaint):
        plans = configuration.plans
        return catch_up_by_plan(fact, policy, directory, now, plans=plans, new_id=service.new_id)
    change = _open_change(service, fact)
    catch_up(change, policy, directory, now, in_parts=True)
    return change


def _open_change(service: Service, fact: Complaint | Subject) -> Change | SubjectChange:
    if isinstance(fact, Complaint):
        return Change(fact, actor=ENGINE, new_id=service.new_id)
    return SubjectChange(fact, actor=ENGINE, new_id=service.new_id)


def _escalated(changes: Sequence[ChangeToSave | SubjectToSave]) -> Iterator[str]:
    for saved in changes:
        if any(escalation.level > 0 for escalation in saved.change.escalations):
            yield name_of(saved.change.subject).number


def _count_results(changes: Sequence[ChangeToSave | SubjectToSave]) -> SweepResult:
    taken = [e for saved in changes for e in saved.change.escalations]
    resumed = sum(e.type == EventType.RESUMED for saved in changes for e in saved.change.events)
    lags = tuple((e.taken_at - e.planned_at) / timedelta(seconds=1) for e in taken)
    return SweepResult(
        escalations=sum(e.level > 0 for e in taken),
        reminders=sum(e.level == 0 for e in taken),
        resumed=resumed,
        lags_seconds=lags,
        escalated=tuple(islice(_escalated(changes), _NAMED)),
    )
