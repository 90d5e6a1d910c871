"""The clocks of the program: the one place that reads the wall clock."""

from datetime import UTC, datetime

from complaints.storage.database.transactions import Connection
from complaints.storage.rows import test_clock


def wall_clock(_connection: Connection) -> datetime:
    """The present instant, in UTC."""
    return wall_now()


def wall_now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def sandbox_clock(connection: Connection) -> datetime:
    """The instant at which the clock of a sandbox stands, in UTC."""
    now = test_clock.find_sandbox_now(connection)
    assert now is not None  # opened as a sandbox
    return now
