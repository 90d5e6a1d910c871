"""What people do to a complaint: actions, changes, notes, links, promises, re-planning.

Each use case loads the complaint locked, brings it up to now, plans, and applies, in the transaction it is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Draft
from complaints.domain.complaint.facts import Complaint, Deadline, Party, Promise
from complaints.domain.complaint.identity import same_complainant
from complaints.domain.errors import Conflict, InvalidContent, NotFound, StaleVersion, TransitionRefused
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import actions, deadlines
from complaints.domain.rules.actions import merge_refusal
from complaints.domain.rules.passing_time import advance
from complaints.domain.rules.routing import derive_priority
from complaints.domain.vocabulary import Action, DeadlineKind, DeadlineStatus, EventType, LinkType, Severity
from complaints.handling.access import Caller, Right
from complaints.handling.commands import (
    AddLink,
    AddNote,
    MakePromise,
    PatchComplaint,
    Person,
    Replan,
    Transition,
)
from complaints.handling.engine import Engine
from complaints.handling.intake import check_user, identity_of
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import link
from complaints.storage.rows import person as party
from complaints.storage.rows.complaint import Loaded
from complaints.storage.rows.deadline import find_promises
from complaints.storage.rows.person import COMPLAINANT, REPORTER
from complaints.storage.save import Planned, apply

Versions = frozenset[int] | None  # those `If-Match` names; None: any


def open_draft(engine: Engine, tx: Transaction, caller: Caller, loaded: Loaded) -> tuple[Draft, Policy]:
    """A draft of the complaint brought up to now, and the policy it goes by."""
    draft = Draft(loaded.complaint, actor=caller.actor, new_id=engine.new_id)
    return draft, bring_up_to_date(engine, tx, draft)


def bring_up_to_date(engine: Engine, tx: Transaction, draft: Draft) -> Policy:
    """Let happen what time alone brings, up to now; the policy the complaint goes by."""
    catalogue = engine.catalogue(tx)
    policy = catalogue.policy(draft.complaint.policy_code, draft.complaint.policy_version)
    advance(draft, policy, catalogue.directory, tx.now)
    return policy


def _change(
    engine: Engine,
    tx: Transaction,
    caller: Caller,
    reference: str,
    step: Callable[[Transaction, Draft, Policy], None],
    *,
    versions: Versions = None,
    right: Right = Right.WORK,
) -> Complaint:
    """Load the complaint, let `step` change its draft, and apply it; the complaint as it then is.

    Who had to wait for the complaint acts after the one who had it, even where their instants say otherwise.
    """
    caller.require(right)
    loaded = load.load_complaint(tx, reference, only_source=caller.only_source, lock=True)
    _check_version(loaded.complaint, versions)
    tx = tx.not_before(_last_changed_at(loaded.complaint))
    draft, policy = open_draft(engine, tx, caller, loaded)
    step(tx, draft, policy)
    bring_up_to_date(engine, tx, draft)  # a re-planned clock may be past due
    apply(tx, [Planned(draft, loaded.tip)], engine.new_id)
    return draft.complaint


def _last_changed_at(complaint: Complaint) -> datetime:
    """When people last changed it, or the engine last saw a deadline pass, whichever is later."""
    passed = [d.breached_at + deadlines.MOMENT for d in complaint.deadlines if d.breached_at]
    return max([complaint.updated_at, *passed])


def _check_version(complaint: Complaint, versions: Versions) -> None:
    if versions is not None and complaint.version not in versions:
        raise StaleVersion(
            f"The complaint is now at version {complaint.version}: read it again before changing it."
        )


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

    return _change(engine, tx, caller, reference, step, versions=versions)


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


def patch(
    engine: Engine,
    tx: Transaction,
    caller: Caller,
    reference: str,
    command: PatchComplaint,
    versions: Versions,
) -> Complaint:
    """Change what was told. Clocks follow priority and category (rule 2.8). Raises like `transition`."""
    if command.first_owner is not None:
        caller.require(Right.SUPERVISE)

    def step(tx: Transaction, draft: Draft, policy: Policy) -> None:
        catalogue = engine.catalogue(tx)
        if command.first_owner is not None:
            check_user(catalogue, command.first_owner, "/first_owner")
        before = draft.complaint
        _set_members(draft, command)
        if command.category is not None:
            category = catalogue.classify(command.category)
            assert category is not None  # classify refuses what is unknown
            draft.set(category=category.code, cause=category.cause, nature=category.nature)
        persons = _patch_persons(tx, draft, command, policy)
        _set_priority(draft, command, policy, vulnerable=persons.get(COMPLAINANT))
        if draft.complaint == before and not persons:
            return
        draft.touch(tx.now)
        if (draft.complaint.priority, draft.complaint.category) != (before.priority, before.category):
            deadlines.replan(draft, policy, tx.now, retarget=True)
        draft.emit(EventType.UPDATED, tx.now, persons=_changed_persons(command))

    return _change(engine, tx, caller, reference, step, versions=versions)


_PLAIN_MEMBERS = ("subject", "description", "severity", "region", "tags", "attributes", "first_owner")


def _set_members(draft: Draft, command: PatchComplaint) -> None:
    given = {name: value for name in _PLAIN_MEMBERS if (value := getattr(command, name)) is not None}
    draft.set(**given)


def _set_priority(draft: Draft, command: PatchComplaint, policy: Policy, *, vulnerable: Party | None) -> None:
    """Given, or derived anew where severity changed and none was ever given."""
    complaint = draft.complaint
    if command.priority is not None:
        draft.set(priority=command.priority, priority_given=True)
    elif command.severity is not None and not complaint.priority_given:
        priority = derive_priority(
            policy.priorities,
            severity=Severity(command.severity),
            vulnerable=bool(vulnerable and vulnerable.vulnerable),
            repeat=False,
            channel=complaint.channel,
        )
        draft.set(priority=priority)


def _patch_persons(
    tx: Transaction, draft: Draft, command: PatchComplaint, policy: Policy
) -> dict[str, Party]:
    """Merge what is told of people into what is known; the parties written."""
    told = {COMPLAINANT: command.complainant, REPORTER: command.reporter}
    given = {role: person for role, person in told.items() if person is not None}
    known = party.find_parties(tx, [draft.complaint.id]).get(draft.complaint.id, {}) if given else {}
    written = {}
    for role, person in given.items():
        before = known.get(role, Party())
        after = replace(before, **_told(person))
        if after != before or role not in known:
            row = party.row_of(draft.complaint.id, role, after, identity_of(after, policy))
            party.replace_party(tx, row)
            written[role] = after
    return written


def _told(person: Person) -> dict[str, Any]:
    return {name: value for name in Person.model_fields if (value := getattr(person, name)) is not None}


def _changed_persons(command: PatchComplaint) -> dict[str, list[str]] | None:
    """Which members of people were told, without their values: personal data stays in its own table."""
    told = {COMPLAINANT: command.complainant, REPORTER: command.reporter}
    return {role: sorted(_told(person)) for role, person in told.items() if person is not None} or None


# Notes, links ------------------------------------------------------------------------------------------------------


def add_note(engine: Engine, tx: Transaction, caller: Caller, reference: str, command: AddNote) -> Complaint:
    """Put a note on the record."""

    def step(tx: Transaction, draft: Draft, policy: Policy) -> None:
        draft.emit(
            EventType.NOTE_ADDED, tx.now, text=command.text, visibility=command.visibility or "internal"
        )

    return _change(engine, tx, caller, reference, step)


def add_link(
    engine: Engine, tx: Transaction, caller: Caller, reference: str, command: AddLink
) -> tuple[Complaint, bool]:
    """Link to another complaint; the complaint, and whether the link is new."""
    other = _other(tx, caller, command.complaint_id)
    added = False

    def step(tx: Transaction, draft: Draft, policy: Policy) -> None:
        nonlocal added
        if draft.complaint.id == other.id:
            raise InvalidContent.at("/complaint_id", "A complaint cannot be linked to itself.")
        added = link.add_link(tx, draft.complaint.id, command.type, other.id)
        if added:
            draft.touch(tx.now)
            draft.emit(EventType.LINKED, tx.now, type=command.type, complaint_id=str(other.id))

    return _change(engine, tx, caller, reference, step), added


def remove_link(
    engine: Engine, tx: Transaction, caller: Caller, reference: str, link_type: LinkType, other_reference: str
) -> Complaint:
    """Remove a link. Raises NotFound if there is none."""
    other = load.load_complaint(tx, other_reference, only_source=caller.only_source).complaint

    def step(tx: Transaction, draft: Draft, policy: Policy) -> None:
        if link_type is LinkType.DUPLICATE_OF and draft.complaint.merged_into == other.id:
            raise Conflict("A merge is for good: its link stays.")
        if not link.remove_link(tx, draft.complaint.id, link_type, other.id):
            raise NotFound(f"There is no {link_type} link to that complaint.")
        draft.touch(tx.now)
        draft.emit(EventType.UNLINKED, tx.now, type=link_type, complaint_id=str(other.id))

    return _change(engine, tx, caller, reference, step)


def _other(tx: Transaction, caller: Caller, reference: str) -> Complaint:
    try:
        return load.load_complaint(tx, reference, only_source=caller.only_source).complaint
    except NotFound as error:
        raise InvalidContent.at("/complaint_id", error.detail) from None


# Promises ----------------------------------------------------------------------------------------------------------


def make_promise(
    engine: Engine, tx: Transaction, caller: Caller, reference: str, command: MakePromise
) -> tuple[Deadline, Promise]:
    """Promise something to the complainant, by a time; the promise and its clock."""
    made: list[UUID] = []

    def step(tx: Transaction, draft: Draft, policy: Policy) -> None:
        if not draft.complaint.open:
            raise Conflict(f"A complaint that is {draft.complaint.status} takes no promise.")
        if command.due_at <= tx.now:
            raise InvalidContent.at("/due_at", "A promise is due in the future.")
        draft.touch(tx.now)
        deadline = deadlines.running(
            draft,
            policy,
            DeadlineKind.PROMISE,
            started_at=tx.now,
            target=None,
            due_at=command.due_at,
            sequence=deadlines.next_sequence(draft.complaint, DeadlineKind.PROMISE),
        )
        draft.add_deadlines([deadline])
        draft.promises.append(Promise(deadline.id, command.text, caller.actor))
        draft.emit(EventType.PROMISE_MADE, tx.now, deadline_id=str(deadline.id), text=command.text)
        made.append(deadline.id)

    complaint = _change(engine, tx, caller, reference, step)
    return _promised(complaint.deadlines, made[0]), Promise(made[0], command.text, caller.actor)


def keep_promise(
    engine: Engine, tx: Transaction, caller: Caller, reference: str, promise_id: UUID
) -> tuple[Deadline, Promise]:
    """Mark a promise as kept. Raises NotFound, or Conflict if it is no longer open."""

    def step(tx: Transaction, draft: Draft, policy: Policy) -> None:
        deadline = _promised(draft.complaint.deadlines, promise_id)
        if not deadline.unmet:
            raise Conflict(f"This promise is {_ENDED[deadline.status]}.")
        draft.touch(tx.now)
        draft.emit(EventType.PROMISE_KEPT, tx.now, deadline_id=str(promise_id))
        deadlines.meet(draft, deadline, tx.now)

    complaint = _change(engine, tx, caller, reference, step)
    return _promised(complaint.deadlines, promise_id), find_promises(tx, [promise_id])[promise_id]


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

    return _change(engine, tx, caller, reference, step, versions=versions, right=Right.SUPERVISE)
