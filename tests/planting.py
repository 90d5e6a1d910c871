"""Faults that a test plants in the rows of a database, looks at, and takes out again."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace

from sqlalchemy import text

from complaints.storage.database.transactions import Database, Transaction
from complaints.use_cases.service import Service


class _InsideOfTransaction(Database):
    """A database whose readers see what one open transaction has written."""

    def __init__(self, whole: Database, tx: Transaction) -> None:
        super().__init__(whole.engine, whole.clock)
        self._tx = tx

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        yield Transaction(self._tx.connection, self.clock(self._tx.connection))


@contextmanager
def planted(service: Service, statements: str) -> Iterator[Service]:
    """A service that reads the database after `statements` (with `; ` between them). The end of the block undoes them.

    The service finds a newer version of the configuration, so it reads that again too.
    """
    with service.database.begin() as tx, tx.rolled_back():
        for statement in statements.split("; "):
            tx.connection.execute(text(statement))
        tx.connection.execute(text("UPDATE reference_version SET version = version + 1"))
        cache = copy(service.cache)
        cache.expire()
        yield replace(service, database=_InsideOfTransaction(service.database, tx), cache=cache)
