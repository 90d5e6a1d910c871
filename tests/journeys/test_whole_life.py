"""One complaint's whole life through a real server: 24 hours, 48 hours and three months, and twice over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2
import pytest

from complaints.domain.complaint.texts import hide_texts
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET, check_all, opened_service

POST = {
    "channel": "phone",
    "subject": "No signal since Monday",
    "description": "两栋楼都没有信号。",
    "source": "cc-north",
    "external_id": "CALL-88123",
    "severity": "high",
    "category": "network.outage",
    "region": "CN-31",
    "complainant": {
        "name": "王敏",
        "phone": "+8613800000000",
        "preferred_contact": "phone",
        "language": "zh-CN",
    },
    "tags": ["vip"],
    "attributes": {"cell": "SH-0423"},
}
RESOLVE: dict[str, Any] = {
    "action": "resolve",
    "resolution": "Cell repaired.",
    "outcome": "upheld",
    "cause": "technical",
}
TOLD: dict[str, Any] = {"message": "It works again.", "contact_channel": "phone"}


@dataclass(frozen=True)
class Desk:
    """What a person at a desk does with one complaint over the API."""

    http: httpx2.Client
    id: str

    def get(self) -> dict[str, Any]:
        return _json(self.http.get(f"/v1/complaints/{self.id}"), 200)

    def act(self, action: str, status: int = 200, **members: Any) -> dict[str, Any]:
        answer = self.http.post(f"/v1/complaints/{self.id}/transitions", json={"action": action, **members})
        return _json(answer, status)

    def advance(self, by: str) -> tuple[int, int, int]:
        """How many escalations, resumptions and reminders that brought."""
        return _moved(self.http.post("/v1/sandbox/clock/advance", json={"by": by}))

    def set_clock(self, now: str) -> tuple[int, int, int]:
        return _moved(self.http.put("/v1/sandbox/clock", json={"now": now}))

    def deadlines(self, kind: str, cycle: int = 1) -> list[dict[str, Any]]:
        return [d for d in self.get()["deadlines"] if (d["kind"], d["cycle"]) == (kind, cycle)]

    def pages(self, path: str, **asked: str) -> list[dict[str, Any]]:
        """Every item of a list, page by page."""
        items: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next_cursor": None}
        while page["next_cursor"] is not None or not items:
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
            page = _json(self.http.get(path, params={"limit": "7", **asked, **cursor}), 200)
            items += page["items"]
        return items

    def changes(self) -> list[dict[str, Any]]:
        """The whole feed, page by page, until it says nothing new."""
        items: list[dict[str, Any]] = []
        page: dict[str, Any] = {"items": [{}], "next_cursor": ""}
        while page["items"]:
            page = _json(
                self.http.get("/v1/changes", params={"limit": "7", "after": page["next_cursor"]}), 200
            )
            items += page["items"]
        return items


def _json(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _moved(answer: httpx2.Response) -> tuple[int, int, int]:
    moved = _json(answer, 200)
    return moved["escalations"], moved["resumed"], moved["reminders"]


@pytest.fixture
def http(launcher: Launcher, database_url: str) -> Iterator[httpx2.Client]:
    """A client of a server on a sandbox whose clock stands at 2026-01-05T01:00Z, 09:00 in Shanghai."""
    with launcher.serve(database_url, sandbox=1).client(ADMIN_SECRET) as client:
        yield client


def test_a_complaint_lives_to_a_closed_loop(
    http: httpx2.Client, launcher: Launcher, database_url: str
) -> None:
    desk = _posted_once(http)
    for chapter in CHAPTERS:
        chapter(desk)

    with opened_service(database_url) as service:
        assert list(check_all(service)) == []
    check = launcher.run("check", url=database_url, sandbox=1)
    assert (check.wait(), "Every invariant holds." in check.output) == (0, True)


def _posted_once(http: httpx2.Client) -> Desk:
    first = http.post("/v1/complaints", json=POST, headers={"Idempotency-Key": "call-88123"})
    again = http.post("/v1/complaints", json=POST, headers={"Idempotency-Key": "call-88123"})
    same_call = http.post("/v1/complaints", json=POST)

    made = _json(first, 201)
    assert first.headers["Location"] == f"/v1/complaints/{made['id']}"
    assert (again.status_code, again.content) == (201, first.content)
    assert (again.headers["Idempotency-Replayed"], again.headers["ETag"]) == ("true", first.headers["ETag"])
    assert (same_call.status_code, same_call.json()["id"]) == (200, made["id"])
    other = http.post(
        "/v1/complaints", json=POST | {"subject": "x"}, headers={"Idempotency-Key": "call-88123"}
    )
    assert other.status_code == 422
    return Desk(http, made["id"])


def _promised_24_and_48_hours(desk: Desk) -> None:
    complaint = desk.get()
    assert (complaint["status"], complaint["priority"], complaint["overdue"]) == ("received", "high", False)
    assert (complaint["team"], complaint["first_owner"]) == ("operations", "admin")
    due = {d["kind"]: (d["status"], d["due_at"]) for d in complaint["deadlines"]}
    assert due == {
        "first_response": ("running", "2026-01-06T01:00:00Z"),
        "resolution": ("running", "2026-01-07T01:00:00Z"),
    }
    assert complaint["next_due_at"] == "2026-01-06T01:00:00Z"


def _left_alone_it_escalates(desk: Desk) -> None:
    assert desk.advance("PT24H") == (0, 0, 3)  # due, to the second: not breached yet
    assert desk.get()["overdue"] is False
    assert desk.advance("PT1H") == (1, 0, 0)
    assert desk.advance("PT0S") == (0, 0, 0)

    assert desk.get()["overdue"] is True
    [response] = desk.deadlines("first_response")
    assert (response["status"], response["level"]) == ("breached", 1)
    assert response["breached_at"] == "2026-01-06T01:00:00Z"
    taken = desk.pages("/v1/escalations", complaint=desk.id)
    assert sorted((e["kind"], e["step"], e["level"], e["planned_at"]) for e in taken) == [
        ("first_response", "100%", 1, "2026-01-06T01:00:00Z"),
        ("first_response", "50%", 0, "2026-01-05T13:00:00Z"),
        ("first_response", "80%", 0, "2026-01-05T20:12:00Z"),
        ("resolution", "50%", 0, "2026-01-06T01:00:00Z"),
    ]
    assert {recipient for e in taken for recipient in e["recipients"]} == {"admin"}


def _an_answer_ends_the_first_clock(desk: Desk) -> None:
    complaint = desk.act("respond", message="We are on it.", contact_channel="phone")
    assert (complaint["status"], complaint["overdue"]) == ("investigating", False)
    [response] = desk.deadlines("first_response")
    assert (response["status"], response["met_at"]) == ("met_late", "2026-01-06T02:00:00Z")
    assert response["breached_at"] == "2026-01-06T01:00:00Z"


def _who_acts_on_an_old_version_is_refused(desk: Desk) -> None:
    path, old = f"/v1/complaints/{desk.id}", {"If-Match": '"1"'}
    before = desk.http.get(path)
    stale = desk.http.patch(path, json={"region": "CN-32"}, headers=old)
    call = {"action": "escalate", "reason": "x", "role": "executive"}
    stale_action = desk.http.post(f"{path}/transitions", json=call, headers=old)
    assert [_json(answer, 412)["type"] for answer in (stale, stale_action)] == ["/problems/stale-version"] * 2
    assert desk.http.get(path).content == before.content
    fresh = desk.http.patch(path, json={"region": "CN-32"}, headers={"If-Match": before.headers["ETag"]})
    assert _json(fresh, 200)["region"] == "CN-32"


def _what_is_not_legal_changes_nothing(desk: Desk) -> None:
    before = desk.get()
    refused = desk.act("close", status=409, root_cause="fibre")
    assert refused["type"] == "/problems/transition-refused"
    assert "resolve" in refused["allowed"]
    assert "close" not in refused["allowed"]
    assert sorted(refused["allowed"]) == sorted(before["allowed_actions"])
    assert desk.get() == before


def _waiting_for_the_complainant_stops_the_clock(desk: Desk) -> None:
    held = desk.act("hold", reason="awaiting_complainant", until="2026-01-07T02:00:00Z")
    assert (held["status"], held["next_due_at"]) == ("on_hold", None)
    [resolution] = desk.deadlines("resolution")
    assert (resolution["status"], resolution["due_at"]) == ("paused", "2026-01-08T01:00:00Z")

    assert desk.advance("PT25H") == (0, 1, 0)

    assert desk.get()["status"] == "investigating"
    [resolution] = desk.deadlines("resolution")
    assert (resolution["status"], resolution["due_at"]) == ("running", "2026-01-08T01:00:00Z")
    assert resolution["paused_seconds"] == 24 * 3600


def _a_result_counts_when_it_is_told(desk: Desk) -> None:
    assert desk.act(**RESOLVE)["status"] == "resolved"
    assert desk.deadlines("resolution")[0]["status"] == "running"
    answer = desk.act("notify_result", **TOLD)
    assert (answer["status"], answer["result"]["told_at"]) == ("following_up", "2026-01-07T03:00:00Z")
    assert desk.deadlines("resolution")[0]["status"] == "met"
    assert [(d["sequence"], d["due_at"]) for d in desk.deadlines("follow_up")] == [
        (1, "2026-02-07T03:00:00Z"),
        (2, "2026-03-07T03:00:00Z"),
        (3, "2026-04-07T03:00:00Z"),
    ]
    assert [d["due_at"] for d in desk.deadlines("closure")] == ["2026-04-14T03:00:00Z"]


def _who_is_not_reached_is_tried_again(desk: Desk) -> None:
    assert desk.set_clock("2026-02-06T03:00:00Z") == (0, 0, 1)
    desk.act("record_contact", outcome="unreachable")
    assert desk.advance("P1D") == (0, 0, 0)
    desk.act("record_contact", outcome="unreachable", note="No answer.")
    first = [d for d in desk.deadlines("follow_up") if d["sequence"] == 1]
    assert [(d["attempt"], d["status"], d["due_at"]) for d in first] == [
        (1, "met", "2026-02-07T03:00:00Z"),
        (2, "met", "2026-02-09T03:00:00Z"),
        (3, "running", "2026-02-10T03:00:00Z"),
    ]


def _not_solved_begins_a_second_cycle(desk: Desk) -> None:
    complaint = desk.act("record_contact", outcome="not_solved", note="It is back.", csat=1)
    assert (complaint["status"], complaint["cycle"], complaint["result"]) == ("investigating", 2, None)
    assert {d["status"] for d in desk.deadlines("follow_up") + desk.deadlines("closure")} == {
        "met",
        "cancelled",
    }
    assert [(d["kind"], d["status"], d["due_at"]) for d in complaint["deadlines"] if d["cycle"] == 2] == [
        ("resolution", "running", "2026-02-09T03:00:00Z")
    ]


def _the_second_result_is_told_in_time(desk: Desk) -> None:
    assert desk.advance("PT39H") == (0, 0, 2)
    desk.act(**RESOLVE)
    desk.act("notify_result", message="Antenna replaced.", contact_channel="sms")
    assert [d["status"] for d in desk.deadlines("resolution", cycle=2)] == ["met"]
    assert [d["due_at"] for d in desk.deadlines("follow_up", cycle=2)] == [
        "2026-03-08T18:00:00Z",
        "2026-04-08T18:00:00Z",
        "2026-05-08T18:00:00Z",
    ]


def _three_months_of_contact_close_the_loop(desk: Desk) -> None:
    for month, day in enumerate(("2026-03-08", "2026-04-08", "2026-05-08"), start=1):
        assert "follow-up" in desk.act("close", status=409, root_cause="antenna")["detail"]
        assert desk.set_clock(f"{day}T18:00:00Z") == (0, 0, 1), month
        desk.act("record_contact", outcome="solved", csat=5, nps=9)
    assert desk.act("close", status=422)["errors"][0]["pointer"] == "/root_cause"
    closed = desk.act("close", root_cause="antenna")
    assert (closed["status"], closed["overdue"], closed["next_due_at"]) == ("closed", False, None)
    assert closed["satisfaction"] == {"outcome": "solved", "csat": 5, "nps": 9}
    assert [d["status"] for d in closed["deadlines"] if d["cycle"] == 2] == ["met"] * 5


def _what_is_closed_stays_still(desk: Desk) -> None:
    before = desk.get()
    assert desk.advance("P2M") == (0, 0, 0)
    assert desk.get() == before


def _all_of_it_is_on_record(desk: Desk) -> None:
    events = desk.pages(f"/v1/complaints/{desk.id}/timeline")
    types = [e["type"].removeprefix("complaint.") for e in events]
    met, due = "deadline.met", "follow_up.due"
    assert types == [
        "created", *("deadline.warning",) * 3, "deadline.breached", "escalated",
        "responded", met, "updated", "held", "resumed", "resolved", "result_notified", met,
        due, "contact_recorded", met, "updated", "contact_recorded", met, "updated",
        "contact_recorded", met, "reopened", "deadline.warning", "deadline.warning",
        "resolved", "result_notified", met,
        *(due, "contact_recorded", met) * 3, met, "closed",
    ]  # fmt: skip
    happened = [datetime.fromisoformat(e["at"]) for e in events]
    assert happened == sorted(happened)
    without_texts = [{**e, "data": hide_texts(e["type"], e["data"], "***")} for e in events]
    assert [{name: change[name] for name in events[0]} for change in desk.changes()] == without_texts
    steps = [(e["deadline_id"], e["step"]) for e in desk.pages("/v1/escalations", complaint=desk.id)]
    assert len(steps) == len(set(steps)) == 10


CHAPTERS: tuple[Callable[[Desk], None], ...] = (
    _promised_24_and_48_hours,
    _left_alone_it_escalates,
    _an_answer_ends_the_first_clock,
    _who_acts_on_an_old_version_is_refused,
    _what_is_not_legal_changes_nothing,
    _waiting_for_the_complainant_stops_the_clock,
    _a_result_counts_when_it_is_told,
    _who_is_not_reached_is_tried_again,
    _not_solved_begins_a_second_cycle,
    _the_second_result_is_told_in_time,
    _three_months_of_contact_close_the_loop,
    _what_is_closed_stays_still,
    _all_of_it_is_on_record,
)
