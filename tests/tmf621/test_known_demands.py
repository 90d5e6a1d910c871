"""The demands that the conformance tests of TM Forum are known to make, each as a plain request."""

from typing import Any

import pytest

from tests.api_client import ApiClient
from tests.tmf621.tickets import TICKETS, new_ticket

HUB = "/tmf-api/troubleTicket/v5/hub"
SPECIFICATIONS = "/tmf-api/troubleTicket/v5/troubleTicketSpecification"
NOTE = {"@type": "Note", "text": "The customer called again"}
CUSTOMER = {
    "@type": "RelatedPartyRefOrPartyRoleRef",
    "role": "customer",
    "partyOrPartyRole": {"@type": "PartyRef", "id": "A-17", "name": "Wang Fang", "@referredType": "Customer"},
}


def make(client: ApiClient, **members: Any) -> dict[str, Any]:
    """A new ticket."""
    answer = client.post(TICKETS, json=new_ticket(**members))
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


def listed(client: ApiClient, query: str) -> list[str]:
    """The names of the tickets that a query finds, in the order of the answer."""
    answer = client.get(f"{TICKETS}?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-result-count"] == str(len(answer.json()))
    return [one["name"] for one in answer.json()]


def check_error(answer: Any, status: int) -> None:
    """The answer is an `Error` of TMF621 with this status."""
    assert answer.status_code == status, answer.text
    error = answer.json()
    assert (error["@type"], error["status"]) == ("Error", str(status))
    assert error["code"]
    assert error["reason"]
    assert error["message"]


def test_a_ticket_with_the_mandatory_members_alone_is_made(client: ApiClient) -> None:
    ticket = make(client)
    assert {"id", "href", "@type", "description", "severity", "ticketType", "status", "creationDate"} <= set(
        ticket
    )
    assert {name: ticket[name] for name in new_ticket()} == new_ticket()
    assert ticket["status"] == "acknowledged"
    assert ticket["href"].endswith(f"{TICKETS}/{ticket['id']}")


MANDATORY = ["description", "severity", "ticketType", "@type"]


