"""Pages within a scope, beside the same pages without one: an agent, a head of ten teams, a busy recipient."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select

from benchmarks.context import BenchContext
from benchmarks.errors import CannotMeasure
from benchmarks.filled_database import FilledDatabase, filled_database
from benchmarks.measures.measure import Measurement, Row
from benchmarks.processes import SECRET
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.escalation import escalation_recipient

_OVERDUE = "/v1/complaints?overdue=true&limit=50"
_WARM_UP = 30
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ScopedPage:
    """A page that a user asks for, and the page without a scope that it is compared with."""

    name: str
    path: str
    headers: Headers
    unscoped: str


@contextmanager
def _pages(filled: FilledDatabase) -> Iterator[list[ScopedPage]]:
    """The pages, with new users who ask for them."""
    busy = _find_busiest(filled)
    mine, theirs = (f"/v1/escalations?{urlencode({'recipient': who, 'limit': 50})}" for who in ("me", busy))
    teams = _find_teams(filled)
    agent = _make_user(filled, "scoped-agent", "agent", teams=teams[:1])
    head = _make_user(filled, "scoped-head", "supervisor", scope="teams", scope_names=teams[-11:-1] or teams)
    busy_agent = _make_key(filled, busy, "agent")
    yield [
        ScopedPage("an agent of the smallest team", _OVERDUE, agent, _OVERDUE),
        ScopedPage("a head of ten teams", _OVERDUE, head, _OVERDUE),
        ScopedPage("an agent with many escalations", _OVERDUE, busy_agent, _OVERDUE),
        ScopedPage("the escalations of that agent", mine, busy_agent, theirs),
    ]


def _find_teams(filled: FilledDatabase) -> list[str]:
    """The teams with overdue complaints, the smallest first."""
    c = complaint.c
    with filled.service.database.read() as tx:
        late = select(c.team).where(c.overdue_after_at < tx.now)
        statement = late.group_by(c.team).order_by(func.count())
        return list(tx.connection.execute(statement).scalars())


def _find_busiest(filled: FilledDatabase) -> str:
    """The login of the user who was notified most often."""
    login = escalation_recipient.c.login
    statement = select(login).group_by(login).order_by(func.count().desc()).limit(1)
    with filled.service.database.read() as tx:
        return str(tx.connection.execute(statement).scalar_one())


def _make_user(filled: FilledDatabase, login: str, role: str, **members: Any) -> Headers:
    _post(filled, "/v1/users", {"login": login, "name": login, **members})
    return _make_key(filled, login, role)


def _make_key(filled: FilledDatabase, login: str, role: str) -> Headers:
    made = _post(filled, "/v1/keys", {"name": f"key-of-{login}", "roles": [role], "user": login})
    return {"Authorization": f"Bearer {made['key']}"}


def _post(filled: FilledDatabase, path: str, members: Mapping[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    filled.client.request("POST", path, json.dumps(members), headers)
    answer = filled.client.getresponse()
    body = answer.read()
    if answer.status != http.HTTPStatus.CREATED:
        raise CannotMeasure(f"{path} was answered with {answer.status}: {body[:300]!r}")
    return json.loads(body)


def _time_get(filled: FilledDatabase, path: str, headers: Headers) -> float:
    """Milliseconds until the whole answer is there. Raises CannotMeasure unless it has a page of 50."""
    began = time.perf_counter()
    filled.client.request("GET", path, headers=dict(headers))
    answer = filled.client.getresponse()
    body = answer.read()
    taken = (time.perf_counter() - began) * 1000
    if answer.status != http.HTTPStatus.OK or b'"items":[]' in body:
        raise CannotMeasure(f"{path} was answered with {answer.status}: {body[:300]!r}")
    return taken


def _measure(context: BenchContext, *, on_sqlite: bool) -> Measurement:
    """The worst ratio of the p95 of a page to that of its page without a scope, both asked in turn."""
    filled = filled_database(context, context.options["complaints"], on_sqlite=on_sqlite)
    pages = context.keep(f"scoped pages, {on_sqlite=}, {context.options}", partial(_pages, filled))
    timings = {page.name: _compared(filled, page, context.options["requests"]) for page in pages}
    worst = max(timings.values(), key=lambda one: one["p95_ms"] / one["unscoped_p95_ms"])
    return Measurement(worst["p95_ms"], worst["unscoped_p95_ms"], timings)


def _compared(filled: FilledDatabase, page: ScopedPage, requests: int) -> dict[str, float]:
    scoped, unscoped = [], []
    for _ in range(_WARM_UP + requests):
        scoped.append(_time_get(filled, page.path, page.headers))
        unscoped.append(_time_get(filled, page.unscoped, filled.headers))
    return {"p95_ms": _p95(scoped[_WARM_UP:]), "unscoped_p95_ms": _p95(unscoped[_WARM_UP:])}


def _p95(samples: list[float]) -> float:
    return sorted(samples)[int(len(samples) * 0.95)]


def _row(*, on_sqlite: bool) -> Row:
    return Row(
        name=f"overdue-scoped{'-sqlite' if on_sqlite else ''}",
        measures="pages within a scope: p95 by that of the same page without one, the worst of them",
        unit="ms",
        floor=1.5,
        aim=1.2,
        measure=partial(_measure, on_sqlite=on_sqlite),
        options={"complaints": 1_000_000, "requests": 300},
        needs_postgres=not on_sqlite,
    )


OVERDUE_SCOPED, OVERDUE_SCOPED_SQLITE = _row(on_sqlite=False), _row(on_sqlite=True)
