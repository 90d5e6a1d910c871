"""The routes /v1/escalations and /v1/inbox: escalations are listed, settle, and are acknowledged once."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from complaints.api.bulk_items import BulkEscalations
from complaints.api.deadlines.schemas import EscalationOut, EscalationPage, InboxPage
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.upkeep.sweep import sweep_once
from tests.api_client import ApiClient
from tests.support import Scenario, check_all, count_statements

MEMBERS = {
    "id", "complaint_id", "number", "deadline_id", "kind", "step", "level", "roles", "recipients",
    "planned_at", "taken_at", "superseded", "reason", "acknowledged_at", "acknowledged_by",
    "acknowledged_note", "settled_at", "subject",
}  # fmt: skip


@pytest.fixture
def complaint(scenario: Scenario) -> Complaint:
    """A complaint left alone for 25 hours: three reminders and one escalation."""
    posted = scenario.post()
    scenario.advance(hours=25)
    return posted


def listed(client: ApiClient, **params: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/escalations", params=params)
    assert answer.status_code == 200, answer.text
    EscalationPage.model_validate(answer.json())
    return list(answer.json()["items"])


def breach(client: ApiClient) -> dict[str, Any]:
    return next(item for item in listed(client, level_min=1))


def test_are_listed_latest_first_with_all_that_is_known(client: ApiClient, complaint: Complaint) -> None:
    items = listed(client)

    assert [(i["kind"], i["step"], i["level"]) for i in items] == [
        ("first_response", "100%", 1),
        ("resolution", "50%", 0),
        ("first_response", "80%", 0),
        ("first_response", "50%", 0),
    ]
    assert set(items[0]) == MEMBERS
    assert items[0]["complaint_id"] == str(complaint.id)
    assert items[0]["number"] == number_of(complaint.sequence)
    assert items[0]["planned_at"] == "2026-01-06T01:00:00Z"
    assert items[0]["taken_at"] == "2026-01-06T01:00:00.000001Z"
    assert items[0]["recipients"] == ["admin"]


def test_filters(client: ApiClient, scenario: Scenario, complaint: Complaint) -> None:
    other = scenario.post(category="network.outage")  # of team operations
    scenario.act(other, "escalate", reason="the mayor called", role="executive")

    assert len(listed(client, complaint=str(complaint.id))) == 4
    assert len(listed(client, complaint=number_of(complaint.sequence))) == 4
    assert [i["reason"] for i in listed(client, complaint=number_of(other.sequence))] == ["the mayor called"]
    assert {i["kind"] for i in listed(client, kind="resolution")} == {"resolution"}
    assert [i["level"] for i in listed(client, level_min=1)] == [3, 1]
    assert [i["step"] for i in listed(client, team="operations")] == ["manual"]
    assert len(listed(client, recipient="admin")) == 5
    assert listed(client, recipient="none") == []
    assert listed(client, superseded="true") == []
    assert len(listed(client, superseded="false")) == 5


def test_superseded_ones_are_known_as_such(client: ApiClient, scenario: Scenario) -> None:
    scenario.post()
    scenario.jump(hours=25)
    sweep_once(scenario.service)

    assert [i["step"] for i in listed(client, superseded="true", kind="first_response")] == ["80%", "50%"]
    assert [i["recipients"] for i in listed(client, superseded="true")] == [[], []]


def test_pages_go_on_where_they_ended_and_hold_under_inserts(
    client: ApiClient, scenario: Scenario, complaint: Complaint
) -> None:
    expected = [item["id"] for item in listed(client)]
    found: list[str] = []
    cursor = None
    while True:
        answer = client.get("/v1/escalations", params={"limit": 1, **({"cursor": cursor} if cursor else {})})
        found += [item["id"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
        scenario.act(complaint, "escalate", reason="again", role="team_lead")

    assert found == expected


BAD_QUESTIONS = [
    ("colour=red", 400),
    ("cursor=nonsense", 400),
    ("cursor=", 400),
    ("fields=id,colour", 400),
    ("limit=0", 422),
    ("limit=201", 422),
    ("kind=tea", 422),
    ("acknowledged=maybe", 422),
    ("acknowledged=1", 422),
    ("level_min=-1", 422),
    ("complaint=12", 422),
    ("team=a%00b", 422),
    ("settled=maybe", 422),
    ("recipient=nobody", 422),
    ("recipient=me", 422),  # the key belongs to no user
    ("team=operatons", 422),
]


def test_bad_questions_are_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for query, status in BAD_QUESTIONS:
        with subtests.test(query):
            assert client.get(f"/v1/escalations?{query}").status_code == status


def test_fields_picks_members(client: ApiClient, complaint: Complaint) -> None:
    items = client.get("/v1/escalations?fields=id,step").json()["items"]

    assert [set(item) for item in items] == [{"id", "step"}] * 4


def test_acknowledging_is_on_record(client: ApiClient, scenario: Scenario, complaint: Complaint) -> None:
    before = scenario.load(complaint)
    asked = breach(client)

    answer = client.post(f"/v1/escalations/{asked['id']}/acknowledge", json={"note": "I call them."})

    assert answer.status_code == 200
    shown = answer.json()
    EscalationOut.model_validate(shown)
    assert (shown["acknowledged_at"], shown["acknowledged_note"]) == ("2026-01-06T02:00:00Z", "I call them.")
    assert shown["acknowledged_by"] == "key:bootstrap"
    assert client.get(f"/v1/escalations/{asked['id']}").json() == shown
    assert [i["id"] for i in listed(client, acknowledged="true")] == [asked["id"]]
    assert asked["id"] not in {i["id"] for i in listed(client, acknowledged="false")}
    assert scenario.load(complaint).version == before.version
    event = client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"][-1]
    assert event["type"] == "escalation.acknowledged"
    assert event["data"]["escalation_id"] == asked["id"]


def test_rule_3_5_a_second_acknowledgement_is_a_conflict_and_changes_nothing(
    client: ApiClient, scenario: Scenario, complaint: Complaint
) -> None:
    address = f"/v1/escalations/{breach(client)['id']}"
    once = {"Idempotency-Key": "once"}
    first = client.post(f"{address}/acknowledge", headers=once)
    scenario.jump(hours=1)

    again = client.post(f"{address}/acknowledge", json={"note": "again"})
    repeated = client.post(f"{address}/acknowledge", headers=once)

    assert (again.status_code, again.json()["detail"]) == (
        409,
        "key:bootstrap has acknowledged this escalation before.",
    )
    assert (repeated.status_code, repeated.content) == (200, first.content)
    assert client.get(address).json() == first.json()
    types = [e["type"] for e in client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"]]
    assert types.count("escalation.acknowledged") == 1


def test_a_superseded_one_of_an_ended_complaint_may_be_acknowledged_too(
    client: ApiClient, scenario: Scenario
) -> None:
    posted = scenario.post()
    scenario.jump(hours=25)
    sweep_once(scenario.service)
    scenario.act(posted, "withdraw", reason="solved itself")
    superseded = listed(client, superseded="true")[0]

    assert client.post(f"/v1/escalations/{superseded['id']}/acknowledge").status_code == 200


def test_rights_and_scope(client: ApiClient, scenario: Scenario, complaint: Complaint) -> None:
    found = breach(client)
    address = f"/v1/escalations/{found['id']}"
    auditor, own = scenario.key(AccessRole.AUDITOR), scenario.key(AccessRole.INTAKE, source="system")
    foreign = scenario.key(AccessRole.INTAKE, source="elsewhere")

    assert client.post(f"{address}/acknowledge", headers=auditor).status_code == 403
    assert client.get(address, headers=auditor).status_code == 200
    assert client.get(address, headers=own).status_code == 200
    assert client.get(address, headers=foreign).status_code == 404
    assert len(client.get("/v1/escalations", headers=own).json()["items"]) == 4
    assert client.get("/v1/escalations", headers=foreign).json() == {"items": [], "next_cursor": None}
    assert client.get(f"/v1/escalations/{complaint.id}").status_code == 404
    assert client.post(f"/v1/escalations/{complaint.id}/acknowledge").status_code == 404
    assert client.get("/v1/escalations/none").status_code == 404


# Inboxes --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def staffed(client: ApiClient) -> ApiClient:
    """Operations is led by li, with the deputy an; wu stands in for an absent li."""
    for login in ("li", "an", "wu"):
        user = {"login": login, "name": login.title(), "scope": "all"}
        assert client.post("/v1/users", json=user).status_code == 201
    client.patch("/v1/users/li", json={"deputy": "wu"})
    client.patch("/v1/teams/operations", json={"lead": "li", "deputy": "an"})
    return client


def inbox(client: ApiClient, headers: dict[str, str] | None = None, **params: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/inbox", params=params, headers=headers or {})
    assert answer.status_code == 200, answer.text
    InboxPage.model_validate(answer.json())
    return list(answer.json()["items"])


def test_rule_3_8_a_step_settles_when_its_deadline_is_met_or_its_complaint_ends(
    client: ApiClient, scenario: Scenario, complaint: Complaint
) -> None:
    ended = scenario.post()
    scenario.act(ended, "escalate", reason="the mayor called", role="executive")
    assert len(listed(client, acknowledged="false")) == 5

    scenario.act(complaint, "respond", message="We look.", contact_channel="phone")
    scenario.act(ended, "withdraw", reason="solved itself")

    assert [i["kind"] for i in listed(client, acknowledged="false")] == ["resolution"]
    assert [i["kind"] for i in listed(client, acknowledged="false", recipient="admin")] == ["resolution"]
    settled = listed(client, acknowledged="false", settled="true")
    assert [(i["kind"], i["settled_at"]) for i in settled] == [
        (kind, "2026-01-06T02:00:00Z") for kind in (None, *["first_response"] * 3)
    ]
    assert len(listed(client, recipient="admin")) == 5
    assert len(listed(client, settled="false")) == 1
    scenario.advance(hours=30)  # a worker looks again: nothing comes back
    assert {i["complaint_id"] for i in listed(client, acknowledged="false")} == {str(complaint.id)}
    assert list(check_all(scenario.service)) == []


def test_rule_3_8_what_a_program_of_before_did_not_mark_is_not_in_the_inbox_either(
    client: ApiClient, scenario: Scenario, complaint: Complaint
) -> None:
    scenario.act(complaint, "withdraw", reason="solved itself")
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE escalation SET settled_at = NULL"))
        tx.connection.execute(text("UPDATE escalation_recipient SET waiting = true"))

    assert (
        listed(client, acknowledged="false") == listed(client, acknowledged="false", recipient="admin") == []
    )
    assert inbox(client) == []


def test_rule_3_8_the_inbox_has_one_row_a_complaint_worst_first(
    client: ApiClient, scenario: Scenario, complaint: Complaint
) -> None:
    called = scenario.post(subject="No tone", severity="critical")
    scenario.act(called, "escalate", reason="the mayor called", role="executive")
    quiet = scenario.post()
    scenario.advance(hours=13)

    items = inbox(client)

    assert [(i["number"], i["worst"]["step"], i["worst"]["level"], i["waiting"]) for i in items] == [
        (number_of(called.sequence), "manual", 3, 2),
        (number_of(complaint.sequence), "+12h", 2, 5),
        (number_of(quiet.sequence), "50%", 0, 1),
    ]
    shown = items[1]
    assert (shown["subject"], shown["assignee"], shown["first_owner"], shown["team"], shown["status"]) == (
        "No signal", None, "admin", "customer_service", "received"
    )  # fmt: skip
    assert (shown["due_at"], shown["next_due_at"], items[0]["due_at"]) == ("2026-01-06T01:00:00Z",) * 2 + (
        None,
    )
    assert set(shown["worst"]) == MEMBERS
    assert [i["number"] for i in inbox(client, level_min=1)] == [i["number"] for i in items[:2]]
    picked = client.get("/v1/inbox?team=customer_service&fields=number").json()["items"]
    assert picked == [{"number": item["number"]} for item in items]
    assert inbox(client, team="operations") == inbox(client, recipient="none") == []

    paged: list[Any] = []
    cursor: dict[str, Any] = {}
    while cursor is not None and len(paged) < 9:
        page = client.get("/v1/inbox", params={"limit": 1, **cursor}).json()
        paged += page["items"]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None  # type: ignore[assignment]
    assert paged == items
    client.post(f"/v1/escalations/{items[0]['worst']['id']}/acknowledge")
    assert inbox(client)[2]["worst"]["step"] == "50%"


@pytest.mark.new_database
@pytest.mark.parametrize("address", ["/v1/inbox?", "/v1/escalations?acknowledged=false&"])
def test_an_inbox_reads_what_waits_alone(
    client: ApiClient, scenario: Scenario, complaint: Complaint, address: str
) -> None:
    with count_statements(scenario.service) as executed:
        client.get(f"{address}recipient=admin")
    statement, bound = next(one for one in executed if "escalation_recipient" in one[0])
    with scenario.service.database.read() as tx:
        if scenario.service.database.is_postgresql:
            tx.connection.exec_driver_sql(
                "SET LOCAL enable_seqscan = off"
            )  # else it reads so few rows as a whole
            plan = tx.connection.exec_driver_sql(f"EXPLAIN {statement}", bound).all()
        else:
            plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", bound).all()
    assert "ix_escalation_recipient__waiting" in str(plan)


def test_the_escalations_of_one_complaint_are_one_plain_statement(
    client: ApiClient, scenario: Scenario, complaint: Complaint
) -> None:
    with count_statements(scenario.service) as executed:
        items = listed(client, complaint=number_of(complaint.sequence))
    assert {item["number"] for item in items} == {number_of(complaint.sequence)}
    [statement] = [text for text, _ in executed if "escalation" in text]
    assert "UNION" not in statement


BAD_INBOX_QUESTIONS = [
    "colour=red",
    "cursor=eyJraW5kIjoiaW5ib3gifQ",
    "fields=colour",
    "recipient=nobody",
    "team=x",
    "limit=0",
]


def test_bad_questions_to_the_inbox_are_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for query in BAD_INBOX_QUESTIONS:
        with subtests.test(query):
            answer = client.get(f"/v1/inbox?{query}")
            assert answer.status_code == (422 if query.startswith(("recipient", "team", "limit")) else 400)


def test_an_unknown_name_says_what_is_near(staffed: ApiClient, scenario: Scenario) -> None:
    agent, intake = scenario.key(AccessRole.AGENT), scenario.key(AccessRole.INTAKE)
    for query, hint in (
        ("team=operatons", "did you mean 'operations'?"),
        ("recipient=admn", "did you mean 'admin'?"),
        ("recipient=nobody", "write a login or 'me'"),
    ):
        assert hint in staffed.get(f"/v1/escalations?{query}", headers=agent).json()["detail"]
    assert "admin" not in staffed.get("/v1/inbox?recipient=admn", headers=intake).text.replace("admn", "")


def test_rule_3_10_a_deputy_has_the_inbox_of_the_absent_user(staffed: ApiClient, scenario: Scenario) -> None:
    keys = {login: scenario.key(AccessRole.AGENT, login=login) for login in ("li", "wu", "an")}
    scenario.post(category="network.outage", first_owner="admin")
    scenario.advance(hours=25)

    def seen() -> dict[str, int]:
        return {login: len(inbox(staffed, key, recipient="me")) for login, key in keys.items()}

    assert seen() == {"li": 1, "wu": 0, "an": 0}
    staffed.patch("/v1/users/li", json={"absent_from": "2026-01-06T00:00:00Z"})
    assert seen() == {"li": 1, "wu": 1, "an": 0}
    staffed.patch("/v1/users/wu", json={"absent_from": "2026-01-06T00:00:00Z"})
    assert seen() == {
        "li": 1,
        "wu": 0,
        "an": 1,
    }  # the deputy of the team, now that the own deputy is absent too
    assert len(listed(staffed, recipient="li", acknowledged="false")) == 2


def test_rule_3_5_recipients_their_deputies_and_admins_may_acknowledge(
    staffed: ApiClient, scenario: Scenario
) -> None:
    scenario.post(category="network.outage", first_owner="admin")
    scenario.advance(hours=25)
    found = breach(staffed)
    address = f"/v1/escalations/{found['id']}/acknowledge"
    assert found["recipients"] == ["li"]

    refused = [
        staffed.post(address, headers=key)
        for key in (
            scenario.key(AccessRole.MANAGER),
            scenario.key(AccessRole.SUPERVISOR, login="an"),
            scenario.key(AccessRole.AGENT, login="wu"),
        )
    ]
    assert [answer.status_code for answer in refused] == [403] * 3
    staffed.patch("/v1/users/li", json={"absent_from": "2026-01-06T00:00:00Z"})
    answer = staffed.post(address, headers=scenario.key(AccessRole.AGENT, login="wu"))
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, "user:wu")
    assert staffed.post(address, headers=scenario.key(AccessRole.AGENT, login="li")).status_code == 409


def test_many_are_acknowledged_at_once(staffed: ApiClient, scenario: Scenario, complaint: Complaint) -> None:
    outage = scenario.post(category="network.outage", first_owner="admin")
    scenario.advance(hours=25)
    li = scenario.key(AccessRole.AGENT, login="li")
    found = listed(staffed, complaint=str(outage.id))
    ids = [item["id"] for item in found]
    own = [item["id"] for item in found if "li" in item["recipients"]]

    body = {"escalations": [*ids, str(uuid4()), "x"], "note": "I call them."}
    answer = staffed.post("/v1/escalations/acknowledge", json=body, headers=li)

    assert answer.status_code == 200
    BulkEscalations.model_validate(answer.json())
    results = {item["escalation"]: item for item in answer.json()["items"]}
    assert list(results) == body["escalations"]
    assert [results[i]["status"] for i in own] == [200] * 2
    assert [r["status"] for i, r in results.items() if i not in own] == [403] * (len(ids) - 2) + [404] * 2
    assert results["x"]["problem"]["type"] == "/problems/not-found"
    assert {i["acknowledged_note"] for i in listed(staffed, acknowledged="true")} == {"I call them."}

    rest = {"filter": {"complaint": number_of(outage.sequence), "recipient": "admin"}, "expected_count": 1}
    wrong = staffed.post("/v1/escalations/acknowledge", json=rest)
    assert (wrong.status_code, wrong.json()["detail"].split(",")[0]) == (409, "2 fit the filter")
    done = staffed.post("/v1/escalations/acknowledge", json=rest | {"expected_count": 2})
    assert [item["status"] for item in done.json()["items"]] == [200, 200]
    assert listed(staffed, complaint=str(outage.id), acknowledged="false") == []


def test_rule_3_9_an_acknowledged_step_repeats_no_more(client: ApiClient, scenario: Scenario) -> None:
    document = client.get("/v1/policies/telecom-handbook/1").json()["document"]
    document["deadlines"]["first_response"]["ladder"][-1]["repeat"] = "24h"
    applied = client.post("/v1/policies", json=document)
    assert applied.status_code == 201, applied.text
    posted = scenario.post()
    scenario.advance(days=4)
    names = [i["step"] for i in listed(client, complaint=str(posted.id), kind="first_response")]
    assert names[:3] == ["+24h/2", "+24h/1", "+24h"]
    deadline = next(d for d in scenario.load(posted).deadlines if d.kind == "first_response")
    address = f"/v1/complaints/{posted.id}/deadlines/{deadline.id}/explanation"
    ahead = [(s["step"], s["repeat"]) for s in client.get(address).json()["steps"] if s["taken_at"] is None]
    assert ahead == [("+24h/3", "24h")]

    worst = listed(client, complaint=str(posted.id), kind="first_response")[0]
    assert client.post(f"/v1/escalations/{worst['id']}/acknowledge").status_code == 200
    scenario.advance(days=4)

    assert [i["step"] for i in listed(client, complaint=str(posted.id), kind="first_response")] == names
    assert all(s["taken_at"] for s in client.get(address).json()["steps"])
    assert list(check_all(scenario.service)) == []
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM escalation_recipient"))
        tx.connection.execute(text("DELETE FROM escalation WHERE step = '+24h/2'"))
    assert "steps taken once" in {found.invariant for found in check_all(scenario.service)}


def test_a_complaint_that_slept_is_caught_up_by_several_sweeps(client: ApiClient, scenario: Scenario) -> None:
    document = client.get("/v1/policies/telecom-handbook/1").json()["document"]
    document["deadlines"]["first_response"]["ladder"][-1]["repeat"] = "1h"
    client.post("/v1/policies", json=document)
    posted = scenario.post()
    scenario.jump(hours=48 + 50)
    rounds = 0
    while sweep_once(scenario.service).complaints:
        rounds += 1

    taken = listed(client, complaint=str(posted.id), kind="first_response", limit=200)
    assert (rounds, [i["step"] for i in taken if not i["superseded"]]) == (3, ["+24h/50"])
    assert sorted(i["step"] for i in taken if "/" in i["step"]) == sorted(f"+24h/{n}" for n in range(1, 51))
    assert list(check_all(scenario.service)) == []
