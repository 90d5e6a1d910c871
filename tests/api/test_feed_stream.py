"""The feed as a stream of server-sent events: the same events as the JSON form, read once for all listeners."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from complaints.api.app import create_app
from complaints.api.complaints import feed_reader, feed_stream
from complaints.api.complaints.feed_reader import FeedReaders
from complaints.api.complaints.feed_watch import FeedWatch
from complaints.domain.errors import Unavailable
from complaints.domain.vocabulary import AccessRole
from complaints.storage.rows.event import event
from complaints.wiring import new_id, wall_now
from tests.api.event_stream import OpenStream, streaming
from tests.api.test_sessions import open_session
from tests.api.wall_clock import Clock, wall_clock
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, Scenario, count_statements

AGENT, AUDITOR, INTAKE = AccessRole.AGENT, AccessRole.AUDITOR, AccessRole.INTAKE
clock = wall_clock
Json = dict[str, Any]
QUERIES: list[Json] = [
    {},
    {"type": ["complaint.linked", "complaint.note_added"]},
    {"source": "south"},
    {"team": "management", "fields": "sequence,type"},
    {"source": "nowhere"},
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers are looked up often, and streams without events say so often."""
    monkeypatch.setattr(feed_reader, "ACCESS_SECONDS", 0.1)
    monkeypatch.setattr(feed_stream, "HEARTBEAT_SECONDS", 0.3)


def pages(client: ApiClient, headers: Mapping[str, str], query: Json) -> list[Json]:
    """All events that the JSON form of the feed has."""
    found: list[Json] = []
    after = None
    while True:
        asked = {**query, "after": after or ""}
        page = client.get("/v1/changes", params=asked, headers=dict(headers)).json()
        if page["next_cursor"] == after:
            return found
        found += page["items"]
        after = page["next_cursor"]


def live(client: ApiClient, scenario: Scenario) -> None:
    """Events of two sources, with internal texts, with a service, and with ids of each other's complaints."""
    north = scenario.post(source="north", category="network.outage", attributes={"idcard": "a card"})
    service = {"type": "mobile", "id": "13912345678"}
    south = scenario.post(source="south", category="billing.refund", service=service)
    scenario.act(north, "respond", message="We are on it.", contact_channel="phone")
    for visibility in ("internal", "public"):
        note = {"text": "a word", "visibility": visibility}
        client.post(f"/v1/complaints/{north.id}/notes", json=note).raise_for_status()
    link = {"type": "related", "complaint_id": str(south.id)}
    client.post(f"/v1/complaints/{north.id}/links", json=link).raise_for_status()
    scenario.act(south, "assign", assignee="admin")


def test_a_stream_has_the_events_of_the_json_form(client: ApiClient, scenario: Scenario) -> None:
    """For every view: from memory at the head of the feed, and from the database behind it."""
    callers = [
        {},
        *(scenario.key(role) for role in (AGENT, AUDITOR)),
        *(scenario.key(*roles, source="north") for roles in ((INTAKE,), (INTAKE, AUDITOR))),
        scenario.key(INTAKE, source="south"),
    ]
    cases = [(headers, query) for headers in callers for query in QUERIES]

    async def follow() -> tuple[list[OpenStream], list[OpenStream]]:
        async with AsyncExitStack() as stack:
            open_all = [stack.enter_async_context(streaming(client, h, query=q)) for h, q in cases]
            at_head = [await one for one in open_all]
            await asyncio.to_thread(live, client, scenario)
            behind = [await stack.enter_async_context(streaming(client, h, query=q)) for h, q in cases]
            for stream, late, (headers, query) in zip(at_head, behind, cases, strict=True):
                expected = await asyncio.to_thread(pages, client, headers, query)
                await stream.until(lambda one, want=expected: len(one.events) >= len(want))  # type: ignore[misc]
                await late.until(lambda one, want=expected: len(one.events) >= len(want))  # type: ignore[misc]
                assert stream.events == late.events == expected, (headers, query)
                assert [m for m in stream.messages if m[1]] == [m for m in late.messages if m[1]]
            return at_head, behind

    streams, _ = asyncio.run(follow())
    assert len(streams[0].events) == 8
    assert {event["type"] for event in streams[1].events} == {"complaint.linked", "complaint.note_added"}
    assert "a word" not in streams[0].text
    assert {event["source"] for event in streams[2].events} == {"south"}
    assert streams[3].events[0].keys() == {"sequence", "type"}
    head = streams[0].headers
    assert head["content-type"] == "text/event-stream; charset=utf-8"
    assert (head["cache-control"], head["x-accel-buffering"]) == ("no-cache, no-store", "no")


