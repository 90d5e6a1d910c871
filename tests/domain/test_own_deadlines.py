"""Own deadlines of a policy: the rules of deadlines and of escalation hold for them (domain §2 to §4)."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.assignment import assign
from complaints.domain.rules.contacts import Contact, plan_contact
from complaints.domain.rules.deadlines import explain_due_time
from complaints.domain.rules.targets import closure_target_of, follow_up_plan_of
from complaints.domain.staff import Directory, DutyShift
from complaints.domain.vocabulary import (
    AssignmentMethod,
    Channel,
    ContactOutcome,
    DeadlineKind,
    DeadlineStatus,
    EventType,
    Priority,
    Status,
)
from complaints.use_cases.policy_document.document import from_document, read_policy, to_document
from tests.domain.builders import (
    DIRECTORY,
    HANDBOOK,
    MOMENT,
    START,
    SUPERVISOR,
    WORKING,
    Life,
    days,
    hours,
    in_status,
    local,
    with_user,
)

RUNNING, PAUSED, MET = DeadlineStatus.RUNNING, DeadlineStatus.PAUSED, DeadlineStatus.MET
BREACHED, CANCELLED, MET_LATE = DeadlineStatus.BREACHED, DeadlineStatus.CANCELLED, DeadlineStatus.MET_LATE
LADDER = [
    {"at": "50%", "level": 0, "notify": ["assignee"]},
    {"at": "100%", "level": 1, "notify": ["team_lead"]},
]


def kind(starts: str, met_by: list[str], target: str = "15 calendar days", **members: Any) -> dict[str, Any]:
    return {"starts": starts, "met_by": met_by, "targets": [{"target": target}], "ladder": LADDER, **members}


def policy_of(base: Policy = HANDBOOK, *, version: int = 1, **kinds: dict[str, Any]) -> Policy:
    """The policy with these own kinds."""
    document: dict[str, Any] = to_document(base)
    document["deadlines"] |= kinds
    return from_document(document, version=version)


REGULATOR = kind("receipt", ["notify_result", "reject"])
HOUSE = policy_of(
    regulator=REGULATOR,
    evaluation=kind("receipt", ["assign"], "4 elapsed hours"),
    hand_over=kind("route", ["assign", "respond"], "2 elapsed hours"),
    work=kind(
        "assign", ["resolve"], "24 elapsed hours", pauses_on=["awaiting_complainant"], pause_budget="72 hours"
    ),
    survey=kind("result", ["record_contact"], "3 calendar days"),
    next_response=kind("contact", ["respond", "notify_result", "record_contact"], "8 elapsed hours"),
)
OFFICE = policy_of(WORKING, staged=kind("receipt", ["resolve"], "2 working days", calendar="office"))


def contact(life: Life) -> Life:
    """The complainant makes contact again."""
    words = Contact(Channel.WEB, "Any news?", None)
    life._change(lambda change: plan_contact(change, life.context(), words))
    return life


def found(life: Life, name: str) -> list[tuple[int, int, DeadlineStatus]]:
    """The deadlines of a kind: cycle, sequence and status now."""
    return [(d.cycle, d.sequence, d.status) for d in life.deadlines(name)]


# What an own kind is -----------------------------------------------------------------------------------------


def test_rule_4_07_the_days_of_the_regulator_run_beside_the_hours_of_the_house() -> None:
    life = Life(policy=HOUSE).do("respond")
    assert life.deadline("resolution").due_at == START + hours(48)
    assert life.deadline("regulator").due_at == START + days(15)
    life.jump(days=14).do("resolve").do("notify_result")
    assert life.deadline("resolution").status is MET_LATE
    assert life.deadline("regulator").status is MET


ACTIONS = [
    "assign",
    "respond",
    "hold",
    "resume",
    "resolve",
    "notify_result",
    "record_contact",
    "close",
    "reject",
    "withdraw",
]
BEFORE = {
    "hold": Status.INVESTIGATING,
    "resume": Status.ON_HOLD,
    "notify_result": Status.RESOLVED,
    "record_contact": Status.FOLLOWING_UP,
    "close": Status.FOLLOWING_UP,
}
GIVEN: dict[str, dict[str, Any]] = {
    "close": {"early": True, "message": "Solved.", "contact_channel": "phone", "root_cause": "cell"}
}


@pytest.mark.parametrize("named", ACTIONS)
@pytest.mark.parametrize("taken", ACTIONS)
def test_rule_4_07_only_the_named_action_meets_it(named: str, taken: str) -> None:
    policy = policy_of(own=kind("receipt", [named], "1 calendar month"))
    life = in_status(BEFORE.get(taken, Status.RECEIVED), policy=policy, roles=SUPERVISOR)
    if life.deadline("own").status is MET:
        return  # met on the way
    life.do(taken, **GIVEN.get(taken, {}))
    ends = taken in ("close", "reject", "withdraw")
    other = CANCELLED if ends else life.deadline("own").status if taken == "hold" else RUNNING
    assert life.deadline("own").status is (MET if named == taken else other)
    assert len([e for e in life.events_of(EventType.DEADLINE_MET) if e.data["kind"] == "own"]) == (
        named == taken
    )


def test_rule_4_07_taking_an_assignment_back_meets_none() -> None:
    life = Life(policy=policy_of(own=kind("receipt", ["assign"])))
    life.complaint = replace(life.complaint, assignee="an")
    assert found(life.do("assign", assignee=None, take_back=True), "own") == [(1, 1, RUNNING)]
    assert found(life.do("assign", assignee=None, team="operations", take_back=True), "own") == [(1, 1, MET)]


def test_rule_4_07_a_contact_that_reached_nobody_meets_none() -> None:
    life = in_status(Status.FOLLOWING_UP, policy=HOUSE)
    assert found(life.do("record_contact", outcome=ContactOutcome.UNREACHABLE), "survey") == [(1, 1, RUNNING)]
    assert found(life.do("record_contact"), "survey") == [(1, 1, MET)]


# What starts one ---------------------------------------------------------------------------------------------


def test_rule_4_08_each_start_has_its_instant() -> None:
    life = Life(policy=HOUSE, received_at=START - hours(1))
    assert {d.kind: d.started_at for d in life.complaint.deadlines} == {
        "first_response": START - hours(1),
        "resolution": START - hours(1),
        "regulator": START - hours(1),
        "evaluation": START - hours(1),
        "hand_over": START - hours(1),
    }
    life.jump(minutes=30).do("assign")
    assert life.deadline("work").started_at == life.now
    life.jump(hours=1).do("assign", assignee="li")
    assert found(life, "work") == [(1, 1, RUNNING)]  # the first assignment of the cycle counts
    life.jump(hours=1).do("resolve").do("notify_result")
    assert life.deadline("survey").started_at == life.now


@pytest.mark.parametrize("again", ["reopen", "record_contact"])
def test_rule_4_08_a_new_cycle_starts_them_again(again: str) -> None:
    life = in_status(Status.FOLLOWING_UP, policy=HOUSE)
    life.do("assign").jump(hours=5)
    life.do(
        again, **({"outcome": ContactOutcome.NOT_SOLVED, "note": "no"} if again == "record_contact" else {})
    )
    for name in ("regulator", "evaluation", "hand_over", "work"):
        assert life.deadline(name, cycle=2).started_at == life.now
        assert found(life, name)[-1] == (2, 1, RUNNING)
    assert not life.deadlines("survey", cycle=2)
    # A reopening from `resolved` stays in the cycle.
    assert len(in_status(Status.RESOLVED, policy=HOUSE).do("reopen").deadlines("regulator")) == 1


def test_rule_4_08_an_action_does_not_meet_what_it_starts() -> None:
    life = Life(policy=policy_of(own=kind("assign", ["assign"], "4 elapsed hours")))
    assert found(life.do("assign"), "own") == [(1, 1, RUNNING)]
    assert found(life.do("assign", assignee="li"), "own") == [(1, 1, MET)]


def test_rule_4_09_the_earliest_contact_without_an_answer_counts() -> None:
    life = Life(policy=HOUSE).do("respond").jump(hours=1)
    assert not life.deadlines("next_response")
    first = contact(life).now
    contact(life.jump(hours=3))
    assert [d.started_at for d in life.deadlines("next_response")] == [first]
    life.jump(hours=1).do("respond")
    contact(life.jump(hours=1))
    assert found(life, "next_response") == [(1, 1, MET), (1, 2, RUNNING)]
    # A contact that reopens the complaint waits for an answer in the new cycle.
    ended = contact(in_status(Status.CLOSED, policy=HOUSE, roles=SUPERVISOR))
    assert found(ended, "next_response") == [(2, 1, RUNNING)]


def test_rule_4_09_a_contact_that_starts_one_is_a_new_version() -> None:
    life = Life(policy=HOUSE)
    before = life.complaint.version
    assert contact(life).complaint.version == before + 1
    assert contact(life).complaint.version == before + 1


def test_rule_4_10_the_clock_of_a_team_ends_when_the_complaint_goes_on() -> None:
    life = Life(policy=HOUSE, team="customer_service").jump(hours=3).sweep()
    assert life.deadline("hand_over").status is BREACHED
    policy = policy_of(hand_over=kind("route", ["respond"], "2 elapsed hours"))
    passed_on = Life(policy=policy, team="customer_service").jump(hours=3).do("assign", team="operations")
    assert found(passed_on, "hand_over") == [(1, 1, CANCELLED), (1, 2, RUNNING)]
    assert passed_on.deadlines("hand_over")[0].breached_at == START + hours(2)
    assert passed_on.deadline("hand_over").due_at == passed_on.now + hours(2)
    back = (
        passed_on.do("assign", team="operations", assignee="an")
        .do("respond")
        .do("assign", team="customer_service")
    )
    assert found(back, "hand_over") == [(1, 1, CANCELLED), (1, 2, MET), (1, 3, RUNNING)]


def test_rule_4_10_a_step_that_moves_the_complaint_starts_the_clock_of_the_next_team() -> None:
    document: dict[str, Any] = to_document(
        policy_of(hand_over=kind("route", ["respond"], "12 elapsed hours"))
    )
    document["deadlines"]["hand_over"]["ladder"] = [
        {"at": "100%", "level": 1, "notify": ["team_lead"], "move_to_team": "operations"}
    ]
    life = Life(policy=from_document(document, version=1), team="customer_service").wait(hours=13)
    assert life.complaint.team == "operations"
    assert found(life, "hand_over") == [(1, 1, CANCELLED), (1, 2, RUNNING)]
    assert life.deadline("hand_over").started_at == START + hours(12) + MOMENT


def test_rule_4_10_an_assignment_by_policy_counts() -> None:
    life = Life(policy=HOUSE).jump(hours=1)

    def step(change: Any) -> None:
        change.record(EventType.NOTE_ADDED, life.now)
        assign(change, "an", AssignmentMethod.ROUND_ROBIN, life.policy)

    life._change(step)
    assert found(life, "evaluation") == [(1, 1, MET)]
    assert life.deadline("work").started_at == life.now


# The rules of domain §2 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after_due", "status"), [(-MOMENT, MET), (timedelta(0), MET), (MOMENT, MET_LATE)])
def test_rule_2_01_timestamps_judge_an_own_deadline(after_due: timedelta, status: DeadlineStatus) -> None:
    life = Life(policy=HOUSE).jump(hours=3)
    life.jump(to=life.deadline("evaluation").due_at + after_due).do("assign")
    assert life.deadline("evaluation").status is status
    late = life.deadline("evaluation")
    assert late.breached_at == (late.due_at if status is MET_LATE else None)


@pytest.mark.parametrize("imported", [False, True])
def test_rule_2_02_an_own_deadline_of_a_backdated_complaint_is_born_breached(imported: bool) -> None:
    life = Life(policy=HOUSE, received_at=START - days(16), imported=imported)
    assert life.deadline("regulator").status is BREACHED
    assert life.deadline("regulator").breached_at == START - days(1)
    assert [e.data["kind"] for e in life.events_of(EventType.DEADLINE_BREACHED)].count("regulator") == 1
    steps = life.steps("regulator")
    assert [s.step for s in steps] == ["50%", "100%"]
    assert [s.superseded for s in steps] == ([True, True] if imported else [True, False])


@pytest.mark.parametrize(
    ("target", "received", "due"),
    [
        ("450 working minutes", "2026-01-05 09:00:00", "2026-01-05 18:00:00"),  # rule 2.3: at closing time
        ("2 working days", "2026-01-09 17:59:59", "2026-01-13 17:59:59"),  # rules 2.3 and 2.10
        ("2 working days", "2026-02-13 10:00:00", "2026-02-24 10:00:00"),  # rule 2.4: 调休 and holidays
        ("1 calendar month", "2026-01-31 10:00:00", "2026-02-28 10:00:00"),  # rule 2.7
        ("15 calendar days", "2026-01-31 10:00:00", "2026-02-15 10:00:00"),
    ],
)
def test_rules_2_03_2_04_2_07_and_2_10_an_own_deadline_counts_as_others(
    target: str, received: str, due: str
) -> None:
    policy = policy_of(WORKING, staged=kind("receipt", ["resolve"], target, calendar="office"))
    life = Life(policy=policy, now=local(received))
    assert life.deadline("staged").due_at == local(due)


@pytest.mark.parametrize(
    ("calendar", "target", "message"),
    [
        ({"hours": {"mon": [["09:00", "09:00"]]}}, "1 working hour", "Must end after it starts"),
        (
            {"hours": {}, "overrides": {"2026-01-05": [["09:00", "10:00"]]}},
            "1 working hour",
            "no open hour within 366 days",
        ),
        ({"hours": {"mon": [["09:00", "10:00"]]}}, "20000 working hours", "is not due within 150 years"),
    ],
)
def test_rule_2_05_the_calendar_and_the_target_of_an_own_kind_are_checked(
    calendar: dict[str, Any], target: str, message: str
) -> None:
    document: dict[str, Any] = to_document(HANDBOOK)
    document["effective_at"] = "2026-01-01T00:00:00Z"
    document["calendars"]["seldom"] = calendar
    document["deadlines"]["own"] = kind("receipt", ["resolve"], target, calendar="seldom")
    with pytest.raises(InvalidContent, match=message):
        read_policy(json.dumps(document))


def test_rule_2_06_a_hold_pauses_an_own_deadline_within_its_budget() -> None:
    life = Life(policy=HOUSE).do("assign").do("respond").jump(hours=1)
    life.do("hold", until=life.now + days(6))
    assert life.deadline("work").status is PAUSED
    assert life.deadline("work").due_at == START + hours(24 + 72)
    assert life.deadline("regulator").due_at == START + days(15)
    life.jump(hours=10).do("resume")
    assert (life.deadline("work").status, life.deadline("work").due_at) == (RUNNING, START + hours(34))


def test_rule_2_06_an_own_deadline_that_starts_during_a_hold_is_paused() -> None:
    life = Life(policy=HOUSE).do("respond")
    life.do("hold", until=life.now + days(2)).jump(hours=5).do("assign")
    assert life.deadline("work").status is PAUSED
    assert life.deadline("work").due_at == life.now + hours(43 + 24)
    life.do("resume")
    assert life.deadline("work").due_at == life.now + hours(24)


def test_rule_2_06_an_action_that_leaves_the_hold_ends_the_pause_before_it_meets() -> None:
    life = Life(policy=HOUSE).do("assign").do("respond")
    life.do("hold", until=life.now + days(2)).jump(hours=5).do("resolve")
    assert (life.deadline("work").status, life.deadline("work").due_at) == (MET, START + hours(29))


BY_CIRCUMSTANCES = policy_of(
    regulator=kind("receipt", ["notify_result"], "15 calendar days")
    | {
        "targets": [
            {"target": "2 elapsed hours", "channel": "regulator", "region": "CN-31"},
            {"target": "3 elapsed hours", "region": "CN-31"},
            {"target": "4 elapsed hours", "source": "crm", "region": "CN-44"},
            {"target": "5 elapsed hours", "priority": "urgent", "category": "network", "region": "CN-44"},
            {"target": "6 elapsed hours", "category": "network", "region": "CN-32"},
            {"target": "7 elapsed hours", "category": "network.outage", "region": "CN-32"},
            {"target": "9 elapsed hours"},
        ]
    }
)


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({"channel": Channel.REGULATOR, "region": "CN-31", "category": "network"}, 2),
        ({"channel": Channel.WEB, "region": "CN-31"}, 3),
        ({"region": "CN-44", "source": "crm"}, 4),
        ({"region": "CN-44", "source": "crm", "priority": Priority.URGENT, "category": "network.outage"}, 5),
        ({"region": "CN-32", "source": "app", "category": "network.outage"}, 7),
        ({"region": "CN-32", "category": "network"}, 6),
        ({"source": "crm"}, 9),
    ],
)
def test_rule_4_12_the_target_that_fits_most_closely_counts(given: dict[str, Any], after: float) -> None:
    priority, category = given.pop("priority", Priority.NORMAL), given.pop("category", None)
    rule = BY_CIRCUMSTANCES.rules["regulator"]
    assert rule.target_for(priority, category, **given).amount == hours(after).total_seconds()


def test_rule_2_08_a_member_that_chooses_the_target_recomputes_it_from_its_start() -> None:
    life = Life(policy=BY_CIRCUMSTANCES).jump(hours=1)
    assert life.deadline("regulator").due_at == START + hours(9)
    life.change(region="CN-31")
    assert life.deadline("regulator").due_at == START + hours(3)
    life.jump(hours=1).change(region=None)
    assert life.deadline("regulator").due_at == START + hours(9)
    # Moved into the past, it is breached at the moment of the change, and then it stays.
    life.jump(hours=3).change(region="CN-31")
    assert (life.deadline("regulator").status, life.deadline("regulator").breached_at) == (BREACHED, life.now)
    life.change(region=None)
    assert life.deadline("regulator").due_at == START + hours(3)


def test_rules_2_08_and_2_09_re_planning_recomputes_own_deadlines() -> None:
    stricter = policy_of(version=2, regulator=kind("receipt", ["notify_result"], "10 calendar days"))
    life = Life(policy=HOUSE).jump(hours=1).do("assign").replan(stricter)
    assert life.deadline("regulator").due_at == START + days(10)
    assert life.deadline("regulator").policy_version == 2
    # rule 4.11: the new policy does not have the others.
    assert found(life, "work") == [(1, 1, CANCELLED)]
    assert life.deadline("evaluation").status is MET
    assert own_kinds(life.jump(days=20).sweep()) == {"regulator"}


def own_kinds(life: Life) -> set[str]:
    return {d.kind for d in life.complaint.deadlines if d.unmet} - {*DeadlineKind}


@pytest.mark.parametrize(
    ("before", "kinds"),
    [
        (lambda life: life, {"regulator", "answer", "taken"}),
        (lambda life: life.do("assign"), {"regulator", "answer"}),
        (lambda life: life.do("respond"), {"regulator", "taken"}),
        (lambda life: life.do("resolve").do("notify_result"), {"answer", "taken"}),
        (lambda life: life.do("respond").do("hold").do("resume"), {"regulator", "taken"}),
    ],
)
def test_rule_4_11_another_policy_adds_those_that_run_from_receipt(before: Any, kinds: set[str]) -> None:
    added = policy_of(
        version=2,
        regulator=REGULATOR,
        answer=kind("receipt", ["respond"]),
        taken=kind("receipt", ["assign"]),
        routed=kind("route", ["respond"]),
    )
    life = before(Life().jump(hours=1)).jump(hours=2).replan(added)
    assert own_kinds(life) == kinds
    assert {life.deadline(name).started_at for name in kinds} == {START}


@pytest.mark.parametrize("action", ["reject", "withdraw", "merge", "close"])
def test_rule_2_11_an_ended_complaint_has_no_own_deadline(action: str) -> None:
    policy = policy_of(own=kind("receipt", ["hold"]), passed=kind("receipt", ["hold"], "1 elapsed hour"))
    life = in_status(BEFORE.get(action, Status.RECEIVED), policy=policy, roles=SUPERVISOR).jump(hours=2)
    life.do(action, **GIVEN.get(action, {}))
    assert (life.deadline("own").status, life.deadline("own").breached_at) == (CANCELLED, None)
    assert (life.deadline("passed").status, life.deadline("passed").breached_at) == (
        CANCELLED,
        START + hours(1),
    )
    taken = len(life.escalations)
    assert len(life.jump(days=60).sweep().escalations) == taken


def test_rule_1_09_an_undone_merge_brings_own_deadlines_back() -> None:
    life = Life(policy=HOUSE, roles=SUPERVISOR).do("merge").jump(minutes=30).do("unmerge")
    assert found(life, "regulator") == [(1, 1, RUNNING)]


def test_rule_2_12_a_breached_own_deadline_is_at_the_top_of_its_ladder() -> None:
    life = Life(policy=HOUSE).wait(days=16)
    assert [s.step for s in life.steps("regulator")] == ["50%", "100%"]
    assert life.deadline("regulator").wake_at is None
    with pytest.raises(InvalidContent, match="at or after 100%"):
        policy_of(own=kind("receipt", ["resolve"], ladder=LADDER[:1]))


def test_rule_2_13_an_own_due_time_is_explained() -> None:
    life = Life(policy=HOUSE).do("assign").do("respond")
    life.do("hold", until=life.now + hours(5)).jump(hours=5).sweep()
    segments = explain_due_time(life.deadline("work"), life.complaint, HOUSE)
    assert segments[-1].end == life.deadline("work").due_at == START + hours(29)
    assert sum(((s.end - s.start) for s in segments if s.counted), timedelta()) == hours(24)
    assert [s.reason for s in segments if not s.counted] == ["paused"]


# Ladders -----------------------------------------------------------------------------------------------------


def test_rules_3_01_and_3_03_the_steps_of_an_own_deadline_are_taken_once() -> None:
    life = Life(policy=HOUSE).wait(days=8).wait(days=8)
    assert [(s.step, s.level, s.recipients) for s in life.steps("regulator")] == [
        ("50%", 0, ("fei",)),
        ("100%", 1, ("zhao",)),
    ]
    assert all(not s.superseded for s in life.steps("regulator"))
    asleep = Life(policy=HOUSE).jump(days=16).sweep().sweep()
    assert [(s.step, s.superseded) for s in asleep.steps("regulator")] == [("50%", True), ("100%", False)]


def test_rule_3_09_the_last_step_of_an_own_ladder_repeats_until_it_is_met() -> None:
    ladder = [{"at": "100%", "level": 1, "notify": ["team_lead"], "repeat": "24h"}]
    life = Life(policy=policy_of(own=kind("receipt", ["respond"], "1 elapsed hour", ladder=ladder)))
    life.wait(hours=50)
    assert [s.step for s in life.steps("own")] == ["100%", "100%/1", "100%/2"]
    assert len(life.do("respond").wait(days=5).steps("own")) == 3


NAMED = policy_of(
    own=kind(
        "receipt",
        ["respond"],
        "1 elapsed hour",
        ladder=[{"at": "100%", "level": 1, "notify": ["team_lead", "user:an", "team:operations"]}],
    )
)


@pytest.mark.parametrize(
    ("directory", "heard"),
    [
        (DIRECTORY, ("zhao", "an", "li")),
        (with_user(DIRECTORY, "an", absent_from=START, deputy="sun"), ("zhao", "sun", "li")),
        (with_user(DIRECTORY, "an", active=False, deputy="sun"), ("zhao", "sun", "li")),
        (with_user(DIRECTORY, "an", active=False), ("zhao", "li")),  # nobody stands in: the team lead hears
        (with_user(DIRECTORY, "li", absent_from=START, deputy="wu"), ("zhao", "an", "wu")),
        (with_user(DIRECTORY, "li", absent_from=START), ("zhao", "an", "wu")),  # the head of the department
        (
            replace(DIRECTORY, duty={"customer_service": (DutyShift("sun", START, START + days(1)),)}),
            ("sun", "an", "li"),
        ),
    ],
)
def test_rule_3_13_named_recipients_hear_or_who_stands_in(
    directory: Directory, heard: tuple[str, ...]
) -> None:
    life = Life(policy=NAMED, directory=directory, team="customer_service").wait(hours=2)
    [step] = life.steps("own")
    assert (step.roles, step.recipients) == (("team_lead", "user:an", "team:operations"), heard)


# Follow-ups and closure --------------------------------------------------------------------------------------


def test_rule_4_12_follow_ups_and_closure_have_plans_for_some_complaints() -> None:
    document: dict[str, Any] = to_document(HANDBOOK)
    document["follow_ups_where"] = [{"channel": "regulator", "plan": ["7 calendar days", "14 calendar days"]}]
    document["closure_where"] = [{"source": "test", "region": "CN-31", "target": "1 calendar day"}]
    policy = from_document(document, version=1)
    assert to_document(policy) == document
    life = in_status(Status.FOLLOWING_UP, policy=policy, region="CN-31")
    assert len(life.deadlines("follow_up")) == 1
    assert life.deadline("closure").due_at == life.deadline("follow_up").due_at + days(1)
    told = replace(life.complaint, channel=Channel.REGULATOR, region=None)
    assert [t.amount for t in follow_up_plan_of(told, policy)] == [7, 14]
    assert closure_target_of(told, policy) == HANDBOOK.closure


# The document ------------------------------------------------------------------------------------------------


def test_rule_4_07_own_kinds_are_written_as_they_are_read() -> None:
    for policy in (HOUSE, OFFICE, BY_CIRCUMSTANCES, NAMED):
        assert from_document(to_document(policy), version=1) == policy
    assert "starts" not in json.dumps(to_document(HANDBOOK))


TWO = [{"region": "CN-31", "target": "1 calendar day"}, {"channel": "phone", "target": "2 calendar days"}]
LAST = {"target": "3 calendar days"}
AT = "/deadlines/own"


def notifying(recipient: str) -> dict[str, Any]:
    return kind("receipt", ["resolve"], ladder=[{**LADDER[1], "notify": [recipient]}])


def aimed(*targets: dict[str, Any]) -> dict[str, Any]:
    return kind("receipt", ["resolve"], targets=[*targets])


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("own", {"ladder": LADDER, "targets": [{"target": "1 calendar day"}]}, AT, "lacks 'starts', 'met_by'"),
    ("own", kind("receipt", ["resolve"], targets=None), AT, "lacks 'targets'"),
    ("own", {**kind("receipt", ["resolve"]), "starts": None}, AT, "lacks 'starts'"),
    ("own", {**kind("receipt", []), "met_by": None}, AT, "lacks 'met_by'"),
    ("own", kind("receipt", []), f"{AT}/met_by", "1 to"),
    ("own", kind("birth", ["resolve"]), f"{AT}/starts", "'receipt', 'assign', 'route', 'result', 'contact'"),
    ("own", kind("receipt", ["respnd"]), f"{AT}/met_by/0", "'respond'"),
    ("own", kind("receipt", ["merge"]), f"{AT}/met_by/0", "'merge' meets no deadline"),
    ("own", kind("result", ["notify_result"]), f"{AT}/met_by", "nothing would meet it"),
    ("Own", kind("receipt", ["resolve"]), "/deadlines/Own", "lower-case"),
    ("own.answer", kind("receipt", ["resolve"]), "/deadlines/own.answer", "lower-case"),
    ("closures", {"ladder": LADDER}, "/deadlines/closures", "did you mean 'closure'?"),
    (
        "closure",
        {"ladder": LADDER, "title": {"en": "End", "zh": "末"}},
        "/deadlines/closure/title",
        "is built in",
    ),
    ("own", kind("receipt", ["close"], title={"en": "End"}), f"{AT}/title", "'zh'"),
    ("promise", {"ladder": LADDER, "met_by": ["close"]}, "/deadlines/promise/met_by", "is built in"),
    ("own", aimed(*TWO, LAST), f"{AT}/targets/1", "as close as item 1"),
    (
        "resolution",
        {"ladder": LADDER, "targets": [*TWO, LAST]},
        "/deadlines/resolution/targets/1",
        "line 1: is",
    ),
    ("own", aimed(TWO[0], TWO[0], LAST), f"{AT}/targets/1", "same complaints"),
    ("own", aimed(*TWO[:1]), f"{AT}/targets/0", "for every complaint"),
    ("own", aimed({**LAST, "channel": "fax"}, LAST), f"{AT}/targets/0/channel", "'phone'"),
    ("own", notifying("user:ann"), f"{AT}/ladder/0/notify/0", "'an'"),
    ("own", notifying("team:operation"), f"{AT}/ladder/0/notify/0", "'operations'"),
    ("own", notifying("an"), f"{AT}/ladder/0/notify/0", "recipient role"),
]


@pytest.mark.parametrize(("name", "rule", "pointer", "message"), REFUSED)
def test_rules_4_02_and_4_07_a_wrong_own_kind_is_refused(
    name: str, rule: dict[str, Any], pointer: str, message: str
) -> None:
    document: dict[str, Any] = to_document(HANDBOOK)
    document["deadlines"][name] = {key: value for key, value in rule.items() if value is not None}
    with pytest.raises(InvalidContent) as refused:
        read_policy(
            json.dumps(document), teams=["operations", "customer_service", "management"], users=["an", "li"]
        )
    [fault] = [one for one in refused.value.faults if one.pointer == pointer]
    assert message in fault.message


def test_rule_4_12_a_tie_is_ended_by_an_item_for_both_and_is_none_by_priority_and_category() -> None:
    both = {"region": "CN-31", "channel": "phone", "target": "4 calendar days"}
    old = [
        {"priority": "urgent", "target": "1 calendar day"},
        {"category": "network", "target": "2 calendar days"},
    ]
    apart = [*TWO[:1], {"region": "CN-44", "target": "5 calendar days"}]
    for targets in ([*TWO, both], old, apart):
        policy = policy_of(own=kind("receipt", ["resolve"], targets=[*targets, LAST]))
        assert len(policy.rules["own"].targets) == len(targets) + 1
    assert (
        policy_of(own=kind("receipt", ["resolve"], targets=[*old, LAST]))
        .rules["own"]
        .target_for(Priority.URGENT, "network.outage")
        .amount
        == 1
    )


def test_rule_4_07_there_are_at_most_twenty_own_kinds() -> None:
    many = {f"own_{number}": kind("receipt", ["resolve"]) for number in range(21)}
    with pytest.raises(InvalidContent, match="there may be 20 own kinds"):
        policy_of(**many)
