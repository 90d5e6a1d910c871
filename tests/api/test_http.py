import io
import json
import logging
import re
import select
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import structlog
from prometheus_client import CollectorRegistry

from complaints.api.http.metrics import RequestMetrics, metrics_response
from complaints.api.middleware import RequestLimits
from complaints.api.openapi.docs_page import CONTENT_SECURITY_POLICY
from complaints.logs import configure_logging
from complaints.serving.http_server import GuardedHttp
from tests.api.http_app import make_app, running
from tests.api_client import ApiClient
from tests.kept_logging import kept_logging

LIMITS = RequestLimits(
    body_bytes=100_000,
    stall_seconds=0.3,
    body_bytes_for=lambda method, path: 300_000 if (method, path) == ("POST", "/v1/stream") else None,
    linger_bytes=1_000_000,
    linger_seconds=0.5,
)
LETTER = b'{"subject": "a"}'


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GuardedHttp, "head_seconds", 0.5)
        patch.setattr(GuardedHttp, "unread_seconds", 0.5)
        with running(make_app(LIMITS), keep_alive_seconds=1, hsts_seconds=60) as port:
            yield port


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """The stream of the log, configured as in the real process."""
    stream = io.StringIO()
    with kept_logging():
        configure_logging(stream=stream)
        yield stream


def lines(stream: io.StringIO, *request_ids: str) -> list[dict[str, Any]]:
    """The log lines of these requests. The real server may still write lines of earlier requests."""
    whole = [line for line in stream.getvalue().splitlines(keepends=True) if line.endswith("\n")]
    return [line for line in map(json.loads, whole) if line.get("request_id") in request_ids]


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """All bytes until the server closes the connection."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        # The server closed with unread bytes of the test. The bytes received before are the answer.
        pass
    return received


def talk(port: int, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send the parts and read one answer, until the server closes the connection."""
    with connected(port) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server refused before all was sent; the answer says why
        return parse(rest(connection))


def parse(received: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *header_lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in header_lines)}
    return int(status_line.split()[1]), headers, body


def head(method: str = "POST", path: str = "/v1/letters", *more: str, close: bool = True) -> bytes:
    closing = ["Connection: close"] if close else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *closing, *more, "", ""]).encode("latin-1")


def post(body: bytes, *more: str, path: str = "/v1/letters", close: bool = True) -> bytes:
    own = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    return head("POST", path, *own, *more, close=close) + body


CHUNKED = ("Transfer-Encoding: chunked", "Content-Type: application/json")


def assert_problem(answer: tuple[int, dict[str, str], bytes], status: int, code: str) -> dict[str, Any]:
    found, headers, content = answer
    assert found == status, content
    body: dict[str, Any] = json.loads(content)
    assert (headers["content-type"], body["type"]) == ("application/problem+json", f"/problems/{code}")
    assert headers["x-request-id"]
    assert "server" not in headers
    return body


# Request ids and headers of every answer


@pytest.mark.parametrize("sent", ["a", "req-1", "!~" * 64])
def test_a_request_id_is_echoed(sent: str) -> None:
    assert (
        ApiClient(make_app()).get("/v1/letters", headers={"X-Request-ID": sent}).headers["x-request-id"]
        == sent
    )


@pytest.mark.parametrize("sent", [None, "", "a b", "a" * 129, "é".encode("latin-1"), "a\tb"])
def test_a_request_id_is_made(sent: str | bytes | None) -> None:
    headers = {} if sent is None else {"X-Request-ID": sent}
    answer = ApiClient(make_app()).get("/v1/letters", headers=headers)
    assert UUID(answer.headers["x-request-id"])


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n"])
def test_a_request_id_injects_no_header(port: int, ending: str) -> None:
    status, headers, _ = talk(port, head("GET", "/v1/letters", f"X-Request-ID: a{ending}Set-Cookie: b=c"))
    assert "set-cookie" not in headers
    assert status in (200, 400)


@pytest.mark.parametrize(
    "path", ["/v1/letters", "/v1/refused/invalid", "/v1/broken", "/nowhere", "/openapi.json", "/docs"]
)
def test_every_answer_has_our_headers(path: str) -> None:
    answer = ApiClient(make_app()).get(path, headers={"X-Request-ID": "id-1"})
    assert answer.headers["x-request-id"] == "id-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    (policy,) = answer.headers.get_list("content-security-policy")
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy


