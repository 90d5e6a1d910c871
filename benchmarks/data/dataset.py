"""A database with as many complaints as a benchmark asks for, as skewed as real ones are.

Some hundred complaints are lived through the engine's own code; the rest are copies of them, written set-wise beside
the database, each with its own numbers, times, people, text, search terms and a history that verifies. Most have
ended, over `MONTHS` months; a share is overdue, another open and in time; a few teams hold most of them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine

from benchmarks.data.bulk_copy import Writer, filling
from benchmarks.data.sample_complaints import live
from benchmarks.data.templates import SEARCH, TABLES, Copy, Mould, Row, read_moulds
from benchmarks.data.texts import tell
from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.seeding import seed_database
from complaints.wiring import new_id, wall_now

MONTHS = 6
LIVES = 168
FOLLOWED_UP, FRESH = 0.1, 0.005  # of all; those received within a day are about a day's part of the months
_BATCH = 5_000
_COLUMNS = {table.name: [column.name for column in table.columns] for table in TABLES}
_SEARCH_COLUMNS = {"postgresql": ["sequence", "terms"], "sqlite": ["rowid", "terms"]}


@dataclass(frozen=True, slots=True)
class Shares:
    """How many complaints are made, and how many of them are overdue."""

    complaints: int
    overdue: int

    @classmethod
    def of(cls, complaints: int) -> "Shares":
        """One in a hundred is overdue; of few complaints more, so that a page by team and priority is full too."""
        return cls(complaints, max(complaints // 100, min(complaints // 10, 1_000)))


def make_dataset(url: str, shares: Shares, *, lives: int = LIVES, seed: int = 1) -> None:
    """Migrate and seed the empty database at `url`, and fill it. The same seed makes much the same data."""
    random = Random(seed)
    now = wall_now().replace(microsecond=0)
    engine = open_engine(url)
    try:
        migrate.upgrade(engine)
        database = Database(engine, lambda _connection: now)
        with database.begin() as tx:
            seed_database(tx)
        live(database, Service(database, new_id), count=lives, now=now, random=random)
        _multiply(engine, shares, now=now, random=random)
    finally:
        engine.dispose()


def _multiply(engine: Engine, shares: Shares, *, now: datetime, random: Random) -> None:
    with engine.connect() as connection:
        moulds = read_moulds(connection, now)
        lived = len(moulds)
        last_event = sum(mould.events for mould in moulds)
    plan = _plan(moulds, shares, lived=lived, now=now.replace(tzinfo=None), random=random)
    columns = {**_COLUMNS, SEARCH: _SEARCH_COLUMNS[engine.dialect.name]}
    with filling(engine, [*_COLUMNS, SEARCH]) as write:
        batch: dict[str, list[Row]] = defaultdict(list)
        for n, (mould, moved) in enumerate(plan, start=1):
            copy = Copy(moved, lived + n, last_event + 1, tell(random))
            last_event += mould.events
            for table, row in mould.cast(copy, random):
                batch[table].append(row)
            if n % _BATCH == 0:
                _write(write, columns, batch)
        _write(write, columns, batch)
    with engine.begin() as connection:
        _go_on_counting(connection)


def _write(write: Writer, columns: dict[str, list[str]], batch: dict[str, list[Row]]) -> None:
    for table, rows in batch.items():
        write(table, columns[table], rows)
    batch.clear()


def _plan(
    moulds: list[Mould], wanted: Shares, *, lived: int, now: datetime, random: Random
) -> Iterator[tuple[Mould, timedelta]]:
    """Which mould each copy is cast of, and how far it is moved. The ended ones come in order of time."""
    ended = [mould for mould in moulds if mould.ended]
    overdue = [mould for mould in moulds if mould.overdue]
    followed_up = [mould for mould in moulds if mould.followed_up and not mould.overdue]
    fresh = [mould for mould in moulds if not (mould.ended or mould.overdue or mould.followed_up)]
    count = wanted.complaints - lived
    late = max(0, wanted.overdue - len(overdue)) / count
    start = now - timedelta(days=30 * MONTHS)
    kinds = (overdue, followed_up, fresh, ended)
    shares = (late, FOLLOWED_UP, FRESH, 1 - late - FOLLOWED_UP - FRESH)
    for n, chosen in enumerate(random.choices(kinds, shares, k=count)):
        if chosen is not ended:
            mould = random.choice(chosen)
            yield mould, _within(mould, random)
            continue
        mould = random.choice(ended)
        moved = start + (now - start) * n / count - mould.received_at
        yield mould, _whole(min(moved, mould.latest))


def _within(mould: Mould, random: Random) -> timedelta:
    return _whole(mould.earliest + (mould.latest - mould.earliest) * random.random())


def _whole(moved: timedelta) -> timedelta:
    return timedelta(seconds=moved // timedelta(seconds=1))


def _go_on_counting(connection: Connection) -> None:
    """Numbers go on where the made ones end; SQLite sees to that by itself."""
    if connection.dialect.name != "postgresql":
        return
    for sequence, table in (("complaint_sequence", "complaint"), ("event_sequence_seq", "event")):
        last: Any = connection.exec_driver_sql(f'SELECT max("sequence") FROM {table}').scalar_one()
        connection.exec_driver_sql(f"SELECT setval('{sequence}', {int(last)})")
