"""`GET /v1/exports`: what is in a file, who gets it, and what happens if it cannot be finished."""

import asyncio
import csv
import io
import json
import re
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import openpyxl
import pytest

from complaints.domain.errors import Unavailable
from complaints.domain.vocabulary import AccessRole
from complaints.features.exports import answers, routes, use_cases
from complaints.features.exports.columns import HeaderLanguage, choose_content, titles_of
from complaints.features.exports.use_cases import ExportPage
from complaints.use_cases.configuration import keys
from tests.api.http_app import running
from tests.api_client import ApiClient
from tests.support import ADMIN_SECRET, Scenario

SECRETS = (
    "Zhuge",
    "13912345678",
    "kongming@",
    "ACCT-7788",
    "No signal",
    "Repaired",
    "cell-tower",
    "vip-tag",
    "S-77",
)
SENT = {
    "subject": "No signal",
    "description": "=HYPERLINK()",
    "tags": ["+vip-tag", "-2"],
    "attributes": {"=cell-tower": "@x"},
    "service": {"type": "mobile", "id": "S-77-1234567"},
    "complainant": {
        "name": "Zhuge Kongming",
        "phone": "+8613912345678",
        "email": "kongming@longzhong.example",
        "account_no": "ACCT-7788-31",
    },
}
KEY = {"Authorization": f"Bearer {ADMIN_SECRET}"}


def _export(client: ApiClient, path: str = "", headers: Any = None, **query: Any) -> Any:
    answer = client.get(f"/v1/exports{path}", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def _lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.content.splitlines()]


def _table(answer: Any) -> list[list[Any]]:
    if answer.headers["content-type"].startswith("text/csv"):
        return list(csv.reader(io.StringIO(answer.content.decode(), newline=""), strict=True))
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


@pytest.fixture
def told(scenario: Scenario) -> Any:
    """A complaint with persons, texts and a result."""
    made = scenario.post(**SENT, source="north", external_id="E1", category="network.outage")
    scenario.act(made, "respond", message="We look.", contact_channel="phone")
    return scenario.act(
        made,
        "resolve",
        resolution="Repaired.",
        outcome="upheld",
        cause="technical",
        root_cause="Repaired too.",
    )


# Content -------------------------------------------------------------------------------------------------------------


def test_an_export_has_no_persons_and_no_texts_unless_it_is_full(
    client: ApiClient, told: Any, subtests: pytest.Subtests
) -> None:
    for form in ("ndjson", "csv", "xlsx"):
        with subtests.test(form):
            plain, full = _export(client, format=form), _export(client, format=form, full=True)
            if form == "ndjson":
                [item], [whole] = _lines(plain), _lines(full)
                shown = client.get(f"/v1/complaints/{told.id}").json()
                assert whole == shown | {"merged_into": None}
                assert item["result"].keys() == shown["result"].keys() - {"resolution", "root_cause"}
                texts, everything = json.dumps(item), json.dumps(whole)
            else:
                names, row = _table(plain)
                assert (
                    dict(zip(names, row, strict=True))[names[1]]
                    == client.get(f"/v1/complaints/{told.id}").json()["number"]
                )
                texts, everything = str(_table(plain)), str(_table(full))
            assert not [secret for secret in SECRETS if secret in texts]
            assert all(secret in everything for secret in SECRETS)
            assert plain.headers["content-disposition"].endswith(f'.{form}"')


def test_a_table_has_types_titles_and_the_last_deadline_of_each_kind(client: ApiClient, told: Any) -> None:
    names, row = _table(_export(client, format="xlsx", full=True, timezone="Asia/Shanghai"))
    found = dict(zip(names, row, strict=True))
    assert found["received_at 受理时间"] == datetime(2026, 1, 5, 9)  # noqa: DTZ001 - Excel knows no zones
    assert (found["version 版本"], found["overdue 是否超时"]) == (3, False)
    assert found["first_response.status 首次响应时限状态"] == "met"
    assert found["tags 标签"] == "'+vip-tag; -2"
    assert found["description 描述"] == "'=HYPERLINK()"
    names, row = _table(_export(client, format="csv", full=True, timezone="Asia/Shanghai"))
    found = dict(zip(names, row, strict=True))
    assert (found["received_at"], found["description"]) == ("2026-01-05T09:00:00+08:00", "'=HYPERLINK()")
    assert found["attributes"] == '{"=cell-tower":"@x"}'
    book = openpyxl.load_workbook(io.BytesIO((answer := _export(client, format="xlsx")).content))
    about = dict(book.worksheets[1].iter_rows(min_row=2, values_only=True))
    assert (about["rows 行数"], about["timezone 时区"]) == (1, "UTC")
    assert about["feed_cursor 变更流位置"] == answer.headers["x-feed-cursor"]
    assert not [cell for sheet in book for line in sheet for cell in line if cell.data_type == "f"]


