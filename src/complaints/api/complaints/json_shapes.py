"""The JSON of complaints and their parts.


Facts stand in it as they are: identifiers, instants (RFC 3339 in UTC) and amounts are spelled out by `encode`.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from enum import Enum
from operator import attrgetter
from typing import Any

from complaints.domain.complaint.facts import Complaint, Deadline, Person, Promise
from complaints.domain.complaint.numbers import number_of
from complaints.use_cases.complaints.views import ComplaintView

_COMPLAINT_MEMBERS = (
    "id", "status", "cycle", "channel", "subject", "description", "source", "external_id", "received_at",
    "severity", "category", "cause", "nature", "priority", "region", "team", "first_owner", "assignee",
    "tags", "attributes", "created_at", "updated_at", "version", "next_due_at",
)  # fmt: skip
_DEADLINE_MEMBERS = (
    "id", "kind", "cycle", "sequence", "attempt", "status", "started_at", "due_at", "met_at", "breached_at",
    "paused_seconds", "level",
)  # fmt: skip
_PERSON_MEMBERS = tuple(field.name for field in fields(Person))
# Members that are always of a closed set. Their plain text is taken at once: `encode` is slow to find it.
_SETS = frozenset({"status", "channel", "severity", "priority", "kind"})


def _reader(members: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*(f"{name}._value_" if name in _SETS else name for name in members))


_complaint_values = _reader(_COMPLAINT_MEMBERS)
_deadline_values = _reader(_DEADLINE_MEMBERS)
_person_values = attrgetter(*_PERSON_MEMBERS)


def complaint_json(view: ComplaintView) -> dict[str, Any]:
    """A complaint as the API shows it."""
    complaint = view.complaint
    persons = {role: person_json(person) for role, person in view.persons.items()}
    service = {"type": complaint.service_type, "id": complaint.service_id}
    return {
        **dict(zip(_COMPLAINT_MEMBERS, _complaint_values(complaint), strict=True)),
        "cause": _text(complaint.cause),
        "nature": _text(complaint.nature),
        "number": number_of(complaint.sequence),
        "complainant": persons.get("complainant"),
        "reporter": persons.get("reporter"),
        "service": service if any(service.values()) else None,
        "policy": {"code": complaint.policy_code, "version": complaint.policy_version},
        "overdue": view.overdue,
        "deadlines": [deadline_json(deadline) for deadline in complaint.deadlines],
        "allowed_actions": [action._value_ for action in view.allowed],
        "links": _links(view),
        "result": _result(complaint),
        "satisfaction": _satisfaction(complaint),
    }


def _text(member: Enum | None) -> Any:
    return None if member is None else member._value_


def person_json(person: Person) -> dict[str, Any]:
    """A person as the API shows them."""
    return dict(zip(_PERSON_MEMBERS, _person_values(person), strict=True))


def deadline_json(deadline: Deadline) -> dict[str, Any]:
    """A deadline as the API shows it."""
    shown = dict(zip(_DEADLINE_MEMBERS, _deadline_values(deadline), strict=True))
    shown["policy"] = {"code": deadline.policy_code, "version": deadline.policy_version}
    return shown


def promise_json(deadline: Deadline, promise: Promise) -> dict[str, Any]:
    """A promise with its clock."""
    return {
        "id": promise.id,
        "text": promise.text,
        "made_by": promise.made_by,
        "due_at": deadline.due_at,
        "status": deadline.status,
        "met_at": deadline.met_at,
    }


def _links(view: ComplaintView) -> list[dict[str, Any]]:
    return [
        {"type": link.type, "complaint_id": link.complaint_id, "number": number_of(link.sequence)}
        for link in view.links
    ]


def _result(complaint: Complaint) -> dict[str, Any] | None:
    if complaint.resolved_at is None:
        return None
    amount, currency = complaint.compensation_amount, complaint.compensation_currency
    return {
        "resolution": complaint.resolution,
        "outcome": complaint.outcome,
        "cause": complaint.cause,
        "root_cause": complaint.root_cause,
        "compensation": None if amount is None else {"amount": amount, "currency": currency},
        "resolved_at": complaint.resolved_at,
        "told_at": complaint.result_told_at,
    }


def _satisfaction(complaint: Complaint) -> dict[str, Any] | None:
    if complaint.csat is None and complaint.nps is None and complaint.contact_outcome is None:
        return None
    return {"outcome": complaint.contact_outcome, "csat": complaint.csat, "nps": complaint.nps}
