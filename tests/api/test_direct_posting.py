"""A post in order takes a short way around FastAPI. Whatever a request is, its answer is that of the route."""

import asyncio
import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import pytest
import structlog
from starlette.types import Message

from complaints.api.app import create_app
from complaints.api.complaints import direct_posting
from complaints.api.http.body_limits import RequestLimits
from complaints.api.openapi.example_files import read_examples
from complaints.domain.errors import Unavailable
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.configuration import keys
from complaints.use_cases.service import Service
from complaints.wiring import wall_now
from tests.api import test_hostile_input as hostile
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, START, Scenario, api_client, opened_service

POSTS = "/v1/complaints"
JSON = hostile.JSON
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|C\d{9}")
BODY = b'{"channel": "phone", "subject": "No signal"}'


@dataclass(frozen=True)
class Sent:
    """A request. `direct` says if it takes the short way; None: look at the status only."""

    content: bytes = BODY
    headers: Any = field(default_factory=lambda: JSON)
    key: str = "admin"
    method: str = "POST"
    path: str = POSTS
    direct: bool | None = None


def body(**members: Any) -> bytes:
    return json.dumps({"channel": "phone", "subject": "No signal", **members}, ensure_ascii=False).encode()


def attempt(key: str) -> dict[str, str]:
    return JSON | {"Idempotency-Key": key}


def typed(media_type: str) -> dict[str, str]:
    return {"Content-Type": media_type}


def hostile_requests() -> Iterator[Sent]:
    for content, _ in hostile.BODIES.values():
        yield Sent(content, direct=False)
    for subject in hostile.SUBJECTS.values():
        yield Sent(body(subject=subject), direct=False)
    for members in hostile.MEMBERS:
        yield Sent(body(**members))
    for received_at in hostile.NO_TIMES:
        yield Sent(body(received_at=received_at))
    for headers, _ in hostile.HEADERS.values():
        yield Sent(BODY, headers, direct=False)


def odd_requests() -> Iterator[Sent]:
    for members in hostile.ACCEPTED.values():
        yield Sent(body(**members), direct=True)
    for received_at, _ in hostile.TIMES:
        yield Sent(body(received_at=received_at))
    yield Sent(hostile._raw(f'"attributes": {hostile.NUMBERS}'), direct=True)
    for example in read_examples("complaints.api.complaints")["create"].values():
        yield Sent(json.dumps(example["value"]).encode(), direct=True)


