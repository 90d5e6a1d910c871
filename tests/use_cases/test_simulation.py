"""Simulations over stored histories: the policy in force reproduces the past; another one shows what it changes."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import ComplaintError, InvalidContent
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.simulation.comparison import FactSide, Move, SimulationFigures
from complaints.storage.queries import escalations
from complaints.storage.queries.escalations import EscalationFilter
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import Acknowledge, MakePromise, PatchComplaint, Replan
from complaints.use_cases.commands.configuration import CreateUser, PatchTeam, PatchUser
from complaints.use_cases.complaints import actions, edit, leaving, promises
from complaints.use_cases.complaints.escalations import acknowledge
from complaints.use_cases.configuration import policies, staff
from complaints.use_cases.importing.uploads import ImportRequest, check_file, start_import
from complaints.use_cases.simulation import simulating
from complaints.use_cases.upkeep.seeding import shipped_policy
from complaints.use_cases.upkeep.sweep import sweep_once
from complaints.wiring import open_import_worker
from tests.examples import examples
from tests.support import Scenario

HANDBOOK = shipped_policy("telecom-handbook")
OWN_KINDS = """deadlines:
  authority:
    starts: receipt
    met_by: [notify_result, reject]
    targets: [{channel: regulator, region: north, target: 2 calendar days}, {target: 6 calendar days}]
    pauses_on: [outage]
    pause_budget: 20 hours
    ladder:
      - {at: -1d, level: 1, notify: ["user:admin"]}
      - {at: 100%, level: 2, notify: ["team:operations"], repeat: 24h}
  evaluation:
    starts: assign
    met_by: [respond, reject]
    targets: [{priority: urgent, target: 1 elapsed hour}, {target: 9 elapsed hours}]
    ladder: [{at: 100%, level: 1, notify: [assignee], raise_priority: true}]
  hand_over:
    starts: route
    met_by: [respond, assign]
    targets: [{target: 5 elapsed hours}]
    ladder:
      - {at: 100%, level: 1, notify: [team_lead]}
      - {at: +5h, level: 2, notify: [executive], move_to_team: management}
  confirmation:
    starts: result
    met_by: [record_contact, close]
    targets: [{target: 3 calendar days}]
    ladder: [{at: 100%, level: 1, notify: [first_owner]}]
  next_response:
    starts: contact
    met_by: [respond, resume, notify_result]
    targets: [{target: 4 elapsed hours}]
    ladder: [{at: 100%, level: 1, notify: [assignee, team_lead]}]
