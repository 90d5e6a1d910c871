"""Ways to make and change tickets, and parts of their bodies, for the tests of changes."""

from typing import Any

from httpx2 import Response

from tests.api_client import ApiClient
from tests.tmf621.tickets import TICKETS, new_ticket

TYPED = {"@type": "TroubleTicket"}
"""What every merge patch of version 5 has."""
MERGE = {"Content-Type": "application/merge-patch+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
QUERY_PATCH = {"Content-Type": "application/json-patch-query+json"}


def make(client: ApiClient, **members: Any) -> dict[str, Any]:
    """A new ticket."""
    made = client.post(TICKETS, json=new_ticket(**members))
    assert made.status_code == 201, made.text
    ticket: dict[str, Any] = made.json()
    return ticket


def change(client: ApiClient, ticket: dict[str, Any], **members: Any) -> Response:
    """The answer to a merge patch."""
    return client.patch(f"{TICKETS}/{ticket['id']}", json=TYPED | members, headers=MERGE)


def changed(client: ApiClient, ticket: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The ticket after a merge patch that must succeed."""
    answer = change(client, ticket, **members)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    assert client.get(f"{TICKETS}/{ticket['id']}").json() == shown
    return shown


def complaint_of(client: ApiClient, ticket: dict[str, Any]) -> dict[str, Any]:
    """The complaint behind a ticket."""
    found: dict[str, Any] = client.get(f"/v1/complaints/{ticket['id']}").json()
    return found


def party(role: str, party_id: str, name: str) -> dict[str, Any]:
    """A related party."""
    return {
        "@type": "RelatedPartyRefOrPartyRoleRef",
        "role": role,
        "partyOrPartyRole": {"@type": "PartyRef", "id": party_id, "name": name},
    }


def characteristic(name: str, value: Any) -> dict[str, Any]:
    """A characteristic."""
    return {"@type": "StringCharacteristic", "name": name, "value": value}


def values_of(ticket: dict[str, Any]) -> dict[str, Any]:
    """The values of the characteristics of a ticket, by name."""
    return {one["name"]: one.get("value") for one in ticket["troubleTicketCharacteristic"]}


def identifier(name: str, owner: str | None = None) -> dict[str, Any]:
    """An external identifier."""
    return {"@type": "ExternalIdentifier", "id": name} | ({} if owner is None else {"owner": owner})


def note(text: str, **members: Any) -> dict[str, Any]:
    """A note."""
    return {"@type": "Note", "text": text, **members}


def texts_of(ticket: dict[str, Any]) -> list[str]:
    """The texts of the notes of a ticket."""
    return [one["text"] for one in ticket.get("note", ())]


def relation(kind: str, ticket_id: str) -> dict[str, Any]:
    """A relation to another ticket."""
    return {"@type": "TroubleTicketRelationship", "id": ticket_id, "relationshipType": kind}


def timeline_of(client: ApiClient, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of the complaint of a ticket, oldest first."""
    events: list[dict[str, Any]] = client.get(f"/v1/complaints/{ticket['id']}/timeline").json()["items"]
    return events
