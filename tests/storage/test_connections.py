"""Connections to PostgreSQL: several hosts in a URL, a pool that is too small, a server that restarts."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import text

from complaints.domain.errors import Unavailable
from complaints.storage.database import bulk
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.storage.rows.user_preference import user_preference
from complaints.use_cases.service import Service, Transaction
from complaints.wiring import new_id
from tests.support import START, api_client, opened_service, sandbox_now

POST = {"channel": "phone", "subject": "No signal"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://who:secret@/complaints?host=db1:5432&host=db2:5433&target_session_attrs=read-write",
        "postgresql://who:secret@/complaints?host=db1,db2&port=5432,5433&target_session_attrs=read-write",
    ],
)
def test_a_url_may_name_several_hosts(url: str) -> None:
    engine = open_engine(url)
    _, options = engine.dialect.create_connect_args(engine.url)
    assert (options["host"], options["port"]) == ("db1,db2", "5432,5433")
    assert options["target_session_attrs"] == "read-write"


def test_of_several_hosts_the_one_that_takes_writes_is_found(
    migrated_database_url: Callable[[str], str],
) -> None:
    url = migrated_database_url("postgresql")
    with psycopg.connect(url) as connection:
        host, port = connection.info.host, connection.info.port
    name = url.partition("@/")[2].partition("?")[0]
    several = (
        f"postgresql://postgres@/{name}?host=127.0.0.1,{host}&port=1,{port}&target_session_attrs=read-write"
    )
    with opened_service(several) as service:
        assert service.read(lambda tx: tx.connection.execute(text("SELECT 1")).scalar_one()) == 1


def test_settings_in_a_url_count_but_the_zone_stays_utc(migrated_database_url: Callable[[str], str]) -> None:
    url = (
        migrated_database_url("postgresql")
        + "&options=-c%20statement_timeout%3D7s%20-c%20timezone%3DAsia/Tokyo"
    )
    with opened_service(url) as service:
        shown = service.read(
            lambda tx: [
                tx.connection.execute(text(f"SHOW {name}")).scalar_one()
                for name in ("statement_timeout", "idle_in_transaction_session_timeout", "timezone")
            ]
        )
    assert shown == ["7s", "5s", "UTC"]


@pytest.fixture
def small(migrated_database_url: Callable[[str], str]) -> Iterator[Service]:
    """An engine with at most two connections and a short wait for one."""
    url = migrated_database_url("postgresql")
    database = Database(open_engine(url, pool_size=1, pool_seconds=0.2), sandbox_now)
    yield Service(database, new_id)
    database.close()


def test_a_pool_that_is_used_up_answers_503_and_when_to_come_again(small: Service) -> None:
    with api_client(small) as client:
        assert client.post("/v1/complaints", json=POST).status_code == 201
        with small.database.read(), small.database.read():
            for answer in (client.post("/v1/complaints", json=POST), client.get("/v1/complaints")):
                assert answer.status_code == 503
                assert answer.headers["content-type"] == "application/problem+json"
                assert int(answer.headers["retry-after"]) > 0
        assert client.post("/v1/complaints", json=POST).status_code == 201


def test_a_key_that_cannot_be_looked_up_answers_503(small: Service) -> None:
    """Otherwise the first request after an outage of half a second would get 500."""
    with api_client(small) as client, small.database.read(), small.database.read():
        answer = client.post("/v1/complaints", json=POST)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


def test_a_pool_lends_again_what_its_server_ended(small: Service) -> None:
    """As after a restart or a failover: the process continues without help."""
    with api_client(small) as client:
        assert client.get("/readyz").status_code == 200
        with small.database.read() as tx:
            mine = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(
            str(small.database.engine.url).replace("+psycopg", ""), autocommit=True
        ) as other:
            # The second argument waits, in milliseconds, until the server process has ended.
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
        assert client.post("/v1/complaints", json=POST).status_code == 201
        assert client.get("/readyz").status_code == 200


def test_rows_by_copy_fail_as_other_statements_do(small: Service) -> None:
    """COPY asks the driver past SQLAlchemy: a loop that writes so would log the driver's own error as unexpected."""
    names, rows = ("login", "language"), [(f"user{n}", "en") for n in range(50_000)]

    def write(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("SET LOCAL statement_timeout = '1ms'")
        packed = bulk.pack_rows(tx.connection.dialect, user_preference, names, rows)
        bulk.insert_packed(tx, user_preference, names, [packed])

    with pytest.raises(Unavailable):
        small.write(write)


def test_who_is_not_ready_says_so(migrated_database_url: Callable[[str], str]) -> None:
    nowhere = Database(open_engine("postgresql://nobody@127.0.0.1:1/nothing"), lambda _connection: START)
    with pytest.raises(Unavailable), nowhere.read():
        pytest.fail("there is no such database")
    with opened_service(migrated_database_url("postgresql")) as service, api_client(service) as client:
        client.app.state.service = Service(nowhere, new_id)  # type: ignore[attr-defined]
        away = client.get("/readyz")
        assert (away.status_code, client.get("/healthz").status_code) == (503, 200)
        client.app.state.service = service  # type: ignore[attr-defined]
        assert client.get("/readyz").status_code == 200


def test_many_rows_are_taken_statement_by_statement(migrated_database_url: Callable[[str], str]) -> None:
    """psycopg uses no pipeline, because the server waits for its end without a timeout. All rows are counted."""
    with opened_service(migrated_database_url("postgresql")) as service, service.database.begin() as tx:
        tx.connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '1s'")
        cursor = tx.connection.connection.cursor()
        cursor.executemany(
            "UPDATE team SET active = true WHERE code = %s", [("operations",), ("network",), ("no",)]
        )
        assert cursor.rowcount == len(
            tx.connection.exec_driver_sql("SELECT 1 FROM team WHERE code IN ('operations', 'network')").all()
        )