"""


def dated(document: str, day: str) -> str:
    return re.sub("effective_at: .*", f"effective_at: {day}T00:00:00Z", document)


ACTING = (
    dated(shipped_policy("working-hours").replace("deadlines:\n", OWN_KINDS), "2026-01-08")
    + "\nassignment: {operations: round_robin, customer_service: fewest_open}\n"
)


def province(day: str, **applies_to: str) -> str:
    """A version of the policy of a province, or of some of its complaints."""
    document = HANDBOOK.replace("code: telecom-handbook", f"code: {'-'.join(applies_to.values())}")
    return dated(document, day) + f"\napplies_to: {json.dumps(applies_to)}\n"


NORTH = province("1971-01-01", region="north")
BESIDE = (
    NORTH.replace("deadlines:\n", OWN_KINDS),
    dated(NORTH, "2026-01-20").replace("48 elapsed hours", "30 elapsed hours"),
    province("2026-01-10", region="north", channel="regulator").replace("deadlines:\n", OWN_KINDS),
)
YEAR = {"from_on": date(2025, 1, 1), "to_on": date(2027, 1, 1)}
SAID = {"message": "Repaired.", "contact_channel": "phone"}
CATEGORIES = ["network.outage", "billing.refund", "service.attitude", "network", None]


class Quarter:
    """A house in which things happen at random: complaints, actions, changes of staff and policies, downtime."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.service, self.random = scenario, scenario.service, random.Random(seed)
        self.complaints: list[Complaint] = []
        self.promised: list[tuple[Complaint, Any]] = []
        for login in ("an", "bo", "cai"):
            teams = ["customer_service", "operations"]
            self._configure(CreateUser, staff.USERS.create, login=login, name=login, teams=teams)

    def _configure(self, command: Any, work: Callable[..., Any], *args: Any, **members: Any) -> None:
        made = command.model_validate(members)
        self.service.configure(lambda tx: work(self.service, tx, SYSTEM, *args, made))

    def _do(self, work: Callable[..., Any], *args: Any) -> Any:
        return self.service.write(lambda tx: work(self.service, tx, SYSTEM, *args))

    def run(self, turns: int) -> None:
        """Let so many things happen. A refusal is part of life."""
        happenings = [
            (self.post, 6), (self.act, 22), (self.patch, 4), (self.promise, 3), (self.keep, 2), (self.replan, 1),
            (self.merge, 3), (self.repeat, 4), (self.acknowledge, 3), (self.change_user, 1), (self.take_rows, 1),
        ]  # fmt: skip
        chosen = [happening for happening, weight in happenings for _ in range(weight)]
        for _ in range(turns):
            self.pass_time()
            with suppress(ComplaintError):
                self.random.choice(chosen)()
        self.scenario.advance(days=self.random.choice([1, 20, 60]))

    def pass_time(self) -> None:
        hours = self.random.choice([0.01, 0.05, 1, 5, 20, 60])
        if self.random.random() < 0.3:
            self.scenario.jump(hours=hours)
            if self.random.random() < 0.5:
                sweep_once(self.service)
        else:
            self.scenario.advance(hours=hours, seconds=self.random.randrange(1, 60))
        self.scenario.jump(seconds=1)

    def pick(self) -> Complaint:
        return self.random.choice(self.complaints[-8:] or [self.post()])

    def post(self) -> Complaint:
        choose = self.random.choice
        phone = choose(["13800138000", "13800138001", "13800138002"])
        members: dict[str, Any] = {
            "category": choose(CATEGORIES),
            "severity": choose(["low", "normal", "high"]),
            "channel": choose(["phone", "regulator", "web"]),
            "region": choose([None, "north"]),
            "complainant": {"phone": phone, "vulnerable": choose([True, False, False])},
            "received_at": (self.scenario.now() - timedelta(hours=choose([0, 0, 0, 3, 30]))).isoformat(),
        }
        if choose([True, False, False]):
            members["priority"] = choose(["urgent", "high", "low"])
        if choose([True, False]):
            members["external_id"] = f"X-{len(self.complaints)}"
        self.complaints.append(self.scenario.post(**members))
        return self.complaints[-1]

    def act(self) -> None:
        choose = self.random.choice
        until = self.scenario.now() + timedelta(hours=choose([2, 30, 100]))
        resolved = {"resolution": "Done", "outcome": choose(["upheld", "not_upheld"]), "cause": "technical"}
        possible: list[tuple[str, dict[str, Any]]] = [
            ("assign", {"assignee": choose(["an", "bo"])}), ("assign", {"team": choose(["operations", "management"])}),
            ("assign", {"assignee": None}), ("respond", SAID), ("respond", SAID),
            ("hold", {"reason": choose(["awaiting_complainant", "outage"]), "until": until.isoformat()}),
            ("hold", {"reason": "awaiting_complainant", "until": until.isoformat()}),
            ("resume", {}), ("resolve", resolved | {"root_cause": choose([None, "fibre"])}), ("resolve", resolved),
            ("notify_result", SAID), ("notify_result", SAID), ("notify_result", SAID),
            ("record_contact", {"outcome": choose(["solved", "unreachable", "not_solved"])}),
            ("record_contact", {"outcome": "unreachable"}), ("record_contact", {"outcome": "solved", "csat": 4}),
            ("reopen", {"reason": "again"}),
            ("escalate", {"reason": "help", "role": choose(["team_lead", "assignee"])}),
            ("close", {"root_cause": "fibre"}), ("close", {"root_cause": "fibre", "early": True, **SAID}),
            ("reject", {"reason": "not_ours", **SAID}), ("withdraw", {"reason": "they say so"}),
        ]  # fmt: skip
        action, members = choose(possible)
        self.scenario.act(
            self.pick(), action, **{k: v for k, v in members.items() if v is not None or k == "assignee"}
        )

    def patch(self) -> None:
        choose = self.random.choice
        members = choose(
            [
                {"priority": choose(["urgent", "low"])}, {"priority": None}, {"severity": choose(["critical", "low"])},
                {"category": choose(CATEGORIES)}, {"region": "north"}, {"complainant": None},
                {"complainant": {"vulnerable": choose([True, False])}}, {"first_owner": "an"}, {"subject": "Another"},
            ]
        )  # fmt: skip
        self._do(edit.patch, str(self.pick().id), PatchComplaint.model_validate(members), None)

    def promise(self) -> None:
        complaint, due_at = self.pick(), self.scenario.now() + timedelta(hours=self.random.choice([1, 30]))
        command = MakePromise.model_validate({"text": "A visit", "due_at": due_at.isoformat()})
        deadline, _ = self._do(promises.make_promise, str(complaint.id), command)
        self.promised.append((complaint, deadline.id))

    def keep(self) -> None:
        if self.promised:
            complaint, promise_id = self.random.choice(self.promised)
            self._do(promises.keep_promise, str(complaint.id), promise_id)

    def replan(self) -> None:
        versions = self.service.read(lambda tx: [*self.service.configuration(tx).policies])
        code, version = self.random.choice(versions)
        command = Replan.model_validate({"policy": {"code": code, "version": version}})
        self._do(actions.replan, str(self.pick().id), command, None)

    def merge(self) -> None:
        one, other = self.pick(), self.pick()
        self.scenario.act(one, "merge", into=str(other.id))
        if self.random.random() < 0.5:
            self.scenario.advance(minutes=self.random.choice([1, 30]))
            self.scenario.act(one, "unmerge")

    def repeat(self) -> None:
        complaint = self.pick()
        if complaint.external_id is not None:
            self.scenario.post(
                external_id=complaint.external_id, subject=f"Again {self.random.random()}",
                category="network.outage",
            )  # fmt: skip

    def acknowledge(self) -> None:
        wanted = EscalationFilter(acknowledged=False, settled=False)
        found = self.service.read(
            lambda tx: escalations.list_escalations(tx, wanted, scope=ALL_COMPLAINTS, before=None, limit=20)
        )
        if found:
            self._do(acknowledge, self.random.choice(found)["id"], Acknowledge())

    def change_user(self) -> None:
        login, now = self.random.choice(["bo", "cai", "admin"]), self.scenario.now()
        absent = {"absent_from": now.isoformat(), "absent_until": (now + timedelta(days=2)).isoformat()}
        if login == "cai":
            absent = {"active": False, "successor": "an"}
        self._configure(PatchUser, leaving.change_user, login, **absent)
        if login == "cai":
            leaving.hand_over_all(self.service, login)

    def take_rows(self) -> None:
        now = self.scenario.now()
        rows = [f"{now - timedelta(hours=h)},No signal {h},received,,\n" for h in (1, 40)]
        rows.append(f"{now - timedelta(days=9)},Old,closed,{now - timedelta(days=3)},upheld\n")
        content = "received_at,subject,status,closed_at,outcome\n" + "".join(rows)
        request = ImportRequest(content.encode(), "text/csv", None, (("set.channel", "phone"),))
        checked = check_file(SYSTEM, request)
        job = self.service.write(lambda tx: start_import(self.service, tx, SYSTEM, checked))
        assert open_import_worker(self.service).work_on(job.id)


