"""The members of a complaint that change with those of its ticket. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import Severity
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.categories import CategoryWords
from complaints.tmf621.tickets.characteristics import read_characteristics
from complaints.tmf621.tickets.identifiers import read_identifiers
from complaints.tmf621.tickets.intake import is_subject, subject_of
from complaints.tmf621.tickets.kept_members import ATTRIBUTE, kept_of, to_members
from complaints.tmf621.tickets.parties import PERSON_ROLES, account_of, read_parties
from complaints.tmf621.tickets.schemas import (
    GivenCharacteristic,
    GivenExternalIdentifier,
    GivenRelatedParty,
    TicketChange,
)
from complaints.tmf621.tickets.ticket_patches import CHARACTERISTICS, is_same
from complaints.tmf621.tickets.words import read_priority, read_severity

_SPECIFICATION = "troubleTicketSpecification"
_SUBJECT = frozenset({"description", "ticketType"})
"""The members that a subject is made of if the name cannot be one."""
PARTIES, IDENTIFIERS = "relatedParty", "externalIdentifier"
_KEPT_AS_SENT = (
    "ticketType",
    "severity",
    "priority",
    "requestedResolutionDate",
    "channel",
    "relatedEntity",
    _SPECIFICATION,
    "@baseType",
    "@schemaLocation",
)


@dataclass(frozen=True, slots=True)
class PresentTicket:
    """A ticket before its change.

    `shown` is the ticket as the caller sees it, and `before` the same with its types. `complaint` has no masks.
    `persons` are the members of persons by our names. `source` is the system of the caller, and `admits` is True for a
    system that the caller may name. Unless `keeps_words`, the caller may not change what a ticket alone has.
    """

    shown: Members
    before: TicketChange
    complaint: Complaint
    persons: Mapping[str, Mapping[str, Any]]
    categories: CategoryWords
    source: str
    admits: Callable[[str], bool]
    keeps_words: bool = True


def complaint_members(
    names: Sequence[str], after: TicketChange, present: PresentTicket, other_kept: Members
) -> dict[str, Any]:
    """The members of `PatchComplaint` that the changed members `names` of a ticket give.

    `after` is the ticket after the change. `other_kept` are members to keep that are read elsewhere.
    """
    present_kept = kept_of(present.complaint.attributes)
    kept = {**_kept_members(names, after, present), **other_kept}
    members = _plain_members(names, after, present)
    if PARTIES in names:
        persons, kept[PARTIES] = _read_persons(after.related_party or (), present)
        members |= persons
    if IDENTIFIERS in names:
        members["external_ids"], kept[IDENTIFIERS] = _read_ids(after.external_identifier or (), present)
    attributes: dict[str, Any] = {}
    if CHARACTERISTICS in names:
        attributes, kept[CHARACTERISTICS] = _read_attributes(after.characteristic or (), present)
    # An empty text comes back as it was sent. An empty list or object is not shown, so it is not kept.
    kept = {name: None if value in ([], (), {}) else value for name, value in kept.items()}
    if kept_change := replacement({name: present_kept.get(name) for name in kept}, kept):
        attributes[ATTRIBUTE] = kept_change
    return {**members, "attributes": attributes} if attributes else members


def _kept_members(names: Sequence[str], after: TicketChange, present: PresentTicket) -> Members:
    """The members to keep as they were sent. A caller who may not keep words still gives a known severity."""
    sent = to_members(after)
    kept = {name: sent.get(name) for name in _KEPT_AS_SENT if name in names}
    if "name" in names:
        kept["name"] = None if after.name is None or is_subject(after.name) else after.name
    if not present.keeps_words and "severity" in kept and read_severity(after.severity or ""):
        del kept["severity"]
    return kept


def _plain_members(names: Sequence[str], after: TicketChange, present: PresentTicket) -> dict[str, Any]:
    members: dict[str, Any] = {}
    is_made = after.name is not None and not is_subject(after.name)
    if "name" in names or (is_made and not _SUBJECT.isdisjoint(names)):
        members["subject"] = subject_of(after.name, after.description, after.ticket_type)
    if "description" in names:
        members["description"] = after.description
    if "severity" in names:
        members["severity"] = read_severity(after.severity or "") or Severity.NORMAL
    if "priority" in names:
        members["priority"] = read_priority(after.priority or "")
    return members | _category(names, after, present.categories)


def _category(names: Sequence[str], after: TicketChange, words: CategoryWords) -> dict[str, str | None]:
    """The category that the specification or else the type names. Words that name none change none."""
    if _SPECIFICATION in names and after.specification is None:
        return {"category": None}
    by_specification = (
        words.find_code(after.specification.id) if _SPECIFICATION in names and after.specification else None
    )
    found = by_specification or (words.find_code(after.ticket_type) if "ticketType" in names else None)
    return {"category": found} if found else {}


def _read_persons(
    given: Sequence[GivenRelatedParty], present: PresentTicket
) -> tuple[dict[str, dict[str, Any] | None], list[Members]]:
    """The changed members of complainant and reporter, and the parties to keep.

    A person keeps the members that TMF621 does not know. A person of whom nothing is left goes.
    """
    after, before = read_parties(given), read_parties(present.before.related_party or ())
    changed: dict[str, dict[str, Any] | None] = {}
    for role in PERSON_ROLES.values():
        old, new = (_identity(one.persons.get(role), present.complaint.id) for one in (before, after))
        values = {name: value for name, value in new.items() if value != old[name]}
        if values:
            left = {**present.persons.get(role, {}), **values}
            changed[role] = values if any(left.values()) else None
    return changed, list(after.kept)


def _identity(person: Mapping[str, str] | None, ticket_id: UUID) -> dict[str, str | None]:
    if person is None:
        return {"account_no": None, "name": None}
    return {"account_no": account_of(person["account_no"], ticket_id), "name": person.get("name")}


def _read_ids(
    given: Sequence[GivenExternalIdentifier], present: PresentTicket
) -> tuple[dict[str, str | None], list[Members]]:
    """The changed external ids by system, None for one that goes, and the identifiers to keep."""
    owned = [
        one if one.owner is not None else one.model_copy(update={"owner": present.source}) for one in given
    ]
    read = read_identifiers(owned, present.source, present.admits)
    present_ids = present.complaint.ids_by_system
    gone = dict.fromkeys(present_ids.keys() - read.ids.keys())
    new = {system: name for system, name in read.ids.items() if present_ids.get(system) != name}
    return {**gone, **new}, list(read.kept)


def _read_attributes(
    given: Sequence[GivenCharacteristic], present: PresentTicket
) -> tuple[dict[str, Any], list[Members]]:
    """The changed attributes, None for one that goes, and the characteristics to keep."""
    after, before = read_characteristics(given), read_characteristics(present.before.characteristic or ())
    names = dict.fromkeys((*before.attributes, *after.attributes))
    changed = {
        name: replacement(present.complaint.attributes.get(name), after.attributes.get(name))
        for name in names
        if not is_same(before.attributes.get(name), after.attributes.get(name))
    }
    return changed, list(after.kept)


def replacement(before: Any, after: Any) -> Any:
    """The merge patch (RFC 7396) that makes `after` of `before`. None stands for nothing."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return after
    gone = {name: None for name, value in before.items() if value is not None and after.get(name) is None}
    changed = {
        name: replacement(before.get(name), value)
        for name, value in after.items()
        if value is not None and not is_same(value, before.get(name))
    }
    return {**gone, **changed}
