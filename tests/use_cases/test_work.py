"""Work and people over both databases: assignment by policy, queues, taking, loads and duty."""

from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Conflict, InvalidContent, NotFound, TransitionRefused
from complaints.domain.vocabulary import AccessRole, AssignmentMethod
from complaints.storage.queries.load_counts import count_open
from complaints.storage.queries.work_queue import claim_first
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.commands.complaints import CreateComplaint, PatchComplaint
from complaints.use_cases.commands.configuration import CreateUser, PatchUser
from complaints.use_cases.commands.work import PutDutyRota
from complaints.use_cases.complaints import edit, intake, leaving
from complaints.use_cases.complaints.intake import IntakeResult
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.configuration import keys, policies, staff
from complaints.use_cases.policy_document.document import from_document, read_policy, to_document
from complaints.use_cases.work import duty, loads, queues, taking
from tests.support import START, Scenario, check_all, count_statements

CARE, NETWORK = "customer_service", "operations"
HANDBOOK = files("complaints").joinpath("policies", "telecom-handbook.yaml").read_text(encoding="utf-8")


def assigning(scenario: Scenario, more: str) -> None:
    """Put a policy in force that is the handbook with more members."""
    text = HANDBOOK.replace("effective_at: 1970-01-01T00:00:00Z", "effective_at: 1971-01-01T00:00:00Z")
    scenario.service.configure(lambda tx: policies.apply_policy(scenario.service, tx, SYSTEM, text + more))


def add_users(scenario: Scenario, *logins: str, teams: Sequence[str] = (CARE,), **members: Any) -> None:
    for login in logins:
        command = CreateUser.model_validate({"login": login, "name": login, "teams": teams, **members})
        scenario.service.configure(
            lambda tx, command=command: staff.USERS.create(scenario.service, tx, SYSTEM, command)  # type: ignore[misc]
        )


def patch_user(scenario: Scenario, login: str, **members: Any) -> None:
    command = PatchUser.model_validate(members)
    scenario.service.configure(lambda tx: leaving.change_user(scenario.service, tx, SYSTEM, login, command))
    if command.active is False:
        leaving.hand_over_all(scenario.service, login)


def put_duty(scenario: Scenario, team: str, *shifts: tuple[str, int, int]) -> None:
    """Shifts in hours from the start."""
    written = [
        {
            "login": login,
            "on_duty_from": START + timedelta(hours=a),
            "on_duty_until": START + timedelta(hours=b),
        }
        for login, a, b in shifts
    ]
    command = PutDutyRota.model_validate({"shifts": written})
    scenario.service.configure(lambda tx: duty.put_rota(scenario.service, tx, SYSTEM, team, command))


def caller(scenario: Scenario, login: str) -> Caller:
    """The caller with a new key of this user."""
    secret = scenario.key(AccessRole.AGENT, login=login)["Authorization"].removeprefix("Bearer ")
    found = scenario.service.read(lambda tx: keys.caller_of(scenario.service, tx, secret))
    assert found is not None
    return found


def assigned(scenario: Scenario, *complaints: Complaint) -> list[str | None]:
    return [scenario.load(complaint).assignee for complaint in complaints]


@pytest.fixture(autouse=True)
def sound(scenario: Scenario) -> Any:
    yield
    assert list(check_all(scenario.service)) == []


# Assignment by policy -----------------------------------------------------------------------------------------


def test_rule_5_9_posts_take_turns(scenario: Scenario) -> None:
    add_users(scenario, "cai", "bo", "an")
    add_users(scenario, "out", absent_from=START - timedelta(days=1))
    assigning(scenario, "\nassignment: {customer_service: round_robin}\n")
    made = [scenario.post() for _ in range(4)]
    assert [one.assignee for one in made] == assigned(scenario, *made) == ["an", "bo", "cai", "an"]
    assert scenario.post(category="network.outage").assignee is None
    patch_user(scenario, "bo", absent_from=(START - timedelta(hours=1)).isoformat())
    assert scenario.post().assignee == "cai"


