"""Plans and stamps: a stamped change is the change that the rules plan, member by member and event by event."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy, TargetChoice
from complaints.domain.rules import intake, passing_time, waiting
from complaints.domain.rules.intake import NewComplaint, plan_intake
from complaints.domain.rules.models import NotInKind, Present
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.rules.plans import MOST_KINDS, PlansByKind
from complaints.domain.rules.waiting import catch_up_by_plan
from complaints.domain.staff import Directory, DutyShift
from complaints.domain.time.notation import Repeat
from complaints.domain.time.working_time import Target, Unit
from complaints.domain.vocabulary import Cause, Channel, DeadlineKind, Nature, Priority, Severity
from tests.domain.builders import (
    DIRECTORY,
    HANDBOOK,
    MOMENT,
    START,
    SUPERVISOR,
    WORKING,
    Life,
    hours,
    with_rule,
    with_user,
)
from tests.domain.test_life_properties import BY_PRIORITY, POLICIES, Turn, passed, take, turns
from tests.domain.test_own_deadlines import BY_CIRCUMSTANCES, kind, policy_of
from tests.examples import examples

RESPONSE, RESOLUTION = DeadlineKind.FIRST_RESPONSE, DeadlineKind.RESOLUTION


def with_step(policy: Policy, place: int, **changes: Any) -> Policy:
    """The policy with another step in the ladder of the first response."""
    ladder = list(policy.rules[RESPONSE].ladder)
    ladder[place] = replace(ladder[place], **changes)
    return with_rule(policy, RESPONSE, ladder=tuple(ladder))


# Each has something that is awkward for a plan.
EVERY_POLICY = {
    **POLICIES,
    "raising": with_step(with_rule(HANDBOOK, RESOLUTION, targets=BY_PRIORITY), 1, raise_priority=True),
    "moving": with_step(HANDBOOK, 2, move_to_team="operations"),
    "by date": with_step(HANDBOOK, 3, offset_seconds=None, offset_days=1),
    "repeating": with_step(HANDBOOK, -1, repeat=Repeat("1h", seconds=3600)),
    "own": policy_of(
        first=kind("receipt", ["assign"], "6 elapsed hours"),
        team=kind("route", ["respond"], "26 elapsed hours"),
        work=kind("assign", ["resolve"], "24 elapsed hours"),
    ),
    "own and moving": with_step(
        policy_of(team=kind("route", ["respond"], "6 elapsed hours")), 2, move_to_team="operations"
    ),
    "by circumstances": with_rule(HANDBOOK, RESPONSE, targets=BY_CIRCUMSTANCES.rules["regulator"].targets),
    "duty at night": replace(WORKING, duty_outside="office"),
}
# One of the staff is absent for a while, another has left, and somebody is on duty for a few hours.
STAFF = with_user(
    with_user(DIRECTORY, "zhao", absent_from=START + hours(20), absent_until=START + hours(26), deputy="an"),
    "fei",
    active=False,
)
STAFF = replace(STAFF, duty={"customer_service": (DutyShift("li", START + hours(25), START + hours(60)),)})
OUTAGE = Category("network.outage", "network", {}, Cause.TECHNICAL, Nature.TECHNICAL)


def told(change: Change) -> dict[str, Any]:
    """Everything that a change tells to storage."""
    change.finish()
    return {
        "before": change.before,
        "members": vars(change.complaint),
        "events": [(e.type, e.version, e.at, e.actor, e.data) for e in change.events],
        "escalations": change.escalations,
        "promises": change.promises,
        "touched": change.touched,
        "derived": (
            change.complaint.wake_at,
            change.complaint.next_due_at,
            change.complaint.overdue_after_at,
        ),
    }


def numbered() -> Any:
    ids = count(1)
    return lambda: UUID(int=next(ids))


def received(new: NewComplaint, now: datetime, *, repeat: bool, plans: PlansByKind | None) -> Change:
    return plan_intake(
        new,
        repeat=repeat,
        directory=STAFF,
        now=now,
        sequence=7,
        new_id=numbered(),
        person_digests={"complainant": "ab"} if new.complainant else None,
        plans=plans,
    )


def swept(life: Life, plans: PlansByKind) -> Change:
    return catch_up_by_plan(
        life.complaint, life.policy, life.directory, life.now, plans=plans, new_id=numbered()
    )


def planned(life: Life) -> Change:
    change = Change(life.complaint, actor=ENGINE, new_id=numbered())
    catch_up(change, life.policy, life.directory, life.now, in_parts=True)
    return change


# What decides, few values each: most posts of a test are of a kind that came before.
posts = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(sorted(EVERY_POLICY)),
        "priority": st.sampled_from([None, None, Priority.HIGH]),
        "category": st.sampled_from([None, OUTAGE]),
        "team": st.sampled_from([None, None, "operations"]),
        "import_id": st.sampled_from([None, UUID(int=5)]),
    }
)
# These decide at most on the priority and the team.
tellings = st.fixed_dictionaries(
    {
        "channel": st.sampled_from([Channel.PHONE, Channel.REGULATOR]),
        "severity": st.sampled_from([Severity.NORMAL, Severity.CRITICAL]),
        "region": st.sampled_from([None, "CN-31"]),
        "complainant": st.sampled_from([None, Person(name="Wang"), Person(name="Li", vulnerable=True)]),
        "subject": st.sampled_from(["No signal", "没有信号"]),
        "description": st.sampled_from([None, "Since Monday"]),
        "external_id": st.sampled_from([None, "X-1"]),
        "service_id": st.sampled_from([None, "0044"]),
        "tags": st.sampled_from([(), ("vip",)]),
        "attributes": st.sampled_from([{}, {"cell": 2**70, "at": [1.5, None]}]),
        "external_ids": st.sampled_from([{}, {"crm": "C-1"}]),
        "source": st.sampled_from(["web", "crm"]),
        "actor": st.sampled_from(["key:web", "user:an"]),
        "created_by": st.sampled_from([None, "an"]),
        "first_owner": st.sampled_from([None, None, "li"]),
    }
)
LATE = st.sampled_from(
    [timedelta(), timedelta(minutes=-4), hours(1), hours(12), hours(24), hours(24.5), hours(99)]
)


@settings(max_examples=examples(60))
@given(
    posts,
    st.lists(st.tuples(tellings, LATE, st.integers(0, 90_000_000), st.booleans()), min_size=3, max_size=7),
)
def test_a_stamped_intake_is_the_planned_one(post: dict[str, Any], tales: list[Any]) -> None:
    plans, policy = PlansByKind(), EVERY_POLICY[post["policy"]]
    for telling, late, microseconds, repeat in tales:
        now = START + timedelta(microseconds=microseconds)
        new = NewComplaint(**post | telling | {"policy": policy, "received_at": now - late})
        by_plan, by_rules = (received(new, now, repeat=repeat, plans=known) for known in (plans, None))
        assert told(by_plan) == told(by_rules)


@settings(max_examples=examples(40))
@given(
    st.sampled_from(sorted(EVERY_POLICY)),
    st.sampled_from(Priority),
    st.lists(turns, max_size=8),
    st.lists(st.integers(0, 10_000), min_size=3, max_size=3),
)
def test_a_stamped_sweep_is_the_planned_one(
    code: str, priority: Priority, taken: list[Turn], seconds: list[int]
) -> None:
    # Complaints with the same life that began a little apart: they are of one kind, and not always in step.
    plans, policy = PlansByKind(), EVERY_POLICY[code]
    lives = [
        Life(
            policy=policy, directory=STAFF, priority=priority, roles=SUPERVISOR,
            now=START + timedelta(seconds=later),
        )
        for later in seconds
    ]  # fmt: skip
    for turn in [*taken, Turn("days", 3, True, 0, 0)]:
        span = passed(lives[0], turn)
        for life in lives:
            life.jump(to=life.now + span)
            assert told(swept(life, plans)) == told(planned(life))
        for place, life in enumerate(lives):
            if not turn.idle:
                take(life.jump(seconds=place), turn)


# Which kinds have plans -----------------------------------------------------------------------------------------


@pytest.fixture
def stamps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The plans that were stamped."""
    found: list[Any] = []
    for module in (intake, waiting):
        stamp = module.stamp

        def note(plan: Any, *given: Any, stamp: Any = stamp, **named: Any) -> Change:
            found.append(plan)
            changed: Change = stamp(plan, *given, **named)
            return changed

        monkeypatch.setattr(module, "stamp", note)
    return found


