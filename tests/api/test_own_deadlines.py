"""Own deadlines of a policy over HTTP, on both engines: the example of docs/examples, from intake to the end."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from complaints.use_cases.importing.worker import ImportWorker
from complaints.use_cases.upkeep.recipient_checks import check_recipients
from complaints.use_cases.upkeep.seeding import shipped_policy
from complaints.wiring import wall_now
from tests.api_client import ApiClient
from tests.support import Scenario, count_statements

EXAMPLE = Path(__file__).parents[2] / "docs/examples/own-deadlines.yaml"
OWN = ["evaluation", "hand_over", "next_response", "regulator"]
APPEAL = {"channel": "regulator", "subject": "申诉", "source": "miit"}
TOLD = {"message": "Repaired.", "contact_channel": "phone"}


@pytest.fixture(autouse=True)
def applied(client: ApiClient, everything_holds: None) -> None:
    answer = client.post(
        "/v1/policies", content=EXAMPLE.read_text(), headers={"Content-Type": "application/yaml"}
    )
    assert (answer.status_code, answer.json()["warnings"]) == (201, [])


def post(client: ApiClient, **members: Any) -> str:
    answer = client.post("/v1/complaints", json={"channel": "phone", "subject": "No signal", **members})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def act(client: ApiClient, reference: str, action: str, **members: Any) -> None:
    answer = client.post(f"/v1/complaints/{reference}/transitions", json={"action": action, **members})
    assert answer.status_code == 200, answer.text


def shown(client: ApiClient, reference: str) -> dict[str, list[dict[str, Any]]]:
    """The deadlines of a complaint by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for deadline in client.get(f"/v1/complaints/{reference}").json()["deadlines"]:
        found.setdefault(deadline["kind"], []).append(deadline)
    return found


def statuses(client: ApiClient, reference: str, kind: str) -> list[str]:
    return [one["status"] for one in shown(client, reference).get(kind, [])]


def test_an_own_deadline_is_listed_escalated_once_explained_and_met(
    client: ApiClient, scenario: Scenario
) -> None:
    """Rules 3.1, 3.9, 3.13, 4.7 and 4.12."""
    appeal = post(client, **APPEAL, region="CN-31")
    other = post(client)
    found = shown(client, appeal)
    assert sorted(found) == ["evaluation", "first_response", "hand_over", "regulator", "resolution"]
    assert found["regulator"][0]["due_at"] == "2026-01-15T01:00:00Z"
    assert found["first_response"][0]["due_at"] == "2026-01-05T05:00:00Z"
    assert shown(client, other)["regulator"][0]["due_at"] == "2026-01-20T01:00:00Z"

    act(client, appeal, "respond", **TOLD)
    scenario.advance(days=8)
    scenario.advance(days=3, hours=1)
    scenario.jump(minutes=1)
    late = {"overdue": "true", "deadline_kind": "regulator"}
    listed = client.get("/v1/complaints", params=late).json()["items"]
    assert [one["id"] for one in listed] == [appeal]
    summary = client.get("/v1/overdue/summary").json()
    by_kind = {one["kind"]: one["count"] for one in summary["overdue"]["by_kind"]}
    assert list(by_kind)[5:] == OWN
    assert (by_kind["regulator"], by_kind["evaluation"], by_kind["next_response"]) == (1, 2, 0)

    steps = client.get("/v1/escalations", params={"kind": "regulator"}).json()["items"]
    assert [(one["complaint_id"], one["step"], one["level"], one["roles"]) for one in steps] == [
        (appeal, "100%/1", 2, ["executive", "team:management"]),
        (appeal, "100%", 2, ["executive", "team:management"]),
        (appeal, "-3d", 1, ["department_head", "user:admin"]),
    ]
    assert all(one["recipients"] == ["admin"] for one in steps)

    explained = client.get(f"/v1/complaints/{appeal}/deadlines/{found['regulator'][0]['id']}/explanation")
    assert explained.json()["due_at"] == "2026-01-15T01:00:00Z"
    assert [one["step"] for one in explained.json()["steps"]] == ["-3d", "100%", "100%/1", "100%/2"]
    events = client.get(f"/v1/complaints/{appeal}/timeline").json()["items"]
    breached = [
        one for one in events if one["type"] == "deadline.breached" and one["data"]["kind"] == "regulator"
    ]
    assert len(breached) == 1

    rows = list(csv.DictReader(io.StringIO(client.get("/v1/exports", params={"format": "csv"}).text)))
    assert [row["regulator.due_at"][:10] for row in rows] == ["2026-01-15", "2026-01-20"]
    assert rows[0]["regulator.status"] == "breached"
    lines = client.get("/v1/exports", params={"full": "true"}).text.splitlines()
    assert {"regulator"} < {one["kind"] for one in json.loads(lines[0])["deadlines"]}
    both = client.get("/v1/exports", params={"format": "csv", "language": "both"}).text
    assert "regulator.due_at 监管答复 时限" in both.partition("\r\n")[0]

    act(client, appeal, "resolve", resolution="Repaired.", outcome="not_upheld", cause="technical")
    assert statuses(client, appeal, "regulator") == ["breached"]
    act(client, appeal, "notify_result", **TOLD)
    assert statuses(client, appeal, "regulator") == ["met_late"]
    told = shown(client, appeal)
    assert [one["due_at"][:10] for one in told["follow_up"]] == ["2026-01-23", "2026-02-16"]
    assert told["closure"][0]["due_at"][:10] == "2026-02-19"
    scenario.advance(days=3)
    assert (
        len(client.get("/v1/escalations", params={"kind": "regulator", "complaint": appeal}).json()["items"])
        == 3
    )


