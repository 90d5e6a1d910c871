"""Version 4 of TMF621 over real databases: its tickets, its media types, and its paths."""

from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker

from tests.api_client import ApiClient
from tests.contract.tmf621_files import V4, read_document
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket
from tests.tmf621.tickets_v4 import has

JSON = "application/json;charset=utf-8"
REFERENCE = {"id": "7", "href": "https://crm.example/7", "name": "Seven", "@referredType": "Thing"}
TYPES = {"@baseType": "Base", "@schemaLocation": "https://crm.example/own.json", "@type": "Own"}
FULL: dict[str, Any] = {
    "name": "No signal",
    "description": "No signal since noon",
    "severity": "Major",
    "ticketType": "Network Outage",
    "priority": "High",
    "externalId": "CRM-1",
    "requestedResolutionDate": "2026-01-09T09:00:00+08:00",
    "channel": {**REFERENCE, **TYPES, "id": "phone"},
    "relatedEntity": [{**REFERENCE, **TYPES, "role": "bill"}],
    "relatedParty": [
        {**REFERENCE, **TYPES, "id": "CUST-7", "name": "Wang Fang", "role": "customer"},
        {"id": "P-8", "@referredType": "Individual", "role": "technician"},
    ],
    "attachment": [
        {"url": "https://crm.example/photo", "description": "A photo"},
        {"attachmentType": "photo", "mimeType": "image/png", "url": "https://crm.example/p.png", **TYPES},
        {"id": "1", "name": "Scan", "size": {"amount": 2.5, "units": "kB"}},
        {**REFERENCE, "description": "A letter"},
    ],
    "troubleTicketRelationship": [{"id": "other", "relationshipType": "dependent"}],
    **TYPES,
}


def ticket_v4(**members: Any) -> dict[str, Any]:
    """The body of a new ticket of version 4. It has no type, unless `members` have one."""
    without_type = {name: value for name, value in new_ticket().items() if name != "@type"}
    return {**without_type, **members}


def make(client: ApiClient, **members: Any) -> dict[str, Any]:
    """A new ticket, made in version 4."""
    made = client.post(TICKETS_V4, json=ticket_v4(**members))
    assert made.status_code == 201, made.text
    ticket: dict[str, Any] = made.json()
    return ticket


def faults(name: str, value: Any) -> list[str]:
    """The faults of a value by a definition of the official file. Skips the test if the file is absent."""
    schema = {"$ref": f"#/definitions/{name}", "definitions": read_document(V4)["definitions"]}
    checked = Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(value)
    return [fault.message for fault in checked]


def test_a_client_gets_back_what_it_sent(client: ApiClient) -> None:
    made = make(client, **FULL)
    assert has(made, FULL), made
    assert client.get(made["href"]).json() == made
    assert client.get(TICKETS_V4).json() == [made]


def test_a_file_becomes_an_attachment_of_the_complaint(client: ApiClient) -> None:
    made = make(client, attachment=[{"name": "note.txt", "content": "aGk=", "description": "A note"}])
    [shown] = made["attachment"]
    assert (shown["name"], shown["description"], shown["size"]["amount"]) == ("note.txt", "A note", 2)
    assert client.get(f"{shown['url']}").content == b"hi"


def test_answers_are_those_of_the_official_file(client: ApiClient) -> None:
    made = make(client, **FULL, note=[{"text": "Call first"}])
    assert faults("TroubleTicket", made) == []
    assert faults("TroubleTicket", client.patch(made["href"], json={"status": "inProgress"}).json()) == []
    assert faults("TroubleTicket", {**made, "relatedParty": [{}]}) != []
    assert faults("Error", client.get(f"{TICKETS_V4}/nope").json()) == []