def test_a_header_has_the_wanted_names_and_csv_a_mark_for_excel(client: ApiClient, told: Any) -> None:
    for language, first in {"en": "number", "zh": "投诉编号", "both": "number 投诉编号"}.items():
        assert _table(_export(client, format="csv", fields="number", language=language))[0] == [first]
    marked = _export(client, format="csv", fields="number", bom=True).content
    assert marked.startswith("\ufeffnumber\r\nC".encode())
    every = choose_content(None, full=True).columns()
    assert len(set(titles_of(every, HeaderLanguage.BOTH))) == len(every) > 60


def test_the_header_accept_names_a_format_too(client: ApiClient, told: Any) -> None:
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    for accept, kind in {"text/csv": "text/csv", xlsx: xlsx, "*/*": "application/x-ndjson"}.items():
        answer = _export(client, headers={"Accept": accept})
        assert answer.headers["content-type"].startswith(kind)
    answer = _export(client, headers={"Accept": "text/csv"}, format="ndjson", fields="id,links")
    assert _lines(answer) == [{"id": str(told.id), "links": []}]


def test_every_filter_finds_what_the_list_finds(client: ApiClient, scenario: Scenario, told: Any) -> None:
    for number in range(3):
        scenario.post(
            subject=f"slow {number}", channel="web", source="south", tags=["x"], attributes={"a": 1}
        )
    scenario.advance(hours=30)
    queries = (
        {}, {"status": "resolved"}, {"status": ["received", "resolved"]}, {"overdue": "true"}, {"source": "south"},
        {"q": "slow"}, {"category": "network"}, {"tag": "x"}, {"attributes.a": "1"}, {"phone": "139 1234 5678"},
        {"external_id": "E1"}, {"deadline_kind": "resolution"}, {"received_to": "2026-01-01T00:00:00Z"},
        {"team": "operations"}, {"met_late": "false"}, {"escalation_level_min": "1"},
    )  # fmt: skip
    for query in queries:
        listed = client.get("/v1/complaints", params={**query, "sort": "received_at"}).json()["items"]
        found = _lines(_export(client, **query))
        assert [item["id"] for item in found] == [item["id"] for item in listed], query


def test_a_merged_complaint_stays_in_the_export(client: ApiClient, scenario: Scenario, told: Any) -> None:
    [one, other] = (scenario.post(**SENT) for _ in range(2))
    merged = client.post(
        f"/v1/complaints/{other.id}/transitions", json={"action": "merge", "into": str(one.id)}
    )
    assert merged.status_code == 200, merged.text
    rows = {row["id"]: row for row in _lines(_export(client, fields="id,status,merged_into"))}
    assert rows[str(other.id)] == {"id": str(other.id), "status": "merged", "merged_into": str(one.id)}
    assert rows[str(one.id)]["merged_into"] is None


# The feed ------------------------------------------------------------------------------------------------------------


