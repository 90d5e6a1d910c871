"""Published reports through the API on both engines: snapshots, restatements, files, rights and schedules."""

import io
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from complaints.domain.vocabulary import AccessRole
from complaints.features.reports.publishing import schedules, tables
from complaints.features.reports.publishing.use_cases import snapshot_of
from complaints.use_cases.figures.keeping import keep_facts
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.support import Scenario

REPORTS, SCHEDULES = "/v1/published-reports", "/v1/report-schedules"
Json = dict[str, Any]


@pytest.fixture
def january(scenario: Scenario, service: Service) -> Callable[[], None]:
    """Two complaints of January, and then it is 3 February. Returns a function that catches up with the feed."""
    answered = scenario.post(category="network.outage")
    scenario.post(category="billing.refund", channel="web")
    scenario.act(answered, "respond", message="We look.", contact_channel="phone")
    scenario.jump(days=29)

    def follow() -> None:
        while keep_facts(service):
            pass

    follow()
    return follow


def publish(client: ApiClient, status: int = 201, **members: Any) -> Json:
    answer = client.post(REPORTS, json={"period": "2026-01", **members})
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def table(report: Json, figure: str, group_by: str | None) -> Json:
    found: Json = next(
        one for one in report["snapshot"]["tables"] if (one["figure"], one["group_by"]) == (figure, group_by)
    )
    return found


def test_rule_12_01_a_published_report_stays_as_it_was_and_12_03_a_restatement_says_what_changed(
    client: ApiClient, scenario: Scenario, january: Callable[[], None]
) -> None:
    first = publish(client)
    assert (first["version"], first["reason"], first["changes"]) == (1, None, [])
    by_day = table(first, "inflow", "day")["rows"]
    assert [(row["key"], row["value"]) for row in by_day if row["value"]] == [("2026-01-05", 2)]
    assert len(by_day) == 31
    by_team = table(first, "response_rate", "team")
    assert [(row["key"], row["value"], row["names"]["en"]) for row in by_team["rows"]] == [
        ("management", 0, "Management"),
        ("operations", 1, "Operations"),
    ]
    assert by_team["total"]["denominator"] == 2
    assert by_team["formula_version"] >= 1
    assert publish(client, 200)["id"] == first["id"]
    publish(client, 422, reason="x", team="operations")

    scenario.post(category="network.outage", received_at="2026-01-10T00:00:00Z")
    january()
    refused = publish(client, 409)
    assert refused["type"] == "/problems/report-published"
    second = publish(client, reason="One complaint came by letter & late.")
    assert second["version"] == 2
    changed = {(one["figure"], one["group_by"], one["part"], one["member"]): one for one in second["changes"]}
    total = changed["inflow", "day", "total", "value"]
    assert (total["old"], total["new"]) == (2, 3)
    day = changed["inflow", "day", "row", "value"]
    assert (day["key"], day["old"], day["new"]) == ("2026-01-10", 0, 1)
    old = client.get(f"{REPORTS}/{first['id']}").json()
    assert old["snapshot"] == first["snapshot"]
    assert (old["version"], old["newest_version"]) == (1, 2)
    listed = client.get(REPORTS, params={"period": "2026-01"}).json()["items"]
    assert [(one["version"], one["changed_numbers"]) for one in listed] == [
        (2, len(second["changes"])),
        (1, 0),
    ]


