"""The database of the settings: opened, migrated, and compared with this program."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from complaints.settings import Settings
from complaints.storage.database import migrate
from complaints.storage.database.connections import (
    BadUrl,
    DatabaseUrl,
    Unreachable,
    check_reachable,
    describe_url,
    keep_private,
    open_engine,
    parse_url,
)
from complaints.storage.database.transactions import Clock, Database, DatabaseEngine
from complaints.use_cases.upkeep.migrating import MigrationRefused, SchemaChange, migrate_schema
from complaints.wiring import clocks
from complaints.wiring.annexes import declared_annexes
from complaints.wiring.files import make_directory
from complaints.wiring.not_ready import NotReady


def open_database(settings: Settings, *, create: bool = False) -> Database:
    """The database with its clock. Raises NotReady if it does not answer.

    An SQLite file that does not exist is made only with `create`.
    """
    if settings.read_database_url is not None:
        _parse(settings.read_database_url, "COMPLAINTS_READ_DATABASE_URL")
    if settings.embedded:
        _find_file(settings, create=create)
        keep_private(settings.url)
    engine = _open(settings, settings.url, "COMPLAINTS_DATABASE_URL")
    try:
        check_reachable(engine)
    except Unreachable as error:
        engine.dispose()
        raise NotReady(f"The database cannot be reached: {error} ({describe_url(engine.url)}).") from error
    return Database(engine, clocks.wall_clock)


def open_read_database(settings: Settings, clock: Clock) -> Database | None:
    """The copy that COMPLAINTS_READ_DATABASE_URL names, or None. It need not answer yet."""
    if settings.read_database_url is None:
        return None
    return Database(_open(settings, settings.read_database_url, "COMPLAINTS_READ_DATABASE_URL"), clock)


def _find_file(settings: Settings, *, create: bool) -> None:
    """Raise NotReady if there is no database file, or, with `create`, no directory for one."""
    path = Path(describe_url(_parse(settings.url, "COMPLAINTS_DATABASE_URL")))
    if create and settings.database_url is None:
        make_directory(settings.data_dir)
    if not create and not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises PermissionError
        raise NotReady(
            f"There is no database at {path}: `complaints serve` or `complaints migrate` makes one. "
            "COMPLAINTS_DATA_DIR and COMPLAINTS_DATABASE_URL name another."
        )


def _parse(url: str, setting: str) -> DatabaseUrl:
    try:
        return parse_url(url)
    except BadUrl as error:
        raise NotReady(f"{setting} {error}.") from error


def _open(settings: Settings, url: str, setting: str) -> DatabaseEngine:
    parsed = _parse(url, setting)
    return open_engine(parsed, pool_size=settings.pool_size, pool_seconds=settings.pool_seconds)


@contextmanager
def closed_on_failure(database: Database) -> Iterator[Database]:
    """A block that opens a service on `database`. If it fails, the connections are closed."""
    try:
        yield database
    except BaseException:
        database.close()
        raise


def migrate_database(database: Database, *, force: bool = False) -> SchemaChange:
    """Bring the schema to the newest revision. Raises NotReady; `force` as in `migrate_and_seed`."""
    try:
        return migrate_schema(
            database, clocks.wall_now, annex_tables=declared_annexes().table_names, force=force
        )
    except MigrationRefused as error:
        raise NotReady(f"The database was not migrated: {error}.") from error


def check_schema(database: Database) -> None:
    """Raise NotReady for a schema on which this program does not run."""
    with database.read() as tx:
        current, fit = migrate.current(tx.connection), migrate.judge_schema(tx.connection)
    if fit is migrate.SchemaFit.OLDER:
        raise NotReady(
            f"The database {name_of(database)} is at schema {current or 'none'}, "
            f"this program needs {migrate.head()}: run `complaints migrate`."
        )
    if fit is migrate.SchemaFit.TOO_NEW:
        raise NotReady(
            f"The database {name_of(database)} is at schema {current}, on which this program "
            f"({migrate.head()}) does not run: use a newer program."
        )


def name_of(database: Database) -> str:
    """The name of the database for a person: its path, or its URL without password."""
    return describe_url(database.engine.url)
