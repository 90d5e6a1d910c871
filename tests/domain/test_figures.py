"""Figures as pure functions: intervals, percentiles, days, exposures, and the facts of one history."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from complaints.domain.figures import days
from complaints.domain.figures.answering import compare_with_before, make_group
from complaints.domain.figures.answers import FigureGroup, GroupBy
from complaints.domain.figures.catalogue import FIGURES
from complaints.domain.figures.evaluation import FactSum, is_small, wilson_interval
from complaints.domain.figures.exposures import average_exposure
from complaints.domain.figures.facts import FactKind, FigureFact
from complaints.domain.figures.folding import fold_facts
from complaints.storage.queries.figure_terms import TERMS
from tests.domain.builders import HANDBOOK

COMPLAINT = UUID(int=1)


@pytest.mark.parametrize(
    ("numerator", "denominator", "low", "high"),
    [
        (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718), (1, 1, 0.2065, 1.0),
    ],
)  # fmt: skip
def test_rule_6_04_a_rate_has_its_wilson_interval(
    numerator: int, denominator: int, low: float, high: float
) -> None:
    """The third and the fourth are those of Newcombe (1998), table I."""
    found = wilson_interval(Decimal(numerator), Decimal(denominator))
    assert found is not None
    assert [float(one) for one in found] == pytest.approx([low, high], abs=0.00006)
    assert is_small(Decimal(denominator)) is (denominator < 30)


def test_a_rate_of_nothing_has_no_value_and_no_interval() -> None:
    group = make_group(FIGURES["response_rate"], "x", FactSum(), {})
    assert (group.value, group.denominator, group.interval) == (None, 0, None)
    assert make_group(FIGURES["time_to_result"], None, FactSum(), {}).value is None


def test_every_figure_has_a_formula_in_both_languages_and_its_terms() -> None:
    assert FIGURES.keys() == TERMS.keys()
    for figure in FIGURES.values():
        assert all(figure.formula[language] and figure.title[language] for language in ("en", "zh"))


@pytest.mark.parametrize(
    ("zone", "at", "day", "month"),
    [
        ("Asia/Shanghai", "2026-09-30T16:00:00Z", "2026-10-01", 202610),
        ("Asia/Shanghai", "2026-09-30T15:59:59Z", "2026-09-30", 202609),
        ("Europe/London", "2026-10-24T23:00:00Z", "2026-10-25", 202610),
        ("Europe/London", "2026-10-25T23:59:59Z", "2026-10-25", 202610),  # a day of 25 hours
        ("Europe/London", "2026-10-26T00:00:00Z", "2026-10-26", 202610),
        ("America/New_York", "2026-03-08T05:00:00Z", "2026-03-08", 202603),
        ("America/New_York", "2026-03-09T03:59:59Z", "2026-03-08", 202603),  # a day of 23 hours
        ("America/New_York", "2026-03-09T04:00:00Z", "2026-03-09", 202603),
    ],
)
def test_rule_6_01_a_fact_counts_on_its_local_day(zone: str, at: str, day: str, month: int) -> None:
    number, found = days.local_day(datetime.fromisoformat(at), ZoneInfo(zone))
    assert (days.day_key(number), found) == (day, month)
    assert days.read_day(day) == number


@pytest.mark.parametrize(
    ("day", "week"), [("2026-12-31", "2026-W53"), ("2027-01-03", "2026-W53"), ("2027-01-04", "2027-W01")]
)
def test_rule_6_23_weeks_are_those_of_iso_8601(day: str, week: str) -> None:
    number = days.read_day(day)
    assert days.week_key((number + 3) // 7) == week
    assert days.read_week(week) == (number + 3) // 7
    first, end = days.period_days(GroupBy.WEEK, days.read_week(week))
    assert first <= number < end
    assert days.period_days(GroupBy.MONTH, 202612) == (
        days.read_day("2026-12-01"),
        days.read_day("2027-01-01"),
    )


@pytest.mark.parametrize(
    ("steps", "average"),
    [
        ([], None), ([(11, 5)], None), ([(10, 5)], 5), ([(0, 1), (10, 5)], 5), ([(0, 4), (15, 8)], 6),
        ([(0, 4), (20, 9)], 4), ([(0, 1), (5, 2), (10, 4), (12, 9)], 8),
    ],
)  # fmt: skip
def test_rule_6_17_an_exposure_is_averaged_over_the_days(
    steps: list[tuple[int, int]], average: int | None
) -> None:
    assert average_exposure(steps, 10, 20) == average


def test_rule_6_16_weak_points_come_in_order_with_their_change() -> None:
    groups = [FigureGroup(key, Decimal(n), Decimal(n)) for key, n in (("a", 1), ("b", 6), (None, 3))]
    total = FigureGroup(None, Decimal(10), Decimal(10))
    made, whole = compare_with_before(groups, total, {"b": Decimal(4), "gone": Decimal(2)})
    assert [one.key for one in made] == ["b", "a", "gone", None]
    assert [one.parts["cumulative_share"] for one in made] == [Decimal(n) / 10 for n in (6, 7, 7, 10)]
    assert [one.parts["change"] for one in made] == [Decimal("0.5"), None, Decimal(-1), None]
    assert whole.parts == {"before": 6, "change": Decimal("0.666667")}


def test_rule_6_15_satisfaction_says_how_many_gave_a_score() -> None:
    csat = make_group(FIGURES["csat"], None, FactSum(8, Decimal(6), {"no_score": 2, "merged": 5}), {})
    assert (csat.value, csat.parts["response_rate"]) == (Decimal("0.75"), Decimal("0.8"))
    assert make_group(FIGURES["nps"], None, FactSum(8, Decimal(-2)), {}).value == -25


# The facts of one history --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Happening:
    """An event of a history that a test writes down."""

    ordinal: int
    type: str
    at: datetime
    actor: str = "user:ann"
    data: dict[str, Any] = field(default_factory=dict)


DAY = "2026-01-{:02}T02:00:00Z"
MEMBERS = {
    "received_at": DAY.format(5), "status": "received", "cycle": 1, "team": "operations", "first_owner": "ann",
    "policy_code": HANDBOOK.code, "policy_version": HANDBOOK.version, "source": "web", "channel": "phone",
    "priority": "normal", "sequence": 1,
}  # fmt: skip


def clock(kind: str, *, due: int, status: str = "running", **members: Any) -> dict[str, Any]:
    """A deadline as events record it."""
    times = {"started_at": DAY.format(5), "due_at": DAY.format(due)}
    given = {"cycle": 1, "sequence": 1, "attempt": 1, **times, **members}
    return {
        "id": f"{kind}-{given['cycle']}-{given['sequence']}-{given['attempt']}",
        "kind": kind,
        "status": status,
    } | given


def fold(*written: tuple[int, str, dict[str, Any]], **members: Any) -> list[FigureFact]:
    """The facts of a complaint that was received on 5 January: each event has its day, type and data."""
    begun = (5, "complaint.created", {"changes": MEMBERS | members, "deadlines": [
        clock("first_response", due=6), clock("resolution", due=7),
    ]})  # fmt: skip
    events = [
        Happening(n, kind, datetime(2026, 1, day, 2, tzinfo=UTC), data=data)
        for n, (day, kind, data) in enumerate([begun, *written], 1)
    ]
    return list(fold_facts(COMPLAINT, events, lambda _code, _version: HANDBOOK).facts)


def of_kind(facts: list[FigureFact], kind: FactKind) -> list[FigureFact]:
    return [fact for fact in facts if fact.kind is kind]


@pytest.mark.parametrize(
    ("state", "due", "in_time"),
    [
        ({"status": "met"}, True, True),
        ({"status": "met_late", "breached_at": DAY.format(6)}, True, False),
        ({"status": "breached", "breached_at": DAY.format(6)}, True, False),
        ({"status": "running"}, True, False),
        ({"status": "cancelled"}, False, None),
        ({"status": "cancelled", "breached_at": DAY.format(6)}, True, False),
    ],
)
def test_rule_6_07_a_deadline_is_judged_once_and_for_all(
    state: dict[str, Any], due: bool, in_time: bool | None
) -> None:
    """A breach stays one when the deadline is cancelled. A deadline of a later cycle does not count."""
    moved = clock("first_response", due=6, **state)
    later = clock("first_response", due=9, cycle=2, status="met")
    [received] = of_kind(fold((8, "complaint.updated", {"deadlines": [moved, later]})), FactKind.RECEIVED)
    assert (received.response_due_at is not None, received.response_in_time) == (due, in_time)
    assert (received.due_at is not None, received.in_time) == (True, False)


@pytest.mark.parametrize(
    ("attempts", "answered", "expected"),
    [
        (["met"], [1], (True, True)),
        (["met"], [], (True, False)),
        (["met", "met"], [2], (True, True)),
        (["met_late", "met"], [2], (True, False)),
        (["met", "running"], [], (True, False)),
        (["cancelled"], [], (False, None)),
    ],
)
def test_rule_6_18_the_attempts_of_a_follow_up_are_one(
    attempts: list[str], answered: list[int], expected: tuple[bool, bool | None]
) -> None:
    clocks = [
        clock("follow_up", due=20 + 3 * n, attempt=n, status=status) for n, status in enumerate(attempts, 1)
    ]
    contacts = [
        (20, "complaint.contact_recorded", {"outcome": "solved", "deadline_id": f"follow_up-1-1-{n}"})
        for n in answered
    ]
    facts = fold((9, "complaint.updated", {"deadlines": clocks}), *contacts)
    [found] = of_kind(facts, FactKind.FOLLOW_UP)
    assert (found.due_at is not None, found.in_time) == expected
    assert found.day == days.day_number(date(2026, 1, 23))
    assert len(of_kind(facts, FactKind.CONTACT)) == len(answered)


def test_rules_6_11_to_6_14_an_end_can_be_undone() -> None:
    facts = fold(
        (8, "complaint.closed", {"changes": {"status": "closed", "resolution": "x", "cause": "technical"},
                                 "early": True}),
        (9, "complaint.reopened", {"changes": {"status": "investigating", "cycle": 2}}),
        (10, "complaint.merged", {"changes": {"status": "merged"}}),
        (10, "complaint.unmerged", {"changes": {"status": "investigating"}}),
    )  # fmt: skip
    [closed] = of_kind(facts, FactKind.CLOSED)
    assert (closed.is_good, closed.is_reopened) == (True, True)
    [received] = of_kind(facts, FactKind.RECEIVED)
    [reopened] = of_kind(facts, FactKind.REOPENED)
    assert (received.until_day, reopened.until_day) == (days.day_number(date(2026, 1, 8)), None)
    assert reopened.is_omitted is False
    cancelled = [clock(kind, due=7, status="cancelled") for kind in ("first_response", "resolution")]
    [watched_by_none] = of_kind(fold((6, "complaint.updated", {"deadlines": cancelled})), FactKind.RECEIVED)
    assert watched_by_none.is_omitted is True


@pytest.mark.parametrize(
    ("first_owner", "team", "is_good"),
    [("ann", None, True), ("bob", None, False), ("ann", "management", False)],
)
def test_rules_6_09_and_6_10_the_first_result_has_its_time_and_its_teller(
    first_owner: str, team: str | None, is_good: bool
) -> None:
    moved = [(6, "complaint.assigned", {"changes": {"team": team}})] if team else []
    facts = fold(
        *moved,
        (7, "complaint.resolved", {"changes": {"status": "resolved", "outcome": "upheld",
                                               "compensation_amount": "12.5", "compensation_currency": "CNY"}}),
        (7, "complaint.result_notified", {"changes": {"status": "following_up"}}),
        (9, "complaint.result_notified", {"changes": {"cycle": 2}}),
        first_owner=first_owner,
    )  # fmt: skip
    first, second = of_kind(facts, FactKind.RESULT)
    assert (first.is_first, second.is_first, first.is_good) == (True, False, is_good)
    assert (first.microseconds, first.amount, first.currency) == (2 * 86_400 * 10**6, 125_000, "CNY")
    assert len(of_kind(facts, FactKind.TRANSFER)) == len(moved)


def test_rule_6_35_a_result_knows_if_its_outcome_was_assumed_when_it_was_told() -> None:
    assumed = {"status": "resolved", "outcome": "not_upheld", "outcome_assumed": True}
    facts = fold(
        (7, "complaint.resolved", {"changes": assumed}),
        (7, "complaint.result_notified", {"changes": {"status": "following_up"}}),
        (8, "complaint.resolved", {"changes": {"outcome": "upheld", "outcome_assumed": None}}),
        (9, "complaint.result_notified", {"changes": {"cycle": 2}}),
    )
    results = [(fact.outcome, fact.is_assumed) for fact in of_kind(facts, FactKind.RESULT)]
    assert results == [("not_upheld", True), ("upheld", None)]


def test_rule_6_19_escalations_have_their_level() -> None:
    step = {"escalation_id": "1", "planned_at": DAY.format(6), "level": 2}
    facts = fold((6, "complaint.escalated", step), (6, "escalation.acknowledged", {"escalation_id": "1"}))
    assert [fact.level for fact in of_kind(facts, FactKind.ESCALATION)] == [2]
