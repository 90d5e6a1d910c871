"""Transactions: one per use case, with one `now`. Nobody else commits."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
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

from complaints.domain.errors import Unavailable
from complaints.storage.database.connections import BEGIN_MODE, open_engine

Clock = Callable[[Connection], datetime]
LastAct = Callable[["Transaction", list[Any]], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One unit of work: its connection, and the one instant at which everything in it happens."""

    connection: Connection
    now: datetime
    hastened: dict[str, float] = field(default_factory=dict)
    """Loops of this process to run after the commit, with the seconds until then."""
    left: dict[LastAct, list[Any]] = field(default_factory=dict)
    """What is done right before the commit, in this order: it takes a lock that all others wait for."""

    def leave(self, act: LastAct, *items: Any) -> None:
        """Have `act` called with these items, among all that are left for it, when the transaction ends."""
        self.left.setdefault(act, []).extend(items)

    def hasten(self, loop: str, seconds: float) -> None:
        """Have a loop of this process run `seconds` after the commit, if it would run later."""
        self.hastened[loop] = min(seconds, self.hastened.get(loop, seconds))

    def finish(self) -> None:
        """Do what is left for the end. What follows in the transaction is done under its lock."""
        left = self.left.copy()
        self.left.clear()
        for act, items in left.items():
            act(self, items)

    @contextmanager
    def rolled_back(self) -> Iterator[None]:
        """Take back, at the end of the block, what was written in it."""
        left = {act: items.copy() for act, items in self.left.items()}
        with self.connection.begin_nested() as savepoint:
            yield
            savepoint.rollback()
        self.left.clear()
        self.left.update(left)

    def not_before(self, instant: datetime) -> "Transaction":
        """The same at `instant`, where its own lies before: what it changes was changed after it began."""
        return self if self.now >= instant else replace(self, now=instant)


class RaceLost(Exception):
    """Another transaction committed the same unique key first: what it wrote can be read now."""


# Keys that two honest callers may fight for; a second try finds what the first wrote.
_CONTESTED = (
    "external_id__source",
    "complaint.external_id, complaint.source",
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
    """The database with its clock. `begin` writes, `read` only reads; both give one `now`."""

    def __init__(self, engine: DatabaseEngine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.hasten: Callable[[str, float], None] = lambda loop, seconds: None
        """Runs a loop of this process earlier. Set by a process that has loops (see `wiring`)."""

    @property
    def is_postgresql(self) -> bool:
        """Whether many may write at once."""
        return self.engine.dialect.name == "postgresql"

    def close(self) -> None:
        """Close the connections that are not in use, and the others after their use."""
        self.engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block and rolls back when it raises.

        On SQLite it takes the one write lock at its start, so that nothing read in it can be stale. Raises
        RaceLost where a second try will do, Unavailable where the database is out of reach.
        """
        with _translated(), self.engine.connect() as connection:
            connection = connection.execution_options(**{BEGIN_MODE: "BEGIN IMMEDIATE"})
            with connection.begin():
                tx = Transaction(connection, self.clock(connection))
                yield tx
                tx.finish()
        for loop, seconds in tx.hastened.items():
            self.hasten(loop, seconds)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one snapshot and writes nothing. Raises Unavailable."""
        with _translated(), self.engine.connect() as connection:
            if self.is_postgresql:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield Transaction(connection, self.clock(connection))


def _told(error: DBAPIError) -> str:
    """What the database says, without the values it quotes in further lines."""
    return str(error.orig).partition("\n")[0]


@contextmanager
def _translated() -> Iterator[None]:
    """Database errors as the floors above know them; those that are our own mistakes stay as they are."""
    try:
        yield
    except IntegrityError as error:
        if any(key in str(error.orig) for key in _CONTESTED):
            raise RaceLost(_told(error)) from error
        raise
    except (OperationalError, InternalError) as error:  # the latter where the server ended an idle one
        if type(error.orig).__name__ in ("DeadlockDetected", "SerializationFailure"):
            raise RaceLost(_told(error)) from error
        log.warning("the database is out of reach", exc_info=error)
        raise Unavailable(
            "The database cannot be reached, or cannot write, just now: try again shortly."
        ) from error
    except (PoolTimeout, InterfaceError) as error:
        log.warning("no connection to the database", exc_info=error)
        raise Unavailable("Too many requests wait for the database just now: try again shortly.") from error


__all__ = ["Clock", "Connection", "Database", "DatabaseEngine", "RaceLost", "Transaction", "open_engine"]
