"""The schema: migrated to its newest form, and compared with the programs that run on it.

A program is named by the newest migration that it knows. Each migration names the oldest program that it allows.
The database keeps the newest of these names: an older program reads there whether it may run.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Engine,
    SmallInteger,
    String,
    Table,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

import complaints
from complaints.storage.database.transactions import lost_to_another, waited_in_vain
from complaints.storage.database.types import metadata

_MIGRATION_LOCK = 0x6D696772  # any number that no other lock uses
_LEAST_TRIES, _PATIENCE_SECONDS, _PAUSE_SECONDS = 10, 60.0, 0.1

schema_support = Table(
    "schema_support",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("oldest_program", String(32), nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)


class MigrationRefused(RuntimeError):
    """The schema was not migrated. The message says why."""


class SchemaFit(StrEnum):
    """How the schema fits this program. The program runs on the first two."""

    CURRENT = "current"
    NEWER = "newer than this program, which runs on it"
    OLDER = "older than this program"
    TOO_NEW = "too new for this program"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """The revisions of the schema before and after a migration; `before` is None for an empty database."""

    before: str | None
    after: str | None


def _package() -> Path:
    return Path(complaints.__file__).parent


def _location() -> Path:
    """The directory of the migrations: in the installed package, or in the checkout."""
    packaged = _package() / "_migrations"
    return packaged if packaged.is_dir() else _package().parent.parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_location()))
    config.set_main_option("path_separator", "os")
    return config


@cache
def _scripts() -> ScriptDirectory:
    """The migrations. Each of their files is read once in a process."""
    return ScriptDirectory.from_config(_config())


@cache
def revisions() -> tuple[str, ...]:
    """Every revision that this program knows, oldest first."""
    return tuple(script.revision for script in reversed(list(_scripts().walk_revisions())))


def head() -> str:
    """The newest revision that this program knows. It names the program."""
    return revisions()[-1]


def oldest_program(revision: str) -> str:
    """The oldest program that the schema at `revision` allows: the newest that its migrations name."""
    known = revisions()
    applied = known[: known.index(revision) + 1]
    named: list[str] = [_scripts().get_revision(one).module.oldest_program for one in applied]
    return max(named, key=known.index)


def older_programs(programs: Collection[str], revision: str) -> list[str]:
    """The programs that the schema at `revision` does not allow. A program that is not known here is newer."""
    known = revisions()
    limit = known.index(oldest_program(revision))
    return sorted(program for program in set(programs) & set(known) if known.index(program) < limit)


def current(connection: Connection) -> str | None:
    """The revision of the database; None if the database is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def judge_schema(connection: Connection) -> SchemaFit:
    """How the schema of the database fits this program."""
    revision = current(connection)
    if revision == head():
        return SchemaFit.CURRENT
    if revision is None or revision in revisions():
        return SchemaFit.OLDER
    return SchemaFit.NEWER if _allowed_from(connection) in revisions() else SchemaFit.TOO_NEW


def _allowed_from(connection: Connection) -> str | None:
    """The oldest program that the database allows; None if its schema does not say."""
    if not connection.dialect.has_table(connection, schema_support.name):
        return None
    found: str | None = connection.execute(select(schema_support.c.oldest_program)).scalar()
    return found


def upgrade(engine: Engine, revision: str = "head", *, annex_tables: Sequence[str] = ()) -> SchemaChange:
    """Bring the schema to `revision`, each migration in a transaction of its own.

    If the process is killed, the next call continues after the last migration that was complete. Only an empty
    database is made in one transaction. Of two processes at once, one waits for each migration of the other. On
    PostgreSQL a migration gives way to programs that run meanwhile, and is tried again for a minute.

    A migration that loses rows is taken back. `annex_tables` names the tables of annexes: their rows count too. If
    the schema is at the newest revision already, this writes nothing. Raises MigrationRefused.
    """
    goal = head() if revision == "head" else revision
    if revision == "head":
        with engine.connect() as connection:
            if judge_schema(connection) in (SchemaFit.CURRENT, SchemaFit.NEWER):
                before = current(connection)
                return SchemaChange(before, before)
    change = first = _migrate(engine, partial(_next, goal=goal), step_up, annex_tables)
    while change.after not in (goal, change.before):
        change = _migrate(engine, partial(_next, goal=goal), step_up, annex_tables)
    return SchemaChange(first.before, change.after)


def downgrade(engine: Engine, revision: str) -> SchemaChange:
    """Take the schema back to `revision`, in one transaction. Raises MigrationRefused."""
    return _migrate(engine, lambda _before: revision, step_down)


def step_up(config: Config, revision: str) -> None:
    """As `alembic.command.upgrade`, which would read the files of all migrations again for each step."""
    _run(config, lambda present, _context: _scripts()._upgrade_revs(revision, present))


def step_down(config: Config, revision: str) -> None:
    """As `alembic.command.downgrade`; see `step_up`."""
    _run(config, lambda present, _context: _scripts()._downgrade_revs(revision, present))


