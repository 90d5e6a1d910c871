"""The JSON of complaints and their parts.

Values stay as they are in the facts. `encode` writes identifiers, instants (RFC 3339 in UTC) and amounts as text.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from enum import Enum
from operator import attrgetter
from typing import Any

from complaints.api.complaints.schemas import ComplaintShown
from complaints.domain.complaint.facts import Complaint, Deadline, Person, Promise
from complaints.domain.complaint.members import GROUPS
from complaints.domain.complaint.numbers import number_of
from complaints.domain.policy.policy import Policy
from complaints.use_cases.complaints.intake import IntakeResult
from complaints.use_cases.complaints.views import ComplaintView

# The members of the schema that a complaint has under the same name and in the same form.
_SAME_IN_FACTS = {
    "next_due_at",
    "priority_reasons",
    *(field.name for field in fields(Complaint) if field.name != "deadlines"),
}
_COMPLAINT_MEMBERS = tuple(name for name in ComplaintShown.model_fields if name in _SAME_IN_FACTS)
_DEADLINE_MEMBERS = (
    "id", "kind", "cycle", "sequence", "attempt", "status", "started_at", "due_at", "met_at", "breached_at",
    "paused_seconds", "level",
)  # fmt: skip
_PERSON_MEMBERS = tuple(field.name for field in fields(Person))
# Members that always have a value of a closed set. Reading its text here is faster than in `encode`.
_SETS = frozenset({"status", "channel", "severity", "priority", "kind"})


def _reader(members: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*(f"{name}._value_" if name in _SETS else name for name in members))


_complaint_values = _reader(_COMPLAINT_MEMBERS)
_deadline_values = _reader(_DEADLINE_MEMBERS)
_person_values = attrgetter(*_PERSON_MEMBERS)
_GROUPS = [(group, tuple(names), attrgetter(*names.values())) for group, names in GROUPS.items()]


def complaint_json(view: ComplaintView) -> dict[str, Any]:
    """A complaint as the API shows it."""
    complaint = view.complaint
    persons = {role: person_json(person) for role, person in view.persons.items()}
    shown = dict(zip(_COMPLAINT_MEMBERS, _complaint_values(complaint), strict=True))
    shown["cause"] = _text(complaint.cause)
    shown["nature"] = _text(complaint.nature)
    shown["external_ids"] = complaint.ids_by_system
    shown["number"] = number_of(complaint.sequence)
    shown["complainant"] = persons.get("complainant")
    shown["reporter"] = persons.get("reporter")
    for group, names, read in _GROUPS:
        values = read(complaint)
        shown[group] = dict(zip(names, values, strict=True)) if any(values) else None
    shown["policy"] = {"code": complaint.policy_code, "version": complaint.policy_version}
    shown["overdue"] = view.overdue
    shown["overdue_seconds"] = view.overdue_seconds
    shown["deadlines"] = [deadline_json(deadline) for deadline in complaint.deadlines]
    shown["allowed_actions"] = [action._value_ for action in view.allowed]
    shown["links"] = _links(view)
    shown["result"] = _result(complaint)
    shown["satisfaction"] = _satisfaction(complaint)
    return shown


def posted_json(view: ComplaintView, result: IntakeResult, policy: Policy) -> dict[str, Any]:
    """A complaint as the answer to its post shows it."""
    complainant = view.persons.get("complainant")
    language = complainant.language if complainant else None
    return complaint_json(view) | {
        "related": [
            {
                "id": earlier.id,
                "number": number_of(earlier.sequence),
                "status": earlier.status,
                "received_at": earlier.received_at,
            }
            for earlier in result.related
        ],
        "acknowledgement": policy.acknowledgement_for(language, number=number_of(view.complaint.sequence)),
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
    """A promise as the API shows it, with due time and status of its deadline."""
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