def test_a_ticket_of_one_version_is_read_in_the_other(client: ApiClient) -> None:
    made = make(client, **FULL)
    five = client.get(f"{TICKETS}/{made['id']}").json()
    assert five["externalIdentifier"][0]["id"] == "CRM-1"
    assert five["relatedParty"][0]["partyOrPartyRole"]["id"] == "CUST-7"
    assert five["relatedEntity"][0]["entity"]["id"] == "7"
    sent = new_ticket(
        relatedParty=[
            {
                "@type": "RelatedPartyRefOrPartyRoleRef",
                "role": "customer",
                "partyOrPartyRole": {"@type": "PartyRef", "id": "CUST-9", "name": "Li"},
            }
        ],
        externalIdentifier=[{"@type": "ExternalIdentifier", "owner": "crm", "id": "X-1"}],
        troubleTicketCharacteristic=[{"@type": "StringCharacteristic", "name": "line", "value": "A1"}],
    )
    made_in_five = client.post(TICKETS, json=sent).json()
    four = client.get(f"{TICKETS_V4}/{made_in_five['id']}").json()
    assert (four["externalId"], four["complaintState"]) == ("X-1", "received")
    assert four["complaintNumber"].startswith("C")
    assert has(four["relatedParty"], [{"id": "CUST-9", "name": "Li", "role": "customer"}])
    assert has(four["troubleTicketCharacteristic"], [{"name": "line", "value": "A1"}])
    assert four["href"] == made_in_five["href"].replace("/v5/", "/v4/")
    assert not {"externalIdentifier", "statusChangeHistory"} & set(four)


def test_a_retry_makes_no_second_ticket(client: ApiClient) -> None:
    first, again = (make(client, externalId="CRM-1") for _ in range(2))
    assert again["id"] == first["id"]


def test_media_types_of_requests_and_answers(client: ApiClient, subtests: pytest.Subtests) -> None:
    for media_type in ["application/json", JSON, 'application/json; charset="UTF-8"']:
        with subtests.test(media_type):
            body = b'{"description": "No signal", "severity": "Minor", "ticketType": "x"}'
            made = client.post(TICKETS_V4, content=body, headers={"Content-Type": media_type})
            assert made.status_code == 201, made.text
            assert made.headers["content-type"] == JSON
            changed = client.patch(made.json()["href"], content=b"{}", headers={"Content-Type": media_type})
            assert (changed.status_code, changed.headers["content-type"]) == (200, JSON)
            assert client.get(TICKETS_V4).headers["content-type"] == JSON


OTHER_TYPES = [
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/json-patch-query+json",
    "application/json;charset=latin-1",
]


def test_a_change_is_plain_json(client: ApiClient, subtests: pytest.Subtests) -> None:
    made = make(client)
    for media_type in OTHER_TYPES:
        with subtests.test(media_type):
            refused = client.patch(made["href"], content=b"{}", headers={"Content-Type": media_type})
            assert refused.status_code == 415
            assert "application/json" in refused.json()["message"]


def test_a_life_of_a_ticket(client: ApiClient) -> None:
    href = make(client, externalId="CRM-1")["href"]

    def change(**members: Any) -> dict[str, Any]:
        changed = client.patch(href, json=members)
        assert changed.status_code == 200, changed.text
        ticket: dict[str, Any] = changed.json()
        return ticket

    assert change(status="inProgress", statusChangeReason="We look")["complaintState"] == "investigating"
    held = change(status="pending", hold_until="2026-01-08T00:00:00Z")
    assert held["status"] == "pending"
    assert change(status="inProgress")["status"] == "inProgress"
    resolved = change(
        status="resolved", statusChangeReason="Repaired", outcome="upheld", root_cause="broken fibre"
    )
    assert (resolved["outcome"], resolved["root_cause"]) == ("upheld", "broken fibre")
    closed = change(status="closed")
    assert (closed["status"], closed["complaintState"]) == ("closed", "closed")
    assert [one["status"] for one in closed["statusChange"]] == [
        *("acknowledged", "inProgress", "pending", "inProgress", "resolved", "closed")
    ]
    assert all("changeDate" in one for one in closed["statusChange"])
    assert client.patch(href, json={"status": "held"}).status_code == 409


def test_null_clears_a_member_of_a_change(client: ApiClient) -> None:
    href = make(client, **FULL)["href"]
    cleared = client.patch(
        href, json={"requestedResolutionDate": None, "relatedEntity": None, "attachment": None}
    )
    assert cleared.status_code == 200, cleared.text
    assert not {"requestedResolutionDate", "relatedEntity", "attachment"} & set(cleared.json())


