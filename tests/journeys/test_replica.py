"""Who cannot write reads from the replica, everybody else from the primary; without a replica, all do."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from secrets import token_hex

import psycopg
import pytest

from complaints.api.app import create_app
from complaints.domain.vocabulary import AccessRole
from complaints.features.exports import use_cases as exports
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.access import RIGHTS, Caller
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.replica import READS_ONLY, Replica, service_for
from complaints.use_cases.service import Service
from complaints.wiring import wall_now
from complaints.wiring.faces import open_faces
from tests.api_client import ApiClient
from tests.console.conftest import Reader, open_reader
from tests.journeys.running_server import await_true
from tests.postgres_replica import replicating
from tests.postgres_server import PostgresUnavailable, serving
from tests.support import ADMIN_SECRET, Scenario, make_template, opened_service, sandbox_now

BODY = {"channel": "phone", "subject": "No signal"}
WRITERS = [role for role in AccessRole if role is not AccessRole.AUDITOR]


class Pair:
    """A primary and its replica, with the API on both."""

    def __init__(self, primary: Service, replica: Replica, replica_url: str) -> None:
        self.scenario = Scenario(primary)
        self.replica = replica
        self._replica_url = replica_url
        self.app = create_app(primary, wall=wall_now, replica=replica, faces=open_faces())

    def client(self, *roles: AccessRole) -> ApiClient:
        """A client with a new key."""
        return ApiClient(self.app, headers=self.scenario.key(*roles))

    def sign_in(self, login: str) -> Reader:
        """A browser in which the user has signed in."""
        return open_reader(ApiClient(self.app), self.scenario.service, login)

    def tell_replica(self, statement: str) -> object:
        """What the replica answers to a statement in SQL."""
        with psycopg.connect(self._replica_url, autocommit=True) as connection:
            row = connection.execute(statement).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None

    def await_replay(self) -> None:
        """Until the replica has all that the primary has."""
        with self.scenario.service.database.read() as tx:
            # Of what was inserted, not written: a commit here does not wait for the latter.
            position = tx.connection.exec_driver_sql("SELECT pg_current_wal_insert_lsn()").scalar_one()
        await_true(lambda: self.tell_replica(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") is True)


@pytest.fixture(scope="module")
def urls() -> Iterator[tuple[str, str]]:
    """The databases of a primary and of a streaming replica."""
    with ExitStack() as stack:
        try:
            primary = stack.enter_context(serving())
            make_template(primary)
            yield primary, stack.enter_context(replicating(primary))
        except PostgresUnavailable as failure:
            pytest.skip(f"no replica: {failure}")


@pytest.fixture
def pair(urls: tuple[str, str]) -> Iterator[Pair]:
    """The pair, in step."""
    with opened_service(urls[0]) as primary:
        replica = Replica(Database(open_engine(urls[1]), sandbox_now), primary.new_id, primary=primary)
        made = Pair(primary, replica, urls[1])
        made.await_replay()
        yield made
        made.tell_replica("SELECT pg_wal_replay_resume()")
        replica.close()


def test_a_writer_reads_its_own_write_and_a_reader_the_replica(pair: Pair) -> None:
    writer, reader = pair.client(AccessRole.AGENT), pair.client(AccessRole.AUDITOR)
    pair.await_replay()
    feed = reader.get("/v1/changes").json()["next_cursor"]
    pair.tell_replica("SELECT pg_wal_replay_pause()")

    made = writer.post("/v1/complaints", json=BODY).json()
    path = f"/v1/complaints/{made['id']}"
    assert writer.get(path).json()["number"] == made["number"]
    assert made["number"] in {one["number"] for one in writer.get("/v1/complaints").json()["items"]}
    assert reader.get(path).status_code == 404
    assert made["number"] not in {one["number"] for one in reader.get("/v1/complaints").json()["items"]}
    behind = reader.get("/v1/changes", params={"after": feed}).json()
    assert behind == {"items": [], "next_cursor": feed}

    pair.tell_replica("SELECT pg_wal_replay_resume()")
    pair.await_replay()
    assert reader.get(path).json()["number"] == made["number"]
    caught_up = reader.get("/v1/changes", params={"after": feed}).json()["items"]
    assert {event["complaint_id"] for event in caught_up} == {made["id"]}


def test_a_replica_that_is_away_is_replaced_by_the_primary(pair: Pair) -> None:
    nowhere = open_engine("postgresql://nobody@127.0.0.1:1/nothing")
    pair.app.state.replica = replace(pair.replica, database=Database(nowhere, sandbox_now))
    made = pair.scenario.post()
    reader = pair.client(AccessRole.AUDITOR)
    assert reader.get(f"/v1/complaints/{made.id}").status_code == 200
    assert reader.get("/v1/overdue/summary").status_code == 200


def test_what_the_replica_knows_of_reference_data_decides_nothing(pair: Pair) -> None:
    """A key revoked on the primary is revoked for reads from a replica that does not have the change yet."""
    reader = pair.client(AccessRole.AUDITOR)
    pair.await_replay()
    assert reader.get("/v1/complaints").status_code == 200
    pair.tell_replica("SELECT pg_wal_replay_pause()")
    admin = ApiClient(pair.app, headers={"Authorization": f"Bearer {ADMIN_SECRET}"})
    keys = admin.get("/v1/keys").json()["items"]
    newest = max((key for key in keys if key["roles"] == ["auditor"]), key=lambda key: key["id"])
    assert admin.delete(f"/v1/keys/{newest['id']}").status_code in (200, 204)
    assert reader.get("/v1/complaints").status_code == 401


def test_a_scope_comes_from_the_primary(pair: Pair) -> None:
    """The replica still has the wider scope, and the user who is absent no longer."""
    admin = ApiClient(pair.app, headers={"Authorization": f"Bearer {ADMIN_SECRET}"})
    user = {"login": "reader", "name": "Reader", "roles": ["auditor"], "scope": "all"}
    assert admin.post("/v1/users", json=user).status_code == 201
    away = {"login": "boss", "name": "Boss", "deputy": "reader", "absent_from": "2026-01-01T00:00:00Z"}
    assert admin.post("/v1/users", json=away).status_code == 201
    made, other = pair.scenario.post(first_owner="boss"), pair.scenario.post()
    reader = ApiClient(pair.app, headers=pair.scenario.key(AccessRole.AUDITOR, login="reader"))
    paths = [f"/v1/complaints/{one.id}" for one in (made, other)]
    pair.await_replay()
    assert [reader.get(path).status_code for path in paths] == [200, 200]
    pair.tell_replica("SELECT pg_wal_replay_pause()")
    admin.patch("/v1/users/reader", json={"scope": "own"})
    assert [reader.get(path).status_code for path in paths] == [200, 404]
    assert admin.patch("/v1/users/boss", json={"deputy": ""}).status_code == 200
    assert [reader.get(path).status_code for path in paths] == [404, 404]


def test_an_auditor_finds_in_the_console_what_it_chose_a_moment_ago(pair: Pair) -> None:
    """The replica knows neither the user nor its choices yet. Preferences and saved views are an auditor's own."""
    pair.await_replay()
    pair.tell_replica("SELECT pg_wal_replay_pause()")
    admin = ApiClient(pair.app, headers={"Authorization": f"Bearer {ADMIN_SECRET}"})
    user = {"login": "new.auditor", "name": "New", "roles": ["auditor"], "scope": "all"}
    assert admin.post("/v1/users", json=user).status_code == 201
    reader = pair.sign_in("new.auditor")
    assert reader.get("/overdue").status_code == 200

    assert reader.post("/look", {"language": "zh", "next": "/console/overdue"}).status_code == 303
    assert '<html lang="zh' in reader.get("/overdue", language="en").text
    view = {"name": "Mine to check", "query": "region=R1", "is_home": "yes", "attempt": token_hex(8)}
    assert reader.post("/views", view).status_code == 303
    for path in ("/views", "/overdue", "/palette?q=Mine"):
        assert "Mine to check" in reader.get(path).text
    assert reader.get("/").headers["location"] == "/console/overdue?region=R1"


