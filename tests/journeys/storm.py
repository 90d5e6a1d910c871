"""A storm: many complaints whose steps fall due within seconds, and the proof that each step was taken once.

Where the service knows the kind of the fixture annex, a fifth of the steps belong to its subjects.
"""

import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import delete, func, select

from complaints.domain.rules.deadlines import terms_of
from complaints.domain.rules.ladder import plan_steps
from complaints.storage import load
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Connection, Database, Transaction
from complaints.storage.rows.escalation import escalation
from complaints.storage.rows.test_clock import sandbox_clock
from complaints.storage.subjects import find_subjects
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints import intake
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.subject_checks import check_subjects
from complaints.wiring import new_id, wall_clock, wall_now
from tests.features.reviews.feature import KIND, ask
from tests.support import check_all, is_any_due

# Hours from receipt to a step of the built-in ladders on first response (24 h) and resolution (48 h).
STEPS_AT = (12, 19.2, 24, 36, 38.4, 48, 60, 72)
REVIEW_STEPS_AT = (12, 24, 36)  # of the ladder of a review
Step = tuple[UUID, str, datetime]  # deadline, step, planned time


def _stopped_clock(now: datetime, _connection: Connection) -> datetime:
    return now


def house_in_operation(url: str) -> Service:
    """The engine on a copy of the sandbox, which is now a house in operation: it uses the wall clock."""
    database = Database(open_engine(url), wall_clock)
    with database.begin() as tx:
        tx.connection.execute(delete(sandbox_clock))
    return Service(database, new_id)


class Storm:
    """Complaints with steps that fall due until `ends_at`, on a database that uses the wall clock."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.ends_at = wall_now()

    def raise_wave(
        self,
        count: int,
        *,
        seconds: float = 0,
        later_hours: float = 0,
        steps_at: Sequence[float] = STEPS_AT,
        with_reviews: bool = True,
    ) -> None:
        """Register complaints of long ago, without anything that their clocks would have caused since.

        One step of each complaint falls due within `seconds`, from now or from `later_hours` later. The steps before
        it are overdue. `steps_at` are hours from receipt to that step. A fifth are reviews, if `with_reviews`.
        """
        now, dice = wall_now() + timedelta(hours=later_hours), random.Random(7)
        reviews = count // 5 if with_reviews and self._has_reviews() else 0
        for number, at, register in (
            (count - reviews, steps_at, self._register),
            (reviews, REVIEW_STEPS_AT, self._ask_for_reviews),
        ):
            ages = [timedelta(hours=at[n % len(at)]) for n in range(number)]
            for age in sorted(set(ages)):
                due_at = [now + timedelta(seconds=dice.uniform(0, seconds)) for _ in range(ages.count(age))]
                register([instant - age for instant in due_at])
        self.ends_at = max(self.ends_at, now + timedelta(seconds=seconds, milliseconds=1))

    def _has_reviews(self) -> bool:
        return KIND.name in self.service.read(self.service.configuration).kinds

    def _ask_for_reviews(self, since: list[datetime]) -> None:
        """Ask for reviews in one transaction, at the time when the clock of the last began."""
        service = self._in_the_past(max(since))
        service.write(lambda tx: [ask(service, tx, SYSTEM, since=instant) for instant in since])

    def _in_the_past(self, now: datetime) -> Service:
        past = Database(self.service.database.engine, partial(_stopped_clock, now))
        return Service(past, new_id, self.service.cache)

    def _register(self, received_at: list[datetime]) -> None:
        """Register complaints in one transaction, at the time when the last was received."""
        service = self._in_the_past(max(received_at))
        commands = [
            CreateComplaint.model_validate(
                {"channel": "phone", "subject": "No signal", "received_at": instant}
            )
            for instant in received_at
        ]
        requests = [IntakeRequest(SYSTEM, command) for command in commands]
        service.write(lambda tx: intake.register(service, tx, requests))

    def await_end(self, *, patience_seconds: float = 60) -> None:
        """Wait until every step has been taken."""
        deadline = time.monotonic() + patience_seconds
        while wall_now() <= self.ends_at or self.service.read(is_any_due):
            assert time.monotonic() < deadline, "steps are left that nobody takes"
            time.sleep(0.05)

    def check(self) -> None:
        """Each planned step was taken exactly once, none before its time, and every invariant holds."""
        assert self.breaches() == []

    def breaches(self) -> list[str]:
        """The faults: steps not taken, taken twice or taken too early, and every other broken invariant."""
        with self.service.database.read() as tx:
            rows = tx.connection.execute(select(escalation)).mappings().all()
            planned = Counter(self._planned(tx))
        taken = Counter((row["deadline_id"], row["step"], row["planned_at"]) for row in rows)
        found = [f"step {step[1]} was not taken" for step in (planned - taken).elements()]
        found += [f"step {step[1]} was taken once too often" for step in (taken - planned).elements()]
        found += [f"step {r['step']} was taken early" for r in rows if r["taken_at"] < r["planned_at"]]
        violations = [*check_all(self.service), *check_subjects(self.service)]
        return found + [f"{f.number} {f.invariant}: {f.message}" for f in violations]

    def count_taken(self) -> int:
        """The number of steps that were taken."""
        with self.service.database.read() as tx:
            return tx.connection.execute(select(func.count()).select_from(escalation)).scalar_one()

    def _planned(self, tx: Transaction) -> list[Step]:
        """The steps that the policy requires until the end of the storm."""
        configuration = self.service.configuration(tx)
        found = []
        complaints = [loaded.complaint for loaded in load.find_complaints(tx)]
        for subject in (*complaints, *(loaded.subject for loaded in find_subjects(tx))):
            policy = configuration.policy_of(subject)
            for deadline in subject.deadlines:
                steps = plan_steps(deadline, terms_of(deadline, subject, policy), policy)
                found += [
                    (deadline.id, s.step.name, s.planned_at) for s in steps if s.wake_at <= self.ends_at
                ]
        return found
