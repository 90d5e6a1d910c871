"""Relations to other tickets: the links of the complaint, and relations to tickets that nobody knows here. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import LinkType
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.kept_members import to_members
from complaints.tmf621.tickets.schemas import GivenRelationship
from complaints.use_cases.complaints.views import LinkView

_WORDS = {
    LinkType.DUPLICATE_OF: "isDuplicateOf",
    LinkType.RECURRENCE_OF: "isRecurrenceOf",
    LinkType.RELATED: "isRelatedTo",
}
_TYPES = {word.casefold(): link_type for link_type, word in _WORDS.items()}
_LINKED = "linked"
_OF_LINK = ("id", "href", "name")


@dataclass(frozen=True, slots=True)
class Relationships:
    """The links to make, and the relations to keep, in the order in which they came.

    A kept relation with `linked`, the id of a complaint, stands as long as the link to that complaint.
    """

    links: Sequence[tuple[LinkType, UUID]]
    kept: Sequence[Members]


def read_relationships(
    given: Sequence[GivenRelationship], find: Callable[[str], UUID | None]
) -> Relationships:
    """The links that relations ask for. `find` gives the complaint that an id names; None: nobody knows it here."""
    links, kept = [], []
    for one in given:
        members = to_members(one)
        if (other_id := find(one.id)) is not None:
            links.append((_TYPES.get(one.relationship_type.casefold(), LinkType.RELATED), other_id))
            members = {name: value for name, value in members.items() if name not in _OF_LINK}
            members[_LINKED] = str(other_id)
        kept.append(members)
    return Relationships(links, kept)


def show_relationships(
    kept: Sequence[Mapping[str, Any]], links: Sequence[LinkView], tickets: str
) -> list[Members]:
    """The relations of a ticket: sent ones in their order, then the other links. `tickets` begins each `href`.

    A relation that was sent before its link was made is that link too.
    """
    present = {name: link for link in links for name in (str(link.complaint_id), number_of(link.sequence))}
    left = list(links)
    shown = []
    for one in kept:
        link = present.get(str(one.get(_LINKED, one.get("id"))))
        if link is not None:
            words = {name: value for name, value in one.items() if name != _LINKED}
            shown.append({**words, **_name(link, tickets)})
            left = [other for other in left if other is not link]
        elif _LINKED not in one:
            shown.append(dict(one))
    others = [
        {
            "@type": "TroubleTicketRelationship",
            "@referredType": "TroubleTicket",
            **_name(link, tickets),
            "relationshipType": _WORDS[link.type],
        }
        for link in left
    ]
    return [*shown, *others]


def _name(link: LinkView, tickets: str) -> Members:
    return {
        "id": str(link.complaint_id),
        "href": f"{tickets}/{link.complaint_id}",
        "name": number_of(link.sequence),
    }
