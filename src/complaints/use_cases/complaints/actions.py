"""What people do to a complaint: actions, changes, notes, links, promises, re-planning.

Each use case loads the complaint locked, brings it up to now, plans, and applies, in the transaction it is given.
"""

from typing import Any

from complaints.domain.complaint.change import Draft
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
from complaints.storage.rows import person as party
from complaints.storage.save import Planned, apply
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import (
    Replan,
    Transition,
)
from complaints.use_cases.complaints.changing import Versions, change_complaint, open_draft
from complaints.use_cases.service import Engine

# Actions -----------------------------------------------------------------------------------------------------------


def transition(
    engine: Engine, tx: Transaction, caller: Caller, reference: str, command: Transition, versions: Versions
) -> Complaint:
    """Take an action. Raises TransitionRefused with the actions allowed now, InvalidContent, StaleVersion, NotFound."""
    arguments = command.arguments()
    if command.action is Action.MERGE:
        load.lock_in_order(tx, [reference, arguments["into"]])

    def step(tx: Transaction, draft: Draft, policy: Policy) -> None:
        if command.action is Action.MERGE:
            _prepare_merge(engine, tx, caller, draft, arguments)
        actions.plan(draft, engine.context(tx, draft.complaint, caller), command.action, arguments)
        if command.action is Action.MERGE:
            link.add_link(tx, draft.complaint.id, LinkType.DUPLICATE_OF, arguments["into"])

    return change_complaint(engine, tx, caller, reference, step, versions=versions)


def _prepare_merge(
    engine: Engine, tx: Transaction, caller: Caller, draft: Draft, arguments: dict[str, Any]
) -> None:
    """Find and check the complaint to merge into, and put the merge on its record too."""
    complaint = draft.complaint
    try:
        into = load.load_complaint(tx, arguments["into"], only_source=caller.only_source, lock=True)
    except NotFound as error:
        raise InvalidContent.at("/into", error.detail) from None
    arguments["into"] = into.complaint.id
    if not complaint.open:
        return  # the lifecycle's own refusal follows
    same = same_complainant(party.find_identity(tx, complaint.id), party.find_identity(tx, into.complaint.id))
    has_merged = link.has_merged(tx, complaint.id)
    refusal = merge_refusal(complaint, into.complaint, same_complainant=same, has_merged=has_merged)
    if refusal:
        context = engine.context(tx, complaint, caller)
        allowed = [review.action for review in actions.reviews(complaint, context) if review.allowed]
        raise TransitionRefused(refusal, allowed=allowed)
    other, _ = open_draft(engine, tx, caller, into)
    other.emit(EventType.LINKED, tx.now, type="merged", complaint_id=str(complaint.id))
    apply(tx, [Planned(other, into.tip)], engine.new_id)


# Changes -----------------------------------------------------------------------------------------------------------


# Notes, links ------------------------------------------------------------------------------------------------------


# Promises ----------------------------------------------------------------------------------------------------------


# Re-planning -------------------------------------------------------------------------------------------------------


def replan(
    engine: Engine, tx: Transaction, caller: Caller, reference: str, command: Replan, versions: Versions
) -> Complaint:
    """Move the complaint to another policy version, on purpose (rule 2.9)."""
    wanted = engine.catalogue(tx).policies.get((command.policy.code, command.policy.version))
    if wanted is None:
        raise InvalidContent.at("/policy", "There is no such policy version.")

    def step(tx: Transaction, draft: Draft, policy: Policy) -> None:
        if not draft.complaint.open:
            raise Conflict(f"A complaint that is {draft.complaint.status} is not planned any more.")
        before = f"{policy.code}/{policy.version}"
        draft.touch(tx.now)
        deadlines.move_to_policy(draft, wanted, tx.now)
        after = f"{wanted.code}/{wanted.version}"
        draft.emit(EventType.REPLANNED, tx.now, policy_before=before, policy_after=after)

    return change_complaint(engine, tx, caller, reference, step, versions=versions, right=Right.SUPERVISE)