def test_rules_2_08_and_4_10_a_changed_region_recomputes_and_routes(
    client: ApiClient, scenario: Scenario
) -> None:
    complaint = post(client, **APPEAL)
    assert shown(client, complaint)["regulator"][0]["due_at"] == "2026-01-20T01:00:00Z"
    scenario.jump(hours=1)
    for region, due in (("CN-31", "2026-01-15T01:00:00Z"), ("CN-44", "2026-01-20T01:00:00Z")):
        assert client.patch(f"/v1/complaints/{complaint}", json={"region": region}).status_code == 200
        assert shown(client, complaint)["regulator"][0]["due_at"] == due
    # CN-44 is routed to another team: its own clock begins.
    assert statuses(client, complaint, "hand_over") == ["cancelled", "running"]
    assert shown(client, complaint)["hand_over"][1]["started_at"] == "2026-01-05T02:00:00Z"


def test_rules_2_11_4_09_and_4_11_contacts_merges_and_another_policy(
    client: ApiClient, scenario: Scenario
) -> None:
    known = {"source": "crm", "external_id": "E-1", "complainant": {"account_no": "A-1"}}
    first = post(client, **known)
    scenario.jump(minutes=5)
    again = client.post("/v1/complaints", json={"channel": "phone", "subject": "Any news?", **known})
    assert (again.status_code, again.json()["id"]) == (200, first)
    assert statuses(client, first, "next_response") == ["running"]
    act(client, first, "respond", **TOLD)
    assert statuses(client, first, "next_response") == ["met"]
    assert statuses(client, first, "evaluation") == ["running"]
    act(client, first, "assign", assignee="admin")
    assert statuses(client, first, "evaluation") == ["met"]

    second = post(client, complainant={"account_no": "A-1"})
    act(client, second, "merge", into=first)
    assert {one[0]["status"] for one in shown(client, second).values()} == {"cancelled"}

    built_in = {"policy": {"code": "telecom-handbook", "version": 1}}
    assert client.post(f"/v1/complaints/{first}/replan", json=built_in).status_code == 200
    assert statuses(client, first, "regulator") == ["cancelled"]
    back = {"policy": {"code": "own-deadlines", "version": 1}}
    other = post(client)
    for policy in (built_in, back):
        assert client.post(f"/v1/complaints/{other}/replan", json=policy).status_code == 200
    assert statuses(client, other, "regulator") == ["cancelled"]  # it had one in this cycle


def test_rule_4_11_a_complaint_of_the_built_in_policy_gets_them_when_it_is_re_planned(
    client: ApiClient, scenario: Scenario
) -> None:
    old = post(client, received_at="2025-12-25T00:00:00Z")
    assert "regulator" not in shown(client, old)
    answer = client.post(
        f"/v1/complaints/{old}/replan", json={"policy": {"code": "own-deadlines", "version": 1}}
    )
    assert answer.status_code == 200
    assert shown(client, old)["regulator"][0]["due_at"] == "2026-01-09T00:00:00Z"
    assert statuses(client, old, "evaluation") == ["breached"]


