"""The rights of every role: its routes, the complaints it sees, and the personal data it does not see."""

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import RIGHTS, Right
from complaints.wiring import open_import_worker
from tests.api.cheap_hashes import cheap_hashes
from tests.api.test_openapi import DOCUMENT
from tests.api_client import ApiClient
from tests.conftest import DATABASE_KINDS, Databases
from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET, Scenario, api_client, opened_service

PERSON = {
    "name": "Zhuge Kongming",
    "phone": "+8613912345678",
    "email": "kongming@longzhong.example",
    "account_no": "ACCT-7788-31",
    "preferred_contact": "phone",
}
SECRETS = ("Zhuge", "13912345678", "kongming@", "ACCT-7788")
ROLES = tuple(AccessRole)
EVERYONE = frozenset(AccessRole)
READERS = EVERYONE - {AccessRole.INTAKE}
POSTERS = EVERYONE - {AccessRole.AUDITOR}
WORKERS = POSTERS - {AccessRole.INTAKE}
SUPERVISORS = WORKERS - {AccessRole.AGENT}
MANAGERS = SUPERVISORS - {AccessRole.SUPERVISOR}
AUDITORS = MANAGERS | {AccessRole.AUDITOR}
ADMINS = frozenset({AccessRole.ADMIN})

POST = {"channel": "phone", "subject": "No signal"}
NAMES = {"en": "New", "zh": "新"}
ALWAYS = {"timezone": "UTC"}
SPAN = {"start": "2026-01-05T00:00:00Z", "end": "2026-01-05T01:00:00Z"}
EXPOSURE = {"measure": "users", "from": "2026-01-01", "value": 1, "source": "CRM"}
NOWHERE = "019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11"
WRONG = {"login": "admin", "password": "a wrong password"}
RESPOND = {"action": "respond", "message": "We look into it.", "contact_channel": "phone"}
Json = dict[str, Any]
pytestmark = pytest.mark.usefixtures("hashes")
hashes = cheap_hashes
LAYOUT = {
    "titles": NAMES,
    "source": "x",
    "effective_from": "2026-01-01",
    "kind": "month",
    "rows": [{"titles": NAMES}],
    "columns": [{"id": "all", "titles": NAMES, "figure": "inflow"}],
}