def test_own_headers_stay() -> None:
    client = ApiClient(make_app())
    assert client.get("/v1/cached").headers.get_list("cache-control") == ["max-age=60"]
    assert client.get("/docs").headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]


@pytest.mark.parametrize("path", ["/v1/letters", "/v1/refused/invalid", "/nowhere", "/openapi.json", "/docs"])
def test_head_is_get_without_its_body(port: int, path: str) -> None:
    (status, get, body), head_answer = talk(port, head("GET", path)), talk(port, head("HEAD", path))
    assert head_answer[0] == status
    assert head_answer[2] == b""
    for name in ("content-type", "content-length", "content-security-policy"):
        assert head_answer[1][name] == get[name]
    assert int(get["content-length"]) == len(body) > 0


def test_head_where_there_is_no_get_is_refused(port: int, logged: io.StringIO) -> None:
    status, headers, body = talk(port, head("HEAD", "/v1/optional", "X-Request-ID: head"))
    assert (status, headers["allow"], body) == (405, "POST", b"")
    assert [line["method"] for line in lines(logged, "head")] == ["HEAD"]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([], "Send the header Host."),
        (["Host: x", "Host: x"], "Send the header Host once."),
        (["Host: x", "host: y"], "Send the header Host once."),
        (["Host: a b"], "not a host"),
        (["Host: x/y"], "not a host"),
        (["Host: x@y"], "not a host"),
        (["Host: x:y"], "not a host"),
        (["Host: x", "Idempotency-Key: a", "Idempotency-Key: a"], "Send the header Idempotency-Key once."),
        (["Host: x", 'If-Match: "1"', 'If-Match: "2"'], "Send the header If-Match once."),
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(port: int, headers: list[str], told: str) -> None:
    sent = "\r\n".join(["GET /v1/letters HTTP/1.1", "Connection: close", *headers, "", ""]).encode()
    assert told in assert_problem(talk(port, sent), 400, "bad-request")["detail"]


@pytest.mark.parametrize("host", ["x", "x:80", "[::1]:8000", "10.0.0.1", "a_b.example:", ""])
def test_a_host_is_a_name_or_an_address(port: int, host: str) -> None:
    sent = f"GET /v1/letters HTTP/1.1\r\nConnection: close\r\nHost: {host}\r\n\r\n".encode()
    assert talk(port, sent)[0] == 200


def test_http_1_0_needs_no_host(port: int) -> None:
    assert talk(port, b"GET /v1/letters HTTP/1.0\r\n\r\n")[0] == 200


# Failures and logs


def test_a_failure_is_a_500_that_tells_nothing(logged: io.StringIO) -> None:
    answer = ApiClient(make_app()).get("/v1/broken?phone=13800000000", headers={"X-Request-ID": "id-9"})
    body = answer.json()
    assert (answer.status_code, body["type"], body["request_id"]) == (500, "/problems/internal-error", "id-9")
    assert not re.search("RuntimeError|Traceback|secret|13800000000", answer.text)
    failure, access = lines(logged, "id-9")
    assert (failure["event"], failure["level"], failure["request_id"]) == ("request failed", "error", "id-9")
    assert failure["raised"][0]["type"] == "builtins.RuntimeError"
    assert "broken" in failure["raised"][0]["frames"][-1]
    assert (access["event"], access["status"], access["problem"]) == ("request", 500, "internal-error")
    assert "13800000000" not in logged.getvalue()


def test_a_failure_in_the_middle_of_an_answer_breaks_it_off(port: int, logged: io.StringIO) -> None:
    status, _, body = talk(port, head("GET", "/v1/half"))
    assert status == 200
    assert not body.endswith(b"0\r\n\r\n")
    assert "13800000000" not in logged.getvalue()
    assert "request failed" in logged.getvalue()


