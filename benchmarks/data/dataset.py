"""A database with as many complaints as a benchmark needs, with the skew of real complaints.

The engine's own code makes the sample complaints. The others are copies of them, written set-wise. Each copy has its
own numbers, times, people, texts and search terms, and a history that verifies. Most complaints have ended, over
`MONTHS` months; some are overdue, others open and in time. A few teams have most of them.
"""

import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, literal, select

from benchmarks.data.bulk_copy import Writer, without_indexes, writing
from benchmarks.data.sample_complaints import make_sample_complaints
from benchmarks.data.templates import SEARCH, TABLES, Copy, Row, Template, read_templates
from benchmarks.data.texts import make_texts
from benchmarks.errors import CannotMeasure
from complaints.storage.database import migrate
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.storage.database.types import UtcDateTime
from complaints.storage.rows.event import event
from complaints.storage.rows.follower import follower
from complaints.storage.rows.person import person
from complaints.use_cases.figures.keeping import FOLLOWER
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.seeding import seed_database
from complaints.wiring import new_id, wall_now

MONTHS = 6
SAMPLES = 168
FOLLOWED_UP, FRESH = 0.1, 0.005  # shares of all; the fresh are those of about one day
_BATCH = 5_000
_FORK = multiprocessing.get_context("fork")
_COLUMNS = {table.name: [column.name for column in table.columns] for table in TABLES}
_FOLDED = frozenset({"complaint", person.name, "event"})
_SEARCH_COLUMNS = {"postgresql": ["sequence", "terms"], "sqlite": ["rowid", "terms"]}


@dataclass(frozen=True, slots=True)
class Shares:
    """The number of complaints, and how many of them are overdue.

    A `sparse` set has only the rows that pages of the overdue need, so that millions fit on a disk: what has ended has
    no history. A `folded` set has only the rows from which facts of figures follow: what has ended is a complaint, a
    person and a history, without deadlines, steps, texts of events and search terms.
    """

    complaints: int
    overdue: int
    sparse: bool = False
    folded: bool = False

    @classmethod
    def of(cls, complaints: int, *, sparse: bool = False, folded: bool = False) -> "Shares":
        """One in a hundred is overdue. With few complaints it is more, so that a page by team and priority is full."""
        return cls(complaints, max(complaints // 100, min(complaints // 10, 1_000)), sparse, folded)

    def choose_ended(self, ended: list[Template]) -> list[Template]:
        """The templates of ended complaints: all, or those with the fewest events."""
        fewest = min(template.events for template in ended)
        return [template for template in ended if template.events == fewest or not self.sparse]

    def has(self, table: str, template: Template) -> bool:
        """True if a copy of the template has its rows of this table."""
        return table in _FOLDED or not (self.folded and template.ended)


def make_dataset(
    url: str, shares: Shares, *, samples: int = SAMPLES, seed: int = 1, processes: int | None = None
) -> None:
    """Migrate and seed the empty database at `url`, and fill it. The same seed makes almost the same data.

    On PostgreSQL several `processes` fill it, by default one for each processor. SQLite has one writer.
    """
    now = wall_now().replace(microsecond=0)
    engine = open_engine(url)
    try:
        migrate.upgrade(engine)
        database = Database(engine, lambda _connection: now)
        with database.begin() as tx:
            seed_database(tx)
        make_sample_complaints(
            database, Service(database, new_id), count=samples, now=now, random=Random(seed)
        )
        writers = 1 if engine.dialect.name == "sqlite" else processes or os.cpu_count() or 1
        _multiply(url, engine, shares, now=now.replace(tzinfo=None), seed=seed, processes=writers)
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class _Work:
    """The templates and what to make of them. `made` complaints with `events` are there before the first copy."""

    url: str
    templates: list[Template]
    shares: Shares
    now: datetime
    seed: int
    made: int
    events: int

    @property
    def count(self) -> int:
        """The number of copies."""
        return self.shares.complaints - self.made


def _multiply(url: str, engine: Engine, shares: Shares, *, now: datetime, seed: int, processes: int) -> None:
    with engine.connect() as connection:
        templates = read_templates(connection, now.replace(tzinfo=UTC))
    events = sum(template.events for template in templates)
    work = _Work(url, templates, shares, now, seed, len(templates), events)
    edges = [work.count * n // processes for n in range(processes + 1)]
    with without_indexes(engine, [*_COLUMNS, SEARCH], connections=processes):
        engine.dispose()  # a forked process must not share a connection
        copying = [_FORK.Process(target=_copy, args=(work, *edge)) for edge in pairwise(edges[1:])]
        for process in copying:
            process.start()
        _copy(work, edges[0], edges[1])
        for process in copying:
            process.join()
        if any(process.exitcode for process in copying):
            raise CannotMeasure("A process that made data failed.")
    with engine.begin() as connection:
        _go_on_counting(connection)
        _note_facts_as_kept(connection, now)


def _copy(work: _Work, start: int, end: int) -> None:
    """Make the copies from `start` to `end`. Each part has numbers of its own for its events."""
    random = Random(f"{work.seed} {start}")
    most_events = max(template.events for template in work.templates)
    last_event = work.events + start * most_events
    engine = open_engine(work.url)
    columns = {**_COLUMNS, SEARCH: _SEARCH_COLUMNS[engine.dialect.name]}
    batch: dict[str, list[Row]] = defaultdict(list)
    with writing(engine) as write:
        for n, (template, moved) in enumerate(_plan(work, start, end, random), start + 1):
            copy = Copy(moved, work.made + n, last_event + 1, make_texts(random))
            last_event += template.events
            with_history = not (work.shares.sparse and template.ended)
            for table, row in template.fill(copy, random, with_history=with_history):
                if work.shares.has(table, template):
                    batch[table].append(row)
            if n % _BATCH == 0:
                _write(write, columns, batch)
        _write(write, columns, batch)
    engine.dispose()


def _write(write: Writer, columns: dict[str, list[str]], batch: dict[str, list[Row]]) -> None:
    for table, rows in batch.items():
        write(table, columns[table], rows)
    batch.clear()


def _plan(work: _Work, start: int, end: int, random: Random) -> Iterator[tuple[Template, timedelta]]:
    """The template of each copy, and by how much the copy is moved in time. Ended complaints come in order of time."""
    templates, now, count = work.templates, work.now, work.count
    ended = work.shares.choose_ended([template for template in templates if template.ended])
    overdue = [template for template in templates if template.overdue]
    followed_up = [template for template in templates if template.followed_up and not template.overdue]
    fresh = [
        template for template in templates if not (template.ended or template.overdue or template.followed_up)
    ]
    late = max(0, work.shares.overdue - len(overdue)) / count
    opened = now - timedelta(days=30 * MONTHS)
    awaited = 0.0 if work.shares.sparse else FOLLOWED_UP
    kinds = (overdue, followed_up, fresh, ended)
    shares = (late, awaited, FRESH, 1 - late - awaited - FRESH)
    for n, chosen in enumerate(random.choices(kinds, shares, k=end - start), start):
        if chosen is not ended:
            template = random.choice(chosen)
            yield template, _within(template, random)
            continue
        template = random.choice(ended)
        moved = opened + (now - opened) * (n / count) - template.received_at
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


def _note_facts_as_kept(connection: Connection, now: datetime) -> None:
    """The server of a benchmark must not make the facts of all copies while something else is measured."""
    last = select(
        literal(FOLLOWER), func.max(event.c.sequence), literal(now.replace(tzinfo=UTC), UtcDateTime)
    )
    connection.execute(insert(follower).from_select(["name", "after", "updated_at"], last))
