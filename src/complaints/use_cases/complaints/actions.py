"""Actions on a complaint, and moving it to another policy version.

Each use case runs in the transaction it is given: load with a lock, catch up, plan, save.
"""

from typing import Any

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.identity import same_complainant
from complaints.domain.errors import Conflict, InvalidContent, NotFound, TransitionRefused
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import actions, deadlines
from complaints.domain.rules.actions import merge_refusal
from complaints.domain.vocabulary import Action, EventType, LinkType
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import link
from complaints.storage.rows import person as person_rows
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.access import Caller, Right, right_for
from complaints.use_cases.commands.complaints import Replan, Transition
from complaints.use_cases.complaints.changing import Versions, change_complaint, open_change
from complaints.use_cases.service import Service


def transition(
    service: Service, tx: Transaction, caller: Caller, reference: str, command: Transition, versions: Versions
) -> Complaint:
    """Take an action.

    Raises TransitionRefused with the actions that are allowed now, InvalidContent, StaleVersion, NotFound.
    """
    right = right_for(command.action)
    caller.require(right)
    arguments = command.arguments()
    if command.action is Action.MERGE:
        load.lock_in_order(tx, [reference, arguments["into"]])

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        if command.action is Action.MERGE:
            _prepare_merge(service, tx, caller, change, arguments)
        actions.plan(change, service.context(tx, change.complaint, caller), command.action, arguments)
        if command.action is Action.MERGE:
            link.add_link(tx, change.complaint.id, LinkType.DUPLICATE_OF, arguments["into"])

    return change_complaint(service, tx, caller, reference, step, versions=versions, right=right)


def _prepare_merge(
    service: Service, tx: Transaction, caller: Caller, change: Change, arguments: dict[str, Any]
) -> None:
    """Find and check the complaint to merge into, and record the merge in its history too."""
    complaint = change.complaint
    try:
        into = load.load_complaint(tx, arguments["into"], scope=caller.scope, lock=True)
    except NotFound as error:
        raise InvalidContent.at("/into", error.detail) from None
    arguments["into"] = into.complaint.id
    if not complaint.open:
        return  # the lifecycle refuses the action
    same = same_complainant(
        person_rows.find_identity(tx, complaint.id), person_rows.find_identity(tx, into.complaint.id)
    )
    has_merged = link.has_merged(tx, complaint.id)
    refusal = merge_refusal(complaint, into.complaint, same_complainant=same, has_merged=has_merged)
    if refusal:
        context = service.context(tx, complaint, caller)
        allowed = [verdict.action for verdict in actions.judge_actions(complaint, context) if verdict.allowed]
        raise TransitionRefused(refusal, allowed=allowed)
    other, _ = open_change(service, tx, caller, into)
    other.record(EventType.LINKED, tx.now, type="merged", complaint_id=str(complaint.id))
    save(tx, [ChangeToSave(other, into.history_end)], service.new_id)


def replan(
    service: Service, tx: Transaction, caller: Caller, reference: str, command: Replan, versions: Versions
) -> Complaint:
    """Move the complaint to another policy version, on purpose (rule 2.9).

    Raises InvalidContent for an unknown version, Conflict for a complaint that has ended, StaleVersion, NotFound.
    """
    wanted = service.configuration(tx).policies.get((command.policy.code, command.policy.version))
    if wanted is None:
        raise InvalidContent.at("/policy", "There is no such policy version.")

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        if not change.complaint.open:
            raise Conflict(f"A complaint that is {change.complaint.status} is not planned any more.")
        before = f"{policy.code}/{policy.version}"
        change.touch(tx.now)
        deadlines.move_to_policy(change, wanted, tx.now)
        after = f"{wanted.code}/{wanted.version}"
        change.record(EventType.REPLANNED, tx.now, policy_before=before, policy_after=after)

    return change_complaint(service, tx, caller, reference, step, versions=versions, right=Right.SUPERVISE)
