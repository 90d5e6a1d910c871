"""Transactions: one for each use case, with one `now`. Only this module commits."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from secrets import token_bytes
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from complaints.domain.complaint.texts import SALT_BYTES
from complaints.domain.errors import Unavailable
from complaints.storage.database.connections import BEGIN_MODE, open_engine

Clock = Callable[[Connection], datetime]
CommitWork = Callable[["Transaction", list[Any]], None]
random_salt = partial(token_bytes, SALT_BYTES)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One unit of work: a connection, and the instant at which everything in the transaction happens (UTC)."""

    connection: Connection
    now: datetime
    hastened: dict[str, datetime] = field(default_factory=dict)
    """Loops of this process that run earlier after the commit, and when."""
    postponed: dict[CommitWork, list[Any]] = field(default_factory=dict)
    """Work postponed to just before commit, in order. It takes the lock that orders all commits: keep it short."""
    counted: dict[tuple[str, str], int] = field(default_factory=dict)
    """What the transaction did, for the measures of this process: pairs of name and label, and how often."""
    new_salt: Callable[[], bytes] = random_salt
    """Makes the salts of the digests that the transaction writes."""
    not_sent: list[str] = field(default_factory=list)
    """The statement that begins the transaction on the database, if it begins late and has not begun."""

    def open(self) -> None:
        """Begin now if the transaction begins late: what follows is committed together or not at all."""
        while self.not_sent:
            self.connection.exec_driver_sql(self.not_sent.pop())

    def before_commit(self, work: CommitWork, *items: Any) -> None:
        """Call `work` once before commit, with these items and all others that were given for it."""
        self.postponed.setdefault(work, []).extend(items)

    def hasten(self, loop: str, at: datetime) -> None:
        """Let a loop of this process run at `at`, but after the commit, if it would run later."""
        self.hastened[loop] = min(at, self.hastened.get(loop, at))

    def count(self, name: str, label: str, amount: int = 1) -> None:
        """Count work for the measures of this process, if the transaction commits."""
        if amount:
            self.counted[name, label] = self.counted.get((name, label), 0) + amount

    def finish(self) -> None:
        """Do the postponed work now. Later statements of the transaction then run under its lock."""
        postponed = self.postponed.copy()
        if len(postponed) > 1:
            self.open()
        self.postponed.clear()
        for work, items in postponed.items():
            work(self, items)

    @contextmanager
    def rolled_back(self) -> Iterator[None]:
        """Undo at the end of the block everything that it wrote, postponed or counted."""
        kept = self._copy()
        with self.connection.begin_nested() as savepoint:
            yield
            savepoint.rollback()
        self._restore(*kept)

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """If the block raises, undo everything that it wrote, postponed or counted. The transaction can go on."""
        kept = self._copy()
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            self._restore(*kept)
            raise

    def _copy(self) -> tuple[dict[CommitWork, list[Any]], dict[tuple[str, str], int]]:
        return {work: items.copy() for work, items in self.postponed.items()}, self.counted.copy()

    def _restore(self, postponed: dict[CommitWork, list[Any]], counted: dict[tuple[str, str], int]) -> None:
        self.postponed.clear()
        self.postponed.update(postponed)
        self.counted.clear()
        self.counted.update(counted)

    def not_before(self, instant: datetime) -> "Transaction":
        """The same transaction, with `now` raised to `instant` if it is earlier.

        A transaction may begin before another one changes the row for which it waits.
        """
        return self if self.now >= instant else replace(self, now=instant)


PAUSE_SECONDS = 0.025
LONGEST_PAUSE_SECONDS = 0.25


class RaceLost(Exception):
    """Another transaction committed the same unique key first. A second try can read its row."""


# Keys that two callers may insert at once. The loser tries again and then finds the row of the winner.
_CONTESTED = (
    "external_id__source",
    "complaint.external_id, complaint.source",
    "complaint_external_id",
    "import_digest",
    "pk_idempotency",
    "idempotency.scope",
    "complaint__sequence",
    "complaint.sequence",
    "escalation__deadline_id",
    "escalation.deadline_id",
    "api_key__name",
    "api_key.name",
    "pk_reference_version",
    "reference_version.id",
)


