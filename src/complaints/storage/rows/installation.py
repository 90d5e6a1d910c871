"""The installation: its secret, which the migration makes, and the mark of a database with made-up data."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, SmallInteger, Table, select, update

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata

installation = Table(
    "installation",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary(32), nullable=False),
    Column("demo_seed", BigInteger),
    Column("demo_until", UtcDateTime),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("(demo_seed IS NULL) = (demo_until IS NULL)", name="demo"),
)


class Demo(NamedTuple):
    """The mark of a database that `complaints demo` filled: the seed, and the end of the quarter in UTC."""

    seed: int
    until: datetime


def load_secret(tx: Transaction) -> bytes:
    """The secret with which texts are digested. No answer and no log line shows it."""
    secret: bytes = tx.connection.execute(select(installation.c.secret)).scalar_one()
    return secret


def find_demo(tx: Transaction) -> Demo | None:
    """The mark of made-up data; None for every other database."""
    row = tx.connection.execute(select(installation.c.demo_seed, installation.c.demo_until)).one()
    return None if row.demo_seed is None else Demo(*row)


def mark_demo(tx: Transaction, demo: Demo) -> None:
    """Mark the database as filled with made-up data. The mark stays."""
    tx.connection.execute(update(installation).values(demo_seed=demo.seed, demo_until=demo.until))
