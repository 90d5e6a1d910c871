"""Whatever the official schema allows is accepted, and comes back as it was sent."""

from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.domain.visibility import has_visible_character
from tests.api_client import ApiClient
from tests.examples import examples
from tests.tmf621.official import check_ticket, validator_of
from tests.tmf621.test_creating import contains
from tests.tmf621.tickets import TICKETS

OURS = {
    "id", "href", "status", "statusChangeDate", "statusChangeReason", "expectedResolutionDate", "resolutionDate",
}  # fmt: skip
"""Members that the product decides."""
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
CATEGORIES = {"network", "billing"}
codes = st.one_of(texts, st.sampled_from(["A1", "A2", "crm", " ", "network", "NETWORK", "billing"]))
instants = st.datetimes().map(lambda one: one.isoformat() + "Z")
numbers = st.one_of(st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False))
leaves = st.one_of(texts, st.booleans(), numbers)
json_values = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip


def objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with a type, and perhaps the other members of every extensible object."""
    typed = {"@type": codes, **required}
    return st.fixed_dictionaries(typed, optional={"@baseType": texts, "@schemaLocation": texts, **optional})


REFERENCE = {"href": texts, "name": texts, "@referredType": texts}
parties = objects({"id": codes}, {**REFERENCE, "partyId": texts, "partyName": texts})
quantities = st.fixed_dictionaries({}, optional={"amount": numbers, "units": texts})
periods = st.fixed_dictionaries({}, optional={"startDateTime": instants, "endDateTime": instants})
attachments = st.one_of(
    objects(
        {"attachmentType": texts, "mimeType": texts},
        {"id": texts, "href": texts, "name": texts, "url": texts, "size": quantities, "validFor": periods},
    ),
    objects({"id": texts}, {**REFERENCE, "description": texts, "url": texts}),
)
names = st.one_of(codes, st.sampled_from(["tmf621", "a", "b", "x" * 201]))
relations = objects({"id": texts, "relationshipType": texts}, {})
characteristics = objects(
    {"name": names},
    {
        "id": texts,
        "valueType": texts,
        "value": json_values,
        "characteristicRelationship": st.lists(relations, max_size=2),
    },
)
roles = st.one_of(texts, st.sampled_from(["customer", "Customer", "reporter", "member"]))
bodies = objects(
    {"description": texts, "severity": codes, "ticketType": codes},
    {
        "name": texts,
        "priority": codes,
        "requestedResolutionDate": instants,
        "expectedResolutionDate": instants,
        "status": st.sampled_from(["acknowledged", "inProgress", "pending", "held"]),
        "statusChangeReason": texts,
        "channel": objects({"id": codes}, REFERENCE),
        "externalIdentifier": st.lists(
            objects({"id": codes}, {"owner": codes, "externalIdentifierType": texts}), max_size=4
        ),
        "note": st.lists(objects({}, {"text": texts, "author": texts, "date": instants}), max_size=2),
        "relatedEntity": st.lists(
            objects({"role": texts, "entity": objects({"id": texts}, REFERENCE)}, {}), max_size=2
        ),
        "relatedParty": st.lists(objects({"role": roles}, {"partyOrPartyRole": parties}), max_size=4),
        "troubleTicketRelationship": st.lists(
            objects({"id": texts, "relationshipType": texts}, REFERENCE), max_size=2
        ),
        "troubleTicketSpecification": objects({"id": codes}, {**REFERENCE, "version": texts}),
        "troubleTicketCharacteristic": st.lists(
            characteristics, max_size=4, unique_by=lambda one: one["name"]
        ),
        "attachment": st.lists(attachments, max_size=2),
    },
)


def expected(body: dict[str, Any]) -> dict[str, Any]:
    """The part of a body that must come back."""
    sent = {name: value for name, value in body.items() if name not in OURS and value not in ([], {})}
    texts_of_notes = [one.get("text", "") for one in sent.get("note", ())]
    sent["note"] = [{"text": text} for text in texts_of_notes if has_visible_character(text)]
    sent["troubleTicketCharacteristic"] = [
        {name: value for name, value in one.items() if name != "@type"}
        for one in sent.get("troubleTicketCharacteristic", ())
    ]
    sent["@type"] = "TroubleTicket"
    specification = sent.get("troubleTicketSpecification", {}).get("id", "").strip().casefold()
    if specification in CATEGORIES:  # shown in the product's own words
        sent["troubleTicketSpecification"] = {"id": specification}
        if sent["ticketType"].strip().casefold() in CATEGORIES - {specification}:  # the specification counts
            sent["ticketType"] = specification
    return {name: value for name, value in sent.items() if value != []}


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(body=bodies)
def test_a_body_that_the_schema_allows_comes_back(client: ApiClient, body: dict[str, Any]) -> None:
    # A known identifier is a contact on another ticket; the third complaint of a person gets a higher priority.
    parties = [one["partyOrPartyRole"] for one in body.get("relatedParty", ()) if "partyOrPartyRole" in one]
    for one in [*body.get("externalIdentifier", ()), *parties]:
        one["id"] = f"{uuid4()}{one['id']}" if one["id"] else ""
    assert validator_of("TroubleTicket_FVO").is_valid(body)
    answer = client.post(TICKETS, json=body)
    assert answer.status_code == 201, answer.text
    ticket = answer.json()
    check_ticket(ticket)
    assert client.get(ticket["href"]).json() == ticket
    wanted = expected(body)
    lost = {
        name: (value, ticket.get(name))
        for name, value in wanted.items()
        if not contains(ticket.get(name), value)
    }
    assert lost == {}


PLAIN = (
    "name", "description", "severity", "priority", "ticketType", "requestedResolutionDate", "channel", "relatedEntity",
    "troubleTicketSpecification", "@baseType", "@schemaLocation",
)  # fmt: skip
FOLLOWING = {"priority", "ticketType", "troubleTicketSpecification"}
"""Members that may follow from others that change."""


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(first=bodies, second=bodies, names=st.sets(st.sampled_from(PLAIN)))
def test_plain_members_of_a_patch_come_back_and_the_others_stay(
    client: ApiClient, first: dict[str, Any], second: dict[str, Any], names: set[str]
) -> None:
    created = client.post(TICKETS, json={name: first[name] for name in {*PLAIN, "@type"} & first.keys()})
    assert created.status_code == 201, created.text
    before = created.json()
    body = {name: second[name] for name in names & second.keys()}
    answer = client.patch(before["href"], json={"@type": "TroubleTicket", **body})
    assert answer.status_code == 200, answer.text
    after = answer.json()
    check_ticket(after)
    wanted = expected({"ticketType": before["ticketType"], **body})
    shown = {name: wanted[name] for name in body if name in wanted}
    assert {
        name: after.get(name) for name, value in shown.items() if not contains(after.get(name), value)
    } == {}
    kept = {*PLAIN, "@type"} - body.keys() - FOLLOWING
    assert {name: after.get(name) for name in kept} == {name: before.get(name) for name in kept}