class Database:
    """The database with its clock. `begin` opens a transaction that writes, `read` one that only reads.

    `new_salt` makes the salts of digests. Only data that is made up has others than random ones.
    """

    def __init__(
        self, engine: DatabaseEngine, clock: Clock, *, new_salt: Callable[[], bytes] = random_salt
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.new_salt = new_salt
        self.hasten: Callable[[str, float], None] = lambda loop, seconds: None
        """Runs a loop of this process earlier. Set by a process that has loops (see `wiring`)."""
        self.count: Callable[[str, str, int], None] = lambda name, label, amount: None
        """Counts committed work. Set by a process that has measures (see `wiring`)."""
        self.last_commit = object()
        """Another object after each commit of this process: a loop that finds the same one knows that none came."""
        # One entry for each caller: a list grows and shrinks safely in threads.
        self._waiting: list[None] = []

    @property
    def has_waiting_writers(self) -> bool:
        """True if callers in this process wait for the write lock of SQLite."""
        return bool(self._waiting)

    def give_way(self) -> None:
        """On SQLite, pause until the callers of this process who wait for the write lock have got it.

        For a loop, between two transactions: a writer that waits looks for the lock every 25 to 100 ms, so it would
        wait until the loop ends.
        """
        if self.is_postgresql:
            return
        time.sleep(PAUSE_SECONDS)
        longest = time.monotonic() + LONGEST_PAUSE_SECONDS
        while self.has_waiting_writers and time.monotonic() < longest:
            time.sleep(0.005)

    @property
    def is_postgresql(self) -> bool:
        """True on PostgreSQL, where several transactions may write at once."""
        return self.engine.dialect.name == "postgresql"

    def close(self) -> None:
        """Close the idle connections now, and the others when they are returned to the pool."""
        self.engine.dispose()

    @contextmanager
    def begin(self, *, late: bool = False) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block, or rolls back if the block raises.

        On SQLite it takes the only write lock at its start, so nothing that it reads can be stale. Raises RaceLost
        if a second try can succeed, and Unavailable if the database cannot be reached or cannot write.

        If it begins `late`, PostgreSQL commits each statement alone until `Transaction.open`. That saves two round
        trips for work that first reads, and then writes by one statement.
        """
        with _translate_errors(), self.engine.connect() as connection:
            connection = connection.execution_options(**{BEGIN_MODE: "BEGIN IMMEDIATE"})
            late = late and self.is_postgresql
            if late:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            self._waiting.append(None)
            try:
                transaction = connection.begin()
            finally:
                self._waiting.pop()
            with transaction:
                not_sent = ["BEGIN"] if late else []
                tx = Transaction(
                    connection, self.clock(connection), new_salt=self.new_salt, not_sent=not_sent
                )
                begun = time.monotonic()
                yield tx
                tx.finish()
        self.last_commit = object()
        for loop, at in tx.hastened.items():
            seconds = (at - tx.now).total_seconds() - (time.monotonic() - begun)
            self.hasten(loop, max(seconds, 0.0))
        for (name, label), amount in tx.counted.items():
            self.count(name, label, amount)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one snapshot and writes nothing. Raises Unavailable."""
        with _translate_errors(), self.engine.connect() as connection:
            if self.is_postgresql:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield Transaction(connection, self.clock(connection))


def lost_to_another(error: DBAPIError) -> bool:
    """True if the database ended the transaction in favour of another one: the same may succeed the next time."""
    return type(error.orig).__name__ in ("DeadlockDetected", "SerializationFailure")


def waited_in_vain(error: DBAPIError) -> bool:
    """True if PostgreSQL ended the statement because others held a lock for longer than `lock_timeout`."""
    return type(error.orig).__name__ == "LockNotAvailable"


def _first_line(error: DBAPIError) -> str:
    """The message of the database without its further lines, which quote values."""
    return str(error.orig).partition("\n")[0]


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise database errors as the errors that callers know. Errors of the program itself stay as they are."""
    try:
        yield
    except IntegrityError as error:
        if any(key in str(error.orig) for key in _CONTESTED):
            raise RaceLost(_first_line(error)) from error
        raise
    except (OperationalError, InternalError) as error:  # InternalError: the server ended an idle connection
        if lost_to_another(error):
            raise RaceLost(_first_line(error)) from error
        log.warning("the database is out of reach", exc_info=error)
        failure = Unavailable("The database cannot be reached, or cannot write, just now: try again shortly.")
        failure.add_note(f"The database says: {_first_line(error)}")
        raise failure from error
    except (PoolTimeout, InterfaceError) as error:
        log.warning("no connection to the database", exc_info=error)
        raise Unavailable("Too many requests wait for the database just now: try again shortly.") from error


__all__ = ["Clock", "Connection", "Database", "DatabaseEngine", "RaceLost", "Transaction", "open_engine"]
