"""Links between complaints over the API, and re-planning."""

import pytest

from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from tests.api_client import ApiClient
from tests.support import Scenario


def test_a_link_is_added_once_and_removed(client: ApiClient, scenario: Scenario) -> None:
    one, other = scenario.post(), scenario.post()
    address = f"/v1/complaints/{one.id}/links"
    body = {"type": "related", "complaint_id": number_of(other.sequence)}

    added, again = client.post(address, json=body), client.post(address, json=body)

    assert (added.status_code, again.status_code) == (201, 200)
    named = {"kind": "complaint", "id": str(other.id), "number": number_of(other.sequence)}
    expected = [{"type": "related", "subject": named, "complaint_id": named["id"], "number": named["number"]}]
    assert added.json()["links"] == again.json()["links"] == expected
    assert added.headers["ETag"] == again.headers["ETag"] == '"2"'

    removed = client.delete(address, params={"type": "related", "complaint_id": str(other.id)})
    gone = client.delete(address, params={"type": "related", "complaint_id": str(other.id)})

    assert (removed.status_code, removed.json()["links"], removed.headers["ETag"]) == (200, [], '"3"')
    assert gone.status_code == 404
    types = [e["type"] for e in client.get(f"/v1/complaints/{one.id}/timeline").json()["items"]]
    assert types == ["complaint.created", "complaint.linked", "complaint.unlinked"]


def test_the_link_of_a_merge_stays(client: ApiClient, scenario: Scenario) -> None:
    into = scenario.post(complainant={"phone": "+8613800000000"})
    merged = scenario.post(complainant={"phone": "+8613800000000"})
    scenario.act(merged, "merge", into=str(into.id))

    answer = client.delete(
        f"/v1/complaints/{merged.id}/links", params={"type": "duplicate_of", "complaint_id": str(into.id)}
    )

    assert answer.status_code == 409
    assert len(client.get(f"/v1/complaints/{merged.id}").json()["links"]) == 1


BAD_LINKS = [
    ({"type": "friend_of", "complaint_id": "C000000013"}, "/type"),
    ({"type": "related"}, "/complaint_id"),
    ({"type": "related", "complaint_id": "C999999995"}, "/complaint_id"),
    ({"type": "related", "complaint_id": "nonsense"}, "/complaint_id"),
    ({"type": "related", "complaint_id": "C000000013"}, "/complaint_id"),  # itself
]


def test_bad_links_are_refused(client: ApiClient, scenario: Scenario, subtests: pytest.Subtests) -> None:
    complaint = scenario.post()
    assert number_of(complaint.sequence) == "C000000013"
    for body, pointer in BAD_LINKS:
        with subtests.test(str(body)):
            answer = client.post(f"/v1/complaints/{complaint.id}/links", json=body)

            assert answer.status_code == 422
            assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
            assert scenario.load(complaint).version == 1


def test_a_removal_names_the_link(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    address = f"/v1/complaints/{complaint.id}/links"

    assert client.delete(address).status_code == 422
    assert client.delete(f"{address}?type=related&complaint_id={complaint.id}&all=1").status_code == 400
    assert client.delete(f"{address}?type=related&complaint_id=C000000999").status_code == 404


def test_links_need_the_right_to_work(client: ApiClient, scenario: Scenario) -> None:
    one, other = scenario.post(), scenario.post()
    body = {"type": "related", "complaint_id": str(other.id)}

    for role in (AccessRole.AUDITOR, AccessRole.INTAKE):
        answer = client.post(f"/v1/complaints/{one.id}/links", json=body, headers=scenario.key(role))
        assert answer.status_code == 403


def test_only_supervisors_replan(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    address = f"/v1/complaints/{complaint.id}/replan"
    body = {"policy": {"code": "telecom-handbook", "version": 1}}

    assert client.post(address, json=body, headers=scenario.key(AccessRole.AGENT)).status_code == 403
    assert client.post(address, json=body, headers={"If-Match": '"7"'}).status_code == 412
    answer = client.post(address, json=body, headers=scenario.key(AccessRole.SUPERVISOR))
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert answer.json()["policy"] == body["policy"]
    event = client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"][-1]
    assert event["type"] == "complaint.replanned"


def test_replanning_to_an_unknown_policy_is_refused(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post()
    address = f"/v1/complaints/{complaint.id}/replan"

    unknown = client.post(address, json={"policy": {"code": "telecom-handbook", "version": 99}})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/policy")
    scenario.act(complaint, "withdraw", reason="solved itself")
    ended = client.post(address, json={"policy": {"code": "telecom-handbook", "version": 1}})
    assert ended.status_code == 409
