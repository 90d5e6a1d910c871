"""The database refuses published reports and schedules that contradict themselves."""

from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from complaints.features.reports.publishing.periods import PeriodKind
from complaints.features.reports.publishing.tables import published_report, report_run, report_schedule
from complaints.use_cases.service import Service
from tests.features.reports.answers import REPORT_ID
from tests.support import Scenario


def test_the_database_refuses_what_contradicts_itself(service: Service, scenario: Scenario) -> None:
    now = scenario.now()
    report: dict[str, Any] = {
        "id": REPORT_ID, "period": "2026-01", "coverage": "all", "version": 1, "published_at": now,
        "published_by": "engine", "snapshot": {}, "changes": [],
    }  # fmt: skip
    schedule: dict[str, Any] = {
        "code": "monthly", "kind": PeriodKind.MONTH, "coverage": "all", "language": "en", "recipients": [],
        "hours_after": 6, "active": True, "begins_at": now, "updated_at": now,
    }  # fmt: skip
    run = {"schedule": "monthly", "period": "2026-01", "report_id": REPORT_ID, "ran_at": now}
    engine = service.database.engine
    with engine.begin() as connection:
        connection.execute(insert(published_report).values(report))
        connection.execute(insert(report_schedule).values(schedule))
        connection.execute(insert(report_run).values(run))
    another = {**report, "id": service.new_id()}
    for table, values, constraint in (
        (published_report, {**another, "version": 0, "reason": "x"}, "version"),
        (published_report, {**another, "version": 2}, "reason"),
        (published_report, {**another, "coverage": "team:a", "reason": "x"}, "reason"),
        (published_report, another, "period"),
        (report_schedule, {**schedule, "code": "other", "hours_after": -1}, "hours_after"),
        (report_run, run, "schedule"),
        (report_run, {**run, "schedule": "nobody"}, ""),
    ):
        with pytest.raises(IntegrityError) as refused, engine.begin() as connection:
            connection.execute(insert(table).values(values))
        assert constraint in str(refused.value.orig), (table.name, values)
