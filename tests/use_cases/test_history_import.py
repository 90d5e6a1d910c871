"""Rule 2.14: complaints that ended in another system come in as ended, and stay quiet."""

from pathlib import Path
from typing import Any

import pytest

from complaints.storage.database import transactions
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.importing.uploads import (
    ImportRequest,
    check_file,
    list_errors,
    load_import,
    start_import,
)
from complaints.wiring import open_import_worker
from tests.api_client import ApiClient
from tests.support import Scenario, check_all

Options = list[tuple[str, str]]
COMCAST = Path(__file__).parents[3] / "shared" / "data" / "comcast_fcc_complaints_2015.csv"
HEADER = "external_id,subject,received_at,State,Done,Told,Result,phone\n"
MAPPED = [
    ("set.channel", "phone"), ("map.status", "State"), ("map.closed_at", "Done"), ("map.result_told_at", "Told"),
    ("map.outcome", "Result"), ("set.category", "network.outage"), ("map_value.status:Storniert", "withdrawn"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "PAUSE_SECONDS", 0)


def take(scenario: Scenario, content: bytes, options: Options) -> tuple[tuple[int, int], dict[int, str]]:
    """Import a file. Returns the numbers of accepted and known rows, and the first fault of each failed row."""
    service = scenario.service
    checked = check_file(SYSTEM, ImportRequest(content, "text/csv", None, tuple(options)))
    job = service.write(lambda tx: start_import(service, tx, SYSTEM, checked))
    assert open_import_worker(service).work_on(job.id)
    done = service.read(lambda tx: load_import(tx, SYSTEM, job.id))
    errors = service.read(lambda tx: list_errors(tx, job, after=0, limit=200))
    return (done.accepted, done.duplicates), {row["row"]: row["errors"][0]["message"] for row in errors}


def find(client: ApiClient, **query: Any) -> list[Any]:
    found: list[Any] = client.get("/v1/complaints", params={"limit": 200, **query}).json()["items"]
    return found


def test_rule_2_14_ended_complaints_keep_their_times_and_start_nothing(
    scenario: Scenario, client: ApiClient
) -> None:
    content = HEADER + (
        "H1,No signal,2025-11-03T08:00:00Z,closed,2025-11-05T09:00:00Z,2025-11-04T10:00:00Z,upheld,13800138000\n"
        "H2,No dial tone,2025-06-03T08:00:00Z,Storniert,,,,13800138001\n"
        "H3,Slow,2025-12-03T08:00:00Z,received,,,,13800138002\n"
        "H4,Before,2025-12-03T08:00:00Z,closed,2025-12-02T08:00:00Z,,,\n"
        "H5,Future,2025-12-03T08:00:00Z,closed,2026-01-05T01:00:01Z,,,\n"
        "H6,Told late,2025-12-03T08:00:00Z,closed,2025-12-05T08:00:00Z,2025-12-06T08:00:00Z,,\n"
    )  # fmt: skip
    assert take(scenario, content.encode(), MAPPED) == (
        (3, 0),
        {
            4: "closed_at lies before received_at.",
            5: "closed_at lies in the future.",
            6: "closed_at lies before result_told_at.",
        },
    )
    [closed], [withdrawn], [open_one] = (find(client, external_id=f"H{n}") for n in (1, 2, 3))
    assert (closed["status"], closed["received_at"]) == ("closed", "2025-11-03T08:00:00Z")
    result = closed["result"]
    assert (result["outcome"], result["resolved_at"], result["told_at"]) == (
        "upheld",
        *["2025-11-04T10:00:00Z"] * 2,
    )
    assert withdrawn["result"] is None
    assert (withdrawn["status"], withdrawn["attributes"]) == ("withdrawn", {"State": "Storniert"})
    assert (closed["deadlines"], closed["overdue"], closed["next_due_at"]) == ([], False, None)
    [event] = client.get(f"/v1/complaints/{closed['id']}/timeline").json()["items"]
    assert event["type"] == "complaint.imported_ended"
    assert event["data"]["changes"]["ended_at"] == "2025-11-05T09:00:00Z"
    assert event["data"]["closed_at_known"] is True
    [event] = client.get(f"/v1/complaints/{withdrawn['id']}/timeline").json()["items"]
    assert event["data"]["changes"]["ended_at"] == withdrawn["received_at"]
    assert event["data"]["closed_at_known"] is False

    scenario.advance(days=120)
    assert [one["external_id"] for one in find(client, overdue="true")] == ["H3"]
    assert open_one["status"] == "received"
    escalated = client.get("/v1/escalations", params={"limit": 200}).json()["items"]
    assert {one["complaint_id"] for one in escalated} == {open_one["id"]}
    assert client.get("/v1/followups").json()["items"] == []
    assert list(check_all(scenario.service)) == []

    changed = "".join(content.replace("No signal", "No signal at all").splitlines(keepends=True)[:4])
    assert take(scenario, changed.encode(), MAPPED) == ((0, 3), {})
    assert len(client.get(f"/v1/complaints/{closed['id']}/timeline").json()["items"]) == 1


def test_rule_2_14_history_counts_as_an_earlier_complaint_and_can_be_reopened(
    scenario: Scenario, client: ApiClient
) -> None:
    content = HEADER + (
        "R1,No signal,2025-12-20T08:00:00Z,closed,2025-12-30T09:00:00Z,,,13800138000\n"
        "R2,No signal,2025-08-20T08:00:00Z,closed,2025-08-30T09:00:00Z,,,13800138001\n"
    )  # fmt: skip
    assert take(scenario, content.encode(), MAPPED) == ((2, 0), {})
    [recent], [old] = (find(client, external_id=f"R{n}") for n in (1, 2))
    person = {"phone": "13800138000"}
    again = scenario.post(category="network.outage", complainant=person)
    assert again.priority == "high"

    reason = {"action": "reopen", "reason": "It is back."}
    reopened = client.post(f"/v1/complaints/{recent['id']}/transitions", json=reason).json()
    assert (reopened["status"], reopened["cycle"]) == ("investigating", 2)
    assert {d["kind"] for d in reopened["deadlines"]} == {"first_response", "resolution"}
    assert {d["started_at"] for d in reopened["deadlines"]} == {"2026-01-05T01:00:00Z"}
    refused = client.post(f"/v1/complaints/{old['id']}/transitions", json=reason)
    assert refused.status_code == 409
    assert list(check_all(scenario.service)) == []


def test_a_team_of_the_other_system_takes_the_place_of_routing(scenario: Scenario, client: ApiClient) -> None:
    content = b"external_id,subject,Team,State\nT1,a,Nord,closed\nT2,b,Nord,received\nT3,c,West,closed\n"
    options = [
        ("set.channel", "phone"),
        ("map.team", "Team"),
        ("map.status", "State"),
        ("map_value.team:nord", "management"),
    ]
    assert take(scenario, content, options) == ((2, 0), {3: "There is no active team 'West'."})
    assert {one["external_id"]: one["team"] for one in find(client)} == {
        "T1": "management",
        "T2": "management",
    }


def test_the_closed_complaints_of_a_carrier_are_over(scenario: Scenario, client: ApiClient) -> None:
    """The first rows of the file; `tests/domain` reads all of them."""
    if not COMCAST.exists():
        pytest.skip("the file is not at hand: it is not part of the project")
    content = b"".join(COMCAST.read_bytes().splitlines(keepends=True)[:200])
    options = [
        ("map.subject", "Customer Complaint"), ("map.external_id", "Ticket #"), ("map.received_at", "Date+Time"),
        ("set.channel", "phone"), ("date_format", "%d-%m-%y %I:%M:%S %p"), ("timezone", "America/New_York"),
        ("unmapped", "attributes"), ("dates", "swap_ambiguous"), ("history", "true"),
    ]  # fmt: skip
    (accepted, _), faults = take(scenario, content, options)
    assert (accepted, faults) == (199, {})
    assert find(client, overdue="true") == []
    assert len(find(client, status="closed")) == 199
    assert list(check_all(scenario.service)) == []
