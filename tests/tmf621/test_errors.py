"""Refusals below `/tmf-api` are errors of TMF621, whichever layer refuses."""

import pytest

from tests.api_client import ApiClient
from tests.tmf621.tickets import TICKETS, new_ticket


def test_a_ticket_is_made_read_and_listed(client: ApiClient) -> None:
    made = client.post(TICKETS, json=new_ticket())
    assert made.status_code == 201, made.text
    ticket = made.json()
    assert made.headers["location"] == ticket["href"]
    assert client.get(ticket["href"]).json() == ticket
    listed = client.get(TICKETS)
    assert [one["id"] for one in listed.json()] == [ticket["id"]]
    assert client.get(f"/v1/complaints/{ticket['id']}").json()["subject"] == "No signal since noon"


REFUSALS = [
    ("GET", f"{TICKETS}/nope", {}, 404, "nope"),
    ("GET", "/tmf-api/x", {}, 404, "nothing at this address"),
    ("PUT", TICKETS, {}, 405, "PUT is not allowed"),
    ("POST", TICKETS, {"content": b"x"}, 415, "application/json"),
    ("POST", TICKETS, {"json": {"severity": 1}}, 400, "/severity"),
    ("POST", TICKETS, {"json": []}, 400, "object"),
    ("POST", TICKETS, {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "JSON"),
    ("POST", TICKETS, {"content": b"x" * 2_000_000}, 413, "1048576"),
    ("GET", TICKETS, {"headers": {"Authorization": "Bearer wrong"}}, 401, "Bearer"),
]


def test_a_refusal_is_an_error_of_tmf621(client: ApiClient, subtests: pytest.Subtests) -> None:
    for method, path, sent, status, said in REFUSALS:
        with subtests.test(f"{method} {path} {said}"):
            answer = client.request(method, path, **sent)
            error = answer.json()
            assert (answer.status_code, error["status"], error["@type"]) == (status, str(status), "Error")
            assert answer.headers["content-type"] == "application/json"
            assert said in error["message"]
            assert error["code"]
            assert error["reason"]


def test_each_fault_stands_with_its_member(client: ApiClient) -> None:
    answer = client.post(TICKETS, json=new_ticket() | {"severity": 1, "note": [{"@type": "Note", "text": 2}]})
    assert answer.json()["message"] == (
        "severity should be a valid string (/severity); note[0].text should be a valid string (/note/0/text)."
    )


def test_a_refusal_in_chinese_says_in_chinese_what_is_possible(client: ApiClient) -> None:
    ticket = client.post(TICKETS, json=new_ticket()).json()
    change = {"@type": "TroubleTicket", "status": "closed"}
    answer = client.patch(ticket["href"], json=change, headers={"Accept-Language": "zh"})
    assert answer.json()["message"].endswith("现在可以：rejected, inProgress, cancelled, resolved.")


def test_the_methods_of_a_path_are_all_allowed(client: ApiClient) -> None:
    assert client.put(TICKETS).headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("edition", ["v4", "v5"])
def test_the_addresses_of_listeners_are_those_of_clients(client: ApiClient, edition: str) -> None:
    path = f"/tmf-api/troubleTicket/{edition}/listener/troubleTicketCreateEvent"
    answer = client.post(path, json={})
    assert answer.status_code == 404
    assert "this server has no listener for 'troubleTicketCreateEvent'" in answer.json()["message"]
    refused = client.get(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
