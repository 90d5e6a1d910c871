"""Limits of each key: its calls a minute in one process, its unfinished imports and their bytes."""

import asyncio
import re
import time
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from complaints.api.app import _IN_TURN, create_app
from complaints.api.http import turns
from complaints.api.http.turns import Turns
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.importing.quotas import ImportQuota
from complaints.wiring import open_import_worker, wall_now
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, Scenario

ADMIN = {"Authorization": f"Bearer {ADMIN_SECRET}"}
FILE = "channel,subject\nphone,x\n"


def limited(scenario: Scenario, **limits: Any) -> ApiClient:
    return ApiClient(create_app(scenario.service, wall=wall_now, **limits), headers=ADMIN)


def start(client: ApiClient, *, headers: dict[str, str] | None = None, file: str = FILE) -> Any:
    return client.post("/v1/imports", content=file, headers={"Content-Type": "text/csv", **(headers or {})})


def test_a_key_has_so_many_calls_a_minute(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    client, other = limited(scenario, calls_per_minute=3), scenario.key(AccessRole.AUDITOR)
    for left in (2, 1, 0):
        answer = client.get("/v1/teams")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"calls";q=3;w=60'
        assert re.fullmatch(rf'"calls";r={left};t=(60|59)', answer.headers["ratelimit"])
    refused = client.post("/v1/complaints", json={"channel": "web", "subject": "x"})
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
    assert refused.headers["ratelimit"].startswith('"calls";r=0;t=')
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert client.get("/v1/complaints").status_code == 429
    assert client.get("/v1/teams", headers=other).status_code == 200
    assert client.get("/healthz").status_code == 200
    assert client.get("/v1/teams", headers={"Authorization": "Bearer no"}).status_code == 401
    now = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert client.get("/v1/complaints").json()["items"] == []


def test_without_the_setting_no_answer_tells_of_a_limit(client: ApiClient) -> None:
    assert "ratelimit" not in client.get("/v1/teams").headers


def test_a_key_has_so_many_unfinished_imports(scenario: Scenario) -> None:
    client, other = limited(scenario, import_quota=ImportQuota(running=2)), scenario.key(AccessRole.AGENT)
    started = [start(client) for _ in range(2)]
    assert [answer.status_code for answer in started] == [202, 202]
    refused = start(client)
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
    assert refused.headers["ratelimit-policy"] == '"imports";q=2;qu="concurrent-requests"'
    assert (refused.headers["ratelimit"], refused.headers["retry-after"]) == ('"imports";r=0', "30")
    assert start(client, headers=other).status_code == 202
    open_import_worker(scenario.service).work_on(UUID(started[0].json()["id"]))
    assert start(client).status_code == 202


def test_the_unfinished_imports_of_a_key_have_so_many_bytes(scenario: Scenario) -> None:
    client = limited(scenario, import_quota=ImportQuota(stored_bytes=2 * len(FILE)))
    first = start(client)
    assert start(client, file=FILE + "phone,y\n").status_code == 429
    assert start(client).status_code == 202
    refused = start(client)
    assert refused.headers["ratelimit-policy"] == f'"stored";q={2 * len(FILE)};qu="content-bytes"'
    open_import_worker(scenario.service).work_on(UUID(first.json()["id"]))
    assert start(client).status_code == 202


# Turns ------------------------------------------------------------------------------------------------------


async def _answer(send: Any, *, more: bool = False) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": more})


def _scope(path: str, method: str = "GET") -> dict[str, Any]:
    return {"type": "http", "path": path, "method": method, "headers": []}


def test_a_line_works_one_by_one_and_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LEAST_PAUSE_SECONDS", 0.03)
    working, most, begun = 0, 0, []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal working, most
        working, most = working + 1, max(most, working + 1)
        begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.001)
        working -= 1
        await _answer(send)

    async def ask() -> None:
        line = Turns(app, lines=("/docs",))
        await asyncio.gather(*(line(_scope(path), None, _ignore) for path in ["/docs", "/docs/a.js"] * 3))  # type: ignore[arg-type]

    asyncio.run(ask())
    gaps = [later - earlier for earlier, later in pairwise(begun)]
    assert most == 1
    assert min(gaps) >= 0.03


async def _ignore(_message: Any) -> None:
    return None


def test_a_slow_client_does_not_hold_up_its_line() -> None:
    """The turn begins when the body has arrived, and ends when the answer begins."""

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await _answer(send)

    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    async def whole() -> Any:
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def ask() -> None:
        line = Turns(app, lines=("/v1/deadlines/elapsed",))
        scope = _scope("/v1/deadlines/elapsed", "POST")
        slow = [
            asyncio.create_task(line(scope, never, _ignore)),
            asyncio.create_task(line(scope, whole, never)),
        ]
        await asyncio.sleep(0.02)
        await asyncio.wait_for(line(scope, whole, _ignore), 2)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("path", "waits"),
    [
        *(
            (path, True)
            for path in (
                "/docs",
                "/docs/docs.js",
                "/openapi.json",
                "/problems/x",
                "/healthz",
                "/readyz",
                "/metrics",
                "/x",
                "//v1/teams",
            )
        ),
        *((path, False) for path in ("/v1/teams", "/v1/complaints", "/v1/policies/x")),
    ],
)
def test_pages_stand_in_line_and_calls_do_not(
    path: str, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []

    async def note(line: object) -> None:
        begun.append(line)

    monkeypatch.setattr(turns.Line, "begin", note)
    monkeypatch.setattr(turns.Line, "end", lambda line: None)

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await _answer(send)

    asyncio.run(Turns(app, lines=_IN_TURN)(_scope(path), None, _ignore))  # type: ignore[arg-type]
    assert bool(begun) is waits


def test_refusals_without_a_key_stand_in_line(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []

    async def note(line: object) -> None:
        begun.append(line)

    monkeypatch.setattr(turns.Line, "pass_through", note)
    assert client.get("/v1/teams").status_code == 200
    assert begun == []
    assert client.get("/v1/teams", headers={"Authorization": "Bearer no"}).status_code == 401
    assert len(begun) == 1
