"""The rerun of merges. The event of the complaint that goes on comes first, then that of the merged complaint."""

from collections.abc import Mapping
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Promise
from complaints.domain.complaint.texts import ERASED
from complaints.domain.rules.merging import MergeRecord, merge_refusal, take_back_promises, take_over
from complaints.domain.simulation.past import MERGED_LINK, VULNERABLE, PastEvent
from complaints.domain.simulation.simulated_complaint import OtherComplaints, SimulatedComplaint
from complaints.domain.vocabulary import Action

_NO_ID = UUID(int=0)


def link_again(into: SimulatedComplaint, event: PastEvent, others: OtherComplaints) -> None:
    """The complaint that goes on after a merge takes over from the merged one. Its event comes first."""
    merged = _merged_one(event, others)
    if merged is None:
        return
    merged.catch_up(event.at)
    into.catch_up(event.at)
    complaint = merged.complaint
    merged.merge.refusal = _find_merge_refusal(complaint, into.complaint)
    if merged.merge.refusal is not None:
        return
    promised = {d.id: Promise(d.id, ERASED, event.actor) for d in complaint.deadlines}
    vulnerable = ERASED if VULNERABLE in event.changed_of_complainant else None

    def step(change: Change) -> None:
        merged.merge.moved = take_over(
            change, into.policy, complaint, event.at, promises=promised, vulnerable=vulnerable
        )

    into.attempt(event, Action.MERGE, step)


def _find_merge_refusal(complaint: Complaint, into: Complaint) -> str | None:
    if not complaint.open:
        return f"The complaint to merge is {complaint.status}, not open."
    return merge_refusal(complaint, into, same_complainant=True, has_merged=False)


def _merged_one(event: PastEvent, others: OtherComplaints) -> SimulatedComplaint | None:
    """The other complaint of a merge. None if the event is about another link, or that complaint is not rerun."""
    return others.get(UUID(event.data["complaint_id"])) if event.data["type"] == MERGED_LINK else None


def merge_again(one: SimulatedComplaint, event: PastEvent, others: OtherComplaints) -> None:
    """Merge the complaint again, unless the other one could not take it over."""
    into_id, link = UUID(event.data["into"]), one.merge
    if link.refusal is not None:
        one.catch_up(event.at)
        one.refuse(event, Action.MERGE, link.refusal)
        link.refusal = None
        return
    change = one.plan_action(event, Action.MERGE, {"into": into_id, "promises": link.moved})
    if change is None:
        return
    link.record = _record_of(change, link.moved)
    if into_id in others:
        for own, other in event.data.get("promises", {}).items():
            if (moved := link.moved.get(one.promise_ids.get(own, _NO_ID))) is not None:
                others[into_id].promise_ids[other] = moved


def _record_of(change: Change, moved: Mapping[UUID, UUID]) -> MergeRecord:
    before = change.before
    assert before is not None  # it is no new complaint
    unmet = {deadline.id for deadline in before.deadlines if deadline.unmet}
    hold = before.current_hold
    return MergeRecord(
        was=before.status,
        cancelled=frozenset(d.id for d in change.complaint.deadlines if d.id in unmet and not d.unmet),
        promises=moved,
        hold_id=hold.id if hold else None,
    )


def unlink_again(into: SimulatedComplaint, event: PastEvent, others: OtherComplaints) -> None:
    """The complaint into which another one was merged gives its promises back. Its event comes first."""
    merged = _merged_one(event, others)
    if merged is None or merged.merge.record is None:
        return
    record = merged.merge.record

    def step(change: Change) -> None:
        merged.merge.undone = take_back_promises(change, merged.history.id, record, event.at)

    into.attempt(event, Action.UNMERGE, step)


def unmerge_again(one: SimulatedComplaint, event: PastEvent, _others: OtherComplaints) -> None:
    """Undo the merge again (rule 1.9)."""
    undone = one.merge.undone or one.merge.record
    if undone is None:
        one.catch_up(event.at)
        one.refuse(event, Action.UNMERGE, "The complaint was not merged.")
        return
    one.plan_action(event, Action.UNMERGE, {"undone": undone, "reason": ERASED})
    one.merge.record = one.merge.undone = None