def post_thrice(policy: Policy, **members: Any) -> None:
    plans = PlansByKind()
    for second in range(3):
        now = START + timedelta(seconds=second)
        new = NewComplaint(
            channel=Channel.PHONE, subject=f"{second}", source="web", received_at=now, policy=policy, actor="a",
            **members,
        )  # fmt: skip
        received(new, now, repeat=False, plans=plans)


@pytest.mark.parametrize(
    ("policy", "count_of_stamps"),
    [
        (HANDBOOK, 2),
        (EVERY_POLICY["raising"], 2),
        (EVERY_POLICY["repeating"], 2),
        (EVERY_POLICY["own"], 2),
        (EVERY_POLICY["by circumstances"], 2),
        (EVERY_POLICY["by date"], 0),
        (WORKING, 0),
        (with_rule(HANDBOOK, RESPONSE, targets=(TargetChoice(Target(1, Unit.CALENDAR_DAYS)),)), 0),
    ],
)
def test_the_second_post_of_a_kind_is_stamped_if_its_clocks_never_stop(
    policy: Policy, count_of_stamps: int, stamps: list[Any]
) -> None:
    post_thrice(policy)
    assert len(stamps) == count_of_stamps


def test_channel_region_and_source_belong_to_the_kind_only_if_the_policy_chooses_by_them() -> None:
    assert [HANDBOOK.narrowing, WORKING.narrowing] == [(), ()]
    assert EVERY_POLICY["by circumstances"].narrowing == ("channel", "region", "source")


