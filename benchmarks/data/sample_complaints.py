"""Sample complaints in every state, made through the engine's own code: the patterns of a big data set."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from complaints.storage.database.transactions import Database, Transaction
from complaints.storage.rows import configuration
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint, Transition
from complaints.use_cases.complaints import actions, intake
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.seeding import load_seed_data
from complaints.use_cases.upkeep.sweep import sweep_until

SUBJECT, DESCRIPTION, EXTERNAL_ID = "§subject§", "§description§", "§external§"  # each copy has its own
DAYS = 40
_TEAMS = 20
_transition: TypeAdapter[Any] = TypeAdapter(Transition)
_LEAVES = [category.code for category in load_seed_data().categories if category.parent]
_ANSWERS = ("故障已修复并回访确认", "费用已退回原账户", "The line was repaired", "The charge was refunded")


@dataclass(frozen=True, slots=True)
class _Step:
    """An action on one complaint, a time `after` it was received."""

    after: timedelta
    members: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Sample:
    """A sample complaint: its receipt, its priority, its team, and the actions on it."""

    received_at: datetime
    priority: str
    team: str
    steps: tuple[_Step, ...]


class _Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now


def make_sample_complaints(
    database: Database, service: Service, *, count: int, now: datetime, random: Random
) -> None:
    """Make `count` complaints of the last `DAYS` days before `now`, in a fresh seeded database.

    Of seven complaints three have ended, two are overdue, one is followed up, and one is open and in time.
    """
    clock = _Clock(now - timedelta(days=DAYS))
    moved = Service(Database(database.engine, lambda _connection: clock.now), service.new_id)
    moved.configure(_make_teams)
    samples = [_sample(n, now, random) for n in range(count)]
    known: dict[int, UUID] = {}
    for at, n, step in sorted(_timed_steps(samples), key=lambda one: one[:2]):
        _move(moved, clock, at)
        if step is None:
            known[n] = _post(moved, samples[n], random)
        else:
            _act(moved, known[n], step.members)
    _move(moved, clock, now)


def team_code(rank: int) -> str:
    """The code of a team by its rank. The team of rank 0 has the most complaints, and each next team has fewer."""
    return f"team-{rank + 1:02d}"


def _make_teams(tx: Transaction) -> None:
    for rank in range(_TEAMS):
        row = {"code": team_code(rank), "names": {"en": f"Team {rank + 1}"}, "department": "service"}
        configuration.insert_row(tx, configuration.team, {**row, "lead": "admin", "active": True})
    configuration.raise_version(tx)


def _timed_steps(samples: list[_Sample]) -> Iterator[tuple[datetime, int, _Step | None]]:
    for n, sample in enumerate(samples):
        yield sample.received_at, n, None
        for step in sample.steps:
            yield sample.received_at + step.after, n, step


def _move(service: Service, clock: _Clock, at: datetime) -> None:
    service.write(lambda tx: sweep_until(service, tx, at))
    clock.now = at


def _post(service: Service, sample: _Sample, random: Random) -> UUID:
    members = {
        "channel": random.choice(("phone", "phone", "web", "app", "email", "social")),
        "subject": SUBJECT,
        "description": DESCRIPTION,
        "external_id": f"{EXTERNAL_ID}{service.new_id()}",
        "source": random.choice(("hotline", "hotline", "web-shop", "app")),
        "priority": sample.priority,
        "category": random.choice(_LEAVES),
        "region": random.choice(("north", "east", "south", "west")),
        "complainant": {"name": "§", "phone": "+8613800000000", "account_no": "§"},
    }
    command = CreateComplaint.model_validate(members)
    made = service.write(lambda tx: intake.register_one(service, tx, SYSTEM, command)).complaint
    _act(service, made.id, {"action": "assign", "team": sample.team})
    return made.id


def _act(service: Service, complaint_id: UUID, members: dict[str, Any]) -> None:
    command = _transition.validate_python(members)
    service.write(lambda tx: actions.transition(service, tx, SYSTEM, str(complaint_id), command, None))


# Patterns ---------------------------------------------------------------------------------------------------------


def _sample(n: int, now: datetime, random: Random) -> _Sample:
    """The pattern of sample `n`. The first samples go to the first team, so that it has every kind, however few."""
    rank = 0 if n < 28 else int(_TEAMS * random.random() ** 3)
    kind, priority = n % 7, ("urgent", "high", "normal", "low")[n // 7 % 4]
    if kind < 3:
        age, steps = timedelta(days=random.uniform(12, DAYS)), _ended(n // 7, random)
    elif kind < 5:
        age, steps = timedelta(hours=random.uniform(50, 500)), _neglected(n // 7, random)
    elif kind == 5:
        age, steps = timedelta(days=random.uniform(4, 20)), _solved(random)
    else:
        age, steps = timedelta(hours=random.uniform(0.5, 22)), []
    received_at = (now - age).replace(microsecond=0)
    return _Sample(received_at, priority, team_code(rank), tuple(steps))


def _at(hours: float, **members: Any) -> _Step:
    return _Step(timedelta(seconds=round(hours * 3600)), members)


def _respond(hours: float) -> _Step:
    return _at(hours, action="respond", message="We are on it.", contact_channel="phone")


def _solved(random: Random) -> list[_Step]:
    """Most are answered and solved within a day, before any reminder. The others are late, with escalations."""
    answered, solved, fed = (8, 20, 23) if random.random() < 0.8 else (30, 55, 70)
    answer = random.choice(_ANSWERS)
    return [
        _respond(random.uniform(0.2, answered)),
        _at(random.uniform(answered, solved), action="resolve", resolution=answer, outcome="upheld",
            cause="technical", root_cause="光缆中断 fibre cut"),
        _at(random.uniform(solved, fed), action="notify_result", message="已解决 Solved.", contact_channel="phone"),
    ]  # fmt: skip


def _ended(n: int, random: Random) -> list[_Step]:
    if n % 8 == 0:
        return [_at(random.uniform(1, 10), action="withdraw", reason="The complainant took it back.")]
    contact = _at(
        random.uniform(90, 150), action="record_contact", outcome="solved", csat=random.randint(3, 5)
    )
    early = {"early": True, "message": "确认解决 Confirmed.", "contact_channel": "phone"}
    return [*_solved(random), contact, _at(random.uniform(151, 250), action="close", **early)]


def _neglected(n: int, random: Random) -> list[_Step]:
    return [_respond(random.uniform(1, 20))] if n % 3 else []
