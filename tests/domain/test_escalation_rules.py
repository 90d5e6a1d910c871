"""The rules of escalation, found by their number in domain §3, and the built-in ladders."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from complaints.domain.complaint.facts import Escalation
from complaints.domain.policy.policy import Policy, Step, TargetChoice
from complaints.domain.rules.recipients import find_recipients, find_represented_users
from complaints.domain.staff import Directory, User
from complaints.domain.time.working_time import Target, Unit
from complaints.domain.vocabulary import (
    ContactOutcome,
    DeadlineKind,
    DeadlineStatus,
    EventType,
    HoldReason,
    Priority,
    RecipientRole,
    Status,
)
from tests.domain.builders import (
    DIRECTORY,
    HANDBOOK,
    MOMENT,
    START,
    WORKING,
    Life,
    days,
    followed_up,
    hours,
    in_status,
    local,
    with_department,
    with_rule,
    with_team,
    with_user,
)

ASSIGNEE, FIRST_OWNER, TEAM_LEAD, DEPARTMENT_HEAD, EXECUTIVE = RecipientRole
FIRST_RESPONSE, RESOLUTION, PROMISE = (
    DeadlineKind.FIRST_RESPONSE,
    DeadlineKind.RESOLUTION,
    DeadlineKind.PROMISE,
)


def names(taken: Sequence[Escalation]) -> list[str]:
    return [one.step for one in taken]


def step(at: str, level: int = 1, notify: tuple[RecipientRole, ...] = (TEAM_LEAD,), **more: Any) -> Step:
    """A step named by its place: a share, or an offset in hours or days."""
    if at.endswith("%"):
        return Step(at, level, notify, share=Fraction(at[:-1]) / 100, **more)
    amount = int(at[:-1])
    if at.endswith("d"):
        return Step(at, level, notify, offset_days=amount, **more)
    return Step(at, level, notify, offset_seconds=amount * 3600, **more)


def laddered(*ladder: Step, policy: Policy = HANDBOOK, kind: DeadlineKind = FIRST_RESPONSE) -> Policy:
    return with_rule(policy, kind, ladder=ladder)


# The built-in ladders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "target"), [("first_response", hours(24)), ("resolution", hours(48))])
def test_built_in_ladder_of_first_response_and_resolution(kind: str, target: timedelta) -> None:
    life = Life().do("assign", assignee="an").wait(days=10)
    due_at = START + target
    assert [(e.step, e.level, e.roles, e.recipients, e.planned_at) for e in life.steps(kind)] == [
        ("50%", 0, (ASSIGNEE,), ("an",), START + target / 2),
        ("80%", 0, (ASSIGNEE, TEAM_LEAD), ("an", "zhao"), START + target * 0.8),
        ("100%", 1, (TEAM_LEAD,), ("zhao",), due_at),
        ("+12h", 2, (DEPARTMENT_HEAD,), ("sun",), due_at + hours(12)),
        ("+24h", 3, (EXECUTIVE,), ("chen",), due_at + hours(24)),
    ]
    assert life.deadline(kind).level == 3


@pytest.mark.parametrize("kind", ["follow_up", "closure"])
def test_built_in_ladder_of_follow_up_and_closure(kind: str) -> None:
    life = followed_up().do("assign", assignee="an")
    due_at = life.deadline(kind).due_at
    life.wait(days=60)
    assert [(e.step, e.level, e.recipients, e.planned_at) for e in life.steps(kind)] == [
        ("-3d", 0, ("an",), due_at - days(3)),
        ("100%", 1, ("zhao",), due_at),
        ("+3d", 2, ("sun",), due_at + days(3)),
    ]


def test_built_in_ladder_of_a_promise() -> None:
    life = Life()
    life.promise(START + hours(6)).wait(days=5)
    assert [(e.step, e.level, e.recipients, e.planned_at) for e in life.steps("promise")] == [
        ("-1h", 0, ("fei",), START + hours(5)),  # no assignee: the first owner
        ("100%", 1, ("zhao",), START + hours(6)),
    ]


def test_level_0_warns_and_reminds_and_the_others_escalate() -> None:
    life = Life().wait(hours=25)
    steps = [e for e in life.events if "step" in e.data and e.data["kind"] == "first_response"]
    assert [(e.type, e.data["step"]) for e in steps] == [
        (EventType.DEADLINE_WARNING, "50%"),
        (EventType.DEADLINE_WARNING, "80%"),
        (EventType.ESCALATED, "100%"),
    ]
    assert {e.actor for e in steps} == {"engine"}
    late = followed_up()
    late.wait(to=late.deadline("follow_up").due_at)
    assert [e.data["step"] for e in late.events_of(EventType.FOLLOW_UP_DUE)] == ["-3d"]


def test_a_step_at_or_before_the_start_is_left_out() -> None:
    life = Life()
    life.promise(START + hours(1)).wait(hours=3)
    assert names(life.steps("promise")) == ["100%"]
    life = followed_up()
    life.wait(to=life.deadline("follow_up").due_at).do("record_contact", outcome=ContactOutcome.UNREACHABLE)
    life.wait(days=2)  # the retry is due in 3 days, its -3d at its start
    assert names(life.steps("follow_up", attempt=2)) == []
    life.wait(days=2)
    assert names(life.steps("follow_up", attempt=2)) == ["100%"]


def test_a_step_just_after_the_start_is_taken() -> None:
    life = Life()
    life.promise(START + hours(1) + MOMENT).wait(hours=2)
    assert [(e.step, e.planned_at) for e in life.steps("promise")] == [
        ("-1h", START + MOMENT),
        ("100%", START + hours(1) + MOMENT),
    ]


def test_a_step_changes_no_version() -> None:
    life = Life().wait(days=10)
    assert len(life.escalations) == 10
    assert (life.complaint.version, life.complaint.updated_at) == (1, START)
    assert {event.version for event in life.events} == {1}


# Rule 3.1 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [MOMENT, hours(1), hours(5), days(1)])
def test_rule_3_1_each_step_is_taken_once_however_often_one_looks(every: timedelta) -> None:
    life = Life()
    for at in (START + hours(12), START + hours(24), START + hours(36)):
        life.jump(to=at).sweep().sweep().jump(to=at + every).sweep().sweep()
    keys = [(e.deadline_id, e.step) for e in life.escalations]
    assert len(keys) == len(set(keys))
    assert len({e.id for e in life.escalations}) == len(keys)
    for kind in (FIRST_RESPONSE, RESOLUTION):
        assert names(life.steps(kind)) == list(life.deadline(kind).steps_taken)


def test_rule_3_1_in_order() -> None:
    life = Life().wait(days=10)
    for kind in (FIRST_RESPONSE, RESOLUTION):
        assert names(life.steps(kind)) == ["50%", "80%", "100%", "+12h", "+24h"]
        planned = [e.planned_at for e in life.steps(kind)]
        assert planned == sorted(planned)


def test_rule_3_1_one_step_is_one_escalation_however_many_hear_of_it() -> None:
    policy = laddered(step("100%", notify=(ASSIGNEE, FIRST_OWNER, TEAM_LEAD, EXECUTIVE)))
    life = Life(policy=policy).do("assign", assignee="an").wait(hours=25)
    [taken] = life.steps("first_response")
    assert taken.recipients == ("an", "fei", "zhao", "chen")
    assert len(life.events_of(EventType.ESCALATED)) == 1


def test_rule_3_1_two_follow_ups_have_a_ladder_each() -> None:
    life = followed_up(priority=Priority.HIGH).wait(days=100)
    assert [names(life.steps("follow_up", sequence=n)) for n in (1, 2, 3)] == [["-3d", "100%", "+3d"]] * 3


# Rule 3.2 ---------------------------------------------------------------------------------------------------


def working(*ladder: Step) -> Life:
    """Received Monday 09:00, 8 working hours, due Tuesday 09:30."""
    return Life(policy=laddered(*ladder, policy=WORKING), now=local("2026-01-05 09:00"))


@pytest.mark.parametrize(
    ("at", "planned"),
    [
        ("25%", "2026-01-05 11:00"),
        ("50%", "2026-01-05 14:30"),  # not in the lunch break
        ("80%", "2026-01-05 16:54"),
        ("99%", "2026-01-06 09:25:12"),
        ("100%", "2026-01-06 09:30"),
        ("125%", "2026-01-06 11:30"),
        ("-1h", "2026-01-05 17:30"),  # 60 open minutes before
        ("-5h", "2026-01-05 13:30"),
        ("+1h", "2026-01-06 10:30"),
        ("+4h", "2026-01-06 15:00"),
        ("-1d", "2026-01-05 09:30"),
        ("+1d", "2026-01-07 09:30"),
    ],
)
def test_rule_3_2_shares_and_hours_are_of_open_time(at: str, planned: str) -> None:
    life = working(step(at)).wait(days=3)
    [taken] = life.steps("first_response")
    assert taken.planned_at == local(planned)


def test_rule_3_2_hours_before_a_deadline_in_working_days_are_open_ones_too() -> None:
    policy = with_rule(
        laddered(step("-2h"), step("100%"), step("+1h"), policy=WORKING, kind=RESOLUTION),
        RESOLUTION,
        targets=(TargetChoice(Target(1, Unit.WORKING_DAYS)),),
    )
    life = Life(policy=policy, now=local("2026-01-09 10:00")).wait(days=6)  # a Friday
    assert [(e.step, e.planned_at) for e in life.steps("resolution")] == [
        ("-2h", local("2026-01-09 17:00")),
        ("100%", local("2026-01-12 10:00")),
        ("+1h", local("2026-01-12 11:00")),
    ]


def test_rule_3_2_pauses_are_left_out_of_shares() -> None:
    life = in_status(Status.INVESTIGATING).jump(hours=10)
    life.do("hold", until=life.now + hours(20)).wait(hours=20).wait(days=10)
    assert [(e.step, e.planned_at - START) for e in life.steps("resolution")] == [
        ("50%", hours(24 + 20)),
        ("80%", hours(38.4 + 20)),
        ("100%", hours(48 + 20)),
        ("+12h", hours(48 + 20 + 12)),
        ("+24h", hours(48 + 20 + 24)),
    ]


def test_rule_3_2_hours_before_due_leave_out_pauses_too() -> None:
    policy = laddered(step("-4h", 0), step("100%"), kind=RESOLUTION)
    life = in_status(Status.INVESTIGATING, policy=policy).jump(hours=46)  # 2 h left, -4h is past
    life.do("hold", until=life.now + hours(10)).do("resume").jump(hours=1)
    life.do("hold", until=life.now + hours(10)).wait(days=2)
    assert [(e.step, e.planned_at - START) for e in life.steps("resolution")] == [
        ("-4h", hours(44)),
        ("100%", hours(58)),
    ]
    assert [e.taken_at - START for e in life.steps("resolution")] == [hours(46), hours(58) + MOMENT]


def test_rule_3_2_no_step_is_taken_while_the_clock_is_paused() -> None:
    life = in_status(Status.INVESTIGATING).jump(hours=23)
    life.do("hold", until=life.now + hours(30)).wait(hours=29)
    assert names(life.steps("resolution")) == []
    life.do("resume").wait(hours=1)
    assert [(e.step, e.planned_at) for e in life.steps("resolution")] == [("50%", life.now)]


def test_rule_3_2_steps_go_on_in_a_hold_that_does_not_pause() -> None:
    life = in_status(Status.INVESTIGATING)
    life.do("hold", reason=HoldReason.OUTAGE, until=life.now + days(3)).wait(hours=40)
    assert names(life.steps("resolution")) == ["50%", "80%"]


@pytest.mark.parametrize("kind", ["first_response", "resolution"])
def test_rule_3_2_the_100_percent_step_is_taken_at_the_first_instant_past_due(kind: str) -> None:
    life = Life()
    due_at = life.deadline(kind).due_at
    life.wait(to=due_at).sweep()
    assert names(life.steps(kind)) == ["50%", "80%"]
    assert life.complaint.wake_at == due_at + MOMENT
    life.jump(microseconds=1).sweep()
    taken = life.steps(kind)[-1]
    assert (taken.step, taken.planned_at, taken.taken_at) == ("100%", due_at, due_at + MOMENT)


def test_rule_3_2_a_share_past_due_counts_no_pause_and_wakes_nobody_for_nothing() -> None:
    policy = laddered(step("100%"), step("150%", 2), kind=RESOLUTION)
    life = in_status(Status.INVESTIGATING, policy=policy).wait(hours=50)
    life.do("hold", until=life.now + hours(10)).wait(hours=40)
    assert [(e.step, e.planned_at - START) for e in life.steps("resolution")] == [
        ("100%", hours(48)),
        ("150%", hours(72 + 10)),
    ]
    wake_at = life.complaint.wake_at
    assert wake_at is None or wake_at > life.now


# Rule 3.3 ---------------------------------------------------------------------------------------------------


def test_rule_3_3_after_downtime_every_passed_step_is_recorded_in_order() -> None:
    life = Life().do("assign", assignee="an").jump(hours=37).sweep()
    assert [
        (e.step, e.planned_at - START, e.taken_at, e.superseded, e.recipients)
        for e in life.steps("first_response")
    ] == [
        ("50%", hours(12), life.now, True, ()),
        ("80%", hours(19.2), life.now, True, ()),
        ("100%", hours(24), life.now, True, ()),
        ("+12h", hours(36), life.now, False, ("sun",)),
    ]


def test_rule_3_3_the_highest_of_each_deadline_notifies() -> None:
    life = Life().jump(days=30).sweep()
    loud = [(e.kind, e.step) for e in life.escalations if not e.superseded]
    assert loud == [(FIRST_RESPONSE, "+24h"), (RESOLUTION, "+24h")]
    assert [e.planned_at for e in life.escalations] == sorted(e.planned_at for e in life.escalations)


def test_rule_3_3_of_two_with_the_same_level_the_later_notifies() -> None:
    life = Life().jump(hours=20).sweep()
    assert [(e.step, e.superseded) for e in life.steps("first_response")] == [("50%", True), ("80%", False)]


def test_rule_3_3_a_highest_that_is_not_the_last_notifies() -> None:
    life = Life(policy=laddered(step("100%", 3), step("+1h", 1))).jump(hours=30).sweep()
    assert [(e.step, e.superseded) for e in life.steps("first_response")] == [("100%", False), ("+1h", True)]


def test_rule_3_3_the_same_for_one_born_breached() -> None:
    life = Life(received_at=START - hours(40))
    assert [(e.step, e.superseded, e.recipients) for e in life.steps("first_response")] == [
        ("50%", True, ()),
        ("80%", True, ()),
        ("100%", True, ()),
        ("+12h", False, ("sun",)),
    ]
    assert {e.taken_at for e in life.escalations} == {START}


def test_rule_3_3_steps_past_at_an_import_notify_nobody_and_later_ones_do() -> None:
    life = Life(received_at=START - hours(40), imported=True)
    assert names(life.steps("first_response")) == ["50%", "80%", "100%", "+12h"]
    assert names(life.steps("resolution")) == ["50%", "80%"]
    assert all(e.superseded and not e.recipients for e in life.escalations)
    life.wait(hours=8, microseconds=1)
    assert [(e.kind, e.step, e.recipients) for e in life.escalations if not e.superseded] == [
        (FIRST_RESPONSE, "+24h", ("chen",)),
        (RESOLUTION, "100%", ("zhao",)),
    ]


def test_rule_3_3_a_deadline_made_past_due_notifies_once() -> None:
    policy = with_rule(
        HANDBOOK,
        RESOLUTION,
        targets=(
            TargetChoice(Target(12 * 3600, Unit.ELAPSED_SECONDS), priority=Priority.URGENT),
            TargetChoice(Target(48 * 3600, Unit.ELAPSED_SECONDS)),
        ),
    )
    life = Life(policy=policy).wait(hours=20).change(priority=Priority.URGENT)
    assert [(e.step, e.superseded) for e in life.steps("resolution")] == [
        ("50%", True),
        ("80%", True),
        ("100%", False),
    ]


# Rule 3.4 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [hours(1), days(30), days(3650)])
def test_rule_3_4_nothing_is_too_late_to_be_taken(late: timedelta) -> None:
    life = Life().jump(to=START + days(5) + late).sweep()
    assert names(life.steps("first_response")) == ["50%", "80%", "100%", "+12h", "+24h"]
    assert life.complaint.wake_at is None


def test_rule_3_4_holds_end_then_breaches_then_steps_by_planned_time_then_id() -> None:
    life = in_status(Status.INVESTIGATING)
    life.promise(START + hours(3)).promise(START + hours(3)).promise(START + hours(2))
    life.do("hold", until=START + hours(4)).jump(hours=5)
    recorded = len(life.events)
    life.sweep()
    found = [(e.type, e.data.get("deadline_id"), e.data.get("step")) for e in life.events[recorded:]]
    first, second, third = (str(d.id) for d in life.deadlines("promise"))
    assert found == [
        (EventType.RESUMED, None, None),
        (EventType.DEADLINE_BREACHED, third, None),
        (EventType.DEADLINE_BREACHED, first, None),
        (EventType.DEADLINE_BREACHED, second, None),
        (EventType.DEADLINE_WARNING, third, "-1h"),
        (EventType.DEADLINE_WARNING, first, "-1h"),
        (EventType.DEADLINE_WARNING, second, "-1h"),
        (EventType.ESCALATED, third, "100%"),
        (EventType.ESCALATED, first, "100%"),
        (EventType.ESCALATED, second, "100%"),
    ]


def test_rule_3_4_steps_of_one_planned_time_go_by_id() -> None:
    life = Life()
    for _ in range(4):
        life.promise(START + hours(3))
    life.jump(hours=4).sweep()
    reminded = [e.deadline_id for e in life.escalations if e.step == "-1h"]
    assert reminded == sorted(d.id for d in life.deadlines("promise"))


# Rule 3.5 ---------------------------------------------------------------------------------------------------


def test_rule_3_5_each_escalation_can_be_named_to_acknowledge_it() -> None:
    life = Life().jump(days=3).do("escalate")
    recorded = [e.data["escalation_id"] for e in life.events if "escalation_id" in e.data]
    assert recorded == [str(e.id) for e in life.escalations]
    assert all(isinstance(e.id, UUID) for e in life.escalations)
    assert len(set(recorded)) == 11


# Rule 3.6 ---------------------------------------------------------------------------------------------------


def heard(*roles: RecipientRole, directory: Directory = DIRECTORY, **members: Any) -> tuple[str, ...]:
    """Who hears of a step for `roles`, the complaint being with customer service and assigned to `an`."""
    complaint = replace(Life().complaint, **({"assignee": "an"} | members))
    return find_recipients(roles, complaint, directory, START)


def absent(directory: Directory, login: str, **changes: Any) -> Directory:
    return with_user(directory, login, **({"absent_from": START - days(1)} | changes))


@pytest.mark.parametrize(
    ("role", "login"),
    [
        (ASSIGNEE, "an"),
        (FIRST_OWNER, "fei"),
        (TEAM_LEAD, "zhao"),
        (DEPARTMENT_HEAD, "sun"),
        (EXECUTIVE, "chen"),
    ],
)
def test_rule_3_6_a_role_is_the_person_who_holds_it(role: RecipientRole, login: str) -> None:
    assert heard(role) == (login,)


def test_rule_3_6_the_roles_are_those_of_the_present_team() -> None:
    assert heard(TEAM_LEAD, DEPARTMENT_HEAD, EXECUTIVE, team="operations") == ("li", "wu", "chen")


def test_rule_3_6_nobody_hears_twice() -> None:
    assert heard(ASSIGNEE, FIRST_OWNER, TEAM_LEAD, assignee="zhao") == ("zhao", "fei")


def test_rule_3_6_no_assignee_the_first_owner() -> None:
    assert heard(ASSIGNEE, assignee=None) == ("fei",)


@pytest.mark.parametrize(
    ("changes", "login"),
    [
        ({}, "li"),
        ({"absent_until": START + MOMENT}, "li"),
        ({"absent_until": START}, "zhao"),
        ({"absent_from": START + MOMENT}, "zhao"),
        ({"absent_from": None, "active": False}, "li"),
    ],
)
def test_rule_3_6_an_absent_leads_deputy_gets_it(changes: dict[str, Any], login: str) -> None:
    assert heard(TEAM_LEAD, directory=absent(DIRECTORY, "zhao", **({"deputy": "li"} | changes))) == (login,)


def test_rule_3_6_the_teams_deputy_stands_in_too() -> None:
    directory = absent(with_team(DIRECTORY, "customer_service", deputy="li"), "zhao")
    assert heard(TEAM_LEAD, directory=directory) == ("li",)


def test_rule_3_6_the_departments_deputy_stands_in_too() -> None:
    directory = absent(with_department(DIRECTORY, "service", deputy="wu"), "sun")
    assert heard(DEPARTMENT_HEAD, directory=directory) == ("wu",)


@pytest.mark.parametrize(
    ("directory", "login"),
    [
        (with_team(DIRECTORY, "customer_service", lead=None), "sun"),
        (absent(DIRECTORY, "zhao"), "sun"),
        (absent(absent(DIRECTORY, "zhao", deputy="li"), "li"), "sun"),
        (with_team(DIRECTORY, "customer_service", lead="nobody"), "sun"),
        (with_department(with_team(DIRECTORY, "customer_service", lead=None), "service", head=None), "chen"),
    ],
    ids=["vacant", "absent", "deputy absent too", "unknown", "two vacant"],
)
def test_rule_3_6_a_vacant_role_is_the_next_one_up(directory: Directory, login: str) -> None:
    assert heard(TEAM_LEAD, directory=directory) == (login,)


def test_rule_3_6_an_absent_assignee_without_deputy_is_the_first_owner() -> None:
    assert heard(ASSIGNEE, directory=absent(DIRECTORY, "an")) == ("fei",)


def test_rule_3_6_where_nobody_holds_a_role_the_step_is_recorded_all_the_same() -> None:
    directory = Directory(users={"fei": User("fei", "Fei")}, teams={}, departments={})
    life = Life(directory=directory).wait(hours=25)
    assert [(e.step, e.recipients, e.superseded) for e in life.steps("first_response")] == [
        ("50%", ("fei",), False),
        ("80%", ("fei",), False),
        ("100%", (), False),
    ]


def test_rule_3_6_a_department_without_parent_is_the_top() -> None:
    directory = with_department(DIRECTORY, "service", parent=None)
    assert heard(EXECUTIVE, directory=directory) == ("sun",)


def test_rule_3_6_departments_in_a_ring_end_somewhere() -> None:
    directory = with_department(DIRECTORY, "head_office", parent="service")
    assert len(heard(EXECUTIVE, directory=directory)) == 1


def test_rule_3_6_recipients_are_found_when_the_step_is_taken() -> None:
    life = Life().wait(hours=20)
    life.directory = with_team(DIRECTORY, "customer_service", lead="li")
    life.wait(hours=5)
    assert [e.recipients for e in life.steps("first_response")] == [("fei",), ("fei", "zhao"), ("li",)]


# Rule 3.10 --------------------------------------------------------------------------------------------------

LED = with_department(
    with_team(DIRECTORY, "customer_service", deputy="an"), "service", head="zhao", deputy="wu"
)


@pytest.mark.parametrize(
    ("directory", "stand_ins"),
    [
        (LED, set()),
        (absent(LED, "zhao"), {"an", "wu"}),
        (absent(LED, "zhao", deputy="li"), {"li"}),
        (absent(absent(LED, "zhao", deputy="li"), "li"), {"an", "wu"}),
        (absent(LED, "zhao", absent_until=START), set()),
        (absent(LED, "zhao", absent_from=START + MOMENT), set()),
        (with_user(LED, "zhao", active=False), {"an", "wu"}),
        (absent(DIRECTORY, "an"), set()),
    ],
    ids=["there", "lead", "deputy", "deputy absent too", "back", "not yet", "inactive", "leads nothing"],
)
def test_rule_3_10_deputies_stand_in_for_the_absent(directory: Directory, stand_ins: set[str]) -> None:
    found = {
        login: find_represented_users(login, directory, START)
        for login in ("an", "fei", "li", "sun", "wu", "chen")
    }
    assert {login: users for login, users in found.items() if users} == dict.fromkeys(stand_ins, ("zhao",))


# Rule 3.7 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [timedelta(), timedelta(milliseconds=300), hours(2)])
def test_rule_3_7_every_step_tells_how_late_it_was_taken(lag: timedelta) -> None:
    life = Life().jump(hours=12).jump(seconds=lag.total_seconds()).sweep()
    [taken] = life.escalations
    assert taken.taken_at - taken.planned_at == lag
    recorded = life.events_of(EventType.DEADLINE_WARNING)[0]
    assert recorded.at - datetime.fromisoformat(recorded.data["planned_at"]) == lag


# What steps may do ------------------------------------------------------------------------------------------

RAISING = with_rule(
    laddered(step("50%", 0, raise_priority=True), step("100%")),
    RESOLUTION,
    targets=(
        TargetChoice(Target(6 * 3600, Unit.ELAPSED_SECONDS), priority=Priority.URGENT),
        TargetChoice(Target(20 * 3600, Unit.ELAPSED_SECONDS), priority=Priority.HIGH),
        TargetChoice(Target(48 * 3600, Unit.ELAPSED_SECONDS)),
    ),
)


def test_a_step_raises_the_priority_and_the_clocks_follow() -> None:
    life = Life(policy=RAISING).wait(hours=12)
    assert (life.complaint.priority, life.complaint.version) == (Priority.HIGH, 2)
    assert life.deadline("resolution").due_at == START + hours(20)
    [recorded] = life.events_of(EventType.UPDATED)
    assert (recorded.actor, recorded.data["step"], recorded.data["changes"]) == (
        "engine",
        "50%",
        {"priority": "high", "priority_raised_by": ["ladder"]},
    )
    assert life.complaint.priority_reasons == ("severity", "ladder")


def test_a_raised_priority_that_makes_another_clock_past_due_breaches_it_at_once() -> None:
    life = Life(policy=RAISING, priority=Priority.HIGH).jump(hours=12).sweep()
    resolution = life.deadline("resolution")
    assert (resolution.status, resolution.breached_at) == (DeadlineStatus.BREACHED, START + hours(12))
    assert names(life.steps("resolution")) == ["50%", "80%", "100%"]
    wake_at = life.complaint.wake_at
    assert wake_at is not None
    assert wake_at > life.now


def test_what_a_step_puts_off_is_not_taken_with_it() -> None:
    choices = (
        TargetChoice(Target(48 * 3600, Unit.ELAPSED_SECONDS), priority=Priority.HIGH),
        TargetChoice(Target(20 * 3600, Unit.ELAPSED_SECONDS)),
    )
    life = Life(policy=with_rule(RAISING, RESOLUTION, targets=choices)).jump(hours=17).sweep()
    assert life.complaint.priority is Priority.HIGH
    assert names(life.steps("resolution")) == ["50%"]  # 80 % was past at 16 h, and is now at 38.4 h


def test_urgent_stays_urgent_and_nothing_is_recorded() -> None:
    life = Life(policy=RAISING, priority=Priority.URGENT).wait(hours=13)
    assert (life.complaint.priority, life.complaint.version) == (Priority.URGENT, 1)
    assert not life.events_of(EventType.UPDATED)


def test_a_step_moves_it_to_another_team_and_later_steps_go_there() -> None:
    policy = laddered(
        step("50%", 0, move_to_team="operations"), step("80%"), step("100%", 2, (DEPARTMENT_HEAD,))
    )
    life = Life(policy=policy).do("assign", assignee="an").wait(hours=25)
    assert (life.complaint.team, life.complaint.assignee) == ("operations", None)
    assert life.complaint.first_owner == "fei"
    assert [e.recipients for e in life.steps("first_response")] == [("zhao",), ("li",), ("wu",)]


def test_moved_to_its_own_team_it_keeps_its_assignee() -> None:
    policy = laddered(step("50%", 0, move_to_team="customer_service"), step("100%"))
    life = Life(policy=policy).do("assign", assignee="an").wait(hours=13)
    assert (life.complaint.assignee, life.complaint.version) == ("an", 2)


def test_after_downtime_steps_still_do_what_they_do_in_order() -> None:
    policy = laddered(
        step("50%", 0, move_to_team="operations", raise_priority=True),
        step("80%", 1, raise_priority=True),
        step("100%", 2, (DEPARTMENT_HEAD,)),
    )
    life = Life(policy=policy).jump(hours=25).sweep()
    assert [(e.step, e.superseded, e.recipients) for e in life.steps("first_response")] == [
        ("50%", True, ()),
        ("80%", True, ()),
        ("100%", False, ("wu",)),
    ]
    assert (life.complaint.priority, life.complaint.version) == (Priority.URGENT, 2)
