"""The scripts of docs/integrations run against a real server, and against stand-ins for the foreign systems."""

import csv
import importlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.journeys.running_server import Launcher, RunningServer
from tests.support import ADMIN_SECRET

PLACE = Path(__file__).resolve().parents[2] / "docs/integrations"
Json = dict[str, Any]
SOLVED = {
    "salesforce": ("Solved", {"Resolution__c": "Repaired", "Root_Cause__c": "Fibre", "Outcome__c": "upheld"}),
    "servicenow": ("6", {"close_notes": "Repaired", "cause": "Fibre", "u_outcome": "upheld"}),
}
CAUSES = {"salesforce": {"Cause__c": "technical"}, "servicenow": {"u_cause": "technical"}}


class ForeignSystem(ThreadingHTTPServer):
    """Stands for Salesforce, ServiceNow and the robots: it keeps cases, and the messages that were sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.cases: dict[str, Json] = {}
        self.writes: list[str] = []
        self.messages: list[tuple[str, Json]] = []
        self.answer: Json = {"errcode": 0, "code": 0}

    def handle_request_of(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """The status and the answer."""
        parts = urlsplit(path)
        if parts.path.startswith("/services/data/v64.0/sobjects/Case/Complaint_Number__c/"):
            assert method == "PATCH"
            return self._put(parts.path.rpartition("/")[2], body), None
        if parts.path.startswith("/api/now/table/sn_customerservice_case"):
            return self._table(method, parts.path, parse_qs(parts.query), body)
        self.messages.append((path, body))
        return 200, self.answer

    def _put(self, number: str, body: Json) -> int:
        known = number in self.cases
        self.cases[number] = {**self.cases.get(number, {}), **body}
        self.writes.append(number)
        return 204 if known else 201

    def _table(self, method: str, path: str, query: Any, body: Any) -> tuple[int, Any]:
        if method == "GET":
            number = query["sysparm_query"][0].removeprefix("correlation_id=")
            return 200, {"result": [{"sys_id": number}] if number in self.cases else []}
        number = body["correlation_id"] if method == "POST" else path.rpartition("/")[2]
        assert (method == "PATCH") is (number in self.cases)
        return self._put(number, body), {"result": {"sys_id": number}}


class _Handler(BaseHTTPRequestHandler):
    server: ForeignSystem

    def _handle(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        status, answer = self.server.handle_request_of(self.command, self.path, body)
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _handle

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def foreign_system() -> Iterator[ForeignSystem]:
    with ForeignSystem() as system:
        threading.Thread(target=system.serve_forever, args=(0.01,), daemon=True).start()
        yield system
        system.shutdown()


class Integrations:
    """The server, an administrator, and the scripts with their settings."""

    def __init__(self, server: RunningServer, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(PLACE)
        self.admin = server.client(ADMIN_SECRET)
        self.directory = directory
        self._monkeypatch = monkeypatch
        key = {"name": "mirror", "roles": ["agent", "supervisor"]}
        made = self.admin.post("/v1/keys", json=key).raise_for_status().json()
        self.set(COMPLAINTS_URL=server.url, COMPLAINTS_KEY=made["key"], CRM_TOKEN="a-token")

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)

    def run(self, script: str, *arguments: str) -> int:
        """The exit code of a script."""
        return int(importlib.import_module(script).main([*arguments]))

    def file(self, name: str, content: str | None = None) -> str:
        path = self.directory / name
        if content is not None:
            path.write_text(content, encoding="utf-8")
        return str(path)

    def post(self, subject: str, **members: Any) -> str:
        """Register a complaint; its number."""
        sent = {"channel": "phone", "subject": subject, **members}
        number: str = self.admin.post("/v1/complaints", json=sent).raise_for_status().json()["number"]
        return number

    def act(self, number: str, **action: Any) -> None:
        self.admin.post(f"/v1/complaints/{number}/transitions", json=action).raise_for_status()

    def status(self, number: str) -> str:
        found: str = self.admin.get(f"/v1/complaints/{number}").raise_for_status().json()["status"]
        return found


def test_every_integration_works_with_a_server(
    launcher: Launcher,
    migrated_database_url: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = launcher.serve(migrated_database_url("sqlite"), sandbox=1)
    made = Integrations(server, tmp_path, monkeypatch)
    for system in ("salesforce", "servicenow"):
        with foreign_system() as crm:
            made.set(CRM_URL=crm.url)
            check_crm(made, crm, system, capsys)
    for kind in ("wecom", "dingtalk", "feishu"):
        with foreign_system() as group:
            made.set(ROBOT_URL=f"{group.url}/send?key=x", ROBOT_SECRET="SEC0123456789abcdef")
            check_robot(made, group, kind, capsys)
    check_table(made, capsys)
    assert made.run("check_dashboard", str(PLACE / "grafana-dashboard.json")) == 0
    alarms = json.dumps({"expr": (PLACE / "grafana.md").read_text(encoding="utf-8")})
    assert made.run("check_dashboard", made.file("alarms.json", alarms)) == 0
    assert made.run("check_dashboard", made.file("other.json", '[{"expr": "max(complaints_no_such)"}]')) == 2
    assert "The server has no complaints_no_such." in capsys.readouterr().err
    made.admin.close()


def check_crm(made: Integrations, crm: ForeignSystem, system: str, capsys: Any) -> None:
    """Both ways, without a loop, and an unmapped status is refused."""
    chart, cursor = str(PLACE / f"{system}.toml"), made.file(f"{system}.cursor")
    map_of = importlib.import_module("crm_map").CrmMap.read(Path(chart))
    fields = {member: field for field, member in map_of.fields.items()}
    first, second = made.post(f"{system} 1"), made.post(f"{system} 2", description="Since Monday")
    assert made.run("mirror", chart, cursor) == 0
    assert {first, second} <= crm.cases.keys()
    assert crm.cases[second][fields["description"]] == "Since Monday"
    assert crm.cases[first][fields["status"]] == map_of.values["status"]["received"]
    made.act(first, action="respond", message="We are on it.", contact_channel="phone")
    crm.writes.clear()
    assert made.run("mirror", chart, cursor) == 0
    assert crm.writes == [first]
    assert crm.cases[first][fields["status"]] == map_of.values["status"]["investigating"]

    state, facts = SOLVED[system]
    case = {map_of.key: first, fields["status"]: state, **facts}
    assert made.run("take_over", chart, made.file("case.json", json.dumps(case))) == 2  # no cause
    assert "and an action needs it" in capsys.readouterr().err
    given = made.file("case.json", json.dumps({**case, **CAUSES[system]}))
    assert (made.run("take_over", chart, given), made.run("take_over", chart, given)) == (0, 0)
    assert made.status(first) == "resolved"
    crm.writes.clear()
    assert made.run("mirror", chart, cursor) == 0
    assert crm.writes == []

    odd = made.file("odd.json", json.dumps({**case, fields["status"]: "Parked"}))
    assert made.run("take_over", chart, odd) == 2
    assert "The map has no actions for" in capsys.readouterr().err
    lines = Path(chart).read_text(encoding="utf-8").splitlines()
    short = made.file("short.toml", "\n".join(line for line in lines if not line.startswith('received = "')))
    third = made.post(f"{system} 3")
    assert made.run("mirror", short, cursor) == 2
    assert "The map has no word for status 'received'" in capsys.readouterr().err
    assert made.run("mirror", chart, cursor) == 0
    assert third in crm.writes  # the cursor had not moved


def check_robot(made: Integrations, group: ForeignSystem, kind: str, capsys: Any) -> None:
    cursor = made.file(f"{kind}.cursor")
    now = made.admin.get("/v1/changes", params={"after": "now"}).json()["next_cursor"]
    Path(cursor).write_text(now, encoding="ascii")
    number = made.post("A text that nobody else should read")
    group.answer = {"errcode": 45009, "code": 11232}
    with pytest.raises(SystemExit, match="The robot refused the message"):
        made.run("robot", kind, cursor)
    group.answer = {"errcode": 0, "code": 0}
    assert made.run("robot", kind, cursor) == 0  # the cursor had not moved
    assert made.run("robot", kind, cursor) == 0
    assert len(group.messages) == 2
    path, body = group.messages[-1]
    assert f"新投诉 {number}" in json.dumps(body, ensure_ascii=False)
    assert "A text" not in json.dumps(body)
    assert ("sign=" in path, "sign" in body) == (kind == "dingtalk", kind == "feishu")
    event = {"type": "complaint.held", "status": "parked", "number": number}
    robot = importlib.import_module("robot")
    with pytest.raises(importlib.import_module("crm_map").Unmapped, match="no word for the status 'parked'"):
        robot.line_of(event)


def check_table(made: Integrations, capsys: Any) -> None:
    made.post("x", source="=HYPERLINK", region="@x")
    target = Path(made.file("complaints.csv"))
    assert made.run("bi_table", str(target)) == 0
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    count = made.admin.get("/v1/complaints", params={"count": "true"}).json()["count"]
    assert len(rows) == count
    assert {row["status_en"] for row in rows} == {"Received", "Resolved, not yet told"}
    assert {row["region"] for row in rows} == {"", "'@x"}
    assert {row["is_ended"] for row in rows} == {"false"}
    assert made.run("bi_table", str(target), "region=@x") == 0
    assert capsys.readouterr().out.endswith("1 rows\n")


def test_the_signatures_and_the_cut_of_robots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLACE)
    robot = importlib.import_module("robot")
    secret = "SEC0123456789abcdef"
    signed = "TSZbRFUuvaSQaRKUpF970OPCb2%2FLcQAP3wOvwZIzBZk%3D"
    assert robot.sign_dingtalk(secret, 1700000000000) == signed
    assert robot.sign_feishu(secret, 1700000000) == "PiO7POLlSx/DM2qf8Dy/XCWeJK3exVnevp5G99LEN2M="
    text = robot.cut([f"新投诉 C{number:09}" for number in range(500)], 4096)
    assert len(text.encode()) <= 4096
    assert text.splitlines()[-1].startswith("- 另有 ")


def test_a_refusal_is_shown_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLACE)
    answers = {
        "GET": httpx2.Response(200, json={"result": []}),
        "POST": httpx2.Response(403, text="Closed case"),
    }
    crm = httpx2.Client(
        base_url="http://x", transport=httpx2.MockTransport(lambda asked: answers[asked.method])
    )
    chart = importlib.import_module("crm_map").CrmMap.read(PLACE / "servicenow.toml")
    with pytest.raises(SystemExit, match="ServiceNow refused the case of C000000013: 403 Closed case"):
        importlib.import_module("mirror").write_servicenow(crm, chart, "C000000013", {})
    answers["GET"] = httpx2.Response(400, text="foo is unknown here")
    with pytest.raises(SystemExit, match="The complaints were refused: foo is unknown here"):
        list(importlib.import_module("bi_table").read_complaints(crm, {"foo": "2"}))


def test_every_map_names_every_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new status fails here, before an operator's script stops on it."""
    monkeypatch.syspath_prepend(PLACE)
    from complaints.domain.vocabulary import Channel, Priority, Status

    for name in ("salesforce", "servicenow"):
        chart = importlib.import_module("crm_map").CrmMap.read(PLACE / f"{name}.toml")
        named = [set(chart.values[member]) for member in ("status", "priority", "channel")]
        assert named == [set(Status), set(Priority), set(Channel)]
        assert set(chart.actions) <= set(chart.values["status"].values())
    assert set(importlib.import_module("bi_table").TABLE["status"]) == set(Status)
    assert set(importlib.import_module("robot").WORDS["status"]) == set(Status)
