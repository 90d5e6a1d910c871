"""The schema: brought to its newest form, or compared with it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import complaints
from complaints.storage.base import metadata

_MIGRATION_LOCK = 0x6D696772  # any number that is only ours


def _config() -> Config:
    package = Path(complaints.__file__).parent
    packaged = package / "_migrations"
    config = Config()
    location = packaged if packaged.is_dir() else package.parent.parent / "migrations"
    config.set_main_option("script_location", str(location))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """The newest revision this program knows."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # the package always ships migrations
    return revision


def current(connection: Connection) -> str | None:
    """The revision the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to `revision`; two processes at once do it one after the other."""
    _migrate(engine, revision, command.upgrade)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to `revision`."""
    _migrate(engine, revision, command.downgrade)


def _migrate(engine: Engine, revision: str, step: object) -> None:
    config = _config()
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:  # batch mode remakes tables: with foreign keys on, that would delete all their children
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.rollback()
            connection = connection.execution_options(complaints_begin="BEGIN IMMEDIATE")
        try:
            with connection.begin():
                if not sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                counts = row_counts(connection)
                config.attributes["connection"] = connection
                step(config, revision)  # type: ignore[operator]
                _refuse_loss(counts, row_counts(connection))
        finally:
            if sqlite:
                connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def row_counts(connection: Connection) -> dict[str, int]:
    """How many rows each table of ours has."""
    known = [t.name for t in metadata.sorted_tables if connection.dialect.has_table(connection, t.name)]
    return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in known}  # noqa: S608 - our own names


def _refuse_loss(before: dict[str, int], after: dict[str, int]) -> None:
    lost = {name: count - after[name] for name, count in before.items() if after.get(name, count) < count}
    if lost:
        raise RuntimeError(f"the migration would lose rows, so it was taken back: {lost}")
