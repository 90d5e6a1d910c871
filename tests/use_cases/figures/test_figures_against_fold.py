"""Every figure equals a slow, obvious fold over a random history (rule 6.1), in three zones."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from complaints.domain.figures.answers import FigureAnswer, FigureGroup, FigureRequest, GroupBy
from complaints.domain.figures.catalogue import FIGURES as CATALOGUE
from complaints.domain.figures.catalogue import ValueKind
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.storage.database import transactions
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.figures.answering import answer_figure
from complaints.use_cases.figures.keeping import keep_facts
from complaints.use_cases.service import Service
from tests.examples import examples
from tests.support import Scenario
from tests.use_cases.figures.random_history import RandomHistory
from tests.use_cases.figures.slow_fold import Asked, Sum, add_up, add_up_weak_points, percentile, tell

BEGINS = {  # so that the clocks change in the second week
    "Asia/Shanghai": datetime(2026, 2, 20, tzinfo=UTC),
    "Europe/London": datetime(2026, 10, 16, tzinfo=UTC),
    "America/New_York": datetime(2026, 2, 27, tzinfo=UTC),
}
GROUPS: tuple[GroupBy | None, ...] = (None, *GroupBy)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "PAUSE_SECONDS", 0)


def keep_all(service: Service, limit: int) -> None:
    while keep_facts(service, limit=limit):
        pass


@pytest.mark.parametrize("zone", BEGINS)
@pytest.mark.parametrize("seed", range(examples(1)))
def test_each_figure_is_the_fold(scenario: Scenario, zone: str, seed: int) -> None:
    history = RandomHistory(scenario, zone, Random(f"{zone} {seed}"))
    history.begin(BEGINS[zone])
    for _ in range(6):
        history.live(25)
        keep_all(scenario.service, limit=history.random.randint(5, 300))
    scenario.advance(days=33)
    history.live(40)
    keep_all(scenario.service, limit=1000)
    told = tell(scenario.service, zone)
    begin = BEGINS[zone].date()
    faults = []
    for asked in (
        Asked(told, begin - timedelta(days=70), begin + timedelta(days=100)),
        Asked(told, begin + timedelta(days=8), begin + timedelta(days=15)),
    ):
        for name in CATALOGUE:
            for group_by in GROUPS:
                faults += compare(scenario.service, name, asked, group_by)
    assert not faults, f"{len(faults)}, such as\n" + "\n".join(faults[:40:3])


def ask(service: Service, name: str, asked: Asked, group_by: GroupBy | None) -> FigureAnswer:
    request = FigureRequest(name, asked.from_on, asked.to_on, group_by)
    return service.read(
        lambda tx: answer_figure(tx, request, configuration=service.configuration(tx), scope=ALL_COMPLAINTS)
    )


def compare(service: Service, name: str, asked: Asked, group_by: GroupBy | None) -> Iterator[str]:
    if CATALOGUE[name].measure:
        return
    answer = ask(service, name, asked, group_by)
    group_by = answer.request.group_by
    expected = add_up_weak_points(asked, group_by) if name == "weak_points" else add_up(name, asked, group_by)
    shown: dict[Any, FigureGroup] = {group.key: group for group in answer.groups}
    if group_by is None:
        shown = {None: answer.total} if expected else {}
    for key in sorted({*expected, *shown}, key=str):
        found = sum_of(shown[key]) if key in shown else None
        wanted = fold_of(name, expected[key]) if key in expected else None
        if found != wanted:
            yield f"{name} by {group_by} from {asked.from_on}: {key}: {found} is not {wanted}"


def sum_of(group: FigureGroup) -> Any:
    left_out = {one.reason: one.count for one in group.excluded if one.count}
    parts = {name: amount for name, amount in group.parts.items() if amount}
    return group.value, group.numerator, group.denominator, left_out, parts


def fold_of(name: str, one: Sum) -> Any:
    kind = CATALOGUE[name].kind
    parts: dict[str, Any] = {part: amount for part, amount in one.parts.items() if amount}
    value: Decimal | None = one.above
    numerator, denominator = one.above, None
    if kind in (ValueKind.RATE, ValueKind.NET):
        denominator = Decimal(one.below)
        times = 100 if kind is ValueKind.NET else 1
        value = (one.above * times / one.below).quantize(Decimal("0.000001")) if one.below else None
    elif kind is ValueKind.MEDIAN:
        numerator, value = Decimal(one.below), percentile(one.values, 50) if one.values else None
        parts = {f"p{percent}": percentile(one.values, percent) for percent in (80, 90) if one.values}
    if name == "csat":
        asked = one.below + one.left_out["no_score"]
        parts = (
            {"response_rate": (Decimal(one.below) / asked).quantize(Decimal("0.000001"))} if one.below else {}
        )
    return value, numerator, denominator, {r: c for r, c in one.left_out.items() if c}, parts
