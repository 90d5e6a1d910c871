"""Assignment by policy, duty rotas, and the rehearsal of an absence (rules 5.9, 5.10, 3.11 and 3.12)."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.complaint.change import Change
from complaints.domain.rules.assignment import (
    assign,
    choose_least_loaded,
    choose_next,
    find_method,
    list_candidates,
)
from complaints.domain.rules.duty import find_on_duty
from complaints.domain.rules.ownership import hand_over
from complaints.domain.rules.recipients import list_teams_under
from complaints.domain.rules.rehearsal import Absence, InheritedTask, rehearse
from complaints.domain.staff import Directory, DutyShift
from complaints.domain.vocabulary import AssignmentMethod, EventType, Status
from tests.domain.builders import (
    DIRECTORY,
    HANDBOOK,
    MOMENT,
    START,
    WORKING,
    Life,
    days,
    hours,
    local,
    with_team,
    with_user,
)

BY_TURNS = replace(HANDBOOK, assignment={"customer_service": AssignmentMethod.ROUND_ROBIN})
CARE = "customer_service"
NIGHTS = replace(WORKING, duty_outside="office")


def in_team(directory: Directory, *logins: str) -> Directory:
    """The directory with these users in customer service."""
    for login in logins:
        directory = with_user(directory, login, teams=(CARE,))
    return directory


def on_duty(directory: Directory, *shifts: tuple[str, datetime, datetime]) -> Directory:
    return replace(directory, duty={CARE: tuple(DutyShift(*shift) for shift in shifts)})


# Rule 5.9 ---------------------------------------------------------------------------------------------------

LOGINS = ["an", "bo", "chen", "dai"]
CHOICES = st.lists(st.lists(st.sampled_from(LOGINS), min_size=1, unique=True).map(sorted), max_size=40)


@given(st.integers(1, 60), st.sampled_from([None, *LOGINS]))
def test_rule_5_9_turns_are_even(count: int, last: str | None) -> None:
    given_to = []
    for _ in range(count):
        last = choose_next(LOGINS, last)
        given_to.append(last)
    shares = Counter(given_to)
    assert max(shares.values()) - min(shares[login] for login in LOGINS) <= 1


@given(CHOICES)
def test_rule_5_9_nobody_gets_two_in_turn_while_another_can(choices: list[list[str]]) -> None:
    last = None
    for candidates in choices:
        chosen = choose_next(candidates, last)
        assert chosen in candidates
        assert chosen != last or candidates == [last]
        last = chosen


@given(st.dictionaries(st.sampled_from(LOGINS), st.integers(0, 9)), CHOICES)
def test_rule_5_9_the_fewest_open_get_the_next(counts: dict[str, int], choices: list[list[str]]) -> None:
    for candidates in choices:
        chosen = choose_least_loaded(candidates, counts)
        few = min(counts.get(login, 0) for login in candidates)
        assert chosen == next(login for login in candidates if counts.get(login, 0) == few)
        counts[chosen] = counts.get(chosen, 0) + 1


def change_of(life: Life, **members: Any) -> Change:
    change = life.new_change()
    change.set(**members)
    return change


@pytest.mark.parametrize(
    ("members", "recorded", "method"),
    [
        ({}, None, None),  # it is there already
        ({"team": "operations"}, None, None),  # the policy says nothing of this team
        ({"team": CARE}, None, AssignmentMethod.ROUND_ROBIN),
        ({"team": CARE, "assignee": "an"}, None, None),
        ({}, EventType.REOPENED, AssignmentMethod.ROUND_ROBIN),
        ({"assignee": "an"}, EventType.REOPENED, None),
    ],
)
def test_rule_5_9_who_enters_a_team_without_assignee_gets_one(
    members: dict[str, Any], recorded: EventType | None, method: AssignmentMethod | None
) -> None:
    life = Life(policy=BY_TURNS, team="operations" if members.get("team") == CARE else CARE)
    change = change_of(life, **members)
    change.record(recorded or EventType.UPDATED, START)
    assert find_method(change, BY_TURNS) is method


def test_rule_5_9_an_ended_complaint_gets_no_assignee() -> None:
    life = Life(policy=BY_TURNS, team="operations").do("withdraw")
    assert find_method(change_of(life, team=CARE), BY_TURNS) is None


@pytest.mark.parametrize(
    ("members", "is_handed_over"),
    [
        ({"assignee": "an"}, True),
        ({"first_owner": "an"}, True),
        ({"assignee": "li", "first_owner": "li"}, False),  # somebody else took it meanwhile
        ({"assignee": "an", "status": Status.CLOSED}, False),  # it was closed meanwhile
    ],
)
def test_rule_1_7_a_leaver_hands_over_open_complaints_of_the_own(
    members: dict[str, Any], is_handed_over: bool
) -> None:
    change = change_of(Life(), **members)
    assert hand_over(change, DIRECTORY, START, leaver="an", successor="wu") is is_handed_over
    complaint = change.complaint
    assert ("wu" in (complaint.assignee, complaint.first_owner)) is is_handed_over
    assert bool(change.events) is is_handed_over


def test_rule_5_9_the_history_names_the_method() -> None:
    life = Life(policy=BY_TURNS, team="operations")
    change = change_of(life, team=CARE)
    change.record(EventType.UPDATED, START)
    assign(change, "an", AssignmentMethod.ROUND_ROBIN, HANDBOOK)
    change.finish()
    last = change.events[-1]
    assert (last.type, last.actor, last.data["by"]) == (EventType.ASSIGNED, "engine", "round_robin")
    assert last.data["changes"] == {"assignee": "an"}
    assert last.version == life.complaint.version + 1


# Rule 5.10 --------------------------------------------------------------------------------------------------

SHIFT = ("an", START, START + hours(1))


@pytest.mark.parametrize(
    ("directory", "logins"),
    [
        (DIRECTORY, []),
        (in_team(DIRECTORY, "li", "an", "fei"), ["an", "fei", "li"]),
        (with_user(in_team(DIRECTORY, "an", "fei"), "fei", active=False), ["an"]),
        (with_user(in_team(DIRECTORY, "an", "fei"), "fei", absent_from=START), ["an"]),
        (with_user(in_team(DIRECTORY, "an", "fei"), "fei", absent_from=START + MOMENT), ["an", "fei"]),
        (on_duty(in_team(DIRECTORY, "an", "fei"), SHIFT), ["an"]),
        (on_duty(in_team(DIRECTORY, "an", "fei"), ("an", START - hours(1), START)), ["an", "fei"]),
        (on_duty(in_team(DIRECTORY, "fei"), SHIFT), []),  # nobody who is on duty belongs to the team
    ],
)
def test_rule_5_10_candidates_are_members_at_work(directory: Directory, logins: list[str]) -> None:
    change = change_of(Life(policy=BY_TURNS, directory=directory))
    change.record(EventType.UPDATED, START)
    assert list_candidates(change, BY_TURNS, directory) == logins


# Rule 3.11 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shifts", "changes", "heard"),
    [
        ([], {}, ()),
        ([SHIFT], {}, ("an",)),
        ([("an", START + MOMENT, START + hours(1))], {}, ()),
        ([("an", START - hours(1), START)], {}, ()),
        ([SHIFT, ("li", START - hours(1), START + MOMENT)], {}, ("an", "li")),
        ([SHIFT], {"active": False, "deputy": "wu"}, ("wu",)),
        ([SHIFT, ("wu", START, START + hours(1))], {"absent_from": START, "deputy": "wu"}, ("wu",)),
        ([SHIFT], {"absent_from": START}, ()),
    ],
)
def test_rule_3_11_who_is_on_duty(shifts: Any, changes: dict[str, Any], heard: tuple[str, ...]) -> None:
    directory = on_duty(with_user(DIRECTORY, "an", **changes), *shifts)
    assert find_on_duty(CARE, directory, HANDBOOK, START) == heard
    assert find_on_duty("operations", directory, HANDBOOK, START) == ()


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2026-01-05 09:00", False),  # a Monday morning
        ("2026-01-05 23:00", True),
        ("2026-01-10 12:00", True),  # a Saturday
        ("2026-02-17 12:00", True),  # the spring festival, a Tuesday
    ],
)
def test_rule_3_11_the_rota_counts_outside_working_time(at: str, counts: bool) -> None:
    directory = on_duty(DIRECTORY, ("an", START - days(9), START + days(90)))
    assert find_on_duty(CARE, directory, NIGHTS, local(at)) == (("an",) if counts else ())
    assert find_on_duty(CARE, directory, WORKING, local(at)) == ("an",)


def test_rule_3_11_reminders_go_to_the_roles_and_steps_of_level_1_to_duty() -> None:
    life = Life(directory=on_duty(DIRECTORY, ("wu", START, START + hours(30)))).jump(hours=20).sweep()
    life.jump(to=START + hours(24) + MOMENT).sweep().do("escalate")
    life.jump(hours=12).sweep()
    heard = [(e.step, e.level, e.recipients) for e in life.escalations if e.recipients]
    assert heard == [
        ("80%", 0, ("fei", "zhao")),
        ("100%", 1, ("wu",)),
        ("50%", 0, ("fei",)),
        ("manual", 1, ("wu",)),
        ("+12h", 2, ("sun",)),
    ]


# Rule 3.12 --------------------------------------------------------------------------------------------------

AWAY = Absence("an", START + hours(20), START + hours(26))


def rehearsed(directory: Directory, absence: Absence = AWAY, **members: Any) -> list[InheritedTask]:
    life = Life(directory=directory)
    complaint = replace(life.complaint, **({"assignee": "an"} | members))
    return rehearse(complaint, life.policy, directory, absence)


@pytest.mark.parametrize(
    ("directory", "members", "tasks"),
    [
        # the response is due, and the reminders of the result come (50 % of 48 h)
        (with_user(DIRECTORY, "an", deputy="li"), {}, [(24, None, ("li",)), (24, "50%", ("li",))]),
        (DIRECTORY, {}, [(24, None, ("fei",)), (24, "50%", ("fei",))]),
        (DIRECTORY, {"assignee": "li"}, []),
        (DIRECTORY, {"assignee": None, "first_owner": "an"}, [(24, None, ("zhao",)), (24, "50%", ("zhao",))]),
    ],
)
def test_rule_3_12_it_names_who_inherits(directory: Directory, members: Any, tasks: Any) -> None:
    found = [(task.at, task.step, task.heirs) for task in rehearsed(directory, **members)]
    assert found == [(START + timedelta(hours=at), step, heirs) for at, step, heirs in tasks]


def test_rule_3_12_steps_to_a_lead_are_inherited_too() -> None:
    away = replace(AWAY, login="zhao", since=START)
    found = [(t.kind, t.step, t.level, t.heirs) for t in rehearsed(DIRECTORY, away)]
    assert found == [("first_response", "80%", 0, ("an", "sun")), ("first_response", "100%", 1, ("sun",))]
    standby = on_duty(DIRECTORY, ("zhao", START, START + days(9)), ("wu", START, START + days(9)))
    assert [t.heirs for t in rehearsed(standby, away)] == [("an", "sun"), ("wu",)]


def test_rule_3_12_nobody_left_is_a_gap() -> None:
    alone = Directory(users={"an": DIRECTORY.users["an"]}, teams={}, departments={})
    found = rehearsed(alone, first_owner="an")
    assert [(task.step, task.heirs) for task in found] == [(None, ()), ("50%", ())]


def test_rule_3_12_the_rehearsal_is_what_happens() -> None:
    """Every escalation that a real absence takes away from the user goes to the heirs of the rehearsal."""
    directory = with_user(DIRECTORY, "an", deputy="li")
    away = replace(AWAY, since=START + hours(10), until=START + hours(40))
    tasks = [task for task in rehearsed(directory, away) if task.step]
    real = with_user(directory, "an", absent_from=away.since, absent_until=away.until)
    life = Life(directory=real).do("assign")
    for hour in range(1, 40):
        life.jump(to=START + hours(hour)).sweep()
    taken = {(e.kind, e.step): e.recipients for e in life.escalations if away.contains(e.planned_at)}
    assert len(tasks) == 4
    assert {(task.kind, task.step): task.heirs for task in tasks}.items() <= taken.items()


def test_rule_3_12_teams_under_a_user() -> None:
    directory = with_team(DIRECTORY, "operations", deputy="an")
    assert list_teams_under({"an"}, directory) == ["operations"]
    assert list_teams_under({"sun"}, directory) == [CARE]
    assert list_teams_under({"chen"}, directory) == list(directory.teams)
