"""Complaints of a list as callers see them: from rows, with facts only where something must be judged.

Most complaints of a list are at rest. Their rows have all values to show, so no fact is made of them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.facts import reasons_of_priority
from complaints.domain.complaint.masks import mask_person, mask_service_id
from complaints.domain.rules.actions import actions_by_status
from complaints.domain.vocabulary import Action
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_lists import facts_of
from complaints.storage.rows.complaint import members_of
from complaints.storage.rows.deadline import find_deadline_rows
from complaints.storage.rows.person import find_person_members
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.views import (
    ComplaintParts,
    find_link_views,
    mask_values,
    permit_actions,
    view_all,
)
from complaints.use_cases.service import Service


def show_rows(service: Service, tx: Transaction, caller: Caller, rows: Sequence[Any]) -> list[ComplaintParts]:
    """The complaints of rows of `find_page_rows`, as the caller sees them."""
    judged = [row for row in rows if _must_be_judged(row, tx.now)]
    linked = [row.id for row in judged if row.linked]
    views = view_all(service, tx, caller, facts_of(tx, judged), linked=linked)
    shown = {view.complaint.id: view.parts for view in views}
    shown |= _show_at_rest(tx, caller, [row for row in rows if row.id not in shown])
    return [shown[row.id] for row in rows]


def _must_be_judged(row: Any, now: datetime) -> bool:
    """True if the row alone does not decide on the states of the deadlines and on the allowed actions.

    Until its wake time, time changes nothing about a complaint.
    """
    return (row.wake_at is not None and row.wake_at <= now) or actions_by_status(row.status) is None


def _show_at_rest(tx: Transaction, caller: Caller, rows: Sequence[Any]) -> dict[UUID, ComplaintParts]:
    """The complaints of rows that need no judgement, by id."""
    ids = [row.id for row in rows]
    deadlines, persons = find_deadline_rows(tx, ids), find_person_members(tx, ids)
    links = find_link_views(tx, caller, [row.id for row in rows if row.linked])
    in_clear = {row.id: caller.has_right_on(Right.SEE_PERSONS, row) for row in rows}
    return {
        row.id: ComplaintParts(
            _members(caller, row, in_clear=in_clear[row.id]),
            deadlines.get(row.id, ()),
            _shown(persons.get(row.id, {}), in_clear=in_clear[row.id]),
            links.get(row.id, ()),
            _permit(caller, row),
            tx.now,
            in_clear[row.id],
        )
        for row in rows
    }


def _permit(caller: Caller, row: Any) -> tuple[Action, ...]:
    return permit_actions(caller, row, lambda: actions_by_status(row.status) or ())


def _members(caller: Caller, row: Any, *, in_clear: bool) -> dict[str, Any]:
    members = members_of(row)
    if members["attributes"] and not caller.has_right_on(Right.SEE_INTERNAL, row):
        members["attributes"] = mask_values(members["attributes"])
    if members["service_id"] and not in_clear:
        members["service_id"] = mask_service_id(members["service_id"])
    members["next_due_at"] = row.next_due_at
    members["overdue_after_at"] = row.overdue_after_at
    members["priority_reasons"] = reasons_of_priority(
        given=members["priority_given"], raised_by=members["priority_raised_by"]
    )
    return members


def _shown(persons: Mapping[str, Mapping[str, Any]], *, in_clear: bool) -> Mapping[str, Mapping[str, Any]]:
    if in_clear:
        return persons
    return {role: mask_person(person) for role, person in persons.items()}
