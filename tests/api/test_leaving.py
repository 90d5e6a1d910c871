"""Users who leave, and values that were retired meanwhile (rule 1.7)."""

from contextlib import suppress
from threading import Barrier, Thread
from typing import Any

import pytest
from starlette.testclient import TestClient

from complaints.domain.errors import InvalidContent
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.complaints import leaving
from complaints.use_cases.service import Service
from tests.support import Scenario

Json = dict[str, Any]
NAMES = {"en": "Night shift", "zh": "夜班"}
ENDED = ["resolve", "notify_result", "close"]
CARRIED: dict[str, Json] = {
    "resolve": {"resolution": "Repaired", "outcome": "not_upheld", "cause": "technical"},
    "notify_result": {"message": "Repaired", "contact_channel": "phone"},
    "close": {"early": True, "message": "Repaired", "contact_channel": "phone"},
    "reopen": {"reason": "Dead again"},
    "record_contact": {"outcome": "not_solved"},
}

pytestmark = pytest.mark.usefixtures("everything_holds")


@pytest.fixture
def staffed(client: TestClient) -> TestClient:
    """The API of a house with two more users and one more team."""
    for login in ("li.wei", "zhao.min"):
        assert client.post("/v1/users", json={"login": login, "name": login}).status_code == 201
    team = {"code": "night", "names": NAMES, "department": "service", "lead": "zhao.min"}
    assert client.post("/v1/teams", json=team).status_code == 201
    return client


def post(client: TestClient, **members: Any) -> str:
    answer = client.post("/v1/complaints", json={"channel": "phone", "subject": "No dial tone", **members})
    assert answer.status_code == 201, answer.text
    return f"/v1/complaints/{answer.json()['id']}"


