"""Merges (domain §1, `merge`): what moves to the other complaint, and the way back (rules 1.8 and 1.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Deadline, Promise, copy_with
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines, routing
from complaints.domain.vocabulary import (
    AccessRole,
    DeadlineKind,
    DeadlineStatus,
    EventType,
    PriorityReason,
    Status,
)

UNMERGE_WINDOW = timedelta(hours=1)
UNMERGE_ROLES = (AccessRole.SUPERVISOR, AccessRole.MANAGER, AccessRole.ADMIN)
_TAKES_MERGES = frozenset({Status.RECEIVED, Status.INVESTIGATING, Status.ON_HOLD})
_MET = frozenset({DeadlineStatus.MET, DeadlineStatus.MET_LATE})


@dataclass(frozen=True, slots=True)
class MergeRecord:
    """What a merge changed at the merged complaint.

    `was` is the status before, `hold_id` the hold that the merge ended, and `cancelled` the deadlines that it
    cancelled. `promises` has the promises that moved, each with its id at the other complaint.
    """

    was: Status | None
    cancelled: frozenset[UUID]
    promises: Mapping[UUID, UUID]
    hold_id: UUID | None = None

    @classmethod
    def recorded(cls, data: Mapping[str, Any]) -> "MergeRecord":
        """The merge that the event `complaint.merged` with this data recorded.

        Programs before this one recorded no status: then `was` is None, and the merge cannot be undone.
        """
        cancelled = [d["id"] for d in data.get("deadlines", []) if d["status"] == DeadlineStatus.CANCELLED]
        return cls(
            was=Status(data["was"]) if "was" in data else None,
            cancelled=frozenset(map(UUID, cancelled)),
            promises={UUID(own): UUID(other) for own, other in data.get("promises", {}).items()},
            hold_id=UUID(data["hold_id"]) if "hold_id" in data else None,
        )


def merge_refusal(
    complaint: Complaint, into: Complaint, *, same_complainant: bool, has_merged: bool
) -> str | None:
    """The reason why `complaint` cannot be merged into `into`. None if it can be (domain §1, `merge`).

    `has_merged`: other complaints were merged into `complaint` before.
    """
    if complaint.id == into.id:
        return "A complaint cannot be merged into itself."
    if not into.open:
        return f"The complaint to merge into is {into.status}, not open."
    if into.status not in _TAKES_MERGES:
        return f"The complaint to merge into is {into.status}: reopen it first."
    if into.received_at > complaint.received_at:
        return "The complaint to merge into was received later: merge the other way round."
    if has_merged:
        return "Others were merged into this complaint: merges make no chains."
    if not same_complainant:
        return "The complaints are not known to be the same complainant's: many people's are an incident."
    return None


def take_over(
    into: Change,
    policy: Policy,
    complaint: Complaint,
    now: datetime,
    *,
    promises: Mapping[UUID, Promise],
    vulnerable: str | None,
) -> dict[UUID, UUID]:
    """Plan on the surviving complaint `into` what it takes over from the merged `complaint` (rule 1.8).

    `promises` are those of the merged complaint, by id. `vulnerable`: the complainant of `into` becomes
    vulnerable by the merge, and this is the digest of the person then. Returns the promises that moved, each
    with its new id.
    """
    rises = _raise_priority(into, policy, complaint, vulnerable=vulnerable is not None)
    open_promises = [d for d in complaint.deadlines if d.kind is DeadlineKind.PROMISE and d.unmet]
    if rises or vulnerable or open_promises:
        into.touch(now)
    if rises:
        deadlines.replan(into, policy, now, retarget=True)
    into.record(
        EventType.LINKED,
        now,
        type="merged",
        complaint_id=complaint.id,
        persons={"complainant": ["vulnerable"]} if vulnerable else None,
        person_digests={"complainant": vulnerable} if vulnerable else None,
    )
    return {
        deadline.id: _move_promise(into, policy, complaint, deadline, promises[deadline.id], now)
        for deadline in open_promises
    }


def _move_promise(
    into: Change, policy: Policy, complaint: Complaint, deadline: Deadline, promise: Promise, now: datetime
) -> UUID:
    """Plan on `into` the open promise of the merged `complaint`, with its times. Returns its new id."""
    moved_id = deadlines.add_promise(
        into,
        policy,
        promise.text,
        made_by=promise.made_by,
        started_at=deadline.started_at,
        due_at=deadline.due_at,
    )
    into.record(
        EventType.PROMISE_MADE,
        now,
        deadline_id=moved_id,
        text=promise.text,
        moved_from=complaint.id,
        made_by=promise.made_by,
    )
    return moved_id


def _raise_priority(into: Change, policy: Policy, complaint: Complaint, *, vulnerable: bool) -> bool:
    """Give `into` the higher of both priorities. Returns True if its own was lower."""
    before = into.complaint
    priority, raised_by = before.priority, before.priority_raised_by
    if vulnerable and not before.priority_given:
        priority, raised_by = routing.derive_again(
            policy.priorities, before, severity=before.severity, vulnerable=True
        )
    if routing.is_higher(complaint.priority, priority):
        priority, raised_by = complaint.priority, (*raised_by, PriorityReason.MERGE)
    into.set(priority=priority, priority_raised_by=raised_by)
    return priority is not before.priority


def unmerge_refusal(complaint: Complaint, now: datetime) -> str | None:
    """The reason why a merge cannot be undone at `now`. None if it can be (rule 1.9)."""
    if complaint.ended_at is None or now <= complaint.ended_at + UNMERGE_WINDOW:
        return None
    return "A merge can be undone within an hour: make a new complaint instead."


def take_back_promises(into: Change, complaint_id: UUID, merge: MergeRecord, now: datetime) -> MergeRecord:
    """Plan on the surviving complaint `into` that promises go back, except those kept there (rule 1.9).

    Returns the merge as it is to be undone.
    """
    there = {d.id: d for d in into.complaint.deadlines}
    kept = {own for own, other in merge.promises.items() if there[other].status in _MET}
    back = [there[other] for other in merge.promises.values() if there[other].unmet]
    if back:
        into.touch(now)
        deadlines.cancel(into, back)
    into.record(EventType.UNLINKED, now, type="merged", complaint_id=complaint_id)
    return MergeRecord(merge.was, merge.cancelled - kept, merge.promises, merge.hold_id)


def restore(change: Change, policy: Policy, merge: MergeRecord, status: Status) -> None:
    """Give a merged complaint its hold and its deadlines back, as they were when it was merged (rule 1.9).

    Time that passed since then counts: the next catching up applies it.
    """
    complaint = change.complaint
    merged_at = complaint.ended_at
    assert merged_at is not None  # a merged complaint has ended
    for hold in complaint.holds:
        if hold.id == merge.hold_id:
            change.put_hold(copy_with(hold, ended_at=None))
    for deadline in complaint.deadlines:
        if deadline.id in merge.cancelled:
            unmet = DeadlineStatus.BREACHED if deadline.breached_at else DeadlineStatus.RUNNING
            change.put_deadline(copy_with(deadline, status=unmet))
    change.set(status=status, merged_into=None, ended_at=None)
    deadlines.replan(change, policy, merged_at, retarget=True)
