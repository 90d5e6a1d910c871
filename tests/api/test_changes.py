"""The feed of changes over the API."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from complaints.api.complaints.feed_watch import FeedWatch
from complaints.api.complaints.history_schemas import ChangesPage
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from complaints.storage.rows.event import event
from complaints.use_cases.complaints import history
from complaints.wiring import new_id
from tests.api_client import ApiClient
from tests.support import Scenario


def test_the_feed_has_every_event_in_commit_order(client: ApiClient, scenario: Scenario) -> None:
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
        "number", "source", "external_id", "status", "subject",
    }  # fmt: skip


def test_the_cursor_is_valid_when_there_is_nothing_new(client: ApiClient, scenario: Scenario) -> None:
    start = client.get("/v1/changes").json()
    assert start["items"] == []
    assert start["next_cursor"]

    scenario.post()
    news = client.get("/v1/changes", params={"after": start["next_cursor"]}).json()
    none = client.get("/v1/changes", params={"after": news["next_cursor"]}).json()
    scenario.post()
    more = client.get("/v1/changes", params={"after": none["next_cursor"]}).json()

    assert [len(answer["items"]) for answer in (news, none, more)] == [1, 0, 1]


def test_pages_neither_skip_nor_repeat(client: ApiClient, scenario: Scenario) -> None:
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


def test_the_events_of_one_catch_up_are_in_order_of_time(client: ApiClient, scenario: Scenario) -> None:
    for severity in ("critical", "high", "normal", "low"):
        scenario.post(severity=severity)
        scenario.advance(minutes=17)
    after = client.get("/v1/changes").json()["next_cursor"]

    client.post("/v1/sandbox/clock/advance", json={"by": "P5D"})

    events = client.get("/v1/changes", params={"after": after, "limit": 200}).json()["items"]
    assert len(events) > 40
    times = [datetime.fromisoformat(e["at"]) for e in events]
    assert times == sorted(times)


def test_each_source_sees_its_own_events(client: ApiClient, scenario: Scenario) -> None:
    mine, _ = scenario.post(source="mine"), scenario.post(source="other")
    headers = scenario.key(AccessRole.INTAKE, source="mine")

    page = client.get("/v1/changes", headers=headers).json()

    assert [e["complaint_id"] for e in page["items"]] == [str(mine.id)]
    after = {"after": page["next_cursor"]}
    assert client.get("/v1/changes", params=after, headers=headers).json()["items"] == []


def test_an_event_names_its_complaint_and_its_new_status(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post(source="north", external_id="E1")
    scenario.act(complaint, "respond", message="We are on it.", contact_channel="phone")
    items = client.get("/v1/changes").json()["items"]
    assert {(e["number"], e["source"], e["external_id"]) for e in items} == {
        (number_of(complaint.sequence), "north", "E1")
    }
    assert [e["status"] for e in items] == ["received", "investigating", None]


def test_filters_choose_events_and_leave_the_cursor_alone(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    north = scenario.post(source="north", category="network.outage")
    scenario.post(source="south", category="billing.refund")
    scenario.act(north, "respond", message="We are on it.", contact_channel="phone")

    def walk(**query: object) -> list[str]:
        found, cursor = [], ""
        while True:
            page = client.get("/v1/changes", params={**query, "after": cursor, "limit": 1}).json()
            found += [f"{e['source']} {e['type']}" for e in page["items"]]
            if page["next_cursor"] == cursor:
                return found
            cursor = page["next_cursor"]

    responded = ["north complaint.responded"]
    for looked_at in (2, 20_000):
        monkeypatch.setattr(history, "_LOOKED_AT_ONCE", looked_at)
        monkeypatch.setattr(history, "MOST_LOOKED_AT", looked_at)
        assert walk(type="complaint.responded") == responded
        assert walk(type=["complaint.created", "complaint.responded"], source="north") == [
            "north complaint.created", *responded,
        ]  # fmt: skip
        assert walk(team="management") == ["south complaint.created"]
        assert walk(source="nowhere") == []
    cursor = client.get("/v1/changes", params={"source": "south"}).json()["next_cursor"]
    assert client.get("/v1/changes", params={"after": cursor}).json()["items"] == []
    answer = client.get("/v1/changes", params={"type": "complaint.create"}).json()
    assert answer["errors"][0]["message"].endswith("did you mean 'complaint.created'?")


def test_now_is_the_end_of_the_feed(client: ApiClient, scenario: Scenario) -> None:
    scenario.post()
    now = client.get("/v1/changes", params={"after": "now"}).json()
    posted = scenario.post()
    later = client.get("/v1/changes", params={"after": now["next_cursor"]}).json()
    assert now["items"] == []
    assert [e["complaint_id"] for e in later["items"]] == [str(posted.id)]


def test_a_cursor_of_another_history_is_refused(client: ApiClient, scenario: Scenario) -> None:
    """After a restore, new events take the numbers of events that the reader has seen."""
    scenario.post()
    cursor = client.get("/v1/changes").json()["next_cursor"]
    scenario.service.write(lambda tx: tx.connection.execute(update(event).values(id=new_id())))
    answer = client.get("/v1/changes", params={"after": cursor})
    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/feed-set-back")


def test_a_reader_may_wait_for_events(client: ApiClient, scenario: Scenario) -> None:
    mine = scenario.key(AccessRole.INTAKE, source="mine")
    now = client.get("/v1/changes", params={"after": "now"}).json()["next_cursor"]
    with ThreadPoolExecutor(60) as pool:
        others = [
            pool.submit(client.get, "/v1/changes", params={"after": now, "wait": 20}) for _ in range(50)
        ]
        own = pool.submit(client.get, "/v1/changes", params={"after": now, "wait": 20}, headers=mine)
        scenario.post(source="other")
        assert {len(one.result().json()["items"]) for one in others} == {1}
        assert not own.done()
        scenario.post(source="mine")
        assert [e["source"] for e in own.result().json()["items"]] == ["mine"]
    began = time.monotonic()
    assert client.get("/v1/changes", params={"after": "now", "wait": 1}).json()["items"] == []
    assert 1 <= time.monotonic() - began < 5


def test_nobody_waits_while_the_process_drains() -> None:
    async def drain() -> float:
        watch, loop = FeedWatch(), asyncio.get_running_loop()
        service = SimpleNamespace(read=lambda _work: 0)
        waits = [loop.create_task(watch.wait_beyond(service, 0, 30)) for _ in range(3)]  # type: ignore[arg-type]
        await asyncio.sleep(0.01)
        began = loop.time()
        watch.end_waits()
        await asyncio.gather(*waits, watch.wait_beyond(service, 0, 30))  # type: ignore[arg-type]
        return loop.time() - began

    assert asyncio.run(drain()) < 1


BAD_QUERIES = [
    ("after=nonsense", 400),
    ("after=eyJraW5kIjoidGltZWxpbmUiLCJhZnRlciI6MX0", 400),  # of another list
    ("cursor=x", 400),
    ("fields=secret", 400),
    ("limit=0", 422),
    ("limit=1001", 422),
    ("limit=many", 422),
    ("wait=31", 422),
    ("wait=-1", 422),
    ("type=complaint.create", 422),
    ("team=operatons", 422),
    ("after=eyJraW5kIjoiY2hhbmdlcyIsImFmdGVyIjo5OTk5OTl9", 410),
    ("after=eyJraW5kIjoiY2hhbmdlcyIsImFmdGVyIjo5OTk5OTl9&wait=30", 410),
    ("after=eyJraW5kIjoiY2hhbmdlcyIsImFmdGVyIjowLCJpZCI6IngifQ", 400),
]


def test_bad_queries_are_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for query, status in BAD_QUERIES:
        with subtests.test(query):
            assert client.get(f"/v1/changes?{query}").status_code == status


def test_the_feed_is_json_for_every_accept_header(client: ApiClient) -> None:
    answer = client.get("/v1/changes", headers={"Accept": "application/json"})

    assert answer.headers["content-type"] == "application/json"