def act(client: TestClient, address: str, action: str, **members: Any) -> Json:
    body = {"action": action, **CARRIED.get(action, {}), **members}
    answer = client.post(f"{address}/transitions", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def deactivate(client: TestClient, login: str = "li.wei", **members: Any) -> tuple[int, Json]:
    answer = client.patch(f"/v1/users/{login}", json={"active": False, **members})
    return answer.status_code, answer.json()


def owners(client: TestClient, address: str) -> tuple[str, str | None]:
    shown = client.get(address).json()
    return shown["first_owner"], shown["assignee"]


def last_event(client: TestClient, address: str) -> Json:
    return dict(client.get(f"{address}/timeline?limit=200").json()["items"][-1])


@pytest.mark.parametrize(
    ("successor", "assigned", "owned"),
    [
        (None, ("admin", None), ("zhao.min", "admin")),
        ("zhao.min", ("admin", "zhao.min"), ("zhao.min", "admin")),
    ],
)
def test_rule_1_7_open_complaints_go_to_the_successor_or_to_the_team(
    staffed: TestClient, scenario: Scenario, successor: str | None, assigned: Any, owned: Any
) -> None:
    theirs, answered, ended = post(staffed), post(staffed, first_owner="li.wei"), post(staffed)
    act(staffed, theirs, "assign", assignee="li.wei")
    act(staffed, answered, "assign", team="night", assignee="admin")
    act(staffed, ended, "assign", assignee="li.wei")
    act(staffed, ended, "withdraw", reason="It works again")
    scenario.advance(days=6)  # every step of their ladders is taken
    body = {"successor": successor} if successor else {}

    assert deactivate(staffed, **body)[0] == 200
    assert (owners(staffed, theirs), owners(staffed, answered)) == (assigned, owned)
    assert owners(staffed, ended) == ("admin", "li.wei")  # history
    for address in (theirs, answered):
        told = last_event(staffed, address)
        assert (told["type"], told["data"]["left"]) == ("complaint.assigned", "li.wei")
        assert told["actor"] == "key:bootstrap"


def test_a_leader_leaves_with_a_successor_only(staffed: TestClient) -> None:
    staffed.patch("/v1/departments/service", json={"head": "zhao.min", "deputy": "li.wei"})
    staffed.patch("/v1/users/admin", json={"deputy": "zhao.min"})
    status, problem = deactivate(staffed, "zhao.min")
    assert (status, problem["detail"]) == (
        409, "zhao.min leads night, service: name a successor, or give them to others first.",
    )  # fmt: skip
    assert deactivate(staffed, "zhao.min", successor="li.wei")[0] == 200
    department, team = (staffed.get(f"/v1/{path}").json() for path in ("departments/service", "teams/night"))
    assert (department["head"], department["deputy"], team["lead"]) == ("li.wei", None, "li.wei")
    assert staffed.get("/v1/users/admin").json()["deputy"] == "li.wei"


REFUSED: list[tuple[str, Json, int]] = [
    ("li.wei", {"active": False, "successor": "li.wei"}, 422),
    ("li.wei", {"active": False, "successor": "nobody"}, 422),
    ("li.wei", {"active": True, "successor": "admin"}, 422),
    ("li.wei", {"successor": "admin"}, 422),
    ("li.wei", {"active": False, "deputy": "nobody"}, 422),
    ("nobody", {"active": False, "successor": "admin"}, 404),
    ("nobody", {"active": False}, 404),
]


def test_a_refused_leaving_hands_nothing_over(staffed: TestClient) -> None:
    address = post(staffed, first_owner="li.wei")
    for login, body, status in REFUSED:
        assert staffed.patch(f"/v1/users/{login}", json=body).status_code == status, body
        assert owners(staffed, address) == ("li.wei", None)
        assert staffed.get("/v1/users/li.wei").json()["active"] is True


def test_an_agent_deactivates_nobody(staffed: TestClient, scenario: Scenario) -> None:
    address = post(staffed, first_owner="li.wei")
    key = scenario.key(AccessRole.AGENT)
    answer = staffed.patch("/v1/users/li.wei", json={"active": False}, headers=key)
    assert (answer.status_code, owners(staffed, address)) == (403, ("li.wei", None))


def test_many_complaints_are_handed_over_in_several_transactions(
    staffed: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "BATCH", 2)
    addresses = [post(staffed, first_owner="li.wei") for _ in range(5)]
    assert deactivate(staffed)[0] == 200
    assert {owners(staffed, address) for address in addresses} == {("admin", None)}


def test_whoever_assigns_to_a_leaver_at_that_moment_loses_nothing(
    staffed: TestClient, scenario: Scenario
) -> None:
    complaints = [scenario.post() for _ in range(8)]
    barrier = Barrier(len(complaints) + 1)

    def assign(complaint: Any) -> None:
        barrier.wait()
        with suppress(InvalidContent):
            scenario.act(complaint, "assign", assignee="li.wei")

    threads = [Thread(target=assign, args=[one]) for one in complaints]
    for thread in threads:
        thread.start()
    barrier.wait()
    assert deactivate(staffed)[0] == 200
    for thread in threads:
        thread.join()
    assert {scenario.load(one).assignee for one in complaints} == {None}


def retire(service: Service, update: str) -> None:
    """Retire a user or a team, as a program before this one could, while complaints were theirs."""
    with service.database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {update}")
        connection.exec_driver_sql("UPDATE reference_version SET version = version + 1")
    service.cache.expire()


# Retired values ------------------------------------------------------------------------------------------------------


def test_rule_1_7_a_retired_value_that_stays_is_no_choice(staffed: TestClient, scenario: Scenario) -> None:
    sent = {"source": "cc", "external_id": "E1", "category": "network.slow", "first_owner": "li.wei"}
    address = post(staffed, **sent)
    for step in ENDED:
        act(staffed, address, step)
    deactivate(staffed)
    staffed.patch("/v1/categories/network.slow", json={"active": False})

    agent = scenario.key(AccessRole.AGENT)
    body = {"subject": "Slow since noon", "category": "network.slow", "first_owner": "li.wei"}
    answer = staffed.patch(address, json=body, headers=agent)
    assert (answer.status_code, answer.json()["subject"]) == (200, "Slow since noon")
    again = {"channel": "phone", "subject": "No dial tone", **sent}
    assert staffed.post("/v1/complaints", json=again).status_code == 200
    for refused in ({"external_id": "E2"}, {"external_id": "E3", "category": None}):
        assert staffed.post("/v1/complaints", json=again | refused).status_code == 422
    other = post(staffed)
    for change in ({"category": "network.slow"}, {"first_owner": "li.wei"}):
        assert staffed.patch(other, json=change).status_code == 422


def test_an_assignment_that_keeps_a_retired_user_passes(staffed: TestClient, scenario: Scenario) -> None:
    address = post(staffed)
    act(staffed, address, "assign", assignee="li.wei")
    assert act(staffed, address, "assign", team="operations", assignee="li.wei")["assignee"] == "li.wei"


@pytest.mark.parametrize(
    ("steps", "again"),
    [
        (["resolve"], "reopen"),
        (["resolve", "notify_result"], "record_contact"),
        (ENDED, "reopen"),
    ],
    ids=["resolved", "not solved", "closed"],
)
def test_rule_1_7_reopening_into_retired_hands_routes_again(
    staffed: TestClient, service: Service, steps: list[str], again: str
) -> None:
    address = post(staffed, category="network.outage", first_owner="li.wei")
    act(staffed, address, "assign", team="night", assignee="li.wei")
    for step in steps:
        act(staffed, address, step)
    retire(service, "team SET active = FALSE WHERE code = 'night'")
    retire(service, "user_account SET active = FALSE WHERE login = 'li.wei'")
    shown = act(staffed, address, again)
    assert (shown["status"], shown["team"]) == ("investigating", "operations")
    assert (shown["first_owner"], shown["assignee"]) == ("admin", None)


def test_an_owner_who_left_unseen_is_replaced_at_the_next_step(
    staffed: TestClient, scenario: Scenario, service: Service
) -> None:
    address = post(staffed, first_owner="li.wei")
    retire(service, "user_account SET active = FALSE WHERE login = 'li.wei'")
    scenario.advance(hours=12)
    assert owners(staffed, address) == ("admin", None)
