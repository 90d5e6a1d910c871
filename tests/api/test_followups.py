"""The route /v1/followups. The clock begins at 2026-01-05T01:00Z: 09:00 in Shanghai, the zone of the policy."""

from typing import Any

import pytest

from complaints.api.deadlines.schemas import FollowUpPage
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario

PERSON = {"name": "Zhang Wei", "phone": "+8613800000000", "preferred_contact": "phone", "language": "zh-CN"}


def resolved(scenario: Scenario, **members: Any) -> Complaint:
    """A complaint. Its complainant has just got the result."""
    complaint = scenario.post(**members)
    scenario.act(complaint, "resolve", resolution="Repaired.", outcome="not_upheld", cause="technical")
    return scenario.act(complaint, "notify_result", message="Repaired.", contact_channel="phone")


def listed(client: ApiClient, **params: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/followups", params=params)
    assert answer.status_code == 200, answer.text
    FollowUpPage.model_validate(answer.json())
    return list(answer.json()["items"])


def test_lists_who_is_to_be_called_when_and_by_whom(client: ApiClient, scenario: Scenario) -> None:
    complaint = resolved(scenario, severity="critical", complainant=PERSON)

    items = listed(client)

    assert [(i["sequence"], i["attempt"], i["due_at"], i["day"]) for i in items] == [
        (1, 1, "2026-02-05T01:00:00Z", "2026-02-05"),
        (2, 1, "2026-03-05T01:00:00Z", "2026-03-05"),
        (3, 1, "2026-04-05T01:00:00Z", "2026-04-05"),
    ]
    first = items[0]
    assert (first["complaint_id"], first["number"]) == (str(complaint.id), number_of(complaint.sequence))
    assert (first["subject"], first["owner"], first["team"]) == ("No signal", "admin", "customer_service")
    assert (first["priority"], first["overdue"]) == ("urgent", False)
    unknown = {"email": None, "account_no": None, "vulnerable": False}
    assert first["complainant"] == {**PERSON, **unknown}


def test_met_and_ended_ones_are_done(client: ApiClient, scenario: Scenario) -> None:
    one, other = resolved(scenario), resolved(scenario)
    scenario.advance(days=30)
    scenario.act(one, "record_contact", outcome="solved")
    scenario.act(other, "withdraw", reason="moved away")

    assert listed(client) == []


def test_one_not_reached_is_called_again(client: ApiClient, scenario: Scenario) -> None:
    complaint = resolved(scenario)
    scenario.advance(days=30)
    scenario.act(complaint, "record_contact", outcome="unreachable")

    assert [(i["sequence"], i["attempt"], i["due_at"]) for i in listed(client)] == [
        (1, 2, "2026-02-07T01:00:00Z")
    ]


def test_a_day_is_local_to_the_policys_zone(client: ApiClient, scenario: Scenario) -> None:
    scenario.advance(hours=14, minutes=59, seconds=59)
    last_of_the_fifth = resolved(scenario)
    scenario.advance(seconds=1)  # 2026-01-06 00:00 in Shanghai
    first_of_the_sixth = resolved(scenario)

    assert [i["complaint_id"] for i in listed(client, day="2026-02-05")] == [str(last_of_the_fifth.id)]
    assert [i["complaint_id"] for i in listed(client, day="2026-02-06")] == [str(first_of_the_sixth.id)]
    assert [i["day"] for i in listed(client)] == ["2026-02-05", "2026-02-06"]
    assert listed(client, day="2026-02-07") == []


def test_filters(client: ApiClient, scenario: Scenario) -> None:
    early = resolved(scenario, category="network.outage")
    scenario.advance(days=10)
    late = resolved(scenario, category="service.attitude")
    scenario.act(late, "assign", assignee="admin")

    def ids(**params: Any) -> list[str]:
        return [i["complaint_id"] for i in listed(client, **params)]

    assert ids(due_from="2026-02-10T00:00:00Z") == [str(late.id)]
    assert ids(due_to="2026-02-15T01:00:00Z") == [str(early.id)]
    assert ids(due_to="2026-02-15T09:00:01+08:00") == [str(early.id), str(late.id)]
    assert ids(team="operations") == [str(early.id)]
    assert ids(owner="admin") == [str(early.id), str(late.id)]
    for query, meant in (("owner=admn", "admin"), ("team=operatons", "operations")):
        refused = client.get(f"/v1/followups?{query}")
        assert (refused.status_code, f"did you mean '{meant}'?" in refused.text) == (422, True)
    assert ids(overdue="true") == []
    scenario.jump(days=27)
    assert ids(overdue="true") == [str(early.id)]
    assert ids(overdue="false") == [str(late.id)]
    assert [i["overdue"] for i in listed(client)] == [True, False]


def test_pages_go_on_where_they_ended(client: ApiClient, scenario: Scenario) -> None:
    for severity in ("critical", "normal", "normal", "high"):
        resolved(scenario, severity=severity)
    expected = [i["deadline_id"] for i in listed(client)]
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        answer = client.get("/v1/followups", params=params).json()
        found += [i["deadline_id"] for i in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break

    assert len(expected) == 8
    assert found == expected


def test_people_are_masked_and_sources_kept_apart(client: ApiClient, scenario: Scenario) -> None:
    resolved(scenario, complainant=PERSON, source="mine")
    auditor = client.get("/v1/followups", headers=scenario.key(AccessRole.AUDITOR))
    own = client.get("/v1/followups", headers=scenario.key(AccessRole.INTAKE, source="mine"))
    foreign = client.get("/v1/followups", headers=scenario.key(AccessRole.INTAKE, source="other"))

    assert PERSON["name"] not in auditor.text
    assert PERSON["phone"] not in auditor.text
    assert auditor.json()["items"][0]["complainant"]["language"] == "zh-CN"
    assert own.json()["items"][0]["complainant"]["name"] == PERSON["name"]
    assert foreign.json()["items"] == []


BAD_QUESTIONS = [
    ("phone=1", 400),
    ("cursor=nonsense", 400),
    ("fields=colour", 400),
    ("day=tomorrow", 422),
    ("day=0001-01-01", 422),
    ("due_from=2026-02-05", 422),
    ("overdue=perhaps", 422),
    ("limit=0", 422),
    ("owner=", 422),
]


def test_bad_questions_are_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for query, status in BAD_QUESTIONS:
        with subtests.test(query):
            assert client.get(f"/v1/followups?{query}").status_code == status