def test_rule_5_9_the_fewest_open_get_the_next(scenario: Scenario) -> None:
    add_users(scenario, "an", "bo")
    for _ in range(2):
        scenario.act(scenario.post(), "assign", assignee="an")
    ended = scenario.post()
    scenario.act(ended, "assign", assignee="bo")
    scenario.act(ended, "withdraw", reason="mistake")
    assigning(scenario, "\nassignment: {customer_service: fewest_open}\n")
    assert [scenario.post().assignee for _ in range(4)] == ["bo", "bo", "an", "bo"]


def test_rule_5_9_whatever_brings_a_complaint_into_the_team(scenario: Scenario) -> None:
    """An action, a new category and a step of a ladder move it; then the policy chooses."""
    add_users(scenario, "an", "bo")
    add_users(scenario, "net", teams=[NETWORK])
    moving = HANDBOOK.replace(
        "{at: 100%, level: 1, notify: [team_lead]}",
        "{at: 100%, level: 1, notify: [team_lead], move_to_team: operations}",
        1,
    ).replace("1970-01-01", "1971-01-01")
    text = moving + "\nassignment: {customer_service: round_robin, operations: fewest_open}\n"
    scenario.service.configure(lambda tx: policies.apply_policy(scenario.service, tx, SYSTEM, text))
    complaint = scenario.post()
    assert complaint.assignee == "an"
    moved = scenario.act(complaint, "assign", team=NETWORK)
    back = scenario.act(complaint, "assign", team=CARE)
    taken_back = scenario.act(complaint, "assign", assignee=None)
    assert [one.assignee for one in (moved, back, taken_back)] == ["net", "bo", None]

    routed = scenario.post()
    command = PatchComplaint.model_validate({"category": "network.outage"})
    scenario.service.write(lambda tx: edit.patch(scenario.service, tx, SYSTEM, str(routed.id), command, None))
    late = scenario.post()
    scenario.advance(hours=25)
    assert assigned(scenario, routed, late) == ["net", "net"]
    assert scenario.load(late).team == NETWORK


def test_rule_5_9_reopening_gives_a_complaint_whose_assignee_left_another(scenario: Scenario) -> None:
    """By the policy of the complaint, for an action and for a contact."""
    add_users(scenario, "an", "bo")
    old = scenario.post()
    scenario.act(old, "assign", assignee="an")
    assigning(scenario, "\nassignment: {customer_service: round_robin}\n")
    one, other = scenario.post(), scenario.post()
    contacted = scenario.post(external_id="X-1")
    for complaint in (old, one, other, contacted):
        scenario.act(complaint, "withdraw", reason="mistake")
    patch_user(scenario, "an", active=False)
    reopened = [scenario.act(complaint, "reopen", reason="again") for complaint in (old, one, other)]
    reopened.append(scenario.post(external_id="X-1", subject="It is back"))
    assert [complaint.assignee for complaint in reopened] == [None, "bo", "bo", "bo"]
    assert assigned(scenario, contacted) == ["bo"]


def test_rule_5_9_imported_rows_take_turns_and_what_a_leaver_had_waits(scenario: Scenario) -> None:
    add_users(scenario, "an", "bo")
    assigning(scenario, "\nassignment: {customer_service: round_robin}\n")
    command = CreateComplaint.model_validate({"channel": "import", "subject": "Old"})
    requests = [
        IntakeRequest(SYSTEM, command, import_id=UUID(int=1), row_digest=str(number)) for number in range(3)
    ]
    found = scenario.service.write(lambda tx: intake.register(scenario.service, tx, requests))
    made = [one.complaint for one in found if isinstance(one, IntakeResult)]
    assert [one.assignee for one in made] == assigned(scenario, *made) == ["an", "bo", "an"]
    patch_user(scenario, "an", active=False)
    assert assigned(scenario, *made) == [None, "bo", None]