def _run(config: Config, find_steps: Callable[[Any, MigrationContext], list[Any]]) -> None:
    with EnvironmentContext(config, _scripts(), fn=find_steps):
        _scripts().run_env()


def _next(before: str | None, *, goal: str) -> str:
    """The revision to which one transaction brings the schema on its way to `goal`."""
    if before is None:
        return goal
    known = revisions()
    return known[min(known.index(before) + 1, known.index(goal))]


def _migrate(
    engine: Engine,
    choose: Callable[[str | None], str],
    step: Callable[[Config, str], None],
    annex_tables: Sequence[str] = (),
) -> SchemaChange:
    """As `_migrate_once`, and again if it gave way to a program that runs meanwhile: nothing was done then."""
    tries, until = 0, time.monotonic() + _PATIENCE_SECONDS
    while True:
        tries += 1
        try:
            return _migrate_once(engine, choose, step, annex_tables)
        except DBAPIError as error:
            if not (lost_to_another(error) or waited_in_vain(error)):
                raise
            if tries >= _LEAST_TRIES and time.monotonic() > until:
                raise MigrationRefused(
                    "other transactions kept its tables for a minute; run the migration again when long exports and "
                    "reports have ended, and it continues where it stopped"
                ) from error
        time.sleep(_PAUSE_SECONDS)  # for those who waited behind it


def _migrate_once(
    engine: Engine,
    choose: Callable[[str | None], str],
    step: Callable[[Config, str], None],
    annex_tables: Sequence[str] = (),
) -> SchemaChange:
    """In one transaction, take `step` to the revision that `choose` gives for the present one."""
    config = _config()
    with engine.connect() as connection, _keep_children(connection), connection.begin():
        _await_others(connection)
        before = current(connection)
        if before is not None and before not in revisions():
            raise MigrationRefused(f"this program does not know the schema {before}: use a newer program")
        counts = row_counts(connection, annex_tables)
        config.attributes["connection"] = connection
        step(config, choose(before))
        _refuse_loss(counts, row_counts(connection, annex_tables))
        _refuse_orphans(engine, find_orphans(connection))
        after = current(connection)
        _keep_oldest_program(connection, after)
        return SchemaChange(before, after)


def _await_others(connection: Connection) -> None:
    """Wait, without limit on PostgreSQL, until no other process migrates. A killed one ends with its statement."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def _keep_oldest_program(connection: Connection, revision: str | None) -> None:
    if revision is not None and connection.dialect.has_table(connection, schema_support.name):
        connection.execute(schema_support.delete())
        connection.execute(schema_support.insert().values(id=1, oldest_program=oldest_program(revision)))


@contextmanager
def _keep_children(connection: Connection) -> Iterator[None]:
    """On SQLite, switch foreign keys off while tables are rebuilt.

    With foreign keys on, dropping the old table deletes its child rows. Inside a transaction the setting has no
    effect and gives no error, so it goes directly to the driver. The second setting lets the new table take the name
    of the old one while a view refers to it.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.execution_options(complaints_begin="BEGIN IMMEDIATE")
    driver = connection.connection.dbapi_connection
    assert driver is not None  # `connect` opened it
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute("PRAGMA legacy_alter_table=ON")
    try:
        yield
    finally:
        driver.execute("PRAGMA legacy_alter_table=OFF")
        driver.execute("PRAGMA foreign_keys=ON")


def row_counts(connection: Connection, annex_tables: Sequence[str] = ()) -> dict[str, int]:
    """The number of rows in each table of the core and in each of `annex_tables`."""
    names = [*(table.name for table in metadata.sorted_tables if table is not schema_support), *annex_tables]
    present = set(inspect(connection).get_table_names())
    known = [name for name in names if name in present]
    if not known:
        return {}
    counted = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in known)  # noqa: S608 - names from our tables
    return {name: count for name, count in connection.exec_driver_sql(counted)}  # noqa: C416 - rows, not pairs


def _refuse_loss(before: dict[str, int], after: dict[str, int]) -> None:
    lost = {name: count - after[name] for name, count in before.items() if after.get(name, count) < count}
    if lost:
        raise MigrationRefused(f"the migration would lose rows, so it was taken back: {lost}")


def find_orphans(connection: Connection) -> dict[str, int]:
    """How many rows of each table refer to a missing row. None on PostgreSQL, which checks this at all times."""
    if connection.dialect.name != "sqlite":
        return {}
    orphans: dict[str, int] = {}
    for table, *_ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        orphans[table] = orphans.get(table, 0) + 1
    return orphans


def _refuse_orphans(engine: Engine, after: dict[str, int]) -> None:
    """Refuse new orphans. Another connection still sees the rows of before, and looks only if there are any orphans."""
    if not after:
        return
    with engine.connect() as connection:
        before = find_orphans(connection)
    tables = sorted(name for name, count in after.items() if count > before.get(name, 0))
    if tables:
        raise MigrationRefused(
            f"the migration would leave rows without what they refer to, so it was taken back: {tables}"
        )
