"""The history of one complaint over the API, and its notes."""

import pytest

from complaints.api.complaints.history_schemas import EventOut, EventPage
from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario

PERSON = {"name": "Zhang Wei", "phone": "+8613800000000", "email": "zw@example.com", "account_no": "A-77"}


def test_the_timeline_has_every_event_oldest_first(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    scenario.advance(hours=13)
    scenario.act(complaint, "respond", message="We are on it.", contact_channel="phone")

    answer = client.get(f"/v1/complaints/{complaint.id}/timeline")

    assert answer.status_code == 200
    EventPage.model_validate(answer.json())
    items = answer.json()["items"]
    assert [(e["type"], e["version"], e["actor"]) for e in items] == [
        ("complaint.created", 1, "key:system"),
        ("deadline.warning", 1, "engine"),
        ("complaint.responded", 2, "key:system"),
        ("deadline.met", 2, "key:system"),
    ]
    assert items[1]["at"] == "2026-01-05T13:00:00Z"
    assert items[2]["data"]["changes"]["status"] == "investigating"
    assert [e["sequence"] for e in items] == sorted(e["sequence"] for e in items)
    assert answer.json()["next_cursor"] is None


def test_the_timeline_is_of_one_complaint_and_has_pages(client: ApiClient, scenario: Scenario) -> None:
    complaint, other = scenario.post(), scenario.post()
    for text in "abc":
        client.post(f"/v1/complaints/{complaint.id}/notes", json={"text": text})
        client.post(f"/v1/complaints/{other.id}/notes", json={"text": "other"})
    texts: list[str] = []
    cursor = None
    while True:
        params: dict[str, str | int] = {
            "limit": 2,
            "fields": "type,data",
            **({"cursor": cursor} if cursor else {}),
        }
        page = client.get(f"/v1/complaints/{complaint.id}/timeline", params=params).json()
        texts += [e["data"]["text"] for e in page["items"] if e["type"] == "complaint.note_added"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert texts == ["a", "b", "c"]


def test_the_timeline_has_no_personal_data(client: ApiClient, scenario: Scenario) -> None:
    posted = client.post(
        "/v1/complaints",
        json={"channel": "phone", "subject": "No signal", "complainant": PERSON, "reporter": PERSON},
    ).json()
    client.patch(f"/v1/complaints/{posted['id']}", json={"complainant": {"name": "Zhang Wei Min"}})

    for headers in (scenario.key(AccessRole.AUDITOR), scenario.key(AccessRole.ADMIN)):
        shown = client.get(f"/v1/complaints/{posted['id']}/timeline", headers=headers).text
        assert not [value for value in PERSON.values() if value in shown]


def test_a_note_is_an_event(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()

    answer = client.post(
        f"/v1/complaints/{complaint.id}/notes", json={"text": "漏水", "visibility": "public"}
    )

    assert answer.status_code == 201
    note = answer.json()
    EventOut.model_validate(note)
    assert (note["type"], note["actor"]) == ("complaint.note_added", "key:bootstrap")
    assert note["data"] == {"text": "漏水", "visibility": "public"}
    assert client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"][-1] == note
    assert scenario.load(complaint).version == 1


def test_a_note_is_internal_by_default(client: ApiClient, scenario: Scenario) -> None:
    address = f"/v1/complaints/{scenario.post().id}/notes"

    assert client.post(address, json={"text": "x"}).json()["data"]["visibility"] == "internal"


BAD_NOTES = [
    {},
    {"text": ""},
    {"text": " "},
    {"text": "x", "visibility": "secret"},
    {"text": "x", "by": "me"},
]


def test_bad_notes_are_refused(client: ApiClient, scenario: Scenario, subtests: pytest.Subtests) -> None:
    complaint = scenario.post()
    for body in BAD_NOTES:
        with subtests.test(str(body)):
            assert client.post(f"/v1/complaints/{complaint.id}/notes", json=body).status_code == 422
            assert len(client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"]) == 1


def test_reading_needs_a_right_and_the_source(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    own, foreign = (scenario.key(AccessRole.INTAKE, source=source) for source in ("system", "elsewhere"))
    address = f"/v1/complaints/{complaint.id}"

    assert client.get(f"{address}/timeline", headers=own).status_code == 200
    assert client.get(f"{address}/timeline", headers=foreign).status_code == 404
    assert client.post(f"{address}/notes", json={"text": "x"}, headers=own).status_code == 201
    assert client.post(f"{address}/notes", json={"text": "x"}, headers=foreign).status_code == 404
    auditor = scenario.key(AccessRole.AUDITOR)
    assert client.post(f"{address}/notes", json={"text": "x"}, headers=auditor).status_code == 403
    assert client.get("/v1/complaints/C000000999/timeline").status_code == 404
    assert client.get(f"{address}/timeline?cursor=x").status_code == 400


def test_a_due_time_is_explained(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    scenario.act(complaint, "respond", message="We are on it.", contact_channel="phone")
    scenario.act(complaint, "hold", reason="awaiting_complainant", until="2026-01-05T11:00:00Z")
    scenario.advance(hours=10)
    resolution = next(d for d in scenario.load(complaint).deadlines if d.kind == "resolution")
    scenario.advance(hours=30)

    answer = client.get(f"/v1/complaints/{complaint.id}/deadlines/{resolution.id}/explanation").json()

    assert answer["due_at"] == "2026-01-07T11:00:00Z"
    assert [(s["from"], s["to"], s["counted"], s["reason"]) for s in answer["segments"]] == [
        ("2026-01-05T01:00:00Z", "2026-01-05T11:00:00Z", False, "paused"),
        ("2026-01-05T11:00:00Z", "2026-01-07T11:00:00Z", True, "elapsed"),
    ]
    assert [(s["step"], s["planned_at"], s["taken_at"]) for s in answer["steps"]] == [
        ("50%", "2026-01-06T11:00:00Z", "2026-01-06T11:00:00Z"),
        ("80%", "2026-01-07T01:24:00Z", None),
        ("100%", "2026-01-07T11:00:00Z", None),
        ("+12h", "2026-01-07T23:00:00Z", None),
        ("+24h", "2026-01-08T11:00:00Z", None),
    ]
    assert answer["steps"][1]["notify"] == ["assignee", "team_lead"]


def test_a_met_deadline_has_no_planned_steps(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    scenario.advance(hours=13)
    scenario.act(complaint, "respond", message="We are on it.", contact_channel="phone")
    response = next(d for d in scenario.load(complaint).deadlines if d.kind == "first_response")

    answer = client.get(f"/v1/complaints/{complaint.id}/deadlines/{response.id}/explanation").json()

    assert [s["step"] for s in answer["steps"]] == ["50%"]


def test_a_deadline_of_another_complaint_is_unknown(client: ApiClient, scenario: Scenario) -> None:
    complaint, other = scenario.post(), scenario.post()
    address = f"/v1/complaints/{complaint.id}/deadlines"

    assert client.get(f"{address}/{complaint.deadlines[0].id}/explanation").status_code == 200
    assert client.get(f"{address}/{other.deadlines[0].id}/explanation").status_code == 404
    assert client.get(f"{address}/first/explanation").status_code == 404
