"""The routes of the staff: /v1/departments, /v1/teams, /v1/users."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from complaints.domain.errors import Conflict
from complaints.domain.vocabulary import AccessRole
from complaints.storage.rows.escalation import escalation
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.configuration import CreateUser
from complaints.use_cases.configuration import staff
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.support import Scenario

NAMES = {"en": "Night shift", "zh": "夜班"}
USER = {"login": "li.wei", "name": "李伟", "email": "li.wei@example.com"}
TEAM = {"code": "night", "names": NAMES, "department": "service", "lead": "admin"}


def make(client: ApiClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    assert client.get(answer.headers["location"]).json() == answer.json()
    shown: dict[str, Any] = answer.json()
    return shown


def refusal(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [error["pointer"] for error in answer.json().get("errors", [])]


def test_each_is_made_with_all_its_members(client: ApiClient) -> None:
    absence = {"absent_from": "2026-01-05T09:00:00+08:00", "absent_until": "2026-01-12T09:00:00+08:00"}
    places = {"roles": ["agent", "supervisor"], "teams": ["operations"], "scope": "teams"}
    scoped = places | {"scope_names": ["customer_service", "operations"]}
    user = make(client, "users", USER | {"deputy": "admin"} | absence | scoped)
    department = make(client, "departments", {"code": "calls", "names": NAMES, "head": "li.wei"})
    team = make(client, "teams", TEAM | {"deputy": "li.wei", "department": "calls"})

    assert user == {
        **USER, **scoped, "deputy": "admin", "active": True,
        "absent_from": "2026-01-05T01:00:00Z", "absent_until": "2026-01-12T01:00:00Z",
    }  # fmt: skip
    assert department == {"code": "calls", "names": NAMES, "head": "li.wei", "deputy": None, "parent": None}
    assert team == {**TEAM, "department": "calls", "deputy": "li.wei", "active": True}


UNFIT = [
    ("users", USER | {"login": "li wei"}, ["/login"]),
    ("users", USER | {"login": "x" * 201}, ["/login"]),
    ("users", USER | {"email": "nowhere"}, ["/email"]),
    ("users", USER | {"deputy": "nobody"}, ["/deputy"]),
    ("users", USER | {"deputy": "li.wei"}, ["/deputy"]),
    ("users", USER | {"absent_until": "2027-01-01T00:00:00Z"}, ["/absent_until"]),
    ("users", USER | {"absent_from": "2026-01-05"}, ["/absent_from"]),
    (
        "users",
        USER | {"absent_from": "2026-02-01T00:00:00Z", "absent_until": "2026-02-01T00:00:00Z"},
        ["/absent_until"],
    ),
    ("users", USER | {"role": "admin"}, ["/role"]),
    ("users", USER | {"roles": ["agent", "boss"]}, ["/roles/1"]),
    ("users", USER | {"teams": ["operations", "nowhere"]}, ["/teams/1"]),
    ("users", USER | {"scope": "teams", "scope_names": ["nowhere"]}, ["/scope_names/0"]),
    ("users", USER | {"scope": "departments", "scope_names": ["operations"]}, ["/scope_names/0"]),
    ("users", USER | {"scope": "sources"}, ["/scope_names"]),
    ("users", USER | {"scope": "own", "scope_names": ["operations"]}, ["/scope_names"]),
    ("users", USER | {"scope_names": ["operations"]}, ["/scope_names"]),
    ("teams", TEAM | {"code": "夜班"}, ["/code"]),
    ("teams", TEAM | {"department": "nowhere"}, ["/department"]),
    ("teams", TEAM | {"lead": "nobody"}, ["/lead"]),
    ("teams", TEAM | {"deputy": ""}, ["/deputy"]),
    ("teams", {"code": "night", "names": NAMES}, ["/department"]),
    ("departments", {"code": "calls", "names": {}}, ["/names/en", "/names/zh"]),
    ("departments", {"code": "calls", "names": NAMES, "parent": "nowhere"}, ["/parent"]),
    ("departments", {"code": "calls", "names": NAMES, "parent": "calls"}, ["/parent"]),
    ("departments", {"code": "calls", "names": NAMES, "head": "nobody"}, ["/head"]),
]


def test_what_does_not_fit_is_refused_at_its_member(client: ApiClient) -> None:
    for path, body, pointers in UNFIT:
        before = client.get(f"/v1/{path}").json()
        assert refusal(client.post(f"/v1/{path}", json=body)) == (422, pointers)
        assert client.get(f"/v1/{path}").json() == before


TAKEN = [
    ("users", USER | {"login": "admin"}),
    ("teams", TEAM | {"code": "operations"}),
    ("departments", {"code": "service", "names": NAMES}),
]


def test_a_code_is_taken_once(client: ApiClient) -> None:
    for path, body in TAKEN:
        assert client.post(f"/v1/{path}", json=body).status_code == 409
        assert client.patch(f"/v1/{path}/nowhere", json={}).status_code == 404
        assert client.get(f"/v1/{path}/nowhere").status_code == 404


def test_of_many_at_once_one_gets_the_code(service: Service) -> None:
    command = CreateUser(login="li.wei", name="李伟")

    def create(_n: int) -> bool:
        try:
            service.configure(lambda tx: staff.USERS.create(service, tx, SYSTEM, command))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(create, range(8))) == 1


def test_a_change_keeps_what_it_does_not_name_and_an_empty_text_takes_away(client: ApiClient) -> None:
    make(client, "users", USER | {"deputy": "admin"})
    team = client.get("/v1/teams/operations").json()

    changed = client.patch("/v1/teams/operations", json={"names": {"en": "Ops"}, "deputy": "li.wei"}).json()
    assert changed == team | {"names": team["names"] | {"en": "Ops"}, "deputy": "li.wei"}
    assert client.patch("/v1/teams/operations", json={"deputy": None}).json() == changed
    assert client.patch("/v1/teams/operations", json={"deputy": "", "lead": ""}).json() == changed | {
        "deputy": None,
        "lead": None,
    }
    user = client.patch("/v1/users/li.wei", json={"email": "", "deputy": "", "name": "Li Wei"}).json()
    assert (user["name"], user["email"], user["deputy"]) == ("Li Wei", None, None)
    for change, pointer in (
        ({"login": "other"}, "/login"),
        ({"email": "x"}, "/email"),
        ({"name": ""}, "/name"),
    ):
        assert refusal(client.patch("/v1/users/li.wei", json=change)) == (422, [pointer])


def test_departments_form_no_circle(client: ApiClient) -> None:
    make(client, "departments", {"code": "calls", "names": NAMES, "parent": "service"})
    circle = client.patch("/v1/departments/head_office", json={"parent": "calls"})
    assert refusal(circle) == (422, ["/parent"])
    assert client.patch("/v1/departments/calls", json={"parent": "network"}).json()["parent"] == "network"
    assert client.patch("/v1/departments/calls", json={"parent": ""}).json()["parent"] is None


def test_an_absence_begins_changes_and_ends(client: ApiClient) -> None:
    make(client, "users", USER)

    def absence(**change: str) -> tuple[str | None, str | None]:
        user = client.patch("/v1/users/li.wei", json=change).json()
        return user["absent_from"], user["absent_until"]

    soon, later, past = "2026-01-10T00:00:00Z", "2026-01-20T00:00:00Z", "2026-01-01T00:00:00Z"
    assert absence(absent_from=soon) == (soon, None)
    assert absence(absent_until=later) == (soon, later)
    assert absence(name="Li") == (soon, later)
    assert absence(absent_from=past) == (past, None)
    assert absence(absent_until=past) == (None, None)
    assert refusal(client.patch("/v1/users/li.wei", json={"absent_until": later})) == (422, ["/absent_until"])


def test_an_absent_leads_deputy_hears_of_it(client: ApiClient, scenario: Scenario, service: Service) -> None:
    make(client, "users", USER)
    client.patch("/v1/users/admin", json={"deputy": "li.wei", "absent_from": "2026-01-01T00:00:00Z"})
    scenario.post()
    scenario.advance(hours=25)
    with service.database.engine.connect() as connection:
        recipients = (
            connection.execute(select(escalation.c.recipients).where(escalation.c.level == 1)).scalars().all()
        )
    assert recipients == [["li.wei"]]


def test_a_team_that_is_needed_stays_active(client: ApiClient, scenario: Scenario) -> None:
    make(client, "teams", TEAM)
    complaint = scenario.post()
    scenario.act(complaint, "assign", team="night")

    def deactivate(team: str) -> tuple[int, str]:
        answer = client.patch(f"/v1/teams/{team}", json={"active": False})
        return answer.status_code, answer.json().get("detail", "")

    assert deactivate("night") == (409, "Open complaints are this team's: assign them to another first.")
    scenario.act(complaint, "withdraw", reason="solved by itself")
    assert deactivate("night") == (200, "")
    assert deactivate("customer_service")[0] == 409
    late = client.patch("/v1/categories/network.outage", json={"team": "night"})
    assert refusal(late) == (422, ["/team"])
    client.patch("/v1/teams/night", json={"active": True})
    client.patch("/v1/categories/network.outage", json={"team": "night"})
    assert deactivate("night") == (
        409, "Categories go to this team (network.outage): give them to another first.",
    )  # fmt: skip


def test_users_come_and_go_but_one_stays(client: ApiClient, scenario: Scenario) -> None:
    assert client.patch("/v1/users/admin", json={"active": False}).status_code == 409
    make(client, "users", USER)
    headers = scenario.key(AccessRole.AGENT, login="li.wei")
    assert client.get("/v1/users", headers=headers).status_code == 200

    assert client.patch("/v1/users/li.wei", json={"active": False}).json()["active"] is False
    assert client.get("/v1/users", headers=headers).status_code == 401
    assert refusal(client.patch("/v1/teams/operations", json={"lead": "li.wei"})) == (422, ["/lead"])
    assert client.patch("/v1/users/admin", json={"active": False}).status_code == 409


def test_with_every_role_vacant_a_complaint_still_has_an_owner(client: ApiClient) -> None:
    # rule 1.5
    make(client, "users", {"login": "aaa", "name": "First"})
    client.patch("/v1/teams/customer_service", json={"lead": ""})
    client.patch("/v1/departments/service", json={"head": "aaa"})
    posted = client.post("/v1/complaints", json={"channel": "web", "subject": "x"}).json()
    assert posted["first_owner"] == "aaa"


def test_rule_1_5_a_fresh_database_has_three_teams_led_by_admin(client: ApiClient) -> None:
    teams = client.get("/v1/teams").json()["items"]
    heads = {one["code"]: one["head"] for one in client.get("/v1/departments").json()["items"]}
    leads = {team["code"]: team["lead"] for team in teams}
    assert leads == dict.fromkeys(("customer_service", "management", "operations"), "admin")
    assert {heads[team["department"]] for team in teams} == {"admin"}


@pytest.mark.parametrize("login", ["me", "none"])
def test_a_login_with_a_meaning_in_filters_is_refused(client: ApiClient, login: str) -> None:
    answer = client.post("/v1/users", json={"login": login, "name": "X"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/login")


def test_a_misspelt_name_is_answered_with_the_nearest_one(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    assign = f"/v1/complaints/{complaint.id}/transitions"
    for path, body, said in (
        ("/v1/users", USER | {"teams": ["operatoins"]}, "team 'operatoins': did you mean 'operations'?"),
        ("/v1/users", USER | {"deputy": "amdin"}, "active user 'amdin': did you mean 'admin'?"),
        ("/v1/teams", TEAM | {"department": "servise"}, "department 'servise': did you mean 'service'?"),
        (assign, {"action": "assign", "team": "operatoins"}, "active team 'operatoins': did you mean"),
        (assign, {"action": "assign", "assignee": "amdin"}, "active user 'amdin': did you mean 'admin'?"),
    ):
        assert client.post(path, json=body).json()["detail"].startswith(f"There is no {said}")
    assert client.get("/v1/users/amdin").json()["detail"].endswith("did you mean 'admin'?")


def test_a_key_that_may_not_list_users_gets_no_login(client: ApiClient, scenario: Scenario) -> None:
    key = scenario.key(AccessRole.INTAKE)
    assert client.get("/v1/users", headers=key).status_code == 403
    posted = {"channel": "web", "subject": "x", "first_owner": "amdin"}
    answer = client.post("/v1/complaints", json=posted, headers=key)
    assert (answer.status_code, answer.json()["detail"]) == (422, "There is no active user 'amdin'.")
