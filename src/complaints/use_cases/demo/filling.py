"""Fills an empty database with a made-up quarter, in one transaction: all of it is there afterwards, or nothing."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from complaints.domain.complaint.facts import Escalation
from complaints.domain.errors import Conflict, InvalidContent
from complaints.storage import load
from complaints.storage.database.transactions import Database, Transaction
from complaints.storage.queries.audit import count_complaints
from complaints.storage.rows import installation
from complaints.storage.rows.installation import Demo
from complaints.use_cases.complaints.identities import identity_of
from complaints.use_cases.complaints.intake import plan_first_post
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.repeats import EarlierComplaints
from complaints.use_cases.demo.arrivals import LENGTH, LOCAL, Arrival, ArrivalKind, draw_arrivals
from complaints.use_cases.demo.clock import QuarterClock, SeededIds
from complaints.use_cases.demo.course import LiveComplaint, QuarterCourse
from complaints.use_cases.demo.desk import acknowledge_later
from complaints.use_cases.demo.lives import Life
from complaints.use_cases.demo.persons import write_post
from complaints.use_cases.demo.rare import end_of_day, merge_turns, plan_rare_turns
from complaints.use_cases.demo.scene import Scene
from complaints.use_cases.demo.staff import DemoStaff, write_staff
from complaints.use_cases.demo.wording import Wording
from complaints.use_cases.service import Service

MOST_COMPLAINTS = 200_000
FEWEST_COMPLAINTS = 50
MOST_SEED = 2**63 - 1
FIRST_END, LAST_END = date(1971, 1, 1), date(2199, 12, 31)
_SALT_BYTES = 16
_AT_ONCE = timedelta(minutes=15)
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class QuarterPlan:
    """The wish: a seed, the number of complaints, and the end of the quarter in UTC, to the second."""

    seed: int
    complaints: int
    until: datetime

    @property
    def begin(self) -> datetime:
        """The begin of the quarter."""
        return self.until - LENGTH


def end_of_quarter(day: date) -> datetime:
    """The end of a day of the carrier, in UTC. Raises InvalidContent for a day before the built-in policy has force."""
    if not FIRST_END <= day <= LAST_END:
        raise InvalidContent.at("/until", f"A demo ends on a day from {FIRST_END} to {LAST_END}.")
    return datetime.combine(day + timedelta(days=1), time(), LOCAL).astimezone(UTC)


def fill_quarter(service: Service, plan: QuarterPlan, progress: Progress = lambda count: None) -> None:
    """Fill the database with the quarter. `progress` gets the number of complaints received so far.

    Equal plans give equal complaints with equal ids. Raises Conflict if the database has complaints, and
    InvalidContent for a plan that cannot be.
    """
    check_plan(plan, service.read(lambda tx: tx.now))
    clock = QuarterClock(plan.begin)
    salts = Random(f"salts of {plan.seed}")
    database = Database(
        service.database.engine, lambda connection: clock.now, new_salt=lambda: salts.randbytes(_SALT_BYTES)
    )
    ids = SeededIds(clock, Random(f"ids of {plan.seed}"))
    made = replace(service, database=database, new_id=ids)
    made.write(lambda tx: _Filling(made, tx, plan, clock).fill(progress))


def check_plan(plan: QuarterPlan, now: datetime) -> None:
    """Raise InvalidContent for a plan that cannot be; `now` is in UTC."""
    if not FEWEST_COMPLAINTS <= plan.complaints <= MOST_COMPLAINTS:
        raise InvalidContent.at(
            "/complaints", f"A demo has {FEWEST_COMPLAINTS} to {MOST_COMPLAINTS} complaints."
        )
    if plan.seed > MOST_SEED:
        raise InvalidContent.at("/seed", f"A seed is at most {MOST_SEED}.")
    if plan.until > now:
        raise InvalidContent.at("/until", "The quarter cannot end in the future.")


class _Filling:
    def __init__(self, service: Service, tx: Transaction, plan: QuarterPlan, clock: QuarterClock) -> None:
        self._service, self._tx, self._plan = service, tx, plan
        self._random = Random(f"quarter of {plan.seed}")
        self._course = QuarterCourse(service, tx, clock, self._hear)
        self._last: LiveComplaint | None = None
        self._lives: dict[Arrival, LiveComplaint] = {}
        self._of_customer: dict[int, list[LiveComplaint]] = defaultdict(list)

    def fill(self, progress: Progress) -> None:
        self._claim()
        write_staff(self._service, self._tx, self._plan.until)
        self._scene = Scene(
            self._service,
            self._course,
            DemoStaff(self._service.configuration(self._tx)),
            Wording(self._random),
            self._random,
        )
        arrivals = draw_arrivals(self._random, self._plan.complaints, self._plan.until)
        for number, arrival in zip(load.take_numbers(self._tx, len(arrivals)), arrivals, strict=True):
            self._await(number, arrival)
        for _ in self._course.run(self._plan.until):
            progress(len(self._lives))

    def _claim(self) -> None:
        """Mark the database. Raises Conflict if it is in use."""
        if count_complaints(self._tx):
            raise Conflict(
                "The database has complaints already: a demo needs an empty one. "
                "数据库中已有投诉：演示数据只能写入空数据库。"
            )
        installation.mark_demo(self._tx, Demo(self._plan.seed, self._plan.until))

    def _await(self, number: int, arrival: Arrival) -> None:
        self._course.schedule(arrival.at, lambda tx: self._receive(tx, number, arrival))

    def _receive(self, tx: Transaction, number: int, arrival: Arrival) -> None:
        request = write_post(self._scene, arrival, number)
        earlier = self._list_earlier(tx, request, self._of_customer[arrival.customer])
        planned = plan_first_post(self._service, tx, request, number, earlier)
        live = self._lives[arrival] = self._course.begin(planned)
        self._of_customer[arrival.customer].append(live)
        life = Life(self._scene, live, arrival)
        first = self._lives.get(arrival.first) if arrival.first else None
        if first is not None:
            is_staged = arrival.kind is ArrivalKind.STAGED
            at = tx.now + _AT_ONCE if is_staged else end_of_day(self._scene, tx.now)
            life.go_on(merge_turns(self._scene, life, live, first, at))
        elif arrival.stage is not None:
            life.go_on(life.turns_to(arrival.stage))
        else:
            life.go_on(life.turns())
        plan_rare_turns(self._scene, live, arrival, request, self._last)
        self._last = live

    def _list_earlier(
        self, tx: Transaction, request: IntakeRequest, lives: Sequence[LiveComplaint]
    ) -> EarlierComplaints:
        policy = self._service.configuration(tx).policy_at(tx.now)
        identity = identity_of(request.command.complainant, policy)
        known = (live.complaint for live in lives if live.complaint.merged_into is None)
        return EarlierComplaints((identity, complaint) for complaint in known)

    def _hear(self, live: LiveComplaint, taken: Escalation) -> None:
        acknowledge_later(self._scene, live, taken)
