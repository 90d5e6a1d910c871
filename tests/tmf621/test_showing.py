"""A complaint as a ticket: every member, for every caller, and the costs of a page."""

from typing import Any

import pytest
import structlog

from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import AccessRole
from complaints.storage.rows.deleted_ticket import note_deleted
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints.erasing import erase_texts
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.support import Scenario, count_statements
from tests.tmf621.official import check_ticket
from tests.tmf621.tickets import TICKETS, new_ticket

pytestmark = pytest.mark.usefixtures("everything_holds")
PERSON = {"name": "Zhuge Kongming", "account_no": "ACC-778899", "phone": "+8613912345678"}
RESULT = {"resolution": "Line repaired.", "outcome": "upheld", "cause": "technical", "root_cause": "Rain"}
TOLD = {"message": "We found it.", "contact_channel": "phone"}


def show(client: ApiClient, complaint: Complaint, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = client.get(f"{TICKETS}/{complaint.id}", headers=headers)
    assert answer.status_code == 200, answer.text
    ticket: dict[str, Any] = answer.json()
    check_ticket(ticket)
    return ticket


def values(ticket: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in ticket["troubleTicketCharacteristic"]}


def test_a_whole_life_is_the_history_of_the_status(client: ApiClient, scenario: Scenario) -> None:
    made = scenario.post(complainant=PERSON, category="network.outage")
    seen = [show(client, made)["status"]]
    later = (scenario.now().replace(year=2026, month=1, day=6)).isoformat()
    for action, members in (
        ("assign", {"team": "operations"}),
        ("respond", TOLD),
        ("hold", {"reason": "awaiting_complainant", "until": later}),
        ("resume", {}),
        ("hold", {"reason": "awaiting_third_party", "until": later}),
        ("resolve", RESULT),
        ("notify_result", TOLD),
        ("record_contact", {"outcome": "not_solved"}),
        ("resolve", RESULT),
        ("notify_result", TOLD),
        ("close", {"early": True, **TOLD}),
        ("reopen", {"reason": "Again dark"}),
        ("reject", {"reason": "no_case", **TOLD}),
        ("reopen", {"reason": "It is one"}),
        ("withdraw", {"reason": "Gave up"}),
    ):
        scenario.advance(minutes=11)
        made = scenario.act(made, action, **members)
        ticket = show(client, made)
        seen += [ticket["status"]] if ticket["status"] != seen[-1] else []
        history = ticket["statusChangeHistory"]
        assert [one["status"] for one in history] == seen
        assert ticket["statusChangeDate"] == history[-1]["statusChangeDate"]
        assert ticket.get("statusChangeReason") == history[-1].get("statusChangeReason")
        assert values(ticket)["complaintState"] == made.status
    assert seen == [
        "acknowledged", "inProgress", "pending", "inProgress", "held", "resolved", "inProgress", "resolved",
        "closed", "inProgress", "rejected", "inProgress", "cancelled",
    ]  # fmt: skip
    reasons = [one.get("statusChangeReason") for one in history]
    assert reasons[:2] == [None, "We found it."]
    assert reasons[2:6] == ["awaiting_complainant", None, "awaiting_third_party", "Line repaired."]
    assert reasons[7:] == [
        "Line repaired.", "We found it.", "Again dark", "We found it.", "It is one", "Gave up",
    ]  # fmt: skip
    times = [one["statusChangeDate"] for one in history]
    assert times == sorted(times)
    assert times[0] == ticket["creationDate"]


def test_a_complaint_of_the_other_interface_is_a_whole_ticket(client: ApiClient, scenario: Scenario) -> None:
    made = scenario.post(
        complainant=PERSON,
        reporter={"name": "Liu Bei"},
        category="network.outage",
        external_id="CALL-1",
        external_ids={"shop": "S-1"},
        severity="critical",
        priority="urgent",
        source="north",
    )
    client.post(f"/v1/complaints/{made.id}/notes", json={"text": "Seen."})
    headers = {
        "Content-Type": "image/png",
        "Content-Disposition": "attachment; filename*=UTF-8''router.png",
    }
    file = client.post(f"/v1/complaints/{made.id}/attachments", content=b"png", headers=headers).json()
    ticket = show(client, made)
    assert ticket["troubleTicketSpecification"] == {
        "@type": "TroubleTicketSpecificationRef",
        "@referredType": "TroubleTicketSpecification",
        "id": "network.outage",
        "href": "/tmf-api/troubleTicket/v5/troubleTicketSpecification/network.outage",
        "name": client.get("/v1/categories/network.outage").json()["names"]["en"],
    }
    assert (ticket["severity"], ticket["priority"]) == ("Critical", "Urgent")
    assert ticket["ticketType"] == "network.outage"
    assert {one["owner"]: one["id"] for one in ticket["externalIdentifier"]} == {
        "north": "CALL-1",
        "shop": "S-1",
    }
    customer, reporter = (one["partyOrPartyRole"] for one in ticket["relatedParty"])
    assert (customer["id"], customer["name"]) == ("ACC-778899", "Zhuge Kongming")
    assert (reporter["id"], reporter["name"]) == (f"{made.id}:reporter", "Liu Bei")
    assert [(one["author"], one["text"]) for one in ticket["note"]] == [("key:bootstrap", "Seen.")]
    assert ticket["attachment"][0] | {"id": file["id"], "name": "router.png"} == ticket["attachment"][0]
    assert ticket["expectedResolutionDate"] == next(
        one["due_at"]
        for one in client.get(f"/v1/complaints/{made.id}").json()["deadlines"]
        if one["kind"] == "resolution"
    )
    assert values(ticket)["complaintNumber"] == client.get(f"/v1/complaints/{made.id}").json()["number"]
    assert client.get(f"{TICKETS}/{values(ticket)['complaintNumber']}").json() == ticket


def test_the_expected_date_is_that_of_the_present_round(client: ApiClient, scenario: Scenario) -> None:
    made = scenario.act(scenario.post(), "withdraw", reason="x")
    first = show(client, made)["expectedResolutionDate"]
    scenario.advance(days=2)
    made = scenario.act(made, "reopen", reason="y")
    ticket = show(client, made)
    assert ticket["expectedResolutionDate"] > first
    assert "resolutionDate" not in ticket
    made = scenario.act(made, "resolve", **RESULT)
    ticket = show(client, made)
    assert ticket["resolutionDate"] == ticket["statusChangeDate"]
    assert (values(ticket)["outcome"], values(ticket)["root_cause"]) == ("upheld", "Rain")


VALUES = [
    ("A7", "StringCharacteristic", "string"),
    ("", "StringCharacteristic", "string"),
    (True, "BooleanCharacteristic", "boolean"),
    (5, "IntegerCharacteristic", "integer"),
    (2**70, "IntegerCharacteristic", "integer"),
    (5.5, "NumberCharacteristic", "number"),
    (5.0, "NumberCharacteristic", "number"),
    ({"a": [1, {"b": "x"}]}, "ObjectCharacteristic", "object"),
    ({}, "ObjectCharacteristic", "object"),
    (["a", "b"], "StringArrayCharacteristic", "array"),
    ([], "StringArrayCharacteristic", "array"),
    ([True], "BooleanArrayCharacteristic", "array"),
    ([1, 2], "IntegerArrayCharacteristic", "array"),
    ([1, 2.5], "NumberArrayCharacteristic", "array"),
    ([{"a": 1}], "ObjectArrayCharacteristic", "array"),
    (["a", 1], "Characteristic", "array"),
]


def test_a_characteristic_has_the_type_of_its_value(client: ApiClient, subtests: pytest.Subtests) -> None:
    for value, type_name, value_type in VALUES:
        with subtests.test(str(value)[:60]):
            sent = {"@type": "Characteristic", "name": "c", "value": value}
            typed = {"@type": type_name, "name": "d", "value": value}
            wrong = {"@type": "BooleanCharacteristic", "name": "e", "value": value}
            own = {
                "@type": "HouseCharacteristic",
                "name": "f",
                "id": "7",
                "valueType": "mine",
                "value": value,
            }
            answer = client.post(
                TICKETS, json=new_ticket(troubleTicketCharacteristic=[sent, typed, wrong, own])
            )
            assert answer.status_code == 201, answer.text
            ticket = answer.json()
            check_ticket(ticket)
            shown = {one["name"]: one for one in ticket["troubleTicketCharacteristic"]}
            assert shown["d"] == typed | {"valueType": value_type}
            assert shown["e"]["@type"] == type_name
            assert shown["f"] == own
            attributes = client.get(f"/v1/complaints/{ticket['id']}").json()["attributes"]
            assert [attributes[name] for name in "cdef"] == [value] * 4
            client.patch(f"/v1/complaints/{ticket['id']}", json={"attributes": {"d": None, "f": {"now": 1}}})
            shown = {
                one["name"]: one for one in client.get(ticket["href"]).json()["troubleTicketCharacteristic"]
            }
            assert "d" not in shown
            assert shown["f"]["@type"] == "HouseCharacteristic"


def test_characteristics_that_no_attribute_can_be_are_kept(client: ApiClient) -> None:
    odd = [
        {"@type": "StringCharacteristic", "name": "", "value": "empty"},
        {"@type": "StringCharacteristic", "name": "x" * 201, "value": "long"},
        {"@type": "StringCharacteristic", "name": "tmf621", "value": "ours"},
        {"@type": "Characteristic", "name": "none"},
        *({"@type": "IntegerCharacteristic", "name": f"n{n}", "value": n} for n in range(105)),
    ]
    reserved = [{"@type": "x", "name": name, "value": "x"} for name in ("complaintState", "outcome")]
    answer = client.post(TICKETS, json=new_ticket(troubleTicketCharacteristic=[*odd, *reserved]))
    assert answer.status_code == 201, answer.text
    shown = {one["name"]: one for one in answer.json()["troubleTicketCharacteristic"]}
    for one in odd:
        assert shown[one["name"]] | one == shown[one["name"]]
    assert (shown["complaintState"]["value"], "outcome" in shown) == ("received", False)
    assert client.get(answer.json()["href"]).json() == answer.json()


def test_what_another_program_writes_into_the_attribute_breaks_no_ticket(
    client: ApiClient, scenario: Scenario
) -> None:
    for kept in (
        "odd",
        {"@type": 1, "channel": "x", "relatedEntity": {}, "ticketType": [], "name": 5, "attachment": ["x"]},
        {"externalIdentifier": 1, "relatedParty": [1], "troubleTicketCharacteristic": "x", "severity": 5},
        {"troubleTicketRelationship": {"a": 1}, "troubleTicketSpecification": [], "priority": {}},
    ):
        show(client, scenario.post(attributes={"tmf621": kept}))


def test_erased_texts_and_files_are_not_shown(client: ApiClient, service: Service) -> None:
    file = {
        "@type": "Attachment",
        "attachmentType": "secret",
        "mimeType": "image/png",
        "content": "cGljdHVyZQ==",
    }
    words = {"name": "secret", "description": "secret", "note": [{"@type": "Note", "text": "secret"}]}
    made = client.post(TICKETS, json=new_ticket(attachment=[file], **words)).json()
    service.write(lambda tx: erase_texts(service, tx, SYSTEM, made["id"], reason="Asked for"))
    answer = client.get(made["href"])
    check_ticket(answer.json())
    assert "secret" not in answer.text
    assert "attachment" not in answer.json()


def test_links_are_relationships(client: ApiClient, scenario: Scenario) -> None:
    first, second, third = (scenario.post(complainant=PERSON) for _ in range(3))
    scenario.act(first, "merge", into=str(second.id))
    client.post(f"/v1/complaints/{third.id}/links", json={"type": "related", "complaint_id": str(second.id)})
    ticket = show(client, first)
    assert ticket["status"] == "closed"
    [related] = ticket["troubleTicketRelationship"]
    assert (related["id"], related["relationshipType"]) == (str(second.id), "isDuplicateOf")
    assert client.get(related["href"]).json()["id"] == str(second.id)
    [related] = show(client, third)["troubleTicketRelationship"]
    assert related["relationshipType"] == "isRelatedTo"


def test_an_auditor_sees_masks(client: ApiClient, scenario: Scenario) -> None:
    parties = [
        {"@type": "r", "role": role, "partyOrPartyRole": {"@type": "p", "id": f"{role}-123456", "name": name}}
        for role, name in (("customer", "Zhuge Kongming"), ("member", "Liu Xuande"))
    ]
    sent = new_ticket(relatedParty=parties, note=[{"@type": "Note", "text": "inner"}])
    made = client.post(TICKETS, json=sent).json()
    answer = client.get(made["href"], headers=scenario.key(AccessRole.AUDITOR))
    ticket = answer.json()
    check_ticket(ticket)
    for secret in ("Kongming", "Xuande", "inner", "customer-123456"):
        assert secret in client.get(made["href"]).text
        assert secret not in answer.text
    assert ticket["relatedParty"][0]["partyOrPartyRole"]["name"] == "Z****"
    listed = client.get(TICKETS, headers=scenario.key(AccessRole.AUDITOR))
    assert [one["note"] for one in listed.json()] == [ticket["note"]]


def test_a_user_sees_the_tickets_of_the_own_team(client: ApiClient, scenario: Scenario) -> None:
    own = scenario.post(category="network.outage", complainant=PERSON)
    other = scenario.post(category="billing.refund", complainant=PERSON)
    user = {"login": "member", "name": "Member", "teams": ["operations"]}
    assert client.post("/v1/users", json=user).status_code == 201
    key = scenario.key(AccessRole.AGENT, login="member")
    client.post(f"/v1/complaints/{own.id}/notes", json={"text": "inner"})
    assert show(client, own, key) == show(client, own)
    assert client.get(f"{TICKETS}/{other.id}", headers=key).status_code == 404
    assert [one["id"] for one in client.get(TICKETS, headers=key).json()] == [str(own.id)]


def test_a_deleted_ticket_is_not_found_and_comes_back_when_it_is_reopened(
    client: ApiClient, scenario: Scenario, service: Service
) -> None:
    kept, made = (scenario.act(scenario.post(), "withdraw", reason="x") for _ in range(2))
    service.write(lambda tx: note_deleted(tx, made.id, made.cycle))
    answer = client.get(f"{TICKETS}/{made.id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert show(client, kept)["status"] == "cancelled"
    assert client.get(f"/v1/complaints/{made.id}").json()["status"] == "withdrawn"
    made = scenario.act(made, "reopen", reason="y")
    assert show(client, made)["status"] == "inProgress"


def test_the_line_of_a_read_names_the_ticket_whose_persons_it_showed(
    client: ApiClient, scenario: Scenario
) -> None:
    made, nobody = scenario.post(complainant=PERSON), scenario.post()
    with structlog.testing.capture_logs() as lines:
        client.get(f"{TICKETS}/{made.id}")
        client.get(f"{TICKETS}/{nobody.id}")
        client.get(f"{TICKETS}/{made.id}", headers=scenario.key(AccessRole.AUDITOR))
    said = [line["persons_of"] for line in lines if line["event"] == "request"]
    assert said == [[made.id], None, None]


def test_a_page_takes_as_many_statements_for_many_tickets_as_for_one(
    client: ApiClient, scenario: Scenario, service: Service
) -> None:
    def counted(path: str) -> int:
        client.get(path)  # compiles the statements
        with count_statements(service) as executed:
            assert client.get(path).status_code == 200
        return len(executed)

    def post() -> None:
        made = scenario.post(complainant=PERSON)
        client.post(f"/v1/complaints/{made.id}/notes", json={"text": "n"})

    post()
    one = counted(TICKETS)
    for _ in range(7):
        post()
    assert len(client.get(TICKETS).json()) == 8
    assert counted(TICKETS) == one
    assert one <= counted("/v1/complaints?count=true") + 3  # ids before rows, events, attachments