def test_a_ticket_without_a_mandatory_member_is_a_bad_request(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for missing in MANDATORY:
        with subtests.test(missing):
            answer = client.post(
                TICKETS, json={name: value for name, value in new_ticket().items() if name != missing}
            )
            check_error(answer, 400)
            assert missing in answer.json()["message"]


def test_a_list_begins_with_the_newest(client: ApiClient) -> None:
    for name in ("first", "second", "third"):
        make(client, name=name)
    assert listed(client, "") == ["third", "second", "first"]
    answer = client.get(f"{TICKETS}?limit=1&offset=1")
    assert [one["name"] for one in answer.json()] == ["second"]
    assert (answer.headers["x-total-count"], answer.headers["x-result-count"]) == ("3", "1")


def test_fields_leave_id_href_and_type(client: ApiClient) -> None:
    ticket = make(client)
    always = {"id", "href", "@type"}
    for path in (ticket["href"], TICKETS):
        answer = client.get(f"{path}?fields=severity").json()
        one = answer[0] if isinstance(answer, list) else answer
        assert set(one) == {*always, "severity"}
    assert set(client.get(f"{TICKETS}?fields=none").json()[0]) == always


def test_filters_of_members_go_together(client: ApiClient) -> None:
    make(client, name="one", severity="Major")
    make(client, name="two", severity="Minor", relatedParty=[CUSTOMER])
    make(client, name="three", severity="Critical")
    assert listed(client, "severity=Major") == ["one"]
    assert listed(client, "severity=Major,Minor") == ["two", "one"]
    assert listed(client, "severity.ne=Major") == ["three", "two"]
    assert listed(client, "severity=Major&name=two") == []
    assert listed(client, "name.regex=t.*") == ["three", "two"]
    assert listed(client, "relatedParty.partyOrPartyRole.name=Wang%20Fang") == ["two"]
    assert listed(client, "creationDate.gt=2020-01-01T00:00:00Z&creationDate.lt=2020-01-02T00:00:00Z") == []
    assert len(listed(client, "creationDate.gte=2020-01-01T00:00:00Z")) == 3


MISUNDERSTOOD = [
    "severity=Major;Minor",
    "severity.like=Major",
    "offset=-1",
    "limit=x",
    "filter=x",
    "before=x",
    "after=x",
    "sort=x",
]


def test_a_query_that_would_be_misunderstood_is_a_bad_request(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    make(client)
    for query in MISUNDERSTOOD:
        with subtests.test(query):
            check_error(client.get(f"{TICKETS}?{query}"), 400)


OFFERED = [
    (TICKETS, {"GET", "POST"}),
    (f"{TICKETS}/x", {"GET", "PATCH", "DELETE"}),
    (SPECIFICATIONS, {"GET", "POST"}),
    (f"{SPECIFICATIONS}/x", {"GET", "PATCH", "DELETE"}),
    (HUB, {"POST"}),
    (f"{HUB}/x", {"GET", "DELETE"}),
]


def test_a_method_that_is_not_offered_names_all_that_are(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for path, methods in OFFERED:
        with subtests.test(path):
            answer = client.put(path, json={})
            check_error(answer, 405)
            assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == methods


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_another_media_type_is_not_taken(client: ApiClient, method: str) -> None:
    path = TICKETS if method == "POST" else make(client)["href"]
    answer = client.request(method, path, content="<ticket/>", headers={"Content-Type": "application/xml"})
    check_error(answer, 415)


CONFLICTS = [
    {"op": "test", "path": "/severity", "value": "Minor"},
    {"op": "remove", "path": "/nothing"},
    {"op": "replace", "path": "/note/7", "value": NOTE},
    {"op": "replace", "path": "/id", "value": "x"},
]


def test_a_json_patch_that_cannot_be_applied_is_a_conflict(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    ticket = make(client)
    for operation in CONFLICTS:
        with subtests.test(str(operation)):
            answer = client.patch(
                ticket["href"],
                json=[{"op": "replace", "path": "/severity", "value": "Critical"}, operation],
                headers={"Content-Type": "application/json-patch+json"},
            )
            check_error(answer, 409)
            assert client.get(ticket["href"]).json() == ticket, "nothing of the patch was done"


def test_a_member_that_nobody_knows_is_not_shown_again(client: ApiClient) -> None:
    script = "<script>alert(1)</script>"
    ticket = make(client, unknown=script, channel={"@type": "ChannelRef", "id": "8", "other": script})
    changed = client.patch(ticket["href"], json={"@type": "TroubleTicket", "severity": "Minor", "x": script})
    assert changed.status_code == 200, changed.text
    assert changed.json()["severity"] == "Minor"
    for answer in (client.get(ticket["href"]), client.get(TICKETS), changed):
        assert "alert" not in answer.text


def test_a_ticket_of_no_one_is_not_found(client: ApiClient) -> None:
    for method in ("GET", "DELETE"):
        check_error(client.request(method, f"{TICKETS}/0"), 404)
    check_error(client.patch(f"{TICKETS}/0", json={"@type": "TroubleTicket", "severity": "Minor"}), 404)


def test_a_deleted_ticket_is_gone(client: ApiClient) -> None:
    ticket = make(client)
    gone = client.delete(ticket["href"])
    assert (gone.status_code, gone.content) == (204, b"")
    check_error(client.get(ticket["href"]), 404)
    check_error(client.delete(ticket["href"]), 404)
    assert listed(client, "") == []


def test_a_hub_is_made_shown_and_removed(client: ApiClient) -> None:
    body = {
        "@type": "Hub",
        "callback": "https://crm.example.com/events",
        "query": "eventType=TroubleTicketCreateEvent",
    }
    made = client.post(HUB, json=body)
    assert made.status_code == 201, made.text
    hub = made.json()
    assert body.items() <= hub.items()
    assert client.get(f"{HUB}/{hub['id']}").json() == hub
    assert client.delete(f"{HUB}/{hub['id']}").status_code == 204
    check_error(client.get(f"{HUB}/{hub['id']}"), 404)