# Who may call: method, path (with ids of `world`), body, and the status for callers with the right.
TABLE: list[tuple[str, str, Any, frozenset[AccessRole], int]] = [
    ("POST", "/v1/complaints", POST, POSTERS, 201),
    ("GET", "/v1/complaints", None, EVERYONE, 200),
    ("GET", "/v1/exports", None, EVERYONE, 200),
    ("GET", "/v1/reports", None, READERS, 200),
    ("GET", "/v1/reports/{figure}?from=2026-01-01&to=2026-02-01", None, READERS, 200),
    ("GET", "/v1/reports/{figure}/rows?from=2026-01-01&to=2026-02-01", None, READERS, 200),
    ("GET", "/v1/reports/exposures", None, READERS, 200),
    ("PUT", "/v1/reports/exposures", EXPOSURE, MANAGERS, 200),
    ("GET", "/v1/audit", None, AUDITORS, 200),
    ("POST", "/v1/published-reports", {"period": "2000-01", "team": "operations"}, SUPERVISORS, 201),
    ("GET", "/v1/published-reports", None, SUPERVISORS | AUDITORS, 200),
    ("GET", "/v1/published-reports/{report_id}", None, SUPERVISORS | AUDITORS, 404),
    ("GET", "/v1/report-schedules", None, MANAGERS, 200),
    ("PUT", "/v1/report-schedules/{code}", {"kind": "month", "recipients": ["admin"]}, MANAGERS, 200),
    ("DELETE", "/v1/report-schedules/{code}", None, MANAGERS, 204),
    ("GET", "/v1/report-layouts", None, SUPERVISORS | AUDITORS, 200),
    ("GET", "/v1/report-layouts/{code}", None, SUPERVISORS | AUDITORS, 200),
    ("PUT", "/v1/report-layouts/{code}", LAYOUT, MANAGERS, 409),
    ("DELETE", "/v1/report-layouts/{code}", None, MANAGERS, 409),
    ("GET", "/v1/report-layouts/{code}/table?period=2026-Q1", None, SUPERVISORS | AUDITORS, 200),
    ("POST", "/v1/complaints/{reference}/reveal", {"reason": "The regulator asks."}, AUDITORS, 200),
    ("GET", "/v1/access-log", None, AUDITORS, 200),
    ("GET", "/v1/complaints/{reference}", None, EVERYONE, 200),
    ("PATCH", "/v1/complaints/{reference}", {"region": "X"}, WORKERS, 200),
    ("PATCH", "/v1/complaints/{reference}", {"severity": "high"}, POSTERS, 200),
    ("GET", "/v1/complaints/{reference}/transitions", None, EVERYONE, 200),
    ("POST", "/v1/complaints/{reference}/promises/{promise_id}/keep", None, WORKERS, 200),
    ("POST", "/v1/complaints/{reference}/transitions", RESPOND, WORKERS, 200),
    ("GET", "/v1/complaints/{reference}/timeline", None, EVERYONE, 200),
    ("POST", "/v1/complaints/{reference}/notes", {"text": "Seen."}, POSTERS, 201),
    ("POST", "/v1/complaints/bulk-transitions", {"complaints": ["{reference}"], **RESPOND}, WORKERS, 200),
    ("POST", "/v1/complaints/bulk-notes", {"complaints": ["{reference}"], "text": "Seen."}, WORKERS, 200),
    ("GET", "/v1/complaints/{reference}/promises", None, EVERYONE, 200),
    (
        "POST",
        "/v1/complaints/{reference}/promises",
        {"text": "A call.", "due_at": "2026-03-01T00:00:00Z"},
        WORKERS,
        201,
    ),
    (
        "POST",
        "/v1/complaints/{reference}/replan",
        {"policy": {"code": "telecom-handbook", "version": 1}},
        SUPERVISORS,
        200,
    ),
    ("GET", "/v1/complaints/{reference}/deadlines/{deadline_id}/explanation", None, EVERYONE, 200),
    (
        "POST",
        "/v1/complaints/{reference}/links",
        {"type": "related", "complaint_id": "{other}"},
        WORKERS,
        201,
    ),
    (
        "DELETE",
        "/v1/complaints/{reference}/links?type=related&complaint_id={linked}",
        None,
        WORKERS,
        200,
    ),
    ("POST", "/v1/complaints/{reference}/attachments", "a,b\n", POSTERS, 201),
    ("GET", "/v1/complaints/{reference}/attachments", None, EVERYONE, 200),
    ("GET", "/v1/complaints/{reference}/attachments/{attachment_id}", None, POSTERS, 200),
    ("GET", "/v1/complaints/{reference}/page-link", None, POSTERS, 200),
    ("GET", "/v1/overdue/summary", None, READERS, 200),
    ("GET", "/v1/escalations", None, EVERYONE, 200),
    ("GET", "/v1/inbox", None, EVERYONE, 200),
    ("POST", "/v1/escalations/acknowledge", {"filter": {}, "expected_count": 1}, WORKERS, 409),
    ("GET", "/v1/escalations/{escalation_id}", None, EVERYONE, 200),
    ("POST", "/v1/escalations/{escalation_id}/acknowledge", {}, ADMINS, 200),
    ("GET", "/v1/followups", None, EVERYONE, 200),
    ("GET", "/v1/changes", None, EVERYONE, 200),
    ("POST", "/v1/imports?dry_run=true", "channel,subject\nphone,x\n", POSTERS, 202),
    ("GET", "/v1/imports/{import_id}", None, EVERYONE, 200),
    ("GET", "/v1/imports/{import_id}/errors", None, EVERYONE, 200),
    ("GET", "/v1/categories", None, EVERYONE, 200),
    ("GET", "/v1/categories/{code}", None, EVERYONE, 200),
    ("POST", "/v1/categories", {"code": "new", "names": NAMES}, MANAGERS, 201),
    ("PATCH", "/v1/categories/{code}", {"names": NAMES}, MANAGERS, 200),
    ("GET", "/v1/departments", None, EVERYONE, 200),
    ("GET", "/v1/departments/{code}", None, EVERYONE, 200),
    ("POST", "/v1/departments", {"code": "new", "names": NAMES, "parent": "head_office"}, MANAGERS, 201),
    ("PATCH", "/v1/departments/{code}", {"names": NAMES}, MANAGERS, 200),
    ("GET", "/v1/teams", None, EVERYONE, 200),
    ("GET", "/v1/teams/{code}", None, EVERYONE, 200),
    ("POST", "/v1/teams", {"code": "new", "names": NAMES, "department": "head_office"}, MANAGERS, 201),
    ("PATCH", "/v1/teams/{code}", {"names": NAMES}, MANAGERS, 200),
    ("GET", "/v1/users", None, READERS, 200),
    ("GET", "/v1/users/{login}", None, READERS, 200),
    ("GET", "/v1/users/{login}/leaving", None, READERS, 404),
    ("POST", "/v1/users", {"login": "new", "name": "New"}, MANAGERS, 201),
    ("PATCH", "/v1/users/{login}", {"name": "New"}, MANAGERS, 200),
    ("GET", "/v1/calendars", None, EVERYONE, 200),
    ("GET", "/v1/calendars/{code}", None, EVERYONE, 404),
    ("PUT", "/v1/calendars/{code}", ALWAYS, MANAGERS, 201),
    ("GET", "/v1/policies", None, EVERYONE, 200),
    ("GET", "/v1/policies/{code}", None, EVERYONE, 200),
    ("GET", "/v1/policies/{code}/{version}", None, EVERYONE, 200),
    ("POST", "/v1/policies", {}, MANAGERS, 422),
    ("POST", "/v1/policies/validate", {}, MANAGERS, 422),
    ("GET", "/v1/keys", None, ADMINS, 200),
    ("GET", "/v1/keys/{key_id}", None, ADMINS, 404),
    ("POST", "/v1/keys", {"name": "new", "roles": ["intake"]}, ADMINS, 201),
    ("POST", "/v1/keys/{key_id}/rotate", {"overlap": "PT0S"}, ADMINS, 404),
    ("DELETE", "/v1/keys/{key_id}", None, ADMINS, 404),
    ("POST", "/v1/webhooks", {"url": "https://crm.example/hook"}, POSTERS, 201),
    ("GET", "/v1/webhooks", None, POSTERS, 200),
    ("GET", "/v1/webhooks/{webhook_id}", None, POSTERS, 404),
    ("PATCH", "/v1/webhooks/{webhook_id}", {"payload": "full"}, POSTERS, 404),
    ("DELETE", "/v1/webhooks/{webhook_id}", None, POSTERS, 404),
    ("POST", "/v1/webhooks/{webhook_id}/test", None, POSTERS, 404),
    ("POST", "/v1/webhooks/{webhook_id}/rotate-secret", {"overlap": "PT0S"}, POSTERS, 404),
    ("POST", "/v1/webhooks/{webhook_id}/replay", {"from_sequence": 1, "to_sequence": 2}, POSTERS, 404),
    ("GET", "/v1/webhooks/{webhook_id}/deliveries", None, POSTERS, 404),
    ("POST", "/v1/session", WRONG, EVERYONE, 401),
    ("GET", "/v1/session", None, EVERYONE, 404),
    ("DELETE", "/v1/session", None, EVERYONE, 404),
    ("GET", "/v1/session/openid", None, EVERYONE, 404),
    ("GET", "/v1/session/openid/callback", None, EVERYONE, 404),
    ("GET", "/v1/users/{login}/identity", None, ADMINS, 404),
    ("PUT", "/v1/users/{login}/identity", {"issuer": "https://a.example", "subject": "x"}, ADMINS, 200),
    ("DELETE", "/v1/users/{login}/identity", None, ADMINS, 204),
    ("GET", "/v1/sessions", None, EVERYONE, 200),
    ("GET", "/v1/sessions?login=admin", None, ADMINS, 200),
    ("DELETE", "/v1/sessions/{session_id}", None, EVERYONE, 404),
    ("GET", "/v1/me", None, EVERYONE, 200),
    ("PUT", "/v1/me/password", {"old_password": "x", "password": "x"}, frozenset(), 204),
    ("POST", "/v1/users/{login}/password-link", None, ADMINS, 201),
    ("POST", "/v1/password-links", {"token": "x", "password": "x"}, EVERYONE, 401),
    ("GET", "/v1/lifecycle", None, EVERYONE, 200),
    ("GET", "/v1/me/notifications", None, frozenset(), 200),
    ("PUT", "/v1/me/notifications", {}, frozenset(), 200),
    ("GET", "/v1/users/{login}/notifications", None, MANAGERS, 200),
    ("PUT", "/v1/users/{login}/notifications", {}, MANAGERS, 200),
    ("GET", "/v1/robots", None, ADMINS, 200),
    ("PUT", "/v1/robots/{code}", {"kind": "wecom", "url": "https://robot.example/send?key=1"}, ADMINS, 200),
    ("DELETE", "/v1/robots/{code}", None, ADMINS, 204),
    ("GET", "/v1/deliveries", None, READERS, 200),
    ("GET", "/v1/received-mails", None, ADMINS, 200),
    ("POST", "/v1/deliveries/{delivery_id}/receipt", {"status": "delivered"}, POSTERS, 404),
    ("POST", "/v1/complaints/{reference}/take", None, WORKERS, 422),
    ("GET", "/v1/teams/{code}/queue", None, READERS, 200),
    ("POST", "/v1/teams/{code}/queue/take", None, WORKERS, 422),
    ("GET", "/v1/teams/{code}/load", None, READERS, 200),
    ("GET", "/v1/teams/{code}/duty", None, READERS, 200),
    ("PUT", "/v1/teams/{code}/duty", {"shifts": []}, MANAGERS, 200),
    ("GET", "/v1/users/{login}/load", None, READERS, 200),
    ("GET", "/v1/users/{login}/absence-rehearsal?absent_until=2026-03-01T00:00:00Z", None, READERS, 200),
    ("POST", "/v1/deadlines/preview", {"start": SPAN["start"], "target": "PT4H"}, EVERYONE, 200),
    ("POST", "/v1/deadlines/elapsed", SPAN, EVERYONE, 200),
    ("GET", "/v1/sandbox/clock", None, EVERYONE, 200),
    ("PUT", "/v1/sandbox/clock", {"now": "2026-01-07T02:00:00Z"}, WORKERS, 200),
    ("POST", "/v1/sandbox/clock/advance", {"by": "PT1H"}, WORKERS, 200),
]
CODES = {
    "categories": "other.other",
    "departments": "head_office",
    "teams": "operations",
    "calendars": "office",
    "policies": "telecom-handbook",
    "robots": "operations-chat",
    "report-schedules": "monthly",
    "report-layouts": "miit-appeals",
}