def apply(scenario: Scenario, document: str) -> None:
    scenario.service.configure(lambda tx: policies.apply_policy(scenario.service, tx, SYSTEM, document))


def prepare(scenario: Scenario, document: str, **period: date) -> simulating.Simulation:
    return scenario.service.read(
        lambda tx: simulating.prepare(scenario.service, tx, document, **YEAR | period)
    )


@pytest.mark.parametrize("seed", range(examples(1)))
def test_rule_4_20_the_policies_in_force_reproduce_the_past(scenario: Scenario, seed: int) -> None:
    quarter = Quarter(scenario, seed)
    for document in (ACTING, *BESIDE):
        apply(scenario, document)
    quarter.run(80)
    simulation = prepare(scenario, HANDBOOK)
    terms = replace(simulation.terms, choose_policy=lambda _, policy: policy)
    [done] = simulating.simulate(scenario.service, replace(simulation, terms=terms), with_rows=True)
    figures, rows = done.figures, [json.loads(line) for line in done.rows.splitlines()]
    assert figures.complaints > 3
    assert {
        side for counted in (figures.breaches, figures.escalations, figures.persons) for _, side in counted
    } == {FactSide.BOTH}
    assert {move for _, move in figures.due_times} == {Move.EQUAL}
    assert [row["past"] for row in rows] == [row["simulated"] for row in rows]
    assert (figures.not_possible, figures.assignments_left, figures.left_out) == ({}, 0, {})


