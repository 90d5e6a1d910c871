"""Every figure equals a slow, obvious fold over random histories (rule 6.1), on days on which clocks change."""

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from complaints.domain.figures.answers import FigureAnswer, FigureGroup, FigureRequest, GroupBy
from complaints.domain.figures.catalogue import FIGURES as CATALOGUE
from complaints.domain.figures.catalogue import ValueKind
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.storage.database import transactions
from complaints.storage.rows import follower
from complaints.storage.rows.figure_fact import figure_fact
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.figures.answering import answer_figure
from complaints.use_cases.figures.exposures import PutExposure, put_exposure
from complaints.use_cases.figures.fact_rows import Side, WantedRows, list_fact_rows
from complaints.use_cases.figures.keeping import FOLLOWER, keep_facts
from complaints.use_cases.figures.rebuilding import rebuild_facts
from complaints.use_cases.service import Configuration, Service, Transaction
from complaints.use_cases.table_files.cells import text_of
from tests.examples import examples
from tests.support import Scenario, api_client
from tests.use_cases.figures.random_history import RandomHistory
from tests.use_cases.figures.slow_fold import (
    Asked,
    Sum,
    add_up,
    add_up_weak_points,
    find_counted,
    percentile,
    tell,
)

HISTORIES = [  # the clocks change in the second week
    ("sqlite", "Asia/Shanghai", datetime(2026, 2, 20, tzinfo=UTC)),
    ("postgresql", "Europe/London", datetime(2026, 10, 17, tzinfo=UTC)),
    ("sqlite", "America/New_York", datetime(2026, 2, 28, tzinfo=UTC)),
]
ALL_GROUPS_IN = "America/New_York"
PLACES = Decimal("0.000001")
SERVICES = 70_000


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "PAUSE_SECONDS", 0)


@pytest.mark.parametrize("seed", range(examples(1)))
@pytest.mark.parametrize(("database_url", "zone", "begin"), HISTORIES, indirect=["database_url"])
def test_rule_6_1_figures_follow_from_the_history_alone(
    scenario: Scenario, zone: str, begin: datetime, seed: int
) -> None:
    service = scenario.service
    live(scenario, zone, begin, Random(f"{zone} {seed}"))
    told, first = tell(service, zone), begin.date()
    whole = Asked(told, first - timedelta(days=70), first + timedelta(days=90))
    one_week = Asked(told, first + timedelta(days=5), first + timedelta(days=12))
    with service.database.read() as tx:
        figures = Figures(tx, service.configuration(tx))
        groups = (
            (None, *GroupBy)
            if zone == ALL_GROUPS_IN
            else (None, GroupBy.DEPARTMENT, GroupBy.PERSON, GroupBy.MONTH)
        )
        faults = [*figures.check(whole, groups, proven=GroupBy.PERSON)]
        for day in (first + timedelta(days=n) for n in range(1, 40, 2)):
            faults += figures.check(Asked(told, first, day), (None,), names=("backlog",), proven=GroupBy.DAY)
        faults += figures.check(one_week, (GroupBy.TEAM, GroupBy.DAY), proven=GroupBy.DAY)
    assert not faults, f"{len(faults)}, such as\n" + "\n".join(faults[:20])
    if zone == ALL_GROUPS_IN:
        check_formats(service, whole)
    check_keeping(service)


def live(scenario: Scenario, zone: str, begin: datetime, random: Random) -> None:
    """A random history of two months. The follower reads it in stretches of different lengths."""
    history = RandomHistory(scenario, zone, random)
    history.begin(begin)
    for measure in ("services", "users"):
        command = PutExposure.model_validate(
            {"measure": measure, "from": "2025-01-01", "value": SERVICES, "source": "CRM"}
        )
        scenario.service.write(lambda tx, put=command: put_exposure(tx, SYSTEM, put))
    for _ in range(4):
        history.live(18)
        keep_all(scenario.service, limit=random.randint(5, 300))
    scenario.advance(days=30)
    history.live(20)
    stop_at_a_due_time(scenario)
    keep_all(scenario.service, limit=1_000)


def stop_at_a_due_time(scenario: Scenario) -> None:
    """The clock stops at the instant at which something is due, which is not late then."""
    posted = scenario.post(category="network.outage", region="north")
    due_at = min(one.due_at for one in posted.deadlines)
    scenario.jump(seconds=(due_at - scenario.now()).total_seconds())


def keep_all(service: Service, *, limit: int) -> None:
    """Let the follower read the feed to its end."""
    while keep_facts(service, limit=limit):
        pass


# Figures -------------------------------------------------------------------------------------------------------------


