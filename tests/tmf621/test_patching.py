"""Changes of tickets by merge patch: each member, and the parts of the complaint that it leaves as they are."""

import base64
import json
from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario
from tests.tmf621.changes import (
    JSON_PATCH,
    MERGE,
    TYPED,
    change,
    changed,
    characteristic,
    complaint_of,
    identifier,
    make,
    note,
    party,
    relation,
    texts_of,
    values_of,
)
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
def test_plain_members_change(client: ApiClient, media_type: str) -> None:
    ticket = make(client)
    body = {"name": "No signal", "description": "Since noon", "severity": "Critical", "priority": "Urgent"}
    answer = client.patch(
        f"{TICKETS}/{ticket['id']}", json=body | TYPED, headers={"Content-Type": media_type}
    )
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in body} == body
    complaint = complaint_of(client, ticket)
    assert (complaint["subject"], complaint["description"]) == ("No signal", "Since noon")
    assert (complaint["severity"], complaint["priority"]) == ("critical", "urgent")


def test_a_ticket_that_is_sent_back_as_it_was_shown_is_no_change(client: ApiClient) -> None:
    ticket = make(
        client,
        name="No signal",
        priority="High",
        channel={"@type": "ChannelRef", "id": "8774", "name": "self service"},
        note=[{"@type": "Note", "text": "Called twice"}],
        relatedParty=[party("customer", "4711", "Anna Berg"), party("technician", "t1", "Bob")],
        externalIdentifier=[{"@type": "ExternalIdentifier", "id": "X-1", "owner": "crm"}],
        troubleTicketCharacteristic=[
            characteristic("line", "A7"),
            characteristic("speed", {"up": 1, "down": 2}),
        ],
    )
    before = complaint_of(client, ticket)
    assert changed(client, ticket, **ticket) == ticket
    assert complaint_of(client, ticket) == before


def test_unknown_words_are_kept_and_count_as_the_default(client: ApiClient) -> None:
    ticket = make(client, severity="Critical", priority="Urgent")
    shown = changed(client, ticket, severity="Purple", priority="P9")
    assert (shown["severity"], shown["priority"]) == ("Purple", "P9")
    assert complaint_of(client, ticket)["severity"] == "normal"
    assert "given" not in complaint_of(client, ticket)["priority_reasons"]


TEXTS = ["name", "severity", "priority", "ticketType", "@baseType", "@schemaLocation"]


def test_an_empty_text_comes_back(client: ApiClient, subtests: pytest.Subtests) -> None:
    for name in TEXTS:
        with subtests.test(name):
            ticket = make(client, name="No signal", severity="Low", priority="Urgent")
            assert changed(client, ticket, **{name: ""})[name] == ""


def test_a_priority_that_is_cleared_follows_from_the_severity_again(client: ApiClient) -> None:
    ticket = make(client, severity="Low", priority="Urgent")
    assert complaint_of(client, ticket)["priority"] == "urgent"
    changed(client, ticket, priority=None)
    assert complaint_of(client, ticket)["priority"] != "urgent"


MANDATORY = ["description", "severity", "ticketType", "status"]


def test_a_mandatory_member_cannot_be_removed(client: ApiClient, subtests: pytest.Subtests) -> None:
    ticket = make(client)
    for name in MANDATORY:
        with subtests.test(name):
            answer = change(client, ticket, **{name: None})
            assert answer.status_code == 400
            assert f"{name} cannot be removed" in answer.json()["message"]


def test_without_a_name_the_subject_is_the_description(client: ApiClient) -> None:
    ticket = make(client, name="No signal", description="Since noon\nand no answer")
    assert changed(client, ticket, name=None)["name"] == "Since noon"


FOLLOWED = [
    ({"description": "Since noon"}, "Since noon"),
    ({"ticketType": "Bills"}, "Bills"),
    ({"ticketType": "billing"}, "billing"),
    ({"troubleTicketSpecification": {"@type": "Ref", "id": "billing"}}, "network"),
    ({"name": "  "}, "network"),
    ({"name": "No signal"}, "No signal"),
]


