"""The migration of the schema, which goes past no running program that could not work on the new schema."""

from collections.abc import Callable, Sequence
from datetime import datetime

from complaints.storage.database import migrate
from complaints.storage.database.migrate import MigrationRefused as MigrationRefused
from complaints.storage.database.migrate import SchemaChange as SchemaChange
from complaints.storage.database.transactions import Database, Transaction
from complaints.storage.rows import heartbeat
from complaints.use_cases.upkeep.health import ALIVE_WITHIN


def migrate_schema(
    database: Database,
    wall: Callable[[], datetime],
    *,
    annex_tables: Sequence[str] = (),
    force: bool = False,
) -> SchemaChange:
    """Bring the schema to the newest revision.

    `wall` is the wall clock. Raises MigrationRefused if processes with a heartbeat within the last 20 s run a program
    that the new schema does not allow; with `force` they are ignored. Raises Unavailable.
    """
    with database.read() as tx:
        if not force and migrate.judge_schema(tx.connection) is migrate.SchemaFit.OLDER:
            _refuse_running_programs(tx, wall())
    return migrate.upgrade(database.engine, annex_tables=annex_tables)


def _refuse_running_programs(tx: Transaction, now: datetime) -> None:
    running = heartbeat.find_programs(tx.connection, now - ALIVE_WITHIN, now + ALIVE_WITHIN)
    older = migrate.older_programs(running.values(), migrate.head())
    if older:
        nodes = ", ".join(sorted(node for node, program in running.items() if program in older))
        raise MigrationRefused(
            f"the new schema {migrate.head()} allows programs from {migrate.oldest_program(migrate.head())} on, and "
            f"older ones ({', '.join(older)}) are running: {nodes}. End them first, or migrate with --force"
        )
