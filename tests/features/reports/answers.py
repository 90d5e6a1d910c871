"""Answers of figures that tests make by hand, and the snapshot of them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from complaints.domain.figures.answers import GroupBy
from complaints.domain.figures.evaluation import wilson_interval
from complaints.features.reports.publishing.snapshots import (
    Coverage,
    ReportExclusion,
    ReportRow,
    ReportSnapshot,
    ReportTable,
)
from complaints.features.reports.publishing.tables import PublishedReport

REPORT_ID = UUID("019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11")
LONG = "中国电信股份有限公司宁夏回族自治区分公司固原市泾源县服务质量监督与投诉处理中心第一受理小组"


def rate(key: str | None, numerator: int, denominator: int, **names: str) -> ReportRow:
    above, below = Decimal(numerator), Decimal(denominator)
    return ReportRow(
        key=key,
        names=names,
        value=above / below if below else None,
        numerator=above,
        denominator=below,
        interval=wilson_interval(above, below),
        excluded=[ReportExclusion(reason="imported_history", count=3)] if key is None else [],
    )


def count(key: str | None, number: int, **names: str) -> ReportRow:
    return ReportRow(key=key, names=names, value=Decimal(number), numerator=Decimal(number), denominator=None)


def table(
    figure: str, kind: str, group_by: GroupBy | None, rows: list[ReportRow], **more: Any
) -> ReportTable:
    words = figure.replace("_", " ").capitalize()
    return ReportTable(
        figure=figure,
        titles={"en": words, "zh": {"response_rate": "响应率", "inflow": "受理量"}.get(figure, figure)},
        kind=kind,
        group_by=group_by,
        formula={"en": f"{words} = one / another", "zh": "分子 / 分母"},
        formula_version=1,
        rows=rows,
        **more,
    )


def snapshot(*tables: ReportTable, **more: Any) -> ReportSnapshot:
    values: dict[str, Any] = {
        "period": "2026-10",
        "from_on": date(2026, 10, 1),
        "to_on": date(2026, 11, 1),
        "zone": "Asia/Shanghai",
        "as_of": "eyJudW1iZXIiOjEyMzR9",
        "coverage": Coverage(code="all", names={}),
    }
    return ReportSnapshot(**values | more, tables=list(tables) or usual_tables())


def usual_tables() -> list[ReportTable]:
    teams = [
        rate("operations", 96, 120, en="Operations", zh="运维部"),
        rate("service", 88, 90, en="Customer service", zh="客户服务部"),
        rate("new", 3, 4, en="A new team", zh=LONG),
        rate("idle", 0, 0, en="Idle", zh="空闲"),
        rate(None, 10, 12),
    ]
    days = [count((date(2026, 10, 1) + timedelta(days=day)).isoformat(), day * 7 % 13) for day in range(31)]
    categories = [
        count("network.outage", 40, en="Outage", zh="网络中断"),
        count("billing.wrong_charge", 20, en="Wrong charge", zh="错误收费"),
        count(None, 1),
    ]
    total = rate(None, 197, 226)
    return [
        table(
            "response_rate",
            "rate",
            GroupBy.TEAM,
            teams,
            total=total,
            before=rate(None, 150, 200),
            better="higher",
        ),
        table("inflow", "count", GroupBy.DAY, days, total=count(None, 186), before=count(None, 200)),
        table("weak_points", "count", GroupBy.CATEGORY, categories, total=count(None, 61)),
        table("inflow", "count", GroupBy.CATEGORY, categories, total=count(None, 186)),
    ]


def published(shown: ReportSnapshot, **more: Any) -> PublishedReport:
    values: dict[str, Any] = {
        "id": REPORT_ID,
        "period": shown.period,
        "coverage": shown.coverage.code,
        "version": 1,
        "teams": None,
        "published_at": datetime(2026, 11, 1, 2, tzinfo=UTC),
        "published_by": "user:admin",
        "reason": None,
        "snapshot": shown.model_dump(mode="json", by_alias=True),
        "changes": [],
        "newest": 1,
    }
    return PublishedReport(**values | more)