def test_rule_12_02_a_report_is_json_a_page_and_a_workbook_with_the_same_numbers(
    client: ApiClient, scenario: Scenario, january: Callable[[], None]
) -> None:
    report = publish(client)
    scenario.post(category="billing.refund", received_at="2026-01-10T00:00:00Z")
    january()
    publish(client, reason="Late <letters>")
    path = f"{REPORTS}/{report['id']}"
    page = client.get(path, headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
    assert page.headers["content-language"] == "zh-CN"
    assert "script" not in page.text
    assert "已有更新的版本" in page.text
    newest = client.get(REPORTS).json()["items"][0]["id"]
    assert f'href="{REPORTS}/{newest}?format=html' in page.text
    restated = client.get(f"{REPORTS}/{newest}?format=html&language=en").text
    assert "This is a restatement" in restated
    assert "Late &lt;letters&gt;" in restated

    book = load_workbook(io.BytesIO(client.get(f"{path}?format=xlsx&language=en").content))
    tables_shown = report["snapshot"]["tables"]
    assert len(book.sheetnames) == 1 + len(tables_shown)
    for sheet, shown in zip(book.worksheets[1:], tables_shown, strict=True):
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        for row, written in zip([*shown["rows"], shown["total"]], rows, strict=False):
            numbers = [row["value"], row["numerator"], row["denominator"], *(row["interval"] or (None, None))]
            assert written[1:7] == [row["key"], *numbers]
    assert client.get(f"{path}?format=pdf").status_code == 422


UNPUBLISHABLE: list[tuple[Json, str]] = [
    ({"period": "2026-02"}, "/period"),
    ({"period": "2026-13"}, "/period"),
    ({"period": "2026-Q1"}, "/period"),
    ({"team": "nobody"}, "/team"),
    ({"team": "operations", "department": "network"}, "/department"),
    ({"recipients": ["nobody"]}, "/recipients/0"),
    ({"reason": "There is nothing to restate."}, "/reason"),
]


def test_a_report_that_cannot_be_published_says_why(
    client: ApiClient, january: Callable[[], None], subtests: pytest.Subtests
) -> None:
    for body, pointer in UNPUBLISHABLE:
        with subtests.test(str(body)):
            assert [error["pointer"] for error in publish(client, 422, **body)["errors"]] == [pointer]


def test_rule_12_05_who_may_publish_and_read_a_report(
    client: ApiClient, scenario: Scenario, january: Callable[[], None]
) -> None:
    """Its coverage decides (rule 12.4)."""
    for login, team, role in (
        ("chief", "operations", "supervisor"),
        ("other", "customer_service", "supervisor"),
        ("agent", "operations", "agent"),
    ):
        made = {"login": login, "name": login, "roles": [role], "teams": [team]}
        client.post("/v1/users", json=made).raise_for_status()
    keys = {
        login: scenario.key(role, login=login)
        for login, role in (
            ("chief", AccessRole.SUPERVISOR),
            ("other", AccessRole.SUPERVISOR),
            ("agent", AccessRole.AGENT),
        )
    }
    everything = publish(client)
    period = {"period": "2026-01"}
    assert client.post(REPORTS, json=period, headers=keys["chief"]).status_code == 403
    own = client.post(REPORTS, json={**period, "department": "network"}, headers=keys["chief"])
    assert own.status_code == 201, own.text
    shown = own.json()["snapshot"]
    assert (shown["coverage"]["code"], shown["coverage"]["teams"]) == ("department:network", ["operations"])
    assert table(own.json(), "inflow", "category")["total"]["value"] == 1
    path = f"{REPORTS}/{own.json()['id']}"
    statuses = {login: client.get(path, headers=headers).status_code for login, headers in keys.items()}
    assert statuses == {"chief": 200, "other": 404, "agent": 403}
    assert client.get(f"{REPORTS}/{everything['id']}", headers=keys["chief"]).status_code == 404
    listed = client.get(REPORTS, headers=keys["chief"]).json()["items"]
    assert [one["coverage"] for one in listed] == ["department:network"]
    assert len(client.get(REPORTS, headers=scenario.key(AccessRole.AUDITOR)).json()["items"]) == 2


def test_pages_of_reports_follow_each_other(client: ApiClient, january: Callable[[], None]) -> None:
    for team in ("operations", "customer_service", "management"):
        publish(client, team=team)
    found, cursor = [], None
    while True:
        page = client.get(REPORTS, params={"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
        found += [one["coverage"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert sorted(found) == ["team:customer_service", "team:management", "team:operations"]


def _put(client: ApiClient, code: str, status: int = 200, **members: Any) -> Json:
    answer = client.put(
        f"{SCHEDULES}/{code}", json={"kind": "month", "recipients": ["admin"], "hours_after": 6, **members}
    )
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def _reports(service: Service) -> list[tuple[str, str, int]]:
    found = service.read(lambda tx: tables.list_reports(tx, period=None, before=None, limit=100))
    return sorted((one.period, one.coverage, one.version) for one in found)


def test_rule_12_07_a_schedule_publishes_each_period_once_and_makes_up_for_missed_ones(
    client: ApiClient, scenario: Scenario, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.post()
    _put(client, "monthly")
    _put(client, "same", language="zh")
    _put(client, "quarterly", kind="quarter", team="operations")
    _put(client, "silent", active=False)
    assert schedules.run_schedules(service) == 0
    start = scenario.now().astimezone(ZoneInfo("Asia/Shanghai"))
    due = start.replace(month=2, day=1, hour=6, minute=0, second=0)
    scenario.jump(seconds=(due - start).total_seconds() - 1)
    assert schedules.run_schedules(service) == 0
    scenario.jump(seconds=1)

    def fail(*_: Any) -> bool:
        raise RuntimeError("the process died")

    with monkeypatch.context() as patch:
        patch.setattr(tables, "insert_run", fail)
        with pytest.raises(RuntimeError):
            schedules.run_schedules(service)
    assert _reports(service) == []
    assert schedules.run_schedules(service) == 2
    assert schedules.run_schedules(service) == 0
    assert _reports(service) == [("2026-01", "all", 1)]
    (made,) = client.get(REPORTS).json()["items"]
    assert made["published_by"] == "engine"
    kept = client.get(f"{REPORTS}/{made['id']}").json()
    assert table(kept, "inflow", "day")["total"]["value"] == 1  # nobody followed the feed before

    scenario.jump(days=60)
    while schedules.run_schedules(service):
        pass
    assert _reports(service) == [
        ("2026-01", "all", 1),
        ("2026-02", "all", 1),
        ("2026-03", "all", 1),
        ("2026-Q1", "team:operations", 1),
    ]
    assert client.delete(f"{SCHEDULES}/same").status_code == 204
    assert client.delete(f"{SCHEDULES}/same").status_code == 404
    assert len(client.get(SCHEDULES).json()["items"]) == 3
    assert len(_reports(service)) == 4


def test_rule_12_08_each_recipient_hears_of_a_report_and_of_its_restatements(
    client: ApiClient, scenario: Scenario, service: Service, january: Callable[[], None]
) -> None:
    publish(client, recipients=["admin", "admin"], language="zh")
    scenario.post(received_at="2026-01-10T00:00:00Z")
    january()
    second = publish(client, reason="A late letter.")
    news = service.read(lambda tx: schedules.find_news(tx, scenario.now()))
    assert [(one.login, one.template) for one in news] == [
        ("admin", "report_published"),
        ("admin", "report_restated"),
    ]
    assert news[1].link == f"{REPORTS}/{second['id']}?format=html&language=zh"
    assert news[0].id != news[1].id
    assert news[0].facts["period_zh"] == "2026 年 1 月"


def test_a_snapshot_is_read_back_as_it_was_written(
    client: ApiClient, service: Service, january: Callable[[], None]
) -> None:
    report = publish(client)
    kept = service.read(lambda tx: tables.find_newest(tx, "2026-01", "all"))
    assert kept is not None
    assert snapshot_of(kept).model_dump(mode="json", by_alias=True) == report["snapshot"]
    missing = {one["figure"] for one in report["snapshot"]["missing"]}
    assert missing == {"complaints_per_10000_services", "appeals_per_million_users"}
