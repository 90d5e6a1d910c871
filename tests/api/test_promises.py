"""Promises to the complainant over the API."""

from typing import Any

import pytest

from complaints.api.complaints.promise_schemas import PromiseList, PromiseOut
from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario

DUE = "2026-01-06T01:00:00Z"


@pytest.fixture
def complaint(scenario: Scenario) -> Complaint:
    return scenario.post()


def make(client: ApiClient, complaint: Complaint, **members: Any) -> dict[str, Any]:
    body = {"text": "A technician comes.", "due_at": DUE, **members}
    answer = client.post(f"/v1/complaints/{complaint.id}/promises", json=body)
    assert answer.status_code == 201, answer.text
    PromiseOut.model_validate(answer.json())
    return dict(answer.json())


def listed(client: ApiClient, complaint: Complaint) -> list[dict[str, Any]]:
    shown = client.get(f"/v1/complaints/{complaint.id}/promises").json()
    PromiseList.model_validate(shown)
    return list(shown["items"])


def test_a_promise_has_its_own_deadline(client: ApiClient, complaint: Complaint) -> None:
    made = make(client, complaint)

    assert {name: made[name] for name in made if name != "id"} == {
        "text": "A technician comes.",
        "made_by": "key:bootstrap",
        "due_at": DUE,
        "status": "running",
        "met_at": None,
    }
    shown = client.get(f"/v1/complaints/{complaint.id}").json()
    assert (made["id"], "promise") in [(d["id"], d["kind"]) for d in shown["deadlines"]]
    assert shown["version"] == complaint.version + 1
    assert listed(client, complaint) == [made]


def test_promises_are_listed_in_the_order_of_making(client: ApiClient, complaint: Complaint) -> None:
    first = make(client, complaint, due_at="2026-01-09T00:00:00Z")
    second = make(client, complaint)

    assert {p["id"] for p in listed(client, complaint)} == {first["id"], second["id"]}


def test_a_promise_is_kept(client: ApiClient, scenario: Scenario, complaint: Complaint) -> None:
    address = f"/v1/complaints/{complaint.id}/promises/{make(client, complaint)['id']}/keep"
    scenario.advance(hours=1)

    kept = client.post(address)
    again = client.post(address)

    assert kept.status_code == 200
    assert (kept.json()["status"], kept.json()["met_at"]) == ("met", "2026-01-05T02:00:00Z")
    assert listed(client, complaint) == [kept.json()]
    assert again.status_code == 409


def test_a_promise_kept_late_is_late(client: ApiClient, scenario: Scenario, complaint: Complaint) -> None:
    made = make(client, complaint)
    scenario.jump(hours=25)

    assert listed(client, complaint)[0]["status"] == "breached"
    kept = client.post(f"/v1/complaints/{complaint.id}/promises/{made['id']}/keep")
    assert kept.json()["status"] == "met_late"


def test_an_open_promise_refuses_close(client: ApiClient, scenario: Scenario, complaint: Complaint) -> None:
    scenario.act(complaint, "resolve", resolution="Done.", outcome="not_upheld", cause="service")
    scenario.act(complaint, "notify_result", message="Done.", contact_channel="phone")
    made = make(client, complaint)
    close = {"action": "close", "early": True, "message": "Fine.", "contact_channel": "phone"}
    address = f"/v1/complaints/{complaint.id}"

    assert client.post(f"{address}/transitions", json=close).status_code == 409
    assert client.post(f"{address}/promises/{made['id']}/keep").status_code == 200
    assert client.post(f"{address}/transitions", json=close).status_code == 200


BAD_PROMISES = [
    ({"text": "x"}, "/due_at"),
    ({"due_at": DUE}, "/text"),
    ({"text": " ", "due_at": DUE}, "/text"),
    ({"text": "x", "due_at": "2026-01-05T01:00:00Z"}, "/due_at"),
    ({"text": "x", "due_at": "2026-01-06"}, "/due_at"),
    ({"text": "x", "due_at": DUE, "status": "met"}, "/status"),
]


def test_bad_promises_are_refused(client: ApiClient, complaint: Complaint, subtests: pytest.Subtests) -> None:
    for body, pointer in BAD_PROMISES:
        with subtests.test(str(body)):
            answer = client.post(f"/v1/complaints/{complaint.id}/promises", json=body)

            assert answer.status_code == 422
            assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
            assert listed(client, complaint) == []


def test_an_ended_complaint_takes_no_promise(
    client: ApiClient, scenario: Scenario, complaint: Complaint
) -> None:
    scenario.act(complaint, "withdraw", reason="solved itself")

    answer = client.post(f"/v1/complaints/{complaint.id}/promises", json={"text": "x", "due_at": DUE})

    assert answer.status_code == 409


def test_a_promise_of_another_complaint_is_unknown(
    client: ApiClient, scenario: Scenario, complaint: Complaint
) -> None:
    made, other = make(client, complaint), scenario.post()
    intake = scenario.key(AccessRole.INTAKE, source="elsewhere")

    assert client.post(f"/v1/complaints/{other.id}/promises/{made['id']}/keep").status_code == 404
    assert client.post(f"/v1/complaints/{other.id}/promises/x/keep").status_code == 404
    first = complaint.deadlines[0].id  # a deadline, but no promise
    assert client.post(f"/v1/complaints/{complaint.id}/promises/{first}/keep").status_code == 404
    assert client.get(f"/v1/complaints/{complaint.id}/promises", headers=intake).status_code == 404


def test_a_repeated_request_makes_one_promise(client: ApiClient, complaint: Complaint) -> None:
    body, headers = {"text": "x", "due_at": DUE}, {"Idempotency-Key": "promise-1"}
    address = f"/v1/complaints/{complaint.id}/promises"

    first = client.post(address, json=body, headers=headers)
    second = client.post(address, json=body, headers=headers)

    assert first.content == second.content
    assert len(listed(client, complaint)) == 1
