"""Exposures: how many services or users there were from a day on, in all or in a group."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, String, Table, select

from complaints.domain.figures.catalogue import Measure
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata, one_of
from complaints.storage.database.upsert import insert_or_update

ALL_GROUPS = ""
"""`group_by` and `key` of an exposure that counts all services or users."""

figure_exposure = Table(
    "figure_exposure",
    metadata,
    Column("measure", one_of(Measure, checked=False), primary_key=True),
    Column("group_by", String(40), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("from_day", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
    Column("source", String(500), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("recorded_by", String(210), nullable=False),
    CheckConstraint("value >= 0", name="value"),
)
x = figure_exposure.c


@dataclass(frozen=True, slots=True)
class Exposure:
    """The number of services or users of a group from the day `from_day` on, until the next exposure of the group."""

    measure: Measure
    group_by: str
    key: str
    from_day: int
    value: int
    source: str
    recorded_at: datetime
    recorded_by: str


def put_exposure(tx: Transaction, exposure: Exposure) -> None:
    """Write an exposure in place of the one of the same measure, group and day."""
    insert_or_update(tx, figure_exposure, {name: getattr(exposure, name) for name in Exposure.__slots__})


def list_exposures(tx: Transaction, measure: Measure | None = None) -> Sequence[Exposure]:
    """The exposures of a measure, or all, by group and day."""
    statement = select(*figure_exposure.columns).order_by(x.measure, x.group_by, x.key, x.from_day)
    if measure is not None:
        statement = statement.where(x.measure == measure)
    return [Exposure(*row) for row in tx.connection.execute(statement)]