@dataclass
class Figures:
    """The figures as the product answers them, on one snapshot."""

    tx: Transaction
    configuration: Configuration

    def check(
        self,
        asked: Asked,
        groups: Sequence[GroupBy | None],
        *,
        proven: GroupBy,
        names: Collection[str] = tuple(CATALOGUE),
    ) -> Iterator[str]:
        """The differences between each figure and the fold. Rows prove the answers by `proven`."""
        for name in names:
            counted = find_counted(name, asked)
            for group_by in groups:
                answer = self.ask(name, asked, group_by)
                by = answer.request.group_by
                is_weak = name == "weak_points"
                sums = add_up_weak_points(asked, by) if is_weak else add_up(counted, asked.told, by)
                for fault in compare(answer, {key: shown_sum(name, one) for key, one in sums.items()}):
                    yield f"{name} by {group_by} from {asked.from_on}: {fault}"
                if by is not None:
                    check_total(answer)
                if by is proven:
                    self.check_rows(answer)

    def ask(self, name: str, asked: Asked, group_by: GroupBy | None) -> FigureAnswer:
        """The answer of the product, for a caller who sees all."""
        request = FigureRequest(name, asked.from_on, asked.to_on, group_by)
        return answer_figure(self.tx, request, configuration=self.configuration, scope=ALL_COMPLAINTS)

    def check_rows(self, answer: FigureAnswer) -> None:
        """The rows behind a group are its numerator and its denominator: their number, or their sum (rule 6.3)."""
        kind = CATALOGUE[answer.request.figure].kind
        for group, key in [*((one, one.key or "") for one in answer.groups), (answer.total, None)]:
            values = self.row_values(WantedRows(answer.request, Side.NUMERATOR, key))
            found = len(values) if kind is ValueKind.MEDIAN else sum(values)
            assert found == group.numerator, (answer.request, key)
            if kind in (ValueKind.RATE, ValueKind.NET):
                below = self.row_values(WantedRows(answer.request, Side.DENOMINATOR, key))
                assert len(below) == group.denominator, (answer.request, key)

    def row_values(self, wanted: WantedRows) -> list[Decimal]:
        """The values of all rows, read in pages of thirty."""
        found: list[Decimal] = []
        after, known = None, self.configuration
        while True:
            rows = list_fact_rows(
                self.tx, wanted, configuration=known, scope=ALL_COMPLAINTS, after=after, limit=30
            )
            found += [row.value for row in rows]
            if len(rows) < 30:
                return found
            after = rows[-1].place


def compare(answer: FigureAnswer, expected: dict[Any, Any]) -> Iterator[str]:
    has_groups = answer.request.group_by is not None
    shown = {group.key: shown_group(group) for group in answer.groups}
    shown = shown if has_groups else {None: shown_group(answer.total)}
    if not has_groups and not expected:
        expected = {None: shown[None]}  # there is no fact
    for key in {*expected, *shown}:
        if expected.get(key) != shown.get(key):
            yield f"{key}: {shown.get(key)} is not {expected.get(key)}"


def shown_group(group: FigureGroup) -> tuple[Any, ...]:
    left_out = {one.reason: one.count for one in group.excluded if one.count}
    parts = {name: amount for name, amount in group.parts.items() if amount}
    return group.value, group.numerator, group.denominator, left_out, parts


def shown_sum(name: str, one: Sum) -> tuple[Any, ...]:
    """The sum as an answer shows it, by the kind of its figure."""
    figure, numerator, below = CATALOGUE[name], one.above, Decimal(one.below)
    parts = {part: amount for part, amount in one.parts.items() if amount}
    value: Decimal | None = numerator
    denominator = None
    if figure.kind in (ValueKind.RATE, ValueKind.NET):
        times, denominator = 100 if figure.kind is ValueKind.NET else 1, below
        value = (numerator * times / below).quantize(PLACES) if below else None
    elif figure.kind is ValueKind.MEDIAN:
        numerator, value = below, percentile(one.values, 50) if one.values else None
        parts = {f"p{percent}": percentile(one.values, percent) for percent in (80, 90) if one.values}
    elif figure.measure is not None:
        denominator = Decimal(SERVICES)
        value = (numerator * figure.per / denominator).quantize(PLACES)
    if name == "csat" and below:
        parts = {"response_rate": (below / (below + one.left_out["no_score"])).quantize(PLACES)}
    return value, numerator, denominator, dict(one.left_out), parts


def check_total(answer: FigureAnswer) -> None:
    """The groups and the group of no key sum to the total (rule 6.2)."""
    total, groups = answer.total, answer.groups
    assert sum(one.numerator for one in groups) == total.numerator
    if total.denominator is not None and CATALOGUE[answer.request.figure].measure is None:
        assert sum(one.denominator or 0 for one in groups) == total.denominator
    excluded = [one for group in groups for one in group.excluded]
    for why in total.excluded:
        assert sum(one.count for one in excluded if one.reason == why.reason) == why.count


# Formats and keeping -------------------------------------------------------------------------------------------------


def check_formats(service: Service, asked: Asked) -> None:
    """JSON, CSV and XLSX have the same numbers."""
    period = {"from": asked.from_on.isoformat(), "to": asked.to_on.isoformat(), "group_by": "team"}
    with api_client(service) as client:
        for name in CATALOGUE:
            shown = client.get(f"/v1/reports/{name}", params=period).json()
            table = client.get(f"/v1/reports/{name}", params=period | {"format": "csv"}).text
            lines = list(csv.reader(io.StringIO(table, newline="")))
            workbook = client.get(f"/v1/reports/{name}", params=period | {"format": "xlsx"}).content
            sheet = openpyxl.load_workbook(io.BytesIO(workbook)).worksheets[0]
            assert [[text_of(cell.value) for cell in row] for row in sheet.iter_rows()] == lines
            columns = dict(zip(lines[0], zip(*lines[1:], strict=True), strict=True))
            for member in ("key", "value", "numerator", "denominator"):
                groups = [*shown["groups"], shown["total"]]
                assert list(columns[member]) == [text_of(one[member]) for one in groups], (name, member)


def check_keeping(service: Service) -> None:
    """A rebuild, and a follower that reads everything at once, give the facts that the stretches gave."""
    kept = all_facts(service)
    forget(service)
    while rebuild_facts(service, limit=70):
        pass
    assert all_facts(service) == kept
    forget(service)
    service.write(lambda tx: follower.remove_follower(tx, FOLLOWER))
    keep_all(service, limit=100_000)
    assert all_facts(service) == kept


def forget(service: Service) -> None:
    service.write(lambda tx: tx.connection.execute(figure_fact.delete()))


def all_facts(service: Service) -> list[Any]:
    statement = select(figure_fact).order_by(*figure_fact.primary_key)
    return [tuple(row) for row in service.read(lambda tx: tx.connection.execute(statement).all())]
