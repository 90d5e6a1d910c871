"""Changes of a complaint: null clears, attributes merge (RFC 7396), the priority and the team follow."""

from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.support import Scenario, count_statements

Json = dict[str, Any]
PERSON = {
    "name": "Lin Tao", "phone": "+8613900000001", "email": "lin@example.com", "account_no": "A-1",
    "preferred_contact": "sms", "language": "zh-CN", "vulnerable": True,
}  # fmt: skip
NO_PERSON = dict.fromkeys(PERSON) | {"vulnerable": False}
FULL = {
    "description": "Dead", "category": "network.outage", "region": "CN-31", "tags": ["vip"], "severity": "high",
    "attributes": {"cell": "SH-1", "crm": {"case": 7, "stage": "open"}}, "complainant": PERSON,
    "reporter": {"name": "Lin An"}, "service": {"type": "mobile", "id": "139"},
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("everything_holds")


def post(client: ApiClient, **members: Any) -> Json:
    answer = client.post("/v1/complaints", json={"channel": "phone", "subject": "No dial tone", **members})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def patch(client: ApiClient, complaint: Json, **members: Any) -> Json:
    answer = client.patch(f"/v1/complaints/{complaint['id']}", json=members)
    return {"http": answer.status_code, **answer.json()}


def act(client: ApiClient, complaint: Json, action: str, **members: Any) -> Json:
    answer = client.post(f"/v1/complaints/{complaint['id']}/transitions", json={"action": action, **members})
    return {"http": answer.status_code, **answer.json()}


CLEARED = [
    ({"description": None}, {"description": None}),
    ({"region": None}, {"region": None}),
    ({"tags": None}, {"tags": []}),
    ({"category": None}, {"category": None, "cause": None, "nature": None, "team": "customer_service"}),
    ({"attributes": None}, {"attributes": {}}),
    ({"attributes": {"cell": None}}, {"attributes": {"crm": {"case": 7, "stage": "open"}}}),
    (
        {"attributes": {"crm": {"stage": None, "owner": {"x": None}}, "b": [None]}},
        {"attributes": {"cell": "SH-1", "crm": {"case": 7, "owner": {}}, "b": [None]}},
    ),
    ({"attributes": {"crm": "gone"}}, {"attributes": {"cell": "SH-1", "crm": "gone"}}),
    ({"service": None}, {"service": None}),
    ({"service": {"id": None}}, {"service": {"type": "mobile", "id": None}}),
    ({"reporter": None}, {"reporter": None}),
    ({"complainant": None}, {"complainant": None}),
    ({"complainant": dict.fromkeys(PERSON)}, {"complainant": NO_PERSON}),
    *(({"complainant": {name: None}}, {"complainant": PERSON | {name: NO_PERSON[name]}}) for name in PERSON),
]


def test_null_clears_a_member_and_an_absent_one_stays(client: ApiClient) -> None:
    for change, expected in CLEARED:
        before = post(client, **FULL)
        shown = patch(client, before, **change)
        assert shown["http"] == 200, shown
        assert {name: shown[name] for name in expected} == expected
        raised = {"priority", "priority_reasons", "deadlines", "next_due_at", "team"}
        kept = before.keys() - expected - raised - {"version", "related", "acknowledgement", "updated_at"}
        assert {name: shown[name] for name in kept} == {name: before[name] for name in kept}
        again = patch(client, before, **change)
        assert again["version"] == shown["version"] == 2


def test_what_a_complaint_always_has_cannot_be_cleared(client: ApiClient) -> None:
    before = post(client)
    for name in ("subject", "severity", "first_owner"):
        refused = patch(client, before, **{name: None})
        assert (refused["http"], refused["errors"]) == (
            422, [{"pointer": f"/{name}", "message": f"{name}: cannot be cleared: a complaint always has one."}],
        )  # fmt: skip
    many = {f"a{n}": n for n in range(100)}
    patch(client, before, attributes=many)
    refused = patch(client, before, attributes={"one": 1})
    assert (refused["http"], refused["errors"][0]["pointer"]) == (422, "/attributes")
    assert patch(client, before, attributes={"one": 1, "a0": None})["http"] == 200


def test_a_cleared_phone_makes_no_repeat_and_stands_in_no_event(client: ApiClient) -> None:
    first = post(client, category="network.outage", complainant={"phone": "+8613900000001"})
    patch(client, first, complainant={"phone": None})
    later = post(client, category="network.outage", complainant={"phone": "+8613900000001"})
    assert (later["related"], later["priority_reasons"]) == ([], ["severity"])
    timeline = client.get(f"/v1/complaints/{first['id']}/timeline")
    assert timeline.json()["items"][-1]["data"]["persons"] == {"complainant": ["phone"]}
    assert "139000" not in timeline.text


def test_an_assignment_is_taken_back(client: ApiClient) -> None:
    complaint = post(client)
    act(client, complaint, "assign", team="operations", assignee="admin")
    shown = act(client, complaint, "assign", assignee=None)
    assert (shown["http"], shown["team"], shown["assignee"]) == (200, "operations", None)
    act(client, complaint, "assign", assignee="admin")
    shown = act(client, complaint, "assign", team="management", assignee=None)
    assert (shown["team"], shown["assignee"]) == ("management", None)
    assert act(client, complaint, "assign", team=None)["http"] == 422


# Priority ------------------------------------------------------------------------------------------------------------


def test_rule_5_6_a_new_severity_keeps_the_raises(client: ApiClient) -> None:
    person = {"phone": "+8613900000001", "vulnerable": True}
    sent = {"category": "network.outage", "severity": "low", "complainant": person}
    post(client, **sent)
    before = post(client, **sent)
    assert (before["priority"], before["priority_reasons"]) == ("high", ["severity", "vulnerable", "repeat"])
    assert post(client, channel="regulator", severity="low")["priority_reasons"] == ["severity", "regulator"]

    steps: list[tuple[Json, str, list[str]]] = [
        ({"severity": "normal"}, "urgent", ["severity", "vulnerable", "repeat"]),
        ({"severity": "low", "region": "CN-31"}, "high", ["severity", "vulnerable", "repeat"]),
        ({"complainant": {"vulnerable": False}}, "normal", ["severity", "repeat"]),
        ({"severity": "critical"}, "urgent", ["severity", "repeat"]),
        ({"severity": "low", "priority": "urgent"}, "normal", ["severity", "repeat"]),
        ({"complainant": {"vulnerable": True}}, "high", ["severity", "vulnerable", "repeat"]),
        ({"priority": "low"}, "low", ["given"]),
        ({"severity": "critical"}, "low", ["given"]),
        ({"priority": None, "severity": "low"}, "high", ["severity", "vulnerable", "repeat"]),
        ({"complainant": None}, "normal", ["severity", "repeat"]),
    ]
    for change, priority, reasons in steps:
        shown = patch(client, before, **change)
        assert (shown["priority"], shown["priority_reasons"]) == (priority, reasons), change


def test_raises_of_a_program_before_this_one_are_kept(client: ApiClient, service: Service) -> None:
    before = post(client, channel="regulator", severity="low")
    with service.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE complaint SET priority_raised_by = NULL")
    shown = patch(client, before, severity="high")
    assert (shown["priority"], shown["priority_reasons"]) == ("urgent", ["severity"])
    with service.database.engine.begin() as connection:  # as the history says
        connection.exec_driver_sql("UPDATE complaint SET priority_raised_by = 'regulator'")


# Routing -------------------------------------------------------------------------------------------------------------


def test_rule_5_7_another_category_routes_again_unless_a_user_assigned_it(client: ApiClient) -> None:
    complaint = post(client, category="network.outage")
    assert patch(client, complaint, category="billing.refund")["team"] == "management"
    assert patch(client, complaint, category="network.slow", region="CN-31")["team"] == "operations"
    assert patch(client, complaint, region="CN-11")["team"] == "operations"
    act(client, complaint, "assign", assignee="admin")
    assert patch(client, complaint, category="billing.refund")["team"] == "operations"
    act(client, complaint, "assign", assignee=None)
    assert patch(client, complaint, category="terms.dispute")["team"] == "management"
    act(client, complaint, "assign", team="customer_service")
    assert patch(client, complaint, category="network.slow")["team"] == "customer_service"


# The answer to a post ------------------------------------------------------------------------------------------------


def test_a_post_names_earlier_complaints_within_the_scope_of_the_caller(
    client: ApiClient, scenario: Scenario, service: Service
) -> None:
    person = {"phone": "13900000001"}
    first = post(client, source="north", complainant=person)
    scenario.advance(hours=1)
    second = post(client, source="south", complainant=person | {"account_no": "A-1"}, priority="low")
    post(client, complainant={"phone": "13900000001", "account_no": "A-2"})  # somebody else's account
    act(client, first, "withdraw", reason="It works again")
    merged = post(client, complainant=person)
    act(client, merged, "merge", into=second["id"])

    with count_statements(service) as executed:
        shown = post(client, complainant=person | {"account_no": "A-1"})
    assert sum("party" in statement and "SELECT" in statement[:20] for statement, _ in executed) <= 1
    assert [one["number"] for one in shown["related"]] == [second["number"], first["number"]]
    assert shown["related"][1] == {
        "id": first["id"], "number": first["number"], "status": "withdrawn", "received_at": first["received_at"],
    }  # fmt: skip
    intake = scenario.key(AccessRole.INTAKE, source="north")
    body = {"channel": "web", "subject": "Again", "complainant": person | {"account_no": "A-1"}}
    own = client.post("/v1/complaints", json=body, headers=intake).json()
    assert [one["number"] for one in own["related"]] == [first["number"]]
    scenario.advance(days=31)
    assert post(client, complainant=person)["related"] == []


@pytest.mark.parametrize(
    ("complainant", "beginning"),
    [
        (None, "We have received your complaint; its number is {}."),
        ({"language": "fr"}, "We have received your complaint; its number is {}."),
        ({"language": "zh-CN"}, "您的投诉已受理，编号 {}。"),
    ],
)
def test_a_post_answers_with_the_acknowledgement_text(
    client: ApiClient, complainant: Json | None, beginning: str
) -> None:
    body = {"channel": "web", "subject": "x", "source": "cc", "external_id": "E1", "complainant": complainant}
    shown = post(client, **body)
    assert shown["acknowledgement"].startswith(beginning.format(shown["number"]))
    assert client.post("/v1/complaints", json=body).json() == shown