def sweep_thrice(at: timedelta, prepare: Any = lambda life: life, policy: Policy = HANDBOOK) -> list[Change]:
    plans = PlansByKind()
    lives = [prepare(Life(policy=policy, now=START + timedelta(seconds=n))) for n in range(3)]
    return [swept(life.jump(to=START + at), plans) for life in lives]


@pytest.mark.parametrize(
    ("at", "prepare", "count_of_stamps"),
    [
        (hours(13), lambda life: life, 2),
        (hours(25), lambda life: life, 2),
        (hours(25), lambda life: life.do("respond"), 2),
        (hours(99), lambda life: life, 2),
        (hours(99), lambda life: life.do("respond").do("hold"), 0),
        (hours(25), lambda life: life.promise(START + hours(24)), 0),
    ],
)
def test_the_second_complaint_of_a_kind_is_caught_up_by_a_stamp(
    at: timedelta, prepare: Any, count_of_stamps: int, stamps: list[Any]
) -> None:
    for change in sweep_thrice(at, prepare):
        assert change.events
    assert len(stamps) == count_of_stamps


@pytest.mark.parametrize(
    "reads",
    [
        lambda complaint, now: complaint.subject,
        lambda complaint, now: complaint.attributes,
        lambda complaint, now: complaint.external_id,
        lambda complaint, now: complaint.created_at < now,
        lambda complaint, now: complaint.updated_at == now,
        lambda complaint, now: now - START,
        lambda complaint, now: now.hour,
        lambda complaint, now: str(complaint.deadlines[0].id),
        lambda complaint, now: now.astimezone(),
    ],
)
def test_a_rule_that_reads_more_than_the_kind_plans_each_complaint(
    reads: Any, stamps: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = passing_time.find_recipients

    def find_and_read(
        roles: Any, complaint: Complaint, directory: Directory, now: datetime
    ) -> tuple[str, ...]:
        reads(complaint, now)
        return find(roles, complaint, directory, now)

    monkeypatch.setattr(passing_time, "find_recipients", find_and_read)
    changes = sweep_thrice(hours(25))
    assert [len(change.escalations) for change in changes] == [len(changes[0].escalations)] * 3
    assert not stamps


def test_an_absence_that_begins_ends_a_plan() -> None:
    plans = PlansByKind()
    for minute in range(-3, 3):
        life = Life(directory=STAFF, now=START + timedelta(minutes=minute)).jump(to=START + hours(20))
        life.jump(minutes=minute)
        assert told(swept(life, plans)) == told(planned(life))


def test_rule_3_11_a_shift_that_begins_or_ends_ends_a_plan() -> None:
    shift = DutyShift("li", START + hours(24), START + hours(24) + timedelta(minutes=1))
    staff = replace(DIRECTORY, duty={"customer_service": (shift,)})
    plans, heard = PlansByKind(), []
    for second in (1, 2, 3, 59, 60, 61, 62):
        life = Life(directory=staff).jump(to=START + hours(24) + timedelta(seconds=second))
        change = swept(life, plans)
        assert told(change) == told(planned(life))
        heard += [escalation.recipients for escalation in change.escalations if escalation.level]
    assert heard == [("li",)] * 4 + [("zhao",)] * 3


def test_deadlines_that_broke_at_different_times_are_of_different_kinds() -> None:
    plans, policy = PlansByKind(), with_rule(HANDBOOK, RESPONSE, targets=BY_PRIORITY)
    for minute in range(4):
        life = Life(policy=policy).jump(to=START + hours(11) + timedelta(minutes=minute))
        life.change(priority=Priority.URGENT)
        [breached] = life.deadlines("first_response")
        assert breached.breached_at == life.now
        assert told(swept(life.jump(to=START + hours(23)), plans)) == told(planned(life))


def test_complaints_with_one_priority_and_team_are_of_one_kind(stamps: list[Any]) -> None:
    plans, facts = (
        PlansByKind(),
        {"policy": HANDBOOK, "received_at": START, "source": "web", "actor": "key:web"},
    )
    for channel, severity, region in [
        (Channel.PHONE, Severity.CRITICAL, None),
        (Channel.APP, Severity.CRITICAL, "GD"),
        (Channel.REGULATOR, Severity.HIGH, "CN-31"),
    ]:
        new = NewComplaint(subject="Slow", channel=channel, severity=severity, region=region, **facts)
        change = received(new, START, repeat=False, plans=plans)
        assert told(change) == told(received(new, START, repeat=False, plans=None))
    assert len(stamps) == 1  # the first is planned by the rules; the third was raised, and is of another kind


def test_kinds_are_forgotten_when_there_are_too_many(stamps: list[Any]) -> None:
    plans = PlansByKind()
    for n in range(MOST_KINDS + 1):
        assert plans.find_plan(n, START, START, lambda: pytest.fail("made for the first of a kind")) is None
    assert plans.find_plan(0, START, START, lambda: pytest.fail("it was forgotten")) is None


@pytest.mark.parametrize(
    ("compare", "splits"),
    [
        (lambda now, at: at <= now, [START]),
        (lambda now, at: at < now, [START + MOMENT]),
        (lambda now, at: at > now, [START]),
        (lambda now, at: at >= now, [START + MOMENT]),
        (lambda now, at: at == now, [START, START + MOMENT]),
        (lambda now, at: at != now, [START, START + MOMENT]),
    ],
)
def test_the_present_of_a_model_notes_where_a_comparison_changes(
    compare: Any, splits: list[datetime]
) -> None:
    for now in (START - MOMENT, START, START + MOMENT):
        present = Present.at(now)
        assert compare(present, START) is compare(now, START)
        assert present.splits == splits


def test_the_present_of_a_model_can_only_be_compared() -> None:
    present = Present.at(START)
    for compute in (lambda: present + hours(1), lambda: present - START, lambda: START - present):
        with pytest.raises(NotInKind, match="compute"):
            compute()
    with pytest.raises(NotInKind, match="hour"):
        _ = present.hour
