"""The made-up quarter of a carrier: believable, clean, the same for the same seed, and alive afterwards."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import select, update

from complaints.domain.complaint.identity import identify
from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.figures.answers import FigureRequest
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import OPEN_STATUSES, AccessRole, ContactOutcome, DeadlineKind, Status
from complaints.storage.rows import all_tables
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import deadline
from complaints.storage.rows.escalation import escalation
from complaints.storage.rows.event import event
from complaints.storage.rows.installation import find_demo, installation
from complaints.storage.rows.person import person
from complaints.use_cases.demo.arrivals import LENGTH, LOCAL, ArrivalKind, draw_arrivals
from complaints.use_cases.demo.clock import QuarterClock, SeededIds
from complaints.use_cases.demo.filling import QuarterPlan, end_of_quarter, fill_quarter
from complaints.use_cases.demo.persons import phone_of
from complaints.use_cases.figures.answering import answer_figure
from complaints.use_cases.figures.keeping import keep_facts
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.configuration_checks import check_configuration
from tests.support import START, Scenario, check_all, opened_service

PLAN = QuarterPlan(seed=5, complaints=60, until=START)
SECRET = bytes(range(32))
# The feed numbers its events by the months of PostgreSQL. The other tables were there before the demo.
_NOT_MADE = {"api_key", "audit_event", "event_month", "reindexing", "reference_version"}
_NUMBERS = {"sequence", "events_after"}


def fill(service: Service, plan: QuarterPlan = PLAN) -> None:
    """Fill a database whose installation has the same secret as every other one of these tests."""
    service.write(lambda tx: tx.connection.execute(update(installation).values(secret=SECRET)))
    service.cache.expire()
    fill_quarter(service, plan)


def rows(service: Service, *columns: Any) -> list[Any]:
    return service.read(lambda tx: list(tx.connection.execute(select(*columns))))


NewFile = Callable[[str], str]


@pytest.fixture(scope="module")
def new_file(migrated_template: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> NewFile:
    """Makes databases on SQLite, as every test has one. Returns the URL."""
    directory = tmp_path_factory.mktemp("demo")

    def make(name: str) -> str:
        path = directory / f"{name}.db"
        copyfile(migrated_template("sqlite").removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture(scope="module")
def quarter(new_file: NewFile) -> Iterator[Service]:
    """A quarter of 400 complaints on SQLite, for tests that read."""
    with opened_service(new_file("quarter")) as service:
        fill(service, replace(PLAN, complaints=400))
        yield service


def test_everything_holds_and_goes_on_afterwards(service: Service) -> None:
    """On both engines: the quarter is clean, all states are there, and what is open goes on with the real rules."""
    fill(service)
    assert [*check_all(service), *check_configuration(service)] == []
    found = Counter(row.status for row in rows(service, complaint.c.status))
    assert set(found) == set(Status)
    assert found.total() == PLAN.complaints
    assert service.read(find_demo) == (PLAN.seed, PLAN.until)
    after = Scenario(service).advance(days=40)
    assert after.complaints > 10
    assert after.escalations > 10
    assert after.parked == 0
    assert list(check_all(service)) == []


def test_a_database_with_a_complaint_is_refused_and_stays_as_it_was(scenario: Scenario) -> None:
    scenario.post()
    before = _all_rows(scenario.service)
    with pytest.raises(Conflict, match=r"needs an empty one.*数据库"):
        fill_quarter(scenario.service, PLAN)
    assert _all_rows(scenario.service) == before


@pytest.mark.parametrize(
    ("plan", "pointer"),
    [
        (replace(PLAN, complaints=49), "/complaints"),
        (replace(PLAN, complaints=200_001), "/complaints"),
        (replace(PLAN, until=START + timedelta(seconds=1)), "/until"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(scenario: Scenario, plan: QuarterPlan, pointer: str) -> None:
    with pytest.raises(InvalidContent) as refusal:
        fill_quarter(scenario.service, plan)
    assert [fault.pointer for fault in refusal.value.faults] == [pointer]
    assert scenario.service.read(find_demo) is None


def test_a_failure_leaves_nothing(scenario: Scenario) -> None:
    before = _all_rows(scenario.service)

    def fail(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_quarter(scenario.service, PLAN, fail)
    assert _all_rows(scenario.service) == before


@pytest.fixture(scope="module")
def rows_by_seed(new_file: NewFile) -> dict[int, dict[str, list[str]]]:
    """The rows of the plan with its own seed and with another one, on SQLite."""
    made = {}
    for seed in (PLAN.seed, PLAN.seed + 1):
        with opened_service(new_file(f"seed-{seed}")) as other:
            fill(other, replace(PLAN, seed=seed))
            made[seed] = _all_rows(other)
    return made


def test_equal_seeds_make_equal_rows(service: Service, rows_by_seed: dict[int, dict[str, list[str]]]) -> None:
    """A run on each engine and one more on SQLite: every row is the same, and another seed makes others."""
    fill(service)
    again, others = rows_by_seed.values()
    assert _all_rows(service) == again
    assert all(others[table] != again[table] for table in ("complaint", "event", "party"))


def _all_rows(service: Service) -> dict[str, list[str]]:
    """The rows of all tables, in an order that every database has."""
    found = {}
    for table in all_tables.metadata.sorted_tables:
        if table.name in _NOT_MADE:
            continue
        columns = [
            column for column in table.columns if column.name not in _NUMBERS or table.name == "complaint"
        ]
        kept = [column for column in columns if column.name != "events_after"]
        found[table.name] = sorted(map(repr, rows(service, *kept))) if kept else []
    found["feed"] = [
        str(row) for row in service.read(
            lambda tx: tx.connection.execute(select(event.c.id).order_by(event.c.sequence)).scalars().all()
        )
    ]  # fmt: skip
    return found


# A believable quarter ------------------------------------------------------------------------------------------------


def test_the_history_is_in_order_of_time(quarter: Service) -> None:
    times = quarter.read(
        lambda tx: tx.connection.execute(select(event.c.at).order_by(event.c.sequence)).scalars().all()
    )
    assert list(times) == sorted(times)
    assert times[0] >= START - LENGTH
    assert times[-1] <= START


def test_the_rates_are_those_of_a_good_house_with_weak_points(quarter: Service) -> None:
    d, c = deadline.c, complaint.c
    found = quarter.read(
        lambda tx: tx.connection.execute(
            select(d.kind, d.met_at, d.due_at, c.category, c.status)
            .join(complaint, c.id == d.complaint_id)
            .where(d.due_at < START, c.status.not_in([Status.MERGED, Status.WITHDRAWN]))
        ).all()
    )

    def rate(kind: DeadlineKind, *categories: str) -> float:
        own = [row for row in found if row.kind == kind and (not categories or row.category in categories)]
        assert len(own) > 10
        return sum(row.met_at is not None and row.met_at <= row.due_at for row in own) / len(own)

    assert 0.85 < rate(DeadlineKind.FIRST_RESPONSE) < 0.97
    assert 0.75 < rate(DeadlineKind.RESOLUTION) < 0.93
    assert rate(DeadlineKind.RESOLUTION, "billing.refund") < rate(DeadlineKind.RESOLUTION) - 0.05
    outcomes = Counter(row.contact_outcome for row in rows(quarter, c.contact_outcome))
    assert outcomes[ContactOutcome.SOLVED] > 120
    scores = [row.csat for row in rows(quarter, c.csat) if row.csat]
    assert 0.65 < sum(score >= 4 for score in scores) / len(scores) < 0.9


def test_most_first_owners_keep_in_touch(quarter: Service) -> None:
    while keep_facts(quarter):
        pass
    request = FigureRequest(
        "first_responsibility_breaches", (START - LENGTH).date(), START.date() + timedelta(days=1)
    )
    figure = quarter.read(
        lambda tx: answer_figure(tx, request, configuration=quarter.configuration(tx), scope=ALL_COMPLAINTS)
    )
    silent, handed_over = figure.total.numerator, figure.total.parts["handed_over"]
    assert handed_over is not None
    assert 0.2 < silent / handed_over < 0.6


def test_everything_that_happens_to_complaints_happens(quarter: Service) -> None:
    types = Counter(row.type for row in rows(quarter, event.c.type))
    for expected in (
        "complaint.assigned", "complaint.responded", "complaint.held", "complaint.resumed", "complaint.resolved",
        "complaint.result_notified", "complaint.contact_recorded", "complaint.reopened", "complaint.closed",
        "complaint.rejected", "complaint.withdrawn", "complaint.merged", "complaint.linked", "complaint.note_added",
        "complaint.escalated", "complaint.contact_repeated", "complaint.updated", "escalation.acknowledged",
        "promise.made", "promise.kept", "deadline.breached", "deadline.warning", "follow_up.due",
    ):  # fmt: skip
        assert types[expected] > 0, expected
    d = deadline.c
    promises = Counter(
        row.met_at <= row.due_at for row in rows(quarter, d.kind, d.met_at, d.due_at)
        if row.kind == DeadlineKind.PROMISE and row.met_at
    )  # fmt: skip
    assert promises[True] > promises[False] > 0
    waiting = [
        row for row in rows(quarter, escalation.c.level, escalation.c.acknowledged_at) if row.level > 0
    ]
    assert 0 < sum(row.acknowledged_at is None for row in waiting) < len(waiting)
    assert max(row.cycle for row in rows(quarter, complaint.c.cycle)) > 1


def test_the_house_has_three_departments_and_forty_people(quarter: Service) -> None:
    directory = quarter.read(quarter.configuration).directory
    below = [one for one in directory.departments.values() if one.parent]
    people = [user for user in directory.users.values() if user.login != "admin"]
    assert (len(below), len(people)) == (3, 40)
    assert all(department.head for department in directory.departments.values())
    assert all(team.lead for team in directory.teams.values())
    roles = Counter(role for user in people for role in user.roles or ())
    assert set(roles) == set(AccessRole) - {AccessRole.INTAKE, AccessRole.ADMIN}
    assert sum(not user.available(START) for user in people) == 1
    assert directory.duty["operations"]


def test_complaints_come_as_they_do() -> None:
    """Two outages and a mistake in the bills stand out of weeks with busy mornings and quiet nights."""
    arrivals = draw_arrivals(Random(1), 10_000, START)
    assert len(arrivals) == 10_000
    assert [one.at for one in arrivals] == sorted(one.at for one in arrivals)
    assert {one.language for one in arrivals} == {"zh", "en"}
    by_hour = Counter(one.at.astimezone(LOCAL).hour for one in arrivals if one.kind is ArrivalKind.EVERYDAY)
    assert by_hour[10] > 10 * by_hour[3]
    by_day = Counter(
        one.at.astimezone(LOCAL).weekday() for one in arrivals if one.kind is ArrivalKind.EVERYDAY
    )
    assert by_day[0] > 1.5 * by_day[6]
    outages = [one for one in arrivals if one.kind is ArrivalKind.OUTAGE]
    assert Counter(one.region for one in outages) == {"CN-JS": 400, "CN-AH": 400}
    assert {one.category for one in outages} == {"network.outage"}
    first = [one.at for one in outages if one.region == "CN-JS"]
    assert max(first) - min(first) < timedelta(hours=10)
    burst = [one for one in arrivals if one.kind is ArrivalKind.BURST]
    assert {one.category for one in burst} == {"billing.wrong_charge"}
    assert max(one.at for one in burst) - min(one.at for one in burst) < timedelta(days=2)
    customers = Counter(one.customer for one in arrivals)
    assert 500 < sum(count > 1 for count in customers.values()) < 1200


def test_no_complainant_can_be_real(quarter: Service) -> None:
    """The numbers begin with 12, which is no mobile range of China, and the addresses are of a reserved domain."""
    found = rows(quarter, person.c.name, person.c.phone_e164, person.c.email, person.c.account_no)
    for row in found:
        assert row.phone_e164.startswith("+8612")
        assert row.email.endswith("@example.com")
        assert row.account_no.startswith("DEMO-")
        assert "某" in row.name or row.name.split()[1] in {"Example", "Sample", "Specimen", "Placeholder"}
    marks = identify(account_no=None, phone=phone_of(17), email=None, region="CN")
    assert marks.phone_e164 == phone_of(17) == "+8612000000017"


def test_open_complaints_have_a_future(quarter: Service) -> None:
    c = complaint.c
    found = [
        row for row in rows(quarter, c.status, c.wake_at, c.overdue_after_at) if row.status in OPEN_STATUSES
    ]
    assert all(row.wake_at is None or row.wake_at > START for row in found)
    assert (
        sum(row.overdue_after_at is not None and row.overdue_after_at < START for row in found)
        < len(found) / 4
    )


def test_ids_follow_from_clock_and_seed() -> None:
    clock = QuarterClock(START)
    made, again = ([SeededIds(clock, Random(seed))() for _ in range(1)] for seed in (1, 1))
    assert made == again
    ids = SeededIds(clock, Random(2))
    several = [ids() for _ in range(5000)]
    clock.now += timedelta(milliseconds=1)
    several.append(ids())
    assert several == sorted(several)
    assert len(set(several)) == 5001
    assert {(one.version, one.variant) for one in several} == {(7, "specified in RFC 4122")}
    assert several[0].int >> 80 == int(START.timestamp() * 1000)


def test_a_quarter_ends_with_the_day_of_the_carrier() -> None:
    assert end_of_quarter(date(2026, 9, 30)) == datetime(2026, 9, 30, 16, 0, tzinfo=UTC)
    for far in (date.min, date.max):
        with pytest.raises(InvalidContent):
            end_of_quarter(far)
