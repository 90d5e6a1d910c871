"""Pages of the console as a supervisor opens them: the slowest page's p95, one client, a real server."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from benchmarks.context import BenchContext
from benchmarks.data.texts import WORDS
from benchmarks.errors import CannotMeasure
from benchmarks.filled_database import FilledDatabase, filled_database
from benchmarks.measures.measure import Cost, Measurement, Row
from benchmarks.processes import SECRET
from complaints.api.http.session_cookies import LOOPBACK_COOKIE
from complaints.domain.vocabulary import SignInMethod
from complaints.use_cases.accounts.sessions import SessionLimits, Visitor, open_session
from complaints.wiring import wall_now

_WARM_UP = 10
_LOGIN = "console-supervisor"
_LIMITS = SessionLimits(timedelta(days=1), timedelta(days=1))


@contextmanager
def _session(filled: FilledDatabase) -> Iterator[Mapping[str, str]]:
    """The headers of a supervisor who is signed in."""
    user = {"login": _LOGIN, "name": "Supervisor", "roles": ["supervisor"], "scope": "all"}
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    filled.client.request("POST", "/v1/users", json.dumps(user), headers)
    answer = filled.client.getresponse()
    answer.read()
    if answer.status not in (http.HTTPStatus.CREATED, http.HTTPStatus.CONFLICT):
        raise CannotMeasure(f"the user was answered with {answer.status}")
    _, token = filled.service.write(
        lambda tx: open_session(
            filled.service,
            tx,
            _LOGIN,
            method=SignInMethod.PASSWORD,
            visitor=Visitor("127.0.0.1", "bench"),
            now=wall_now(),
            limits=_LIMITS,
        )
    )
    yield {"Cookie": f"{LOOPBACK_COOKIE}={token}"}


def _pages(filled: FilledDatabase) -> dict[str, str]:
    """The pages by name."""
    [one] = json.loads(filled.get("/v1/complaints?overdue=true&limit=1"))["items"]
    frequent = next(iter(WORDS.values()))
    return {
        "overdue": "/console/overdue",
        "work": "/console/work",
        "follow-ups": "/console/follow-ups",
        "inbox": "/console/inbox",
        "complaint": f"/console/complaints/{one['number']}",
        "search": f"/console/search?{urlencode({'q': frequent})}",
        "dashboard": "/console/dashboard",
    }


def _measure(context: BenchContext, *, on_sqlite: bool) -> Measurement:
    filled = filled_database(context, context.options["complaints"], on_sqlite=on_sqlite)
    headers = context.keep(f"console session, {on_sqlite=}, {context.options}", partial(_session, filled))
    timings = {
        name: _timed(filled, path, headers, context.options["requests"])
        for name, path in _pages(filled).items()
    }
    slowest = max(timings.values(), key=lambda one: one["p95_ms"])
    return Measurement(slowest["p95_ms"], None, timings)


def _timed(filled: FilledDatabase, path: str, headers: Mapping[str, str], requests: int) -> dict[str, float]:
    for _ in range(_WARM_UP):
        _time_get(filled, path, headers)
    before = filled.server.cpu_seconds
    samples = sorted(_time_get(filled, path, headers) for _ in range(requests))
    cpu = filled.server.cpu_seconds - before
    return {
        "p50_ms": samples[len(samples) // 2],
        "p95_ms": samples[int(len(samples) * 0.95)],
        "server_cpu_ms": cpu * 1000 / requests,
    }


def _time_get(filled: FilledDatabase, path: str, headers: Mapping[str, str]) -> float:
    """Milliseconds until the whole page is there. Raises CannotMeasure unless it is answered with 200."""
    began = time.perf_counter()
    filled.client.request("GET", path, headers=dict(headers))
    answer = filled.client.getresponse()
    body = answer.read()
    taken = (time.perf_counter() - began) * 1000
    if answer.status != http.HTTPStatus.OK:
        raise CannotMeasure(f"{path} was answered with {answer.status}: {body[:300]!r}")
    return taken


def _cpu_of_page(details: Mapping[str, Any]) -> float:
    return max(float(timing["server_cpu_ms"]) for timing in details.values())


def _row(*, on_sqlite: bool) -> Row:
    return Row(
        name=f"console-pages{'-sqlite' if on_sqlite else ''}",
        measures="the slowest page of a supervisor, p95 of one client",
        unit="ms",
        floor=150,
        aim=60,
        judged="product",
        measure=partial(_measure, on_sqlite=on_sqlite),
        options={"complaints": 1_000_000, "requests": 100},
        needs_postgres=not on_sqlite,
        cost=Cost("processor time of the dearest page, server without database", "ms", _cpu_of_page),
    )


CONSOLE, CONSOLE_SQLITE = _row(on_sqlite=False), _row(on_sqlite=True)