def test_a_ticket_that_is_sent_back_as_it_was_read_stays_as_it_was(client: ApiClient) -> None:
    made = make(
        client,
        **FULL,
        note=[{"text": "Call first"}],
        troubleTicketCharacteristic=[{"name": "line", "value": 3}],
    )
    five = client.get(f"{TICKETS}/{made['id']}").json()
    assert client.patch(made["href"], json=made).json() == made
    assert client.get(f"{TICKETS}/{made['id']}").json() == five


def test_a_change_of_the_external_id_leaves_the_ids_of_other_systems(client: ApiClient) -> None:
    made = make(client, externalId="CRM-1")
    added = client.patch(
        f"/v1/complaints/{made['id']}", json={"external_ids": {"billing": "B-1"}}, headers={"If-Match": "*"}
    )
    assert added.status_code == 200, added.text
    changed = client.patch(made["href"], json={"externalId": "CRM-2"})
    assert (changed.status_code, changed.json()["externalId"]) == (200, "CRM-2"), changed.text
    five = client.get(f"{TICKETS}/{made['id']}").json()
    assert {one["id"] for one in five["externalIdentifier"]} == {"CRM-2", "B-1"}


REFUSED = [
    ("POST", TICKETS_V4, {"description": "x", "severity": "y"}, 400, "/ticketType"),
    ("POST", TICKETS_V4, ticket_v4(relatedParty=[{"id": "7"}]), 400, "@referredType"),
    ("POST", TICKETS_V4, ticket_v4(status="closed"), 409, "closed"),
    ("POST", TICKETS_V4, ticket_v4(name=None), 400, "/name"),
    ("GET", "/tmf-api/troubleTicket/v4/troubleTicketSpecification", None, 404, "nothing"),
    ("POST", "/tmf-api/troubleTicket/v4/troubleTicketSpecification", {}, 404, "nothing"),
    ("POST", "/tmf-api/troubleTicket/v4/listener/troubleTicketCreateEvent", {}, 404, "no listener"),
    ("PUT", TICKETS_V4, {}, 405, "PUT"),
]


def test_a_refusal_names_its_reason(client: ApiClient, subtests: pytest.Subtests) -> None:
    for method, path, body, status, said in REFUSED:
        with subtests.test(f"{method} {said}"):
            refused = client.request(method, path, **({} if body is None else {"json": body}))
            assert refused.status_code == status, refused.text
            assert said in refused.json()["message"]


def test_a_deleted_ticket_is_gone(client: ApiClient) -> None:
    made = make(client)
    assert client.delete(made["href"]).status_code == 204
    assert client.get(made["href"]).status_code == 404
    assert client.get(TICKETS_V4).json() == []
    assert client.get(f"/v1/complaints/{made['id']}").json()["status"] == "withdrawn"


FILTERS = [
    ("externalId=CRM-1", True),
    ("externalId=CRM-2", False),
    ("relatedParty.id=CUST-7", True),
    ("relatedParty.id=CUST-8", False),
    ("relatedParty.role=customer", True),
    ("relatedEntity.id=7", True),
    ("relatedEntity.role=order", False),
    ("status=acknowledged,closed", True),
    ("severity=Major&ticketType=Network%20Outage", True),
    ("name.regex=^No", True),
]


def test_filters_have_the_names_of_version_4(client: ApiClient, subtests: pytest.Subtests) -> None:
    made = make(client, **FULL)
    for query, found in FILTERS:
        with subtests.test(query):
            listed = client.get(f"{TICKETS_V4}?{query}")
            assert listed.status_code == 200, listed.text
            assert [one["id"] for one in listed.json()] == ([made["id"]] if found else [])


def test_fields_have_the_names_of_version_4(client: ApiClient) -> None:
    made = make(client, **FULL)
    listed = client.get(f"{TICKETS_V4}?fields=externalId,relatedParty").json()
    assert [set(one) for one in listed] == [{"id", "href", "@type", "externalId", "relatedParty"}]
    one = client.get(f"{made['href']}?fields=statusChange").json()
    assert set(one) == {"id", "href", "@type", "statusChange"}
    changed = client.patch(f"{made['href']}?fields=name", json={"name": "No signal at all"}).json()
    assert (set(changed), changed["name"]) == ({"id", "href", "@type", "name"}, "No signal at all")
