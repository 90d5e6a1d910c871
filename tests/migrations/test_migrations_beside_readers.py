"""On PostgreSQL a migration waits for programs that run meanwhile, and no request to them fails because of it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Transaction
from tests.support import opened_service

LAST_RELEASE, BEFORE, LOCKING = (
    "0014",
    "0015",
    "0016",
)  # the last locks complaints first, and deadlines after them
EXCLUSIVE = """
SELECT relname FROM pg_locks JOIN pg_class ON pg_class.oid = relation
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = 'AccessExclusiveLock'
AND relkind IN ('r', 'p') AND NOT relispartition
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"


@pytest.fixture
def url(empty_database_url: Callable[[str], str]) -> str:
    """An empty database on PostgreSQL."""
    return empty_database_url("postgresql")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine on the database."""
    opened = open_engine(url)
    yield opened
    opened.dispose()


def test_each_migration_takes_its_exclusive_locks_at_once(engine: Engine, subtests: pytest.Subtests) -> None:
    """So it holds no table for long while it waits for the next."""
    migrate.upgrade(engine, LAST_RELEASE)
    old, growths = frozenset[str](), [frozenset[str]()]

    def look(_connection: Any, cursor: Any, *_: Any) -> None:
        own = cursor.connection.cursor(row_factory=psycopg.rows.scalar_row)
        if (held := frozenset(own.execute(EXCLUSIVE)) & old) > growths[-1]:
            growths.append(held)

    known = migrate.revisions()
    sa.event.listen(engine, "after_cursor_execute", look)
    for revision in known[known.index(LAST_RELEASE) + 1 :]:
        old, growths = frozenset(sa.inspect(engine).get_table_names()), [frozenset()]
        migrate.upgrade(engine, revision)
        with subtests.test(revision):
            assert len(growths) <= 2, [sorted(one) for one in growths]


def test_a_reader_outlasts_a_migration_that_waits_for_it(engine: Engine, url: str) -> None:
    migrate.upgrade(engine, BEFORE)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {engine.url.database} SET deadlock_timeout = '2s'")
    engine.dispose()  # the next connection has it
    # The reader would notice a deadlock before the migration does, and be ended for it.
    with psycopg.connect(url, options="-c deadlock_timeout=1900ms") as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("SELECT count(*) FROM deadline")
        migration = pool.submit(migrate.upgrade, engine, LOCKING)
        _await_waiting(url)
        assert reader.execute("SELECT count(*) FROM complaint").fetchone() == (0,)
        assert not migration.done()
        reader.commit()
        assert migration.result() == migrate.SchemaChange(BEFORE, LOCKING)


def test_a_migration_gives_up_when_a_table_is_never_free(
    engine: Engine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_PATIENCE_SECONDS", 0)
    monkeypatch.setattr(migrate, "_LEAST_TRIES", 2)
    migrate.upgrade(engine, BEFORE)
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM deadline")
        with pytest.raises(migrate.MigrationRefused, match="other transactions kept its tables"):
            migrate.upgrade(engine, LOCKING)
    assert migrate.upgrade(engine, LOCKING) == migrate.SchemaChange(BEFORE, LOCKING)


def test_a_read_that_a_deadlock_ended_is_done_again(migrated_database_url: Callable[[str], str]) -> None:
    url, tries = migrated_database_url("postgresql"), 0

    def change_the_schema() -> None:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE deadline")
            other.execute("LOCK TABLE complaint")

    def count(tx: Transaction) -> int:
        nonlocal tries
        tries += 1
        tx.connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10ms'")
        counted: int = tx.connection.exec_driver_sql("SELECT count(*) FROM complaint").scalar_one()
        if tries == 1:
            changing.append(pool.submit(change_the_schema))
            _await_waiting(url)
        return counted + tx.connection.exec_driver_sql("SELECT count(*) FROM deadline").scalar_one()

    changing: list[Any] = []
    with opened_service(url) as service, ThreadPoolExecutor(1) as pool:
        assert service.read(count) == 0
        changing[0].result()
    assert tries == 2


def _await_waiting(url: str) -> None:
    limit = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as other:
        while other.execute(WAITING).fetchone() == (0,):
            assert time.monotonic() < limit, "nobody waits for a table"
            time.sleep(0.01)