def test_rule_2_02_an_imported_complaint_is_born_breached_and_notifies_nobody(
    client: ApiClient, scenario: Scenario
) -> None:
    file = "channel,subject,received_at,external_id\nregulator,Old,2026-01-03T00:00:00+08:00,E9\n"
    scenario.jump(days=20)
    begun = client.post("/v1/imports", content=file, headers={"Content-Type": "text/csv"}).json()
    worker = ImportWorker(scenario.service, "one", wall_now, lambda: False)
    assert worker.work_on(UUID(begun["id"]))
    [old] = client.get("/v1/complaints", params={"external_id": "E9"}).json()["items"]
    assert statuses(client, old["id"], "regulator") == ["breached"]
    assert shown(client, old["id"])["regulator"][0]["breached_at"] == "2026-01-17T16:00:00Z"
    steps = client.get("/v1/escalations", params={"kind": "regulator"}).json()["items"]
    assert {(one["step"], one["superseded"]) for one in steps} == {("-3d", True), ("100%", True)}


def test_unknown_kinds_are_refused_and_the_preview_knows_own_ones(client: ApiClient) -> None:
    for path, name in (("/v1/complaints", "deadline_kind"), ("/v1/escalations", "kind")):
        refused = client.get(path, params={name: "regulater"})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["parameter"] == name
        assert "regulator" in refused.json()["detail"]
        assert client.get(path, params={name: "evaluation"}).status_code == 200
    asked = {"policy": "own-deadlines", "kind": "regulator", "start": "2026-01-05T01:00:00Z"}
    for members, due in (({}, "20"), ({"channel": "regulator", "region": "CN-31"}, "15")):
        preview = client.post("/v1/deadlines/preview", json=asked | members).json()
        assert preview["due_at"] == f"2026-01-{due}T01:00:00Z"
    assert preview["steps"][0]["notify"] == ["department_head", "user:admin"]
    refused = client.post("/v1/deadlines/preview", json=asked | {"kind": "survey"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/kind")


def test_rule_3_13_a_named_recipient_must_exist_and_check_lists_one_who_left(
    client: ApiClient, scenario: Scenario
) -> None:
    client.post("/v1/users", json={"login": "zhang.wei", "name": "Zhang Wei"})
    text = EXAMPLE.read_text().replace("user:admin", "user:zhang.wei")
    for wrong, message in (
        ("user:zhang.wie", "zhang.wei"),
        ("team:quality", "unknown team"),
        ("boss", "role"),
    ):
        refused = client.post(
            "/v1/policies",
            content=text.replace("user:zhang.wei", wrong),
            headers={"Content-Type": "application/yaml"},
        )
        assert refused.status_code == 422
        assert message in refused.json()["errors"][0]["message"]
        assert refused.json()["errors"][0]["pointer"] == "/deadlines/regulator/ladder/0/notify/1"
    applied = client.post("/v1/policies", content=text, headers={"Content-Type": "application/yaml"})
    assert applied.status_code == 201
    assert list(check_recipients(scenario.service)) == []
    assert client.patch("/v1/users/zhang.wei", json={"active": False}).status_code == 200
    scenario.service.cache.expire()
    [found] = check_recipients(scenario.service)
    assert (
        found.message == "policy own-deadlines version 2 notifies user:zhang.wei, who is not there any more"
    )


def test_intake_makes_as_many_statements_as_by_the_built_in_policy(
    client: ApiClient, scenario: Scenario
) -> None:
    counts = []
    built_in = shipped_policy("telecom-handbook").replace("1970-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    for text in (EXAMPLE.read_text(), built_in):
        client.post("/v1/policies", content=text, headers={"Content-Type": "application/yaml"})
        for _ in range(2):  # the first one reads the configuration
            with count_statements(scenario.service) as executed:
                made = scenario.post()
        counts.append((len(made.deadlines), len(executed)))
    assert [deadlines for deadlines, _ in counts] == [5, 2]
    assert counts[0][1] == counts[1][1]
