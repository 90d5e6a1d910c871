"""Whether the engine can do its work, as seen from this process."""

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
    """The last tick of a process that sweeps. `lag_seconds` is how late its latest step was taken."""

    node: str
    ticked_at: datetime
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class Health:
    """`schema_current`: migrations at head. `sweeping`: some process ticked within 20 s of now."""

    schema_current: bool
    sweeping: bool
    beats: tuple[Beat, ...]
    parked: int


def examine(service: Service, wall: Callable[[], datetime]) -> Health:
    """The engine's health. Raises Unavailable where the database cannot be reached."""

    def look(tx: Transaction) -> Health:
        beats = tuple(Beat(**row) for row in heartbeat.find_beats(tx))
        return Health(
            schema_current=migrate.current(tx.connection) == migrate.head(),
            # A tick that lies ahead was told by a clock that was wrong: its process may be long gone.
            sweeping=any(abs(wall() - beat.ticked_at) < ALIVE_WITHIN for beat in beats),
            beats=beats,
            parked=due_complaints.count_parked(tx),
        )

    return service.read(look)
