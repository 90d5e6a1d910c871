"""The path and the bodies of specifications, for the tests of the face."""

from typing import Any

SPECIFICATIONS = "/tmf-api/troubleTicket/v5/troubleTicketSpecification"
CHARACTERISTICS: list[dict[str, Any]] = [
    {
        "@type": "CharacteristicSpecification",
        "id": "1",
        "name": "disputedAmount",
        "valueType": "number",
        "minCardinality": 1,
        "charSpecRelationship": [
            {
                "@type": "CharacteristicSpecificationRelationship",
                "name": "currency",
                "relationshipType": "dependency",
                "parentSpecificationId": "7",
                "parentSpecificationHref": "https://crm.example.com/specification/7",
            }
        ],
    },
    {
        "@type": "CharacteristicSpecification",
        "id": "5",
        "name": "currency",
        "valueType": "string",
        "configurable": True,
        "@valueSchemaLocation": "/currencies.json",
    },
]


def new_specification(**members: Any) -> dict[str, Any]:
    """The body of a new specification."""
    return {
        "@type": "TroubleTicketSpecification",
        "name": "Bill Dispute",
        "description": "What is asked about a bill",
        "relatedParty": [
            {
                "@type": "RelatedPartyRefOrPartyRoleRef",
                "role": "approver",
                "partyOrPartyRole": {"@type": "PartyRef", "id": "6678", "@referredType": "Individual"},
            }
        ],
        "specCharacteristic": CHARACTERISTICS,
        **members,
    }
