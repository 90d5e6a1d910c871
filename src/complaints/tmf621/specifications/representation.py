"""A category as a specification of TMF621, and the members that are kept for it. Pure."""

from complaints.domain.json_text import to_json
from complaints.domain.policy.categories import make_name
from complaints.tmf621.editions import Members
from complaints.tmf621.specifications.schemas import SpecificationMembers
from complaints.use_cases.configuration.ticket_specifications import TicketSpecification

NAME = "troubleTicketSpecification"
TYPE = "TroubleTicketSpecification"
GIVEN_BY_PRODUCT = ("id", "href", "@type", "creationDate", "lastUpdate")
"""Members that no caller changes."""
_RETIRED_WORDS = ("retired", "obsolete")


def retires(word: str) -> bool:
    """True if a lifecycle status says that no new ticket may have the specification."""
    return word.strip().casefold() in _RETIRED_WORDS


def specification_json(specification: TicketSpecification, base: str, language: str) -> Members:
    """The specification. `base` is the beginning of its `href`. `language` of the name: `en` or `zh`."""
    code = specification.category.code
    given = {
        "id": code,
        "href": f"{base}/{NAME}/{code}",
        "@type": TYPE,
        **specification.members,
        "name": _name(specification, language),
        "lifecycleStatus": _lifecycle_status(specification),
        "creationDate": to_json(specification.created_at),
        "lastUpdate": to_json(specification.updated_at),
    }
    return {name: value for name, value in given.items() if value is not None}


def to_kept(given: SpecificationMembers) -> Members:
    """The members that are kept of a given specification, as they were sent.

    A change may leave out the id of a party, but a party without one must not be shown. Its id is then empty.
    """
    members = given.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for related in members.get("relatedParty", ()):
        if "partyOrPartyRole" in related:
            related["partyOrPartyRole"].setdefault("id", "")
    return {name: value for name, value in members.items() if name not in GIVEN_BY_PRODUCT}


def _name(specification: TicketSpecification, language: str) -> str:
    """The name as it was sent, if the category still has that name."""
    category, sent = specification.category, specification.members.get("name")
    present = category.names[language]
    return sent if isinstance(sent, str) and make_name(sent, category.code) == present else present


def _lifecycle_status(specification: TicketSpecification) -> str:
    """The word as it was sent, if it still says the same."""
    sent = specification.members.get("lifecycleStatus")
    if isinstance(sent, str) and retires(sent) is not specification.is_in_use:
        return sent
    return "active" if specification.is_in_use else "retired"
