"""A deleted ticket is gone from this interface; its complaint is withdrawn, and nothing of it is lost."""

from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario
from tests.tmf621.changes import changed, complaint_of, identifier, make, note, timeline_of
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket


@pytest.mark.parametrize("base", [TICKETS, TICKETS_V4])
def test_a_deleted_ticket_is_withdrawn_and_gone(client: ApiClient, base: str) -> None:
    ticket, other = make(client), make(client, description="Another")
    path = f"{base}/{ticket['id']}"
    answer = client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404
    assert client.patch(path, json={"@type": "TroubleTicket", "description": "Changed"}).status_code == 404
    assert client.get(f"{base}/{other['id']}").status_code == 200
    complaint = complaint_of(client, ticket)
    assert complaint["status"] == "withdrawn"
    events = timeline_of(client, ticket)
    [withdrawn] = [one for one in events if one["type"] == "complaint.withdrawn"]
    assert withdrawn["data"]["reason"] == "deleted by key:bootstrap"


def test_a_reopened_complaint_is_a_ticket_again(client: ApiClient) -> None:
    ticket = make(client)
    client.delete(f"{TICKETS}/{ticket['id']}")
    path = f"/v1/complaints/{ticket['id']}/transitions"
    client.post(path, json={"action": "reopen", "reason": "By mistake"}).raise_for_status()
    assert client.get(f"{TICKETS}/{ticket['id']}").json()["status"] == "inProgress"
    changed(client, ticket, status="cancelled")  # withdrawn again, but not deleted again
    assert client.get(f"{TICKETS}/{ticket['id']}").json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("status", "state"), [("cancelled", "withdrawn"), ("rejected", "rejected"), ("closed", "closed")]
)
def test_a_ticket_that_has_ended_cannot_be_deleted(client: ApiClient, status: str, state: str) -> None:
    ticket = make(client)
    if status == "closed":
        changed(client, ticket, status="resolved", statusChangeReason="Done")
    changed(client, ticket, status=status, statusChangeReason="Done")
    answer = client.delete(f"{TICKETS}/{ticket['id']}")
    assert answer.status_code == 409
    assert f"A ticket whose complaint is {state} cannot be deleted." in answer.json()["message"]
    assert client.get(f"{TICKETS}/{ticket['id']}").status_code == 200


def test_an_intake_key_deletes_tickets_of_its_own_source_alone(client: ApiClient, scenario: Scenario) -> None:
    own, other = (scenario.key(AccessRole.INTAKE, source=source) for source in ("crm", "other"))
    ticket = client.post(TICKETS, json=new_ticket(), headers=own).json()
    path = f"{TICKETS}/{ticket['id']}"
    assert client.delete(path, headers=other).status_code == 404
    assert client.delete(path, headers=scenario.key(AccessRole.AUDITOR)).status_code == 403
    assert client.delete(path, headers=own).status_code == 204
    assert client.get(path, headers=own).status_code == 404


def test_a_ticket_is_deleted_by_its_number_too(client: ApiClient) -> None:
    ticket = make(client)
    number = complaint_of(client, ticket)["number"]
    assert client.delete(f"{TICKETS}/{number}").status_code == 204
    assert client.get(f"{TICKETS}/{ticket['id']}").status_code == 404


def test_an_unknown_ticket_cannot_be_deleted(client: ApiClient) -> None:
    assert client.delete(f"{TICKETS}/nope").status_code == 404


@pytest.mark.parametrize("parts", [{}, {"note": [note("Called again")]}])
def test_a_deleted_ticket_does_not_come_back_by_a_retry(client: ApiClient, parts: dict[str, Any]) -> None:
    body = new_ticket(externalIdentifier=[identifier("CRM-7")])
    ticket = client.post(TICKETS, json=body).json()
    client.delete(f"{TICKETS}/{ticket['id']}")
    before = timeline_of(client, ticket)
    refused = client.post(TICKETS, json=body | parts)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "was deleted" in refused.json()["message"]
    assert timeline_of(client, ticket) == before
    other = client.post(TICKETS, json=body | {"description": "It is broken again"})  # a contact reopens
    assert (other.status_code, other.json()["status"]) == (201, "inProgress")
    assert client.get(other.headers["location"]).json()["id"] == other.json()["id"]
