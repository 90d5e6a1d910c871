"""Related parties: the customer is the complainant, and the reporter speaks for the complainant. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from complaints.domain.complaint.identity import find_account_fault
from complaints.domain.complaint.masks import mask_code, mask_name
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.kept_members import is_code, to_members
from complaints.tmf621.tickets.schemas import GivenParty, GivenRelatedParty

PERSON_ROLES = {"customer": "complainant", "reporter": "reporter"}
"""The persons of a complaint by the roles of TMF621."""
_PARTY = "partyOrPartyRole"
_MASKS = {"id": mask_code, "name": mask_name, "partyId": mask_code, "partyName": mask_name}


@dataclass(frozen=True, slots=True)
class Parties:
    """The persons of a complaint by their names there, and the parties to keep, in the order in which they came.

    A kept party without `id` is named by the person of its role.
    """

    persons: Mapping[str, Mapping[str, str]]
    kept: Sequence[Members]


def read_parties(given: Sequence[GivenRelatedParty]) -> Parties:
    """The persons that parties give. A second customer, and a party that no person can be, are only kept."""
    persons: dict[str, Mapping[str, str]] = {}
    kept = []
    for one in given:
        members = to_members(one)
        role = PERSON_ROLES.get(one.role.casefold())
        if role and role not in persons and (person := _person(one.party_or_party_role)):
            persons[role] = person
            for name in ("id", "name"):
                members[_PARTY].pop(name, None)
        kept.append(members)
    return Parties(persons, kept)


def _person(party: GivenParty | None) -> Mapping[str, str] | None:
    if party is None or not is_code(party.id) or find_account_fault(party.id):
        return None
    if party.name is not None and not is_code(party.name):
        return None
    name = party.name or (party.party_name if is_code(party.party_name) else None)
    return {"account_no": party.id, **({"name": name} if name else {})}


def show_parties(
    kept: Sequence[Mapping[str, Any]],
    persons: Mapping[str, Mapping[str, Any]],
    ticket_id: UUID,
    *,
    in_clear: bool,
) -> list[Members]:
    """The parties of a ticket: kept ones in their order, then the other persons of the complaint.

    Unless `in_clear`, parties that are no person of the complaint have masks too, and no address.
    """
    left = {role: persons[name] for role, name in PERSON_ROLES.items() if name in persons}
    shown = []
    for one in kept:
        party, role = one.get(_PARTY), str(one.get("role", "")).casefold()
        if not isinstance(party, dict) or "id" in party:
            shown.append(dict(one) if in_clear else _masked(one))
        elif (person := left.pop(role, None)) is not None:
            named = {**_without_address(party, in_clear=in_clear), **_named(person, role, ticket_id)}
            shown.append({**one, _PARTY: named})
    others = [
        {
            "@type": "RelatedPartyRefOrPartyRoleRef",
            "role": role,
            _PARTY: {"@type": "PartyRef", **_named(person, role, ticket_id)},
        }
        for role, person in left.items()
    ]
    return [*shown, *others]


def _named(person: Mapping[str, Any], role: str, ticket_id: UUID) -> Members:
    """A party must have an id. A person without an account has one that is unique to the ticket."""
    named = {"id": person["account_no"] or f"{ticket_id}:{role}"}
    return {**named, "name": person["name"]} if person["name"] else named


def account_of(party_id: str, ticket_id: UUID) -> str | None:
    """The account that the id of a shown party names; None for a person without an account."""
    own = {f"{ticket_id}:{role}" for role in PERSON_ROLES}
    return None if party_id in own else party_id


def _masked(one: Mapping[str, Any]) -> Members:
    party = one.get(_PARTY)
    if not isinstance(party, dict):
        return dict(one)
    return {**one, _PARTY: _without_address(party, in_clear=False)}


def _without_address(party: Mapping[str, Any], *, in_clear: bool) -> Members:
    if in_clear:
        return dict(party)
    return {
        name: _MASKS[name](value) if name in _MASKS and isinstance(value, str) else value
        for name, value in party.items()
        if name != "href"
    }
