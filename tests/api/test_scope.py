"""The complaints that a user may know of: lists, one complaint by its number, and what leads from one to another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario, count_statements

AGENT, AUDITOR, SUPERVISOR = AccessRole.AGENT, AccessRole.AUDITOR, AccessRole.SUPERVISOR
PERSON = {"name": "Zhuge Kongming", "phone": "+8613912345678"}
NETWORK, SERVICE, BILLING = "network.outage", "service.attitude", "billing.refund"
Json = dict[str, Any]


@dataclass(frozen=True)
class Staff:
    """Three complaints: of operations, of customer service, and of management, all owned by `admin`; and users."""

    scenario: Scenario
    client: ApiClient
    complaints: dict[str, Complaint] = field(default_factory=dict)

    def user(self, login: str, *roles: AccessRole, **members: Any) -> dict[str, str]:
        """The headers of a key with these roles that belongs to a new user."""
        answer = self.client.post("/v1/users", json={"login": login, "name": login.title(), **members})
        assert answer.status_code == 201, answer.text
        return self.scenario.key(*roles, source="web", login=login)

    def get(self, path: str, key: dict[str, str], **params: Any) -> Any:
        """The answer to a GET."""
        return self.client.get(path, params=params, headers=key)

    def seen(self, key: dict[str, str], **params: Any) -> list[str]:
        """The subjects in a list of complaints, sorted."""
        answer = self.get("/v1/complaints", key, **params)
        assert answer.status_code == 200, answer.text
        return sorted(item["subject"] for item in answer.json()["items"])

    def statuses(self, key: dict[str, str], subject: str) -> set[int]:
        """The statuses of all calls that read one complaint."""
        address = f"/v1/complaints/{number_of(self.complaints[subject].sequence)}"
        deadline_id = self.complaints[subject].deadlines[0].id
        paths = ("", "/timeline", "/transitions", "/promises", f"/deadlines/{deadline_id}/explanation")
        return {self.get(address + path, key).status_code for path in paths}

    def change(self, key: dict[str, str], subject: str) -> set[int]:
        """The statuses of two calls that change one complaint."""
        address = f"/v1/complaints/{self.complaints[subject].id}"
        noted = self.client.post(f"{address}/notes", json={"text": "Seen."}, headers=key)
        patched = self.client.patch(address, json={"region": "X"}, headers=key)
        return {noted.status_code, patched.status_code}


@pytest.fixture
def staff(scenario: Scenario, client: ApiClient) -> Staff:
    made = Staff(scenario, client)
    for subject, category in (("network", NETWORK), ("service", SERVICE), ("billing", BILLING)):
        made.complaints[subject] = scenario.post(
            subject=subject, category=category, source=subject, complainant=PERSON
        )
    return made


def test_rule_7_1_teams_and_departments_follow_from_the_places_of_the_user(staff: Staff) -> None:
    member = staff.user("member", AGENT, teams=["operations", "management"])
    lead = staff.user("lead", AGENT)
    head = staff.user("head", SUPERVISOR, teams=["operations"])
    nobody = staff.user("nobody", AGENT)
    assert staff.seen(lead) == staff.seen(nobody) == []
    staff.client.patch("/v1/teams/customer_service", json={"deputy": "lead"})
    staff.client.patch("/v1/departments/service", json={"head": "head"})
    assert staff.seen(member) == ["billing", "network"]
    assert staff.seen(lead) == ["service"]
    assert staff.seen(head) == ["network", "service"]
    assert staff.seen(nobody) == []
    assert staff.statuses(nobody, "network") == staff.change(nobody, "network") == {404}


GIVEN: list[tuple[Json, list[str]]] = [
    ({"scope": "all"}, ["billing", "network", "service"]),
    ({"scope": "teams", "scope_names": ["operations"]}, ["network"]),
    ({"scope": "departments", "scope_names": ["head_office"]}, ["billing", "network", "service"]),
    ({"scope": "departments", "scope_names": ["service", "network"]}, ["network", "service"]),
    ({"scope": "sources", "scope_names": ["billing"]}, ["billing"]),
    ({"scope": "own"}, ["service"]),
]


@pytest.mark.parametrize("roles", [(AGENT,), (SUPERVISOR, AUDITOR), (AccessRole.MANAGER,)])
def test_rule_7_2_a_given_scope_replaces_that_of_the_roles(
    staff: Staff, roles: tuple[AccessRole, ...]
) -> None:
    key = staff.user("given", *roles, teams=["management"])
    staff.scenario.act(staff.complaints["service"], "assign", assignee="given")
    staff.scenario.advance(hours=40)
    for members, expected in GIVEN:
        staff.client.patch("/v1/users/given", json={"scope_names": [], **members})
        assert staff.seen(key) == staff.seen(key, overdue=True) == expected, members
        assert staff.get("/v1/complaints", key, count="true").json()["count"] == len(expected)
        assert staff.get("/v1/overdue/summary", key).json()["overdue"]["total"] == len(expected)
        for path in ("/v1/escalations", "/v1/inbox"):
            found = {item["complaint_id"] for item in staff.get(path, key, limit=200).json()["items"]}
            assert found == {str(staff.complaints[subject].id) for subject in expected}, (path, members)
        feed = 200 if members["scope"] in ("all", "sources") else 403
        assert staff.get("/v1/changes", key).status_code == feed


def test_rule_7_3_a_filter_by_oneself_is_the_scope(staff: Staff) -> None:
    me = staff.user("zhao", AGENT, teams=["operations"])
    staff.scenario.act(staff.complaints["service"], "assign", assignee="zhao")
    owned = staff.scenario.post(subject="owned", category=BILLING, first_owner="zhao")
    assert staff.seen(me) == ["network"]
    assert staff.seen(me, assignee="me") == staff.seen(me, assignee="me", q="service") == ["service"]
    assert staff.seen(me, first_owner="me") == ["owned"]
    assert staff.seen(me, assignee="none", first_owner="admin") == ["network"]
    assert staff.seen(me, assignee="me", first_owner="admin") == ["service"]
    staff.scenario.act(owned, "escalate", reason="loud", role="first_owner")
    for path in ("/v1/inbox", "/v1/escalations"):
        found = staff.get(path, me, recipient="me").json()["items"]
        assert [item["complaint_id"] for item in found] == [str(owned.id)]
        assert staff.get(path, me, recipient="admin").json()["items"] == []


def test_rule_7_4_what_is_or_was_ones_own_opens_by_its_number(staff: Staff) -> None:
    scenario = staff.scenario
    scenario.act(staff.complaints["network"], "assign", assignee="admin")
    worker, before, notified = (staff.user(name, AGENT) for name in ("worker", "before", "notified"))
    stranger = staff.user("stranger", AGENT, teams=["management"])
    scenario.act(staff.complaints["service"], "assign", assignee="before")
    scenario.act(staff.complaints["service"], "assign", assignee="worker")
    staff.client.patch("/v1/teams/customer_service", json={"lead": "notified"})
    scenario.act(staff.complaints["service"], "escalate", reason="loud", role="team_lead")
    staff.client.patch("/v1/teams/customer_service", json={"lead": "admin"})
    [escalation] = staff.get("/v1/escalations", notified, recipient="me").json()["items"]
    asked = {"complaint": number_of(staff.complaints["service"].sequence)}
    for key in (worker, before, notified):
        assert staff.statuses(key, "service") == {200}
        assert staff.change(key, "service") == {200, 201}
        assert staff.seen(key) == []
        assert staff.get(f"/v1/escalations/{escalation['id']}", key).status_code == 200
        listed = staff.get("/v1/escalations", key, **asked).json()["items"]
        assert [item["id"] for item in listed] == [escalation["id"]]
        assert staff.statuses(key, "network") == staff.change(key, "network") == {404}
    assert staff.statuses(stranger, "service") == staff.change(stranger, "service") == {404}
    assert staff.get(f"/v1/escalations/{escalation['id']}", stranger).status_code == 404
    assert staff.get("/v1/escalations", stranger, **asked).json()["items"] == []
    address = f"/v1/escalations/{escalation['id']}/acknowledge"
    answers = [staff.client.post(address, headers=key) for key in (stranger, worker, notified, notified)]
    assert [answer.status_code for answer in answers] == [404, 403, 200, 409]


def test_rule_7_5_a_deputy_knows_what_the_absent_user_has(staff: Staff) -> None:
    deputy = staff.user("deputy", AGENT)
    staff.user("boss", SUPERVISOR, deputy="deputy")
    staff.scenario.act(staff.complaints["service"], "assign", assignee="admin")
    staff.scenario.act(staff.complaints["service"], "assign", assignee="boss")
    assert staff.statuses(deputy, "service") == {404}
    assert staff.seen(deputy, assignee="boss") == []
    staff.client.patch("/v1/users/boss", json={"absent_from": "2026-01-01T00:00:00Z"})
    assert staff.statuses(deputy, "service") == {200}
    assert staff.change(deputy, "service") == {200, 201}
    assert staff.seen(deputy, assignee="boss") == ["service"]
    assert staff.statuses(deputy, "network") == {404}
    staff.scenario.act(staff.complaints["service"], "assign", assignee="admin")
    assert staff.statuses(deputy, "service") == {404}


def test_rule_7_6_two_roles_give_no_more_than_their_sum(staff: Staff) -> None:
    key = staff.user("both", AGENT, AUDITOR, teams=["operations"])
    assert staff.seen(key) == ["billing", "network", "service"]
    assert staff.statuses(key, "service") == {200}
    assert staff.change(key, "service") == {404}
    assert staff.change(key, "network") == {200, 201}
    shown = {item["subject"]: item for item in staff.get("/v1/complaints", key).json()["items"]}
    one = staff.get(f"/v1/complaints/{staff.complaints['service'].id}", key).json()
    masked = PERSON["name"][0] + "****"
    for item, name in ((shown["network"], PERSON["name"]), (shown["service"], masked), (one, masked)):
        assert item["complainant"]["name"] == name
        assert bool(item["allowed_actions"]) is (name != masked)
    assert staff.seen(key, phone=PERSON["phone"]) == ["network"]
    note = {"text": "He is the mayor."}
    for subject, text in (("network", note["text"]), ("service", "***")):
        path = f"/v1/complaints/{staff.complaints[subject].id}"
        staff.client.post(f"{path}/notes", json=note)
        notes = [
            e["data"]["text"]
            for e in staff.get(f"{path}/timeline", key).json()["items"]
            if "text" in e["data"]
        ]
        assert notes[-1] == text
    staff.client.patch(f"/v1/complaints/{staff.complaints['service'].id}", json={"attributes": {"a": "b"}})
    assert staff.seen(key, **{"attributes.a": "b"}) == []
    merge = {"action": "merge", "into": str(staff.complaints["service"].id)}
    address = f"/v1/complaints/{staff.complaints['network'].id}/transitions"
    assert staff.client.post(address, json=merge, headers=key).status_code == 422


def test_a_taken_external_id_names_only_a_complaint_within_the_scope(staff: Staff) -> None:
    holder, other = staff.complaints["service"], staff.complaints["network"]
    path = "/v1/complaints"
    ids = {"external_ids": {"crm/a": "5003"}}
    assert staff.client.patch(f"{path}/{holder.id}", json=ids).status_code == 200
    agent = staff.user("agent", AGENT, teams=["operations"])
    assert staff.get(f"{path}/{other.id}", agent).status_code == 200
    assert staff.get(f"{path}/{holder.id}", agent).status_code == 404
    posted = {"channel": "phone", "subject": "x", "source": "s", "external_id": "E77", **ids}
    for headers, which in (
        (agent, "another complaint, which you may not see"),
        (None, f"complaint {number_of(holder.sequence)}"),
    ):
        for answer in (
            staff.client.patch(f"{path}/{other.id}", json=ids, headers=headers),
            staff.client.post(path, json=posted, headers=headers),
        ):
            said = f"The external id '5003' of system 'crm/a' names {which}."
            assert (answer.status_code, answer.json()["detail"]) == (409, said)
            assert answer.json()["errors"] == [{"pointer": "/external_ids/crm~1a", "message": said}]


def test_rule_7_7_the_feed_is_for_those_who_see_all_or_one_source(staff: Staff) -> None:
    key = staff.user("reader", AGENT, teams=["operations"])
    for query in ({}, {"wait": "20"}, {"after": "now", "wait": "20"}, {"team": "operations"}):
        answer = staff.get("/v1/changes", key, **query)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
        assert "every complaint or a source" in answer.json()["detail"]
    staff.client.patch("/v1/users/reader", json={"scope": "sources", "scope_names": ["billing"]})
    found = staff.get("/v1/changes", key).json()["items"]
    assert {item["source"] for item in found} == {"billing"}


def test_rule_7_8_an_import_is_for_its_user_and_for_those_who_see_its_source(staff: Staff) -> None:
    importer = staff.user("importer", AGENT, teams=["operations"])
    other = staff.user("other", AGENT, teams=["operations"])
    head = importer | {"Content-Type": "text/csv"}
    begun = staff.client.post("/v1/imports", content="channel,subject\nphone,x\n", headers=head)
    for path in ("", "/errors"):
        address = f"/v1/imports/{begun.json()['id']}{path}"
        assert staff.get(address, importer).status_code == 200
        assert staff.get(address, other).status_code == 404
        assert staff.get(address, staff.scenario.key(AUDITOR)).status_code == 200


def test_rule_7_3_a_bulk_call_by_filter_chooses_within_the_scope(staff: Staff) -> None:
    key = staff.user("agent", AGENT, teams=["operations", "management"])
    body = {"filter": {}, "expected_count": 2, "text": "Seen."}
    answer = staff.client.post("/v1/complaints/bulk-notes", json=body, headers=key)
    changed = {str(staff.complaints[subject].id) for subject in ("network", "billing")}
    assert {item["complaint"] for item in answer.json()["items"] if item["status"] == 200} == changed


def test_what_is_within_the_scope_costs_no_statement_more(staff: Staff) -> None:
    key, unlimited = staff.user("agent", AGENT, teams=["operations"]), staff.scenario.key(AGENT)
    counts = []
    for headers in (key, unlimited):
        staff.get("/v1/complaints", headers)  # so that the configuration is in memory
        with count_statements(staff.scenario.service) as executed:
            assert staff.get(f"/v1/complaints/{staff.complaints['network'].id}", headers).status_code == 200
            assert staff.get("/v1/complaints", headers, overdue="true").status_code == 200
        counts.append(len(executed))
    assert counts[0] == counts[1]


def _leaks(staff: Staff, key: dict[str, str], answer: Any) -> bool:
    """True if an answer names the complaint of the service team."""
    hidden = staff.complaints["service"]
    return str(hidden.id) in answer.text or number_of(hidden.sequence) in answer.text


def test_rule_7_9_nothing_leads_to_a_complaint_outside_the_scope(staff: Staff) -> None:
    key = staff.user("agent", SUPERVISOR, teams=["operations"])
    own, hidden = staff.complaints["network"], staff.complaints["service"]
    address = f"/v1/complaints/{own.id}"
    link = {"type": "related", "complaint_id": str(hidden.id)}
    assert staff.client.post(f"{address}/links", json=link).status_code == 201
    assert not _leaks(staff, key, staff.get(address, key))
    assert not _leaks(staff, key, staff.get("/v1/complaints", key))
    assert not _leaks(staff, key, staff.get(f"{address}/timeline", key))
    assert staff.client.post(f"{address}/links", json=link, headers=key).status_code == 422
    assert staff.client.request("DELETE", f"{address}/links", params=link, headers=key).status_code == 404
    staff.client.post(f"{address}/transitions", json={"action": "merge", "into": str(hidden.id)})
    assert not _leaks(staff, key, staff.get(address, key))
    undone = staff.client.post(f"{address}/transitions", json={"action": "unmerge"}, headers=key)
    assert (undone.status_code, _leaks(staff, key, undone)) == (404, False)


def test_rule_7_9_the_answer_to_a_post_shows_nothing_of_other_teams(staff: Staff) -> None:
    key = staff.user("agent", AGENT, teams=["operations"])

    def post(**members: Any) -> Any:
        body = {"channel": "phone", "subject": "No signal", "complainant": PERSON, **members}
        return staff.client.post("/v1/complaints", json=body, headers=key)

    made = post(category=SERVICE, external_id="mine")
    assert [one["number"] for one in made.json()["related"]] == [
        number_of(staff.complaints["network"].sequence)
    ]
    assert not _leaks(staff, key, made)
    again = post(category=SERVICE, external_id="mine")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])  # the user is its first owner
    staff.scenario.post(subject="theirs", category=SERVICE, source="web", external_id="theirs")
    refused = post(external_id="theirs")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    assert "of another team" in refused.json()["detail"]


def test_rule_1_16_an_intake_key_of_a_user_keeps_to_its_source(staff: Staff) -> None:
    """A contact, a note, a higher severity and a withdrawal; nothing of another source, whatever the user's scope."""
    key = staff.user("crm", AccessRole.INTAKE, scope="all")
    body = {"channel": "web", "subject": "Slow", "external_id": "E1"}
    made = staff.client.post("/v1/complaints", json=body, headers=key).json()
    contact = staff.client.post("/v1/complaints", json=body | {"subject": "Slower"}, headers=key)
    address = f"/v1/complaints/{made['id']}"
    calls: list[Callable[[str], Any]] = [
        lambda path: staff.client.post(f"{path}/notes", json={"text": "Called."}, headers=key),
        lambda path: staff.client.patch(path, json={"severity": "high"}, headers=key),
        lambda path: staff.client.post(
            f"{path}/transitions", json={"action": "withdraw", "reason": "solved"}, headers=key
        ),
    ]
    assert (contact.status_code, contact.json()["id"]) == (200, made["id"])
    assert [call(address).status_code for call in calls] == [201, 200, 200]
    assert staff.seen(key) == ["Slow"]
    other = f"/v1/complaints/{staff.complaints['network'].id}"
    assert [call(other).status_code for call in calls] == [404] * 3