# What a user of another team gets. A call on one complaint, escalation or import is 404 there.
ON_ONE = ("{reference}", "{escalation_id}", "{import_id}")
LISTED = {
    "GET /v1/complaints",
    "GET /v1/exports",
    "GET /v1/reports/{figure}",
    "GET /v1/reports/{figure}/rows",
    "GET /v1/escalations",
    "GET /v1/followups",
    "GET /v1/inbox",
    "GET /v1/overdue/summary",
    "GET /v1/access-log",
    "GET /v1/deliveries",
    "GET /v1/teams/{code}/queue",
    "GET /v1/teams/{code}/load",
    "GET /v1/users/{login}/load",
    "GET /v1/users/{login}/absence-rehearsal",
}
BULK = {
    "POST /v1/complaints/bulk-transitions",
    "POST /v1/complaints/bulk-notes",
    "POST /v1/escalations/acknowledge",
}
FOLLOWED = {"GET /v1/changes", "POST /v1/webhooks", "GET /v1/report-layouts/{code}/table"}
# The tests of published reports show what they are outside the scope.
PUBLISHED = {
    "POST /v1/published-reports",
    "GET /v1/published-reports",
    "GET /v1/published-reports/{report_id}",
}
NEW = {"POST /v1/complaints", "POST /v1/imports"}
# Scope does not limit what begins like this.
UNSCOPED = (
    "audit", "calendars", "categories", "deadlines", "deliveries", "departments", "keys", "lifecycle", "me",
    "password-links", "policies", "received-mails", "reports", "robots", "sandbox", "session",
    "sessions", "teams", "users",
    "audit", "calendars", "categories", "deadlines", "departments", "keys", "lifecycle", "me", "password-links",
    "policies", "sandbox", "session", "sessions", "teams", "users", "webhooks",
    "report-layouts", "report-schedules",
)  # fmt: skip


