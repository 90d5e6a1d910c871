"""Accounts: a first password by a link, sign-in, throttled guesses, own sessions, and who is calling."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import accumulate
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import text

from complaints.api.accounts import hashing_turns
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import RIGHTS, SYSTEM
from complaints.use_cases.accounts import hashing, passwords
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.loops import do_chores
from tests.api.cheap_hashes import cheap_hashes, hashes_of_the_product
from tests.api.wall_clock import Clock, wall_clock
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, Scenario

pytestmark = pytest.mark.usefixtures("everything_holds", "hashes")
ADMIN = {"Authorization": f"Bearer {ADMIN_SECRET}"}
LOGIN, PASSWORD, OTHER = "li.wei", "four words are long", "五个字的密码也要十二个字符"
COOKIE = "__Host-complaints-session"
clock, hashes, full_cost = wall_clock, cheap_hashes, hashes_of_the_product


@pytest.fixture
def visitor(client: ApiClient, service: Service, clock: Clock) -> ApiClient:
    """A client without a key. The user has a password."""
    client.post("/v1/users", json={"login": LOGIN, "name": "Li Wei", "roles": ["agent"]}).raise_for_status()
    made = client.post(f"/v1/users/{LOGIN}/password-link").raise_for_status().json()
    del client.headers["Authorization"]
    client.headers["Sec-Fetch-Site"] = "same-origin"
    sent = {"token": made["token"], "password": PASSWORD}
    assert client.post("/v1/password-links", json=sent).status_code == 204
    return client


def sign_in(client: ApiClient, login: str = LOGIN, password: str = PASSWORD, **headers: str) -> Response:
    # The address of the peer is "testclient". The jar keeps no Secure cookie, as the client speaks plain HTTP.
    return client.post("/v1/session", json={"login": login, "password": password}, headers=headers)


def cookie_of(answer: Response) -> dict[str, str]:
    assert answer.status_code == 201, answer.text
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def everything_stored(service: Service) -> str:
    with service.database.engine.connect() as connection:
        tables = ("user_password", "session", "failed_sign_in", "idempotency", "audit_event")
        return "\n".join(
            str(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))
        )


def test_a_user_signs_in_and_out(visitor: ApiClient, service: Service, clock: Clock) -> None:
    answer = sign_in(visitor, **{"User-Agent": "A browser"})
    session, cookie = answer.json(), cookie_of(answer)
    seconds = 7 * 24 * 3600
    assert answer.headers["set-cookie"] == (
        f"{cookie['Cookie']}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax; Secure"
    )
    assert (answer.headers["cache-control"], answer.headers["location"]) == ("no-store", "/v1/session")
    now = clock.now.isoformat().replace("+00:00", "Z")
    assert session == {
        "id": session["id"], "login": LOGIN, "method": "password", "address": "testclient", "agent": "A browser",
        "created_at": now, "seen_at": now, "current": True,
        "expires_at": (clock.now + timedelta(days=7)).isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    assert visitor.get("/v1/session", headers=cookie).json() == session
    token = cookie["Cookie"].partition("=")[2]
    assert len(token) == 43
    assert not [one for one in (token, PASSWORD, OTHER) if one in everything_stored(service)]
    out = visitor.delete("/v1/session", headers=cookie)
    assert (out.status_code, out.headers["set-cookie"]) == (
        204,
        f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
    )
    assert visitor.get("/v1/session", headers=cookie).status_code == 401
    near = sign_in(visitor, Host="127.0.0.1:8000").headers["set-cookie"]
    assert near.startswith("complaints-session=")
    assert "Secure" not in near


def test_me_says_who_is_calling(visitor: ApiClient, scenario: Scenario) -> None:
    me = visitor.get("/v1/me", headers=cookie_of(sign_in(visitor))).json()
    assert me == {
        "name": "Li Wei", "login": LOGIN, "roles": ["agent"],
        "rights": me["rights"],
        "scope": me["scope"], "source": LOGIN,
    }  # fmt: skip
    assert set(me["rights"]) == RIGHTS[AccessRole.AGENT]
    key = scenario.key(AccessRole.INTAKE, source="north")
    assert visitor.get("/v1/me", headers=key).json() == {
        "name": visitor.get("/v1/me", headers=key).json()["name"], "login": None, "roles": ["intake"],
        "rights": ["create", "read_own", "see_persons", "contribute"],
        "scope": {"kind": "sources", "names": ["north"]}, "source": "north",
    }  # fmt: skip
    admin = visitor.get("/v1/me", headers=ADMIN).json()
    assert (admin["name"], admin["scope"]) == ("bootstrap", {"kind": "all", "names": []})


@pytest.mark.usefixtures("full_cost")
def test_an_unknown_login_and_a_wrong_password_get_the_same_answer_after_the_same_work(
    visitor: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login, change in (("gone", {"active": False}), ("bare", {})):
        made = {"login": login, "name": login, "roles": ["agent"]}
        visitor.post("/v1/users", json=made, headers=ADMIN).raise_for_status()
        if change:
            link = visitor.post(f"/v1/users/{login}/password-link", headers=ADMIN).json()
            visitor.post("/v1/password-links", json={"token": link["token"], "password": PASSWORD})
            visitor.patch(f"/v1/users/{login}", json=change, headers=ADMIN).raise_for_status()
    verified: list[str] = []

    class Counting:
        def verify(self, known: str, password: str) -> bool:
            verified.append(known)
            return real.verify(known, password)

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    real = hashing._hasher
    monkeypatch.setattr(hashing, "_hasher", Counting())
    answers = [
        sign_in(visitor, login, password)
        for login, password in ((LOGIN, OTHER), ("nobody", PASSWORD), ("gone", PASSWORD), ("bare", PASSWORD))
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert answers[0].json()["type"] == "/problems/sign-in-refused"
    assert len(verified) == 4
    parameters = {known.rpartition("$")[0].rpartition("$")[0] for known in verified}
    assert parameters == {"$argon2id$v=19$m=19456,t=2,p=1"}


def test_a_user_without_a_role_is_told_so(visitor: ApiClient) -> None:
    visitor.patch(f"/v1/users/{LOGIN}", json={"roles": []}, headers=ADMIN).raise_for_status()
    assert sign_in(visitor, password=OTHER).status_code == 401
    answer = sign_in(visitor)
    assert (answer.status_code, "no role" in answer.json()["detail"]) == (403, True)


def test_wrong_passwords_make_the_next_try_wait_but_lock_nobody_out(
    visitor: ApiClient, clock: Clock, service: Service
) -> None:
    cookie = cookie_of(sign_in(visitor))
    visitor.delete("/v1/session", headers=cookie).raise_for_status()
    for _ in range(5):
        assert sign_in(visitor, password=OTHER).status_code == 401
    for seconds in (1, 2, 4, 8, 16, 32, 60, 60):
        refused = sign_in(visitor)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, str(seconds))
        assert refused.json()["type"] == "/problems/too-many-requests"
        assert sign_in(visitor, **cookie).status_code == 201  # the browser that signed in here before
        clock.now += timedelta(seconds=seconds)
        assert sign_in(visitor, password=OTHER).status_code == 401
    assert sign_in(visitor, "nobody", PASSWORD).status_code == 401  # other logins do not wait
    clock.now += timedelta(seconds=60)
    assert sign_in(visitor).status_code == 201
    assert sign_in(visitor, password=OTHER).status_code == 401  # a success forgets the failures


def attempt(service: Service, clock: Clock, address: str, login: str = LOGIN, password: str = OTHER) -> str:
    """Try to sign in from an address; the name of the refusal, or "" after a success."""
    try:
        service_sign_in(service, clock, address, login, password)
    except (passwords.SignInRefused, passwords.throttle.TooManyFailures) as refusal:
        return type(refusal).__name__
    return ""


def service_sign_in(service: Service, clock: Clock, address: str, login: str, password: str) -> None:
    passwords.sign_in(
        service,
        login,
        password,
        visitor=passwords.Visitor(address, ""),
        token="",
        now=clock.now,
        limits=passwords.SessionLimits(),
    )


def test_guesses_from_many_addresses_or_for_many_logins_wait_and_known_addresses_do_not(
    visitor: ApiClient, clock: Clock, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = "203.0.113.9"
    assert attempt(service, clock, known, password=PASSWORD) == ""
    monkeypatch.setattr(
        hashing, "fits", lambda password, _known: password == PASSWORD
    )  # 100 hashes take seconds
    tried = [attempt(service, clock, f"198.51.100.{n}") for n in range(51)]
    assert tried == ["SignInRefused"] * 50 + ["TooManyFailures"]
    assert attempt(service, clock, "198.51.100.99", password=PASSWORD) == "TooManyFailures"
    assert attempt(service, clock, known, password=PASSWORD) == ""
    tried = [attempt(service, clock, f"2001:db8::{n:x}", f"user-{n}") for n in range(51)]
    assert tried == ["SignInRefused"] * 50 + ["TooManyFailures"]
    assert attempt(service, clock, "2001:db8:0:1::", "user-1") == "SignInRefused"
    clock.now += timedelta(hours=1, seconds=1)
    do_chores(service, clock)
    assert attempt(service, clock, "198.51.100.99", password=PASSWORD) == ""
    with service.database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM failed_sign_in")).scalar() == 0


def test_few_hashes_are_made_at_once_and_others_do_not_wait(
    visitor: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing_turns, "MOST_OF_ADDRESS", 3)
    steps: list[int] = []  # a hash begins: 1, it ends: -1
    others: list[int] = []

    def slowly(_password: str, _known: str | None) -> bool:
        steps.append(1)
        others.append(visitor.get("/v1/teams", headers=ADMIN).status_code)
        steps.append(-1)
        return False

    monkeypatch.setattr(hashing, "fits", slowly)
    with ThreadPoolExecutor(8) as pool:
        tried = Counter(a.status_code for a in pool.map(lambda n: sign_in(visitor, f"u{n}"), range(8)))
    assert tried.keys() <= {401, 429}
    assert others == [200] * tried[401]
    assert tried[401] >= 3
    assert max(accumulate(steps)) <= hashing_turns.AT_ONCE
    assert sign_in(visitor, "u9").status_code == 401


# Passwords --------------------------------------------------------------------------------------------------


def link_for(client: ApiClient, login: str = LOGIN, **headers: str) -> dict[str, Any]:
    made: dict[str, Any] = (
        client.post(f"/v1/users/{login}/password-link", headers=ADMIN | headers).raise_for_status().json()
    )
    return made


def test_a_link_works_once_until_a_newer_one_or_72_hours(
    visitor: ApiClient, scenario: Scenario, service: Service
) -> None:
    first, again, other = (
        link_for(visitor, **({"Idempotency-Key": name} if name else {})) for name in ("a", "a", "")
    )
    assert first == again
    assert not [one["token"] for one in (first, other) if one["token"] in everything_stored(service)]

    def use(link: dict[str, Any], password: str = OTHER) -> int:
        sent = {"token": link["token"], "password": password}
        return visitor.post("/v1/password-links", json=sent).status_code

    cookie = cookie_of(sign_in(visitor))
    assert use(first) == 401
    assert use(other, "too short") == 422
    assert visitor.get("/v1/session", headers=cookie).status_code == 200
    assert use(other) == 204
    assert visitor.get("/v1/session", headers=cookie).status_code == 401
    assert use(other) == 401
    assert (sign_in(visitor).status_code, sign_in(visitor, password=OTHER).status_code) == (401, 201)
    old = link_for(visitor)
    scenario.jump(hours=72)
    assert use(old) == 401
    young = link_for(visitor)
    visitor.patch(f"/v1/users/{LOGIN}", json={"active": False}, headers=ADMIN).raise_for_status()
    assert use(young) == 401
    refused = visitor.post(f"/v1/users/{LOGIN}/password-link", headers=ADMIN)
    assert refused.status_code == 409
    assert visitor.post("/v1/users/nobody/password-link", headers=ADMIN).status_code == 404


def test_a_user_changes_the_password_and_other_sessions_end(visitor: ApiClient, service: Service) -> None:
    here, there = (cookie_of(sign_in(visitor)) for _ in range(2))

    def change(old: str, new: str, **headers: str) -> Response:
        sent = {"old_password": old, "password": new}
        return visitor.put("/v1/me/password", json=sent, headers=here | headers)

    wrong = change(OTHER, OTHER)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/old_password")
    assert change(PASSWORD, "short").json()["errors"][0]["pointer"] == "/password"
    assert visitor.get("/v1/session", headers=there).status_code == 200
    assert change(PASSWORD, OTHER).status_code == 204
    assert [visitor.get("/v1/session", headers=one).status_code for one in (here, there)] == [200, 401]
    assert (sign_in(visitor).status_code, sign_in(visitor, password=OTHER).status_code) == (401, 201)
    for _ in range(5):
        assert change(PASSWORD, PASSWORD).status_code == 422
    assert change(OTHER, PASSWORD).headers["retry-after"] == "1"
    assert change(OTHER, PASSWORD, **ADMIN).status_code == 403
    log = visitor.get("/v1/audit", params={"subject": "password"}, headers=ADMIN).json()["items"]
    assert [(one["actor"], one["code"], one["action"]) for one in log] == [
        (f"user:{LOGIN}", LOGIN, "changed"),
        (f"user:{LOGIN}", LOGIN, "changed"),
        ("key:bootstrap", LOGIN, "created"),
    ]
    assert "argon2" not in str(log)


def test_a_hash_of_other_parameters_is_replaced_at_the_next_sign_in(
    visitor: ApiClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        hashing, "_hasher", hashing.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    )
    assert hashing.is_outdated(hashing.NOBODYS_HASH)
    assert sign_in(visitor).status_code == 201
    with service.database.engine.connect() as connection:
        stored = connection.execute(text("SELECT hash FROM user_password")).scalar()
    assert not hashing.is_outdated(str(stored))
    assert sign_in(visitor).status_code == 201


@pytest.mark.parametrize("call", ["sign in", "change", "link"])
def test_a_password_that_changes_at_the_same_time_refuses_the_other_call(
    visitor: ApiClient, service: Service, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The other call has checked the old password or the link, and has not written yet."""
    cookie = cookie_of(sign_in(visitor))
    link = link_for(visitor)["token"]
    step = "make_hash" if call == "link" else "fits"
    real = getattr(hashing, step)

    def change_first(*given: Any) -> Any:
        monkeypatch.setattr(hashing, step, real)
        passwords.set_password_by_link(service, link, OTHER)
        return real(*given)

    monkeypatch.setattr(hashing, step, change_first)
    if call == "sign in":
        refused = sign_in(visitor)
    elif call == "change":
        sent = {"old_password": PASSWORD, "password": "five words that are long"}
        refused = visitor.put("/v1/me/password", json=sent, headers=cookie)
    else:
        sent = {"token": link, "password": "five words that are long"}
        refused = visitor.post("/v1/password-links", json=sent)
    assert refused.status_code == (401 if call == "link" else 409)
    assert visitor.get("/v1/sessions", params={"login": LOGIN}, headers=ADMIN).json()["items"] == []
    assert sign_in(visitor, password=OTHER).status_code == 201


