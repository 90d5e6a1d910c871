"""The health of the installation as this process sees it: schema, sweeps and parked complaints."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from complaints.storage.database import migrate
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import due_complaints
from complaints.storage.rows import heartbeat
from complaints.use_cases.service import Service

ALIVE_WITHIN = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Beat:
    """The last heartbeat of a process that sweeps. `lag_seconds` is the delay of its latest escalation step."""

    node: str
    ticked_at: datetime
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class Health:
    """The health of the installation.

    `schema_current`: the database is at the newest migration. `sweeping`: the last heartbeat of some
    process is within 20 s of now. `parked` counts the parked complaints.
    """

    schema_current: bool
    sweeping: bool
    beats: tuple[Beat, ...]
    parked: int


def examine(service: Service, wall: Callable[[], datetime]) -> Health:
    """Look at the database. `wall` is the wall clock. Raises Unavailable if the database cannot be reached."""

    def look(tx: Transaction) -> Health:
        beats = tuple(Beat(**row) for row in heartbeat.find_beats(tx))
        return Health(
            schema_current=migrate.current(tx.connection) == migrate.head(),
            # A heartbeat in the future comes from a clock that was wrong then: its process may have ended since.
            sweeping=any(abs(wall() - beat.ticked_at) < ALIVE_WITHIN for beat in beats),
            beats=beats,
            parked=due_complaints.count_parked(tx),
        )

    return service.read(look)
