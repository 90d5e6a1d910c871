"""A line of the access log says who asked, from where, and about which complaint."""

import structlog
from starlette.testclient import TestClient

from complaints.domain.vocabulary import AccessRole
from tests.support import Scenario

POST = {"channel": "phone", "subject": "No signal", "external_id": "CALL-1"}


def test_a_request_line_names_caller_peer_and_complaint(client: TestClient, scenario: Scenario) -> None:
    person = scenario.key(AccessRole.AGENT, login="admin")
    with structlog.testing.capture_logs() as lines:
        first, again = (client.post("/v1/complaints", json=POST).json() for _ in range(2))
        client.get(f"/v1/complaints/{first['number']}/timeline", headers=person)
        client.get("/v1/complaints", headers={"Authorization": "Bearer nobody"})
        client.get("/v1/complaints/" + "x" * 500)
    said = [
        (line["status"], line["actor"], line["complaint"]) for line in lines if line["event"] == "request"
    ]
    assert first["id"] == again["id"]
    assert said == [
        (201, "key:bootstrap", first["id"]),
        (200, "key:bootstrap", first["id"]),
        (200, "user:admin", first["number"]),
        (401, None, None),
        (404, "key:bootstrap", "x" * 39 + "…"),
    ]
    assert {line["peer"] for line in lines if line["event"] == "request"} == {"testclient"}
