"""The routes of work and people, and the journey of a supervisor who goes on holiday."""

from datetime import timedelta
from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import START, Scenario
from tests.use_cases.test_work import add_users

CARE = "customer_service"
Json = dict[str, Any]


def at(**delta: float) -> str:
    return (START + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ask(client: ApiClient, path: str, key: dict[str, str] | None = None, **query: Any) -> Json:
    answer = client.get(f"/v1/{path}", params=query, headers=key)
    assert answer.status_code == 200, answer.text
    shown: Json = answer.json()
    return shown


def test_a_queue_is_taken_page_by_page(client: ApiClient, scenario: Scenario) -> None:
    add_users(scenario, "an", "bo")
    an, bo = (scenario.key(AccessRole.AGENT, login=login) for login in ("an", "bo"))
    made = [scenario.post(received_at=START - timedelta(hours=hour)) for hour in range(3)]
    first = ask(client, f"teams/{CARE}/queue", an, limit=2, fields="id")
    second = ask(client, f"teams/{CARE}/queue", an, limit=2, fields="id", cursor=first["next_cursor"])
    ids = [str(one.id) for one in reversed(made)]
    assert ([one["id"] for one in (*first["items"], *second["items"])], second["next_cursor"]) == (ids, None)
    wrong = client.get("/v1/teams/operations/queue", params={"cursor": first["next_cursor"]})
    assert (wrong.status_code, client.get("/v1/teams/moon/queue").status_code) == (400, 404)

    taken = client.post(f"/v1/teams/{CARE}/queue/take", headers=an)
    assert (taken.status_code, taken.json()["id"], taken.json()["assignee"]) == (200, ids[0], "an")
    for key, status, holder in ((bo, 200, "bo"), (bo, 200, "bo"), (an, 409, "bo")):
        answer = client.post(f"/v1/complaints/{ids[1]}/take", headers=key)
        assert (answer.status_code, "'bo' has" in answer.text) == (status, status == 409)
        assert ask(client, f"complaints/{ids[1]}")["assignee"] == holder
    stale = client.post(f"/v1/complaints/{ids[2]}/take", headers={**an, "If-Match": '"7"'})
    assert stale.status_code == 412
    timeline = ask(client, f"complaints/{ids[1]}/timeline")["items"]
    [event] = [one for one in timeline if one["type"] == "complaint.assigned"]
    assert (event["actor"], event["data"]["changes"]) == ("user:bo", {"assignee": "bo"})
    load = ask(client, f"teams/{CARE}/load")["items"]
    assert [(one["login"], one["open"], one["overdue"], one["on_duty"]) for one in load] == [
        ("an", 1, 0, False),
        ("bo", 1, 0, False),
    ]
    assert load[1] == ask(client, "users/bo/load")
    assert client.get("/v1/users/nobody/load").status_code == 404


SHIFT = {"login": "an", "on_duty_from": at(hours=1), "on_duty_until": at(hours=9)}


WRONG_ROTAS = [
    ({}, "/shifts"),
    ({"shifts": None}, "/shifts"),
    ({"shifts": [SHIFT | {"until": 1}]}, "/shifts/0/until"),
    ({"shifts": [SHIFT | {"login": "nobody"}]}, "/shifts/0/login"),
    ({"shifts": [SHIFT | {"on_duty_from": "tomorrow"}]}, "/shifts/0/on_duty_from"),
    ({"shifts": [SHIFT, SHIFT]}, "/shifts/1/on_duty_from"),
    ({"shifts": [SHIFT] * 501}, "/shifts"),
]


def test_a_rota_is_refused_where_it_is_wrong(
    client: ApiClient, scenario: Scenario, subtests: pytest.Subtests
) -> None:
    add_users(scenario, "an")
    for body, pointer in WRONG_ROTAS:
        with subtests.test(str(body)[:80]):
            answer = client.put(f"/v1/teams/{CARE}/duty", json=body)
            assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (
                422,
                [pointer],
            )


def test_a_rota_is_replaced_and_audited(client: ApiClient, scenario: Scenario) -> None:
    add_users(scenario, "an")
    path = f"/v1/teams/{CARE}/duty"
    assert client.put("/v1/teams/moon/duty", json={"shifts": []}).status_code == 404
    for shifts in ([SHIFT], []):
        answer = client.put(path, json={"shifts": shifts})
        assert (answer.status_code, answer.json()) == (200, {"team": CARE, "shifts": shifts})
        assert client.get(path).json() == answer.json()
    entries = ask(client, "audit", subject="duty")["items"]
    assert sorted(entry["action"] for entry in entries) == ["changed", "created"]
    assert {entry["code"] for entry in entries} == {CARE}


NO_ABSENCES = [
    ({}, "absent_until"),
    ({"absent_until": at()}, "absent_until"),
    ({"absent_until": "soon"}, "absent_until"),
    ({"absent_from": at(days=2), "absent_until": at(days=2)}, "absent_until"),
]


def test_an_absence_that_cannot_be_is_not_rehearsed(client: ApiClient, subtests: pytest.Subtests) -> None:
    for query, parameter in NO_ABSENCES:
        with subtests.test(str(query)):
            answer = client.get("/v1/users/admin/absence-rehearsal", params=query)
            assert answer.status_code == 422
            assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]
            assert (
                client.get(f"/v1/users/nobody/absence-rehearsal?absent_until={at(days=1)}").status_code == 404
            )