def test_a_stream_goes_on_after_the_last_event_id(client: ApiClient, scenario: Scenario) -> None:
    for _ in range(4):
        scenario.post()

    async def follow() -> None:
        async with streaming(client) as whole, streaming(client, query={"after": "now"}) as empty:
            await whole.until(lambda one: len(one.events) == 4)
            await empty.until(lambda one: bool(one.messages))  # its place is named before any event
            assert whole.text.startswith("retry: ")
            ids = [cursor for cursor, _ in whole.messages]
            numbers = [found["sequence"] for found in whole.events]
        await asyncio.to_thread(scenario.post)
        for place, cursor in enumerate(ids, 1):
            head = {"Last-Event-ID": cursor}
            async with streaming(client, head, query={"after": "nonsense"}) as rest:
                await rest.until(lambda one, left=5 - place: len(one.events) == left)  # type: ignore[misc]
                assert [found["sequence"] for found in rest.events][: 4 - place] == numbers[place:]
            page = client.get("/v1/changes", params={"after": cursor}).json()["items"]
            assert page == rest.events
        async with streaming(client, {"Last-Event-ID": empty.last_id}) as later:
            await later.until(lambda one: len(one.events) == 1)
        async with streaming(client, {"Last-Event-ID": ""}) as again:
            await again.until(lambda one: len(one.events) == 5)

    asyncio.run(follow())


