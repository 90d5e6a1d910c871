"""Contacts, external ids, and the rights of intake keys over HTTP."""

from typing import Any

import pytest

from complaints.api.complaints import schemas
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole, Action
from tests.api_client import ApiClient
from tests.support import Scenario

POST = {"channel": "phone", "subject": "No signal", "source": "north", "external_id": "E1"}
WITHDRAW = {"action": "withdraw", "reason": "It works again."}


@pytest.fixture
def key(scenario: Scenario) -> dict[str, str]:
    """An intake key of the source north."""
    return scenario.key(AccessRole.INTAKE, source="north")


def _told(client: ApiClient, complaint: Complaint) -> list[str]:
    shown = client.get("/v1/escalations", params={"complaint": number_of(complaint.sequence)}).json()["items"]
    return [one["step"] for one in shown]


def test_a_contact_after_the_window_answers_with_the_new_linked_complaint(
    scenario: Scenario, client: ApiClient, key: dict[str, str]
) -> None:
    # rule 1.14
    first = client.post("/v1/complaints", json=POST, headers=key).json()
    client.post(f"/v1/complaints/{first['id']}/transitions", json=WITHDRAW)
    reopened = client.post("/v1/complaints", json=POST | {"subject": "Dead again"}, headers=key)
    assert (reopened.status_code, reopened.json()["status"]) == (200, "investigating")

    client.post(f"/v1/complaints/{first['id']}/transitions", json=WITHDRAW)
    scenario.jump(days=91)
    made = client.post("/v1/complaints", json=POST | {"subject": "Dead for good"}, headers=key)
    shown = made.json()
    schemas.CreatedComplaintShown.model_validate(shown, extra="forbid")
    assert (made.status_code, shown["external_id"]) == (201, "E1")
    named = {"kind": "complaint", "id": first["id"], "number": first["number"]}
    assert shown["links"] == [
        {"type": "recurrence_of", "subject": named, "complaint_id": first["id"], "number": first["number"]}
    ]
    found = client.get(made.headers["Location"], headers=key).json()
    assert shown == found | {name: shown[name] for name in ("related", "acknowledgement")}
    old = client.get(f"/v1/complaints/{first['id']}")
    assert (old.json()["external_id"], old.json()["external_ids"], old.headers["ETag"]) == (None, {}, '"5"')


def test_external_ids_are_merged_and_found_in_any_system(client: ApiClient) -> None:
    # rule 1.15
    made = client.post("/v1/complaints", json=POST | {"external_ids": {"crm": "5003"}}).json()
    address = f"/v1/complaints/{made['id']}"
    assert made["external_ids"] == {"north": "E1", "crm": "5003"}

    def patch(**ids: str | None) -> Any:
        return client.patch(address, json={"external_ids": ids}).json()["external_ids"]

    assert patch(erp="9") == {"north": "E1", "crm": "5003", "erp": "9"}
    assert patch(crm=None) == {"north": "E1", "erp": "9"}
    assert patch(north="E2") == {"north": "E2", "erp": "9"}
    shown = client.get(address).json()
    assert (shown["external_id"], shown["version"]) == ("E2", 4)
    for name, found in {"E2": 1, "9": 1, "E1": 0, "5003": 0}.items():
        items = client.get("/v1/complaints", params={"external_id": name}).json()["items"]
        assert [one["id"] for one in items] == [made["id"]] * found, name
    assert client.post("/v1/complaints", json=POST | {"external_id": "E2"}).json()["id"] == made["id"]


SENSELESS_IDS = [
    ({"external_ids": {"north": "E2"}}, "/external_ids/north"),
    ({"external_ids": {"": "x"}}, "/external_ids/"),
    ({"external_ids": {"crm": "\u200b"}}, "/external_ids/crm"),
    ({"external_ids": {"crm": None}}, "/external_ids/crm"),
    ({"external_ids": {str(n): "x" for n in range(21)}}, "/external_ids"),
    ({"external_ids": ["x"]}, "/external_ids"),
]


def test_external_ids_that_make_no_sense_are_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for members, pointer in SENSELESS_IDS:
        with subtests.test(str(members)[:80]):
            answer = client.post("/v1/complaints", json=POST | members)
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_an_external_id_that_is_taken_is_a_conflict(client: ApiClient) -> None:
    # rule 1.15
    client.post("/v1/complaints", json=POST)
    other = client.post("/v1/complaints", json={"channel": "web", "subject": "x"}).json()
    ids = {"external_ids": {"north": "E1"}}
    patched = client.patch(f"/v1/complaints/{other['id']}", json=ids)
    posted = client.post("/v1/complaints", json={"channel": "web", "subject": "x", **ids})
    assert [(one.status_code, one.json()["type"]) for one in (patched, posted)] == [
        (409, "/problems/conflict")
    ] * 2


def test_an_intake_key_adds_to_complaints_of_its_source(
    scenario: Scenario, client: ApiClient, key: dict[str, str]
) -> None:
    # rules 1.12 and 1.16
    own, foreign = scenario.post(source="north"), scenario.post(source="south")
    address = f"/v1/complaints/{own.id}"

    def sent(method: str, path: str, body: dict[str, Any]) -> int:
        return client.request(method, path, json=body, headers=key).status_code

    assert sent("POST", f"{address}/notes", {"text": "They called again."}) == 201
    assert _told(client, own) == ["contact"]
    assert [sent("PATCH", address, {"severity": s}) for s in ("high", "high", "critical", "low")] == [
        200, 200, 200, 403,
    ]  # fmt: skip
    assert client.get(address).json()["priority"] == "urgent"
    for body in (
        {"severity": "critical", "region": None},
        {"external_ids": {"north": "x"}},
        {"subject": "x"},
    ):
        assert sent("PATCH", address, body) == 403

    assert client.get(address, headers=key).json()["allowed_actions"] == ["withdraw"]
    listed = client.get(f"{address}/transitions", headers=key).json()["items"]
    assert [one["action"] for one in listed if one["allowed"]] == ["withdraw"]
    refused = [{"action": action} for action in Action if action != "withdraw"]
    assert {sent("POST", f"{address}/transitions", body) for body in refused} <= {403, 422}
    assert sent("POST", f"{address}/transitions", {"action": "resume"}) == 403
    assert sent("POST", f"{address}/transitions", WITHDRAW) == 200
    assert client.get(address, headers=key).json()["allowed_actions"] == []
    assert sent("POST", f"{address}/notes", {"text": "Thank you."}) == 201
    assert _told(client, own) == ["contact"]

    address = f"/v1/complaints/{foreign.id}"
    assert sent("POST", f"{address}/notes", {"text": "x"}) == 404
    assert sent("PATCH", address, {"severity": "critical"}) == 404
    assert sent("POST", f"{address}/transitions", WITHDRAW) == 404


def test_an_auditor_who_posts_adds_to_the_own_source_alone(scenario: Scenario, client: ApiClient) -> None:
    # rule 1.16
    key = scenario.key(AccessRole.INTAKE, AccessRole.AUDITOR, source="north")
    foreign = scenario.post(source="south")
    answer = client.post(f"/v1/complaints/{foreign.id}/notes", json={"text": "x"}, headers=key)
    assert answer.status_code == 404
