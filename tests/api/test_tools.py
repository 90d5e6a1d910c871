"""The routes that need nothing stored: the table of the lifecycle, due times and elapsed time."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from complaints.api.deadlines.schemas import ElapsedOut, LifecycleOut, PreviewOut
from complaints.domain.vocabulary import AccessRole, Status
from tests.api_client import ApiClient
from tests.support import Scenario

CASES = Path(__file__).parents[2].parent / "shared" / "cases" / "deadline_cases.json"
BERLIN = {
    "timezone": "Europe/Berlin",
    "hours": {"mon": [["09:00", "18:00"]], "tue": [["09:00", "12:00"], ["13:00", "24:00"]]},
    "holidays": ["2026-12-25"],
    "overrides": {"2026-12-24": [["09:00", "12:00"]]},
}


def preview(client: ApiClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/v1/deadlines/preview", json=body)
    assert answer.status_code == 200, answer.text
    PreviewOut.model_validate(answer.json())
    return dict(answer.json())


def test_the_lifecycle(client: ApiClient) -> None:
    shown = client.get("/v1/lifecycle").json()

    LifecycleOut.model_validate(shown)
    assert shown["states"] == list(Status)
    assert {"action": "respond", "from": "received", "to": "investigating"} in shown["transitions"]
    assert {t["action"] for t in shown["transitions"] if t["from"] == "merged"} == {"unmerge"}
    assert shown["mermaid"].startswith("stateDiagram-v2\n")


def test_every_second_counts_without_a_calendar(client: ApiClient) -> None:
    shown = preview(
        client,
        start="2026-11-22T09:00:00Z",
        target="PT4H",
        pauses=[["2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"]],
        calendar=None,
    )

    assert (shown["due_at"], shown["status"]) == ("2026-11-22T14:00:00Z", "running")
    assert [(s["from"], s["to"], s["counted"], s["reason"]) for s in shown["segments"]] == [
        ("2026-11-22T09:00:00Z", "2026-11-22T10:00:00Z", True, "open"),
        ("2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z", False, "paused"),
        ("2026-11-22T11:00:00Z", "2026-11-22T14:00:00Z", True, "open"),
    ]


def test_open_time_of_a_calendar(client: ApiClient) -> None:
    shown = preview(client, calendar=BERLIN, start="2026-11-22T09:00:00Z", target="PT4H")

    assert shown["due_at"] == "2026-11-23T12:00:00Z"
    assert [s["counted"] for s in shown["segments"]] == [False, True]


@pytest.mark.parametrize(
    "calendar", [None, {"timezone": "Europe/Berlin", "hours": None, "holidays": ["2026-11-23"]}]
)
def test_no_hours_is_always_open(client: ApiClient, calendar: dict[str, Any] | None) -> None:
    shown = preview(client, calendar=calendar, start="2026-11-22T09:00:00Z", target="PT48H")

    assert shown["due_at"] == "2026-11-24T09:00:00Z"


def test_months_are_of_the_calendars_zone(client: ApiClient) -> None:
    in_zone = preview(
        client, calendar={"timezone": "Europe/Berlin"}, start="2026-10-20T09:00:00Z", target="P1M"
    )
    in_utc = preview(client, start="2026-01-31T09:00:00Z", target="P1M")

    assert in_zone["due_at"] == "2026-11-20T10:00:00Z"
    assert in_utc["due_at"] == "2026-02-28T09:00:00Z"


def test_a_pause_without_an_end_leaves_it_open(client: ApiClient) -> None:
    shown = preview(
        client, start="2026-11-22T09:00:00Z", target="PT4H", pauses=[["2026-11-22T10:00:00Z", None]]
    )

    assert (shown["due_at"], shown["status"]) == (None, "paused")
    assert shown["segments"][-1] == {
        "from": "2026-11-22T10:00:00Z",
        "to": None,
        "counted": False,
        "reason": "paused",
    }


VALID = {"start": "2026-11-22T09:00:00Z", "target": "PT4H"}


WRONG = [
    ({"target": "4h"}, "/target"),
    ({"target": "-PT4H"}, "/target"),
    ({"target": None}, "/target"),
    ({"target": "2 working weeks"}, "/target"),
    ({"target": "3661 working days"}, "/target"),
    ({"kind": "resolution"}, "/kind"),
    ({"policy": "telecom-handbook"}, "/kind"),
    ({"policy": "telecom-handbook", "kind": "resolution"}, "/target"),
    ({"start": "2026-11-22"}, "/start"),
    ({"start": 1763802000}, "/start"),
    ({"zone": "UTC"}, "/zone"),
    ({"calendar": {}}, "/calendar/timezone"),
    ({"calendar": {"timezone": "Mars/Olympus"}}, "/calendar/timezone"),
    ({"calendar": {"timezone": "UTC", "hours": {"mon": [["18:00", "09:00"]]}}}, "/calendar/hours/mon/0"),
    ({"calendar": {"timezone": "UTC", "holydays": []}}, "/calendar/holydays"),
    ({"calendar": {"timezone": "UTC", "hours": {}}}, "/calendar"),
    ({"calendar": "UTC"}, "/calendar"),
    ({"pauses": [["2026-11-22T11:00:00Z", "2026-11-22T10:00:00Z"]]}, "/pauses/0"),
    ({"pauses": [["2026-11-22T11:00:00Z"]]}, "/pauses/0/1"),
]


def test_what_is_wrong_is_named(client: ApiClient, subtests: pytest.Subtests) -> None:
    for change, pointer in WRONG:
        with subtests.test(str(change)[:80]):
            answer = client.post("/v1/deadlines/preview", json=VALID | change)

            assert answer.status_code == 422
            found = [e["pointer"] for e in answer.json()["errors"]]
            assert len(found) == 1
            assert found[0].startswith(pointer)


WRITTEN_TARGETS = [
    ("2 working days", "2026-11-24T17:00:00Z"),  # closing time of Tuesday
    ("4 working hours", "2026-11-23T12:00:00Z"),
    ("4 elapsed hours", "2026-11-22T13:00:00Z"),
    ("1 calendar month", "2026-12-22T09:00:00Z"),
    ("1 working days from the next day", "2026-11-23T17:00:00Z"),
]


def test_a_target_as_policies_write_it(client: ApiClient, subtests: pytest.Subtests) -> None:
    for target, due_at in WRITTEN_TARGETS:
        with subtests.test(target):
            days = ("mon", "tue", "wed", "thu", "fri")
            office = {"timezone": "Europe/Berlin", "hours": {day: [["09:00", "18:00"]] for day in days}}
            shown = preview(client, calendar=office, start="2026-11-22T09:00:00Z", target=target)
            assert (shown["due_at"], shown["status"], set(shown)) == (
                due_at,
                "running",
                {"due_at", "status", "segments"},
            )
            assert shown["segments"][0]["from"] == "2026-11-22T09:00:00Z"
            assert shown["segments"][-1]["to"] == due_at


def by_policy(client: ApiClient, **members: Any) -> dict[str, Any]:
    return preview(client, policy="telecom-handbook", start="2026-01-05T01:00:00Z", **members)


def test_a_kind_by_a_policy_has_its_ladder_too(client: ApiClient, scenario: Scenario) -> None:
    posted = scenario.post()
    shown = by_policy(client, kind="resolution")
    deadline = next(d for d in posted.deadlines if d.kind == "resolution")
    address = f"/v1/complaints/{posted.id}/deadlines/{deadline.id}/explanation"
    explained = client.get(address).json()
    of_complaint = {"policy_chosen_by": {}, "other_policy": None}
    assert explained.items() >= of_complaint.items()
    assert shown | of_complaint == explained | {
        "status": "running",
        "policy": {"code": "telecom-handbook", "version": 1},
    }
    assert by_policy(client, kind="resolution", category="network.outage")["due_at"] == shown["due_at"]


def test_other_kinds_priorities_and_pauses_by_a_policy(client: ApiClient) -> None:
    assert by_policy(client, kind="follow_up")["due_at"] == "2026-02-05T01:00:00Z"
    assert (
        by_policy(client, kind="follow_up", priority="high", sequence=3)["due_at"] == "2026-04-05T01:00:00Z"
    )
    assert by_policy(client, kind="closure", priority="high")["due_at"] == "2026-04-12T01:00:00Z"
    paused = by_policy(client, kind="resolution", pauses=[["2026-01-05T02:00:00Z", "2026-01-05T05:00:00Z"]])
    assert (paused["due_at"], paused["steps"][0]["planned_at"]) == (
        "2026-01-07T04:00:00Z",
        "2026-01-06T04:00:00Z",
    )
    endless = by_policy(client, kind="resolution", pauses=[["2026-01-05T02:00:00Z", None]])
    assert (endless["due_at"], endless["status"], endless["steps"]) == (None, "paused", [])


def test_a_repeating_step_is_shown_with_its_first_repetition(client: ApiClient) -> None:
    document = client.get("/v1/policies/telecom-handbook/1").json()["document"]
    document["deadlines"]["resolution"]["ladder"][-1]["repeat"] = "1d"
    assert client.post("/v1/policies", json=document).status_code == 201
    steps = by_policy(client, kind="resolution")["steps"]
    assert [(s["step"], s["repeat"]) for s in steps[-2:]] == [("+24h", "1d"), ("+24h/1", "1d")]
    assert steps[-1]["planned_at"] == "2026-01-09T01:00:00Z"


WRONG_TRIALS = [
    ({"policy": "telecom-handbok"}, "/policy", "did you mean 'telecom-handbook'?"),
    ({"kind": "promise"}, "/kind", "the one promised"),
    ({"kind": "follow_up", "sequence": 2}, "/sequence", "has 1 follow-ups"),
    ({"category": "network.outrage"}, "/category", "did you mean 'network.outage'?"),
    ({"calendar": {"timezone": "UTC"}}, "/calendar", "does not go with a policy"),
    ({"pauses": [["2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"]] * 101}, "/pauses", "at most 100"),
]


def test_what_is_wrong_with_a_trial_is_named(client: ApiClient, subtests: pytest.Subtests) -> None:
    for change, pointer, hint in WRONG_TRIALS:
        with subtests.test(str(change)):
            body = {"policy": "telecom-handbook", "kind": "resolution", "start": "2026-11-22T09:00:00Z"}
            answer = client.post("/v1/deadlines/preview", json=body | change)
            (error,) = answer.json()["errors"]
            assert (answer.status_code, error["pointer"], hint in error["message"]) == (422, pointer, True)


def test_elapsed(client: ApiClient) -> None:
    body = {"calendar": BERLIN, "start": "2026-11-23T07:00:00Z", "end": "2026-11-23T10:00:00Z"}
    pauses = [["2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z"]]

    open_time = client.post("/v1/deadlines/elapsed", json=body).json()
    unpaused = client.post("/v1/deadlines/elapsed", json=body | {"pauses": pauses}).json()
    backwards = client.post("/v1/deadlines/elapsed", json=body | {"end": "2026-11-22T10:00:00Z"}).json()

    ElapsedOut.model_validate(open_time)
    assert [a["elapsed_seconds"] for a in (open_time, unpaused, backwards)] == [7200, 5400, 0]


def test_any_key_will_do_but_one_there_must_be(client: ApiClient, scenario: Scenario) -> None:
    for role in (AccessRole.INTAKE, AccessRole.AUDITOR):
        headers = scenario.key(role)
        assert client.post("/v1/deadlines/preview", json=VALID, headers=headers).status_code == 200
        assert client.get("/v1/lifecycle", headers=headers).status_code == 200
    assert client.get("/v1/lifecycle", headers={"Authorization": ""}).status_code == 401


def test_a_repeated_question_gets_the_same_answer(client: ApiClient) -> None:
    headers = {"Idempotency-Key": "preview-1"}
    first = client.post("/v1/deadlines/preview", json=VALID, headers=headers)
    again = client.post("/v1/deadlines/preview", json=VALID, headers=headers)
    other = client.post("/v1/deadlines/preview", json=VALID | {"target": "PT5H"}, headers=headers)

    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert other.status_code == 422


def test_the_cases_all_systems_agree_on(client: ApiClient) -> None:
    if not CASES.exists():
        pytest.skip(f"the shared cases are not beside this checkout: {CASES}")
    cases = json.loads(CASES.read_text("utf-8"))
    for case in cases["due"]:
        calendar = calendar_of(case)
        shown = preview(
            client,
            calendar=calendar,
            start=case["start"],
            target=f"PT{case['target_seconds']}S",
            pauses=case["pauses"],
        )
        assert instant(shown["due_at"]) == instant(case["expected_due"]), case["id"]
    for case in cases["elapsed"]:
        body = {"calendar": calendar_of(case), **{n: case[n] for n in ("start", "end", "pauses")}}
        answer = client.post("/v1/deadlines/elapsed", json=body)
        assert answer.json()["elapsed_seconds"] == case["expected_elapsed_seconds"], case["id"]


def calendar_of(case: dict[str, Any]) -> dict[str, Any]:
    return {"timezone": case["tz"], **{n: case[n] for n in ("hours", "holidays", "overrides") if n in case}}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
