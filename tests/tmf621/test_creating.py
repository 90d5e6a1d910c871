"""A new ticket: what of it becomes the complaint, what is kept, and what is refused."""

import base64
from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.support import Scenario, count_statements
from tests.tmf621.official import check_ticket, official_example, validator_of
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket

pytestmark = pytest.mark.usefixtures("everything_holds")


def create(client: ApiClient, **members: Any) -> dict[str, Any]:
    answer = client.post(TICKETS, json=new_ticket(**members))
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    assert client.get(ticket["href"]).json() == ticket
    return ticket


def native(client: ApiClient, ticket: dict[str, Any]) -> dict[str, Any]:
    complaint: dict[str, Any] = client.get(f"/v1/complaints/{ticket['id']}").json()
    return complaint


def contains(shown: Any, sent: Any) -> bool:
    """True if every value of `sent` stands at its place in `shown`."""
    if isinstance(sent, dict):
        return isinstance(shown, dict) and all(
            name in shown and contains(shown[name], value) for name, value in sent.items()
        )
    if isinstance(sent, list):
        return isinstance(shown, list) and all(any(contains(one, wanted) for one in shown) for wanted in sent)
    return bool(shown == sent)


def test_the_official_example_comes_back_whole(client: ApiClient) -> None:
    sent = official_example("TroubleTicket_create_example_request")
    answer = client.post(TICKETS, json=sent)
    assert answer.status_code == 201, answer.text
    ticket = answer.json()
    check_ticket(ticket)
    ours = ("status", "expectedResolutionDate", "note")
    assert contains(ticket, {name: value for name, value in sent.items() if name not in ours})
    assert [one["text"] for one in ticket["note"]] == [one["text"] for one in sent["note"]]
    assert ticket["status"] == "acknowledged"
    complaint = native(client, ticket)
    assert complaint["complainant"] | {"name": "Jack Smith", "account_no": "9176"} == complaint["complainant"]
    assert complaint["reporter"]["name"] == "Jacob Jac Miller"
    assert complaint["severity"] == "high"
    assert complaint["subject"] == sent["name"]
    kept = complaint["attributes"]["tmf621"]
    assert "Jack Smith" not in str(kept["relatedParty"])  # the name stands once, where it can be erased


SUBJECTS = [
    ({"name": "A name"}, "A name"),
    ({"description": "First line\nSecond"}, "First line"),
    ({"name": " ", "description": "\n Words"}, "Words"),
    ({"name": "", "description": ""}, "Network Outage"),
    ({"name": "", "description": "", "ticketType": ""}, "Trouble ticket"),
    ({"name": "x" * 600}, "x" * 500),
]


