"""The complaints of `samples` as trouble tickets of TMF621, version 5."""

from typing import Any

_SEVERITIES = {"low": "Minor", "normal": "Minor", "high": "Major", "critical": "Critical"}


def ticket_of(body: dict[str, Any]) -> dict[str, Any]:
    """The body of POST troubleTicket with the content of a body of POST /v1/complaints."""
    person = body["complainant"]
    contact = {"@type": "PhoneContactMedium", "phoneNumber": person["phone"]}
    party = {"@type": "PartyRef", "id": person["phone"], "name": person["name"]}
    characteristics = {"serviceType": body["service"]["type"], "serviceId": body["service"]["id"]}
    return {
        "@type": "TroubleTicket",
        "name": body["subject"],
        "description": body["description"],
        "severity": _SEVERITIES[body["severity"]],
        "ticketType": body["category"],
        "channel": {"@type": "ChannelRef", "id": body["channel"]},
        "externalIdentifier": [{"@type": "ExternalIdentifier", "id": body["external_id"]}],
        "relatedParty": [
            {
                "@type": "RelatedPartyRefOrPartyRoleRef",
                "role": "customer",
                "partyOrPartyRole": party,
                "contactMedium": [contact],
            }
        ],
        "troubleTicketCharacteristic": [
            {"@type": "StringCharacteristic", "name": name, "valueType": "string", "value": value}
            for name, value in characteristics.items()
        ],
    }
