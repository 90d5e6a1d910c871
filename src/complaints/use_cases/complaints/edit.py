"""Changing what a complaint says: PATCH."""

from dataclasses import replace
from typing import Any

from complaints.domain.complaint.change import Draft
from complaints.domain.complaint.facts import Complaint, Party
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines
from complaints.domain.rules.routing import derive_priority
from complaints.domain.vocabulary import EventType, Severity
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import person as party
from complaints.storage.rows.person import COMPLAINANT, REPORTER
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import PatchComplaint, Person
from complaints.use_cases.complaints.changing import Versions, change_complaint
from complaints.use_cases.complaints.intake import identity_of
from complaints.use_cases.configuration.changing import check_user
from complaints.use_cases.service import Engine


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

    return change_complaint(engine, tx, caller, reference, step, versions=versions)


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
