"""Migrations on both databases: up and down without losing rows, also by several processes at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from psycopg.errors import DeadlockDetected
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from complaints.features.registry import FEATURES
from complaints.settings import Settings
from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.rows import all_tables
from complaints.wiring import prepare
from tests.journeys.running_server import Launcher
from tests.support import Scenario, opened_service

EVERY_TABLE = all_tables.with_annexes(f.tables for f in FEATURES if f.tables is not None)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, empty_database_url: Callable[[str], str]) -> Iterator[Engine]:
    """An engine on an empty database."""
    engine = open_engine(empty_database_url(request.param))
    yield engine
    engine.dispose()


@pytest.fixture
def migrated(database_url: str) -> Iterator[Engine]:
    """An engine on a database with the newest schema, brought there at once."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, migrated_database_url: Callable[[str], str]) -> str:
    """A new database, because emptying a shared one would not undo a change of its schema."""
    return migrated_database_url(request.param)


def _tables(engine: Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names())


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return migrate.current(connection)


def _is_compared(name: str | None, kind: str, _parents: Any) -> bool:
    """Only migrations make months and the full-text tables, whose form differs between the databases."""
    return not (kind == "table" and (name or "").startswith(("complaint_search", "event_2")))


def test_the_newest_schema_is_what_the_code_says(migrated: Engine) -> None:
    """Except the unique keys that each month of the history has on PostgreSQL."""
    of_months = ("uq_event__complaint_id_ordinal", "uq_event__subject_id_ordinal")

    def is_kept_whole(_item: Any, name: str | None, *_: Any) -> bool:
        return name not in of_months or migrated.dialect.name == "sqlite"

    assert _version(migrated) == migrate.head()
    with migrated.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": _is_compared,
                "include_object": is_kept_whole,
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, EVERY_TABLE) == []


