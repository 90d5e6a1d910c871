"""The routes /v1/keys: a secret is shown once, stored as a digest, and stops working when it is revoked."""

import json
import time
from typing import Any

import pytest
from sqlalchemy import text

from complaints.domain.errors import Forbidden, Unavailable
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Database
from complaints.use_cases import access
from complaints.use_cases.access import RIGHTS, Caller, Right
from complaints.use_cases.configuration import keys
from complaints.use_cases.configuration.key_uses import save_key_uses
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.configuration_checks import check_configuration
from tests.api_client import ApiClient
from tests.support import Scenario, api_client, count_statements

POST = {"channel": "web", "subject": "x"}
KEY = {"name": "cc-north", "roles": ["intake"]}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def make(client: ApiClient, **members: Any) -> dict[str, Any]:
    answer = client.post("/v1/keys", json=KEY | members)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def everything_stored(service: Service) -> str:
    """The whole content of the tables of keys and of stored answers, as text."""
    with service.database.engine.connect() as connection:
        rows = [
            row
            for table in ("api_key", "idempotency")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    values = [value for row in rows for value in row]
    binary = [
        bytes(value).decode("utf-8", "replace") for value in values if isinstance(value, bytes | memoryview)
    ]
    return "\n".join([*binary, *map(str, values)])


def test_a_key_is_made_used_and_listed_without_its_secret(client: ApiClient, service: Service) -> None:
    answer = client.post("/v1/keys", json=KEY | {"source": "north", "expires_at": "2026-02-01T00:00:00Z"})
    made = answer.json()
    secret = made.pop("key")

    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/keys/{made['id']}")
    assert answer.headers["cache-control"] == "no-store"
    assert made == {
        "id": made["id"], "name": "cc-north", "roles": ["intake"], "source": "north", "user": None,
        "expires_at": "2026-02-01T00:00:00Z", "created_at": "2026-01-05T01:00:00Z",
        "created_by": "key:bootstrap", "revoked_at": None, "previous_until": None, "last_used_at": None,
    }  # fmt: skip
    assert client.get(f"/v1/keys/{made['id']}").json() == made
    assert [item["name"] for item in client.get("/v1/keys").json()["items"]] == ["bootstrap", "cc-north"]
    assert secret not in client.get("/v1/keys").text
    assert secret not in everything_stored(service)
    posted = client.post("/v1/complaints", json={"channel": "web", "subject": "x"}, headers=bearer(secret))
    assert posted.json()["source"] == "north"


def test_repeated_under_one_idempotency_key_the_secret_is_sent_again_but_not_kept(
    client: ApiClient, service: Service
) -> None:
    headers = {"Idempotency-Key": "make-the-key"}
    first = client.post("/v1/keys", json=KEY, headers=headers)
    again = client.post("/v1/keys", json=KEY, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (
        None,
        "true",
    )
    secret = first.json()["key"]
    assert client.get("/v1/categories", headers=bearer(secret)).status_code == 200
    stored = everything_stored(service)
    assert first.json()["id"] in stored
    assert secret not in stored
    assert len(client.get("/v1/keys").json()["items"]) == 2


def test_a_kept_secret_cannot_be_read_with_another_secret_of_the_same_key(
    client: ApiClient, service: Service
) -> None:
    headers = {"Idempotency-Key": "make-the-key"}
    client.post("/v1/keys", json=KEY, headers=headers)
    other = "another-secret-of-the-administrator"
    with service.database.begin() as tx:
        statement = text("UPDATE api_key SET secret_digest = :digest WHERE name = 'bootstrap'")
        tx.connection.execute(statement, {"digest": keys.digest_of(other)})
    with api_client(Service(service.database, service.new_id)) as fresh:
        again = fresh.post("/v1/keys", json=KEY, headers=headers | bearer(other))
    assert again.status_code == 409
    assert "can no longer be shown" in again.json()["detail"]


def test_a_kept_secret_that_was_changed_is_not_shown(client: ApiClient, service: Service) -> None:
    headers = {"Idempotency-Key": "make-the-key"}
    kept = json.loads(client.post("/v1/keys", json=KEY, headers=headers).content)
    for stored in ("cmp_" + "A" * 43, kept["key"], "", "A" * 96):
        with service.database.begin() as tx:
            body = json.dumps(kept | {"key": stored}).encode()
            tx.connection.execute(text("UPDATE idempotency SET body = :body"), {"body": body})
        again = client.post("/v1/keys", json=KEY, headers=headers)
        assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict")


def test_a_key_with_a_name_of_before_keeps_working(client: ApiClient, service: Service) -> None:
    secret = make(client)["key"]
    with service.database.begin() as tx:
        tx.connection.execute(text("UPDATE api_key SET name = 'north 北 ' WHERE name = 'cc-north'"))
    with api_client(Service(service.database, service.new_id)) as fresh:
        posted = fresh.post("/v1/complaints", json={"channel": "web", "subject": "x"}, headers=bearer(secret))
        assert posted.status_code == 201
        assert "north 北 " in [key["name"] for key in fresh.get("/v1/keys").json()["items"]]


UNFIT = [
    ({"roles": []}, "/roles"),
    ({"roles": ["king"]}, "/roles/0"),
    ({"user": "nobody"}, "/user"),
    ({"expires_at": "2026-01-05T01:00:00Z"}, "/expires_at"),
    ({"name": ""}, "/name"),
    *(
        ({"name": name}, "/name")
        for name in ("boot strap", "bootstrap ", "a\nb", "\uff42ootstrap", "-a", "a/b", "\u5bc6")
    ),
    ({"key": "a-secret-of-my-own-choosing"}, "/key"),
    ({"revoked_at": "2026-01-05T01:00:00Z"}, "/revoked_at"),
]


def test_what_does_not_fit_is_refused_at_its_member(client: ApiClient) -> None:
    for change, pointer in UNFIT:
        refused = client.post("/v1/keys", json=KEY | change)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


def test_a_name_is_taken_once_also_when_revoked(client: ApiClient) -> None:
    made = make(client)
    assert client.post("/v1/keys", json=KEY).status_code == 409
    assert client.delete(f"/v1/keys/{made['id']}").status_code == 204
    assert client.post("/v1/keys", json=KEY).status_code == 409


def test_a_key_that_belongs_to_a_user_acts_as_them(client: ApiClient) -> None:
    # rule 1.5
    secret = make(client, roles=["agent"], user="admin")["key"]
    posted = client.post("/v1/complaints", json={"channel": "web", "subject": "x"}, headers=bearer(secret))
    assert posted.json()["first_owner"] == "admin"


def test_a_revoked_key_stops_for_good(client: ApiClient) -> None:
    made = make(client)
    revoked = client.delete(f"/v1/keys/{made['id']}")

    assert (revoked.status_code, revoked.content) == (204, b"")
    assert client.get("/v1/categories", headers=bearer(made["key"])).status_code == 401
    shown = client.get(f"/v1/keys/{made['id']}").json()
    assert shown["revoked_at"] == "2026-01-05T01:00:00Z"
    assert client.delete(f"/v1/keys/{made['id']}").status_code == 204
    assert client.delete("/v1/keys/019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11").status_code == 404
    assert client.delete("/v1/keys/nonsense").status_code == 404


def test_a_key_revoked_elsewhere_stops_within_five_seconds(client: ApiClient, service: Service) -> None:
    made = make(client)
    elsewhere = Service(service.database, service.new_id)

    def works() -> bool:
        return elsewhere.read(lambda tx: keys.caller_of(elsewhere, tx, made["key"])) is not None

    assert works()
    client.delete(f"/v1/keys/{made['id']}")
    deadline = time.monotonic() + 5
    while works() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not works()


def test_an_expired_key_stops(client: ApiClient, scenario: Scenario) -> None:
    made = make(client, expires_at="2026-01-05T02:00:00Z")
    scenario.jump(minutes=59)
    assert client.get("/v1/categories", headers=bearer(made["key"])).status_code == 200
    scenario.jump(minutes=1)
    assert client.get("/v1/categories", headers=bearer(made["key"])).status_code == 401


def test_the_last_key_that_makes_keys_stays(client: ApiClient) -> None:
    own = next(item for item in client.get("/v1/keys").json()["items"] if item["name"] == "bootstrap")
    make(client)
    short = make(client, name="short", roles=["admin"])
    client.delete(f"/v1/keys/{short['id']}")
    assert client.delete(f"/v1/keys/{own['id']}").status_code == 409
    make(client, name="second", roles=["admin"])
    assert client.delete(f"/v1/keys/{own['id']}").status_code == 204
    assert client.get("/v1/keys").status_code == 401


def test_a_key_cannot_mint_a_stronger_one(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the role admin may create keys. Here another role gets that right, but not every right."""
    weak = frozenset({Right.READ_OWN, Right.READ, Right.ADMINISTER})
    monkeypatch.setitem(RIGHTS, AccessRole.AUDITOR, weak)
    monkeypatch.setattr(access, "_rights_of", access._rights_of.__wrapped__)  # without its cache
    auditor = Caller("auditor", frozenset({AccessRole.AUDITOR}), "x")

    def create(role: AccessRole) -> None:
        scenario.service.write(
            lambda tx: keys.create_key(scenario.service, tx, auditor, name=f"new-{role}", roles=[role])
        )

    for role in set(AccessRole) - {AccessRole.AUDITOR}:
        with pytest.raises(Forbidden, match="more rights than its own"):
            create(role)
    create(AccessRole.AUDITOR)
    with pytest.raises(Forbidden):
        scenario.service.write(
            lambda tx: keys.create_key(
                scenario.service,
                tx,
                Caller("m", frozenset({AccessRole.MANAGER}), "m"),
                name="x",
                roles=[AccessRole.INTAKE],
            )
        )


def test_a_database_out_of_reach_is_no_internal_error(
    service: Service, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is looked up before any route, outside the handlers of errors."""

    def unreachable(_database: Database) -> None:
        raise Unavailable("The database cannot be reached.")

    service.cache.expire()
    monkeypatch.setattr(Database, "read", unreachable)

    answer = client.get("/v1/complaints")

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "/problems/service-unavailable"


def rotate(client: ApiClient, key_id: str, status: int = 200, **members: Any) -> Any:
    answer = client.post(f"/v1/keys/{key_id}/rotate", json=members)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_rotated_key_works_with_both_secrets_until_the_end_of_the_overlap(
    client: ApiClient, scenario: Scenario
) -> None:
    def works(secret: str) -> bool:
        return client.get("/v1/categories", headers=bearer(secret)).status_code == 200

    made = make(client, expires_at="2026-02-20T01:00:00Z")
    rotated = rotate(client, made["id"])
    assert rotated == made | {"key": rotated["key"], "previous_until": "2026-01-06T01:00:00Z"}
    assert works(made["key"])
    assert works(rotated["key"])
    scenario.jump(hours=23, minutes=59)
    assert works(made["key"])
    scenario.jump(minutes=1)
    assert not works(made["key"])
    assert works(rotated["key"])

    second, third = rotate(client, made["id"], overlap="P30D"), rotate(client, made["id"], overlap="PT1H")
    assert [works(one["key"]) for one in (rotated, second, third)] == [False, True, True]
    last = rotate(client, made["id"], overlap="PT0S")
    assert last["previous_until"] is None
    assert [works(one["key"]) for one in (second, third, last)] == [False, False, True]
    again = rotate(client, made["id"])
    client.delete(f"/v1/keys/{made['id']}")
    assert not works(last["key"])
    assert not works(again["key"])
    assert not list(check_configuration(scenario.service))


def test_a_rotation_is_refused_at_its_member_or_for_its_key(client: ApiClient, scenario: Scenario) -> None:
    made = make(client, expires_at="2026-01-05T02:00:00Z")
    for overlap in ("P31D", "P1M", "P30DT1S", "-PT1H", "soon", "", 24, None):
        refused = rotate(client, made["id"], 422, overlap=overlap)
        assert [error["pointer"] for error in refused["errors"]] == ["/overlap"]
    rotate(client, "019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11", 404)
    scenario.jump(hours=1)
    assert "revoked or expired" in rotate(client, made["id"], 409)["detail"]


def test_a_repeated_rotation_sends_the_same_secret(client: ApiClient, service: Service) -> None:
    key_id, headers = make(client)["id"], {"Idempotency-Key": "rotate-the-key"}
    path = f"/v1/keys/{key_id}/rotate"
    first, again = (client.post(path, json={}, headers=headers) for _ in range(2))
    assert (first.status_code, first.content) == (200, again.content)
    assert first.json()["key"] not in everything_stored(service)


def test_a_rotation_elsewhere_ends_the_former_secret_within_five_seconds(
    client: ApiClient, service: Service
) -> None:
    made = make(client)
    elsewhere = Service(service.database, service.new_id)

    def works() -> bool:
        if keys.known_caller(elsewhere, made["key"]):
            return True
        return elsewhere.read(lambda tx: keys.caller_of(elsewhere, tx, made["key"])) is not None

    assert works()
    rotate(client, made["id"], overlap="PT0S")
    deadline = time.monotonic() + 5
    while works() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not works()


def test_the_last_use_is_written_by_a_loop_and_at_most_once_a_minute(
    client: ApiClient, scenario: Scenario
) -> None:
    service = scenario.service
    made = make(client)

    def last_use() -> Any:
        return client.get(f"/v1/keys/{made['id']}").json()["last_used_at"]

    def use_and_save(**jump: int) -> Any:
        scenario.jump(**jump)
        with count_statements(service) as executed:
            answer = client.post("/v1/complaints", json=POST, headers=bearer(made["key"]))
        assert answer.status_code == 201
        assert not [statement for statement, _ in executed if "key_use" in statement]
        save_key_uses(service)
        return last_use()

    assert last_use() is None
    first = use_and_save(minutes=1)
    assert first.startswith("2026-01-05T01:0")
    assert use_and_save(seconds=30) == first
    assert use_and_save(minutes=1) > first
    with count_statements(service) as executed:
        service.key_uses.take()
        save_key_uses(service)
    assert not executed
    assert not list(check_configuration(service))


ROLES_OF_USERS = [
    (["agent"], ["agent"], 201),
    (["intake"], ["agent"], 201),
    (["agent", "auditor"], ["manager"], 201),
    (["supervisor"], ["agent"], 422),
    (["intake", "auditor"], ["agent"], 422),
    (["intake"], [], 422),
    (["admin"], None, 201),
]


@pytest.mark.parametrize(("roles", "of_user", "status"), ROLES_OF_USERS)
def test_a_key_has_no_more_rights_than_its_user(
    client: ApiClient, roles: list[str], of_user: list[str] | None, status: int
) -> None:
    members = {"login": "li.wei", "name": "Li Wei", "roles": of_user}
    assert client.post("/v1/users", json=members).status_code == 201
    answer = client.post("/v1/keys", json=KEY | {"roles": roles, "user": "li.wei"})
    assert answer.status_code == status, answer.text
    if status == 422:
        [error] = answer.json()["errors"]
        assert error["pointer"] == f"/roles/{len(roles) - 1}"


def test_a_key_follows_the_roles_of_its_user(client: ApiClient) -> None:
    client.post("/v1/users", json={"login": "li.wei", "name": "Li Wei"})
    secret = make(client, roles=["admin"], user="li.wei")["key"]

    def reach() -> list[int]:
        asked = ("/v1/complaints", "/v1/audit", "/v1/keys")
        return [client.get(path, headers=bearer(secret)).status_code for path in asked]

    for roles, expected in (
        (None, [200, 200, 200]),
        (["manager"], [200, 200, 403]),
        (["agent", "auditor"], [200, 200, 403]),
        (["agent"], [200, 403, 403]),
        ([], [403, 403, 403]),
        (["admin"], [200, 200, 200]),
    ):
        if roles is not None:
            assert client.patch("/v1/users/li.wei", json={"roles": roles}).status_code == 200
        assert reach() == expected, roles
