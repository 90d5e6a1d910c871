"""Actions on a complaint, and moving it to another policy version.

Each use case runs in the transaction it is given: load with a lock, catch up, plan, save.
"""

from collections.abc import Callable
from typing import Any

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.side_by_side import REPLANNED_BY
from complaints.domain.rules import actions, deadlines, own_deadlines
from complaints.domain.vocabulary import Action, EventType
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right, right_for
from complaints.use_cases.commands.complaints import Replan, Transition
from complaints.use_cases.complaints import merging
from complaints.use_cases.complaints.changing import Versions, change_complaint
from complaints.use_cases.configuration.changing import claim_user
from complaints.use_cases.service import Service


def transition(
    service: Service,
    tx: Transaction,
    caller: Caller,
    reference: str,
    command: Transition,
    versions: Versions,
    *,
    note_before: Callable[[Complaint], object] = lambda _complaint: None,
) -> Complaint:
    """Take an action. `note_before` gets the complaint as it was before it.

    Raises TransitionRefused with the actions that are allowed now, InvalidContent, StaleVersion, NotFound.
    """
    right = right_for(command.action)
    caller.require(right)
    arguments = command.arguments()
    _lock_first(service, tx, caller, reference, command.action, arguments)

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        note_before(change.complaint)
        if command.action is Action.MERGE:
            merging.prepare_merge(service, tx, caller, change, arguments)
        elif command.action is Action.UNMERGE:
            merging.prepare_unmerge(service, tx, caller, change, arguments)
        actions.plan(change, service.context(tx, change.complaint, caller), command.action, arguments)

    return change_complaint(service, tx, caller, reference, step, versions=versions, right=right)


def _lock_first(
    service: Service,
    tx: Transaction,
    caller: Caller,
    reference: str,
    action: Action,
    arguments: dict[str, Any],
) -> None:
    """Lock what an action needs beside its complaint, in the order that every transaction has."""
    if action is Action.ASSIGN and "assignee" in arguments:
        claim_user(service, tx, arguments["assignee"])
    elif action is Action.MERGE:
        load.lock_in_order(tx, [reference, arguments["into"]])
    elif action is Action.UNMERGE:
        merging.lock_both(tx, caller, reference)


def replan(
    service: Service, tx: Transaction, caller: Caller, reference: str, command: Replan, versions: Versions
) -> Complaint:
    """Move the complaint to a version of its policy or of another one, on purpose (rules 2.9 and 4.17).

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
        change.set(policy_chosen_by={REPLANNED_BY: caller.actor})
        deadlines.move_to_policy(change, wanted, tx.now)
        own_deadlines.start_added(change, wanted, tx.now)
        after = f"{wanted.code}/{wanted.version}"
        change.record(EventType.REPLANNED, tx.now, policy_before=before, policy_after=after)

    return change_complaint(service, tx, caller, reference, step, versions=versions, right=Right.SUPERVISE)
