"""A change of the members of a complaint (PATCH)."""

import json
from dataclasses import dataclass, fields, replace
from typing import Any

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.complaint.members import merge_attributes
from complaints.domain.errors import Forbidden, InvalidContent
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.reclassifying import (
    clear_priority,
    follow_severity,
    give_priority,
    replan_changed,
    route_again,
    set_category,
)
from complaints.domain.vocabulary import EventType, Severity
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.indexing import reindex_complaints
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.event import find_last_event
from complaints.storage.rows.person import COMPLAINANT, REPORTER
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import PatchComplaint, changed_members, changed_plain_values
from complaints.use_cases.commands.field_types import MAX_ATTRIBUTES
from complaints.use_cases.complaints.changing import Versions, change_complaint
from complaints.use_cases.complaints.external_ids import patch_external_ids
from complaints.use_cases.complaints.identities import identity_of
from complaints.use_cases.complaints.repeats import is_repeat
from complaints.use_cases.configuration.changing import check_user, claim_user
from complaints.use_cases.service import Service

_NOBODY = Person()
_PERSON_MEMBERS = tuple(field.name for field in fields(Person))


def patch(
    service: Service,
    tx: Transaction,
    caller: Caller,
    reference: str,
    command: PatchComplaint,
    versions: Versions,
) -> Complaint:
    """Change the members that `command` names. Deadlines follow what chooses their targets (rule 2.8).

    A value that does not change is no choice: it needs no right, and it may be retired meanwhile (rule 1.7).
    Raises like `transition`.
    """
    _check_members(caller, command)
    if command.first_owner is not None:
        claim_user(service, tx, command.first_owner)

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        configuration = service.configuration(tx)
        before = change.complaint
        _check_severity(caller, command, before.severity)
        change.set(**_plain_changes(before, command))
        patch_external_ids(tx, caller, change, _external_id_changes(before, command))
        _set_first_owner(change, command, caller, configuration)
        _classify(tx, change, command, policy, configuration)
        persons = _patch_persons(tx, change, command, policy)
        _set_priority(tx, change, command, policy, before, persons)
        if change.complaint == before and not persons:
            return
        change.touch(tx.now)
        replan_changed(change, before, policy, tx.now)
        names = {role: person.changed for role, person in persons.items()}
        digests = {role: person.digest for role, person in persons.items()}
        change.record(
            EventType.UPDATED,
            tx.now,
            persons=names or None,
            person_digests=digests or None,
            other_policy=_other_policy(before, change.complaint, configuration),
        )

    return change_complaint(service, tx, caller, reference, step, versions=versions, right=Right.CONTRIBUTE)


def _other_policy(before: Complaint, after: Complaint, configuration: Configuration) -> str | None:
    """The policy that a new region or category chooses, as `code/version`. The complaint keeps its own (rule 4.17)."""
    if (after.region, after.category) == (before.region, before.category):
        return None
    other = configuration.find_other_policy(after)
    is_new = other is not None and other is not configuration.find_other_policy(before)
    return f"{other.code}/{other.version}" if other and is_new else None


def _check_members(caller: Caller, command: PatchComplaint) -> None:
    """Raise Forbidden for members that the caller may not change. Without the right `work`, severity alone is left."""
    if command.model_fields_set - {"severity"}:
        caller.require(Right.WORK)


def _external_id_changes(before: Complaint, command: PatchComplaint) -> dict[str, str | None]:
    """The changed external ids by system, None for one that goes. A null takes away all."""
    if command.external_ids is None and "external_ids" in command.model_fields_set:
        return dict.fromkeys(before.external_ids)
    return dict(command.external_ids or {})


def _check_severity(caller: Caller, command: PatchComplaint, before: Severity) -> None:
    """Raise Forbidden if a caller without the right `work` lowers the severity."""
    if command.severity is None or Right.WORK in caller.rights:
        return
    ranks = list(Severity)
    if ranks.index(command.severity) > ranks.index(before):
        raise Forbidden(f"This key may raise the severity, but not lower it from {before}.")


def _plain_changes(before: Complaint, command: PatchComplaint) -> dict[str, Any]:
    """Raises InvalidContent if the attributes become too many."""
    values = changed_plain_values(command)
    if command.attributes is not None:
        values["attributes"] = merge_attributes(before.attributes, command.attributes)
        if len(values["attributes"]) > MAX_ATTRIBUTES:
            raise InvalidContent.at("/attributes", f"attributes: must have at most {MAX_ATTRIBUTES} keys")
    return values


