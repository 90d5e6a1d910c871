"""The routes /v1/escalations: escalations are listed, and acknowledged once."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from complaints.api.deadlines.schemas import EscalationOut, EscalationPage
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.upkeep.sweep import sweep_once
from tests.support import Scenario

MEMBERS = {
    "id", "complaint_id", "number", "deadline_id", "kind", "step", "level", "roles", "recipients",
    "planned_at", "taken_at", "superseded", "reason", "acknowledged_at", "acknowledged_by",
    "acknowledged_note",
}  # fmt: skip


@pytest.fixture
def complaint(scenario: Scenario) -> Complaint:
    """A complaint left alone for 25 hours: three reminders and one escalation."""
    posted = scenario.post()
    scenario.advance(hours=25)
    return posted


def listed(client: TestClient, **params: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/escalations", params=params)
    assert answer.status_code == 200, answer.text
    EscalationPage.model_validate(answer.json())
    return list(answer.json()["items"])


def breach(client: TestClient) -> dict[str, Any]:
    return next(item for item in listed(client, level_min=1))


def test_are_listed_latest_first_with_all_that_is_known(client: TestClient, complaint: Complaint) -> None:
    items = listed(client)

    assert [(i["kind"], i["step"], i["level"]) for i in items] == [
        ("first_response", "100%", 1),
        ("resolution", "50%", 0),
        ("first_response", "80%", 0),
        ("first_response", "50%", 0),
    ]
    assert set(items[0]) == MEMBERS
    assert items[0]["complaint_id"] == str(complaint.id)
    assert items[0]["number"] == number_of(complaint.sequence)
    assert items[0]["planned_at"] == "2026-01-06T01:00:00Z"
    assert items[0]["taken_at"] == "2026-01-06T01:00:00.000001Z"
    assert items[0]["recipients"] == ["admin"]


def test_filters(client: TestClient, scenario: Scenario, complaint: Complaint) -> None:
    other = scenario.post(category="network.outage")  # of team operations
    scenario.act(other, "escalate", reason="the mayor called", role="executive")

    assert len(listed(client, complaint=str(complaint.id))) == 4
    assert len(listed(client, complaint=number_of(complaint.sequence))) == 4
    assert [i["reason"] for i in listed(client, complaint=number_of(other.sequence))] == ["the mayor called"]
    assert {i["kind"] for i in listed(client, kind="resolution")} == {"resolution"}
    assert [i["level"] for i in listed(client, level_min=1)] == [3, 1]
    assert [i["step"] for i in listed(client, team="operations")] == ["manual"]
    assert len(listed(client, recipient="admin")) == 5
    assert listed(client, recipient="nobody") == []
    assert listed(client, superseded="true") == []
    assert len(listed(client, superseded="false")) == 5


def test_superseded_ones_are_known_as_such(client: TestClient, scenario: Scenario) -> None:
    scenario.post()
    scenario.jump(hours=25)
    sweep_once(scenario.service)

    assert [i["step"] for i in listed(client, superseded="true", kind="first_response")] == ["80%", "50%"]
    assert [i["recipients"] for i in listed(client, superseded="true")] == [[], []]


def test_pages_go_on_where_they_ended_and_hold_under_inserts(
    client: TestClient, scenario: Scenario, complaint: Complaint
) -> None:
    expected = [item["id"] for item in listed(client)]
    found: list[str] = []
    cursor = None
    while True:
        answer = client.get("/v1/escalations", params={"limit": 1, **({"cursor": cursor} if cursor else {})})
        found += [item["id"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
        scenario.act(complaint, "escalate", reason="again", role="team_lead")

    assert found == expected


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("colour=red", 400),
        ("cursor=nonsense", 400),
        ("cursor=", 400),
        ("fields=id,colour", 400),
        ("limit=0", 422),
        ("limit=201", 422),
        ("kind=tea", 422),
        ("acknowledged=maybe", 422),
        ("acknowledged=1", 422),
        ("level_min=-1", 422),
        ("complaint=12", 422),
        ("team=a%00b", 422),
    ],
)
def test_bad_questions_are_refused(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/v1/escalations?{query}").status_code == status


def test_fields_picks_members(client: TestClient, complaint: Complaint) -> None:
    items = client.get("/v1/escalations?fields=id,step").json()["items"]

    assert [set(item) for item in items] == [{"id", "step"}] * 4


def test_acknowledging_is_on_record(client: TestClient, scenario: Scenario, complaint: Complaint) -> None:
    before = scenario.load(complaint)
    asked = breach(client)

    answer = client.post(f"/v1/escalations/{asked['id']}/acknowledge", json={"note": "I call them."})

    assert answer.status_code == 200
    shown = answer.json()
    EscalationOut.model_validate(shown)
    assert (shown["acknowledged_at"], shown["acknowledged_note"]) == ("2026-01-06T02:00:00Z", "I call them.")
    assert shown["acknowledged_by"] == "key:bootstrap"
    assert client.get(f"/v1/escalations/{asked['id']}").json() == shown
    assert [i["id"] for i in listed(client, acknowledged="true")] == [asked["id"]]
    assert asked["id"] not in {i["id"] for i in listed(client, acknowledged="false")}
    assert scenario.load(complaint).version == before.version
    event = client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"][-1]
    assert event["type"] == "escalation.acknowledged"
    assert event["data"]["escalation_id"] == asked["id"]


def test_acknowledging_again_changes_nothing(
    client: TestClient, scenario: Scenario, complaint: Complaint
) -> None:
    address = f"/v1/escalations/{breach(client)['id']}/acknowledge"
    first = client.post(address)
    scenario.jump(hours=1)

    again = client.post(address, json={"note": "again"})
    another = client.post(address, headers=scenario.key(AccessRole.AGENT))

    assert (again.status_code, again.json()) == (200, first.json())
    assert another.status_code == 409
    types = [e["type"] for e in client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"]]
    assert types.count("escalation.acknowledged") == 1


def test_a_superseded_one_of_an_ended_complaint_may_be_acknowledged_too(
    client: TestClient, scenario: Scenario
) -> None:
    posted = scenario.post()
    scenario.jump(hours=25)
    sweep_once(scenario.service)
    scenario.act(posted, "withdraw", reason="solved itself")
    superseded = listed(client, superseded="true")[0]

    assert client.post(f"/v1/escalations/{superseded['id']}/acknowledge").status_code == 200


def test_rights_and_scope(client: TestClient, scenario: Scenario, complaint: Complaint) -> None:
    found = breach(client)
    address = f"/v1/escalations/{found['id']}"
    auditor, own = scenario.key(AccessRole.AUDITOR), scenario.key(AccessRole.INTAKE, source="system")
    foreign = scenario.key(AccessRole.INTAKE, source="elsewhere")

    assert client.post(f"{address}/acknowledge", headers=auditor).status_code == 403
    assert client.get(address, headers=auditor).status_code == 200
    assert client.get(address, headers=own).status_code == 200
    assert client.get(address, headers=foreign).status_code == 404
    assert len(client.get("/v1/escalations", headers=own).json()["items"]) == 4
    assert client.get("/v1/escalations", headers=foreign).json() == {"items": [], "next_cursor": None}
    assert client.get(f"/v1/escalations/{complaint.id}").status_code == 404
    assert client.post(f"/v1/escalations/{complaint.id}/acknowledge").status_code == 404
    assert client.get("/v1/escalations/none").status_code == 404
