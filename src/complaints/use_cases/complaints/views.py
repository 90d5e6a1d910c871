"""Complaints as callers see them: deadlines as they stand now, with masks for what is not for the caller."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.facts import Complaint, Person, copy_with
from complaints.domain.rules.actions import ActionContext, allowed_actions
from complaints.domain.rules.deadlines import catch_up_status
from complaints.domain.vocabulary import Action, LinkType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.link import find_links
from complaints.storage.rows.person import Persons, find_persons
from complaints.use_cases.access import Caller, Right, right_for
from complaints.use_cases.service import Service

MASK = "***"


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link to another complaint."""

    type: LinkType
    complaint_id: UUID
    sequence: int


@dataclass(frozen=True, slots=True)
class ComplaintView:
    """One complaint as a caller sees it at `now`. `allowed` are the actions that the caller may take."""

    complaint: Complaint
    persons: Persons
    links: tuple[LinkView, ...]
    allowed: tuple[Action, ...]
    now: datetime

    @property
    def overdue(self) -> bool:
        """True if an unmet deadline is past due."""
        return self.overdue_seconds is not None

    @property
    def overdue_seconds(self) -> int | None:
        """The whole seconds since the earliest due time that was missed and is unmet; None if not overdue."""
        after_at = self.complaint.overdue_after_at
        if after_at is None or self.now <= after_at:
            return None
        return int((self.now - after_at).total_seconds())


def view_all(
    service: Service,
    tx: Transaction,
    caller: Caller,
    complaints: Sequence[Complaint],
    *,
    linked: Collection[UUID] | None = None,
) -> list[ComplaintView]:
    """Complaints as the caller sees them, with their persons and links.

    `linked` are the ids of the complaints with links, if they are known; None looks for links of all.
    """
    ids = [complaint.id for complaint in complaints]
    if not ids:
        return []
    persons = find_persons(tx, ids)
    links: dict[UUID, list[LinkView]] = {}
    for row in find_links(tx, ids if linked is None else linked, scope=caller.scope):
        found = LinkView(row["type"], row["other_id"], row["sequence"])
        links.setdefault(row["complaint_id"], []).append(found)
    contexts: dict[tuple[str, int], ActionContext] = {}
    views = []
    for complaint in complaints:
        key = (complaint.policy_code, complaint.policy_version)
        context = contexts.get(key) or contexts.setdefault(key, service.context(tx, complaint, caller))
        own_persons, own_links = persons.get(complaint.id, {}), links.get(complaint.id, ())
        views.append(_view(context, caller, complaint, own_persons, own_links))
    return views


def view_one(service: Service, tx: Transaction, caller: Caller, complaint: Complaint) -> ComplaintView:
    """One complaint as the caller sees it."""
    return view_all(service, tx, caller, [complaint])[0]


def view(
    service: Service,
    tx: Transaction,
    caller: Caller,
    complaint: Complaint,
    persons: Persons,
    links: Sequence[LinkView] = (),
) -> ComplaintView:
    """The view of a complaint whose persons and links are known."""
    return _view(service.context(tx, complaint, caller), caller, complaint, persons, links)


def _view(
    context: ActionContext, caller: Caller, complaint: Complaint, persons: Persons, links: Sequence[LinkView]
) -> ComplaintView:
    now = context.now
    rights = caller.rights
    allowed = allowed_actions(complaint, context) if Right.CONTRIBUTE in rights else ()
    if Right.WORK not in rights:
        allowed = tuple([action for action in allowed if right_for(action) in rights])
    deadlines = tuple([catch_up_status(d, now) for d in complaint.deadlines])
    current = complaint if deadlines == complaint.deadlines else copy_with(complaint, deadlines=deadlines)
    if current.attributes and not caller.scope_for(Right.SEE_INTERNAL).admits_source(complaint.source):
        current = copy_with(current, attributes=mask_values(current.attributes))
    sees_persons = caller.scope_for(Right.SEE_PERSONS).admits_source(complaint.source)
    shown = persons if sees_persons else {r: masked(p) for r, p in persons.items()}
    return ComplaintView(current, shown, tuple(links), allowed, now)


def masked(person: Person) -> Person:
    """The person with a mask for each member of personal data that is known."""
    return replace(
        person,
        name=person.name and MASK,
        phone=person.phone and MASK,
        email=person.email and MASK,
        account_no=person.account_no and MASK,
    )


def mask_values(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with a mask for each value."""
    return dict.fromkeys(attributes, MASK)
