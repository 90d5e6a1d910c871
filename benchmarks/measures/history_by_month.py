"""What partitioning the history by month costs and brings: `python -m benchmarks.measures.history_by_month`.

Three tables of the same events are compared in one run: one table; one partitioned by ranges of `sequence`, a range a
month, as the product has it; one partitioned by the instant `at`, with a default partition. The command
prints the processor time in microseconds that the server spends on one prepared statement (Linux only). Each number is
a median of rounds in which each table has its turn, so other work of the machine disturbs it little.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from tests.postgres_server import serving

MONTHS = 36
EMPTY = 84  # months before them, to see what their mere number costs
COMPLAINTS = 50_000
EVENTS_EACH = 10  # eight in the month of the complaint, two in the next
ROUNDS = 3
READS = 100
BATCH = 64
NUMBERS_A_MONTH = 10**10
COLUMNS = "id, complaint_id, ordinal, version, type, at, actor, data, digest"


@dataclass(frozen=True)
class Table:
    """One way to keep the history: its keys, its months by number, and the partition key at which month n begins."""

    name: str
    keys: str
    month: str = ""
    rest: str = ""
    column: str = ""
    edge: Callable[[int], Any] = int


def first_number(month: int) -> int:
    """Where the numbers of month n begin."""
    return month * NUMBERS_A_MONTH


def first_instant(month: int) -> datetime:
    """When month n begins; months have 30 days."""
    return datetime(2020, 1, 1, tzinfo=UTC) + (month - 1) * timedelta(days=30)


MONTH = (
    "CREATE TABLE {name}_{n} PARTITION OF {name} FOR VALUES FROM ('{lower}') TO ('{upper}');"
    "CREATE UNIQUE INDEX ON {name}_{n} (complaint_id, ordinal)"
)
TABLES = (
    Table("one_table", "PRIMARY KEY (sequence), UNIQUE (complaint_id, ordinal))"),
    Table(
        "by_sequence",
        "PRIMARY KEY (sequence)) PARTITION BY RANGE (sequence)",
        MONTH,
        column="sequence",
        edge=first_number,
    ),
    Table(
        "by_instant",
        "PRIMARY KEY (sequence, at)) PARTITION BY RANGE (at)",
        MONTH,
        "CREATE TABLE by_instant_rest PARTITION OF by_instant DEFAULT",
        column="at",
        edge=first_instant,
    ),
)
BODY = """(sequence bigint NOT NULL, id uuid NOT NULL, complaint_id uuid NOT NULL, ordinal int NOT NULL,
    version int NOT NULL, type varchar(40) NOT NULL, at timestamptz NOT NULL, actor varchar(210) NOT NULL,
    data text NOT NULL, digest bytea NOT NULL"""
EVENTS = f"""
    SELECT month * {NUMBERS_A_MONTH} + row_number() OVER (PARTITION BY month ORDER BY k, o) AS sequence,
        md5('e' || k || '.' || o)::uuid AS id, lpad(to_hex(k), 32, '0')::uuid AS complaint_id, o AS ordinal,
        o AS version, 'complaint.updated' AS type,
        '2020-01-01Z'::timestamptz + ((month - 1) * 30 + 1) * interval '1 day' AS at,
        'user:agent' AS actor, repeat('x', 160) AS data, decode(repeat('ab', 32), 'hex') AS digest, month
    FROM (SELECT k, o, {EMPTY} + 1 + k * {MONTHS} / {COMPLAINTS} + (o > 8)::int AS month
          FROM generate_series(0, {COMPLAINTS} - 1) k, generate_series(1, {EVENTS_EACH}) o) e
"""


def main() -> int:
    """Build, measure, print JSON."""
    with serving() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET work_mem = '256MB'")
        build(connection)
        found: dict[str, Any] = {
            "months": MONTHS,
            "events": COMPLAINTS * EVENTS_EACH,
            "processor_microseconds": {},
        }
        for name, measure in MEASURES.items():
            found["processor_microseconds"][name] = in_turns(connection, measure)
        for table in TABLES:
            add_months(connection, table, range(1, EMPTY + 1))
        for name, measure in MEASURES.items():
            found["processor_microseconds"][f"{name}, {MONTHS + EMPTY} months"] = in_turns(
                connection, measure
            )
        print(json.dumps(found, indent=2))
    return 0


def build(connection: psycopg.Connection[Any]) -> None:
    """The three tables with the same rows."""
    connection.execute(f"CREATE UNLOGGED TABLE built AS {EVENTS}")
    for table in TABLES:
        connection.execute(f"CREATE TABLE {table.name} {BODY}, {table.keys}")
        add_months(connection, table, range(EMPTY + 1, EMPTY + MONTHS + 2))
        if table.rest:
            connection.execute(table.rest)
        connection.execute(
            f"INSERT INTO {table.name} (sequence, {COLUMNS}) SELECT sequence, {COLUMNS} FROM built ORDER BY sequence"
        )
        connection.execute(f"VACUUM ANALYZE {table.name}")
    connection.execute("CREATE SEQUENCE numbers")
    connection.execute(f"SELECT setval('numbers', {(EMPTY + MONTHS + 1) * NUMBERS_A_MONTH} + 9000000)")


def add_months(connection: psycopg.Connection[Any], table: Table, months: range) -> None:
    """The partitions of these months, where the table has any."""
    for n in months if table.month else ():
        lower, upper = table.edge(n), table.edge(n + 1)
        connection.execute(table.month.format(name=table.name, n=n, lower=lower, upper=upper))


Statements = Iterator[tuple[str, Sequence[Any]]]
Measure = Callable[[psycopg.Connection[Any], Table, random.Random], Statements]


def in_turns(connection: psycopg.Connection[Any], measure: Measure) -> dict[str, float]:
    """Medians of rounds in which each table has its turn."""
    times: dict[str, list[float]] = {table.name: [] for table in TABLES}
    for n in range(ROUNDS + 1):
        for table in TABLES:
            statements = list(measure(connection, table, random.Random(n)))
            started = spent_seconds(connection)
            for statement, bound in statements:
                connection.execute(statement, bound, prepare=True).fetchall()
            if n:  # the first round warms up
                times[table.name].append((spent_seconds(connection) - started) / READS * 1e6)
    return {name: round(median(one)) for name, one in times.items()}


def spent_seconds(connection: psycopg.Connection[Any]) -> float:
    """The processor time that the server's process of this connection has had."""
    return int(Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


def timeline(*, first: int, last: int, bounds: Sequence[str] = (">=", "<")) -> Measure:
    """Timelines of the complaints from `first` to `last` percent of all.

    `bounds` are the comparisons with the edges of three months; without them, all months are searched.
    """

    def measure(_: psycopg.Connection[Any], table: Table, chance: random.Random) -> Statements:
        known = bounds if table.column else ()
        bounded = " ".join(f"AND {table.column} {bound} %s" for bound in known)
        statement = f"SELECT * FROM {table.name} WHERE complaint_id = %s AND ordinal > %s {bounded}"
        for _n in range(READS):
            k = chance.randrange(COMPLAINTS * first // 100, COMPLAINTS * last // 100)
            month = EMPTY + 1 + k * MONTHS // COMPLAINTS
            edges = {">=": table.edge(month), "<": table.edge(month + 3)}
            yield (
                f"{statement} ORDER BY ordinal LIMIT 101",
                [f"{k:032x}", 0, *(edges[bound] for bound in known)],
            )

    return measure


def feed(*, behind: int) -> Measure:
    """The feed's page for a reader so many events behind; one that gets less than a page asks for the last number."""

    def measure(connection: psycopg.Connection[Any], table: Table, _: random.Random) -> Statements:
        statement = f"SELECT sequence FROM {table.name} ORDER BY sequence DESC OFFSET {behind} LIMIT 1"
        [after] = connection.execute(statement).fetchone() or [0]
        for _n in range(READS):
            yield f"SELECT * FROM {table.name} WHERE sequence > %s ORDER BY sequence LIMIT 200", [after]
            if behind < 200:
                yield f"SELECT max(sequence) FROM {table.name} WHERE sequence > %s", [after]

    return measure


def insert(connection: psycopg.Connection[Any], table: Table, _: random.Random) -> Statements:
    """A batch of new complaints' first events, in the last month, in a transaction of their own."""
    one = "(nextval('numbers'), gen_random_uuid(), %s, 1, 1, 'complaint.created', %s, 'api', repeat('y', 160), '\\xab')"
    statement = (
        f"INSERT INTO {table.name} (sequence, {COLUMNS}) VALUES {', '.join([one] * BATCH)} RETURNING sequence"
    )
    [at] = connection.execute("SELECT max(at) FROM built").fetchone() or [None]
    for _n in range(READS):
        base = time.time_ns()
        yield statement, [value for n in range(BATCH) for value in (f"{base:020x}{n:012x}", at)]


MEASURES: dict[str, Measure] = {
    "timeline, old": timeline(first=0, last=10),
    "timeline, new": timeline(first=90, last=100),
    "timeline, old, without an end": timeline(first=0, last=10, bounds=[">="]),
    "timeline, old, without bounds": timeline(first=0, last=10, bounds=[]),
    "feed, last 200": feed(behind=200),
    "feed, nothing new": feed(behind=0),
    "feed, from far back": feed(behind=COMPLAINTS * EVENTS_EACH // 2),
    f"insert of {BATCH}": insert,
}

if __name__ == "__main__":
    sys.exit(main())