def test_export_and_feed_together_miss_no_change(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complaints are changed and posted between the pages. None is left out, none comes twice."""
    monkeypatch.setattr(use_cases, "PAGE", 2)
    made = [scenario.post(subject=str(number)) for number in range(5)]
    read, seen = use_cases.read_page, 0

    def read_and_change(*given: Any, **named: Any) -> ExportPage:
        nonlocal seen
        page = read(*given, **named)
        if (seen := seen + 1) <= len(made):
            scenario.act(made[seen - 1], "assign", team="management")
        if seen == 2:
            scenario.post(subject="late")
        return page

    monkeypatch.setattr(use_cases, "read_page", read_and_change)
    answer = _export(client, fields="id,version,team")
    rows = {row["id"]: row["version"] for row in _lines(answer)}
    assert len(rows) == len(_lines(answer)) >= 5
    after = client.get("/v1/changes", params={"after": answer.headers["x-feed-cursor"]}).json()["items"]
    known = rows | {
        event["complaint_id"]: max(event["version"], rows.get(event["complaint_id"], 0)) for event in after
    }
    listed = client.get("/v1/complaints").json()["items"]
    assert known == {item["id"]: item["version"] for item in listed}


# Rights --------------------------------------------------------------------------------------------------------------


def test_persons_are_masked_and_an_export_with_them_is_logged(
    client: ApiClient, scenario: Scenario, told: Any
) -> None:
    """Rule 9.3."""
    auditor, agent = scenario.key(AccessRole.AUDITOR), scenario.key(AccessRole.AGENT)
    [masked] = _lines(_export(client, headers=auditor, full=True))
    assert masked["complainant"]["name"] == "Z****"
    assert masked["attributes"] == {"=cell-tower": "***"}
    _export(client, headers=agent, fields="id")
    assert client.get("/v1/access-log", headers=auditor).json()["items"] == []
    _export(
        client, headers=agent, fields="complainant", format="csv", phone="+8613912345678", team="operations"
    )
    _export(client, headers=agent, full=True, reason="The regulator asks.")
    last, first = client.get("/v1/access-log", params={"kind": "export"}, headers=auditor).json()["items"]
    assert first["reason"] == "csv: fields=complainant&phone=***&team=operations"
    assert last["reason"] == "The regulator asks. (ndjson: full=true)"
    assert (first["complaint_id"], first["number"], first["actor"][:9]) == (None, None, "key:agent")


def test_an_export_stays_in_the_scope_of_its_caller(client: ApiClient, scenario: Scenario, told: Any) -> None:
    scenario.post(source="south")
    intake = scenario.key(AccessRole.INTAKE, source="south")
    assert [row["source"] for row in _lines(_export(client, headers=intake, fields="source"))] == ["south"]


REFUSED: list[tuple[dict[str, str], int, str]] = [
    ({"format": "pdf"}, 422, "format"),
    ({"colour": "red"}, 400, "colour"),
    ({"sort": "priority"}, 400, "sort"),
    ({"cursor": "x"}, 400, "cursor"),
    ({"fields": "id,nothing"}, 400, "nothing"),
    ({"fields": ""}, 400, "field"),
    ({"fields": "id", "full": "true"}, 422, "full"),
    ({"full": "1"}, 422, "full"),
    ({"bom": "true"}, 422, "bom"),
    ({"bom": "true", "format": "xlsx"}, 422, "bom"),
    ({"language": "zh"}, 422, "language"),
    ({"language": "fr", "format": "csv"}, 422, "language"),
    ({"timezone": "UTC"}, 422, "timezone"),
    ({"timezone": "Mars/Olympus", "format": "csv"}, 422, "timezone"),
    ({"timezone": "../../etc/passwd", "format": "csv"}, 422, "timezone"),
    ({"reason": " "}, 422, "reason"),
    ({"team": "nobody"}, 422, "team"),
    ({"q": "a\0b"}, 422, "q"),
    ({"received_from": "yesterday"}, 422, "received_from"),
]


def test_a_bad_query_is_refused_and_logs_nothing(client: ApiClient, scenario: Scenario) -> None:
    for query, status, name in REFUSED:
        answer = client.get("/v1/exports", params={"full": "true", **query} if "team" in query else query)
        assert (answer.status_code, name in answer.json()["detail"]) == (status, True), (query, answer.text)
    refused = client.get(
        "/v1/exports", params={"phone": "+8613912345678"}, headers=scenario.key(AccessRole.AUDITOR)
    )
    assert refused.status_code == 403
    assert client.get("/v1/exports", headers={"Authorization": "Bearer nobody"}).status_code == 401
    assert client.get("/v1/access-log").json()["items"] == []


def test_more_rows_than_a_sheet_has_are_refused_with_their_number(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        scenario.post()
    monkeypatch.setattr(routes, "MOST_ROWS", 2)
    for method in ("GET", "HEAD"):
        chinese = {"Accept-Language": "zh-CN"}
        refused = client.request(method, "/v1/exports?format=xlsx&full=true", headers=chinese)
        assert refused.status_code == 422
    assert "3 complaints fit" in client.get("/v1/exports?format=xlsx").json()["detail"]
    assert (
        len(
            _table(
                _export(client, format="xlsx", q="signal", fields="id", received_to="2026-01-05T01:00:00Z")
            )
        )
        == 1
    )
    assert client.get("/v1/access-log").json()["items"] == []


def test_head_has_the_headers_and_exports_nothing(client: ApiClient, told: Any) -> None:
    got, head = _export(client, format="csv"), client.head("/v1/exports?format=csv&full=true")
    assert head.content == b""
    assert "content-length" not in head.headers
    for name in ("content-type", "x-feed-cursor"):
        assert head.headers[name] == got.headers[name]
    assert client.get("/v1/access-log").json()["items"] == []


# Failures ------------------------------------------------------------------------------------------------------------


@contextmanager
def _broken_page(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], None]) -> Iterator[None]:
    """Before page `number` is read, `act` is called. Pages have one complaint."""
    read, seen = use_cases.read_page, 0

    def read_page(*given: Any, **named: Any) -> ExportPage:
        nonlocal seen
        if (seen := seen + 1) == number:
            act()
        return read(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(use_cases, "PAGE", 1)
        patch.setattr(use_cases, "read_page", read_page)
        yield


def _fail() -> None:
    raise Unavailable("The database cannot be reached.")


def test_a_failure_before_the_first_byte_is_a_problem(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        scenario.post()
    for form, page in {"ndjson": 1, "csv": 1, "xlsx": 3}.items():
        with _broken_page(monkeypatch, page, _fail):
            assert client.get("/v1/exports", params={"format": form}).status_code == 503


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_client_notices_that_an_export_was_cut(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        scenario.post()
    monkeypatch.setattr(answers, "ACCESS_SECONDS", 0.05)
    made = scenario.service.write(
        lambda tx: keys.create_key(
            scenario.service, tx, scenario.caller, name="leaver", roles=[AccessRole.AGENT], source="test"
        )
    )

    def revoke() -> None:
        scenario.service.configure(
            lambda tx: keys.revoke_key(scenario.service, tx, scenario.caller, made[0].id)
        )
        time.sleep(0.3)

    with running(client.app, graceful_shutdown_seconds=1) as port:  # type: ignore[arg-type]
        url = f"http://127.0.0.1:{port}/v1/exports"
        for secret, act in ((ADMIN_SECRET, _fail), (made[1], revoke)):
            headers = {"Authorization": f"Bearer {secret}"}
            with _broken_page(monkeypatch, 3, act), httpx2.stream("GET", url, headers=headers) as answer:
                assert answer.status_code == 200
                with pytest.raises(httpx2.RemoteProtocolError):
                    answer.read()
        assert len(_lines(httpx2.get(url, headers=KEY))) == 3
        assert httpx2.get(url, headers={"Authorization": f"Bearer {made[1]}"}).status_code == 401


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_client_that_leaves_ends_its_export(
    client: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads nothing, so the pages wait; when it has left, no page is read any more."""
    scenario.post(description="x" * 100_000)
    read, pages = use_cases.read_page, []

    def read_on(*given: Any, **named: Any) -> ExportPage:
        page = read(*given, **named)
        pages.append(page)
        return (
            ExportPage(page.complaints, use_cases.ListPosition(None, UUID(int=0)))
            if len(pages) < 500
            else page
        )

    monkeypatch.setattr(
        use_cases, "read_page", lambda *given, **named: read_on(*given, **(named | {"after": None}))
    )
    with running(client.app, graceful_shutdown_seconds=1) as port:  # type: ignore[arg-type]
        with socket.create_connection(("127.0.0.1", port)) as connection:
            head = f"GET /v1/exports?full=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_SECRET}\r\n\r\n"
            connection.sendall(head.encode())
            connection.recv(100)
            waited = _count_until_still(pages)
        assert waited < 200
        assert _count_until_still(pages) < 200


def _count_until_still(pages: list[Any]) -> int:
    """The number of pages once no more are read for a while."""
    before = -1
    while len(pages) != before:
        before = len(pages)
        time.sleep(0.25)
    return before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_memory_of_an_export_does_not_grow_with_its_rows(
    client: ApiClient, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, left = use_cases.read_page, 0

    def read_again(*given: Any, **named: Any) -> ExportPage:
        nonlocal left
        page = read(*given, **(named | {"after": None}))
        left -= 1
        return ExportPage(
            list(page.complaints) * 20, use_cases.ListPosition(None, UUID(int=0)) if left > 0 else None
        )

    def peak(form: str, pages: int) -> tuple[int, int]:
        nonlocal left
        left = pages
        tracemalloc.start()
        size = asyncio.run(_drain(client.app, f"format={form}&full=true"))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most, size

    monkeypatch.setattr(use_cases, "read_page", read_again)
    for form in ("ndjson", "xlsx"):
        asyncio.run(_drain(client.app, f"format={form}"))  # loads the library
        (few, _), (many, size) = peak(form, 2), peak(form, 10)
        assert many < few + 200_000
        assert form == "xlsx" or size > 250_000


async def _drain(app: Any, query: str) -> int:
    """Read an export to its end and keep nothing of it. Returns its size in bytes."""
    size, asked = 0, list[None]()

    async def send(message: Any) -> None:
        nonlocal size
        assert message.get("status", 200) == 200
        size += len(message.get("body", b""))

    async def receive() -> Any:
        if asked:
            await asyncio.sleep(60)
        asked.append(None)
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/v1/exports", "raw_path": b"/v1/exports", "scheme": "http",
        "query_string": query.encode(), "headers": [(b"host", b"x"), (b"authorization", KEY["Authorization"].encode())],
        "http_version": "1.1", "server": ("x", 80), "client": ("x", 1), "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    return size


def test_the_title_of_an_own_kind_is_no_formula(client: ApiClient) -> None:
    document = Path("docs/examples/own-deadlines.yaml").read_text("utf-8")
    spoilt = re.sub(r"(regulator:.*?zh: )[^},\n]+", r'\1"=1+1"', document, count=1, flags=re.DOTALL)
    applied = client.post("/v1/policies", content=spoilt, headers={"Content-Type": "application/yaml"})
    assert applied.status_code == 201, applied.text
    titles = _table(_export(client, format="csv", language="zh"))[0]
    assert [title for title in titles if title[0] in "=+-@"] == []
    assert any(title.startswith("'=1+1") for title in titles)
