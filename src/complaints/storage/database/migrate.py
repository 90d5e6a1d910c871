"""The schema: brought to its newest form, or compared with it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import complaints
from complaints.storage.database.types import metadata

_MIGRATION_LOCK = 0x6D696772  # any number that is only ours


def _config() -> Config:
    package = Path(complaints.__file__).parent
    packaged = package / "_migrations"
    config = Config()
    location = packaged if packaged.is_dir() else package.parent.parent / "migrations"
    config.set_main_option("script_location", str(location))
    config.set_main_option("path_separator", "os")
    return config


@cache
def head() -> str:
    """The newest revision this program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # the package always ships migrations
    return revision


def current(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head", *, annex_tables: Sequence[str] = ()) -> None:
    """Bring the schema to `revision`; two processes at once do it one after the other.

    A migration that loses rows is taken back. `annex_tables` are the names of the annexes' tables, which count too.
    """
    _migrate(engine, revision, command.upgrade, annex_tables)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to `revision`."""
    _migrate(engine, revision, command.downgrade)


def _migrate(
    engine: Engine, revision: str, step: Callable[[Config, str], None], annex_tables: Sequence[str] = ()
) -> None:
    config = _config()
    with engine.connect() as connection, _children_kept(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        counts = row_counts(connection, annex_tables)
        config.attributes["connection"] = connection
        step(config, revision)
        _refuse_loss(counts, row_counts(connection, annex_tables))
        _refuse_orphans(connection)


@contextmanager
def _children_kept(connection: Connection) -> Iterator[None]:
    """On SQLite foreign keys are off while tables are remade: else dropping the old one deletes its children.

    The driver is spoken to directly, since inside a transaction the setting does nothing, without a word.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.execution_options(complaints_begin="BEGIN IMMEDIATE")
    driver = connection.connection.dbapi_connection
    assert driver is not None  # it was opened just now
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def row_counts(connection: Connection, annex_tables: Sequence[str] = ()) -> dict[str, int]:
    """How many rows each table of the core and each of `annex_tables` has."""
    names = [*(table.name for table in metadata.sorted_tables), *annex_tables]
    known = [name for name in names if connection.dialect.has_table(connection, name)]
    return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in known}  # noqa: S608 - our own names


def _refuse_loss(before: dict[str, int], after: dict[str, int]) -> None:
    lost = {name: count - after[name] for name, count in before.items() if after.get(name, count) < count}
    if lost:
        raise RuntimeError(f"the migration would lose rows, so it was taken back: {lost}")


def _refuse_orphans(connection: Connection) -> None:
    """What PostgreSQL sees to all the time; on SQLite foreign keys were off until now."""
    if connection.dialect.name == "sqlite":
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if orphans:
            tables = sorted({row[0] for row in orphans})
            raise RuntimeError(
                f"the migration would leave rows without what they refer to, so it was taken back: {tables}"
            )
