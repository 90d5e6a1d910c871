"""Simulations over stored histories: the policy in force reproduces the past; another one shows what it changes."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import ComplaintError
from complaints.domain.json_text import encode
from complaints.domain.simulation.replay import replay
from complaints.storage.queries import escalations
from complaints.storage.queries.escalations import EscalationFilter
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import Acknowledge, MakePromise, PatchComplaint, Replan
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
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
ACTING = (
    shipped_policy("working-hours").replace(
        "effective_at: 1970-01-01T00:00:00Z", "effective_at: 2026-01-08T00:00:00Z"
    )
    + "\nassignment: {operations: round_robin, customer_service: fewest_open}\n"
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
            ("reopen", {"reason": "again"}), ("escalate", {"reason": "help", "role": choose(["team_lead", "assignee"])}),
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
                {"category": choose(CATEGORIES)}, {"region": "north"}, {"complainant": {"vulnerable": choose([True, False])}},
                {"complainant": None}, {"first_owner": "an"}, {"subject": "Another"},
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


def apply(scenario: Scenario, text: str) -> None:
    scenario.service.configure(lambda tx: policies.apply_policy(scenario.service, tx, SYSTEM, text))


def prepare(scenario: Scenario, text: str, **period: date) -> simulating.Simulation:
    return scenario.service.read(lambda tx: simulating.prepare(scenario.service, tx, text, **YEAR | period))


@pytest.mark.parametrize("seed", range(examples(2)))
def test_rule_4_30_the_policies_in_force_reproduce_the_past(scenario: Scenario, seed: int) -> None:
    apply(scenario, ACTING)
    quarter = Quarter(scenario, seed)
    quarter.run(150)
    simulation = prepare(scenario, HANDBOOK)
    terms = replace(simulation.terms, choose_policy=lambda _, policy: policy)
    told, found = scenario.service.read(lambda tx: simulating._read(simulation, simulating.IdRange(), tx))
    assert len(told) == len(found) > 5
    outcomes = {}
    for one in replay(found.values(), terms).values():
        past, simulated = one.history.course(), one.course()
        outcomes[one.history.sequence] = (simulated == past, one.not_possible, one.assignments_left)
        if outcomes[one.history.sequence] != (True, [], 0):
            print(one.history.sequence, one.not_possible)
            for e in one.history.events:
                print("  ", e.number, e.type, e.at, e.actor, encode(e.data)[:300])
            for k in past.deadlines.keys() | simulated.deadlines.keys():
                if past.deadlines.get(k) != simulated.deadlines.get(k):
                    print(k, past.deadlines.get(k), simulated.deadlines.get(k), sep="\n   ")
            for k in past.steps.keys() | simulated.steps.keys():
                if past.steps.get(k) != simulated.steps.get(k):
                    print(k, past.steps.get(k), simulated.steps.get(k), sep="\n   ")
            break
    assert set(map(str, outcomes.values())) == {"(True, [], 0)"}