def test_a_name_without_words_stays_while_the_subject_follows_the_other_texts(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for members, subject in FOLLOWED:
        with subtests.test(subject):
            ticket = make(client, name="", description="", ticketType="network")
            assert changed(client, ticket, **members)["name"] == members.get("name", "")
            assert complaint_of(client, ticket)["subject"] == subject


def test_a_name_without_words_takes_its_subject_from_the_type_that_is_shown(client: ApiClient) -> None:
    network = {"@type": "Ref", "id": "network"}
    ticket = make(
        client, name="Bill", description="", ticketType="BILLING", troubleTicketSpecification=network
    )
    assert changed(client, ticket, name="")["name"] == ""
    assert complaint_of(client, ticket)["subject"] == "network"


def test_a_complaint_without_a_description_can_have_a_name_without_words(client: ApiClient) -> None:
    complaint = client.post("/v1/complaints", json={"channel": "api", "subject": "No signal"}).json()
    assert changed(client, complaint, name=" ")["name"] == " "
    assert complaint_of(client, complaint)["subject"] == "No signal"


def test_the_category_follows_from_specification_and_type(client: ApiClient) -> None:
    ticket = make(client)
    assert complaint_of(client, ticket)["category"] is None
    changed(client, ticket, ticketType="network.outage")
    assert complaint_of(client, ticket)["category"] == "network.outage"
    changed(client, ticket, troubleTicketSpecification=specification("billing"))
    assert complaint_of(client, ticket)["category"] == "billing"
    assert changed(client, ticket, ticketType="Anything")["ticketType"] == "Anything"
    assert complaint_of(client, ticket)["category"] == "billing"
    assert "troubleTicketSpecification" not in changed(client, ticket, troubleTicketSpecification=None)
    assert complaint_of(client, ticket)["category"] is None


def specification(code: str) -> dict[str, Any]:
    """A reference to a specification."""
    return {"@type": "TroubleTicketSpecificationRef", "id": code}


def test_a_specification_that_no_category_has_is_kept(client: ApiClient) -> None:
    ticket = make(client)
    shown = changed(client, ticket, troubleTicketSpecification=specification("TT-9"))
    assert shown["troubleTicketSpecification"]["id"] == "TT-9"


# Persons -----------------------------------------------------------------------------------------------------------


def test_a_person_keeps_the_members_that_tmf621_does_not_know(client: ApiClient) -> None:
    ticket = make(client, relatedParty=[party("customer", "4711", "Anna"), party("technician", "t1", "Bob")])
    path = f"/v1/complaints/{ticket['id']}"
    client.patch(
        path, json={"complainant": {"phone": "+8613800000000", "vulnerable": True}}
    ).raise_for_status()
    shown = changed(
        client, ticket, relatedParty=[party("customer", "4712", "Anna Berg"), party("reporter", "r1", "Cy")]
    )
    person = complaint_of(client, ticket)["complainant"]
    assert (person["name"], person["account_no"]) == ("Anna Berg", "4712")
    assert (person["phone"], person["vulnerable"]) == ("+8613800000000", True)
    assert complaint_of(client, ticket)["reporter"]["name"] == "Cy"
    assert [one["role"] for one in shown["relatedParty"]] == ["customer", "reporter"]
    changed(client, ticket, relatedParty=None)
    person = complaint_of(client, ticket)["complainant"]
    assert (person["name"], person["account_no"], person["phone"]) == (None, None, "+8613800000000")
    assert complaint_of(client, ticket)["reporter"] is None


def test_a_person_without_an_account_gets_none_from_the_id_that_was_shown(client: ApiClient) -> None:
    ticket = make(client)
    path = f"/v1/complaints/{ticket['id']}"
    client.patch(path, json={"complainant": {"name": "Anna", "phone": "+8613800000000"}}).raise_for_status()
    [shown] = client.get(f"{TICKETS}/{ticket['id']}").json()["relatedParty"]
    shown["partyOrPartyRole"]["name"] = "Anna Berg"
    changed(client, ticket, relatedParty=[shown])
    person = complaint_of(client, ticket)["complainant"]
    assert (person["name"], person["account_no"], person["phone"]) == ("Anna Berg", None, "+8613800000000")


# External identifiers ----------------------------------------------------------------------------------------------


def test_external_identifiers_replace_the_external_ids(client: ApiClient) -> None:
    ticket = make(client, externalIdentifier=[identifier("A-1", "crm"), identifier("N-1", "noc")])
    shown = changed(client, ticket, externalIdentifier=[identifier("A-2", "crm"), identifier("A-3", "crm")])
    assert [(one["owner"], one["id"]) for one in shown["externalIdentifier"]] == [
        ("crm", "A-2"),
        ("crm", "A-3"),
    ]
    assert complaint_of(client, ticket)["external_ids"] == {"crm": "A-2"}
    assert "externalIdentifier" not in changed(client, ticket, externalIdentifier=[])
    assert complaint_of(client, ticket)["external_ids"] == {}


def test_an_identifier_of_another_ticket_is_refused(client: ApiClient) -> None:
    make(client, externalIdentifier=[identifier("A-1", "crm")])
    other = make(client)
    answer = change(client, other, externalIdentifier=[identifier("A-1", "crm")], description="Changed")
    assert answer.status_code == 409
    assert "'A-1'" in answer.json()["message"]
    assert client.get(f"{TICKETS}/{other['id']}").json() == other


# Members that are only kept, and characteristics -------------------------------------------------------------------


def test_kept_members_are_replaced_and_go_by_null(client: ApiClient) -> None:
    channel = {
        "@type": "ChannelRef",
        "id": "8774",
        "name": "self service",
        "href": "https://crm.example/8774",
    }
    ticket = make(client, channel=channel)
    shown = changed(
        client, ticket, channel={"id": "1", "href": None}, requestedResolutionDate="2026-02-01T00:00:00Z"
    )
    assert shown["channel"] == {"@type": "ChannelRef", "id": "1", "name": "self service"}
    assert shown["requestedResolutionDate"] == "2026-02-01T00:00:00Z"
    assert complaint_of(client, ticket)["channel"] == "api"
    bill = {"@type": "RelatedEntity", "role": "bill", "entity": {"@type": "EntityRef", "id": "b1"}}
    shown = changed(client, ticket, channel=None, requestedResolutionDate=None, relatedEntity=[bill])
    assert "channel" not in shown
    assert "requestedResolutionDate" not in shown
    assert shown["relatedEntity"] == [bill]


def test_characteristics_merge_by_their_names(client: ApiClient) -> None:
    ticket = make(
        client,
        troubleTicketCharacteristic=[
            characteristic("line", "A7"),
            characteristic("speed", {"up": 1, "down": 2}),
        ],
    )
    given = [
        characteristic("speed", {"up": 9}),
        characteristic("site", "North"),
        characteristic("line", None),
    ]
    shown = values_of(changed(client, ticket, troubleTicketCharacteristic=given))
    assert (shown["speed"], shown["site"], shown.get("line")) == ({"up": 9}, "North", None)
    attributes = complaint_of(client, ticket)["attributes"]
    assert {name: attributes[name] for name in attributes if name != "tmf621"} == {
        "speed": {"up": 9},
        "site": "North",
    }


def test_one_and_true_are_different_values(client: ApiClient) -> None:
    ticket = make(client, troubleTicketCharacteristic=[characteristic("flag", 1)])
    changed(client, ticket, troubleTicketCharacteristic=[characteristic("flag", True)])
    assert complaint_of(client, ticket)["attributes"]["flag"] is True


def test_members_that_the_product_decides_on_are_left_as_they_are(client: ApiClient) -> None:
    ticket = make(client)
    shown = changed(
        client,
        ticket,
        id="1",
        href="x",
        creationDate="2020-01-01T00:00:00Z",
        statusChangeHistory=[],
        troubleTicketCharacteristic=[characteristic("complaintState", "closed")],
    )
    assert shown == ticket


# Notes -------------------------------------------------------------------------------------------------------------


def test_notes_are_added_and_never_doubled(client: ApiClient) -> None:
    ticket = make(client, note=[note("First")])
    for _ in range(2):  # a program repeats a change after a timeout
        shown = changed(client, ticket, note=[note("Second", id="77456", author="Jack")])
    assert texts_of(shown) == ["First", "Second"]
    shown = changed(client, ticket, note=[*shown["note"], note("Third"), note("Third"), note(" ")])
    assert texts_of(shown) == ["First", "Second", "Third"]
    assert texts_of(changed(client, ticket, note=[])) == ["First", "Second", "Third"]


def test_a_note_on_record_cannot_be_changed(client: ApiClient) -> None:
    ticket = make(client, note=[note("First")])
    answer = change(client, ticket, note=[{**ticket["note"][0], "text": "Other"}], description="Changed")
    assert answer.status_code == 409
    assert "Notes can be added" in answer.json()["message"]
    assert client.get(f"{TICKETS}/{ticket['id']}").json() == ticket


# Relations ---------------------------------------------------------------------------------------------------------


def test_relations_that_are_links_are_added_and_removed(client: ApiClient) -> None:
    other, ticket = make(client), make(client, description="Again")
    shown = changed(
        client,
        ticket,
        troubleTicketRelationship=[relation("isRecurrenceOf", other["id"]), relation("dependency", "567433")],
    )
    assert [one["relationshipType"] for one in shown["troubleTicketRelationship"]] == [
        "isRecurrenceOf",
        "dependency",
    ]
    [link] = complaint_of(client, ticket)["links"]
    assert (link["type"], link["complaint_id"]) == ("recurrence_of", other["id"])
    assert changed(client, ticket, troubleTicketRelationship=shown["troubleTicketRelationship"]) == shown
    shown = changed(client, ticket, troubleTicketRelationship=[relation("dependency", "567433")])
    assert [one["id"] for one in shown["troubleTicketRelationship"]] == ["567433"]
    assert complaint_of(client, ticket)["links"] == []


def test_a_ticket_is_not_related_to_itself(client: ApiClient) -> None:
    ticket = make(client)
    answer = change(client, ticket, troubleTicketRelationship=[relation("isRelatedTo", ticket["id"])])
    assert answer.status_code == 400
    assert "/troubleTicketRelationship" in answer.json()["message"]


# Refusals ----------------------------------------------------------------------------------------------------------


WRONG_TYPES = [
    ({"description": 1}, "/description"),
    ({"severity": []}, "/severity"),
    ({"priority": {}}, "/priority"),
    ({"name": True}, "/name"),
    ({"name": "x" * 501, "description": 7}, "/description"),
    ({"description": "x" * 100_001}, "/description"),
    ({"status": "open"}, "'acknowledged', 'rejected'"),
    ({"status": 3}, "/status"),
    ({"statusChangeReason": 3}, "/statusChangeReason"),
    ({"note": {}}, "/note"),
    ({"note": [{"@type": "Note", "text": 1}]}, "/note/0/text"),
    ({"note": ["x"]}, "/note/0"),
    ({"channel": "web"}, "/channel"),
    ({"channel": {"id": 1}}, "/channel"),
    ({"relatedParty": [{"role": 1}]}, "/relatedParty/0/role"),
    ({"externalIdentifier": [{"@type": "x"}]}, "/externalIdentifier/0/id"),
    ({"requestedResolutionDate": "tomorrow"}, "/requestedResolutionDate"),
    (
        {"troubleTicketCharacteristic": [{"@type": "x", "value": 1}]},
        "/troubleTicketCharacteristic/0/name",
    ),
    (
        {"troubleTicketRelationship": [{"@type": "x", "id": "1"}]},
        "/troubleTicketRelationship/0/relationshipType",
    ),
    ({"troubleTicketSpecification": []}, "/troubleTicketSpecification"),
]


def test_a_member_of_a_wrong_type_is_named(client: ApiClient, subtests: pytest.Subtests) -> None:
    ticket = make(client)
    for members, said in WRONG_TYPES:
        with subtests.test(str(members)[:80]):
            answer = change(client, ticket, **members)
            assert answer.status_code == 400, answer.text
            assert said in answer.json()["message"]
            assert client.get(f"{TICKETS}/{ticket['id']}").json() == ticket


NO_OBJECTS = [b"[]", b'"x"', b"1", b"null", b"{", b""]


def test_a_body_that_is_no_object_is_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    ticket = make(client)
    for body in NO_OBJECTS:
        with subtests.test(str(body)):
            assert client.patch(f"{TICKETS}/{ticket['id']}", content=body, headers=MERGE).status_code == 400


MEDIA_TYPES = [
    (TICKETS, "text/plain", 415),
    (TICKETS, "application/xml", 415),
    (TICKETS_V4, "application/merge-patch+json", 415),
    (TICKETS_V4, "application/json-patch+json", 415),
    (TICKETS_V4, "application/json", 200),
]


def test_each_edition_has_its_media_types(client: ApiClient, subtests: pytest.Subtests) -> None:
    ticket = make(client)
    for path, media_type, status in MEDIA_TYPES:
        with subtests.test(f"{path} {media_type}"):
            headers = {"Content-Type": media_type, "If-Match": '"7"'}
            content = b'{"@type": "TroubleTicket", "description": "Changed"}'
            answer = client.patch(f"{path}/{ticket['id']}", content=content, headers=headers)
            assert answer.status_code == status, answer.text
            assert complaint_of(client, ticket)["description"] == (
                "Changed" if status == 200 else ticket["description"]
            )


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
def test_a_change_names_its_type(client: ApiClient, media_type: str) -> None:
    ticket = make(client)
    path, headers = f"{TICKETS}/{ticket['id']}", {"Content-Type": media_type}
    refused = client.patch(path, content=b'{"severity": "Low"}', headers=headers)
    assert refused.status_code == 400
    assert "/@type" in refused.json()["message"]
    assert client.get(path).json() == ticket


def test_an_unknown_ticket_is_not_found(client: ApiClient) -> None:
    assert client.patch(f"{TICKETS}/nope", json=TYPED).status_code == 404


# Callers with fewer rights -----------------------------------------------------------------------------------------


@pytest.fixture
def intake(scenario: Scenario) -> dict[str, str]:
    """The headers of an intake key."""
    return scenario.key(AccessRole.INTAKE, source="crm")


def test_an_intake_key_raises_the_severity_and_adds_notes(client: ApiClient, intake: dict[str, str]) -> None:
    attributes = [characteristic("line", "A7")]
    ticket = client.post(
        TICKETS, json=new_ticket(severity="Minor", troubleTicketCharacteristic=attributes), headers=intake
    ).json()
    path = f"{TICKETS}/{ticket['id']}"
    shown = client.get(path, headers=intake).json()
    assert values_of(shown)["line"] == "***"
    before = complaint_of(client, ticket)["attributes"]
    told = {"severity": "Critical", "note": [note("It is worse now")]}
    for body in ({**shown, **told}, told):
        answer = client.patch(path, json=body | TYPED, headers=intake)
        assert answer.status_code == 200, answer.text
        assert answer.json()["severity"] == "Critical"
    assert complaint_of(client, ticket)["severity"] == "critical"
    assert complaint_of(client, ticket)["attributes"] == before
    assert texts_of(client.get(path).json()) == ["It is worse now"]


NOT_FOR_INTAKE = [
    {"severity": "Low"},
    {"severity": "Purple"},
    {"description": "Changed"},
    {"priority": "Urgent"},
    {"status": "inProgress"},
    {"status": "resolved", "statusChangeReason": "Done"},
    {"channel": {"@type": "ChannelRef", "id": "1"}},
    {"troubleTicketCharacteristic": [characteristic("line", "B8")]},
    {"externalIdentifier": [identifier("X-9")]},
    {"relatedParty": [party("customer", "1", "Anna")]},
    {"troubleTicketRelationship": [relation("dependency", "1")]},
]


def test_an_intake_key_changes_nothing_else(
    client: ApiClient, intake: dict[str, str], subtests: pytest.Subtests
) -> None:
    ticket = client.post(TICKETS, json=new_ticket(severity="Minor"), headers=intake).json()
    before = client.get(f"{TICKETS}/{ticket['id']}").json()
    for members in NOT_FOR_INTAKE:
        with subtests.test(str(members)):
            answer = client.patch(f"{TICKETS}/{ticket['id']}", json=members | TYPED, headers=intake)
            assert answer.status_code == 403, answer.text
            assert client.get(f"{TICKETS}/{ticket['id']}").json() == before


def test_an_intake_key_withdraws_a_ticket_of_its_own_source_alone(
    client: ApiClient, scenario: Scenario, intake: dict[str, str]
) -> None:
    ticket = client.post(TICKETS, json=new_ticket(), headers=intake).json()
    path, body = f"{TICKETS}/{ticket['id']}", {"status": "cancelled"}
    other = scenario.key(AccessRole.INTAKE, source="other")
    assert client.patch(path, json=body | TYPED, headers=other).status_code == 404
    assert client.patch(path, json=body | TYPED, headers=scenario.key(AccessRole.AUDITOR)).status_code == 403
    assert client.patch(path, json=body | TYPED, headers=intake).json()["status"] == "cancelled"


# Attachments -------------------------------------------------------------------------------------------------------


def attached_file(text: bytes, **members: Any) -> dict[str, Any]:
    """An attachment with its content."""
    content = base64.b64encode(text).decode()
    return {
        "@type": "Attachment",
        "attachmentType": "log",
        "mimeType": "text/plain",
        "content": content,
        **members,
    }


def test_a_file_becomes_an_attachment_of_the_complaint_and_stays(client: ApiClient) -> None:
    elsewhere = {"@type": "AttachmentRef", "id": "a1", "url": "https://crm.example/a1"}
    ticket = make(client, attachment=[elsewhere])
    for _ in range(2):  # a program repeats a change after a timeout
        shown = changed(client, ticket, attachment=[elsewhere, attached_file(b"lines", name="line.txt")])
    first, second = shown["attachment"]
    assert (first, second["name"], second["attachmentType"]) == (elsewhere, "line.txt", "log")
    assert "content" not in second
    [own] = client.get(f"/v1/complaints/{ticket['id']}/attachments").json()["items"]
    assert (own["id"], own["name"]) == (second["id"], "line.txt")
    assert "bGluZXM" not in json.dumps(complaint_of(client, ticket)["attributes"])
    assert changed(client, ticket, **shown) == shown
    again = changed(client, ticket, attachment=[second])
    assert again["attachment"] == [second]
    assert [one["id"] for one in changed(client, ticket, attachment=None)["attachment"]] == [second["id"]]


def test_a_refused_change_leaves_no_file(client: ApiClient) -> None:
    ticket = make(client)
    answer = change(client, ticket, attachment=[attached_file(b"lines")], status="closed")
    assert answer.status_code == 409
    assert client.get(f"/v1/complaints/{ticket['id']}/attachments").json()["items"] == []


def test_a_file_comes_by_merge_patch_alone(client: ApiClient) -> None:
    ticket = make(client)
    operations = [{"op": "add", "path": "/attachment", "value": attached_file(b"lines")}]
    answer = client.patch(f"{TICKETS}/{ticket['id']}", json=operations, headers=JSON_PATCH)
    assert answer.status_code == 409
    assert "can only be sent in a merge patch" in answer.json()["message"]


def test_content_that_is_no_base64_is_refused(client: ApiClient) -> None:
    ticket = make(client)
    answer = change(client, ticket, attachment=[{**attached_file(b"x"), "content": "***"}])
    assert answer.status_code == 400
    assert "/attachment/0/content" in answer.json()["message"]


# Fields ------------------------------------------------------------------------------------------------------------


def test_the_answer_has_the_fields_that_were_asked_for(client: ApiClient) -> None:
    ticket = make(client)
    path = f"{TICKETS}/{ticket['id']}"
    answer = client.patch(f"{path}?fields=name,severity", json={"severity": "Minor"} | TYPED)
    assert answer.json().keys() == {"id", "href", "@type", "name", "severity"}
    assert client.get(f"{path}?fields=name,severity").json() == answer.json()
    refused = client.patch(f"{path}?fields=a,a;b", json={"severity": "Low"} | TYPED)
    assert refused.status_code == 400
    assert client.get(path).json()["severity"] == "Minor"


def test_a_note_that_somebody_else_wrote_is_not_doubled(client: ApiClient, scenario: Scenario) -> None:
    ticket = make(client, note=[note("First")])
    agent = scenario.key(AccessRole.AGENT)
    answer = client.patch(f"{TICKETS}/{ticket['id']}", json={"note": [note("First")]} | TYPED, headers=agent)
    assert texts_of(answer.json()) == ["First"]
