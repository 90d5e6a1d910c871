"""Merges of complaints, and the way back: what the other complaint takes over (rules 1.8 and 1.9)."""

from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario

Json = dict[str, Any]
LIN = {"name": "Lin Tao", "phone": "+8613900000001"}
SAID = {"message": "Repaired", "contact_channel": "phone"}
RESOLVED = {"resolution": "Repaired", "outcome": "upheld", "cause": "technical", "root_cause": "cable"}

pytestmark = pytest.mark.usefixtures("everything_holds")


def post(client: ApiClient, **members: Any) -> Json:
    body = {"channel": "phone", "subject": "No dial tone", "complainant": LIN, **members}
    answer = client.post("/v1/complaints", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def act(client: ApiClient, complaint: Json, action: str, **members: Any) -> Json:
    answer = client.post(f"/v1/complaints/{complaint['id']}/transitions", json={"action": action, **members})
    return {"http": answer.status_code, **answer.json()}


def get(client: ApiClient, complaint: Json, part: str = "") -> Any:
    return client.get(f"/v1/complaints/{complaint['id']}{part}").json()


def promise(client: ApiClient, complaint: Json, due_at: str) -> Json:
    body = {"text": "We call back", "due_at": due_at}
    return dict(client.post(f"/v1/complaints/{complaint['id']}/promises", json=body).json())


def promises(client: ApiClient, complaint: Json) -> list[tuple[str, str, str]]:
    items = get(client, complaint, "/promises")["items"]
    return [(one["text"], one["due_at"], one["status"]) for one in items]


def clocks(complaint: Json) -> list[tuple[str, ...]]:
    return sorted((d["kind"], d["status"], d["due_at"]) for d in complaint["deadlines"])


SOON, LATE = "2026-01-05T02:00:00Z", "2026-01-08T01:00:00Z"


def test_rule_1_8_the_promises_and_the_higher_priority_move_along(
    client: ApiClient, scenario: Scenario
) -> None:
    into, merged = post(client, severity="low"), post(client, severity="high")
    promise(client, into, LATE)
    for due_at in (SOON, LATE):
        promise(client, merged, due_at)
    scenario.advance(hours=2)
    assert act(client, merged, "merge", into=into["number"])["http"] == 200

    assert promises(client, into) == [
        ("We call back", SOON, "breached"), ("We call back", LATE, "running"), ("We call back", LATE, "running"),
    ]  # fmt: skip
    assert {status for _, _, status in promises(client, merged)} == {"cancelled"}
    after = get(client, into)
    assert (after["priority"], after["priority_reasons"]) == ("high", ["severity", "merge"])
    told = [e["data"].get("moved_from") for e in get(client, into, "/timeline")["items"]]
    assert told.count(merged["id"]) == 2
    [moved] = [e for e in get(client, merged, "/timeline")["items"] if e["type"] == "complaint.merged"]
    assert len(moved["data"]["promises"]) == 2


VULNERABLE = [
    ({}, {"vulnerable": True}, "high", ["severity", "vulnerable"]),
    ({"vulnerable": True}, {}, "high", ["severity", "vulnerable"]),
    ({"vulnerable": True}, {"vulnerable": True}, "high", ["severity", "vulnerable"]),
]


def test_rule_1_8_a_vulnerable_complainant_is_vulnerable_there_too(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for own, other, priority, reasons in VULNERABLE:
        with subtests.test(f"{own} {other}"):
            into, merged = post(client, complainant=LIN | own), post(client, complainant=LIN | other)
            act(client, merged, "merge", into=into["id"])
            after = get(client, into)
            assert after["complainant"]["vulnerable"] is True
            assert (after["priority"], after["priority_reasons"]) == (priority, reasons)
            assert (
                client.patch(f"/v1/complaints/{into['id']}", json={"severity": "low"}).json()["priority"]
                == "normal"
            )


def test_a_given_priority_gives_way_to_a_higher_one_only(client: ApiClient) -> None:
    into = post(client, priority="normal")
    for priority, after, reasons in (
        ("low", "normal", ["given"]),
        ("urgent", "urgent", ["given", "merge"]),
    ):
        act(client, post(client, priority=priority), "merge", into=into["id"])
        shown = get(client, into)
        assert (shown["priority"], shown["priority_reasons"]) == (after, reasons)


@pytest.mark.parametrize("steps", [["resolve"], ["resolve", "notify_result"]], ids=len)
def test_a_complaint_with_a_result_takes_no_merge_before_it_is_reopened(
    client: ApiClient, steps: list[str]
) -> None:
    into, merged = post(client), post(client)
    for step in steps:
        act(client, into, step, **(RESOLVED if step == "resolve" else SAID))
    refused = act(client, merged, "merge", into=into["id"])
    assert (refused["http"], refused["type"]) == (409, "/problems/transition-refused")
    assert "reopen it first" in refused["detail"]
    assert get(client, merged)["status"] == "received"
    act(client, into, "reopen", reason="Dead again")
    assert act(client, merged, "merge", into=into["id"])["status"] == "merged"


def test_rule_1_9_a_supervisor_undoes_a_merge_within_an_hour(client: ApiClient, scenario: Scenario) -> None:
    into, merged = post(client, severity="low"), post(client)
    act(client, merged, "respond", **SAID)
    for due_at in (SOON, LATE):
        promise(client, merged, due_at)
    before = act(client, merged, "hold", reason="awaiting_complainant", until="2026-01-07T01:00:00Z")
    act(client, merged, "merge", into=into["id"])
    scenario.advance(minutes=30)
    [kept, _] = get(client, into, "/promises")["items"]
    client.post(f"/v1/complaints/{into['id']}/promises/{kept['id']}/keep")

    agent = scenario.key(AccessRole.AGENT)
    listed = {one["action"]: one for one in get(client, merged, "/transitions")["items"]}
    assert (listed["unmerge"]["allowed"], listed["unmerge"]["to"]) == (True, "on_hold")
    body = {"action": "unmerge"}
    refused = client.post(f"/v1/complaints/{merged['id']}/transitions", json=body, headers=agent)
    assert refused.status_code == 403
    after = act(client, merged, "unmerge", reason="Another matter")

    assert (after["http"], after["status"], after["links"]) == (200, "on_hold", [])
    unmet = [clock for clock in clocks(before) if clock[0] != "promise"]
    assert [clock for clock in clocks(after) if clock[0] != "promise"] == unmet
    assert [status for *_, status in promises(client, merged)] == ["cancelled", "running"]
    assert [status for *_, status in promises(client, into)] == ["met", "cancelled"]
    assert get(client, into)["priority"] == "normal"  # a raised priority stays
    types = [e["type"] for c in (merged, into) for e in get(client, c, "/timeline")["items"]]
    assert {"complaint.unmerged", "complaint.unlinked"} <= {*types}
    assert act(client, merged, "unmerge")["http"] == 409

    act(client, merged, "merge", into=into["id"])
    scenario.advance(minutes=61)
    late = act(client, merged, "unmerge")
    assert (late["http"], late["allowed"]) == (409, [])
    assert "within an hour" in late["detail"]


def test_promises_return_from_a_complaint_that_ended_meanwhile(client: ApiClient, scenario: Scenario) -> None:
    into, merged = post(client), post(client)
    promise(client, merged, SOON)
    act(client, merged, "merge", into=into["id"])
    act(client, into, "withdraw", reason="It works again")
    scenario.advance(minutes=60)
    assert act(client, merged, "unmerge")["status"] == "received"
    scenario.advance(minutes=10)
    assert promises(client, merged) == [("We call back", SOON, "breached")]


def test_rule_1_9_escalations_wait_again_after_an_undone_merge(client: ApiClient, scenario: Scenario) -> None:
    into, merged = post(client), post(client)
    act(client, merged, "escalate", reason="They called again", role="team_lead")
    promise(client, merged, SOON)
    scenario.advance(hours=25)

    def waiting() -> list[str]:
        query = {"complaint": merged["id"], "acknowledged": "false", "limit": 200}
        return [one["step"] for one in client.get("/v1/escalations", params=query).json()["items"]]

    def inbox() -> list[Any]:
        shown = client.get("/v1/inbox", params={"recipient": "admin"}).json()["items"]
        return [one for one in shown if one.get("complaint_id") == merged["id"]]

    acknowledged = client.get("/v1/escalations", params={"complaint": merged["id"], "limit": 1}).json()[
        "items"
    ][0]
    client.post(f"/v1/escalations/{acknowledged['id']}/acknowledge", json={})
    before = waiting(), inbox()
    act(client, merged, "merge", into=into["id"])
    assert (waiting(), inbox()) == ([], [])
    act(client, merged, "unmerge")
    assert (waiting(), inbox()) == before
    assert "manual" in before[0]
