"""The feed of changes over the API."""

from datetime import datetime

import pytest
from starlette.testclient import TestClient

from complaints.api.complaints.history_schemas import ChangesPage
from complaints.domain.vocabulary import AccessRole
from tests.support import Scenario


def test_the_feed_has_every_event_in_commit_order(client: TestClient, scenario: Scenario) -> None:
    first, second = scenario.post(), scenario.post()
    scenario.act(first, "respond", message="We are on it.", contact_channel="phone")

    absent, empty = client.get("/v1/changes").json(), client.get("/v1/changes?after=").json()

    ChangesPage.model_validate(absent)
    assert absent == empty
    assert [(e["complaint_id"], e["type"]) for e in absent["items"]] == [
        (str(first.id), "complaint.created"),
        (str(second.id), "complaint.created"),
        (str(first.id), "complaint.responded"),
        (str(first.id), "deadline.met"),
    ]
    assert set(absent["items"][0]) == {
        "id", "sequence", "type", "complaint_id", "version", "at", "actor", "data",
    }  # fmt: skip


def test_the_cursor_is_valid_when_there_is_nothing_new(client: TestClient, scenario: Scenario) -> None:
    start = client.get("/v1/changes").json()
    assert start["items"] == []
    assert start["next_cursor"]

    scenario.post()
    news = client.get("/v1/changes", params={"after": start["next_cursor"]}).json()
    none = client.get("/v1/changes", params={"after": news["next_cursor"]}).json()
    scenario.post()
    more = client.get("/v1/changes", params={"after": none["next_cursor"]}).json()

    assert [len(answer["items"]) for answer in (news, none, more)] == [1, 0, 1]


def test_pages_neither_skip_nor_repeat(client: TestClient, scenario: Scenario) -> None:
    for _ in range(7):
        scenario.post()
    found: list[int] = []
    after = ""
    while True:
        page = client.get("/v1/changes", params={"after": after, "limit": 2, "fields": "sequence"}).json()
        after = page["next_cursor"]
        if not page["items"]:
            break
        found += [item["sequence"] for item in page["items"]]

    assert len(found) == 7
    assert found == sorted(set(found))


def test_the_events_of_one_catch_up_are_in_order_of_time(client: TestClient, scenario: Scenario) -> None:
    for severity in ("critical", "high", "normal", "low"):
        scenario.post(severity=severity)
        scenario.advance(minutes=17)
    after = client.get("/v1/changes").json()["next_cursor"]

    client.post("/v1/sandbox/clock/advance", json={"by": "P5D"})

    events = client.get("/v1/changes", params={"after": after, "limit": 200}).json()["items"]
    assert len(events) > 40
    times = [datetime.fromisoformat(e["at"]) for e in events]
    assert times == sorted(times)


def test_each_source_sees_its_own_events(client: TestClient, scenario: Scenario) -> None:
    mine, _ = scenario.post(source="mine"), scenario.post(source="other")
    headers = scenario.key(AccessRole.INTAKE, source="mine")

    page = client.get("/v1/changes", headers=headers).json()

    assert [e["complaint_id"] for e in page["items"]] == [str(mine.id)]
    after = {"after": page["next_cursor"]}
    assert client.get("/v1/changes", params=after, headers=headers).json()["items"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("after=nonsense", 400),
        ("after=eyJraW5kIjoidGltZWxpbmUiLCJhZnRlciI6MX0", 400),  # of another list
        ("cursor=x", 400),
        ("fields=secret", 400),
        ("limit=0", 422),
        ("limit=201", 422),
        ("limit=many", 422),
    ],
)
def test_bad_queries_are_refused(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/v1/changes?{query}").status_code == status


def test_the_feed_is_json_for_every_accept_header(client: TestClient) -> None:
    answer = client.get("/v1/changes", headers={"Accept": "application/json"})

    assert answer.headers["content-type"] == "application/json"