def test_many_listeners_cost_no_more_statements_than_one(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """With keys and sessions, with filters and without. Each post is a stretch of its own."""
    monkeypatch.setattr(feed_reader, "ACCESS_SECONDS", 5.0)
    made = {"login": "li.wei", "name": "Li Wei", "roles": ["agent"], "scope": "all"}
    client.post("/v1/users", json=made).raise_for_status()
    keys: list[Any] = [{}, scenario.key(AUDITOR), scenario.key(INTAKE, source="test")]
    sessions = [open_session(scenario.service, now=clock.now) for _ in range(3)]
    callers = [*keys, *sessions]

    async def count(listeners: int) -> tuple[int, int]:
        async with AsyncExitStack() as stack:
            streams = []
            for number in range(listeners):
                headers = callers[number % len(callers)]
                query = QUERIES[number % 2] | {"after": "now"}
                streams.append(await stack.enter_async_context(streaming(client, headers, query=query)))
            await asyncio.sleep(0.5)
            with count_statements(scenario.service) as looked:
                await asyncio.to_thread(scenario.post, source="test")
                await streams[0].until(lambda one: len(one.events) == 1)
                await asyncio.sleep(0.5)
            fitting = sum(bool(stream.events) for stream in streams)
            return fitting, len([one for one in looked if "event" in one[0] or "session" in one[0]])

    one, many = asyncio.run(count(1)), asyncio.run(count(60))
    assert (one[0], many[0]) == (1, 30)
    assert many[1] <= one[1] + 2


# For each user: how the stream is asked for, how its access ends, and the reason that the stream gives.
Change = Callable[[ApiClient, Json], Any]
ENDS: dict[str, tuple[str, Change, str]] = {
    "revoked": ("key", lambda client, ids: client.delete(f"/v1/keys/{ids['key']}"), "unauthenticated"),
    "signed-out": (
        "session",
        lambda client, ids: client.delete(f"/v1/sessions/{ids['session']}"),
        "unauthenticated",
    ),
    "dismissed": (
        "session",
        lambda client, _: client.patch("/v1/users/dismissed", json={"active": False}),
        "unauthenticated",
    ),
    "degraded": (
        "key",
        lambda client, _: client.patch("/v1/users/degraded", json={"roles": ["auditor"]}),
        "forbidden",
    ),
    "narrowed": (
        "session",
        lambda client, _: client.patch("/v1/users/narrowed", json={"scope": "teams"}),
        "forbidden",
    ),
}


def test_a_stream_ends_with_the_access_of_its_caller(
    client: ApiClient, scenario: Scenario, clock: Clock
) -> None:
    """Rule 8.3. The streams of others go on."""
    callers: dict[str, Mapping[str, str]] = {}
    ids: dict[str, Json] = {}
    for login, (by, _, _) in ENDS.items():
        made = {"login": login, "name": login, "roles": ["agent"], "scope": "all"}
        client.post("/v1/users", json=made).raise_for_status()
        key = client.post("/v1/keys", json={"name": login, "roles": ["agent"], "user": login}).json()
        session = open_session(scenario.service, login, now=clock.now)
        mine = client.get("/v1/sessions", params={"login": login}).json()["items"][0]
        callers[login] = session if by == "session" else {"Authorization": f"Bearer {key['key']}"}
        ids[login] = {"key": key["id"], "session": mine["id"]}

    async def follow() -> None:
        async with AsyncExitStack() as stack:
            other = await stack.enter_async_context(streaming(client))
            streams = {
                login: await stack.enter_async_context(streaming(client, headers))
                for login, headers in callers.items()
            }
            await asyncio.sleep(0.3)
            for login, (_, change, reason) in ENDS.items():
                assert not streams[login].is_done
                changed = await asyncio.to_thread(change, client, ids[login])
                assert changed.is_success, changed.text
                await streams[login].until(lambda one: one.is_done, 5)
                assert streams[login].text.endswith(f"\n: end {reason}\n")
            await asyncio.to_thread(scenario.post)
            await other.until(lambda one: bool(one.events))
            assert not other.is_done
            assert [stream.events for stream in streams.values()] == [[]] * len(ENDS)

    asyncio.run(follow())


def test_to_listen_is_no_use_of_the_session(client: ApiClient, scenario: Scenario, clock: Clock) -> None:
    made = {"login": "li.wei", "name": "Li Wei", "roles": ["agent"], "scope": "all"}
    client.post("/v1/users", json=made).raise_for_status()
    headers = open_session(scenario.service, now=clock.now)

    async def follow() -> None:
        async with streaming(client, headers) as stream:
            clock.now += timedelta(hours=7)
            await asyncio.sleep(0.4)
            assert not stream.is_done
            clock.now += timedelta(hours=2)
            await stream.until(lambda one: one.is_done, 5)

    asyncio.run(follow())


def test_a_slow_client_is_waited_for_and_goes_on_from_its_place(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept for it: the reader keeps so many stretches for all listeners, and the rest is read again."""
    monkeypatch.setattr(feed_reader, "KEPT_STRETCHES", 2)
    monkeypatch.setattr(feed_reader, "STRETCH_EVENTS", 3)
    monkeypatch.setattr(feed_stream, "PAGE_EVENTS", 4)
    readers: FeedReaders = client.app.state.feed_readers  # type: ignore[attr-defined]

    async def follow() -> None:
        async with streaming(client) as slow, streaming(client) as quick:
            slow.reads.clear()
            for _ in range(20):
                await asyncio.to_thread(scenario.post)
            await quick.until(lambda one: len(one.events) == 20)
            [reader] = readers._readers.values()
            assert len(reader._kept) == 2
            assert not slow.events
            slow.reads.set()
            await slow.until(lambda one: len(one.events) == 20)
            await asyncio.to_thread(scenario.post)
            await slow.until(lambda one: len(one.events) == 21)
            await quick.until(lambda one: len(one.events) == 21)
            assert slow.events == quick.events
            assert [one["sequence"] for one in slow.events] == sorted({e["sequence"] for e in slow.events})

    asyncio.run(follow())
    assert not readers._readers


def test_a_slow_client_whose_key_is_revoked_gets_nothing_more(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_stream, "END_SECONDS", 0.2)
    key = client.post("/v1/keys", json={"name": "own", "roles": ["auditor"]}).json()

    async def follow() -> None:
        async with streaming(client, {"Authorization": f"Bearer {key['key']}"}) as slow:
            await asyncio.sleep(0.1)
            slow.reads.clear()
            for _ in range(3):
                await asyncio.to_thread(scenario.post)
            await asyncio.sleep(0.5)  # it waits for the client with the first of the three
            await asyncio.to_thread(client.delete, f"/v1/keys/{key['id']}")
            [reader] = client.app.state.feed_readers._readers.values()  # type: ignore[attr-defined]
            await slow.until(lambda _: all(one.end.done() for one in reader.listeners), 5)
            await asyncio.sleep(0.4)
            slow.reads.set()
            await slow.until(lambda one: one.is_done)
            assert slow.events == []

    asyncio.run(follow())


def test_a_stream_without_events_beats_and_moves_the_cursor(client: ApiClient, scenario: Scenario) -> None:
    async def follow() -> None:
        async with streaming(client, query={"type": "complaint.closed"}) as stream:
            await stream.until(lambda one: one.text.endswith("\n:\n"))
            await asyncio.to_thread(scenario.post)
            await stream.until(lambda one: bool(one.messages))
            assert stream.events == []
            here = client.get("/v1/changes", params={"after": "now"}).json()["next_cursor"]
            assert stream.last_id == here

    asyncio.run(follow())


def test_a_stream_ends_when_the_feed_is_set_back_or_the_process_drains(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = client.app
    watch = FeedWatch()
    monkeypatch.setitem(app.state._state, "feed_watch", watch)
    monkeypatch.setattr(app.state.feed_readers, "watch", watch)
    scenario.post()

    def set_back() -> None:
        scenario.service.write(lambda tx: tx.connection.execute(update(event).values(id=new_id())))

    async def follow() -> None:
        async with streaming(client) as stream:
            await stream.until(lambda one: bool(one.events))
            await asyncio.to_thread(set_back)
            await stream.until(lambda one: one.is_done, 5)
            assert stream.text.endswith("\n: end feed-set-back\n")
            async with streaming(client, {"Last-Event-ID": stream.last_id}) as again:
                assert again.status == 410
        async with streaming(client) as stream:
            await stream.until(lambda one: bool(one.events))
            watch.end_waits()
            await stream.until(lambda one: one.is_done, 1)
            assert stream.text.endswith("\n: end draining\n")
        async with streaming(client) as late:
            await late.until(lambda one: one.is_done, 1)
            assert (late.status, late.events) == (200, [])

    asyncio.run(follow())


def test_every_layer_passes_a_stream_on(scenario: Scenario) -> None:
    """Also that of the limit of calls, which most servers do not have."""
    app = create_app(scenario.service, wall=wall_now, calls_per_minute=2)
    client = ApiClient(app, headers={"Authorization": f"Bearer {ADMIN_SECRET}"})

    async def follow() -> None:
        async with streaming(client) as stream, streaming(client) as other:
            await asyncio.to_thread(scenario.post)
            await stream.until(lambda one: bool(one.events))
            await other.until(lambda one: bool(one.events))
            assert other.headers["ratelimit"].startswith('"calls";r=0;t=')
            async with streaming(client) as third:
                assert third.status == 429

    asyncio.run(follow())


def test_an_outage_of_the_database_ends_no_stream(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_reader, "_OUTAGE_SECONDS", 0.1)
    read, outages = feed_reader.read_stretch, iter(range(3))

    def fail(*args: Any, **members: Any) -> Any:
        if next(outages, None) is not None:
            raise Unavailable("The database is out of reach.")
        return read(*args, **members)

    monkeypatch.setattr(feed_reader, "read_stretch", fail)

    async def follow() -> None:
        async with streaming(client) as stream:
            await asyncio.to_thread(scenario.post)
            await stream.until(lambda one: bool(one.events))
            assert not stream.is_done
        assert next(outages, None) is None

    asyncio.run(follow())


REFUSED: list[tuple[dict[str, str], Json, int]] = [
    ({"Last-Event-ID": "nonsense"}, {}, 400),
    ({"Last-Event-ID": "\u00e9"}, {}, 400),
    ({}, {"after": "nonsense"}, 400),
    ({}, {"fields": "secret"}, 400),
    ({}, {"cursor": "x"}, 400),
    ({}, {"type": "complaint.create"}, 422),
    ({}, {"after": "eyJraW5kIjoiY2hhbmdlcyIsImFmdGVyIjo5OTk5OTl9"}, 410),
    ({"Authorization": "Bearer no"}, {}, 401),
]


def test_what_the_json_form_refuses_begins_no_stream(client: ApiClient) -> None:
    async def ask() -> None:
        for headers, query, status in REFUSED:
            async with streaming(client, headers, query=query) as refused:
                assert refused.status == status, (headers, query)
                assert refused.headers["content-type"] == "application/problem+json"
                if "nonsense" in (*headers.values(), *query.values()):  # neither has a parameter `cursor`
                    await refused.until(lambda one: "The place is not one that the feed gave" in one.text)

    asyncio.run(ask())


def test_a_scope_of_teams_may_not_listen_and_head_has_no_body(client: ApiClient, scenario: Scenario) -> None:
    made = {"login": "li.wei", "name": "Li Wei", "roles": ["agent"], "scope": "teams"}
    client.post("/v1/users", json=made).raise_for_status()
    key = scenario.key(AGENT, login="li.wei")
    scenario.post()

    async def ask() -> None:
        async with streaming(client, key) as refused:
            assert refused.status == 403
            await refused.until(lambda one: "scope is every complaint or a source" in one.text)
        async with streaming(client, method="HEAD") as head:
            await head.until(lambda one: one.is_done)
            assert (head.status, head.text) == (200, "")
            assert head.headers["content-type"] == "text/event-stream; charset=utf-8"
        for accept in ("*/*", "text/event-stream;q=0.5, application/json", "text/html"):
            async with streaming(client, accept=accept) as page:
                await page.until(lambda one: one.is_done)
                assert page.headers["content-type"] == "application/json", accept

    asyncio.run(ask())