def test_rule_5_9_a_policy_in_force_says_it_and_a_document_tells_it_again(scenario: Scenario) -> None:
    assigning(scenario, "\nassignment: {operations: fewest_open}\nduty_outside: always\n")
    policy = scenario.service.read(lambda tx: scenario.service.configuration(tx).policy_at(tx.now))
    assert policy.assignment == {NETWORK: AssignmentMethod.FEWEST_OPEN}
    assert from_document(to_document(policy), version=policy.version) == policy
    with pytest.raises(InvalidContent) as refusal:
        assigning(scenario, "\nassignment: {moon: fewest_open}\n")
    assert [fault.pointer for fault in refusal.value.faults] == ["/assignment/moon"]
    [warning] = read_policy(HANDBOOK + "\nduty_outside: always\n").warnings
    assert (warning.pointer, "no duty rota counts" in warning.message) == ("/duty_outside", True)


def test_a_policy_without_assignment_costs_no_statement(scenario: Scenario) -> None:
    scenario.post()
    with count_statements(scenario.service) as before:
        scenario.post()
    add_users(scenario, "an")
    assigning(scenario, "\nassignment: {management: round_robin}\n")
    scenario.post()
    with count_statements(scenario.service) as after:
        assert scenario.post().assignee is None
    assert len(after) == len(before)


# Duty -----------------------------------------------------------------------------------------------------------


def test_rule_3_11_a_rota_decides_who_hears_and_who_is_assigned(scenario: Scenario) -> None:
    add_users(scenario, "an", "bo")
    assigning(scenario, "\nassignment: {customer_service: round_robin}\n")
    put_duty(scenario, CARE, ("bo", 0, 30))
    assert [scenario.post().assignee for _ in range(2)] == ["bo", "bo"]
    put_duty(scenario, CARE, ("an", 23, 25), ("bo", 25, 26))
    complaint = scenario.post()
    scenario.advance(hours=24, seconds=1)
    found = scenario.service.read(lambda tx: loads.list_team_load(scenario.service, tx, SYSTEM, CARE))
    assert [(load.user.login, load.on_duty, load.count.open) for load in found] == [
        ("an", True, 1),
        ("bo", False, 2),
    ]
    assert complaint.assignee == "an"


@pytest.mark.parametrize(
    ("shifts", "pointer"),
    [
        ([("nobody", 0, 1)], "/shifts/0/login"),
        ([("an", 0, 1), ("an", 1, 1)], "/shifts/1/on_duty_until"),
        ([("an", 1, 3), ("bo", 0, 9), ("an", 0, 2)], "/shifts/0/on_duty_from"),
    ],
)
def test_rule_3_11_a_rota_that_cannot_be_is_refused(scenario: Scenario, shifts: Any, pointer: str) -> None:
    add_users(scenario, "an", "bo")
    put_duty(scenario, CARE, ("an", 5, 6))
    with pytest.raises(InvalidContent) as refusal:
        put_duty(scenario, CARE, *shifts)
    assert [fault.pointer for fault in refusal.value.faults] == [pointer]
    rota = scenario.service.read(lambda tx: duty.load_rota(scenario.service.cache.current(tx), CARE))
    assert [shift.login for shift in rota] == ["an"]
    patch_user(scenario, "an", active=False)
    put_duty(scenario, CARE, ("an", 5, 6), ("bo", 5, 6))  # a shift that stays is no choice


# Queues and taking ----------------------------------------------------------------------------------------------


