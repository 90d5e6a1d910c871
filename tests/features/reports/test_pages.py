"""The page of a report, from answers that are made by hand: order, ranks, intervals, charts and escaped texts."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from complaints.api.problems.languages import Language
from complaints.domain.figures.answers import GroupBy
from complaints.features.reports.publishing.periods import (
    PeriodKind,
    ReportPeriod,
    list_due,
    period_at,
    read_period,
)
from complaints.features.reports.publishing.printing import print_report
from complaints.features.reports.publishing.snapshots import ReportRow, compare_snapshots
from complaints.features.reports.publishing.views import view_changes, view_overview, view_tables
from complaints.features.reports.publishing.wording import TEXTS, Writer
from complaints.features.reports.publishing.workbooks import sheet_name
from tests.features.reports import answers

EN, ZH = Writer(Language.ENGLISH), Writer(Language.CHINESE)


def test_rule_6_04_a_rate_over_few_cases_has_no_rank_and_no_colour_and_shows_its_interval() -> None:
    view = view_tables(answers.snapshot(), EN)[0]
    ranks = [(row.name, row.rank, bool(row.interval)) for row in view.rows]
    assert ranks == [
        ("Customer service", "1", False),
        ("Operations", "2", False),
        ("A new team", "–", True),
        ("Idle", "–", False),
        ("none", "–", True),
    ]
    assert view.rows[2].interval == "95\u00a0%: 30.1\u00a0% to 95.4\u00a0%"
    boxes = re.findall(r'<rect class="(\w+) edge"[^>]* fill="([^"]+)"', str(view.chart))
    assert [kind for kind, _ in boxes] == ["fill", "fill", "tile", "tile"]
    assert any("30" in note for note in view.notes)


def test_what_was_left_out_is_said() -> None:
    shown = answers.snapshot()
    assert view_tables(shown, ZH)[0].notes[0] == "未计入：3 件（导入的历史数据）。"


def test_the_parts_of_a_whole_are_drawn_with_a_legend() -> None:
    ages = {"0-1": Decimal(4), "2-3": Decimal(2), ">30": Decimal(0)}
    row = answers.count("operations", 6, en="Operations", zh="运维").model_copy(update={"parts": ages})
    total = answers.count(None, 6).model_copy(update={"parts": ages})
    table = answers.table("backlog", "count", GroupBy.TEAM, [row], total=total)
    (view,) = view_tables(answers.snapshot(table), ZH)
    assert view.rows[0].parts == "0–1 天 4，2–3 天 2"
    assert "30 天以上: 0" in str(view.chart)


@pytest.mark.parametrize(
    ("kind", "unit", "value", "written"),
    [
        ("rate", "share", "0.9876", "98.8\u00a0%"),
        ("count", "complaints", "12345", "12,345"),
        ("median", "seconds", "95400", "26.5 h"),
        ("sum", "CNY", "1234.5", "1,234.5 CNY"),
        ("net", "percent", "-12.5", "-12.5"),
        ("per", "appeals", "13.603333", "13.6"),
    ],
)
def test_a_value_is_written_by_its_kind_and_unit(kind: str, unit: str, value: str, written: str) -> None:
    table = answers.table("x", kind, None, [], total=answers.count(None, 1), unit=unit)
    assert EN.value(table, Decimal(value)) == written


def test_the_change_against_the_period_before() -> None:
    rows = {row.title: (row.change, row.share) for row in view_overview(answers.snapshot(), EN)}
    assert rows == {
        "Response rate": ("+12.2 points", ""),
        "Inflow": ("−14", "−7.0\u00a0%"),
    }


@pytest.mark.parametrize("language", Language)
def test_a_page_is_whole_escaped_and_in_one_language(language: Language) -> None:
    before = answers.snapshot(
        answers.table("inflow", "count", None, [], total=answers.count(None, 1)),
        coverage=answers.snapshot().coverage,
    )
    now = answers.snapshot()
    changes = [one.model_dump(mode="json") for one in compare_snapshots(before, now)]
    report = answers.published(now, version=2, newest=2, reason="<script>alert(1)</script>", changes=changes)
    page = bytes(print_report(report, language, newest_link="/x").body).decode()
    assert "<script" not in page
    assert f'<html lang="{TEXTS[language]["code"]}">' in page
    assert page.count("<svg") == page.count("</svg>") == len(now.tables)
    assert len(re.findall(r'id="([^"]+)"', page)) == len(set(re.findall(r'id="([^"]+)"', page)))
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    has_chinese = re.search("[一-鿿]", re.sub(r'<a [^>]*hreflang="zh-CN">中文</a>', "", page)) is not None
    assert has_chinese == (language is Language.CHINESE)


def test_rule_12_03_every_changed_number_is_named() -> None:
    old, new = answers.snapshot(), answers.snapshot()
    tables = [
        old.tables[0].model_copy(
            update={
                "rows": [
                    answers.rate("operations", 90, 120, en="Operations", zh="运维部"),
                    *old.tables[0].rows[2:],
                ],
                "formula_version": 2,
                "before": None,
            }
        ),
        *old.tables[2:],
    ]
    changes = compare_snapshots(old.model_copy(update={"tables": tables}), new)
    places = {(one.figure, one.group_by, one.part, one.key, one.member) for one in changes}
    assert ("response_rate", "team", "row", "operations", "numerator") in places
    assert ("response_rate", "team", "row", "service", "value") in places
    assert ("response_rate", "team", "total", None, "formula_version") in places
    assert ("response_rate", "team", "before", None, "value") in places
    assert ("inflow", "day", "row", "2026-10-02", "value") in places
    assert not any(figure == "weak_points" for figure, *_ in places)
    shown = view_changes(changes, new, EN)
    assert (shown[0].what, shown[0].old, shown[0].new) == (
        "Response rate by team, Operations: value",
        "75.0\u00a0%",
        "80.0\u00a0%",
    )
    assert compare_snapshots(new, new) == []


def test_a_new_name_is_no_changed_number() -> None:
    old = answers.snapshot(answers.table("x", "count", None, [ReportRow(
        key="a", names={"en": "Old"}, value=Decimal(1), numerator=Decimal(1), denominator=None
    )], total=answers.count(None, 1)))  # fmt: skip
    row = old.tables[0].rows[0].model_copy(update={"names": {"en": "New"}})
    new = old.model_copy(update={"tables": [old.tables[0].model_copy(update={"rows": [row]})]})
    assert compare_snapshots(old, new) == []


def test_periods_follow_each_other_over_years() -> None:
    quarter, month = read_period("2026-Q1"), read_period("2026-01")
    assert [period.code for period in (quarter.before, quarter.after, quarter.year_before)] == [
        "2025-Q4",
        "2026-Q2",
        "2025-Q1",
    ]
    assert month.before.code == "2025-12"
    assert (str(quarter.from_on), str(quarter.to_on)) == ("2026-01-01", "2026-04-01")
    assert (
        period_at(datetime(2026, 1, 31, 16, tzinfo=UTC), PeriodKind.MONTH, "Asia/Shanghai").code == "2026-02"
    )
    assert period_at(datetime(2026, 1, 31, 15, tzinfo=UTC), PeriodKind.QUARTER, "Asia/Shanghai") == quarter


def test_rule_12_07_a_report_is_due_some_hours_after_local_midnight_also_when_clocks_change() -> None:
    """New York: a month ends at midnight; its report is due six hours later, whatever the clocks did before."""
    march = ReportPeriod(PeriodKind.MONTH, 2026, 3)
    assert march.due_at("America/New_York", 6) == datetime(2026, 4, 1, 10, tzinfo=UTC)
    october = ReportPeriod(PeriodKind.MONTH, 2026, 10)
    assert october.due_at("Europe/London", 6) == datetime(2026, 11, 1, 6, tzinfo=UTC)
    begins, now = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 4, 1, 3, 59, 59, tzinfo=UTC)
    due = list_due(PeriodKind.MONTH, "UTC", 4, begins_at=begins, now=now)
    assert [period.code for period in due] == ["2026-01", "2026-02"]
    exact = list_due(PeriodKind.MONTH, "UTC", 4, begins_at=begins, now=datetime(2026, 4, 1, 4, tzinfo=UTC))
    assert [period.code for period in exact] == ["2026-01", "2026-02", "2026-03"]


def test_a_sheet_has_a_name_that_excel_takes() -> None:
    assert sheet_name(12, "A/B: [c] with a very long title that goes on") == "12 A B   c  with a very long ti"
