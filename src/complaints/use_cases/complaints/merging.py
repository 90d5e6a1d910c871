"""The other complaint of a merge: it takes promises over, and gives them back if the merge is undone."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.identity import same_complainant
from complaints.domain.errors import InvalidContent, NotFound, TransitionRefused
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.actions import judge_actions
from complaints.domain.rules.merging import MergeRecord, merge_refusal, take_back_promises, take_over
from complaints.domain.vocabulary import EventType, LinkType
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import link
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.rows.deadline import find_promises
from complaints.storage.rows.event import find_last_event
from complaints.storage.rows.person import COMPLAINANT
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.changing import catch_up, last_changed_at, open_change
from complaints.use_cases.complaints.identities import identity_of
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.service import Service


def prepare_merge(
    service: Service, tx: Transaction, caller: Caller, change: Change, arguments: dict[str, Any]
) -> None:
    """Check the complaint to merge into, and change it. `arguments` get its id and the promises that moved.

    Raises InvalidContent for an unknown complaint, and TransitionRefused.
    """
    complaint = change.complaint
    try:
        record = load_known_complaint(tx, caller, arguments["into"], right=Right.WORK, lock=True)
    except NotFound as error:
        raise InvalidContent.at("/into", error.detail) from None
    arguments["into"] = record.complaint.id
    if not complaint.open:
        return  # the lifecycle refuses the action
    own = tx.not_before(last_changed_at(record.complaint))
    into, policy = open_change(service, own, caller, record)
    _check_merge(service, tx, caller, complaint, into.complaint)
    arguments["promises"] = take_over(
        into,
        policy,
        complaint,
        own.now,
        promises=find_promises(tx, [d.id for d in complaint.deadlines]),
        vulnerable=_make_vulnerable(tx, complaint.id, into.complaint.id, policy),
    )
    link.add_link(tx, complaint.id, LinkType.DUPLICATE_OF, record.complaint.id)
    _save(service, own, into, record)


def _check_merge(
    service: Service, tx: Transaction, caller: Caller, complaint: Complaint, into: Complaint
) -> None:
    same = same_complainant(
        person_rows.find_identity(tx, complaint.id), person_rows.find_identity(tx, into.id)
    )
    refusal = merge_refusal(
        complaint, into, same_complainant=same, has_merged=link.has_merged(tx, complaint.id)
    )
    if refusal:
        context = service.context(tx, complaint, caller)
        allowed = [verdict.action for verdict in judge_actions(complaint, context) if verdict.allowed]
        raise TransitionRefused(refusal, allowed=allowed)


def _make_vulnerable(tx: Transaction, complaint_id: UUID, into_id: UUID, policy: Policy) -> str | None:
    """Note a vulnerable complainant at the other complaint too. Returns the person's digest, None without change."""
    found = person_rows.find_persons(tx, [complaint_id, into_id])
    here, there = found[complaint_id][COMPLAINANT], found[into_id][COMPLAINANT]
    if not here.vulnerable or there.vulnerable:
        return None
    person = replace(there, vulnerable=True)
    row = person_rows.row_of(into_id, COMPLAINANT, person, identity_of(person, policy), tx.new_salt())
    person_rows.replace_person(tx, row)
    return person_rows.digest_of(row)


def lock_both(tx: Transaction, caller: Caller, reference: str) -> None:
    """Lock a merged complaint and the complaint that it was merged into. Raises NotFound."""
    found = load_known_complaint(tx, caller, reference).complaint
    load.lock_in_order(tx, [str(i) for i in (found.id, found.merged_into) if i])


def prepare_unmerge(
    service: Service, tx: Transaction, caller: Caller, change: Change, arguments: dict[str, Any]
) -> None:
    """Take the promises back that moved to the other complaint. `arguments` get the merge to undo."""
    complaint = change.complaint
    if complaint.merged_into is None:
        return  # the lifecycle refuses the action
    merge = find_merge(tx, complaint.id)
    record = _load_survivor(tx, caller, complaint.merged_into)
    own = tx.not_before(last_changed_at(record.complaint))
    into, _ = open_change(service, own, caller, record)
    arguments["undone"] = take_back_promises(into, complaint.id, merge, own.now)
    link.remove_link(tx, complaint.id, LinkType.DUPLICATE_OF, record.complaint.id)
    _save(service, own, into, record)


def _load_survivor(tx: Transaction, caller: Caller, survivor_id: UUID) -> ComplaintRecord:
    """The complaint that goes on after a merge. The refusal does not name it (rule 7.9)."""
    try:
        return load_known_complaint(tx, caller, survivor_id, right=Right.WORK, lock=True)
    except NotFound:
        raise NotFound("The complaint into which this one was merged belongs to another team.") from None


def find_merge(tx: Transaction, complaint_id: UUID) -> MergeRecord:
    """The merge of a merged complaint, as its event recorded it."""
    merged = find_last_event(tx, complaint_id, EventType.MERGED)
    return MergeRecord.recorded(json.loads(merged["data"]) if merged else {})


def _save(service: Service, tx: Transaction, into: Change, record: ComplaintRecord) -> None:
    catch_up(service, tx, into)  # a moved deadline may be past due
    save(tx, [ChangeToSave(into, record.history_end)], service.new_id)