def test_rule_1_18_the_queue_begins_with_what_is_due_first(scenario: Scenario) -> None:
    add_users(scenario, "an", "bo")
    later, first, other = (
        scenario.post(),
        scenario.post(received_at=START - timedelta(hours=30)),
        scenario.post(),
    )
    scenario.act(other, "assign", assignee="bo")
    scenario.post(category="network.outage")
    ended = scenario.post()
    scenario.act(ended, "withdraw", reason="mistake")

    def queue(**page: Any) -> Any:
        rows, end = scenario.service.read(
            lambda tx: queues.list_queue(
                scenario.service, tx, SYSTEM, CARE, **({"after": None, "limit": 9} | page)
            )
        )
        return [row.members["id"] for row in rows], end

    assert queue() == ([first.id, later.id], None)
    ids, end = queue(limit=1)
    assert (ids, queue(after=end)) == ([first.id], ([later.id], None))
    service, an = scenario.service, caller(scenario, "an")
    taken = [service.write(lambda tx: taking.take_next(service, tx, an, CARE)) for _ in range(2)]
    assert [one.id for one in taken] == [first.id, later.id]
    assert assigned(scenario, first, later, other) == ["an", "an", "bo"]
    with pytest.raises(NotFound, match="No complaint waits"):
        service.write(lambda tx: taking.take_next(service, tx, an, CARE))
    with pytest.raises(NotFound, match="no team"):
        service.write(lambda tx: taking.take_next(service, tx, an, "moon"))


def test_rule_1_18_whoever_has_a_complaint_keeps_it(scenario: Scenario) -> None:
    add_users(scenario, "an", "bo")
    complaint = scenario.post()

    def take(who: Caller) -> Complaint:
        reference = str(complaint.id)
        return scenario.service.write(lambda tx: taking.take(scenario.service, tx, who, reference))

    taken = take(caller(scenario, "an"))
    assert (taken.assignee, taken.version) == ("an", complaint.version + 1)
    assert take(caller(scenario, "an")) == taken
    with pytest.raises(Conflict, match="'an' has"):
        take(caller(scenario, "bo"))
    with pytest.raises(InvalidContent, match="belongs to none"):
        take(SYSTEM)
    scenario.act(complaint, "withdraw", reason="mistake")
    for login in ("an", "bo"):
        with pytest.raises(TransitionRefused):
            take(caller(scenario, login))


# Loads ---------------------------------------------------------------------------------------------


def test_a_load_counts_open_overdue_and_due_today(scenario: Scenario) -> None:
    add_users(scenario, "an")
    due = [START - timedelta(hours=30), START - timedelta(hours=12), START]  # overdue; tonight; tomorrow
    for received_at in due:
        scenario.act(scenario.post(received_at=received_at), "assign", assignee="an")
    with count_statements(scenario.service) as statements:
        load = scenario.service.read(lambda tx: loads.find_load(scenario.service, tx, SYSTEM, "an"))
    assert (load.available, load.count.open, load.count.overdue, load.count.due_today) == (True, 3, 1, 1)
    assert len(statements) <= 3
    narrow = Caller("north", frozenset({AccessRole.INTAKE}), "north", "an")
    seen = scenario.service.read(lambda tx: loads.find_load(scenario.service, tx, narrow, "an"))
    assert seen.count.open == 0


@pytest.mark.new_database
def test_queues_and_loads_are_read_off_an_index(scenario: Scenario) -> None:
    service = scenario.service
    # In an empty table of PostgreSQL, the two indexes cost the same.
    loads_index = "ix_complaint__overdue" + ("" if service.database.is_postgresql else "_by_assignee")
    for work, index in (
        (lambda tx: claim_first(tx, CARE, SYSTEM.scope), "ix_complaint__queue"),
        (lambda tx: count_open(tx, ["an", "bo"]), loads_index),
    ):
        with count_statements(service) as statements:
            service.write(work)
        [(statement, bound)] = [one for one in statements if "overdue_after_at" in one[0]]
        with service.database.begin() as tx:
            if service.database.is_postgresql:
                for setting in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
                    tx.connection.exec_driver_sql(f"SET LOCAL {setting} = off")
                plan = tx.connection.exec_driver_sql("EXPLAIN " + statement, bound).scalars().all()
            else:
                rows = tx.connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, bound).all()
                plan = [row[3] for row in rows]
        assert any(index in line for line in plan), plan
        assert not any("Sort" in line or "ORDER BY" in line for line in plan), plan