def test_the_access_log(logged: io.StringIO) -> None:
    client = ApiClient(make_app())
    client.get("/v1/letters?phone=13800000000", headers={"X-Request-ID": "one"})
    client.get("/v1/refused/stale", headers={"X-Request-ID": "two"})
    client.get("/" + "x" * 5000, headers={"X-Request-ID": "three"})
    first, second, third = lines(logged, "one", "two", "three")
    assert {name: first[name] for name in ("event", "method", "path", "status", "request_id", "level")} == {
        "event": "request",
        "method": "GET",
        "path": "/v1/letters",
        "status": 200,
        "request_id": "one",
        "level": "info",
    }
    assert first["duration_ms"] >= 0
    assert first["timestamp"].endswith("Z")
    assert (second["request_id"], second["problem"]) == ("two", "stale-version")
    assert len(third["path"]) <= 500


def test_the_access_log_can_be_off_and_leaves_probes_out(logged: io.StringIO) -> None:
    ApiClient(make_app(access_log=False)).get("/v1/letters", headers={"X-Request-ID": "off"})
    ApiClient(make_app()).get("/healthz", headers={"X-Request-ID": "probe"})
    assert lines(logged, "off", "probe") == []


def test_libraries_log_alike(logged: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(request_id="id-7")
    try:
        raise OSError(13, "Permission denied", "/nowhere/secret.db")
    except OSError as error:
        try:
            raise ValueError("the secret") from error
        except ValueError:
            logging.getLogger("library").exception("it %s", "failed")
    structlog.contextvars.clear_contextvars()
    (line,) = lines(logged, "id-7")
    assert (line["event"], line["logger"], line["level"], line["request_id"]) == (
        "it failed",
        "library",
        "error",
        "id-7",
    )
    assert [(one["type"], one.get("message")) for one in line["raised"]] == [
        ("builtins.ValueError", None),
        ("builtins.PermissionError", "13 Permission denied"),
    ]
    assert "secret" not in logged.getvalue()


def test_what_extra_says_reaches_the_line_and_libraries_only_warn(logged: io.StringIO) -> None:
    given = {
        "id": "01a2",
        "loop": "sweep",
        "constraint": "uq",
        "status": 1,
        "month": "event_2026_11",
        "numbers": ["C1"],
    }
    logging.getLogger("complaints.any.module").info("told", extra=given)
    for name in ("transitions.core", "apscheduler.scheduler", "alembic.runtime", "httpx2", "anything"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("anything").warning("warned", extra={"secret": "13800000000"})
    logging.getLogger("uvicorn.error").info("Shutting down")
    told, warned, ended = map(json.loads, logged.getvalue().splitlines())
    assert {name: told[name] for name in given} == given
    assert (warned["event"], ended["event"]) == ("warned", "Shutting down")
    assert "secret" not in warned


def test_measures_by_route_and_not_by_path() -> None:
    registry = CollectorRegistry()
    client = ApiClient(make_app(observe=RequestMetrics(registry).observe))
    client.delete("/v1/letters/1")
    client.delete("/v1/letters/2")
    client.get("/nowhere")
    client.request("BREW", "/problems")
    text = bytes(metrics_response(registry).body).decode()
    name = "complaints_http_request_seconds_count"
    assert f'{name}{{method="DELETE",route="/v1/letters/{{number}}",status="204"}} 2.0' in text
    assert f'{name}{{method="GET",route="",status="404"}} 1.0' in text
    assert f'{name}{{method="other",route="/problems",status="405"}} 1.0' in text


# Bodies


@pytest.mark.parametrize("size", [99_999, 100_000])
def test_a_body_within_the_limit(port: int, size: int) -> None:
    body = LETTER + b" " * (size - len(LETTER))
    assert talk(port, post(body))[0] == 201
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert talk(port, head("POST", "/v1/letters", *CHUNKED), chunk)[0] == 201


@pytest.mark.parametrize("size", [100_001, 900_000])
@pytest.mark.parametrize("path", ["/v1/letters", "/v1/optional"])
def test_a_body_beyond_the_limit(port: int, size: int, path: str) -> None:
    answer = talk(port, post(b" " * size, path=path, close=False))
    assert_problem(answer, 413, "payload-too-large")
    assert answer[1]["connection"] == "close"


def test_a_chunked_body_beyond_the_limit(port: int) -> None:
    chunks = (b"%x\r\n%s\r\n" % (5000, b" " * 5000) for _ in range(1000))
    started = time.monotonic()
    answer = talk(port, head("POST", "/v1/letters", *CHUNKED, close=False), *chunks)
    assert_problem(answer, 413, "payload-too-large")
    assert answer[1]["connection"] == "close"
    assert time.monotonic() - started < 5


def test_a_body_beyond_the_limit_is_not_waited_for(port: int) -> None:
    answer = talk(port, head("POST", "/v1/letters", "Content-Length: 99999999999", close=False))
    assert_problem(answer, 413, "payload-too-large")


def test_an_address_may_have_its_own_limit(port: int) -> None:
    def sent(size: int) -> tuple[int, dict[str, str], bytes]:
        return talk(port, post(b" " * size, path="/v1/stream"))

    assert json.loads(sent(300_000)[2]) == {"bytes": 300_000}
    assert_problem(sent(300_001), 413, "payload-too-large")


@pytest.mark.parametrize(
    "begun",
    [
        post(LETTER)[:-1],
        head("POST", "/v1/letters", "Content-Type: application/json", "Content-Length: 50"),
        head("POST", "/v1/letters", *CHUNKED, close=False) + b'5\r\n{"sub\r\n',
        head("POST", "/v1/stream", *CHUNKED) + b"ff",
    ],
)
def test_a_body_that_stalls(port: int, begun: bytes) -> None:
    answer = talk(port, begun)
    assert_problem(answer, 408, "request-timeout")
    assert answer[1]["connection"] == "close"


def test_a_slow_body_that_does_not_stall(port: int) -> None:
    def slowly() -> Iterator[bytes]:
        request = post(LETTER)
        for start in range(0, len(request), 40):
            yield request[start : start + 40]
            time.sleep(0.1)

    assert talk(port, *slowly())[0] == 201


@pytest.mark.parametrize("path", ["/v1/letters", "/v1/stream"])
def test_a_client_that_leaves_in_the_middle_is_no_failure(port: int, logged: io.StringIO, path: str) -> None:
    with connected(port) as connection:
        connection.sendall(post(LETTER, "X-Request-ID: leaver", path=path)[:-3])
    deadline = time.monotonic() + 5
    while not lines(logged, "leaver") and time.monotonic() < deadline:
        time.sleep(0.01)
    logged_request = [(line["event"], line["status"], line["problem"]) for line in lines(logged, "leaver")]
    assert logged_request == [("request", 0, "client-left")]


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "x"])
def test_an_encoded_body(port: int, encoding: str) -> None:
    answer = talk(port, post(LETTER, f"Content-Encoding: {encoding}"))
    assert_problem(answer, 415, "content-encoding-refused")
    assert answer[1]["accept-encoding"] == "identity"


