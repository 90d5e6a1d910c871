"""The months of the history: on PostgreSQL `event` is partitioned natively; on SQLite all this does nothing.

A partition is a range of `sequence`, and a month turns by letting the numbers jump to where its range begins: those
of November 2026 go on from 202611 × 10^10. So the clock decides only when the next month is begun. No event depends
on it for a place: until the month is made and turned, numbers go on in the range of the one before, and they never
go back. The first partition also holds whatever was written before there were any.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.exc import OperationalError

from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import FEED_LOCK
from complaints.storage.rows.follower import find_cursors

log = logging.getLogger(__name__)

NUMBERS_A_MONTH = (
    10**10
)  # 3,800 a second; even those of the year 9000 stay below 2^53, where JSON readers stop
_MONTHS_LOCK = 0x6D6F6E74  # any number that is only ours
_PATIENCE = "500ms"  # while we wait for a table, others wait behind us
_BOUNDS = re.compile(r"FOR VALUES FROM \('?(\w+)'?\) TO \('?(\w+)'?\)")
_PARTITIONS = text("""
    SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'event'::regclass
""")


@dataclass(frozen=True, slots=True)
class Month:
    """A partition: the events numbered from `lower` (None: from the first on) up to below `upper`."""

    name: str
    lower: int | None
    upper: int

    @property
    def first(self) -> int:
        """The number that those of its month come after; what lies below was for months nobody was there to make."""
        year, month = divmod(self.upper // NUMBERS_A_MONTH, 100)
        return first_number(month_after(date(year, month, 1), -1))


def first_number(month: date) -> int:
    """The number that those of a month come after."""
    return (month.year * 100 + month.month) * NUMBERS_A_MONTH


def month_after(day: date, months: int = 1) -> date:
    """The first day of the month so many after that of `day`; fewer than 0 for those before."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def end_of_month(number: int, months: int) -> int:
    """What the numbers of the month so many after that of an event's number stay below."""
    year, month = divmod(number // NUMBERS_A_MONTH, 100)
    if year == 0:  # from before there were months
        return NUMBERS_A_MONTH
    return first_number(month_after(date(year, month, 1), months + 1))


def find_months(tx: Transaction) -> Sequence[Month]:
    """The partitions in use, oldest first; none on SQLite."""
    if tx.connection.dialect.name != "postgresql":
        return []
    return sorted((_month(*row) for row in tx.connection.execute(_PARTITIONS)), key=lambda m: m.upper)


def _month(name: str, bounds: str) -> Month:
    found = _BOUNDS.fullmatch(bounds)
    if found is None:
        raise RuntimeError(f"the history has a partition {name} that is none of its months: {bounds}")
    lower, upper = found.groups()
    return Month(name, None if lower == "MINVALUE" else int(lower), int(upper))


def horizon(tx: Transaction) -> int:
    """Events numbered below this were detached with their months; 0 where none were."""
    months = find_months(tx)
    return (months[0].lower or 0) if months else 0


def make_month(tx: Transaction, day: date) -> Month | None:
    """Make the partition of the month of `day`; None if it is there, or if now is not the moment for it.

    It joins the last one without a gap, whatever months nobody was there to make.
    """
    return _undisturbed(tx, lambda: _make(tx, day))


def _make(tx: Transaction, day: date) -> Month | None:
    last = find_months(tx)[-1]
    if last.upper > first_number(day):
        return None
    made = Month(f"event_{day:%Y_%m}", last.upper, first_number(month_after(day)))
    # Like the one before it, with its indexes, and so with a unique key of its own; the foreign key comes with the
    # attachment. `PARTITION OF` would keep readers out of the whole history.
    _run(tx, "LOCK TABLE complaint IN SHARE ROW EXCLUSIVE MODE")  # writers take it first, too
    _run(tx, f"CREATE TABLE {made.name} (LIKE {last.name} INCLUDING ALL)")
    bounds = f"FROM ({made.lower}) TO ({made.upper})"
    _run(tx, f"ALTER TABLE event ATTACH PARTITION {made.name} FOR VALUES {bounds}")
    return made


def turn_month(tx: Transaction) -> bool:
    """Let the numbers jump to the last month made; False if they are there.

    The month must be committed: numbers are not taken back where a transaction is. Nobody numbers events
    meanwhile, so no statement under way can get a number of a month that it does not know.
    """
    months = find_months(tx)
    if len(months) < 2:
        return False
    tx.connection.execute(select(func.pg_advisory_xact_lock(FEED_LOCK)))
    if _last_number(tx) >= months[-1].first:
        return False
    tx.connection.execute(select(func.setval("event_sequence_seq", months[-1].first)))
    return True


def detach_month(tx: Transaction, keep_from: date) -> Month | None:
    """Detach the oldest month if it lies before `keep_from`, the first day of a month; None if nothing is detached.

    Every complaint that began in it or before must have ended before `keep_from`: what is open keeps its whole
    history. No follower's cursor may lie in the month or before it. The month stays a table of its own, outside the
    history.
    """
    return _undisturbed(tx, lambda: _detach(tx, keep_from))


def _detach(tx: Transaction, keep_from: date) -> Month | None:
    months = find_months(tx)
    oldest = months[0]
    if oldest.upper > min(
        first_number(keep_from), _last_number(tx)
    ):  # the month of the last number is in use
        return None
    ended_before = datetime.combine(keep_from, time(), UTC)
    c = complaint.c
    lives = exists().where(
        c.events_after < oldest.upper, or_(c.ended_at.is_(None), c.ended_at >= ended_before)
    )
    if tx.connection.execute(select(lives)).scalar_one():
        log.info(
            "a month of the history is kept for complaints that have not ended", extra={"month": oldest.name}
        )
        return None
    if behind := find_cursors(tx, below=oldest.upper):
        names = [cursor.name for cursor in behind]
        log.info(
            "a month of the history is kept for its followers",
            extra={"month": oldest.name, "followers": names},
        )
        return None
    _run(tx, "LOCK TABLE complaint IN SHARE ROW EXCLUSIVE MODE")
    _run(tx, f"ALTER TABLE event DETACH PARTITION {oldest.name}")
    return oldest


def _last_number(tx: Transaction) -> int:
    """The last number given to an event, committed or not: it only rises."""
    last: int = tx.connection.execute(text("SELECT last_value FROM event_sequence_seq")).scalar_one()
    return last


def _run(tx: Transaction, statement: str) -> None:
    tx.connection.execute(text(statement))


def _undisturbed(tx: Transaction, change: Callable[[], Month | None]) -> Month | None:
    """`change`, on PostgreSQL, unless another process is at it or a table cannot be had at once."""
    if tx.connection.dialect.name != "postgresql":
        return None
    if not tx.connection.execute(select(func.pg_try_advisory_xact_lock(_MONTHS_LOCK))).scalar_one():
        return None
    try:
        with tx.connection.begin_nested():
            _run(tx, f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            return change()
    except OperationalError as error:
        if type(error.orig).__name__ != "LockNotAvailable":
            raise
        log.info("the history's months are left for later: others hold its tables")
        return None
