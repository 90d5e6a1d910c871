"""The client repeats a call that may still work, with the same idempotency key, and gives up in the end."""

from collections.abc import Callable, Sequence

import httpx2
import pytest

from complaints_client import Client, NoAnswer, Patience, Refusal
from complaints_client.retrying import choose_pause, read_retry_after
from tests.client.conftest import QUICK

Answer = httpx2.Response | Exception
PROBLEM = {"type": "/problems/x", "title": "x", "status": 400, "detail": "No.", "instance": "/"}


def problem(status: int, code: str, **headers: str) -> httpx2.Response:
    content = {**PROBLEM, "type": f"/problems/{code}", "status": status}
    return httpx2.Response(
        status, json=content, headers={"content-type": "application/problem+json", **headers}
    )


def scripted(answers: Sequence[Answer], **options: object) -> tuple[Client, list[httpx2.Request]]:
    """A client whose server gives these answers one after the other, and the requests that came."""
    requests: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        given = answers[min(len(requests), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    settings = {"patience": QUICK, **options}
    return Client("http://x", "key\n", transport=httpx2.MockTransport(answer), **settings), requests  # type: ignore[arg-type]


FAILURES = [
    httpx2.ConnectError("refused"),
    httpx2.ReadTimeout("silent"),
    httpx2.RemoteProtocolError("cut off"),
    *(problem(status, "x") for status in (408, 429, 500, 503)),
    *(httpx2.Response(status, text="<html>bad gateway</html>") for status in (502, 504)),
    problem(409, "idempotency-in-progress"),
]


def test_each_passing_failure_is_repeated_with_the_same_key() -> None:
    client, requests = scripted(
        [*FAILURES, httpx2.Response(201, json={"id": "1"})], patience=Patience(9, 0.001, 0.001)
    )
    assert client.post("/complaints", {"subject": "No signal"}) == {"id": "1"}
    assert len(requests) == len(FAILURES) + 1
    keys = {(request.headers["idempotency-key"], request.content) for request in requests}
    assert len(keys) == 1
    client.post("/complaints", {"subject": "No signal"})
    assert (requests[-1].headers["idempotency-key"], requests[-1].content) not in keys
    assert requests[-1].headers["authorization"] == "Bearer key"


@pytest.mark.parametrize("url", ["http://x", "http://x/", "http://x/v1", "http://x/v1/"])
def test_the_address_may_have_the_version(url: str) -> None:
    asked: list[str] = []
    transport = httpx2.MockTransport(lambda request: asked.append(str(request.url)) or httpx2.Response(204))
    assert Client(url, "key", transport=transport).get("/me") is None
    assert asked == ["http://x/v1/me"]


def test_a_key_of_ones_own_is_sent_and_a_get_has_none() -> None:
    client, requests = scripted([httpx2.Response(200, json={})])
    client.post("/x", {}, key="call-1")
    client.get("/x", fields=None, overdue=True, status=["a", "b"])
    client.post("/imports", b"a,b\n", media_type="text/csv")
    assert [request.headers.get("idempotency-key", "")[:6] for request in requests[:2]] == ["call-1", ""]
    assert str(requests[1].url) == "http://x/v1/x?overdue=true&status=a&status=b"
    assert requests[2].headers["content-type"] == "text/csv"


@pytest.mark.parametrize(
    "last", [httpx2.ConnectError("refused"), problem(503, "x"), problem(503, "x", **{"Retry-After": "9"})]
)
def test_the_patience_ends_with_the_key_at_hand(last: Answer) -> None:
    client, requests = scripted([last])
    with pytest.raises(NoAnswer, match=r"refused|503") as given_up:
        client.create({}, key="call-7")
    assert given_up.value.key == "call-7"
    asked_to_wait = isinstance(last, httpx2.Response) and "retry-after" in last.headers
    assert (len(requests) == 1) == asked_to_wait  # 9 s are more than its patience


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 410, 412, 413, 415, 422])
def test_a_refusal_is_not_repeated(status: int) -> None:
    client, requests = scripted([problem(status, "some-kind")])
    with pytest.raises(Refusal) as refused:
        client.post("/complaints", {})
    assert (refused.value.status, refused.value.code, len(requests)) == (status, "some-kind", 1)


@pytest.mark.parametrize("content_type", ["text/html", "application/problem+json"])
def test_a_refusal_of_a_proxy_is_a_problem_too(content_type: str) -> None:
    headers = {"content-type": content_type}
    client, _ = scripted([httpx2.Response(403, text="<b>blocked</b>", headers=headers)])
    with pytest.raises(Refusal, match="blocked") as refused:
        client.get("/me")
    assert (refused.value.status, refused.value.errors, refused.value.allowed) == (403, [], [])


def test_a_success_of_a_proxy_is_no_answer() -> None:
    client, _ = scripted([httpx2.Response(200, text="<html>Please sign in</html>")])
    with pytest.raises(NoAnswer, match="no JSON") as given_up:
        client.create({}, key="call-8")
    assert given_up.value.key == "call-8"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "9" * 400}, 86_400.0),
        ({"Retry-After": "Sun, 29 Nov 2026 10:00:09 GMT", "Date": "Sun, 29 Nov 2026 10:00:04 GMT"}, 5.0),
        ({"Retry-After": "Sun, 29 Nov 2026 09:00:00 GMT", "Date": "Sun, 29 Nov 2026 10:00:04 GMT"}, 0.0),
        ({"Retry-After": "Sun, 29 Nov 2026 10:00:09 GMT"}, None),
        ({"Retry-After": "soon", "Date": "now"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(httpx2.Response(503, headers=headers)) == seconds


@pytest.mark.parametrize(
    ("attempt", "asked", "least", "most"),
    [(0, None, 0.125, 0.25), (2, None, 0.5, 1), (99, None, 5, 10), (0, 8.0, 8, 10), (5, 0.0, 0.25, 0.32)],
)
def test_pauses_double_and_vary(attempt: int, asked: float | None, least: float, most: float) -> None:
    pauses = [choose_pause(Patience(), attempt, asked=asked) for _ in range(50)]
    assert least <= min(pauses) < max(pauses) <= most


@pytest.mark.parametrize(
    "make", [lambda: Client("localhost:8000", "k"), lambda: scripted([])[0].post("/x", {"a": float("nan")})]
)
def test_nonsense_is_refused_before_it_is_sent(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"http://|JSON"):
        make()
