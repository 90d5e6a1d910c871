"""Where the time of a complaint went, who is charged with a breach, and whether the first owner kept contact."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.domain.figures.time_shares import (
    CLOSED_HOURS,
    COMPLAINANT,
    THIRD_PARTY,
    HolderKind,
    TimeHolder,
    WorkHistory,
    charge_breach,
    divide_time,
    read_work_history,
)
from complaints.domain.time.calendars import ALWAYS_OPEN, WorkCalendar
from complaints.domain.vocabulary import ContactOutcome, HoldReason
from tests.domain.builders import START, SUPERVISOR, Life, hours, local
from tests.domain.test_life_properties import Turn, passed, take, turns
from tests.examples import examples

ZONES = ("Asia/Shanghai", "Europe/London", "America/New_York")
BEGINS = {  # the week of the change of clocks, or any week
    "Asia/Shanghai": datetime(2026, 10, 20, 1, 30, tzinfo=UTC),
    "Europe/London": datetime(2026, 10, 23, 1, 30, tzinfo=UTC),
    "America/New_York": datetime(2026, 3, 6, 1, 30, tzinfo=UTC),
}
OPENS, CLOSES = time(9), time(18)


def office(zone: str) -> WorkCalendar:
    """Monday to Saturday, 09:00 to 18:00, in the zone."""
    return WorkCalendar(zone, dict.fromkeys(range(6), ((9 * 3600, 18 * 3600),)))


def staff(team: str, person: str | None = None) -> TimeHolder:
    return TimeHolder(HolderKind.STAFF, team, person)


def read(life: Life) -> WorkHistory:
    return read_work_history(life.events)


def divide(life: Life, calendar: WorkCalendar = ALWAYS_OPEN) -> dict[TimeHolder, timedelta]:
    """The time from receipt until now."""
    return divide_time(read(life), life.complaint.received_at, life.now, calendar)


# Random lives --------------------------------------------------------------------------------------------------------

places = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["operations", "customer_service", None]),
        st.sampled_from(["an", "li"]),
    ),
    max_size=4,
)


def wander(
    zone: str, taken: list[Turn], moves: list[tuple[int, Any, str]]
) -> tuple[Life, list[tuple[datetime, str, Any]]]:
    """A life in which other people get the complaint now and then, and who had it from when on."""
    life = Life(now=BEGINS[zone], received_at=BEGINS[zone] - hours(3), roles=SUPERVISOR)
    seen = [(life.complaint.received_at, life.complaint.team, life.complaint.assignee)]
    for number, turn in enumerate(taken):
        life.jump(to=life.now + passed(life, turn)).sweep()
        if not turn.idle:
            take(life, turn)
        for at, team, assignee in moves:
            if at == number and life.complaint.open:
                life.do(
                    "assign", **({"team": team, "assignee": assignee} if team else {"assignee": assignee})
                )
        seen.append((life.now, life.complaint.team, life.complaint.assignee))
    return life.jump(hours=30).sweep(), seen


def holder_of(at: datetime, life: Life, seen: list[tuple[datetime, str, Any]], zone: str) -> TimeHolder:
    """The holder of an instant, found by looking at the complaint and at a clock on the wall."""
    wall = at.astimezone(ZoneInfo(zone))
    if wall.weekday() == 6 or not OPENS <= wall.time() < CLOSES:
        return CLOSED_HOURS
    for hold in life.complaint.holds:
        if hold.started_at <= at < (hold.ended_at or hold.until_at):
            return COMPLAINANT if hold.reason is HoldReason.AWAITING_COMPLAINANT else THIRD_PARTY
    team, assignee = [(team, assignee) for since, team, assignee in seen if since <= at][-1]
    return staff(team, assignee)


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=examples(12))
@given(st.lists(turns, max_size=10), places, st.lists(st.floats(0, 1), min_size=20, max_size=20))
def test_rule_6_30_each_second_has_one_holder(
    zone: str, taken: list[Turn], moves: list[tuple[int, Any, str]], samples: list[float]
) -> None:
    life, seen = wander(zone, taken, moves)
    history, calendar = read(life), office(zone)
    start, end = life.complaint.received_at, life.now
    parts = divide_time(history, start, end, calendar)
    assert sum(parts.values(), timedelta()) == end - start
    at_random = sorted(start + (end - start) * share for share in samples)
    cut: dict[TimeHolder, timedelta] = {}
    for one, other in pairwise([start, *at_random, end]):
        for holder, part in divide_time(history, one, other, calendar).items():
            cut[holder] = cut.get(holder, timedelta()) + part
    assert cut == parts
    for at in at_random[:-1]:
        moment = at + timedelta(microseconds=1)
        assert divide_time(history, at, moment, calendar) == {
            holder_of(at, life, seen, zone): timedelta(microseconds=1)
        }


# Cases ---------------------------------------------------------------------------------------------------------------


def test_rule_6_30_the_parts_of_a_life_with_holds() -> None:
    life = Life().jump(hours=2).do("assign", team="operations", assignee="an").jump(hours=1).do("respond")
    life.jump(hours=3).do("hold", reason=HoldReason.AWAITING_COMPLAINANT, until=life.now + hours(10))
    life.jump(hours=4).do("resume").jump(hours=1).do(
        "hold", reason=HoldReason.OUTAGE, until=life.now + hours(6)
    )
    life.jump(hours=20).do("assign", assignee="li")  # the hold ended after six hours
    life.jump(hours=5).do("resolve").jump(hours=1).do("notify_result").jump(days=3)
    history = read(life)
    [period] = history.periods
    assert (period.started_at, period.ended_at) == (START, START + hours(37))
    assert period.result_told
    assert divide_time(history, START, START + hours(37), ALWAYS_OPEN) == {
        staff("customer_service"): hours(2),
        staff("operations", "an"): hours(4 + 1 + 14),
        staff("operations", "li"): hours(6),
        COMPLAINANT: hours(4),
        THIRD_PARTY: hours(6),
    }


@pytest.mark.parametrize("minutes", [20, 50])
def test_rule_6_30_an_undone_merge_gives_the_hold_its_time_back(minutes: int) -> None:
    life = Life(roles=SUPERVISOR).do("respond").do("hold", until=START + hours(1)).jump(minutes=30)
    life.do("merge").jump(minutes=minutes).do("unmerge").jump(hours=5)
    assert divide(life) == {COMPLAINANT: hours(1), staff("customer_service"): life.now - START - hours(1)}
    assert read(life).periods[0].ended_at is None


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [("Asia/Shanghai", 25, 24), ("Europe/London", 25, 25), ("America/New_York", 8, 23)],
)
def test_rule_6_30_a_day_has_as_many_hours_as_its_clock(zone: str, day: int, length: int) -> None:
    month = BEGINS[zone].month
    midnights = [datetime(2026, month, day + n, tzinfo=ZoneInfo(zone)).astimezone(UTC) for n in (0, 1)]
    life = Life(now=midnights[0])
    all_day = WorkCalendar(zone, dict.fromkeys(range(7), ((0, 86_400),)))
    by_night = WorkCalendar(zone, dict.fromkeys(range(7), ((0, 4 * 3600),)))
    history = read(life)
    assert divide_time(history, *midnights, all_day) == {staff("customer_service"): hours(length)}
    assert divide_time(history, *midnights, by_night) == {
        staff("customer_service"): hours(length - 20),
        CLOSED_HOURS: hours(20),
    }


def test_rule_6_31_a_reopening_begins_another_period() -> None:
    life = Life(roles=SUPERVISOR).jump(hours=5).do("resolve").do("reopen").jump(hours=1)
    life.do("resolve").do("notify_result").jump(days=3).do("reopen").jump(hours=2)
    first, second = read(life).periods
    assert (first.ended_at, first.result_told) == (START + hours(6), True)
    assert (second.cycle, second.started_at, second.ended_at) == (2, START + hours(78), None)
    [rejected] = read(Life().jump(hours=1).do("reject")).periods
    assert (rejected.ended_at, rejected.result_told) == (START + hours(1), True)
    [withdrawn] = read(Life().jump(hours=1).do("withdraw")).periods
    assert (withdrawn.ended_at, withdrawn.result_told) == (START + hours(1), False)


def test_rule_6_32_a_breach_is_charged_by_share_of_time_held() -> None:
    life = Life().do("assign", assignee="an").jump(hours=36).do("assign", assignee="li").jump(hours=13)
    breached = life.sweep().deadline("resolution")
    assert breached.breached_at == START + hours(48)
    charged = charge_breach(read(life), breached.started_at, breached.breached_at, ALWAYS_OPEN)
    assert charged == {
        staff("customer_service", "an"): Fraction(3, 4),
        staff("customer_service", "li"): Fraction(1, 4),
    }
    # Nobody held open time: the holder at the start is charged.
    night = local("2026-01-05 20:00")
    assert charge_breach(read(life), START, START, office("Asia/Shanghai")) == {
        staff("customer_service", "an"): 1
    }
    assert charge_breach(read(life), night, night + hours(8), office("Asia/Shanghai")) == {
        staff("customer_service", "an"): 1
    }


HANDED_ON = ("assign", {"assignee": "an"})
BY_FEI = ("respond", {"by": "fei"})


@pytest.mark.parametrize(
    ("steps", "transfers", "breach"),
    [
        ([], 0, False),
        ([HANDED_ON], 0, True),
        ([HANDED_ON, ("respond", {"by": "an"})], 0, True),
        ([BY_FEI, HANDED_ON], 0, True),
        ([HANDED_ON, BY_FEI], 0, False),
        ([HANDED_ON, ("record_contact", {"outcome": ContactOutcome.UNREACHABLE, "by": "fei"})], 0, True),
        ([("assign", {"assignee": "fei"})], 0, False),
        ([("assign", {"team": "operations"})], 1, True),
        ([("assign", {"team": "operations"}), HANDED_ON], 1, True),
        ([HANDED_ON, ("assign", {"assignee": "li"})], 1, True),
        ([HANDED_ON, ("assign", {"take_back": True}), ("assign", {"assignee": "li"})], 1, True),
        ([HANDED_ON, ("assign", {"take_back": True}), HANDED_ON], 0, True),
        ([("assign", {"assignee": "fei"}), ("assign", {"team": "operations", "assignee": "fei"})], 1, False),
    ],
)  # fmt: skip
def test_a_first_owner_who_keeps_no_contact_breaches_first_responsibility(
    steps: list[tuple[str, dict[str, Any]]], transfers: int, breach: bool
) -> None:
    """Rules 6.33 and 6.34."""
    life = Life()
    for action, members in steps:
        act_by(life, action, **members)
    act_by(life, "resolve", by="an")
    assert not read(life).periods[0].is_left_by_first_owner  # there is no result yet
    act_by(life, "notify_result", by="an")
    act_by(life, "assign", assignee="wu")
    [period] = read(life).periods
    assert (period.transfers, period.is_left_by_first_owner) == (transfers, breach)
    act_by(life, "reopen", by="an")
    act_by(life, "reject", by="an")
    assert read(life).periods[1].is_left_by_first_owner  # it was with somebody else from the start


def act_by(life: Life, action: str, *, by: str = "zhao", **members: Any) -> None:
    """Take an action as this user. The first owner is fei."""
    known = len(life.events)
    life.do(action, **({"assignee": None, **members} if members.get("take_back") else members))
    life.events[known:] = [replace(event, actor=f"user:{by}") for event in life.events[known:]]