def test_an_export_reads_no_page_that_is_older_than_its_place_in_the_feed(pair: Pair) -> None:
    """It began on the primary, because the replica was away for a moment. Now the replica answers again."""
    pair.await_replay()
    pair.tell_replica("SELECT pg_wal_replay_pause()")
    made = pair.scenario.post()
    asked, caller = ComplaintFilter(), Caller("who", frozenset({AccessRole.AUDITOR}), "who")
    on_replica = exports.start_export(pair.replica, caller, asked, count=True)
    start = exports.start_export(pair.scenario.service, caller, asked, count=True)
    assert (start.number > on_replica.number, start.count) == (True, (on_replica.count or 0) + 1)
    page = exports.read_page(pair.replica, caller, asked, start=start, after=None)
    assert made.id in {one.members["id"] for one in page.complaints}


@pytest.mark.parametrize("role", WRITERS)
def test_a_role_that_writes_is_never_sent_to_the_replica(service: Service, role: AccessRole) -> None:
    replica = Replica(service.database, service.new_id, primary=service)
    for roles in ({role}, {role, AccessRole.AUDITOR}):
        assert service_for(service, replica, Caller("who", frozenset(roles), "who")) is service
    auditor = Caller("who", frozenset({AccessRole.AUDITOR}), "who")
    assert service_for(service, replica, auditor) is replica
    assert service_for(service, None, auditor) is service


def test_who_is_sent_to_the_replica_can_write_nothing(client: ApiClient, scenario: Scenario) -> None:
    """Every call that may write refuses them, so such a caller has no write that it could miss.

    A reveal writes to the access log alone, and the log is read on the primary. So are sessions and passwords.
    """
    assert RIGHTS[AccessRole.AUDITOR] <= READS_ONLY
    headers = scenario.key(AccessRole.AUDITOR)
    anything = "00000000-0000-7000-8000-000000000000"
    computing = ("/v1/deadlines/preview", "/v1/deadlines/elapsed", "/v1/policies/validate")
    on_primary = "/v1/complaints/{reference}/reveal"
    of_accounts = ("/v1/session", "/v1/me", "/v1/password-links")
    tried, accepted = 0, []
    for template, operations in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        path = re.sub(r"\{[^}]+\}", anything, template)
        for method in operations.keys() - {"get", "parameters"}:
            answer = client.request(method, path, headers=headers, json={})
            tried += 1
            if template.startswith(of_accounts) or template in (*computing, on_primary):
                continue
            if answer.status_code != 403:
                accepted.append((method, template, answer.status_code))
    assert accepted == []
    assert tried > 20
