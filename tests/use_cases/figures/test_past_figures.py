"""Figures of a past month change with a late import and with a reopening, and with nothing else."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from complaints.domain.figures.answers import FigureRequest
from complaints.domain.figures.catalogue import FIGURES
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.storage.database import transactions
from complaints.use_cases.figures.answering import answer_figure
from complaints.use_cases.figures.keeping import keep_facts
from tests.support import Scenario
from tests.use_cases.test_history_import import HEADER, MAPPED, take

TOLD = {"message": "Done.", "contact_channel": "phone"}
RESULT = {"resolution": "Repaired.", "outcome": "not_upheld", "cause": "technical"}
JANUARY = date(2026, 1, 1), date(2026, 2, 1)
LATE = (
    "L1,No signal,2026-01-20T08:00:00Z,closed,2026-01-28T09:00:00Z,2026-01-22T10:00:00Z,upheld,13800138000\n"
)


def january(scenario: Scenario) -> dict[str, tuple[Any, Any, dict[str, int]]]:
    """The numerator, the denominator and the exclusions of each figure of January."""
    service = scenario.service
    while keep_facts(service):
        pass
    found = {}
    for name in (one.name for one in FIGURES.values() if one.measure is None):
        request = FigureRequest(name, *JANUARY)
        total = service.read(
            lambda tx, asked=request: answer_figure(
                tx, asked, configuration=service.configuration(tx), scope=ALL_COMPLAINTS
            )
        ).total
        found[name] = total.numerator, total.denominator, {one.reason: one.count for one in total.excluded}
    return found


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The figures that changed, with their numerators before and after."""
    return {name: (before[name][0], after[name][0]) for name in before if before[name] != after[name]}


def test_rule_6_1_a_late_import_and_a_reopening_change_a_past_month(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "PAUSE_SECONDS", 0)
    one = scenario.post(category="network.outage")
    scenario.act(one, "resolve", **RESULT)
    scenario.act(one, "notify_result", **TOLD)
    scenario.act(one, "record_contact", outcome="solved", csat=5)
    scenario.act(one, "close", early=True, **TOLD)
    scenario.advance(days=50)
    assert scenario.now() > datetime(2026, 2, 1, tzinfo=UTC)
    first = january(scenario)
    scenario.post(category="network.outage")  # a complaint of this month changes nothing
    assert january(scenario) == first

    assert take(scenario, (HEADER + LATE).encode(), MAPPED)[0] == (1, 0)
    second = january(scenario)
    assert changes(first, second) == {
        "inflow": (1, 2), "weak_points": (1, 2), "time_to_result": (1, 2), "upheld_rate": (0, 1),
        "repeat_rate": (0, 0), "reopen_rate": (0, 0), "closed_loop_rate": (1, 1), "compensation": (0, 0),
        "response_rate": (1, 1), "resolution_rate": (1, 1), "first_contact_resolution": (0, 0),
    }  # fmt: skip
    for timeliness in ("response_rate", "resolution_rate"):
        assert second[timeliness][2] == {"imported_history": 1}

    scenario.act(one, "reopen", reason="It is back.")
    third = january(scenario)
    assert changes(second, third) == {"reopen_rate": (0, 1), "closed_loop_rate": (1, 0)}
