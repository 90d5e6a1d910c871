"""Copies of tables with their rows, for limits that write the same rows in plain SQL."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from complaints.storage.rows.all_tables import metadata

Connection = psycopg.Connection[Any]
# In the order of their foreign keys; only the migrations know the search table.
TABLES = (*(table.name for table in metadata.sorted_tables), "complaint_search")


def row_counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    counts = {}
    for table in TABLES:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        counts[table] = row[0] if row else 0
    return counts


def columns_of(connection: Connection, table: str) -> list[tuple[str, str]]:
    """The columns that can be written, with their types."""
    return connection.execute(
        "SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    ).fetchall()


def key_of(connection: Connection, table: str) -> list[str]:
    """The columns of the primary key, or of a unique key if there is no primary key."""
    found = connection.execute(
        "SELECT a.attname FROM (SELECT * FROM pg_index WHERE indrelid = %s::regclass AND indisunique"
        " AND indpred IS NULL ORDER BY indisprimary DESC LIMIT 1) i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)",
        [table],
    ).fetchall()
    return [name for (name,) in found]


def names(columns: Sequence[str]) -> sql.Composed:
    """Column names for a statement."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def copy_out(connection: Connection, table: str, columns: Sequence[str]) -> list[bytes]:
    """Every row of a table, in the format of COPY."""
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names(columns), sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as rows:
        return [bytes(block) for block in rows]


def copy_in(
    connection: Connection, schema: str, table: str, columns: Sequence[str], blocks: Sequence[bytes]
) -> None:
    """Write the rows that `copy_out` read."""
    statement = sql.SQL("COPY {}.{} ({}) FROM STDIN").format(
        sql.Identifier(schema), sql.Identifier(table), names(columns)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as rows:
        for block in blocks:
            rows.write(block)


def make_copies(connection: Connection, schema: str, tables: Sequence[str]) -> None:
    """Make empty copies of tables in a new schema, with indexes, checks, and foreign keys among the copies."""
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    for table in tables:
        connection.execute(
            sql.SQL("CREATE TABLE {}.{} (LIKE public.{} INCLUDING ALL)").format(
                *map(sql.Identifier, (schema, table, table))
            )
        )
    keys = connection.execute(
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY(%s::regclass[])",
        [list(tables)],
    ).fetchall()
    connection.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(schema)))
    for table, definition in keys:  # a name in it means the copy, if there is one
        connection.execute(
            sql.SQL("ALTER TABLE {}.{} ADD ").format(sql.Identifier(schema), sql.Identifier(table))
            + sql.SQL(definition)
        )
    connection.execute("SET LOCAL search_path = public")