def test_a_supervisor_goes_on_holiday(client: ApiClient, scenario: Scenario) -> None:
    """The deputy of another team inherits the steps and sees the backlog until the return (rule 3.10)."""
    add_users(scenario, "sun")
    add_users(scenario, "dai", teams=["operations"])
    dai = scenario.key(AccessRole.SUPERVISOR, login="dai")
    assert client.patch(f"/v1/teams/{CARE}", json={"lead": "sun"}).status_code == 200
    own, idle = (scenario.post(subject=name, first_owner="admin") for name in ("Own", "Idle"))
    scenario.act(own, "assign", assignee="sun")
    promised = client.post(
        f"/v1/complaints/{own.id}/promises", json={"text": "A call.", "due_at": at(hours=30)}
    )
    assert promised.status_code == 201
    window = {"absent_from": at(hours=20), "absent_until": at(hours=40)}
    rehearsal = "users/sun/absence-rehearsal"

    def tasks() -> dict[str, list[tuple[str, str | None, list[str]]]]:
        found = ask(client, rehearsal, **window)
        assert found["next_cursor"] is None
        return {
            one["subject"]: [(t["kind"], t["step"], t["heirs"]) for t in one["tasks"]]
            for one in found["items"]
        }

    before = tasks()
    assert before["Idle"] == [("first_response", "100%", ["admin"]), ("resolution", "80%", ["admin"])]
    assert [(kind, step) for kind, step, _ in before["Own"]] == [
        ("first_response", None), ("first_response", "100%"), ("resolution", "50%"),
        ("promise", "-1h"), ("promise", None), ("promise", "100%"), ("resolution", "80%"),
    ]  # fmt: skip
    pages = ask(client, rehearsal, limit=1, **window)
    rest = ask(client, rehearsal, limit=1, cursor=pages["next_cursor"], **window)
    assert {one["number"] for one in (*pages["items"], *rest["items"])} == {
        ask(client, f"complaints/{one.id}")["number"] for one in (own, idle)
    }

    assert client.patch("/v1/users/sun", json={"deputy": "dai"} | window).status_code == 200
    heirs = {heir for found in tasks().values() for _, _, heard in found for heir in heard}
    assert heirs == {"dai", "admin"}
    assert [heard for _, step, heard in tasks()["Own"] if step is None] == [["dai"], ["dai"]]

    scenario.advance(hours=31)
    inbox = ask(client, "inbox", dai, recipient="me")["items"]
    assert {one["subject"] for one in inbox} == {"Own", "Idle"}
    taken = ask(client, "escalations", complaint=str(own.id), recipient="dai")["items"]
    heard = {(one["kind"], one["step"]) for one in taken}
    assert heard >= {("first_response", "100%"), ("promise", "-1h"), ("promise", "100%")}
    assert [one["subject"] for one in ask(client, "complaints", dai, assignee="sun")["items"]] == ["Own"]
    waiting = next(one for one in taken if one["step"] == "100%")
    answer = client.post(f"/v1/escalations/{waiting['id']}/acknowledge", json={}, headers=dai)
    assert answer.status_code == 200

    scenario.advance(hours=10)
    scenario.post(subject="New", received_at=START + timedelta(hours=17, minutes=30))
    scenario.advance(hours=1)
    latest = ask(client, "escalations", level_min=1)["items"][0]
    assert (latest["step"], latest["recipients"]) == ("100%", ["sun"])
    for login, sees in (("sun", True), ("dai", False)):
        shown = ask(client, "inbox", recipient=login)["items"]
        assert ("New" in {one["subject"] for one in shown}) is sees