USUAL = [
    Sent(direct=True),
    Sent(b" \n" + BODY + b"\r\n", direct=True),
    # A retry, a contact, and a source that another key may not use.
    Sent(body(external_id="A"), direct=True),
    Sent(body(external_id="A"), direct=True),
    Sent(body(external_id="A", description="Still no signal."), direct=True),
    Sent(body(external_id="A", source="north"), key="intake", direct=True),
    # Attempts: first, repeated, repeated with other content, by another key, odd and wrong names.
    Sent(body(external_id="B"), attempt("one"), direct=True),
    Sent(body(external_id="B"), attempt("one"), direct=True),
    Sent(body(external_id="B") + b" ", attempt("one"), direct=True),
    Sent(body(external_id="B"), attempt("one"), key="intake", direct=True),
    Sent(BODY, attempt("!~" * 127 + "k"), direct=True),
    Sent(BODY, [(b"Idempotency-Key", "schlüssel".encode()), (b"Content-Type", b"application/json")]),
    Sent(BODY, [*JSON.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")], direct=False),
    # Headers that change nothing, and those that choose a language.
    Sent(BODY, JSON | {"Accept": "text/html", "Prefer": "return=minimal", "If-Match": '"7"'}, direct=True),
    Sent(BODY, JSON | {"X-Request-ID": "of-the-client", "Accept-Language": "zh-CN"}, direct=True),
    Sent(body(category="nothing.such"), JSON | {"Accept-Language": "zh-CN"}, direct=True),
    Sent(body(colour="red"), JSON | {"Accept-Language": "zh-CN"}, direct=False),
    # Types, lengths and queries as the route takes or refuses them.
    *(
        Sent(BODY, typed(media_type), direct=False)
        for media_type in (
            "application/json; charset=utf-8", "APPLICATION/JSON", " application/json ;", "application/json;",
            "application/merge-patch+json", "application/vnd.x+json",
        )
    ),
    Sent(BODY, [*JSON.items(), *JSON.items()], direct=False),
    Sent(BODY, {}, direct=False),
    Sent(gzip.compress(BODY), JSON | {"Content-Encoding": "gzip"}, direct=False),
    Sent(BODY, JSON | {"Content-Length": "x"}, direct=False),
    Sent(BODY, JSON | {"Content-Length": str(2**21)}, direct=False),
    Sent(BODY, JSON | {"Host": "a b"}, direct=False),
    *(Sent(path=POSTS + query, direct=False) for query in ("?x=1", "?%00", "?x")),
    Sent(path=POSTS + "?", direct=True),
    # Other addresses and methods.
    *(Sent(path=path, direct=False) for path in (POSTS + "/", "/v1//complaints", "/V1/complaints", "/")),
    *(Sent(method=method, direct=False) for method in ("GET", "HEAD")),
    Sent(path="/v1/complaint%73"),
    # Keys: without the right, of an inactive user, expired, revoked, unknown, none.
    *(Sent(key=key) for key in ("intake", "agent", "limited", "auditor", "expired", "revoked", "unknown")),
    Sent(b"[", key="auditor", direct=False),
    Sent(BODY, typed("text/plain"), key="auditor", direct=False),
    Sent(body(external_id="C"), attempt("one"), key="auditor", direct=False),
]  # fmt: skip


def make_keys(scenario: Scenario) -> dict[str, dict[str, str]]:
    """The headers of a key for each name."""

    def make(name: str, *roles: AccessRole, hours: float | None = None) -> dict[str, str]:
        expires_at = None if hours is None else START.replace(hour=int(hours))
        key, secret = scenario.service.write(
            lambda tx: keys.create_key(
                scenario.service, tx, SYSTEM, name=name, roles=roles, source=name, expires_at=expires_at
            )
        )
        made[name] = {"Authorization": f"Bearer {secret}"}
        ids[name] = key.id
        return made[name]

    made: dict[str, dict[str, str]] = {
        "admin": {"Authorization": f"Bearer {ADMIN_SECRET}"},
        "unknown": {"Authorization": "Bearer nobody"},
    }
    ids: dict[str, Any] = {}
    make("intake", AccessRole.INTAKE)
    make("agent", AccessRole.AGENT)
    make("auditor", AccessRole.AUDITOR)
    make("limited", AccessRole.AGENT, hours=20)
    make("expired", AccessRole.AGENT, hours=2)
    make("revoked", AccessRole.AGENT)
    scenario.service.write(lambda tx: keys.revoke_key(scenario.service, tx, SYSTEM, ids["revoked"]))
    scenario.jump(hours=2)
    return made


def measured(client: ApiClient) -> dict[tuple[str, ...], float]:
    """The number of answers by method, route and status."""
    families = client.app.state.metrics.collect()  # type: ignore[attr-defined]
    return {
        tuple(sample.labels.values()): sample.value
        for family in families
        if family.name == "complaints_http_request_seconds"
        for sample in family.samples
        if sample.name.endswith("_count")
    }


_VARIES = {"duration_ms", "raised"}  # of a line: the frames of an exception show the way


@dataclass
class Seen:
    """All that a request leaves, without ids and times."""

    status: int
    headers: dict[bytes, bytes]
    content: str
    lines: list[dict[str, Any]]
    is_direct: bool = False


async def ask(app: Any, sent: Sent, headers: Mapping[str, str], *parts: Message) -> Seen:
    """Send a request to the application, without a server. `parts` are messages in place of the body."""
    given = [*sent.headers.items()] if isinstance(sent.headers, dict) else [*sent.headers]
    named = [(_bytes(name).lower(), _bytes(value)) for name, value in [*given, *headers.items()]]
    length = "transfer-encoding" if parts else "content-length"
    for name, value in (("host", "x"), ("x-request-id", "fixed"), (length, str(len(sent.content)))):
        if _bytes(name) not in dict(named):
            named.append((_bytes(name), _bytes(value)))
    path, _, query = sent.path.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": sent.method, "scheme": "http", "path": unquote(path),
        "raw_path": path.encode(), "query_string": query.encode(), "headers": named, "client": ("127.0.0.1", 1),
    }  # fmt: skip
    left = [*(parts or ({"type": "http.request", "body": sent.content},))]
    answer: list[Message] = []

    async def receive() -> Message:
        return left.pop(0) if left else await asyncio.Event().wait()

    async def send(message: Message) -> None:
        answer.append(message)

    with structlog.testing.capture_logs() as lines:
        await asyncio.wait_for(app(scope, receive, send), 10)
    start = answer[0] if answer else {"status": 0, "headers": []}
    return Seen(
        start["status"],
        {name: _bytes(IDS.sub("id", value.decode())) for name, value in start["headers"]},
        IDS.sub("id", b"".join(message.get("body", b"") for message in answer[1:]).decode()),
        [
            {name: IDS.sub("id", str(value)) for name, value in line.items() if name not in _VARIES}
            for line in lines
        ],
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@contextmanager
def noted_ways(*, direct: bool) -> Iterator[list[bool]]:
    """Every post on the short way is noted in the list. Unless `direct`, every post takes the route."""
    taken: list[bool] = []
    answer_post = direct_posting.answer_post

    async def note(*given: Any) -> Any:
        taken.append(True)
        return await answer_post(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(direct_posting, "answer_post", note)
        if not direct:
            patch.setattr(direct_posting, "_may_be_in_order", lambda _scope: False)
        yield taken


def go(url: str, requests: list[Sent], *, direct: bool) -> tuple[list[Seen], dict[tuple[str, ...], float]]:
    """All that the requests leave on one of the two ways, and the answers that were counted."""

    async def send_all() -> list[Seen]:
        found = []
        for sent in requests:
            taken.clear()
            found.append(await ask(client.app, sent, made[sent.key]))
            found[-1].is_direct = bool(taken)
        return found

    with opened_service(url) as service, api_client(service) as client, noted_ways(direct=direct) as taken:
        made, before = make_keys(Scenario(service)), measured(client)
        seen = asyncio.run(send_all())
        counted = {labels: n - before.get(labels, 0) for labels, n in measured(client).items()}
        return seen, {labels: n for labels, n in counted.items() if n}


def test_the_answers_of_both_ways_are_the_same(
    migrated_database_url: Callable[[str], str], subtests: pytest.Subtests
) -> None:
    """Status, headers, body, access line and measures are compared, for good and for hostile requests."""
    requests = [*USUAL, *hostile_requests(), *odd_requests()]
    short, short_counted = go(migrated_database_url("sqlite"), requests, direct=True)
    long, long_counted = go(migrated_database_url("sqlite"), requests, direct=False)

    assert short_counted == long_counted
    assert len(requests) > 200
    assert sum(seen.is_direct for seen in short) > 40
    assert not any(seen.is_direct for seen in long)
    for sent, seen, expected in zip(requests, short, long, strict=True):
        with subtests.test(f"{sent.key} {sent.method} {sent.path} {sent.headers} {sent.content[:60]!r}"):
            if sent.direct is not None:
                assert seen.is_direct is sent.direct
            assert replace(seen, is_direct=False) == expected


FAILURES: list[tuple[Exception, int]] = [(RuntimeError("the secret"), 500), (Unavailable("Away."), 503)]


def both(app: Any, *parts: Message, content: bytes = BODY, key: str = ADMIN_SECRET) -> Seen:
    """What a post leaves on the short way, after a check that the route leaves the same."""
    found = []
    for direct in (True, False):
        with noted_ways(direct=direct):
            sent = ask(app, Sent(content), {"Authorization": f"Bearer {key}"}, *parts)
            found.append(asyncio.run(sent))
    assert found[0] == found[1]
    return found[0]


def part(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": content, "more_body": more}


def test_bodies_in_parts_and_clients_that_leave(service: Service, client: ApiClient) -> None:
    whole = both(client.app, part(BODY[:9]), part(b""), part(BODY[9:], more=False))
    assert (whole.status, whole.content) == (201, both(client.app).content)
    left = both(client.app, part(BODY[:9]), {"type": "http.disconnect"})
    assert (left.status, left.lines[0]["problem"]) == (0, "client-left")


def test_limits_of_bodies_hold_on_both_ways(service: Service) -> None:
    limits = RequestLimits(body_bytes=50, stall_seconds=0.01, linger_seconds=0.01)
    app = create_app(service, wall=wall_now, limits=limits)
    assert both(app, part(BODY[:9])).status == 408
    assert both(app, part(BODY), part(BODY, more=False)).status == 413
    assert both(app, content=BODY + b" " * 50).status == 413
    assert both(app).status == 201


def test_calls_are_counted_on_both_ways(service: Service) -> None:
    app = create_app(service, wall=wall_now, calls_per_minute=3)
    with noted_ways(direct=True) as taken:
        answers = [
            asyncio.run(ask(app, Sent(), {"Authorization": f"Bearer {ADMIN_SECRET}"})) for _ in range(4)
        ]
    assert len(taken) == 3
    assert [answer.status for answer in answers] == [201, 201, 201, 429]
    assert [answer.headers[b"ratelimit"][:12] for answer in answers] == [
        b'"calls";r=%d;' % left for left in (2, 1, 0, 0)
    ]


@pytest.mark.parametrize(("failure", "status"), FAILURES)
def test_failures_behind_the_edge_have_the_same_answer(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int
) -> None:
    class Broken:
        async def result_of(self, _request: object) -> object:
            raise failure

    monkeypatch.setattr(client.app.state, "intake", Broken())  # type: ignore[attr-defined]
    seen = both(client.app)
    assert (seen.status, seen.headers[b"content-type"]) == (status, b"application/problem+json")
    assert "the secret" not in seen.content