def test_every_constraint_of_the_code_is_in_the_database(migrated: Engine) -> None:
    """The comparison above ignores CHECK constraints."""
    inspector = sa.inspect(migrated)
    for table in EVERY_TABLE.sorted_tables:
        asked = {c.name for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        assert {c["name"] for c in inspector.get_check_constraints(table.name)} == asked, table.name


def test_down_to_nothing_and_up_again(empty: Engine) -> None:
    migrate.upgrade(empty)
    full = _tables(empty)
    migrate.downgrade(empty, "base")
    assert _tables(empty) == {"alembic_version"}
    assert _version(empty) is None
    migrate.upgrade(empty)
    assert _tables(empty) == full


def test_a_migration_that_breaks_off_continues_after_the_last_complete_one(
    migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, before, between, head = migrate.revisions()
    migrate.downgrade(migrated, before)
    whole = migrate.step_up

    def fail_at_head(config: Config, revision: str) -> None:
        whole(config, revision)
        assert revision != head, "the power fails"

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "step_up", fail_at_head)
        with pytest.raises(AssertionError, match="the power fails"):
            migrate.upgrade(migrated)
    with migrated.connect() as connection:
        supported = connection.execute(sa.select(migrate.schema_support.c.oldest_program)).scalar_one()
    assert (_version(migrated), supported) == (between, migrate.oldest_program(between))
    assert migrate.upgrade(migrated) == migrate.SchemaChange(between, head)


def test_a_migration_is_tried_again_after_a_deadlock(
    migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, before, head = migrate.revisions()
    migrate.downgrade(migrated, before)
    whole, tries = migrate.step_up, 0

    def meet_a_deadlock(config: Config, revision: str) -> None:
        nonlocal tries
        whole(config, revision)
        tries += 1
        if tries < 3:
            raise OperationalError("ALTER TABLE", {}, DeadlockDetected())

    monkeypatch.setattr(migrate, "step_up", meet_a_deadlock)
    assert migrate.upgrade(migrated) == migrate.SchemaChange(before, head)
    assert tries == 3


def test_upgrades_stop_at_the_revision_that_is_asked_for(migrated: Engine) -> None:
    *_, before, between, _ = migrate.revisions()
    migrate.downgrade(migrated, before)
    for revision in (before, between, before):
        migrate.upgrade(migrated, revision)
    assert _version(migrated) == between


def test_escalations_of_before_settle_as_new_ones_do(scenario: Scenario) -> None:
    """Down and up again, they are marked as the program marked them."""
    met, ended, waiting = (scenario.post() for _ in range(3))
    scenario.advance(hours=25)
    scenario.act(met, "respond", message="We look.", contact_channel="phone")
    scenario.act(ended, "withdraw", reason="solved itself")
    engine = scenario.service.database.engine

    def marks() -> list[Any]:
        columns, join = (
            "complaint_id, step, settled_at, waiting",
            "escalation_recipient ON id = escalation_id",
        )
        asked = f"SELECT {columns} FROM escalation JOIN {join}"
        with engine.connect() as connection:
            return sorted(map(str, connection.execute(text(asked))))

    before = marks()
    migrate.downgrade(engine, "0006")
    scenario.service.database.close()
    migrate.upgrade(engine)
    assert marks() == before
    assert scenario.load(waiting).deadlines[0].repetitions == 0


def test_up_again_is_nothing(scenario: Scenario) -> None:
    complaint = scenario.post(tags=["vip"], complainant={"phone": "+8613800000000"})
    engine = scenario.service.database.engine
    with engine.connect() as connection:
        before = migrate.row_counts(connection)
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert migrate.row_counts(connection) == before
    assert before["deadline"] == 2
    assert scenario.load(complaint) == complaint


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Plants the statements of the next migration."""

    def plant(change: Callable[[], None]) -> None:
        def step(config: Config, _revision: str) -> None:
            context = MigrationContext.configure(config.attributes["connection"])
            with Operations.context(context):
                change()

        monkeypatch.setattr(migrate, "step_up", step)
        monkeypatch.setattr(migrate, "judge_schema", lambda connection: migrate.SchemaFit.OLDER)

    return plant


def test_remaking_a_table_keeps_its_children(
    scenario: Scenario, planted: Callable[[Callable[[], None]], None]
) -> None:
    """SQLite changes a column only by replacing the whole table."""

    def remake() -> None:
        with op.batch_alter_table("complaint", recreate="auto") as batch:
            batch.alter_column("subject", existing_type=sa.Text(), type_=sa.String(2000))

    scenario.post(tags=["vip"])
    engine = scenario.service.database.engine
    with engine.connect() as connection:
        before = migrate.row_counts(connection)
    planted(remake)
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert migrate.row_counts(connection) == before
        assert before["complaint_tag"] == 1
        if engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_a_migration_that_loses_rows_is_taken_back(
    scenario: Scenario, planted: Callable[[Callable[[], None]], None]
) -> None:
    complaint = scenario.post(tags=["vip"])
    planted(lambda: op.execute("DELETE FROM complaint_tag"))
    with pytest.raises(RuntimeError, match=r"would lose rows, .*: {'complaint_tag': 1}"):
        migrate.upgrade(scenario.service.database.engine)
    with scenario.service.database.read() as tx:
        assert tx.connection.execute(text("SELECT count(*) FROM complaint_tag")).scalar_one() == 1
    assert scenario.load(complaint) == complaint


def test_a_migration_that_leaves_orphans_is_taken_back(
    migrated_database_url: Callable[[str], str], planted: Callable[[Callable[[], None]], None]
) -> None:
    with opened_service(migrated_database_url("sqlite")) as service:
        Scenario(service).post()
        planted(lambda: op.execute("UPDATE deadline SET complaint_id = '00'"))
        with pytest.raises(RuntimeError, match=r"would leave rows .* \['deadline'\]"):
            migrate.upgrade(service.database.engine)
        with service.database.read() as tx:
            left = text("SELECT count(*) FROM deadline WHERE complaint_id = '00'")
            assert tx.connection.execute(left).scalar_one() == 0


def _filled_once(engine: Engine) -> bool:
    with engine.connect() as connection:
        counts = migrate.row_counts(connection)
    return (counts["api_key"], counts["team"], counts["policy"]) == (1, 3, 1)


def test_processes_that_migrate_at_once_wait_for_each_other(
    empty: Engine, launcher: Launcher, tmp_path: Path
) -> None:
    url = empty.url.render_as_string(hide_password=False)
    racers = [launcher.run("migrate", url=url, data_dir=tmp_path / str(n)) for n in range(2)]
    assert [racer.wait() for racer in racers] == [0, 0]
    assert _version(empty) == migrate.head()
    assert _filled_once(empty)


def test_processes_that_start_at_once_fill_the_database_once(empty: Engine, tmp_path: Path) -> None:
    """Together they make one first key."""
    migrate.upgrade(empty)
    url = empty.url.render_as_string(hide_password=False)
    start = threading.Barrier(4)

    def begin(number: int) -> bool:
        start.wait()
        service, key = prepare(Settings(database_url=url, data_dir=tmp_path / str(number)))
        service.database.engine.dispose()
        return key is not None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(begin, range(4))) == [False, False, False, True]
    assert _filled_once(empty)