def _set_first_owner(
    change: Change, command: PatchComplaint, caller: Caller, configuration: Configuration
) -> None:
    if command.first_owner in (None, change.complaint.first_owner):
        return
    caller.require(Right.SUPERVISE)
    check_user(configuration, command.first_owner, "/first_owner")
    change.set(first_owner=command.first_owner)


# Category, region and team -----------------------------------------------------------------------------------------


def _classify(
    tx: Transaction, change: Change, command: PatchComplaint, policy: Policy, configuration: Configuration
) -> None:
    """Set the category with its cause and nature. A new category or region routes the complaint again (rule 5.7)."""
    before = change.before or change.complaint
    is_other_category = "category" in command.model_fields_set and command.category != before.category
    if is_other_category:
        set_category(change, configuration.classify(command.category))
    if is_other_category or change.complaint.region != before.region:
        route_again(
            change,
            before,
            policy,
            directory=configuration.directory,
            classify=lambda code: configuration.classify(code, retired_too=True),
            is_assigned_by_hand=lambda: _is_assigned_by_hand(tx, change.complaint),
        )


def _is_assigned_by_hand(tx: Transaction, complaint: Complaint) -> bool:
    """True if the last assignment was by a user, who did not take it back, and whose assignee did not leave.

    An assignment by policy is by no user.
    """
    assigned = find_last_event(tx, complaint.id, EventType.ASSIGNED)
    recorded = json.loads(assigned["data"]).keys() if assigned else set()
    by_hand = assigned is not None and not {"taken_back", "left", "by"} & recorded
    return by_hand or (complaint.assignee is not None and "by" not in recorded)


# Priority ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _PersonChange:
    """A person before and after a change. A person who is not there has no member with a value.

    `digest` is that of the person after the change (`person.digest_of`), None for a person who was removed.
    """

    before: Person
    after: Person
    digest: str | None = None

    @property
    def changed(self) -> list[str]:
        """The names of the members that changed. Their values are personal data and stay in their own table."""
        return sorted(n for n in _PERSON_MEMBERS if getattr(self.before, n) != getattr(self.after, n))


def _set_priority(
    tx: Transaction,
    change: Change,
    command: PatchComplaint,
    policy: Policy,
    before: Complaint,
    persons: dict[str, _PersonChange],
) -> None:
    """A given priority counts. Otherwise severity and complainant derive it; the other raises stay (rule 5.6)."""
    if command.priority not in (None, before.priority):
        give_priority(change, command.priority)
    elif command.priority is None and "priority" in command.model_fields_set and before.priority_given:
        _derive_priority(tx, change, policy)
    else:
        person = persons.get(COMPLAINANT)
        is_vulnerable = person.after.vulnerable if person and "vulnerable" in person.changed else None
        follow_severity(change, before, policy, vulnerable=is_vulnerable)


def _derive_priority(tx: Transaction, change: Change, policy: Policy) -> None:
    """The priority as at intake, because the given priority was cleared."""
    complaint = change.complaint
    persons = person_rows.find_persons(tx, [complaint.id]).get(complaint.id, {})
    clear_priority(
        change,
        policy,
        vulnerable=persons.get(COMPLAINANT, _NOBODY).vulnerable,
        repeat=is_repeat(tx, complaint, person_rows.find_identity(tx, complaint.id), policy),
    )


# Persons -----------------------------------------------------------------------------------------------------------


def _patch_persons(
    tx: Transaction, change: Change, command: PatchComplaint, policy: Policy
) -> dict[str, _PersonChange]:
    """Write the named members of persons; the others stay. Returns the persons that changed, by role."""
    complaint_id = change.complaint.id
    named = [role for role in (COMPLAINANT, REPORTER) if role in command.model_fields_set]
    known = person_rows.find_persons(tx, [complaint_id]).get(complaint_id, {}) if named else {}
    written = {}
    for role in named:
        asked, before = getattr(command, role), known.get(role)
        if asked is None:
            if before is not None:
                person_rows.remove_person(tx, complaint_id, role)
                written[role] = _PersonChange(before, _NOBODY)
            continue
        values = {n: getattr(_NOBODY, n) if v is None else v for n, v in changed_members(asked).items()}
        after = replace(before or _NOBODY, **values)
        if after != (before or _NOBODY):
            row = person_rows.row_of(complaint_id, role, after, identity_of(after, policy), tx.new_salt())
            person_rows.replace_person(tx, row)
            written[role] = _PersonChange(before or _NOBODY, after, person_rows.digest_of(row))
    if written:
        reindex_complaints(tx, [change.complaint])
    return written