def test_a_refused_body_is_not_repeated(visitor: ApiClient) -> None:
    for method, path, body in (
        ("POST", "/v1/session", {"login": [PASSWORD], "password": PASSWORD, "x": PASSWORD}),
        ("POST", "/v1/session", {"login": LOGIN, "password": [PASSWORD]}),
        ("POST", "/v1/session", {"login": LOGIN, "password": PASSWORD * 100}),
        ("POST", "/v1/session", f'{{"login": "{LOGIN}", "password": "{PASSWORD}\\ud800"}}'),
        ("POST", "/v1/password-links", {"token": PASSWORD * 100, "password": "x"}),
        ("PUT", "/v1/me/password", {"old_password": PASSWORD, "password": {"x": PASSWORD}}),
    ):
        head = {"Content-Type": "application/json", **cookie_of(sign_in(visitor))}
        sent = body if isinstance(body, str) else json.dumps(body)
        answer = visitor.request(method, path, content=sent, headers=head)
        assert (answer.status_code, PASSWORD in answer.text) == (422, False)


# Sessions ---------------------------------------------------------------------------------------------------


def test_sessions_are_listed_and_ended_by_their_owner_and_by_administrators(
    visitor: ApiClient, scenario: Scenario, clock: Clock, service: Service
) -> None:
    here, there = (cookie_of(sign_in(visitor)) for _ in range(2))
    other = scenario.key(AccessRole.MANAGER)

    def listed(headers: dict[str, str], **asked: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            visitor.get("/v1/sessions", params=asked, headers=headers).raise_for_status().json()["items"]
        )
        return found

    mine = listed(here)
    assert sorted(one["current"] for one in mine) == [False, True]
    assert [one["id"] for one in listed(ADMIN, login=LOGIN)] == [one["id"] for one in mine]
    assert listed(ADMIN) == []
    assert visitor.get("/v1/sessions", params={"login": LOGIN}, headers=other).status_code == 403
    [theirs] = [one["id"] for one in mine if not one["current"]]
    assert visitor.delete(f"/v1/sessions/{theirs}", headers=other).status_code == 404
    assert visitor.delete(f"/v1/sessions/{theirs}", headers=here).status_code == 204
    assert visitor.get("/v1/session", headers=there).status_code == 401
    [left] = listed(here)
    clock.now += timedelta(seconds=59)
    assert visitor.get("/v1/session", headers=here).json()["seen_at"] == left["seen_at"]
    clock.now += timedelta(seconds=1)
    visitor.get("/v1/session", headers=here)
    assert visitor.get("/v1/session", headers=here).json()["seen_at"] > left["seen_at"]
    assert visitor.delete(f"/v1/sessions/{left['id']}", headers=ADMIN).status_code == 204
    assert visitor.get("/v1/session", headers=here).status_code == 401
    clock.now += timedelta(days=7)
    do_chores(service, clock)
    with service.database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM session")).scalar() == 0


def test_signing_in_again_ends_the_session_of_the_browser(visitor: ApiClient) -> None:
    before = cookie_of(sign_in(visitor))
    after = cookie_of(sign_in(visitor, **before))
    assert [visitor.get("/v1/session", headers=one).status_code for one in (before, after)] == [401, 200]


def test_no_other_site_signs_somebody_in(visitor: ApiClient) -> None:
    assert sign_in(visitor, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    del visitor.headers["Sec-Fetch-Site"]
    assert sign_in(visitor, Origin="https://evil.example").status_code == 403
    assert sign_in(visitor).status_code == 201


def test_the_program_makes_links_without_a_key(visitor: ApiClient, service: Service) -> None:
    link, token = service.write(lambda tx: passwords.make_password_link(service, tx, SYSTEM, LOGIN))
    assert (link.login, len(token)) == (LOGIN, 43)
