"""The sweep: claim the complaints that are due, catch them up, and save them, each exactly once."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import Unavailable
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.rules.waiting import catch_up_by_plan
from complaints.domain.vocabulary import EventType
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import due_complaints
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.service import Service

BATCH = 500
_NAMED = 20
_PARKED = "complaint parked: its deadlines cannot be caught up"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The counts of a sweep. `lags_seconds` has the lag of each step that was taken.

    `escalated` has the sequences of the first complaints that were escalated.
    """

    complaints: int = 0
    parked: int = 0
    escalations: int = 0
    reminders: int = 0
    resumed: int = 0
    lags_seconds: tuple[float, ...] = ()
    escalated: tuple[int, ...] = ()

    def __add__(self, other: "SweepResult") -> "SweepResult":
        return SweepResult(
            self.complaints + other.complaints,
            self.parked + other.parked,
            self.escalations + other.escalations,
            self.reminders + other.reminders,
            self.resumed + other.resumed,
            self.lags_seconds + other.lags_seconds,
            (self.escalated + other.escalated)[:_NAMED],
        )


def sweep_once(service: Service, *, batch: int = BATCH) -> SweepResult:
    """Claim up to `batch` complaints that are due and catch them up, in one transaction.

    Several processes can sweep at once: each claims rows that no other process has. If one complaint's stored
    data is invalid and fails the batch, the batch is retried one by one and that complaint is parked.
    """
    try:
        with service.database.begin() as tx:
            return _sweep(
                service, tx, due_complaints.claim_due(tx, limit=batch), _catch_up_in_one_step, tx.now
            )
    except Unavailable:
        raise
    except Exception:
        log.warning("complaints cannot be caught up together, so each is caught up alone", exc_info=True)
        return _sweep_one_by_one(service, batch)


def _sweep_one_by_one(service: Service, limit: int) -> SweepResult:
    total, place = SweepResult(), None
    for _ in range(limit):
        place, result = _sweep_next(service, place)
        if place is None:
            break
        total += result
    return total


def _sweep_next(
    service: Service, after: due_complaints.DuePosition | None
) -> tuple[due_complaints.DuePosition | None, SweepResult]:
    """Catch up the next due complaint after a place, or park it. Returns its place, None if none is due."""
    for is_last in (False, False, True):  # a conflict with another process passes; invalid data stays
        place = None
        try:
            with service.database.begin() as tx:
                place = due_complaints.claim_next(tx, after=after)
                claimed = due_complaints.load_claimed(tx, [place.id]) if place else []
                return place, _sweep(service, tx, claimed, _catch_up_in_one_step, tx.now)
        except Unavailable:
            raise
        except Exception:
            if place is None:
                raise
            if is_last:
                log.exception(_PARKED, extra={"id": str(place.id)})
    assert place is not None  # otherwise the loop has raised or returned
    service.write(lambda tx: due_complaints.park(tx, [place.id]))
    return place, SweepResult(complaints=1, parked=1)


def sweep_until(
    service: Service, tx: Transaction, target: datetime, *, slice_size: int = BATCH
) -> SweepResult:
    """Catch up all complaints to `target`, step by step, each step at its own time (for the test clock).

    Time is cut into slices of about `slice_size` complaints, so that the history is in order of time.
    """
    total = SweepResult()
    while (end := due_complaints.slice_end(tx, target, size=slice_size)) is not None:
        total += _sweep(service, tx, due_complaints.claim_until(tx, end), _catch_up_step_by_step, end)
    return total


def _sweep(
    service: Service,
    tx: Transaction,
    claimed: list[ComplaintRecord],
    catch_up_to: Callable[[Service, Configuration, Complaint, datetime], Change],
    until: datetime,
) -> SweepResult:
    configuration = service.configuration(tx)
    changes, parked = [], []
    for loaded in claimed:
        try:
            change = catch_up_to(service, configuration, loaded.complaint, until)
        except Exception:  # a complaint that fails must not stop the deadlines of the other complaints
            log.exception(_PARKED, extra={"id": str(loaded.complaint.id)})
            parked.append(loaded.complaint.id)
        else:
            changes.append(ChangeToSave(change, loaded.history_end))
    due_complaints.park(tx, parked)
    save(tx, changes, service.new_id)
    return _count_results(changes, parked=len(parked))


def log_result(swept: SweepResult) -> None:
    """Log a sweep that did something, with the numbers of the first complaints that it escalated."""
    if not swept.complaints:
        return
    counts = {
        name: getattr(swept, name) for name in ("complaints", "escalations", "reminders", "resumed", "parked")
    }
    numbers = [number_of(sequence) for sequence in swept.escalated]
    log.info("complaints were swept", extra={**counts, "escalated": numbers})


def _catch_up_step_by_step(
    service: Service, configuration: Configuration, complaint: Complaint, until: datetime
) -> Change:
    change = Change(complaint, actor=ENGINE, new_id=service.new_id)
    policy = configuration.policy(complaint.policy_code, complaint.policy_version)
    while (wake_at := change.complaint.wake_at) is not None and wake_at <= until:
        catch_up(change, policy, configuration.directory, wake_at, in_parts=True)
    return change


def _catch_up_in_one_step(
    service: Service, configuration: Configuration, complaint: Complaint, now: datetime
) -> Change:
    policy = configuration.policy(complaint.policy_code, complaint.policy_version)
    plans, directory = configuration.plans, configuration.directory
    return catch_up_by_plan(complaint, policy, directory, now, plans=plans, new_id=service.new_id)


def _escalated(changes: list[ChangeToSave]) -> Iterator[int]:
    for saved in changes:
        if any(escalation.level > 0 for escalation in saved.change.escalations):
            yield saved.change.complaint.sequence


def _count_results(changes: list[ChangeToSave], *, parked: int) -> SweepResult:
    taken = [e for saved in changes for e in saved.change.escalations]
    resumed = sum(e.type is EventType.RESUMED for saved in changes for e in saved.change.events)
    lags = tuple((e.taken_at - e.planned_at) / timedelta(seconds=1) for e in taken)
    return SweepResult(
        complaints=len(changes) + parked,
        parked=parked,
        escalations=sum(e.level > 0 for e in taken),
        reminders=sum(e.level == 0 for e in taken),
        resumed=resumed,
        lags_seconds=lags,
        escalated=tuple(islice(_escalated(changes), _NAMED)),
    )
