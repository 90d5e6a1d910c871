"""Runs migrations on a connection of `complaints.storage.database.migrate`, or on the developer's database."""

import os
from typing import Any

import sqlalchemy as sa
from alembic import context

from complaints.features.registry import FEATURES
from complaints.storage.database.connections import open_engine
from complaints.storage.database.types import PriorityRank, UtcDateTime
from complaints.storage.rows import all_tables
from complaints.storage.rows.complaint import DecimalText

_PLAIN = {
    UtcDateTime: "sa.DateTime(timezone=True)",
    PriorityRank: "sa.SmallInteger()",
    DecimalText: "sa.String(length=40)",
}


def _include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Not what migrations or months make: the full-text table, in which the engines have nothing in common."""
    return not (kind == "table" and name is not None and name.startswith(("complaint_search", "event_2")))


def _include_object(_item: Any, name: str | None, _kind: str, _reflected: bool, _other: Any) -> bool:
    """On PostgreSQL each month of the history has unique keys of its own: the whole could only have wider ones."""
    is_of_months = name in ("uq_event__complaint_id_ordinal", "uq_event__subject_id_ordinal")
    return not (is_of_months and context.get_bind().dialect.name == "postgresql")


def _render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Migrations name plain types: they never import the application's."""
    return _PLAIN.get(type(item), False) if kind == "type" else False


def _run(connection: sa.Connection, tables: sa.MetaData) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables,
        include_name=_include_name,
        include_object=_include_object,
        render_item=_render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # Who waits longest for a lock notices a deadlock, and is ended for it. A migration gives way long before:
            # it is tried again, and older programs try no request again.
            connection.execute(
                sa.text(
                    "SELECT set_config('lock_timeout', greatest(setting::int / 2, 1)::text, true)"
                    " FROM pg_settings WHERE name = 'deadlock_timeout'"
                )
            )
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        context.run_migrations()


if context.config.attributes.get("connection") is not None:
    # Migrations take only the names of constraints from the tables. Those of annexes would have to be copied first.
    _run(context.config.attributes["connection"], all_tables.metadata)
else:
    tables_of_all = all_tables.with_annexes(f.tables for f in FEATURES if f.tables is not None)
    with open_engine(os.environ["COMPLAINTS_DATABASE_URL"]).connect() as opened:
        _run(opened, tables_of_all)
        opened.commit()
