"""The JSON of complaints and their parts.

Values stay as they are in the facts. `encode` writes identifiers, instants (RFC 3339 in UTC) and amounts as text.
"""

from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter, itemgetter
from typing import Any

from complaints.api.complaints.schemas import ComplaintShown
from complaints.domain.complaint.facts import Complaint, Deadline, Person, Promise, add_own_id
from complaints.domain.complaint.members import GROUPS
from complaints.domain.complaint.numbers import number_of
from complaints.domain.complaint.subject import COMPLAINT_KIND
from complaints.domain.policy.policy import Policy
from complaints.use_cases.complaints.intake import IntakeResult
from complaints.use_cases.complaints.views import ComplaintParts, ComplaintView, LinkView

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
_complaint_values = itemgetter(*_COMPLAINT_MEMBERS)
_deadline_values = itemgetter(*_DEADLINE_MEMBERS)
_person_values = attrgetter(*_PERSON_MEMBERS)
_GROUPS = [(group, tuple(names), itemgetter(*names.values())) for group, names in GROUPS.items()]


def complaint_json(parts: ComplaintParts) -> dict[str, Any]:
    """A complaint as the API shows it."""
    members, overdue_seconds = parts.members, parts.overdue_seconds
    shown = dict(zip(_COMPLAINT_MEMBERS, _complaint_values(members), strict=True))
    shown["external_ids"] = add_own_id(members["external_ids"], members["source"], members["external_id"])
    shown["number"] = number_of(members["sequence"])
    shown["complainant"] = parts.persons.get("complainant")
    shown["reporter"] = parts.persons.get("reporter")
    for group, names, read in _GROUPS:
        values = read(members)
        shown[group] = dict(zip(names, values, strict=True)) if any(values) else None
    shown["policy"] = _policy(members)
    shown["overdue"] = overdue_seconds is not None
    shown["overdue_seconds"] = overdue_seconds
    shown["deadlines"] = [_deadline_json(deadline) for deadline in parts.deadlines]
    shown["allowed_actions"] = parts.allowed
    shown["links"] = _links(parts)
    shown["result"] = _result(members)
    shown["satisfaction"] = _satisfaction(members)
    return shown


def posted_json(view: ComplaintView, result: IntakeResult, policy: Policy) -> dict[str, Any]:
    """A complaint as the answer to its post shows it."""
    complainant = view.persons.get("complainant")
    language = complainant.language if complainant else None
    return complaint_json(view.parts) | {
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


def person_json(person: Person) -> dict[str, Any]:
    """A person as the API shows them."""
    return dict(zip(_PERSON_MEMBERS, _person_values(person), strict=True))


def _deadline_json(deadline: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(zip(_DEADLINE_MEMBERS, _deadline_values(deadline), strict=True))
    shown["policy"] = _policy(deadline)
    return shown


def _policy(members: Mapping[str, Any]) -> dict[str, Any]:
    return {"code": members["policy_code"], "version": members["policy_version"]}


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


def _links(parts: ComplaintParts) -> list[dict[str, Any]]:
    return [_link(link, number_of(link.sequence)) for link in parts.links]


def _link(link: LinkView, number: str) -> dict[str, Any]:
    subject = {"kind": COMPLAINT_KIND, "id": link.complaint_id, "number": number}
    return {"type": link.type, "subject": subject, "complaint_id": link.complaint_id, "number": number}


def _result(members: Mapping[str, Any]) -> dict[str, Any] | None:
    if members["resolved_at"] is None:
        return None
    amount, currency = members["compensation_amount"], members["compensation_currency"]
    return {
        "resolution": members["resolution"],
        "outcome": members["outcome"],
        "outcome_assumed": bool(members["outcome_assumed"]),
        "cause": members["cause"],
        "root_cause": members["root_cause"],
        "compensation": None if amount is None else {"amount": amount, "currency": currency},
        "resolved_at": members["resolved_at"],
        "told_at": members["result_told_at"],
    }


def _satisfaction(members: Mapping[str, Any]) -> dict[str, Any] | None:
    outcome, csat, nps = members["contact_outcome"], members["csat"], members["nps"]
    if csat is None and nps is None and outcome is None:
        return None
    return {"outcome": outcome, "csat": csat, "nps": nps}
