"""Users who leave: how many of their open complaints and other subjects are handed over. One row for each leaver."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, String, Table, or_, select, update

from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, metadata
from complaints.storage.database.upsert import insert_or_update

leaving = Table(
    "leaving",
    metadata,
    Column("login", ForeignKey("user_account.login"), primary_key=True),
    Column("successor", ForeignKey("user_account.login")),
    Column("started_at", UtcDateTime, nullable=False),
    Column("started_by", String(210), nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("finished_at", UtcDateTime),
    CheckConstraint("0 <= done AND done <= total", name="progress"),
)
v = leaving.c


@dataclass(frozen=True, slots=True)
class Leaving:
    """The handing over of all that a leaver owns: `done` of `total` complaints and other subjects.

    They go to `successor`, or to their teams if it is None. `started_by` is the actor. `finished_at` None: some may
    be left. Times are in UTC.
    """

    login: str
    successor: str | None
    started_at: datetime
    started_by: str
    total: int
    done: int = 0
    finished_at: datetime | None = None


def find_leaving(tx: Transaction, login: str, *, lock: bool = False) -> Leaving | None:
    """The leaving of this user, if there is one. With `lock` nobody else goes on until this transaction ends."""
    statement = select(leaving).where(v.login == login)
    row = tx.connection.execute(statement.with_for_update() if lock else statement).first()
    return Leaving(*row) if row else None


def find_to_go_on(tx: Transaction, *, finished_after: datetime) -> Sequence[str]:
    """The logins of the users whose leaving is not finished, or was finished after this instant."""
    statement = select(v.login).where(or_(v.finished_at.is_(None), v.finished_at > finished_after))
    return tx.connection.execute(statement.order_by(v.login)).scalars().all()


def find_successors(tx: Transaction) -> dict[str, str | None]:
    """The successor of each user whose leaving is not finished, by login. None: the complaints go to their teams."""
    statement = select(v.login, v.successor).where(v.finished_at.is_(None))
    return {row.login: row.successor for row in tx.connection.execute(statement)}


def write_leaving(tx: Transaction, found: Leaving) -> None:
    """Write the row of a leaver, in place of the row before."""
    insert_or_update(tx, leaving, asdict(found))


def end_leaving(tx: Transaction, login: str) -> None:
    """Note that nothing more is handed over, because the user is back."""
    statement = update(leaving).where(v.login == login, v.finished_at.is_(None))
    tx.connection.execute(statement.values(finished_at=tx.now))
