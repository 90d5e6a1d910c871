"""The layers around every endpoint hold for `/tmf-api` too: limits, sessions, repeats, ids, measures, log, headers."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from complaints.api.app import create_app
from complaints.api.http.metrics import metrics_response
from complaints.api.http.security_headers import SECURITY_HEADERS
from complaints.api.http.session_cookies import SECURE_COOKIE
from complaints.domain.vocabulary import AccessRole, SignInMethod
from complaints.use_cases.accounts.sessions import SessionLimits, Visitor, open_session
from complaints.use_cases.service import Service
from complaints.wiring import open_annexes, wall_now
from complaints.wiring.faces import open_faces
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, Scenario
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket

ADMIN = {"Authorization": f"Bearer {ADMIN_SECRET}"}
NOWHERE = "019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11"
REFUSED = {f"{TICKETS}/{NOWHERE}": 404, f"{TICKETS}/{NOWHERE}/x": 404, f"{TICKETS_V4}/x": 404}
BOTH = (TICKETS, TICKETS_V4)


def own_client(service: Service, **settings: Any) -> ApiClient:
    """A client of an application with settings of its own."""
    app = create_app(service, wall=wall_now, annexes=open_annexes(), faces=open_faces(), **settings)
    return ApiClient(app, headers=ADMIN)


def check_error(answer: Any, status: int) -> Mapping[str, Any]:
    """The refusal, an error of version 5 or of version 4."""
    assert answer.status_code == status, answer.text
    error: Mapping[str, Any] = answer.json()
    assert error["status"] == str(status)
    assert {"code", "reason"} <= error.keys()
    assert "detail" not in error  # a problem of the API has one
    return error


# Limits --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tickets", BOTH)
def test_calls_through_the_face_count_for_the_limit_of_the_key(service: Service, tickets: str) -> None:
    client = own_client(service, calls_per_minute=2)
    assert client.get("/v1/teams").status_code == 200
    answer = client.get(tickets)
    assert (answer.status_code, answer.headers["ratelimit-policy"]) == (200, '"calls";q=2;w=60')
    refused = client.post(tickets, json=new_ticket())
    check_error(refused, 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 60


# Sessions ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cookie(client: ApiClient, service: Service) -> dict[str, str]:
    """The headers of a browser in which an administrator is signed in."""
    user = {"login": "chen.jie", "name": "Chen Jie", "roles": [AccessRole.ADMIN]}
    client.post("/v1/users", json=user).raise_for_status()
    _, token = service.write(
        lambda tx: open_session(
            service,
            tx,
            "chen.jie",
            method=SignInMethod.PASSWORD,
            visitor=Visitor("127.0.0.1", "a test"),
            now=wall_now(),
            limits=SessionLimits(timedelta(hours=8), timedelta(days=1)),
        )
    )
    return {"Cookie": f"{SECURE_COOKIE}={token}"}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({}, 403),
    ],
)
def test_a_page_of_another_site_cannot_use_a_session(
    client: ApiClient, cookie: dict[str, str], head: dict[str, str], status: int
) -> None:
    del client.headers["Authorization"]
    answer = client.post(TICKETS, json=new_ticket(), headers=cookie | head)
    assert answer.status_code == status, answer.text
    if status == 403:
        check_error(answer, 403)
        own = cookie | {"Sec-Fetch-Site": "same-origin"}
        assert client.get(TICKETS, headers=own).json() == []  # nothing was made


# Repeats -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tickets", BOTH)
def test_a_repeated_post_has_the_first_answer(client: ApiClient, tickets: str) -> None:
    key = {"Idempotency-Key": "crm-1"}
    first, again = (client.post(tickets, json=new_ticket(), headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.json() == first.json()
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (
        None,
        "true",
    )
    assert again.headers["location"] == first.headers["location"]
    assert len(client.get(tickets).json()) == 1
    other = client.post(tickets, json=new_ticket(description="Another"), headers=key)
    assert check_error(other, 400)["reason"]
    without = client.post(tickets, json=new_ticket())
    assert without.status_code == 201
    assert len(client.get(tickets).json()) == 2


# HEAD, ids, headers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tickets", BOTH)
def test_head_is_get_without_a_body(client: ApiClient, tickets: str) -> None:
    made = client.post(tickets, json=new_ticket()).json()
    for path in (tickets, f"{tickets}/{made['id']}"):
        head, got = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
    assert client.head(tickets).headers["x-total-count"] == "1"
    assert client.head(f"{tickets}/{NOWHERE}").status_code == 404


def test_every_answer_has_the_request_id_and_the_security_headers(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    for path in [TICKETS, TICKETS_V4, *REFUSED]:
        with subtests.test(path):
            answer = client.get(path, headers={"X-Request-ID": "crm-77"})
            assert answer.status_code == REFUSED.get(path, 200)
            assert answer.headers["x-request-id"] == "crm-77"
            own = client.get(path, headers={"X-Request-ID": "not\tvisible"}).headers["x-request-id"]
            assert len(own) == 36
            sent = {
                name: value
                for name, value in answer.headers.items()
                if name.encode() in dict(SECURITY_HEADERS)
            }
            assert sent == {name.decode(): value.decode() for name, value in SECURITY_HEADERS}


# Measures and log ----------------------------------------------------------------------------------------------------


def test_measures_have_the_templates_of_routes_and_no_text_of_clients(service: Service) -> None:
    registry = CollectorRegistry()
    client = own_client(service, registry=registry)
    made = client.post(TICKETS, json=new_ticket()).json()["id"]
    for path in (
        f"{TICKETS}/{made}",
        f"{TICKETS}/secret-one",
        f"{TICKETS_V4}/{made}",
        "/tmf-api/secret-two",
        TICKETS,
    ):
        client.get(path, params={"fields": "secret-three"})
    client.request("BREW", TICKETS)
    client.get(TICKETS, headers={"Authorization": "Bearer secret-four"})
    text = bytes(metrics_response(registry).body).decode()
    counted = {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"])
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "complaints_http_request_seconds_count"
    }
    one, one_v4 = f"{TICKETS}/{{reference}}", f"{TICKETS_V4}/{{reference}}"
    assert {
        ("POST", TICKETS, "201"), ("GET", one, "200"), ("GET", one, "404"), ("GET", one_v4, "200"),
    } <= counted  # fmt: skip
    assert {method for method, _, _ in counted} == {"GET", "POST", "other"}
    assert made not in text
    assert "secret" not in text


@pytest.mark.parametrize("tickets", BOTH)
def test_a_line_of_the_log_has_the_caller_and_no_query(
    client: ApiClient, scenario: Scenario, tickets: str
) -> None:
    key = scenario.key(AccessRole.AGENT)
    made = client.post(tickets, json=new_ticket()).json()["id"]
    with capture_logs() as lines:
        client.get(f"{tickets}/{made}", params={"fields": "name"}, headers=key)
        client.get(tickets, params={"name": "Wang Fang"}, headers=key)
        client.get(f"{tickets}/{NOWHERE}", headers=key)
    found = [line for line in lines if line["event"] == "request"]
    shown = [(line["path"], line["status"], line["problem"], line["complaint"]) for line in found]
    assert shown == [
        (f"{tickets}/{made}", 200, None, made),
        (tickets, 200, None, None),
        (f"{tickets}/{NOWHERE}", 404, "not-found", NOWHERE),
    ]
    assert all(line["actor"].startswith("key:agent") for line in found)
    assert "Wang" not in str(lines)