def _id(row: tuple[Any, ...]) -> str:
    return f"{row[0]} {row[1].partition('?')[0]}"


def _is_on_one(row: tuple[Any, ...]) -> bool:
    return any(name in row[1] for name in ON_ONE)


def test_each_call_says_what_is_outside_the_scope() -> None:
    """A new call needs one of these kinds too, so that nobody forgets its scope."""
    for row in TABLE:
        name = _id(row)
        kinds = [
            _is_on_one(row),
            name in LISTED,
            name in BULK,
            name in FOLLOWED,
            name in NEW,
            name in PUBLISHED,
            name not in LISTED | FOLLOWED and row[1].split("/")[2].partition("?")[0] in UNSCOPED,
        ]
        assert kinds.count(True) == 1, name


def test_the_table_is_complete() -> None:
    """Every route needs a row in the table."""
    described = {
        (method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if path.startswith("/v1/")
    }
    assert described == {(row[0], row[1].partition("?")[0]) for row in TABLE}


def _post(client: ApiClient, **members: Any) -> Json:
    answer = client.post("/v1/complaints", json=POST | members)
    assert answer.status_code == 201, answer.text
    content: Json = answer.json()
    return content


class World:
    """Two sources, each with people, a promise, a link, a late deadline, a follow-up, an import.

    They are created, or `known` from the database that this one is a copy of.
    """

    def __init__(self, scenario: Scenario, client: ApiClient, known: tuple[Json, Json] | None = None) -> None:
        self.scenario, self.client = scenario, client
        if known is None:
            for role in ROLES:
                user = {"login": f"staff-{role}", "name": role.title(), "teams": ["operations"]}
                assert client.post("/v1/users", json=user).status_code == 201
            self.north = self._source("north", category="network.outage", team="operations")
            self.south = self._source("south", category="service.attitude", team="customer_service")
            self._live()
        else:
            self.north, self.south = known

    def _live(self) -> None:
        """Let time pass, so that both sources get escalations and follow-ups."""
        scenario, client = self.scenario, self.client
        for source in (self.north, self.south):
            open_import_worker(scenario.service).work_on(source["import_id"])
        scenario.advance(hours=25)
        for source in (self.north, self.south):
            found = client.get("/v1/escalations", params={"complaint": source["reference"]}).json()["items"]
            source["escalation_id"] = found[0]["id"]
            path = f"/v1/complaints/{source['followed']}/transitions"
            for action in (
                {"action": "resolve", "resolution": "Fixed.", "outcome": "upheld", "cause": "technical"},
                {"action": "notify_result", "message": "Fixed.", "contact_channel": "phone"},
            ):
                assert client.post(path, json=action).status_code == 200

    def _source(self, source: str, *, category: str, team: str) -> Json:
        content = {"source": source, "category": category, "complainant": PERSON, "reporter": PERSON}
        made, linked, other, followed = (_post(self.client, **content) for _ in range(4))
        address = f"/v1/complaints/{made['number']}"
        due = {"text": "A call.", "due_at": "2026-02-01T00:00:00Z"}
        promise = self.client.post(f"{address}/promises", json=due).json()
        self.client.post(f"{address}/links", json={"type": "related", "complaint_id": linked["id"]})
        key = self.scenario.key(AccessRole.INTAKE, source=source)
        head = {**key, "Content-Type": "text/csv"}
        rows = f"channel,subject,category\nphone,x,{category}\nnone,y,{category}\n"
        begun = self.client.post("/v1/imports", content=rows, headers=head)
        named = {**head, "Content-Disposition": "attachment; filename=a.csv"}
        added = self.client.post(f"{address}/attachments", content=rows, headers=named)
        return {
            "reference": made["number"],
            "id": made["id"],
            "source": source,
            "deadline_id": made["deadlines"][0]["id"],
            "promise_id": promise["id"],
            "attachment_id": added.json()["id"],
            "linked": linked["id"],
            "other": other["number"],
            "followed": followed["number"],
            "import_id": UUID(begun.json()["id"]),
            "key": key,
            "team": team,
        }

    def names_of(self, source: Json) -> list[str]:
        """All ids and numbers of the complaints of a source."""
        found = self.client.get("/v1/complaints", params={"source": source["source"]}).json()["items"]
        return [one[name] for one in found for name in ("id", "number")]

    def ask(self, row: tuple[Any, ...], key: dict[str, str], source: Json) -> Any:
        method, path, body, _, _ = row
        code = CODES.get(path.split("/")[2].partition("?")[0], "")
        known = {
            **source,
            "code": code,
            "figure": "inflow",
            "version": "1",
            "login": "admin",
            "key_id": NOWHERE,
            "webhook_id": NOWHERE,
            "session_id": NOWHERE,
            "delivery_id": NOWHERE,
            "report_id": NOWHERE,
        }
        sent: dict[str, Any] = {"headers": dict(key)}
        if isinstance(body, str):
            sent |= {"content": body}
            sent["headers"] |= {
                "Content-Type": "text/csv",
                "Content-Disposition": "attachment; filename=a.csv",
            }
        elif body is not None:
            text = json.dumps(body).replace("{other}", source["other"])
            sent |= {"json": json.loads(text.replace("{reference}", source["reference"]))}
        return self.client.request(method, path.format(**known), **sent)


@dataclass(frozen=True)
class WorldTemplate:
    """A database with a world, and its ids. Tests copy it, because to create a world takes long."""

    service: str
    url: str
    known: tuple[Json, Json]
    attachments: Path
    databases: Databases
    name: str = field(default_factory=lambda: f"complaints_world_{uuid4().hex}")


@pytest.fixture(scope="module", params=DATABASE_KINDS)
def template(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    migrated_template: Callable[[str], str],
) -> Iterator[WorldTemplate]:
    directory = tmp_path_factory.mktemp("world")
    databases, copies = (Databases(directory, request.config) for _ in range(2))
    url = databases.make(request.param, template=migrated_template(request.param))
    with opened_service(url, attachments=directory) as service, api_client(service) as client:
        world = World(Scenario(service), client)
    yield WorldTemplate(request.param, url, (world.north, world.south), directory, copies)
    databases.drop_all()


@pytest.fixture
def world(template: WorldTemplate) -> Iterator[World]:
    """The world on each kind of database."""
    url = template.databases.make(template.service, template=template.url, name=template.name)
    with (
        opened_service(url, attachments=template.attachments) as service,
        api_client(service) as client,
    ):
        yield World(Scenario(service), client, copy.deepcopy(template.known))
    template.databases.drop_all()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_the_table_says(world: World, role: AccessRole) -> None:
    """The caller has only this role, so a missing right is the only reason for a refusal."""
    key = world.scenario.key(role, source="north")
    wrong = []
    for row in TABLE:
        answer = world.ask(row, key, world.north)
        expected = row[4] if role in row[3] else 403
        if answer.status_code != expected:
            wrong.append((_id(row), expected, answer.status_code, answer.text[:300]))
        if expected == 403:
            assert answer.json()["type"] == "/problems/forbidden", _id(row)
    assert wrong == []


# A key without a user may not make these calls. With a user, the body or the role decides.
OF_USERS = {
    "PUT /v1/me/password": 422,
    "GET /v1/me/notifications": 200,
    "PUT /v1/me/notifications": 200,
    "POST /v1/complaints/{reference}/take": 200,
    "POST /v1/teams/{code}/queue/take": 200,
}
SEES_ALL = frozenset({AccessRole.MANAGER, AccessRole.AUDITOR, AccessRole.ADMIN})


def _inside(row: tuple[Any, ...], role: AccessRole) -> int:
    """The status for a user with this role alone, whose team has the complaint, and whose source sent it."""
    is_of_teams = role not in SEES_ALL | {AccessRole.INTAKE}
    if role in row[3] and is_of_teams and _id(row) in FOLLOWED:
        return 403
    if role in row[3] and is_of_teams and "{import_id}" in row[1]:
        return 404  # an import has no team, and another user began it
    may_call = role in row[3] or not row[3]
    return OF_USERS.get(_id(row), row[4]) if may_call else 403


def _outside(row: tuple[Any, ...], role: AccessRole) -> int:
    """The status if the complaint belongs to another team and to another source."""
    knows_call = role in row[3] or (row[3] == ADMINS and Right.WORK in RIGHTS[role])
    if _is_on_one(row) and knows_call and role not in SEES_ALL:
        return 404
    return _inside(row, role)


@pytest.mark.parametrize("role", ROLES)
def test_rule_7_1_each_role_reaches_what_its_scope_says(world: World, role: AccessRole) -> None:
    """A user of the team of the north makes the calls outside the scope of the role, then all calls inside it."""
    key = world.scenario.key(role, source="north", login=f"staff-{role}")
    wrong = []
    scoped = [row for row in TABLE if _is_on_one(row) or _id(row) in LISTED | BULK | FOLLOWED]
    unchanging = [row for row in scoped if row[0] == "GET"]
    hidden = world.names_of(world.south)
    asked = [(world.south, row, _outside(row, role)) for row in (unchanging if role in SEES_ALL else scoped)]
    asked += [(world.north, row, _inside(row, role)) for row in TABLE]
    for source, row, expected in asked:
        answer = world.ask(row, key, source)
        if answer.status_code != expected:
            wrong.append((_id(row), source["source"], expected, answer.status_code, answer.text[:300]))
        if role not in SEES_ALL and _id(row) in LISTED | BULK:
            shown = answer.text.replace(source["reference"], "")  # a bulk call repeats its references
            assert [name for name in hidden if name in shown] == [], _id(row)
    assert wrong == []


def test_nothing_is_there_without_a_key(world: World) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer "}, {"Authorization": "Basic YTpi"}):
        for row in TABLE:
            answer = world.ask(row, headers, world.north)
            # A browser comes to the identity provider without a key; here none is configured.
            expected = (404, None) if "/openid" in row[1] else (401, "Bearer")
            assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == expected, _id(row)


OF_ONE_COMPLAINT = [
    row
    for row in TABLE
    if AccessRole.INTAKE in row[3]
    and any(f"{{{name}}}" in row[1] for name in ("reference", "escalation_id", "import_id"))
]


def test_intake_knows_nothing_of_another_source(world: World, subtests: pytest.Subtests) -> None:
    key = world.scenario.key(AccessRole.INTAKE, source="north")
    assert len(OF_ONE_COMPLAINT) == 14
    for row in OF_ONE_COMPLAINT:
        with subtests.test(_id(row)):
            assert world.ask(row, key, world.north).status_code == row[4]
            answer = world.ask(row, key, world.south)
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
            missing = dict.fromkeys(world.south, NOWHERE)
            unknown = world.ask(row, key, missing)
            # The answer does not even show whether the complaint exists.
            content = answer.json()["detail"].replace(str(world.south.get("reference")), NOWHERE)
            for name in ("import_id", "escalation_id"):
                content = content.replace(str(world.south[name]), NOWHERE)
            assert (unknown.status_code, unknown.json()["detail"]) == (404, content)


LISTS = {
    "/v1/complaints": "id",
    "/v1/escalations": "complaint_id",
    "/v1/followups": "complaint_id",
    "/v1/changes": "complaint_id",
}


def test_intake_sees_lists_of_its_own_source(world: World, subtests: pytest.Subtests) -> None:
    keys = [world.scenario.key(AccessRole.INTAKE, source=source) for source in ("north", "south")]
    for path, member in LISTS.items():
        with subtests.test(path):
            north, south = (_seen(world, path, member, headers=key) for key in keys)
            assert north
            assert south
            assert north.isdisjoint(south)
            assert north | south == _seen(world, path, member)
            filtered = world.client.get(
                path, params={"complaint": world.south["reference"]} if "escalations" in path else {"limit": "1"},
                headers=keys[0],
            )  # fmt: skip
            assert {item[member] for item in filtered.json()["items"]} <= north


def _seen(world: World, path: str, member: str, **headers: Any) -> set[str]:
    answer = world.client.get(path, params={"limit": "200"}, **headers)
    assert answer.status_code == 200
    return {item[member] for item in answer.json()["items"]}


def test_intake_posts_for_its_own_source_alone(world: World) -> None:
    key = world.scenario.key(AccessRole.INTAKE, source="north")
    answer = world.client.post("/v1/complaints", json=POST | {"source": "south"}, headers=key)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    same = POST | {"external_id": "E-1"}
    world.client.post("/v1/complaints", json=same | {"source": "south"})
    own = world.client.post("/v1/complaints", json=same, headers=key)
    assert (own.status_code, own.json()["source"]) == (201, "north")


def test_an_auditor_reads_everything_but_who_it_was(world: World) -> None:
    key = world.scenario.key(AccessRole.AUDITOR)
    readable = [row for row in TABLE if row[0] == "GET" and AccessRole.AUDITOR in row[3] and row[4] == 200]
    assert len(readable) > 25
    for row in readable:
        for source in (world.north, world.south):
            answer = world.ask(row, key, source)
            assert answer.status_code == 200, _id(row)
            assert not [secret for secret in SECRETS if secret in answer.text], _id(row)
    shown = world.client.get(f"/v1/complaints/{world.north['reference']}", headers=key).json()
    assert shown["complainant"] == shown["reporter"] == {
        "name": "Z****", "phone": "+861****5678", "email": "k****@****.example", "account_no": "****31",
        "preferred_contact": "phone",
        "language": None,
        "vulnerable": False,
    }  # fmt: skip
    assert shown["allowed_actions"] == []
    plain = world.client.get(f"/v1/complaints/{world.north['reference']}").json()
    assert {name: plain["complainant"][name] for name in PERSON} == PERSON


def test_an_auditor_may_not_ask_who_it_was_either(world: World) -> None:
    key = world.scenario.key(AccessRole.AUDITOR)
    for asked in ("phone=%2B8613912345678", "account_no=ACCT-7788-31"):
        answer = world.client.get(f"/v1/complaints?{asked}", headers=key)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
        assert len(world.client.get(f"/v1/complaints?{asked}").json()["items"]) == 8
    found = world.client.get("/v1/complaints", params={"q": "Zhuge"}, headers=key)
    assert found.json()["items"] == []


def test_a_kept_answer_is_for_its_own_key(world: World) -> None:
    """A stored answer contains personal data. Another key with the same Idempotency-Key does not get it."""
    attempt = {"Idempotency-Key": "the-same"}
    body = POST | {"complainant": PERSON}
    first = world.client.post("/v1/complaints", json=body, headers=attempt)
    again = world.client.post("/v1/complaints", json=body, headers=attempt)
    other = world.client.post(
        "/v1/complaints", json=body, headers=attempt | world.scenario.key(AccessRole.INTAKE, source="north")
    )
    auditor = world.client.post(
        "/v1/complaints", json=body, headers=attempt | world.scenario.key(AccessRole.AUDITOR)
    )
    assert (first.status_code, again.content, other.status_code) == (201, first.content, 201)
    assert other.json()["id"] != first.json()["id"]
    assert (auditor.status_code, "Zhuge" in auditor.text) == (403, False)


def test_an_agent_may_not_change_the_first_owner_nor_close_early(world: World) -> None:
    address = f"/v1/complaints/{world.north['followed']}"
    early = {"action": "close", "early": True, "message": "Agreed.", "contact_channel": "phone"}
    for body, path in (({"first_owner": "li.wei"}, address), (early, f"{address}/transitions")):
        key = world.scenario.key(AccessRole.AGENT)
        method = "PATCH" if path == address else "POST"
        answer = world.client.request(method, path, json=body, headers=key)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")


def test_a_key_makes_none_that_is_stronger(world: World) -> None:
    for role in (AccessRole.MANAGER, AccessRole.SUPERVISOR, AccessRole.INTAKE):
        key = world.scenario.key(role)
        answer = world.client.post("/v1/keys", json={"name": "x", "roles": ["intake"]}, headers=key)
        assert answer.status_code == 403


# Real processes -------------------------------------------------------------------------------------------


def test_a_revoked_key_stops_everywhere_and_the_log_tells_nobody_s_name(
    launcher: Launcher, database_url: str
) -> None:
    """The key stops within 5 s in the other process too. No log line has a name, a number or a key."""
    here, there = (launcher.serve(database_url, sandbox=1, scheduler=n) for n in (1, 0))
    with here.client(ADMIN_SECRET) as admin:
        made = admin.post("/v1/keys", json={"name": "short-lived", "roles": ["agent"]}).json()
        secret = made["key"]
        with here.client(secret) as near, there.client(secret) as far:
            for client in (near, far):
                assert client.post("/v1/complaints", json=POST | {"complainant": PERSON}).status_code == 201
                bad = {"channel": "phone", "complainant": {**PERSON, "phone": "13912345678 Zhuge"}, "x": 1}
                assert client.post("/v1/complaints", json=bad).status_code == 422
                assert client.post("/v1/complaints", content=b'{"name": "Zhuge').status_code in (400, 415)
                asked = {"phone": PERSON["phone"], "account_no": PERSON["account_no"]}
                assert client.get("/v1/complaints", params=asked).status_code == 200
            assert admin.delete(f"/v1/keys/{made['id']}").status_code == 204
            assert near.get("/v1/complaints").status_code == 401
            deadline = time.monotonic() + 5
            while (answer := far.get("/v1/complaints")).status_code != 401 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert answer.status_code == 401
    for server in (here, there):
        server.terminate()
        assert "/v1/complaints" in server.output
        assert not [secret for secret in (*SECRETS, secret, ADMIN_SECRET) if secret in server.output]
