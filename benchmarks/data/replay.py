"""Writes the difference of two databases to one of them, set-wise, in plain SQL.

The rows to write stand ready in other tables. The measured time is for claims, updates and inserts, with every index,
check and foreign key, and one commit for each batch.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.data.table_copies import TABLES, columns_of, copy_in, copy_out, key_of, names
from benchmarks.databases import plain_url

Connection = psycopg.Connection[Any]
_BATCH = 5_000
_SCHEMA = "bench_replay"
_OWNER = {"complaint": "id", "escalation_recipient": "escalation_id"}  # else complaint_id
_CLAIM = """
SELECT c.id FROM complaint c JOIN bench_replay.batch b USING (id) WHERE b.batch = %s
ORDER BY c.wake_at, c.id FOR NO KEY UPDATE OF c SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Replay:
    """Statements that write one batch, given its number. `changed` has the number of rows they write in each table."""

    url: str
    batches: int
    statements: tuple[sql.Composed, ...]
    changed: dict[str, dict[str, int]]

    @classmethod
    def prepare(cls, source: Connection, url: str, *, workers: int) -> "Replay":
        """Prepare to write the rows that `source` has and the database at `url` lacks, with `workers` connections."""
        with psycopg.connect(plain_url(url)) as target:
            target.execute(f"CREATE SCHEMA {_SCHEMA}")
            batches = _number(target, workers)
            statements: list[sql.Composed] = []
            changed: dict[str, dict[str, int]] = {}
            for table in TABLES:
                columns = [name for name, _ in columns_of(source, table)]
                owner = _OWNER.get(table, "complaint_id")
                if owner in columns:
                    _stage(source, target, table, columns, owner)
                    made, counts = _statements(target, table, columns)
                    statements += made
                    changed |= {table: counts} if any(counts.values()) else {}
        with psycopg.connect(plain_url(url), autocommit=True) as target:
            target.execute("VACUUM ANALYZE")
        return cls(url, batches, tuple(statements), changed)

    def run(self, workers: int) -> float:
        """Write all batches, with `workers` connections at once; the seconds it took."""
        ready = threading.Barrier(workers + 1)
        threads = [threading.Thread(target=self._work, args=(n, workers, ready)) for n in range(workers)]
        for thread in threads:
            thread.start()
        ready.wait()
        started = time.perf_counter()
        for thread in threads:
            thread.join()
        return time.perf_counter() - started

    def _work(self, first: int, step: int, ready: threading.Barrier) -> None:
        with psycopg.connect(plain_url(self.url)) as connection:
            ready.wait()
            for batch in range(first, self.batches, step):
                with connection.transaction():
                    connection.execute(_CLAIM, [batch]).fetchall()
                    for statement in self.statements:
                        connection.execute(statement, [batch])


def _number(target: Connection, workers: int) -> int:
    """Divide the due complaints into batches, at least one for each worker; the number of batches."""
    row = target.execute("SELECT count(*) FROM complaint WHERE wake_at IS NOT NULL").fetchone()
    size = max(1, min(_BATCH, -(-(row[0] if row else 0) // workers)))
    target.execute(
        f"CREATE UNLOGGED TABLE {_SCHEMA}.batch AS SELECT id, ((row_number() OVER (ORDER BY wake_at, id) - 1)"
        f" / {size})::int AS batch FROM complaint WHERE wake_at IS NOT NULL"
    )
    target.execute(f"ALTER TABLE {_SCHEMA}.batch ADD PRIMARY KEY (id)")
    target.execute(f"CREATE INDEX ON {_SCHEMA}.batch (batch)")
    row = target.execute(f"SELECT coalesce(max(batch) + 1, 0) FROM {_SCHEMA}.batch").fetchone()
    return row[0] if row else 0


def _stage(source: Connection, target: Connection, table: str, columns: list[str], owner: str) -> None:
    """Stage the rows of the source table with their batches, without rows that the target has in the same state."""
    staged, raw = sql.Identifier(_SCHEMA, table), sql.Identifier(_SCHEMA, "raw")
    target.execute(sql.SQL("CREATE UNLOGGED TABLE {} (LIKE public.{})").format(raw, sql.Identifier(table)))
    copy_in(target, _SCHEMA, "raw", columns, copy_out(source, table, columns))
    via = sql.SQL("JOIN {}.batch b ON b.id = r.{}").format(sql.Identifier(_SCHEMA), sql.Identifier(owner))
    if owner == "escalation_id":
        escalations = (
            "JOIN {0}.escalation e ON e.id = r.escalation_id JOIN {0}.batch b ON b.id = e.complaint_id"
        )
        via = sql.SQL(escalations).format(sql.Identifier(_SCHEMA))
    keys = key_of(target, table)
    same = _same(keys)
    target.execute(
        sql.SQL(
            "CREATE UNLOGGED TABLE {staged} AS SELECT r.*, b.batch, o.{key} IS NULL AS is_new"
            " FROM {raw} r {via} LEFT JOIN {table} o ON {same} WHERE r::text IS DISTINCT FROM o::text"
            " ORDER BY b.batch"
        ).format(
            key=sql.Identifier(keys[0]),
            staged=staged,
            raw=raw,
            via=via,
            table=sql.Identifier("public", table),
            same=same,
        )
    )
    target.execute(sql.SQL("CREATE INDEX ON {} (batch)").format(staged))
    target.execute(sql.SQL("DROP TABLE {}").format(raw))


def _same(keys: list[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("o.{0} = r.{0}").format(sql.Identifier(key)) for key in keys)


def _statements(
    target: Connection, table: str, columns: list[str]
) -> tuple[list[sql.Composed], dict[str, int]]:
    """The statements that write a batch of this table, and the number of rows that they write in all batches."""
    staged, real = sql.Identifier(_SCHEMA, table), sql.Identifier("public", table)
    row = target.execute(
        sql.SQL("SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM {}").format(
            staged
        )
    ).fetchone()
    inserted, updated = row or (0, 0)
    made = []
    if updated:
        keys = key_of(target, table)
        same = _same(keys)
        changed = _changed(target, table, [name for name in columns if name not in keys], same)
        made.append(
            sql.SQL("UPDATE {} o SET {} FROM {} r WHERE r.batch = %s AND NOT r.is_new AND {}").format(
                real,
                sql.SQL(", ").join(sql.SQL("{0} = r.{0}").format(sql.Identifier(name)) for name in changed),
                staged,
                same,
            )
        )
    if inserted:
        made.append(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} WHERE batch = %s AND is_new").format(
                real, names(columns), names(columns), staged
            )
        )
    return made, {"inserted": inserted, "updated": updated}


def _changed(target: Connection, table: str, columns: list[str], same: sql.Composed) -> list[str]:
    """The columns that change in at least one row."""
    differ = sql.SQL(", ").join(
        sql.SQL("bool_or(r.{0}::text IS DISTINCT FROM o.{0}::text)").format(sql.Identifier(name))
        for name in columns
    )
    row = target.execute(
        sql.SQL("SELECT {} FROM {} r JOIN {} o ON {}").format(
            differ, sql.Identifier(_SCHEMA, table), sql.Identifier("public", table), same
        )
    ).fetchone()
    return [name for name, differs in zip(columns, row or (), strict=True) if differs]
