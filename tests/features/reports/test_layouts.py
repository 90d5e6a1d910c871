"""Layouts of regulators: the real row of a notice, what a document may say, and the files (rule 12.9)."""

import copy
import io
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook

from complaints.domain.errors import InvalidContent
from complaints.domain.figures.evaluation import divide
from complaints.domain.vocabulary import AccessRole
from complaints.features.reports.layouts.documents import read_layout, shipped_layouts
from complaints.features.reports.layouts.evaluation import Filters, evaluate_layout
from complaints.features.reports.layouts.files import round_cell, write_cell
from complaints.features.reports.publishing.periods import ReportPeriod, read_period
from complaints.use_cases.figures.keeping import keep_facts
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.support import Scenario

LAYOUTS = "/v1/report-layouts"
MIIT = "miit-appeals"
Json = dict[str, Any]
SMALL: Json = {
    "titles": {"en": "Appeals", "zh": "申诉"},
    "source": "Notice of the regulator",
    "effective_from": "2026-01-01",
    "kind": "quarter",
    "rows": [{"titles": {"en": "Us", "zh": "本企业"}, "filters": {"channel": ["regulator"]}}],
    "columns": [
        {"id": "all", "titles": {"en": "All", "zh": "总量"}, "figure": "inflow"},
        {"id": "twice", "titles": {"en": "Twice", "zh": "两倍"}, "sum": ["all", "all"]},
    ],
}


def answer_as_noticed(figure: str, filters: Filters, period: ReportPeriod) -> Decimal | None:
    """The appeals of a quarter as a notice of MIIT has them: 4,081 of 300 million users; a year before 3,600."""
    assert filters["channel"] == ["regulator"] or filters["channel"] == ("regulator",)
    total = Decimal(4081 if period == read_period("2026-Q3") else 3600)
    if figure == "appeals_per_million_users":
        return divide(total, Decimal(300_000_000), times=1_000_000)
    by_category = {(): total, ("network",): Decimal(752), ("billing", "terms"): Decimal(1296)}
    return by_category[tuple(filters.get("category", ()))]


def test_rule_12_09_the_real_row_of_a_notice_follows_from_its_numbers() -> None:
    layout = shipped_layouts()[MIIT]
    (cells,) = evaluate_layout(layout, read_period("2026-Q3"), answer_as_noticed)
    assert (cells["service"], cells["network"], cells["charges"], cells["total"]) == (2033, 752, 1296, 4081)
    columns = {column.id: column for column in layout.columns}
    assert write_cell(columns["per_million"], cells["per_million"], "en") == "13.6"
    shown = {name: write_cell(columns[name], cells[name], "zh") for name in cells if "share" in name}
    assert shown == {"service_share": "49.8%", "network_share": "18.4%", "charges_share": "31.8%"}
    assert round_cell(columns["growth"], cells["growth"]) == Decimal("0.134")
    assert layout.example
    assert layout.source


