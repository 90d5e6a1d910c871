"""`Accept: text/csv` on every list: the page as rows, with the address of the next page."""

import csv
import io
from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from tests.api.test_openapi import DOCUMENT
from tests.api_client import ApiClient
from tests.support import Scenario

CSV = {"Accept": "text/csv"}
WORDS = {"channel": "phone", "subject": "=cmd|' /C calc'!A0"}
PLACES = {
    "/v1/policies/{code}": {"code": "telecom-handbook"},
    "/v1/users/{login}/absence-rehearsal": {"login": "admin"},
}
QUERIES = {
    "/v1/users/{login}/absence-rehearsal": {"absent_until": "2026-01-09T00:00:00Z"},
    "/v1/reports/{figure}/rows": {"from": "2026-01-01", "to": "2026-02-01"},
}


def _rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


def _lists() -> list[str]:
    """The paths of all operations that answer a list."""
    schemas = DOCUMENT["components"]["schemas"]

    def is_list(operation: dict[str, Any]) -> bool:
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        return "items" in schemas.get(name, {}).get("properties", {})

    paths = [path for path, on in DOCUMENT["paths"].items() if "get" in on and is_list(on["get"])]
    undescribed = [
        path
        for path in paths
        if path.startswith("/v1/")
        and "text/csv" not in DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]
    ]
    assert not undescribed
    return [path for path in paths if path.startswith("/v1/")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_list_answers_as_csv_with_the_items_of_its_json(
    client: ApiClient, scenario: Scenario, subtests: pytest.Subtests
) -> None:
    made = client.post("/v1/complaints", json={**WORDS, "tags": ["+1", "vip"], "attributes": {"=a": "@b"}})
    scenario.advance(hours=30)
    taken = client.post(
        "/v1/imports?dry_run=true", content="channel,subject\n,x\n", headers={"Content-Type": "text/csv"}
    )
    webhook = client.post("/v1/webhooks", json={"url": "https://example.com/"})
    names = {
        "reference": made.json()["number"],
        "code": "operations",
        "import_id": taken.json()["id"],
        "webhook_id": webhook.json()["id"],
        "figure": "inflow",
    }
    paths = _lists()
    assert len(paths) > 20
    for path in paths:
        with subtests.test(path):
            address = (
                path.format(**names, **PLACES.get(path, {}))
                if path not in PLACES
                else path.format(**PLACES[path])
            )
            listed = client.get(address, params=QUERIES.get(path))
            shown = client.get(address, params=QUERIES.get(path), headers=CSV)
            assert listed.status_code == 200, listed.text
            rows, items = _rows(shown), listed.json()["items"]
            assert len(rows) == len(items)
            columns = shown.text.partition("\r\n")[0].split(",")
            assert {column.partition(".")[0] for column in columns} >= {
                name for item in items for name in item
            }
            assert not any(cell[:1] and cell[0] in "=+-@\t\r" for row in rows for cell in row.values())
            assert ('rel="next"' in shown.headers.get("link", "")) is bool(listed.json().get("next_cursor"))


def test_pages_of_csv_follow_their_links(client: ApiClient, scenario: Scenario) -> None:
    for number in range(5):
        scenario.post(subject=f'{number}, "quoted"\nand more', tags=["+1", "vip"])
    address, seen = (
        "/v1/complaints?limit=2&fields=subject,tags,result&sort=received_at&status=received&status=closed",
        [],
    )
    while address:
        answer = client.get(address, headers=CSV)
        assert answer.text.startswith("subject,tags,result.resolution,result.outcome")
        seen += [row["subject"][0] for row in _rows(answer)]
        assert {row["tags"] for row in _rows(answer)} == {"'+1; vip"}
        address = answer.headers.get("link", "").removesuffix('>; rel="next"').removeprefix("<")
    assert seen == ["0", "1", "2", "3", "4"]
    feed = client.get("/v1/changes?limit=1", headers=CSV)
    assert "after=" in feed.headers["link"]


def test_what_is_asked_for_decides_on_the_form(client: ApiClient, scenario: Scenario) -> None:
    scenario.post()
    for accept, is_csv in {
        "text/csv": True, "Text/CSV; q=0.9, application/json;q=0.5": True, "text/csv, */*": True,
        "*/*": False, "text/*": False, "application/json, text/csv;q=0.9": False, "text/csv;q=0": False,
        "text/csv;q=x": False, "image/png": False,
    }.items():  # fmt: skip
        answer = client.get("/v1/complaints", headers={"Accept": accept})
        assert answer.headers["content-type"].startswith("text/csv" if is_csv else "application/json"), accept
    assert client.get("/v1/me", headers=CSV).headers["content-type"] == "application/json"
    refused = client.get("/v1/complaints?colour=red", headers=CSV)
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")


def test_masks_and_scope_are_those_of_the_json(client: ApiClient, scenario: Scenario) -> None:
    scenario.post(complainant={"name": "Zhuge Kongming", "phone": "+8613912345678"}, source="north")
    scenario.post(source="south")
    auditor = {**CSV, **scenario.key(AccessRole.AUDITOR)}
    [south, north] = _rows(client.get("/v1/complaints", headers=auditor))
    assert (north["complainant.name"], north["complainant.phone"]) == ("Z****", "'+861****5678")
    intake = {**CSV, **scenario.key(AccessRole.INTAKE, source="south")}
    assert [row["id"] for row in _rows(client.get("/v1/complaints", headers=intake))] == [south["id"]]
