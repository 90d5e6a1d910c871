"""The months of the history. On PostgreSQL, `event` is partitioned by month; on SQLite these functions do nothing.

A partition is a range of `sequence`. A new month begins when the numbers jump to the start of its range: numbers
of November 2026 go on from 202611 × 10^10. So the clock decides only when a month begins; no single event depends
on it. Until the next month is made and turned to, numbers go on in the range of the last one, and they never go
back. The first partition also holds all events from the time before the table was partitioned.
"""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.exc import OperationalError

from complaints.storage.database.transactions import Transaction, waited_in_vain
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.event import FEED_LOCK
from complaints.storage.rows.follower import find_cursors
from complaints.storage.rows.subject import subject

log = logging.getLogger(__name__)

# Enough for 3,800 events a second. Even numbers of the year 9000 stay below 2^53, the limit of many JSON readers.
NUMBERS_A_MONTH = 10**10
_MONTHS_LOCK = 0x6D6F6E74  # any number that no other lock uses
_LOCK_OWNERS = "LOCK TABLE complaint, subject IN SHARE ROW EXCLUSIVE MODE"
_LOCK_TIMEOUT = "500ms"  # while this process waits for a table, all other users of the table wait too
_BOUNDS = re.compile(r"FOR VALUES FROM \('?(\w+)'?\) TO \('?(\w+)'?\)")
_PARTITIONS = text("""
    SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'event'::regclass
""")


@dataclass(frozen=True, slots=True)
class Month:
    """A partition: the events with numbers from `lower` (None: from the first event) to below `upper`."""

    name: str
    lower: int | None
    upper: int

    @property
    def first(self) -> int:
        """First number of this partition's own month.

        Lower numbers belong to earlier months for which no partition was created.
        """
        year, month = divmod(self.upper // NUMBERS_A_MONTH, 100)
        return first_number(month_after(date(year, month, 1), -1))


def first_number(month: date) -> int:
    """The number after which the numbers of a month come."""
    return (month.year * 100 + month.month) * NUMBERS_A_MONTH


def month_after(day: date, months: int = 1) -> date:
    """The first day of the month that is `months` after the month of `day`. A negative count goes back."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def end_of_month(number: int, months: int) -> int:
    """The upper bound, excluded, of the numbers of the month that is `months` after the month of `number`."""
    year, month = divmod(number // NUMBERS_A_MONTH, 100)
    if year == 0:  # a number given before the table had months
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
    """The lower bound of the numbers that the history still has; 0 if no month was detached."""
    months = find_months(tx)
    return (months[0].lower or 0) if months else 0


def make_month(tx: Transaction, day: date) -> Month | None:
    """Make the partition of the month of `day`. Returns None if it exists, or if the tables are busy now.

    It begins at the end of the last partition, even if months between them have none.
    """
    return _try_alone(tx, lambda: _make(tx, day))


def _make(tx: Transaction, day: date) -> Month | None:
    last = find_months(tx)[-1]
    if last.upper > first_number(day):
        return None
    made = Month(f"event_{day:%Y_%m}", last.upper, first_number(month_after(day)))
    # The new table copies the indexes and the unique key of the last one; attaching adds the foreign key.
    # `CREATE TABLE … PARTITION OF` would lock readers out of the whole history.
    _run(tx, _LOCK_OWNERS)  # writers of events take a lock on one of these tables first
    _run(tx, f"CREATE TABLE {made.name} (LIKE {last.name} INCLUDING ALL)")
    bounds = f"FROM ({made.lower}) TO ({made.upper})"
    _run(tx, f"ALTER TABLE event ATTACH PARTITION {made.name} FOR VALUES {bounds}")
    return made


def turn_month(tx: Transaction) -> bool:
    """Let the numbers jump to the last month made. Returns False if they are there already.

    The month must be committed: a rollback does not take numbers back. Meanwhile nobody numbers events, so no
    running statement can get a number of a month that it does not know.
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
    """Detach the oldest month if it lies before `keep_from`, the first day of a month. Returns None if it stays.

    Every complaint and other subject that began in this month or before must have ended before `keep_from`. So an
    open one keeps its whole history. No follower's cursor may lie in this month or before it. The detached month
    stays in the database as a table outside the history.
    """
    return _try_alone(tx, lambda: _detach(tx, keep_from))


def _detach(tx: Transaction, keep_from: date) -> Month | None:
    months = find_months(tx)
    oldest = months[0]
    # The month of the last number is in use.
    if oldest.upper > min(first_number(keep_from), _last_number(tx)):
        return None
    ended_before = datetime.combine(keep_from, time(), UTC)
    is_needed = or_(
        *(
            exists().where(
                table.c.events_after < oldest.upper,
                or_(table.c.ended_at.is_(None), table.c.ended_at >= ended_before),
            )
            for table in (complaint, subject)
        )
    )
    if tx.connection.execute(select(is_needed)).scalar_one():
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
    _run(tx, _LOCK_OWNERS)
    _run(tx, f"ALTER TABLE event DETACH PARTITION {oldest.name}")
    return oldest


def _last_number(tx: Transaction) -> int:
    """The last number given to an event, committed or not. It only rises."""
    last: int = tx.connection.execute(text("SELECT last_value FROM event_sequence_seq")).scalar_one()
    return last


def _run(tx: Transaction, statement: str) -> None:
    tx.connection.execute(text(statement))


def _try_alone(tx: Transaction, change: Callable[[], Month | None]) -> Month | None:
    """Run `change` on PostgreSQL. Returns None if another process changes months, or if a table stays locked."""
    if tx.connection.dialect.name != "postgresql":
        return None
    if not tx.connection.execute(select(func.pg_try_advisory_xact_lock(_MONTHS_LOCK))).scalar_one():
        return None
    try:
        with tx.connection.begin_nested():
            _run(tx, f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            return change()
    except OperationalError as error:
        if not waited_in_vain(error):
            raise
        log.info("the history's months are left for later: others hold its tables")
        return None
