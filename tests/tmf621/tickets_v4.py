"""Made-up tickets of version 4 for the tests of the face, and a way to compare them with answers."""

from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
INSTANT = st.sampled_from(["2026-01-05T09:00:00Z", "2026-02-05t09:00:00.25+08:00"])
TYPES = {"@type": TEXT, "@baseType": TEXT, "@schemaLocation": st.just("https://crm.example/own.json")}
ADDRESS = {"href": TEXT, "name": TEXT}


def _object(needed: dict[str, Any], **others: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(needed, optional={**TYPES, **others})


def _list(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=3)


_SIZE = st.fixed_dictionaries({}, optional={"amount": st.integers(0, 9) | st.just(2.5), "units": TEXT})
_PERIOD = st.fixed_dictionaries({}, optional={"startDateTime": INSTANT, "endDateTime": INSTANT})
_VALUES = {"attachmentType": TEXT, "mimeType": TEXT, "content": TEXT, "size": _SIZE, "validFor": _PERIOD}
_REFERRED = {"@referredType": TEXT}
TICKETS = _object(
    {"description": TEXT, "severity": TEXT, "ticketType": TEXT},
    name=TEXT,
    priority=TEXT,
    externalId=TEXT,
    status=st.sampled_from(["acknowledged", "rejected", "pending", "held", "inProgress", "resolved"]),
    statusChangeReason=TEXT,
    requestedResolutionDate=INSTANT,
    channel=_object({"id": TEXT}, **ADDRESS, **_REFERRED),
    note=_list(_object({}, id=TEXT, author=TEXT, date=INSTANT, text=TEXT)),
    attachment=_list(_object({}, id=TEXT, **ADDRESS, description=TEXT, url=TEXT, **_VALUES, **_REFERRED)),
    relatedEntity=_list(_object({"id": TEXT, "@referredType": TEXT, "role": TEXT}, **ADDRESS)),
    relatedParty=_list(_object({"id": TEXT, "@referredType": TEXT}, **ADDRESS, role=TEXT)),
    troubleTicketRelationship=_list(_object({"id": TEXT}, **ADDRESS, relationshipType=TEXT)),
    outcome=TEXT,
    root_cause=TEXT,
)
"""Tickets as version 4 allows them, without empty texts and without facts that the product writes itself."""


def has(shown: Any, sent: Any) -> bool:
    """True if a shown value has everything that was sent. It may have more members, never other items."""
    if isinstance(sent, dict):
        return isinstance(shown, dict) and all(
            name in shown and has(shown[name], sent[name]) for name in sent
        )
    if isinstance(sent, list):
        return len(shown) == len(sent) and all(has(*pair) for pair in zip(shown, sent, strict=True))
    return bool(shown == sent)
