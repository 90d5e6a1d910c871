"""Sessions: requests with a cookie act as the user, until the session ends. Other sites cannot use the cookie."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from complaints.api.complaints import changes
from complaints.domain.vocabulary import AccessRole, SignInMethod
from complaints.use_cases.accounts import sessions
from complaints.use_cases.accounts.sessions import SessionLimits, Visitor
from complaints.use_cases.service import Service
from complaints.wiring import open_import_worker
from tests.api.wall_clock import Clock, wall_clock
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")
OWN = {"Sec-Fetch-Site": "same-origin"}
ADMIN = {"Authorization": f"Bearer {ADMIN_SECRET}"}
LOGIN = "li.wei"
clock = wall_clock
POST = {"channel": "phone", "subject": "No signal"}


@pytest.fixture
def user(client: ApiClient) -> str:
    made = {"login": LOGIN, "name": "Li Wei", "roles": ["agent"], "scope": "all"}
    client.post("/v1/users", json=made).raise_for_status()
    return LOGIN


def open_session(service: Service, login: str = LOGIN, *, now: datetime) -> dict[str, str]:
    """The headers of a browser whose user has just signed in."""
    _, token = service.write(
        lambda tx: sessions.open_session(
            service,
            tx,
            login,
            method=SignInMethod.PASSWORD,
            visitor=Visitor("198.51.100.7", "A browser"),
            now=now,
            limits=SessionLimits(),
        )
    )
    return {"Cookie": f"__Host-complaints-session={token}", **OWN}


@pytest.fixture
def browser(client: ApiClient, service: Service, user: str, clock: Clock) -> ApiClient:
    """A client with the session of the user, and without a key."""
    del client.headers["Authorization"]
    client.headers.update(open_session(service, user, now=clock.now))
    return client


def test_a_request_with_a_session_acts_as_its_user(browser: ApiClient, scenario: Scenario) -> None:
    posted = browser.post("/v1/complaints", json=POST, headers={"Idempotency-Key": "once"})
    assert (posted.status_code, posted.json()["source"]) == (201, LOGIN)
    timeline = browser.get(f"/v1/complaints/{posted.json()['id']}/timeline").json()["items"]
    assert timeline[0]["actor"] == f"user:{LOGIN}"
    assert browser.get("/v1/complaints", params={"assignee": "me"}).status_code == 200
    assert browser.get("/v1/keys").status_code == 403
    same_name = scenario.key(AccessRole.AGENT, login=LOGIN) | {"Idempotency-Key": "once"}
    assert browser.post("/v1/complaints", json=POST, headers=same_name).json()["id"] != posted.json()["id"]


def test_a_session_ends_when_nobody_uses_it_and_in_any_case(browser: ApiClient, clock: Clock) -> None:
    """Rule 8.3."""
    for _ in range(20):
        clock.now += timedelta(hours=8)
        assert browser.get("/v1/teams").status_code == 200
    clock.now += timedelta(hours=8, seconds=1)
    assert (answer := browser.get("/v1/teams")).status_code == 401
    assert answer.json()["detail"] == "The session has ended: sign in again."
    clock.now -= timedelta(hours=1)
    assert browser.get("/v1/teams").status_code == 200
    clock.now += timedelta(hours=8) - timedelta(hours=1)
    assert browser.get("/v1/teams").status_code == 401


@pytest.mark.parametrize(
    "change", [{"active": False}, {"roles": ["auditor"]}, {"roles": []}, {"roles": ["auditor", "agent"]}]
)
def test_a_user_who_leaves_or_loses_a_role_loses_the_session(
    browser: ApiClient, change: dict[str, Any]
) -> None:
    browser.patch(f"/v1/users/{LOGIN}", json=change, headers=ADMIN).raise_for_status()
    ends = change.get("roles") != ["auditor", "agent"]
    assert browser.get("/v1/teams").status_code == (401 if ends else 200)
    back = {"active": True, "roles": ["agent"]}
    browser.patch(f"/v1/users/{LOGIN}", json=back, headers=ADMIN).raise_for_status()
    assert browser.get("/v1/teams").status_code == 401


HOST = "complaints.example"
SITES: list[tuple[dict[str, str], bool]] = [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": f"https://{HOST}"}, False),
    ({"Origin": f"https://{HOST}"}, True),
    ({"Origin": f"https://{HOST}:443"}, True),
    ({"Origin": f"https://{HOST}:8443"}, False),
    ({"Origin": f"https://{HOST}.evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": "https://[::"}, False),
    ({}, False),
]
UNSAFE = (
    ("POST", "/v1/complaints"),
    ("PATCH", f"/v1/users/{LOGIN}"),
    ("PUT", "/v1/calendars/x"),
    ("DELETE", "/v1/keys/x"),
)


def test_only_pages_of_this_host_change_something_with_the_cookie(
    browser: ApiClient, subtests: pytest.Subtests
) -> None:
    del browser.headers["Sec-Fetch-Site"]
    for headers, allowed in SITES:
        with subtests.test(str(headers)):
            sent = {"Host": HOST, **headers}
            assert browser.get("/v1/teams", headers=sent).status_code == 200
            for method, path in UNSAFE:
                answer = browser.request(method, path, json=POST, headers=sent)
                refused = answer.json().get("type") == "/problems/cross-site-request"
                assert (refused, answer.status_code == 201) == (not allowed, allowed and method == "POST")
            assert browser.post("/v1/complaints", json=POST, headers=sent | ADMIN).status_code == 201


def test_a_key_wins_over_a_session(browser: ApiClient) -> None:
    posted = browser.post("/v1/complaints", json=POST, headers=ADMIN).json()
    assert posted["source"] == "bootstrap"
    for sent in ("Bearer no", "Basic YTpi", ""):
        assert browser.get("/v1/teams", headers={"Authorization": sent}).status_code == 401


def test_a_page_of_another_user_does_nothing_with_the_session(browser: ApiClient) -> None:
    """Two users may sign in in one browser. A page names its user, and a cookie of another user is refused."""
    for page, status in ((LOGIN, 201), ("li%2Ewei", 201), ("wang.min", 401), ("", 401)):
        answer = browser.post("/v1/complaints", json=POST, headers={"Console-Login": page})
        assert answer.status_code == status
    headers = [("Console-Login", LOGIN), ("Console-Login", "wang.min")]
    assert browser.get("/v1/teams", headers=[*browser.headers.items(), *headers]).status_code == 401
    by_key = browser.post("/v1/complaints", json=POST, headers={"Console-Login": "wang.min", **ADMIN})
    assert by_key.json()["source"] == "bootstrap"


HOSTS = [
    ("complaints.example", None, "__Host-complaints-session"),
    ("127.0.0.1:8000", None, "complaints-session"),
    ("[::1]:8000", None, "complaints-session"),
    ("localhost", "http://localhost", "complaints-session"),
    ("127.0.0.1:8000", "https://complaints.example", "__Host-complaints-session"),
]


def test_only_on_the_own_machine_the_cookie_has_the_plain_name(browser: ApiClient) -> None:
    token = browser.headers["Cookie"].partition("=")[2]
    for host, origin, name in HOSTS:
        for sent in ("__Host-complaints-session", "complaints-session"):
            headers = {"Host": host, "Cookie": f"theme=dark; {sent}={token}"}
            headers |= {"Origin": origin} if origin else {}
            expected = 200 if sent == name else 401
            assert browser.get("/v1/teams", headers=headers).status_code == expected, (host, origin, sent)


def test_nobody_gives_a_user_more_rights_than_their_own(
    client: ApiClient, scenario: Scenario, user: str
) -> None:
    """Rule 8.4."""
    manager = scenario.key(AccessRole.MANAGER)
    for roles, status in ((["manager", "auditor"], 200), (["admin"], 403), (["manager", "admin"], 403)):
        answer = client.patch(f"/v1/users/{user}", json={"roles": roles}, headers=manager)
        assert answer.status_code == status
    new = {"login": "new", "name": "New", "roles": ["admin"]}
    assert client.post("/v1/users", json=new, headers=manager).status_code == 403
    client.patch(f"/v1/users/{user}", json={"roles": ["admin"]}).raise_for_status()
    assert client.patch(f"/v1/users/{user}", json={"name": "Wei"}, headers=manager).status_code == 200


@pytest.mark.parametrize(("roles", "status"), [(["agent", "auditor"], "completed"), (["auditor"], "stopped")])
def test_an_import_goes_on_while_its_user_keeps_the_roles(
    browser: ApiClient, service: Service, roles: list[str], status: str
) -> None:
    """Rule 8.3."""
    head = {"Content-Type": "text/csv"}
    begun = browser.post("/v1/imports", content="channel,subject\nphone,x\n", headers=head).raise_for_status()
    browser.patch(f"/v1/users/{LOGIN}", json={"roles": roles}, headers=ADMIN).raise_for_status()
    open_import_worker(service).work_on(UUID(begun.json()["id"]))
    job = browser.get(f"/v1/imports/{begun.json()['id']}", headers=ADMIN).json()
    assert (job["status"], job["accepted"]) == (status, int(status == "completed"))


@pytest.mark.parametrize("ended", ["session", "key"])
def test_a_call_that_waits_for_the_feed_ends_with_its_session_or_key(
    browser: ApiClient, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    """Rule 8.3."""
    monkeypatch.setattr(changes, "ACCESS_SECONDS", 0.1)
    key = browser.post("/v1/keys", json={"name": "own", "roles": ["agent"]}, headers=ADMIN).json()
    head = {} if ended == "session" else {"Authorization": f"Bearer {key['key']}"}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(browser.get, "/v1/changes", params={"after": "now", "wait": 30}, headers=head)
        time.sleep(0.5)
        assert not waiting.done()
        mine = browser.get("/v1/session").json()["id"]
        path = f"/v1/sessions/{mine}" if ended == "session" else f"/v1/keys/{key['id']}"
        assert browser.delete(path, headers=ADMIN).status_code == 204
        assert waiting.result(5).status_code == 401


def test_to_wait_is_one_use_of_the_session(
    browser: ApiClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "ACCESS_SECONDS", 0.1)
    clock.now += timedelta(minutes=2)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(browser.get, "/v1/changes", params={"after": "now", "wait": 1})
        time.sleep(0.4)
        seen_at = clock.now
        clock.now += timedelta(minutes=2)
        assert waiting.result(5).status_code == 200
    [mine] = browser.get("/v1/sessions", params={"login": LOGIN}, headers=ADMIN).json()["items"]
    assert mine["seen_at"] == seen_at.isoformat().replace("+00:00", "Z")