@pytest.mark.parametrize("order", [("gzip", "identity"), ("identity", "gzip")])
def test_every_encoding_counts(port: int, order: tuple[str, str]) -> None:
    repeated = [f"Content-Encoding: {encoding}" for encoding in order]
    assert_problem(talk(port, post(LETTER, *repeated)), 415, "content-encoding-refused")


def test_a_trickling_body_has_one_budget(port: int) -> None:
    """Each byte comes in time, but the body as a whole does not."""
    started = time.monotonic()
    with connected(port) as connection:
        connection.sendall(
            head("POST", "/v1/letters", "Content-Type: application/json", "Content-Length: 5000")
        )
        while time.monotonic() - started < 3 and not select.select([connection], [], [], 0.1)[0]:
            connection.sendall(b" ")
        assert_problem(parse(rest(connection)), 408, "request-timeout")
    assert 0.25 < time.monotonic() - started < 2


def test_identity_is_no_encoding(port: int) -> None:
    assert talk(port, post(LETTER, "Content-Encoding: Identity"))[0] == 201


def test_nul_in_an_address(port: int) -> None:
    assert_problem(talk(port, head("GET", "/v1/letters/%00")), 404, "not-found")
    body = assert_problem(talk(port, head("GET", "/v1/letters?q=a%00")), 422, "invalid-content")
    assert body["errors"][0]["pointer"] == ""