def test_a_cell_that_lacks_a_number_is_empty() -> None:
    layout = shipped_layouts()[MIIT]
    (cells,) = evaluate_layout(layout, read_period("2026-Q3"), lambda *_: None)
    assert set(cells.values()) == {None}
    (zeros,) = evaluate_layout(layout, read_period("2026-Q3"), lambda *_: Decimal(0))
    assert (zeros["total"], zeros["service_share"], zeros["growth"]) == (0, None, None)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"columns/1/sum": ["all", "unknown"]}, "/columns/1"),
        ({"columns/1/ratio": ["all", "all"]}, "/columns/1"),
        ({"columns/0/figure": "inflows"}, "/columns/0/figure"),
        ({"columns/0/filters": {"colour": ["red"]}}, "/columns/0/filters"),
        ({"rows/0/filters": {"colour": ["red"]}}, "/rows/0/filters"),
        ({"columns/1/sum": ["all", "twice"]}, "/columns/1"),
        ({"columns/1/id": "all"}, "/columns"),
        ({"columns/0/places": 9}, "/columns/0/places"),
        ({"rows": []}, "/rows"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_layout_that_cannot_be_computed_is_refused(
    service: Service, client: ApiClient, change: Json, pointer: str
) -> None:
    body = copy.deepcopy(SMALL)
    ((path, value),) = change.items()
    *way, last = path.split("/")
    place: Any = body
    for part in way:
        place = place[int(part) if part.isdigit() else part]
    place[last] = value
    refused = client.put(f"{LAYOUTS}/own", json=body)
    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (422, [pointer])


def test_a_layout_as_yaml_names_the_line_of_a_fault() -> None:
    text = (
        "titles: {en: A, zh: 甲}\nsource: x\nkind: week\neffective_from: 2026-01-01\n"
        "rows: [{titles: {en: A, zh: 甲}}]\ncolumns: [{id: a, titles: {en: A, zh: 甲}, figure: inflow}]\n"
    )
    with pytest.raises(InvalidContent, match="line 3: "):
        read_layout(text)
    assert read_layout(text.replace("week", "month")).columns[0].figure == "inflow"


def test_the_table_of_a_layout_is_json_a_page_and_a_workbook(
    client: ApiClient, scenario: Scenario, service: Service
) -> None:
    for category in ("network.outage", "network.slow", "billing.refund", "service.attitude"):
        scenario.post(channel="regulator", category=category)
    scenario.post(category="network.outage")
    scenario.jump(days=90)
    while keep_facts(service):
        pass
    exposure = {"measure": "users", "from": "2026-01-01", "value": 2_000_000, "source": "billing system"}
    client.put("/v1/reports/exposures", json=exposure).raise_for_status()
    path = f"{LAYOUTS}/{MIIT}/table"
    shown = client.get(path, params={"period": "2026-Q1"}).json()
    (row,) = shown["rows"]
    expected = {
        "service": 1, "network": 2, "charges": 1, "total": 4, "service_share": 0.25, "network_share": 0.5,
        "charges_share": 0.25, "per_million": 2, "growth": None,
    }  # fmt: skip
    assert row["values"] == expected
    page = client.get(path, params={"period": "2026-Q1", "format": "html", "language": "zh"}).text
    assert "百万用户申诉率" in page
    assert "示例" in page
    answer = client.get(path, params={"period": "2026-Q1", "format": "xlsx", "language": "zh"})
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    header, written = [[cell.value for cell in one] for one in sheet.iter_rows()]
    assert header[:4] == ["企业", "用户服务", "网络质量", "收费争议"]
    assert written == ["本企业", *expected.values()]
    for period, status in (("2026-01", 422), ("2016-Q1", 422), ("soon", 422)):
        assert client.get(path, params={"period": period}).status_code == status


def test_an_operator_puts_in_a_layout_of_their_own(
    client: ApiClient, scenario: Scenario, service: Service
) -> None:
    assert client.put(f"{LAYOUTS}/own", json=SMALL).status_code == 200
    stored = client.get(f"{LAYOUTS}/own").json()
    assert client.put(f"{LAYOUTS}/own", json=stored).json() == stored
    assert client.put(f"{LAYOUTS}/{MIIT}", json=SMALL).status_code == 409
    assert [one["code"] for one in client.get(LAYOUTS).json()["items"]] == [MIIT, "own"]
    client.post(
        "/v1/users", json={"login": "chief", "name": "C", "roles": ["supervisor"], "teams": ["operations"]}
    )
    part = scenario.key(AccessRole.SUPERVISOR, login="chief")
    path = f"{LAYOUTS}/own/table?period=2026-Q1"
    assert client.get(path, headers=part).status_code == 403
    assert client.get(path).json()["rows"][0]["values"] == {"all": 0, "twice": 0}
    assert client.delete(f"{LAYOUTS}/own").status_code == 204
    assert [client.get(path).status_code, client.delete(f"{LAYOUTS}/own").status_code] == [404, 404]
    assert client.delete(f"{LAYOUTS}/{MIIT}").status_code == 409
