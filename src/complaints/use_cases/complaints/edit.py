"""Changing what a complaint says: PATCH."""

from dataclasses import replace
from typing import Any

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines
from complaints.domain.rules.routing import derive_priority
from complaints.domain.vocabulary import EventType, Severity
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.person import COMPLAINANT, REPORTER
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import PatchComplaint, PersonIn
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
    """Change what was told. Clocks follow priority and category (rule 2.8). Raises like `transition`."""
    if command.first_owner is not None:
        caller.require(Right.SUPERVISE)

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        configuration = service.configuration(tx)
        if command.first_owner is not None:
            check_user(configuration, command.first_owner, "/first_owner")
        before = change.complaint
        _set_members(change, command)
        if command.category is not None:
            category = configuration.classify(command.category)
            assert category is not None  # classify refuses what is unknown
            change.set(category=category.code, cause=category.cause, nature=category.nature)
        persons = _patch_persons(tx, change, command, policy)
        _set_priority(change, command, policy, vulnerable=persons.get(COMPLAINANT))
        if change.complaint == before and not persons:
            return
        change.touch(tx.now)
        if (change.complaint.priority, change.complaint.category) != (before.priority, before.category):
            deadlines.replan(change, policy, tx.now, retarget=True)
        change.record(EventType.UPDATED, tx.now, persons=_changed_persons(command))

    return change_complaint(service, tx, caller, reference, step, versions=versions)


_PLAIN_MEMBERS = ("subject", "description", "severity", "region", "tags", "attributes", "first_owner")


def _set_members(change: Change, command: PatchComplaint) -> None:
    given = {name: value for name in _PLAIN_MEMBERS if (value := getattr(command, name)) is not None}
    change.set(**given)


def _set_priority(
    change: Change, command: PatchComplaint, policy: Policy, *, vulnerable: Person | None
) -> None:
    """Given, or derived anew where severity changed and none was ever given."""
    complaint = change.complaint
    if command.priority is not None:
        change.set(priority=command.priority, priority_given=True)
    elif command.severity is not None and not complaint.priority_given:
        priority = derive_priority(
            policy.priorities,
            severity=Severity(command.severity),
            vulnerable=bool(vulnerable and vulnerable.vulnerable),
            repeat=False,
            channel=complaint.channel,
        )
        change.set(priority=priority)


def _patch_persons(
    tx: Transaction, change: Change, command: PatchComplaint, policy: Policy
) -> dict[str, Person]:
    """Merge what is told of people into what is known; the parties written."""
    told = {COMPLAINANT: command.complainant, REPORTER: command.reporter}
    given = {role: person for role, person in told.items() if person is not None}
    known = person_rows.find_persons(tx, [change.complaint.id]).get(change.complaint.id, {}) if given else {}
    written = {}
    for role, person in given.items():
        before = known.get(role, Person())
        after = replace(before, **_given_members(person))
        if after != before or role not in known:
            row = person_rows.row_of(change.complaint.id, role, after, identity_of(after, policy))
            person_rows.replace_person(tx, row)
            written[role] = after
    return written


def _given_members(given: PersonIn) -> dict[str, Any]:
    return {name: value for name in PersonIn.model_fields if (value := getattr(given, name)) is not None}


def _changed_persons(command: PatchComplaint) -> dict[str, list[str]] | None:
    """Which members of people were told, without their values: personal data stays in its own table."""
    told = {COMPLAINANT: command.complainant, REPORTER: command.reporter}
    return {
        role: sorted(_given_members(person)) for role, person in told.items() if person is not None
    } or None
