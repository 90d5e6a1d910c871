"""The health of the installation as this process sees it: schema, sweeps, parked complaints, and what is open."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from complaints.storage.database import migrate
from complaints.storage.database.migrate import SchemaFit as SchemaFit
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import due_complaints, due_counts
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

    `schema`: how the schema fits this program. `sweeping`: the last heartbeat of some process is within 20 s of
    now. `parked` counts the parked complaints.
    """

    schema: SchemaFit
    sweeping: bool
    beats: tuple[Beat, ...]
    parked: int

    @property
    def fits(self) -> bool:
        """True if this program runs on the schema."""
        return self.schema in (SchemaFit.CURRENT, SchemaFit.NEWER)


@dataclass(frozen=True, slots=True)
class WorkCounts:
    """The complaints that have not ended, and the overdue complaints among them, by team. Every team is there."""

    open_by_team: Mapping[str, int]
    overdue_by_team: Mapping[str, int]


def examine(service: Service, wall: Callable[[], datetime]) -> Health:
    """Look at the database. `wall` is the wall clock. Raises Unavailable if the database cannot be reached."""

    def look(tx: Transaction) -> Health:
        schema = migrate.judge_schema(tx.connection)
        if schema is SchemaFit.OLDER:  # the columns of a heartbeat may be missing
            return Health(schema, sweeping=False, beats=(), parked=0)
        beats = tuple(Beat(**row) for row in heartbeat.find_beats(tx))
        return Health(
            schema=schema,
            # A heartbeat in the future comes from a clock that was wrong then: its process may have ended since.
            sweeping=any(abs(wall() - beat.ticked_at) < ALIVE_WITHIN for beat in beats),
            beats=beats,
            parked=due_complaints.count_parked(tx),
        )

    return service.read(look)


def count_work(service: Service) -> WorkCounts:
    """Count by indexes of open and of overdue complaints: the cost grows with these, not with the whole table."""

    def count(tx: Transaction) -> WorkCounts:
        none = dict.fromkeys(service.configuration(tx).directory.teams, 0)
        overdue = dict(none)
        for one in due_counts.count_overdue(tx, [timedelta(0)]):
            overdue[one.team] += one.count
        return WorkCounts({**none, **due_counts.count_open_by_team(tx)}, overdue)

    return service.read(count)
