"""Lists of tickets: the filters that people use, rights and scope, version 4, and hostile queries."""

from typing import Any
from uuid import UUID

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.storage.rows import deleted_ticket
from tests.api_client import ApiClient
from tests.support import Scenario
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket


def post(client: ApiClient, *, headers: dict[str, str] | None = None, **members: Any) -> str:
    """The id of a new ticket."""
    answer = client.post(TICKETS, json=new_ticket(**members), headers=headers or {})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


def act(client: ApiClient, ticket: str, action: str, **members: Any) -> None:
    """Take an action on the complaint of a ticket."""
    answer = client.post(f"/v1/complaints/{ticket}/transitions", json={"action": action, **members})
    assert answer.status_code == 200, answer.text


def names(client: ApiClient, query: str, path: str = TICKETS, **headers: str) -> list[str]:
    """The names of the tickets of a list, sorted."""
    answer = client.get(f"{path}?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-total-count"] == str(len(answer.json()))
    return sorted(one["name"] for one in answer.json())


UNTIL = "2026-01-06T02:00:00Z"


@pytest.fixture
def tickets(client: ApiClient, scenario: Scenario) -> dict[str, str]:
    """Tickets in several states by their names."""
    made = {name: post(client, name=name) for name in ("new", "working", "waiting", "held", "done", "gone")}
    for name in ("working", "waiting", "held", "done"):
        act(client, made[name], "respond", contact_channel="phone", message="We look into it.")
    act(client, made["waiting"], "hold", reason="awaiting_complainant", until=UNTIL)
    act(client, made["held"], "hold", reason="awaiting_third_party", until=UNTIL)
    members = {"outcome": "not_upheld", "cause": "service", "resolution": "Nothing was wrong."}
    act(client, made["done"], "resolve", **members)
    act(client, made["gone"], "withdraw", reason="by mistake")
    return made


FILTERS = [
    ("status=acknowledged", "new"),
    ("status=inProgress", "working"),
    ("status=pending", "waiting"),
    ("status=held", "held"),
    ("status=pending,held", "held waiting"),
    ("status=resolved", "done"),
    ("status=cancelled", "gone"),
    ("status.ne=held", "done gone new waiting working"),
    ("status.ne=pending,held", "done gone new working"),
    ("status.ne=held&status.ne=cancelled", "done new waiting working"),
    ("status=held&status=pending", ""),
    ("status.regex=^(a)", None),
    ("status.regex=^.*ed$", "done gone new"),
    ("status=rejected", ""),
    ("resolutionDate.gt=2026-01-01T00:00:00Z", "done"),
    ("resolutionDate.ne=2026-01-01T00:00:00Z", "done gone held new waiting working"),
    ("name=new,gone", "gone new"),
    ("name.regex=ing$", "waiting working"),
    ("name.regex=^NEW$", ""),
    ("severity=Major&name.ne=new", "done gone held waiting working"),
    ("troubleTicketCharacteristic.value=received", "new"),
    ("troubleTicketCharacteristic.name=outcome", "done"),
    ("filter=$[?(@.name=='held')]", "held"),
    ("filter=troubleTicketCharacteristic[?(@.value=='withdrawn')]", "gone"),
]


def test_filters(client: ApiClient, tickets: dict[str, str], subtests: pytest.Subtests) -> None:
    for query, found in FILTERS:
        with subtests.test(query):
            if found is None:
                assert client.get(f"{TICKETS}?{query}").status_code == 400
            else:
                assert names(client, query) == found.split()


def test_statuses_are_a_way_through_the_life_of_a_ticket(client: ApiClient, tickets: dict[str, str]) -> None:
    shown = [one["status"] for one in client.get(f"{TICKETS}?sort=status").json()]
    assert shown == ["acknowledged", "inProgress", "pending", "held", "resolved", "cancelled"]


def test_a_deleted_ticket_is_in_no_list(
    client: ApiClient, scenario: Scenario, tickets: dict[str, str]
) -> None:
    scenario.service.write(lambda tx: deleted_ticket.note_deleted(tx, UUID(tickets["gone"]), 1))
    assert names(client, "") == ["done", "held", "new", "waiting", "working"]
    assert names(client, "status=cancelled") == []
    assert names(client, f"id={tickets['gone']}") == []


def test_identifiers_by_system_and_those_that_are_only_kept(client: ApiClient) -> None:
    def identifier(name: str, owner: str) -> dict[str, str]:
        return {"@type": "ExternalIdentifier", "id": name, "owner": owner}

    post(client, name="a", externalIdentifier=[identifier("x-1", "CRM"), identifier("x-2", "CRM")])
    post(client, name="b", externalIdentifier=[identifier("x-3", "Remedy")])
    for query, found in {
        "externalIdentifier.id=x-1": ["a"],
        "externalIdentifier.id=x-2": ["a"],
        "externalIdentifier.id=x-2,x-3": ["a", "b"],
        "externalIdentifier.id=x": [],
        "externalIdentifier.id.regex=^x": ["a", "b"],
        "externalIdentifier.owner=CRM": ["a"],
        "externalIdentifier.id.ne=x-1": ["b"],
    }.items():
        assert names(client, query) == found, query


# Rights and scope -----------------------------------------------------------------------------------------------------


def test_a_list_shows_the_tickets_of_the_source_of_a_key(client: ApiClient, scenario: Scenario) -> None:
    one, other = (scenario.key(AccessRole.INTAKE, source=source) for source in ("one", "other"))
    post(client, name="a", headers=one)
    post(client, name="b", headers=other)
    assert names(client, "", **one) == ["a"]
    assert names(client, "name.ne=x", **other) == ["b"]
    assert names(client, "") == ["a", "b"]
    assert names(client, "id.ne=1", TICKETS_V4, **other) == ["b"]