def test_the_subject_is_the_first_text_that_says_something(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for members, subject in SUBJECTS:
        with subtests.test(subject):
            ticket = create(client, **members)
            assert native(client, ticket)["subject"] == subject
            assert contains(ticket, members)


def test_a_name_without_words_comes_back_where_the_type_is_the_word_for_another_category(
    client: ApiClient,
) -> None:
    network = {"@type": "Ref", "id": "network"}
    ticket = create(client, name="", description="", ticketType="BILLING", troubleTicketSpecification=network)
    assert (ticket["name"], ticket["ticketType"]) == ("", "network")
    assert native(client, ticket)["subject"] == "BILLING"


SEVERITIES = ["Major", "critical", "Blocker", "4", ""]


def test_severity_and_priority_come_back_as_sent(client: ApiClient, subtests: pytest.Subtests) -> None:
    for severity in SEVERITIES:
        with subtests.test(severity):
            ticket = create(client, severity=severity, priority=f"P{severity}")
            assert (ticket["severity"], ticket["priority"]) == (severity, f"P{severity}")


def test_a_priority_that_was_chosen_later_is_shown(client: ApiClient) -> None:
    ticket = create(client, severity="odd", priority="odd")
    address = f"/v1/complaints/{ticket['id']}"
    assert client.patch(address, json={"priority": "urgent", "severity": "low"}).status_code == 200
    shown = client.get(ticket["href"]).json()
    assert (shown["severity"], shown["priority"]) == ("Low", "Urgent")


NAMED_CATEGORIES = [
    ({"ticketType": "network.outage"}, "network.outage"),
    ({"ticketType": "NETWORK"}, "network"),
    ({"ticketType": "网络与信号"}, "network"),
    ({"troubleTicketSpecification": {"@type": "x", "id": "billing"}}, "billing"),
    (
        {
            "ticketType": "network",
            "troubleTicketSpecification": {"@type": "x", "id": "billing", "version": "2"},
        },
        "billing",
    ),
    ({"troubleTicketSpecification": {"@type": "x", "id": "123", "name": "Theirs"}}, None),
]


def test_a_category_is_named_by_specification_or_type(client: ApiClient, subtests: pytest.Subtests) -> None:
    for members, category in NAMED_CATEGORIES:
        with subtests.test(str(members)):
            names = client.get("/v1/categories").json()["items"]
            network = next(one for one in names if one["code"] == "network")
            if members.get("ticketType") == "网络与信号":
                members = {"ticketType": network["names"]["zh"]}
            if members.get("ticketType") == "NETWORK":
                members = {"ticketType": network["names"]["en"].upper()}
            ticket = create(client, **members)
            assert native(client, ticket)["category"] == category
            if category is not None:
                assert ticket["troubleTicketSpecification"]["id"] == category
            if category is None or members.get("ticketType") is None:
                assert contains(ticket, members)


def test_a_type_that_names_another_category_than_the_present_one_is_not_shown(client: ApiClient) -> None:
    ticket = create(client, ticketType="network")
    client.patch(f"/v1/complaints/{ticket['id']}", json={"category": "billing"})
    shown = client.get(ticket["href"]).json()
    assert (shown["ticketType"], shown["troubleTicketSpecification"]["id"]) == ("billing", "billing")


def test_external_identifiers_name_the_complaint(client: ApiClient) -> None:
    sent = [
        {"@type": "ExternalIdentifier", "id": "T-1", "externalIdentifierType": "ticket"},
        {"@type": "ExternalIdentifier", "owner": "shop", "id": "O-1"},
        {"@type": "ExternalIdentifier", "owner": "shop", "id": "O-2"},
        {"@type": "ExternalIdentifier", "owner": "", "id": ""},
        {"@type": "ExternalIdentifier", "owner": "far", "id": "x" * 300},
    ]
    ticket = create(client, externalIdentifier=sent)
    assert [one["id"] for one in ticket["externalIdentifier"]] == [one["id"] for one in sent]
    assert contains(ticket["externalIdentifier"], sent)
    complaint = native(client, ticket)
    source = complaint["source"]
    assert complaint["external_ids"] == {source: "T-1", "shop": "O-1"}
    client.patch(f"/v1/complaints/{ticket['id']}", json={"external_ids": {"shop": None, "new": "N-1"}})
    names = [one["id"] for one in client.get(ticket["href"]).json()["externalIdentifier"]]
    assert names == ["T-1", "O-2", "", "x" * 300, "N-1"]


def test_the_same_identifier_again_is_the_same_ticket(client: ApiClient) -> None:
    identifier = [{"@type": "ExternalIdentifier", "id": "T-1"}]
    note = [{"@type": "Note", "text": "Please hurry"}]
    first = create(client, externalIdentifier=identifier, note=note)
    for _ in range(2):
        again = client.post(TICKETS, json=new_ticket(externalIdentifier=identifier, note=note))
        assert (again.status_code, again.json()["id"]) == (201, first["id"])
        assert len(again.json()["note"]) == 1
    other = client.post(TICKETS, json=new_ticket(externalIdentifier=identifier, description="Still nothing"))
    assert (other.status_code, other.json()["id"]) == (201, first["id"])
    assert client.get(first["href"]).json() == other.json()
    events = client.get(f"/v1/complaints/{first['id']}/timeline").json()["items"]
    assert [one["type"] for one in events].count("complaint.contact_repeated") == 1


@pytest.mark.parametrize("notes", [[], [{"@type": "Note", "text": "n"}]])
def test_an_idempotency_key_gives_the_first_answer_again(
    client: ApiClient, notes: list[dict[str, Any]]
) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = client.post(TICKETS, json=new_ticket(note=notes), headers=headers)
    again = client.post(TICKETS, json=new_ticket(note=notes), headers=headers)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = client.post(TICKETS, json=new_ticket(note=notes, severity="Low"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (400, "idempotency-key-reused")
    assert len(client.get(TICKETS).json()) == 1


BEGINNINGS = ["acknowledged", "inProgress", "pending", "held"]


def test_a_new_ticket_is_acknowledged(client: ApiClient, subtests: pytest.Subtests) -> None:
    for status in BEGINNINGS:
        with subtests.test(status):
            ticket = create(client, status=status)
            assert ticket["status"] == "acknowledged"
            assert [one["status"] for one in ticket["statusChangeHistory"]] == ["acknowledged"]


ENDS = ["resolved", "closed", "rejected", "cancelled"]


def test_a_ticket_does_not_begin_at_its_end(client: ApiClient, subtests: pytest.Subtests) -> None:
    for status in ENDS:
        with subtests.test(status):
            answer = client.post(TICKETS, json=new_ticket(status=status))
            assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
            assert status in answer.json()["message"]


def test_a_file_becomes_an_attachment_of_the_complaint(client: ApiClient) -> None:
    content = base64.b64encode(b"picture").decode()
    sent = {
        "@type": "Attachment",
        "attachmentType": "photo",
        "mimeType": "image/png",
        "name": "router.png",
        "description": "The router",
        "content": content,
    }
    link = {"@type": "AttachmentRef", "id": "7", "url": "https://files.example/7"}
    ticket = create(client, attachment=[link, sent])
    check_ticket(ticket)
    shown = ticket["attachment"][1]
    assert ticket["attachment"][0] == link
    assert shown | {"attachmentType": "photo", "name": "router.png", "description": "The router"} == shown
    assert (shown["mimeType"], shown["size"]) == ("image/png", {"amount": 7, "units": "bytes"})
    assert "content" not in shown
    assert client.get(shown["url"]).content == b"picture"
    assert content not in str(native(client, ticket)["attributes"])


def test_a_refused_ticket_leaves_no_file(client: ApiClient, service: Service) -> None:
    file = {
        "@type": "Attachment",
        "attachmentType": "photo",
        "mimeType": "image/png",
        "content": base64.b64encode(b"picture").decode(),
    }
    answer = client.post(TICKETS, json=new_ticket(attachment=[file], description="x" * 100_001))
    assert answer.status_code == 400, answer.text
    assert list(service.attachments.blobs.list_blobs()) == []
    headers = {"Idempotency-Key": "file"}
    for _ in range(2):
        client.post(TICKETS, json=new_ticket(attachment=[file]), headers=headers)
    assert len(list(service.attachments.blobs.list_blobs())) == 1


def _file(**members: Any) -> list[dict[str, Any]]:
    file = {"@type": "Attachment", "attachmentType": "x", "mimeType": "image/png", "content": "cGljdHVyZQ=="}
    return [{**file, **members}]


REFUSED = [
    ({"description": "x" * 100_001}, "/description"),
    ({"note": [{"@type": "Note"}, {"@type": "Note", "text": "x" * 100_001}]}, "/note/1/text"),
    ({"note": [{"@type": "Note", "text": None}]}, "/note/0/text"),
    ({"note": {}}, "/note"),
    ({"name": None}, "/name"),
    ({"name": 1}, "/name"),
    ({"status": "odd"}, "/status"),
    ({"requestedResolutionDate": "tomorrow"}, "/requestedResolutionDate"),
    ({"requestedResolutionDate": "2026-02-31T00:00:00Z"}, "/requestedResolutionDate"),
    ({"channel": {"@type": "ChannelRef"}}, "/channel/id"),
    ({"channel": {"type_": "ChannelRef", "id": "1"}}, "/channel/@type"),
    ({"relatedEntity": [{"@type": "x", "role": "bill"}]}, "/relatedEntity/0/entity"),
    ({"relatedParty": [{"role": "customer"}]}, "/relatedParty/0/@type"),
    ({"troubleTicketCharacteristic": [{"@type": "x"}]}, "/troubleTicketCharacteristic/0/name"),
    ({"externalIdentifier": [{"@type": "x", "id": 5}]}, "/externalIdentifier/0/id"),
    ({"troubleTicketRelationship": [{"@type": "x", "id": "5"}]}, "relationshipType"),
    ({"attachment": _file(content="!")}, "/attachment/0/content"),
    ({"attachment": _file(name="\n")}, "/attachment/0/name"),
    ({"attachment": _file(mimeType="odd")}, "/attachment/0/mimeType"),
]


def test_a_refusal_names_the_member(client: ApiClient, subtests: pytest.Subtests) -> None:
    for members, place in REFUSED:
        with subtests.test(place):
            answer = client.post(TICKETS, json=new_ticket(**members))
            assert answer.status_code == 400, answer.text
            assert place in answer.json()["message"]
            assert client.get(TICKETS).json() == []


def test_odd_content_that_the_schema_allows_is_kept(client: ApiClient) -> None:
    sent = {
        "@type": "RepairTicket",
        "@baseType": "TroubleTicket",
        "@schemaLocation": "",
        "requestedResolutionDate": "0001-01-01T00:00:00.5-23:59",
        "channel": {"@type": "", "id": ""},
        "relatedEntity": [{"@type": "e", "role": "", "entity": {"@type": "", "id": ""}}],
        "relatedParty": [
            {"@type": "r", "role": "customer"},
            {"@type": "r", "role": "customer", "partyOrPartyRole": {"@type": "p", "id": "", "name": "N"}},
            {
                "@type": "r",
                "role": "Customer",
                "partyOrPartyRole": {"@type": "p", "id": "1", "partyName": "A"},
            },
            {"@type": "r", "role": "customer", "partyOrPartyRole": {"@type": "p", "id": "2"}},
        ],
        "troubleTicketRelationship": [{"@type": "t", "id": "567", "relationshipType": "dependency"}],
    }
    assert validator_of("TroubleTicket_FVO").is_valid(new_ticket(**sent))
    ticket = create(client, **sent, note=[], attachment=[], externalIdentifier=[])
    assert contains(ticket, sent | {"@type": "TroubleTicket"})  # the only type that the official file knows
    assert (
        native(client, ticket)["complainant"] | {"account_no": "1", "name": "A"}
        == native(client, ticket)["complainant"]
    )
    check_ticket(ticket)


def test_a_relation_to_a_known_ticket_is_a_link(client: ApiClient, scenario: Scenario) -> None:
    first, second = create(client), create(client)
    number = native(client, second)["number"]
    sent = [
        {"@type": "own", "id": first["id"], "relationshipType": "dependency", "name": "theirs"},
        {"@type": "own", "id": number, "relationshipType": "isDuplicateOf"},
        {"@type": "own", "id": "567", "href": "https://crm.example/567", "relationshipType": "dependency"},
        {"@type": "own", "id": "", "relationshipType": ""},
    ]
    ticket = create(client, troubleTicketRelationship=sent)
    check_ticket(ticket)
    related = ticket["troubleTicketRelationship"]
    assert [one["id"] for one in related] == [first["id"], second["id"], "567", ""]
    assert [one["relationshipType"] for one in related] == ["dependency", "isDuplicateOf", "dependency", ""]
    assert related[2:] == sent[2:]
    links = native(client, ticket)["links"]
    assert {(one["complaint_id"], one["type"]) for one in links} == {
        (first["id"], "related"),
        (second["id"], "duplicate_of"),
    }
    query = {"type": "related", "complaint_id": first["id"]}
    removed = client.delete(f"/v1/complaints/{ticket['id']}/links", params=query)
    assert removed.status_code < 300, removed.text
    shown = client.get(ticket["href"]).json()["troubleTicketRelationship"]
    assert [one["id"] for one in shown] == [second["id"], "567", ""]
    intake = scenario.key(AccessRole.INTAKE, source="crm")
    answer = client.post(TICKETS, json=new_ticket(troubleTicketRelationship=sent), headers=intake)
    assert answer.status_code == 201
    shown = client.get(answer.json()["href"]).json()["troubleTicketRelationship"]
    assert shown == sent  # a key that may not link complaints only names them


def test_a_wish_for_the_year_0_comes_back(client: ApiClient) -> None:
    wish = "0000-02-29T23:59:60z"
    assert create(client, requestedResolutionDate=wish)["requestedResolutionDate"] == wish


def test_a_channel_that_is_known_here_is_that_of_the_complaint(client: ApiClient) -> None:
    ticket = create(client, channel={"@type": "ChannelRef", "id": "8774", "name": "On site"})
    assert native(client, ticket)["channel"] == "on_site"
    ticket = create(client, channel={"@type": "ChannelRef", "id": "8774", "name": "self service"})
    assert native(client, ticket)["channel"] == "api"


def test_a_key_of_one_source_creates_and_reads_its_ticket(client: ApiClient, scenario: Scenario) -> None:
    key = scenario.key(AccessRole.INTAKE, source="crm")
    foreign = {"@type": "ExternalIdentifier", "owner": "other", "id": "O-1"}
    own = {"@type": "ExternalIdentifier", "id": "T-1"}
    characteristic = {"@type": "StringCharacteristic", "name": "router", "value": "A7"}
    sent = new_ticket(
        externalIdentifier=[foreign, own],
        troubleTicketCharacteristic=[characteristic],
        note=[{"@type": "Note", "text": "hello"}],
    )
    answer = client.post(TICKETS, json=sent, headers=key)
    assert answer.status_code == 201, answer.text
    ticket = answer.json()
    check_ticket(ticket)
    assert "A7" not in answer.text
    assert "hello" not in answer.text
    assert client.get(ticket["href"], headers=key).json() == ticket
    assert native(client, ticket)["external_ids"] == {"crm": "T-1"}
    other = scenario.key(AccessRole.INTAKE, source="shop")
    assert client.get(ticket["href"], headers=other).status_code == 404


def test_a_new_ticket_costs_no_statement_more_than_a_complaint(client: ApiClient, service: Service) -> None:
    posted = {"channel": "api", "subject": "No signal"}
    for _ in range(2):  # the first ones compile statements and read the configuration
        client.post("/v1/complaints", json=posted)
        client.post(TICKETS, json=new_ticket())
    with count_statements(service) as of_complaint:
        client.post("/v1/complaints", json=posted)
    with count_statements(service) as of_ticket:
        client.post(TICKETS, json=new_ticket())
    assert len(of_ticket) == len(of_complaint)


@pytest.mark.parametrize("path", [TICKETS, TICKETS_V4])
def test_the_answer_to_a_post_has_the_fields_that_were_asked_for(client: ApiClient, path: str) -> None:
    whole = client.post(path, json=new_ticket(note=[{"@type": "Note", "text": "First"}])).json()
    made = client.post(f"{path}?fields=severity", json=new_ticket())
    assert made.status_code == 201
    assert made.json().keys() == {"id", "href", "@type", "severity"} & whole.keys()
    assert made.headers["location"] == made.json()["href"]
    assert client.get(made.json()["href"]).json()["description"] == whole["description"]
    refused = client.post(f"{path}?colour=red", json=new_ticket())
    assert refused.status_code == 400
    assert len(client.get(path).json()) == 2
