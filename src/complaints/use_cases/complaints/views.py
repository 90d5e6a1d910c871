"""Complaints as callers see them: deadlines as they stand now, with masks for what is not for the caller."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.facts import Complaint, Person, copy_with
from complaints.domain.complaint.masks import mask_person, mask_service_id
from complaints.domain.rules.actions import ActionContext, allowed_actions
from complaints.domain.rules.deadlines import catch_up_status
from complaints.domain.scope import ScopedComplaint
from complaints.domain.vocabulary import Action, LinkType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.link import find_links, find_links_to
from complaints.storage.rows.person import Persons, find_persons, members_of
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
class ComplaintParts:
    """The values by name that show one complaint at `now`, from facts or from rows.

    `members` also has the values that follow from members and deadlines. `deadlines` are as they stand now.
    `in_clear` is True if the persons have no masks.
    """

    members: Mapping[str, Any]
    deadlines: Sequence[Mapping[str, Any]]
    persons: Mapping[str, Mapping[str, Any]]
    links: Sequence[LinkView]
    allowed: Sequence[Action]
    now: datetime
    in_clear: bool

    @property
    def overdue_seconds(self) -> int | None:
        """The whole seconds since the earliest due time that was missed and is unmet; None if not overdue."""
        after_at: datetime | None = self.members["overdue_after_at"]
        if after_at is None or self.now <= after_at:
            return None
        return int((self.now - after_at).total_seconds())


@dataclass(frozen=True, slots=True)
class ComplaintView:
    """One complaint as a caller sees it at `now`. `allowed` are the actions that the caller may take.

    `in_clear` is True if the persons have no masks.
    """

    complaint: Complaint
    persons: Persons
    links: tuple[LinkView, ...]
    allowed: tuple[Action, ...]
    now: datetime
    in_clear: bool

    @property
    def parts(self) -> ComplaintParts:
        """The values that show the complaint."""
        complaint = self.complaint
        members = {
            **vars(complaint),
            "next_due_at": complaint.next_due_at,
            "overdue_after_at": complaint.overdue_after_at,
            "priority_reasons": complaint.priority_reasons,
        }
        persons = {role: members_of(person) for role, person in self.persons.items()}
        deadlines = [vars(deadline) for deadline in complaint.deadlines]
        return ComplaintParts(members, deadlines, persons, self.links, self.allowed, self.now, self.in_clear)


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
    links = find_link_views(tx, caller, ids if linked is None else linked)
    contexts: dict[tuple[str, int], ActionContext] = {}
    views = []
    for complaint in complaints:
        key = (complaint.policy_code, complaint.policy_version)
        context = contexts.get(key) or contexts.setdefault(key, service.context(tx, complaint, caller))
        own_persons, own_links = persons.get(complaint.id, {}), links.get(complaint.id, ())
        views.append(_view(context, caller, complaint, own_persons, own_links))
    return views


def find_link_views(tx: Transaction, caller: Caller, ids: Collection[UUID]) -> dict[UUID, list[LinkView]]:
    """The links from these complaints to complaints that the caller may know of, by complaint id."""
    links: dict[UUID, list[LinkView]] = {}
    for row in find_links(tx, ids, scope=caller.scope):
        found = LinkView(row["type"], row["other_id"], row["sequence"])
        links.setdefault(row["complaint_id"], []).append(found)
    return links


def find_view_links_to(tx: Transaction, caller: Caller, complaint_id: UUID, *, limit: int) -> list[LinkView]:
    """The links to a complaint from up to `limit` complaints that the caller may know of, the oldest first."""
    rows = find_links_to(tx, complaint_id, scope=caller.scope, limit=limit)
    return [LinkView(row["type"], row["complaint_id"], row["sequence"]) for row in rows]


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
    allowed = permit_actions(caller, complaint, lambda: allowed_actions(complaint, context))
    deadlines = tuple([catch_up_status(d, now) for d in complaint.deadlines])
    current = complaint if deadlines == complaint.deadlines else copy_with(complaint, deadlines=deadlines)
    if current.attributes and not caller.has_right_on(Right.SEE_INTERNAL, complaint):
        current = copy_with(current, attributes=mask_values(current.attributes))
    if caller.has_right_on(Right.SEE_PERSONS, complaint):
        return ComplaintView(current, persons, tuple(links), allowed, now, in_clear=True)
    if current.service_id:
        current = copy_with(current, service_id=mask_service_id(current.service_id))
    shown = {role: masked(person) for role, person in persons.items()}
    return ComplaintView(current, shown, tuple(links), allowed, now, in_clear=False)


def permit_actions(
    caller: Caller, complaint: ScopedComplaint, find_allowed: Callable[[], tuple[Action, ...]]
) -> tuple[Action, ...]:
    """The allowed actions for which the caller has the rights on this complaint."""
    if caller.has_right_on(Right.WORK, complaint):
        return find_allowed()
    if not caller.has_right_on(Right.CONTRIBUTE, complaint):
        return ()
    return tuple([one for one in find_allowed() if right_for(one) is Right.CONTRIBUTE])


def masked(person: Person) -> Person:
    """The person with a mask for each member of personal data that is known (rule 9.1)."""
    return replace(person, **mask_person(members_of(person)))


def mask_values(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with a mask for each value."""
    return dict.fromkeys(attributes, MASK)
