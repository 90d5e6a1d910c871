"""A database with as many complaints as a benchmark needs, with the skew of real complaints.

The engine's own code makes the sample complaints. The others are copies of them, written set-wise. Each copy has its
own numbers, times, people, texts and search terms, and a history that verifies. Most complaints have ended, over
`MONTHS` months; some are overdue, others open and in time. A few teams have most of them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine

from benchmarks.data.bulk_copy import Writer, filling
from benchmarks.data.sample_complaints import make_sample_complaints
from benchmarks.data.templates import SEARCH, TABLES, Copy, Row, Template, read_templates
from benchmarks.data.texts import make_texts
from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.seeding import seed_database
from complaints.wiring import new_id, wall_now

MONTHS = 6
SAMPLES = 168
FOLLOWED_UP, FRESH = 0.1, 0.005  # shares of all; the fresh are those of about one day
_BATCH = 5_000
_COLUMNS = {table.name: [column.name for column in table.columns] for table in TABLES}
_SEARCH_COLUMNS = {"postgresql": ["sequence", "terms"], "sqlite": ["rowid", "terms"]}


@dataclass(frozen=True, slots=True)
class Shares:
    """The number of complaints, and how many of them are overdue."""

    complaints: int
    overdue: int

    @classmethod
    def of(cls, complaints: int) -> "Shares":
        """One in a hundred is overdue. With few complaints it is more, so that a page by team and priority is full."""
        return cls(complaints, max(complaints // 100, min(complaints // 10, 1_000)))


def make_dataset(url: str, shares: Shares, *, samples: int = SAMPLES, seed: int = 1) -> None:
    """Migrate and seed the empty database at `url`, and fill it. The same seed makes almost the same data."""
    random = Random(seed)
    now = wall_now().replace(microsecond=0)
    engine = open_engine(url)
    try:
        migrate.upgrade(engine)
        database = Database(engine, lambda _connection: now)
        with database.begin() as tx:
            seed_database(tx)
        make_sample_complaints(database, Service(database, new_id), count=samples, now=now, random=random)
        _multiply(engine, shares, now=now, random=random)
    finally:
        engine.dispose()


def _multiply(engine: Engine, shares: Shares, *, now: datetime, random: Random) -> None:
    with engine.connect() as connection:
        templates = read_templates(connection, now)
        made_before = len(templates)
        last_event = sum(template.events for template in templates)
    plan = _plan(templates, shares, made_before=made_before, now=now.replace(tzinfo=None), random=random)
    columns = {**_COLUMNS, SEARCH: _SEARCH_COLUMNS[engine.dialect.name]}
    with filling(engine, [*_COLUMNS, SEARCH]) as write:
        batch: dict[str, list[Row]] = defaultdict(list)
        for n, (template, moved) in enumerate(plan, start=1):
            copy = Copy(moved, made_before + n, last_event + 1, make_texts(random))
            last_event += template.events
            for table, row in template.fill(copy, random):
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
    templates: list[Template], wanted: Shares, *, made_before: int, now: datetime, random: Random
) -> Iterator[tuple[Template, timedelta]]:
    """The template of each copy, and by how much the copy is moved in time. Ended complaints come in order of time."""
    ended = [template for template in templates if template.ended]
    overdue = [template for template in templates if template.overdue]
    followed_up = [template for template in templates if template.followed_up and not template.overdue]
    fresh = [
        template for template in templates if not (template.ended or template.overdue or template.followed_up)
    ]
    count = wanted.complaints - made_before
    late = max(0, wanted.overdue - len(overdue)) / count
    start = now - timedelta(days=30 * MONTHS)
    kinds = (overdue, followed_up, fresh, ended)
    shares = (late, FOLLOWED_UP, FRESH, 1 - late - FOLLOWED_UP - FRESH)
    for n, chosen in enumerate(random.choices(kinds, shares, k=count)):
        if chosen is not ended:
            template = random.choice(chosen)
            yield template, _within(template, random)
            continue
        template = random.choice(ended)
        moved = start + (now - start) * n / count - template.received_at
        yield template, _whole(min(moved, template.latest))


def _within(template: Template, random: Random) -> timedelta:
    return _whole(template.earliest + (template.latest - template.earliest) * random.random())


def _whole(moved: timedelta) -> timedelta:
    return timedelta(seconds=moved // timedelta(seconds=1))


def _go_on_counting(connection: Connection) -> None:
    """Numbers continue after the last copy. SQLite does that without help."""
    if connection.dialect.name != "postgresql":
        return
    for sequence, table in (("complaint_sequence", "complaint"), ("event_sequence_seq", "event")):
        last: Any = connection.exec_driver_sql(f'SELECT max("sequence") FROM {table}').scalar_one()
        connection.exec_driver_sql(f"SELECT setval('{sequence}', {int(last)})")
