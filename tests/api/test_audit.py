"""The audit log of the configuration: each change with its actor, in pages, for those who may read it."""

from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.upkeep.seeding import shipped_policy
from tests.api_client import ApiClient
from tests.support import Scenario, api_client

NAMES = {"en": "Night shift", "zh": "夜班"}


@pytest.fixture
def changed(client: ApiClient) -> ApiClient:
    """A configuration in which each kind has changed once."""
    client.post("/v1/users", json={"login": "li.wei", "name": "Li Wei"}).raise_for_status()
    client.patch("/v1/users/li.wei", json={"email": "li@example.org"}).raise_for_status()
    client.post(
        "/v1/departments", json={"code": "night", "names": NAMES, "head": "li.wei"}
    ).raise_for_status()
    client.post("/v1/teams", json={"code": "night", "names": NAMES, "department": "night"}).raise_for_status()
    category = {"code": "network.night", "names": NAMES, "cause": "technical", "nature": "technical"}
    client.post("/v1/categories", json=category).raise_for_status()
    client.put("/v1/calendars/office", json={"timezone": "UTC", "hours": None}).raise_for_status()
    made = client.post("/v1/keys", json={"name": "crm", "roles": ["agent"]}).raise_for_status().json()
    client.delete(f"/v1/keys/{made['id']}").raise_for_status()
    return client


def entries(client: ApiClient, **filters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/v1/audit", params=filters).raise_for_status().json()["items"]
    return items


def test_each_change_is_there_with_its_actor_and_the_changed_members(changed: ApiClient) -> None:
    found = [(one["subject"], one["action"], one["actor"]) for one in entries(changed, limit=8)]
    made_by = "key:bootstrap"
    assert found == [
        ("key", "changed", made_by),
        ("key", "created", made_by),
        ("calendar", "created", made_by),
        ("category", "created", made_by),
        ("team", "created", made_by),
        ("department", "created", made_by),
        ("user", "changed", made_by),
        ("user", "created", made_by),
    ]
    latest, first = entries(changed, subject="user", code="li.wei")
    assert latest["changed"] == ["email"]
    assert latest["state"]["email"] == "li@example.org"
    assert "login" in first["changed"]


def test_what_a_fresh_database_has_is_found(client: ApiClient) -> None:
    [policy] = entries(client, subject="policy")
    assert (policy["code"], policy["action"], policy["actor"]) == (
        "telecom-handbook/1",
        "found",
        "key:system",
    )


def test_an_applied_policy_is_recorded(client: ApiClient) -> None:
    text = shipped_policy("working-hours")
    headers = {"Content-Type": "application/yaml"}
    client.post("/v1/policies", content=text, headers=headers).raise_for_status()
    latest, first = entries(client, subject="policy")
    assert (latest["code"], latest["action"], first["action"]) == ("working-hours/1", "created", "found")
    assert len(latest["state"]["text"]) == 64


def test_a_secret_is_not_in_the_log(client: ApiClient) -> None:
    made = client.post("/v1/keys", json={"name": "crm", "roles": ["agent"]}).raise_for_status().json()
    [entry] = entries(client, subject="key", code=made["id"])
    assert made["key"] not in str(entry)
    assert entry["state"]["roles"] == ["agent"]


def test_pages_are_whole_and_in_order(changed: ApiClient) -> None:
    whole = [one["sequence"] for one in entries(changed, limit=200)]
    paged: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = changed.get("/v1/audit", params={"limit": 7, **cursor}).json()
        paged += [one["sequence"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole == sorted(whole, reverse=True)
    assert whole[-1] == 1


BAD_QUERIES = [
    ({"subject": "nothing"}, 422),
    ({"cursor": "x"}, 400),
    ({"limit": 0}, 422),
    ({"since": "1"}, 400),
]


def test_bad_queries_are_refused(client: ApiClient, subtests: pytest.Subtests) -> None:
    for query, status in BAD_QUERIES:
        with subtests.test(str(query)):
            assert client.get("/v1/audit", params=query).status_code == status


def test_a_change_that_changes_nothing_is_no_entry(changed: ApiClient) -> None:
    before = entries(changed, limit=1)
    changed.patch("/v1/users/li.wei", json={"email": "li@example.org"}).raise_for_status()
    assert entries(changed, limit=1) == before


def test_an_agent_may_not_read_it(scenario: Scenario) -> None:
    with api_client(scenario.service) as client:
        agent = client.get("/v1/audit", headers=scenario.key(AccessRole.AGENT))
        auditor = client.get("/v1/audit", headers=scenario.key(AccessRole.AUDITOR))
    assert (agent.status_code, auditor.status_code) == (403, 200)