def test_expect_100_continue(port: int) -> None:
    ask = ("Content-Type: application/json", "Expect: 100-continue")
    with connected(port) as connection:
        connection.sendall(head("POST", "/v1/letters", *ask, f"Content-Length: {len(LETTER)}"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(LETTER)
        assert parse(rest(connection))[0] == 201
    started = time.monotonic()
    answer = talk(port, head("POST", "/v1/letters", *ask, "Content-Length: 200000", close=False))
    assert_problem(answer, 413, "payload-too-large")
    assert time.monotonic() - started < LIMITS.linger_seconds


# What the server refuses by itself


@pytest.mark.parametrize("where", ["/" + "x" * 70_000, "/?q=" + "x" * 70_000])
def test_an_oversized_request_line(port: int, where: str) -> None:
    assert_problem(talk(port, head("GET", where)), 431, "head-too-large")


@pytest.mark.parametrize(
    "headers",
    [["X-Big: " + "x" * 70_000], [f"X-{n}: {'y' * 100}" for n in range(700)], ["X" * 70_000 + ": 1"]],
)
def test_oversized_headers(port: int, headers: list[str]) -> None:
    answer = talk(port, head("GET", "/v1/letters", *headers))
    assert_problem(answer, 431, "head-too-large")
    assert answer[1]["connection"] == "close"


def pour(port: int, parts: Iterable[bytes]) -> int:
    """Send until the server closes the connection. The number of bytes that were sent."""
    sent = 0
    with connected(port) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                sent += len(part)
        except (BrokenPipeError, ConnectionResetError):
            return sent
    pytest.fail(f"all {sent} bytes were taken")


def test_an_oversized_head_that_never_ends(port: int) -> None:
    assert pour(port, [b"GET / HTTP/1.1\r\nX: ", *[b"y" * 10_000] * 2000]) < 15_000_000


def test_a_head_just_within_the_limit(port: int) -> None:
    assert talk(port, head("GET", "/v1/letters", "X-Big: " + "x" * 65_000))[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        head("POST", "/v1/letters", "Content-Length: -1"),
        head("POST", "/v1/letters", "Content-Length: 1x"),
        head("POST", "/v1/letters", "Content-Length: 1", "Content-Length: 2"),
        head("POST", "/v1/letters", "Content-Length: 99999999999999999999999"),
        head("POST", "/v1/letters", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        head("POST", "/v1/letters", *CHUNKED) + b"zz\r\n",
        head("POST", "/v1/letters", *CHUNKED) + b"5\r\nabcdefgh\r\n",
    ],
)
def test_what_is_not_http(port: int, sent: bytes) -> None:
    answer = talk(port, sent)
    body = assert_problem(answer, 400, "bad-request")
    assert answer[1]["connection"] == "close"
    assert "Traceback" not in body["detail"]


@pytest.mark.parametrize("endless", [b"1;" + b"x" * 9000, b"0\r\nX: " + b"y" * 9000])
def test_chunk_framing_that_never_ends(port: int, endless: bytes) -> None:
    assert pour(port, [head("POST", "/v1/stream", *CHUNKED), endless, *[b"y" * 10_000] * 2000]) < 15_000_000


def test_trailers_do_not_become_headers(port: int) -> None:
    sent = head("POST", "/v1/letters", *CHUNKED) + b"%x\r\n%s\r\n0\r\nX-Request-ID: evil\r\n\r\n" % (
        len(LETTER),
        LETTER,
    )
    status, headers, _ = talk(port, sent)
    assert status == 201
    assert headers["x-request-id"] != "evil"


def test_an_upgrade_is_not_followed(port: int) -> None:
    status, _, body = talk(port, post(LETTER, "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"))
    assert status == 201
    assert json.loads(body)["subject"] == "a"


@pytest.mark.parametrize("begun", [b"GET / HT", b"", head("GET", "/v1/letters", close=False) + b"GET /"])
def test_a_head_that_stalls_is_closed(port: int, begun: bytes) -> None:
    with connected(port) as connection:
        started = time.monotonic()
        if begun:
            connection.sendall(begun)
        received = rest(connection)
        assert time.monotonic() - started < 5
    if begun.endswith(b"HT"):
        assert_problem(parse(received), 408, "request-timeout")


def test_the_rest_of_an_unread_body_is_not_waited_for_forever(port: int) -> None:
    begun = head("POST", "/v1/letters", "Content-Encoding: gzip", "Content-Length: 50000", close=False)
    with connected(port) as connection:
        connection.sendall(begun)
        assert b" 415 " in connection.recv(65536)
        connection.sendall(b"x" * 100)
        started = time.monotonic()
        assert rest(connection) == b""
        assert time.monotonic() - started < 5


def test_a_connection_is_kept_and_requests_may_be_pipelined(port: int) -> None:
    first = post(LETTER, "X-Request-ID: one", close=False)
    refused = post(b"{}", "X-Request-ID: two", close=False)
    unread = post(LETTER, "X-Request-ID: three", "Content-Encoding: gzip", close=False)
    with connected(port) as connection:
        connection.sendall(first + refused + unread + post(LETTER, "X-Request-ID: four"))
        received = rest(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"201", b"422", b"415", b"201"]
    assert re.findall(rb"x-request-id: (\w+)", received) == [b"one", b"two", b"three", b"four"]


def test_nonsense_behind_a_request_is_not_taken_for_its_answer() -> None:
    app = make_app()
    entered, leave = threading.Event(), threading.Event()

    @app.post("/slow")
    def slow() -> dict[str, bool]:
        entered.set()
        leave.wait(5)
        return {"done": True}

    with running(app) as port, connected(port) as connection:
        connection.sendall(head("POST", "/slow", "Content-Length: 0", close=False))
        assert entered.wait(5)
        connection.sendall(b"nonsense\r\n\r\n")
        received = rest(connection)
        leave.set()
    assert b"400" not in received


@pytest.mark.parametrize(
    "sent", [head("GET", "/v1/letters"), head("GET", "/nowhere"), head("GET", "/docs"), b"nonsense\r\n\r\n"]
)
def test_answers_have_a_date_and_no_server_and_are_safe_in_a_browser(port: int, sent: bytes) -> None:
    _, headers, _ = talk(port, sent)
    assert "GMT" in headers["date"]
    assert "server" not in headers
    assert headers["strict-transport-security"] == "max-age=60"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert [headers[name] for name in ("x-content-type-options", "cache-control", "referrer-policy")] == [
        "nosniff",
        "no-store",
        "no-referrer",
    ]


@pytest.mark.parametrize("more", ["X: y", "Connection: close"])
def test_an_answer_that_is_not_read_is_dropped(port: int, logged: io.StringIO, more: str) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        connection.sendall(head("GET", "/v1/large", more, close=False))
        deadline = time.monotonic() + 8
        while "an answer was not read" not in logged.getvalue() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(rest(connection)) < 12_000_000
    assert "an answer was not read" in logged.getvalue()


def test_an_answer_that_is_read_slowly_is_not_dropped(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(head("GET", "/v1/large"))
        received = 0
        while part := connection.recv(400_000):
            received += len(part)
            time.sleep(0.04)
    assert received > 12_000_000


def test_one_address_may_have_so_many_connections() -> None:
    with running(make_app(), connections_per_peer=2) as port:
        with connected(port), connected(port):
            for _ in range(2):
                answer = talk(port, head("GET", "/v1/letters"))
                assert_problem(answer, 429, "too-many-requests")
                assert answer[1]["retry-after"] == "30"
        deadline = time.monotonic() + 5
        while (status := talk(port, head("GET", "/v1/letters"))[0]) == 429 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert status == 200


def test_a_request_under_way_is_answered_before_the_server_stops() -> None:
    app = make_app()
    entered = threading.Event()

    @app.get("/slow")
    def slow() -> dict[str, bool]:
        entered.set()
        time.sleep(0.4)
        return {"done": True}

    answers: list[tuple[int, dict[str, str], bytes]] = []
    with running(app) as port:
        client = threading.Thread(
            target=lambda: answers.append(talk(port, head("GET", "/slow", close=False)))
        )
        client.start()
        assert entered.wait(5)
    client.join()
    assert [(status, body) for status, _, body in answers] == [(200, b'{"done":true}')]
