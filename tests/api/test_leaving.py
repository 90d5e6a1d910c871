"""Users who leave, and values that were retired meanwhile (rule 1.7)."""

from contextlib import suppress
from threading import Barrier, Thread
from typing import Any

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.vocabulary import AccessRole
from complaints.storage.save import save
from complaints.use_cases.complaints import leaving
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.support import Scenario, check_all

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
def staffed(client: ApiClient) -> ApiClient:
    """The API of a house with two more users and one more team."""
    for login in ("li.wei", "zhao.min"):
        assert client.post("/v1/users", json={"login": login, "name": login}).status_code == 201
    team = {"code": "night", "names": NAMES, "department": "service", "lead": "zhao.min"}
    assert client.post("/v1/teams", json=team).status_code == 201
    return client


def post(client: ApiClient, **members: Any) -> str:
    answer = client.post("/v1/complaints", json={"channel": "phone", "subject": "No dial tone", **members})
    assert answer.status_code == 201, answer.text
    return f"/v1/complaints/{answer.json()['id']}"


def act(client: ApiClient, address: str, action: str, **members: Any) -> Json:
    body = {"action": action, **CARRIED.get(action, {}), **members}
    answer = client.post(f"{address}/transitions", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def deactivate(client: ApiClient, login: str = "li.wei", **members: Any) -> tuple[int, Json]:
    answer = client.patch(f"/v1/users/{login}", json={"active": False, **members})
    return answer.status_code, answer.json()


def owners(client: ApiClient, address: str) -> tuple[str, str | None]:
    shown = client.get(address).json()
    return shown["first_owner"], shown["assignee"]


def last_event(client: ApiClient, address: str) -> Json:
    return dict(client.get(f"{address}/timeline?limit=200").json()["items"][-1])


@pytest.mark.parametrize(
    ("successor", "assigned", "owned"),
    [
        (None, ("admin", None), ("zhao.min", "admin")),
        ("zhao.min", ("admin", "zhao.min"), ("zhao.min", "admin")),
    ],
)
def test_rule_1_7_open_complaints_go_to_the_successor_or_to_the_team(
    staffed: ApiClient, scenario: Scenario, successor: str | None, assigned: Any, owned: Any
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


def test_a_leader_leaves_with_a_successor_only(staffed: ApiClient) -> None:
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


def test_a_refused_leaving_hands_nothing_over(staffed: ApiClient) -> None:
    address = post(staffed, first_owner="li.wei")
    for login, body, status in REFUSED:
        assert staffed.patch(f"/v1/users/{login}", json=body).status_code == status, body
        assert owners(staffed, address) == ("li.wei", None)
        assert staffed.get("/v1/users/li.wei").json()["active"] is True


def test_an_agent_deactivates_nobody(staffed: ApiClient, scenario: Scenario) -> None:
    address = post(staffed, first_owner="li.wei")
    key = scenario.key(AccessRole.AGENT)
    answer = staffed.patch("/v1/users/li.wei", json={"active": False}, headers=key)
    assert (answer.status_code, owners(staffed, address)) == (403, ("li.wei", None))


def test_many_complaints_are_handed_over_in_several_transactions(
    staffed: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "BATCH", 2)
    addresses = [post(staffed, first_owner="li.wei") for _ in range(5)]
    assert deactivate(staffed)[0] == 200
    assert {owners(staffed, address) for address in addresses} == {("admin", None)}


def test_whoever_assigns_to_a_leaver_at_that_moment_loses_nothing(
    staffed: ApiClient, scenario: Scenario
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


# Batches, progress, and what cuts them off ---------------------------------------------------------------------------


class CutOff(Exception):
    """The process ends in the middle of a leaving."""


@pytest.fixture
def cut_off(staffed: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of 7 complaints of li.wei. The process ends when 4 of them are handed over to zhao.min.

    Every step of their ladders is taken, so only an owner keeps them from being forgotten.
    """
    addresses = [post(staffed, first_owner="li.wei") for _ in range(7)]
    act(staffed, addresses[0], "assign", assignee="li.wei")
    scenario.advance(days=6)
    monkeypatch.setattr(leaving, "BATCH", 2)
    saves = []

    def save_twice(*arguments: Any, **others: Any) -> None:
        if len(saves) == 2:
            raise CutOff
        saves.append(save(*arguments, **others))

    with monkeypatch.context() as patch:
        patch.setattr(leaving, "save", save_twice)
        status, problem = deactivate(staffed, successor="zhao.min")
    assert (status, problem["type"]) == (500, "/problems/internal-error")
    return addresses


def progress(client: ApiClient) -> Json:
    return dict(client.get("/v1/users/li.wei/leaving").json())


def counts(client: ApiClient) -> tuple[int, int, bool]:
    shown = progress(client)
    return shown["done"], shown["total"], shown["finished_at"] is not None


def test_rule_1_7_a_leaving_that_was_cut_off_goes_on(
    staffed: ApiClient, scenario: Scenario, service: Service, cut_off: list[str]
) -> None:
    """Every invariant holds at each moment: whoever owns a complaint is active, or is leaving."""
    assert counts(staffed) == (4, 7, False)
    assert sorted(owners(staffed, one)[0] for one in cut_off) == ["li.wei"] * 3 + ["zhao.min"] * 4
    assert list(check_all(service)) == []
    assert staffed.get("/v1/users/li.wei").json()["active"] is False
    passed_on = next(one for one in cut_off if owners(staffed, one)[0] == "zhao.min")
    assert (
        staffed.post(f"{passed_on}/transitions", json={"action": "assign", "assignee": "li.wei"}).status_code
        == 422
    )
    assert staffed.patch(passed_on, json={"first_owner": "li.wei"}).status_code == 422

    leaving.finish_leavings(service)
    assert counts(staffed) == (7, 7, True)
    assert {owners(staffed, one) for one in cut_off} == {("zhao.min", None), ("zhao.min", "zhao.min")}
    shown = progress(staffed)
    assert (shown["successor"], shown["started_by"]) == ("zhao.min", "key:bootstrap")
    assert {last_event(staffed, one)["actor"] for one in cut_off} == {"key:bootstrap"}


def test_the_same_call_again_goes_on_too(staffed: ApiClient, cut_off: list[str]) -> None:
    began = progress(staffed)["started_at"]
    assert deactivate(staffed)[0] == 200
    assert counts(staffed) == (7, 7, True)
    assert progress(staffed)["started_at"] == began
    assert {owners(staffed, one)[0] for one in cut_off} == {"zhao.min"}
    assert deactivate(staffed)[0] == 200
    assert progress(staffed)["started_at"] == began  # nothing was left to begin


def test_a_successor_who_leaves_meanwhile_gets_no_more(
    staffed: ApiClient, service: Service, cut_off: list[str]
) -> None:
    assert deactivate(staffed, "zhao.min", successor="admin")[0] == 200
    leaving.finish_leavings(service)
    assert {owners(staffed, one)[0] for one in cut_off} == {"admin"}


def test_a_user_who_comes_back_keeps_what_is_left(
    staffed: ApiClient, service: Service, cut_off: list[str]
) -> None:
    assert staffed.patch("/v1/users/li.wei", json={"active": True}).status_code == 200
    leaving.finish_leavings(service)
    assert sorted(owners(staffed, one)[0] for one in cut_off) == ["li.wei"] * 3 + ["zhao.min"] * 4
    assert counts(staffed) == (4, 7, True)


def test_what_a_leaver_gets_a_moment_after_the_end_is_handed_over_too(
    staffed: ApiClient, scenario: Scenario, service: Service
) -> None:
    assert deactivate(staffed, successor="zhao.min")[0] == 200
    address = post(staffed)
    retire(service, "complaint SET first_owner = 'li.wei'")
    scenario.advance(seconds=30)
    leaving.finish_leavings(service)
    assert owners(staffed, address) == ("zhao.min", None)


def test_rule_1_7_a_step_of_a_ladder_hands_over_to_the_successor(
    staffed: ApiClient, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = post(staffed, first_owner="li.wei")
    with monkeypatch.context() as patch:
        patch.setattr(leaving, "hand_over_all", lambda *_: None)
        assert deactivate(staffed, successor="zhao.min")[0] == 200
    scenario.advance(hours=12)
    assert owners(staffed, address) == ("zhao.min", None)
    assert last_event(staffed, address)["actor"] == "engine"


def test_rule_1_7_nothing_is_forgotten_while_others_write(
    staffed: ApiClient, scenario: Scenario, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three writers give work to the leaver and take it away, while the leaving goes on and `check` looks."""
    monkeypatch.setattr(leaving, "BATCH", 3)
    complaints = [scenario.post(first_owner="li.wei") for _ in range(12)]
    scenario.advance(days=6)
    barrier, found = Barrier(5), []

    def work(own: list[Any]) -> None:
        barrier.wait()
        for complaint in own:
            for change in ({"assignee": "li.wei"}, {"team": "operations"}):
                with suppress(InvalidContent):
                    scenario.act(complaint, "assign", **change)

    def look() -> None:
        barrier.wait()
        for _ in range(3):
            found.extend(check_all(service))

    threads = [Thread(target=work, args=[complaints[n::3]]) for n in range(3)] + [Thread(target=look)]
    for thread in threads:
        thread.start()
    barrier.wait()
    assert deactivate(staffed, successor="zhao.min")[0] == 200
    for thread in threads:
        thread.join()
    shown = [scenario.load(one) for one in complaints]
    assert {one.first_owner for one in shown} == {"zhao.min"}
    assert {one.assignee for one in shown} <= {None, "zhao.min"}
    assert found == []


def test_a_successor_stands_in_for_the_leaver(staffed: ApiClient, scenario: Scenario) -> None:
    """Rule 3.10: what waits for the leaver waits for the successor."""
    address = post(staffed, first_owner="li.wei")
    act(staffed, address, "assign", assignee="li.wei")
    scenario.advance(hours=20)
    key = scenario.key(AccessRole.AGENT, login="zhao.min")
    inbox = {"params": {"recipient": "me"}, "headers": key}
    assert staffed.get("/v1/inbox", **inbox).json()["items"] == []
    assert deactivate(staffed, successor="zhao.min")[0] == 200
    assert [one["complaint_id"] for one in staffed.get("/v1/inbox", **inbox).json()["items"]] == [
        address.rpartition("/")[2]
    ]


def test_no_progress_of_who_never_left(staffed: ApiClient) -> None:
    for login in ("li.wei", "nobody"):
        assert staffed.get(f"/v1/users/{login}/leaving").status_code == 404


def retire(service: Service, update: str) -> None:
    """Retire a user or a team, as a program before this one could, while complaints were theirs."""
    with service.database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {update}")
        connection.exec_driver_sql("UPDATE reference_version SET version = version + 1")
    service.cache.expire()


# Retired values ------------------------------------------------------------------------------------------------------


def test_rule_1_7_a_retired_value_that_stays_is_no_choice(staffed: ApiClient, scenario: Scenario) -> None:
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


def test_an_assignment_that_keeps_a_retired_user_passes(staffed: ApiClient, scenario: Scenario) -> None:
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
    staffed: ApiClient, service: Service, steps: list[str], again: str
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
    staffed: ApiClient, scenario: Scenario, service: Service
) -> None:
    address = post(staffed, first_owner="li.wei")
    retire(service, "user_account SET active = FALSE WHERE login = 'li.wei'")
    scenario.advance(hours=12)
    assert owners(staffed, address) == ("admin", None)
