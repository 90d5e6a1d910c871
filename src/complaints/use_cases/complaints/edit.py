"""A change of the members of a complaint (PATCH)."""

from dataclasses import replace

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines
from complaints.domain.rules.routing import derive_priority
from complaints.domain.vocabulary import EventType
from complaints.storage.database.transactions import Transaction
from complaints.storage.indexing import reindex_complaints
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.person import COMPLAINANT
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import (
    PatchComplaint,
    given_members,
    given_persons,
    plain_values,
)
from complaints.use_cases.complaints.changing import Versions, change_complaint
from complaints.use_cases.complaints.intake import identity_of
from complaints.use_cases.configuration.changing import check_user
from complaints.use_cases.service import Service


def patch(
    service: Service,
    tx: Transaction,
    caller: Caller,
    reference: str,
    command: PatchComplaint,
    versions: Versions,
) -> Complaint:
    """Change the members that `command` gives. Deadlines follow priority and category (rule 2.8).

    Raises like `transition`.
    """
    if command.first_owner is not None:
        caller.require(Right.SUPERVISE)

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        configuration = service.configuration(tx)
        before = change.complaint
        change.set(**plain_values(command))
        if command.first_owner is not None:
            check_user(configuration, command.first_owner, "/first_owner")
            change.set(first_owner=command.first_owner)
        if command.category is not None:
            category = configuration.classify(command.category)
            assert category is not None  # classify refuses an unknown code
            change.set(category=category.code, cause=category.cause, nature=category.nature)
        persons = _patch_persons(tx, change, command, policy)
        _set_priority(change, command, policy, complainant=persons.get(COMPLAINANT))
        if change.complaint == before and not persons:
            return
        change.touch(tx.now)
        if (change.complaint.priority, change.complaint.category) != (before.priority, before.category):
            deadlines.replan(change, policy, tx.now, retarget=True)
        # The names of a person's members only: their values are personal data and stay in their own table.
        names = {role: sorted(given_members(person)) for role, person in given_persons(command).items()}
        change.record(EventType.UPDATED, tx.now, persons=names or None)

    return change_complaint(service, tx, caller, reference, step, versions=versions)


def _set_priority(
    change: Change, command: PatchComplaint, policy: Policy, *, complainant: Person | None
) -> None:
    """The given priority counts. Without one, a new severity derives it, unless one was given before."""
    complaint = change.complaint
    if command.priority is not None:
        change.set(priority=command.priority, priority_given=True)
    elif command.severity is not None and not complaint.priority_given:
        priority = derive_priority(
            policy.priorities,
            severity=complaint.severity,
            vulnerable=complainant is not None and complainant.vulnerable,
            repeat=False,
            channel=complaint.channel,
        )
        change.set(priority=priority)


def _patch_persons(
    tx: Transaction, change: Change, command: PatchComplaint, policy: Policy
) -> dict[str, Person]:
    """Write the given members of persons; the others stay. Returns the persons that changed, by role."""
    given = given_persons(command)
    known = person_rows.find_persons(tx, [change.complaint.id]).get(change.complaint.id, {}) if given else {}
    written = {}
    for role, person in given.items():
        before = known.get(role, Person())
        after = replace(before, **given_members(person))
        if after != before or role not in known:
            row = person_rows.row_of(change.complaint.id, role, after, identity_of(after, policy))
            person_rows.replace_person(tx, row)
            written[role] = after
    if written:
        reindex_complaints(tx, [change.complaint])
    return written
