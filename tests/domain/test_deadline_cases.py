"""The due times and elapsed times other systems' tests, and ours, agree on (domain §2)."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.time.preview import plan_elapsed, plan_preview
from complaints.domain.time.working_time import Target, Unit, due_at, elapsed_seconds, explain

CASES = Path(__file__).parents[2].parent / "shared" / "cases" / "deadline_cases.json"


def cases(kind: str) -> list[Any]:
    if not CASES.exists():
        reason = f"the shared cases are not beside this checkout: {CASES}"
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(case, id=case["id"]) for case in json.loads(CASES.read_text("utf-8"))[kind]]


def calendar_of(case: dict[str, Any]) -> WorkCalendar:
    members = {key: case.get(key) for key in ("hours", "holidays", "overrides")}
    return parse_calendar({"timezone": case["tz"]} | members)


def pauses_of(case: dict[str, Any]) -> list[tuple[datetime, datetime]]:
    return [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in case["pauses"]]


@pytest.mark.parametrize("case", cases("due"))
def test_due(case: dict[str, Any]) -> None:
    start, expected = datetime.fromisoformat(case["start"]), datetime.fromisoformat(case["expected_due"])
    calendar, pauses = calendar_of(case), pauses_of(case)
    target = Target(case["target_seconds"], Unit.OPEN_SECONDS)
    assert due_at(start, target, calendar, pauses) == expected
    assert explain(start, target, calendar, pauses)[-1].end == expected
    assert plan_preview(calendar, start, f"PT{case['target_seconds']}S", pauses).due_at == expected


@pytest.mark.parametrize("case", cases("elapsed"))
def test_elapsed(case: dict[str, Any]) -> None:
    start, end = datetime.fromisoformat(case["start"]), datetime.fromisoformat(case["end"])
    calendar, pauses = calendar_of(case), pauses_of(case)
    assert elapsed_seconds(start, end, calendar, pauses) == case["expected_elapsed_seconds"]
    assert plan_elapsed(calendar, start, end, pauses) == case["expected_elapsed_seconds"]
