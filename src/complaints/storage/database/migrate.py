"""The schema: migrated to its newest form, and compared with it."""

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

_MIGRATION_LOCK = 0x6D696772  # any number that no other lock uses


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
    """The newest revision that this program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # the package always ships migrations
    return revision


def current(connection: Connection) -> str | None:
    """The revision of the database; None if the database is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head", *, annex_tables: Sequence[str] = ()) -> None:
    """Bring the schema to `revision`. Of two processes at once, the second waits and then finds nothing to do.

    A migration that loses rows is taken back. `annex_tables` names the tables of annexes: their rows count too.
    """
    _migrate(engine, revision, command.upgrade, annex_tables)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to `revision`."""
    _migrate(engine, revision, command.downgrade)


def _migrate(
    engine: Engine, revision: str, step: Callable[[Config, str], None], annex_tables: Sequence[str] = ()
) -> None:
    config = _config()
    with engine.connect() as connection, _keep_children(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        counts = row_counts(connection, annex_tables)
        config.attributes["connection"] = connection
        step(config, revision)
        _refuse_loss(counts, row_counts(connection, annex_tables))
        _refuse_orphans(connection)


@contextmanager
def _keep_children(connection: Connection) -> Iterator[None]:
    """On SQLite, switch foreign keys off while tables are rebuilt.

    With foreign keys on, dropping the old table deletes its child rows. Inside a transaction the setting has no
    effect and gives no error, so it goes directly to the driver.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.execution_options(complaints_begin="BEGIN IMMEDIATE")
    driver = connection.connection.dbapi_connection
    assert driver is not None  # `connect` opened it
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def row_counts(connection: Connection, annex_tables: Sequence[str] = ()) -> dict[str, int]:
    """The number of rows in each table of the core and in each of `annex_tables`."""
    names = [*(table.name for table in metadata.sorted_tables), *annex_tables]
    known = [name for name in names if connection.dialect.has_table(connection, name)]
    return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in known}  # noqa: S608 - names from our tables


def _refuse_loss(before: dict[str, int], after: dict[str, int]) -> None:
    lost = {name: count - after[name] for name, count in before.items() if after.get(name, count) < count}
    if lost:
        raise RuntimeError(f"the migration would lose rows, so it was taken back: {lost}")


def _refuse_orphans(connection: Connection) -> None:
    """Raise RuntimeError if a row refers to a missing row. PostgreSQL checks this at all times."""
    if connection.dialect.name == "sqlite":
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if orphans:
            tables = sorted({row[0] for row in orphans})
            raise RuntimeError(
                f"the migration would leave rows without what they refer to, so it was taken back: {tables}"
            )
