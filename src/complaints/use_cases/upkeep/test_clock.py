"""Use cases for the test clock of a sandbox. A move forwards makes everything happen that is due on the way."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.json_text import to_json
from complaints.domain.time.local_dates import add_months, shift_days
from complaints.domain.time.preview import parse_duration
from complaints.domain.time.zones import TimeOutOfRange
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import test_clock
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.sweep import sweep_until

LATEST_AT = datetime(2999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ClockResult:
    """The new time of the clock, and the number of things that happened on the way.

    `escalations` counts steps of level 1 and more, `reminders` steps of level 0, `resumed` holds that ended.
    """

    now: datetime
    escalations: int
    resumed: int
    reminders: int


def is_sandbox(service: Service) -> bool:
    """True if the database has a test clock. A database never gains or loses one."""
    return service.read(lambda tx: test_clock.find_sandbox_now(tx.connection) is not None)


def set_clock(service: Service, tx: Transaction, caller: Caller, target: datetime) -> ClockResult:
    """Move the clock to `target`. Raises Conflict if the clock is already later."""
    caller.require(Right.WORK)
    return _move(service, tx, test_clock.lock_sandbox(tx.connection), target)


def advance_clock(service: Service, tx: Transaction, caller: Caller, by: str) -> ClockResult:
    """Move the clock by an ISO 8601 duration. Its months and days are months and days in UTC.

    Raises InvalidContent at `/by` for a bad duration and for a time after `LATEST_AT`.
    """
    caller.require(Right.WORK)
    now = test_clock.lock_sandbox(tx.connection)
    return _move(service, tx, now, _later(now, by))


def _later(now: datetime, by: str) -> datetime:
    duration = parse_duration(by, pointer="/by")
    too_far = InvalidContent.at("/by", f"The test clock goes up to {LATEST_AT.date()}: advance it by less.")
    try:
        at = shift_days(add_months(now, duration.months, "UTC"), duration.days, "UTC")
        at += timedelta(microseconds=duration.microseconds)
    except (TimeOutOfRange, OverflowError):
        raise too_far from None
    if at > LATEST_AT:
        raise too_far
    return at


def _move(service: Service, tx: Transaction, now: datetime, target: datetime) -> ClockResult:
    if target < now:
        raise Conflict(f"The test clock only moves forwards: it stands at {to_json(now)}.")
    swept = sweep_until(service, tx, target)
    test_clock.set_sandbox_now(tx.connection, target)
    return ClockResult(target, swept.escalations, swept.resumed, swept.reminders)