# Another policy ----------------------------------------------------------------------------------------------------

STRICTER = HANDBOOK.replace("target: 24 elapsed hours", "target: 12 elapsed hours").replace(
    "low: [1 calendar month]", "low: [4 calendar months]"
)


@pytest.fixture
def past(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """Four complaints and one of another period. One was answered after 18 hours, one was closed, one came late."""
    monkeypatch.setattr(simulating, "BATCH", 2)
    scenario.post(received_at="2025-12-31T15:59:59Z")  # the last second of the year in Shanghai
    answered, closed, _, silent = (scenario.post(priority="low", category="network.outage") for _ in range(4))
    scenario.advance(hours=18)
    scenario.act(answered, "respond", **SAID)
    for action, members in (
        ("resolve", {"resolution": "Done", "outcome": "not_upheld", "cause": "technical"}),
        ("notify_result", SAID),
    ):
        scenario.act(closed, action, **members)
    scenario.act(silent, "withdraw", reason="A mistake")
    scenario.advance(days=31)
    scenario.act(closed, "record_contact", outcome="solved")
    scenario.advance(hours=1)
    scenario.act(closed, "close")
    return scenario


def run(
    scenario: Scenario, document: str, *, processes: int = 1, **period: date
) -> tuple[SimulationFigures, list[Any]]:
    simulation, total, rows = prepare(scenario, document, **period), SimulationFigures(), b""
    for done in simulating.simulate(scenario.service, simulation, processes=processes, with_rows=True):
        total.add(done.figures)
        rows += done.rows
    return total, [json.loads(line) for line in rows.splitlines()]


def test_rule_4_21_another_policy_shows_what_it_changes(past: Scenario) -> None:
    before = counted_rows(past)
    figures, rows = run(past, STRICTER, from_on=date(2026, 1, 1))
    assert run(past, STRICTER, from_on=date(2026, 1, 1), processes=2) == (figures, rows)
    assert counted_rows(past) == before
    tables = figures.tables()
    assert tables["complaints"]["all"] == {"simulated": 4, "left_out": 0}
    # In the past one complaint was not answered within 24 hours; within 12 hours, none of the four was.
    assert tables["breaches"]["first_response"] == {
        "past": 1, "simulated": 4, "difference": 3, "no_longer": 0, "new": 3,
    }  # fmt: skip
    assert figures.due_times["first_response", Move.EARLIER] == 4
    assert figures.median_shift_seconds("first_response") == -12 * 3600
    assert figures.due_times["resolution", Move.EQUAL] == 4
    # Everybody who was late by the stricter policy is escalated to the team lead: at 12 hours.
    assert figures.escalations[1, FactSide.SIMULATED] == 3
    assert figures.persons["admin", FactSide.SIMULATED] > 0
    # After four months, the follow-up is not made yet, so nobody could close the complaint.
    assert figures.not_possible == {"close": 1}
    [refused] = [row for row in rows if row["fact"] == "not_possible"]
    assert (refused["action"], refused["actor"]) == ("close", "key:system")
    assert "follow-up" in refused["reason"]


def sooner(document: str) -> str:
    return document.replace("target: 24 elapsed hours", "target: 12 elapsed hours")


CHANGED_DOCUMENTS = [
    (sooner(HANDBOOK), {"south", "to the north", "to the south"}, 3),
    (sooner(NORTH), {"north", "to the north", "to the south"}, 3),
    (sooner(BESIDE[2]), {"regulator"}, 4),
    (sooner(province("2026-01-01", region="north", category="network")), {"to the south"}, 4),
]


def test_rule_4_21_only_complaints_that_would_get_the_policy_are_changed(
    scenario: Scenario, subtests: pytest.Subtests
) -> None:
    """A complaint that a user moved keeps that policy, or gets the document if it stands for that policy."""
    for one in BESIDE:
        apply(scenario, one)
    scenario.advance(days=20)
    posted = {
        "north": scenario.post(region="north"),
        "regulator": scenario.post(region="north", channel="regulator"),
        "south": scenario.post(region="south"),
        "to the north": scenario.post(region="south"),
        "to the south": scenario.post(region="north", category="network.outage"),
    }
    scenario.advance(hours=20)
    for name, code in (("to the south", "telecom-handbook"), ("to the north", "north")):
        command = Replan.model_validate({"policy": {"code": code, "version": 1}})
        reference = str(posted[name].id)
        scenario.service.write(
            lambda tx, i=reference, to=command: actions.replan(scenario.service, tx, SYSTEM, i, to, None)
        )
    scenario.advance(days=3)
    names = {number_of(one.sequence): name for name, one in posted.items()}
    for document, shifted, kept in CHANGED_DOCUMENTS:
        with subtests.test(", ".join(sorted(shifted))):
            figures, rows = run(scenario, document)
            first = [row for row in rows if row["fact"] == "deadline" and row["kind"] == "first_response"]
            sooner_due = {names[row["complaint"]] for row in first if row["due"] == Move.EARLIER}
            assert (sooner_due, figures.kept) == (shifted, kept)


def test_rule_4_21_each_number_has_its_facts(past: Scenario) -> None:
    figures, rows = run(past, STRICTER, from_on=date(2026, 1, 1))
    deadlines = [row for row in rows if row["fact"] == "deadline"]
    steps = [row for row in rows if row["fact"] == "escalation"]
    assert Counter((row["kind"], row["breach"]) for row in deadlines if row["breach"]) == figures.breaches
    moved = {pair: n for pair, n in figures.due_times.items() if pair[1] is not Move.EQUAL}
    assert Counter((row["kind"], row["due"]) for row in deadlines if row["due"] != "equal") == moved
    for side in (FactSide.PAST, FactSide.SIMULATED):
        levels = Counter(row[side]["level"] for row in steps if row[side])
        assert levels == {
            level: figures.escalations[level, side] + figures.escalations[level, FactSide.BOTH]
            for level in levels
        }
        persons = Counter(login for row in steps if row[side] for login in row[side]["recipients"])
        assert persons == {
            login: figures.persons[login, side] + figures.persons[login, FactSide.BOTH] for login in persons
        }


def counted_rows(scenario: Scenario) -> list[int]:
    tables = ("event", "complaint", "deadline", "escalation", "policy", "audit_event")
    statement = ", ".join(f"(SELECT count(*) FROM {name})" for name in tables)
    return scenario.service.read(lambda tx: [*tx.connection.execute(text(f"SELECT {statement}")).one()])


def test_rule_4_21_own_kinds_of_the_document_are_simulated(past: Scenario) -> None:
    """One was answered after 18 hours, so only its hand-over was met. The withdrawn one had no time to be late."""
    figures, _ = run(past, HANDBOOK.replace("deadlines:\n", OWN_KINDS), from_on=date(2026, 1, 1))
    assert figures.due_times["authority", Move.ONLY_SIMULATED] == 4
    assert figures.breaches["authority", FactSide.SIMULATED] == 2
    assert figures.due_times["confirmation", Move.ONLY_SIMULATED] == 1
    assert figures.breaches["confirmation", FactSide.SIMULATED] == 1


def test_rule_4_22_steps_go_to_the_staff_of_that_time(scenario: Scenario) -> None:
    Quarter(scenario, 0)  # makes users
    scenario.post(category="network.outage")
    scenario.advance(days=10)
    lead = PatchTeam.model_validate({"lead": "bo"})
    scenario.service.configure(
        lambda tx: staff.TEAMS.change(scenario.service, tx, SYSTEM, "operations", lead)
    )
    scenario.jump(seconds=1)
    scenario.post(category="network.outage")
    scenario.advance(days=10)
    figures, _ = run(scenario, HANDBOOK.replace("at: +12h", "at: +13h"))
    assert {login for login, _ in figures.persons} == {"admin", "bo"}
    assert figures.persons["bo", FactSide.BOTH] > 0
    assert all(side is FactSide.BOTH for login, side in figures.persons if login == "bo")


def test_rule_4_23_repeats_are_found_where_the_past_did_not_ask(scenario: Scenario) -> None:
    silent = HANDBOOK.replace("raised_by: [vulnerable, repeat, regulator]", "raised_by: [regulator]").replace(
        "effective_at: 1970-01-01T00:00:00Z", "effective_at: 1971-01-01T00:00:00Z"
    )
    apply(scenario, silent)
    members = {"category": "network.outage", "complainant": {"phone": "13800138000", "vulnerable": True}}
    for _ in range(2):
        scenario.post(**members)
        scenario.jump(seconds=1)
    by_priority = HANDBOOK.replace("- target: 24 elapsed hours", (
        "- {priority: urgent, target: 1 elapsed hour}\n      - {priority: high, target: 2 elapsed hours}\n"
        "      - target: 24 elapsed hours"
    ))  # fmt: skip
    figures, _ = run(scenario, by_priority)
    assert figures.shifts == {("first_response", -22 * 3600.0): 1, ("first_response", -23 * 3600.0): 1}


@pytest.mark.parametrize(
    ("document", "period", "refusal"),
    [
        ("code: x\n", {}, "line 1"),
        (HANDBOOK, {"to_on": date(2025, 1, 1)}, "The period ends after it begins."),
        (HANDBOOK, {"from_on": date(1, 1, 1)}, "A day of a simulation is from 1900-01-01"),
        (HANDBOOK, {"to_on": date(9999, 12, 31)}, "A day of a simulation is from 1900-01-01"),
    ],
)
def test_rule_4_21_what_cannot_be_simulated_is_refused(
    scenario: Scenario, document: str, period: dict[str, date], refusal: str
) -> None:
    with pytest.raises(InvalidContent) as raised:
        prepare(scenario, document, **period)
    assert any(refusal in fault.message for fault in raised.value.faults)


def test_a_history_without_its_beginning_is_left_out(past: Scenario) -> None:
    begun = "SELECT id FROM event WHERE type = 'complaint.created'"
    with past.service.database.begin() as tx:
        tx.connection.execute(text(f"DELETE FROM event WHERE id IN ({begun})"))
    figures, rows = run(past, STRICTER)
    assert (figures.complaints, figures.left_out, rows) == (0, {"history_detached": 5}, [])