def test_a_filter_reveals_no_person_and_no_attribute(client: ApiClient, scenario: Scenario) -> None:
    party = {"@type": "R", "role": "customer", "partyOrPartyRole": {"@type": "P", "id": "A-7", "name": "Li"}}
    characteristic = {"@type": "StringCharacteristic", "name": "router", "value": "AX3"}
    post(client, name="a", relatedParty=[party], troubleTicketCharacteristic=[characteristic])
    auditor, intake = scenario.key(AccessRole.AUDITOR), scenario.key(AccessRole.INTAKE, source="bootstrap")
    for query in ("relatedParty.partyOrPartyRole.id=A-7", "relatedParty.partyOrPartyRole.name.regex=^L"):
        assert names(client, query) == ["a"]
        refused = client.get(f"{TICKETS}?{query}", headers=auditor)
        assert (refused.status_code, refused.json()["@type"]) == (403, "Error")
    for query in ("troubleTicketCharacteristic.value=AX3", "troubleTicketCharacteristic.name=router"):
        assert names(client, query) == ["a"]
        assert client.get(f"{TICKETS}?{query}", headers=intake).status_code == 403


def test_kept_words_are_compared_as_the_caller_sees_them(client: ApiClient, scenario: Scenario) -> None:
    intake = scenario.key(AccessRole.INTAKE, source="crm")
    post(client, name="a", severity="blocker", headers=intake)
    for headers in ({}, intake):
        [shown] = client.get(TICKETS, headers=headers).json()
        for word in ("blocker", "Critical"):
            found = names(client, f"severity={word}", **headers)
            assert found == (["a"] if word == shown["severity"] else []), (headers, word)


# Version 4 ------------------------------------------------------------------------------------------------------------


def test_version_4_filters_by_its_own_names(client: ApiClient) -> None:
    party = {"id": "A-7", "name": "Li", "role": "customer", "@referredType": "Individual"}
    sent = {"description": "d", "severity": "Major", "ticketType": "x", "name": "a"}
    made = client.post(TICKETS_V4, json={**sent, "externalId": "x-1", "relatedParty": [party]})
    assert made.status_code == 201, made.text
    for query, found in {
        "externalId=x-1": ["a"],
        "externalId=x-2": [],
        "relatedParty.id=A-7": ["a"],
        "relatedParty.name.ne=Li": [],
        "severity=Major&status=acknowledged": ["a"],
    }.items():
        assert names(client, query, TICKETS_V4) == found, query
    for query in ("sort=name", "after=x", "filter=a[?(@b==1)]", "externalIdentifier.id=x-1"):
        assert client.get(f"{TICKETS_V4}?{query}").status_code == 400
    [shown] = client.get(f"{TICKETS_V4}?fields=externalId,name").json()
    assert {"id", "href", "externalId", "name"} <= set(shown) <= {"id", "href", "@type", "externalId", "name"}


# Hostile queries ------------------------------------------------------------------------------------------------------


HOSTILE = [
    "&".join(["name=a"] * 2_000),
    "name=" + "x" * 20_000,
    "name." * 2_000 + "=x",
    "name=%F0%9F%98",
    "name=%",
    "name=a%00b",
    "%00=a",
    "name=a;b",
    "id.gt=1",
    "filter=" + "[?(@" * 500,
    "sort=" + "name," * 500,
    "creationDate=0000-00-00T00:00:00Z",
    "creationDate.lt=2026-02-30T00:00:00Z",
    "attachment.size=" + "9" * 400,
    "limit=%2B1",
    "status=ACKNOWLEDGED",
]


def test_a_hostile_query_is_a_400(client: ApiClient, subtests: pytest.Subtests) -> None:
    for path in (TICKETS, TICKETS_V4):
        for query in HOSTILE:
            with subtests.test(f"{path}?{query[:60]}"):
                answer = client.get(f"{path}?{query}")
                assert (answer.status_code, answer.json()["@type"]) == (400, "Error"), answer.text
                assert len(answer.text) < 2_000


ODD = [
    "'", '"', "\\", "%", "_", "*", "?", "[", "]", "😀", "\u202e", "a\u0301", "' DROP TABLE", "{}", "$.a", "\t", "\n",
]  # fmt: skip
COMPARED = ["name", "ticketType", "externalIdentifier.id", "troubleTicketCharacteristic.value"]


def test_odd_values_are_compared_as_they_are(client: ApiClient, subtests: pytest.Subtests) -> None:
    for odd in ODD:
        text = f"a{odd}b"
        characteristic = {"@type": "StringCharacteristic", "name": "x", "value": text}
        identifier = {"@type": "ExternalIdentifier", "id": text, "owner": "S"}
        members = {"externalIdentifier": [identifier], "troubleTicketCharacteristic": [characteristic]}
        post(client, name=text, ticketType=text, **members)
    for odd in ODD:
        escaped = "".join(f"\\{one}" if not one.isalnum() else one for one in odd)
        for member in COMPARED:
            with subtests.test(f"{member} {odd!a}"):
                for asked in ({member: f"a{odd}b"}, {f"{member}.regex": f"^a{escaped}b$"}):
                    found = client.get(TICKETS, params=asked)
                    assert [one["name"] for one in found.json()] == [f"a{odd}b"], found.text
