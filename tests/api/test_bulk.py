"""Bulk calls: one action or one note on many complaints, each with the result of a single call."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event as sql_event

from complaints.api.bulk_items import BulkItems
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import Unavailable
from complaints.domain.vocabulary import AccessRole, Status
from tests.api_client import ApiClient
from tests.support import Scenario, check_all

ADDRESS = "/v1/complaints/bulk-transitions"
RESPOND = {"action": "respond", "message": "We look into it.", "contact_channel": "sms"}


def results(client: ApiClient, body: dict[str, Any], address: str = ADDRESS, **headers: str) -> list[Any]:
    answer = client.post(address, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    BulkItems.model_validate(answer.json())
    return list(answer.json()["items"])


def types(client: ApiClient, complaint: Complaint) -> list[str]:
    return [e["type"] for e in client.get(f"/v1/complaints/{complaint.id}/timeline").json()["items"]]


def test_each_complaint_has_the_result_of_a_single_call(client: ApiClient, scenario: Scenario) -> None:
    posted = [scenario.post() for _ in range(4)]
    scenario.act(posted[1], "withdraw", reason="solved itself")
    named = [str(posted[0].id), str(posted[1].id), number_of(posted[2].sequence), str(uuid4()), "C1"]
    single = client.post(f"/v1/complaints/{posted[1].id}/transitions", json=RESPOND)

    found = results(client, {"complaints": named, **RESPOND})

    assert [(item["complaint"], item["status"]) for item in found] == list(
        zip(named, [200, 409, 200, 404, 404], strict=True)
    )
    assert [set(item) for item in found[:2]] == [{"complaint", "status"}, {"complaint", "status", "problem"}]
    assert found[1]["problem"] == single.json()
    statuses = [scenario.load(complaint).status for complaint in posted]
    assert statuses == [Status.INVESTIGATING, Status.WITHDRAWN, Status.INVESTIGATING, Status.RECEIVED]
    assert list(check_all(scenario.service)) == []


@pytest.mark.parametrize(
    ("action", "pointer"),
    [
        ({"action": "assign", "team": "operatons"}, "/team"),
        ({"action": "hold", "reason": "outage", "until": "2020-01-01T00:00:00Z"}, "/until"),
    ],
)
def test_content_that_does_not_fit_one_complaint_is_its_own_problem(
    client: ApiClient, scenario: Scenario, action: dict[str, Any], pointer: str
) -> None:
    posted = [scenario.post(), scenario.post()]
    scenario.act(posted[0], "respond", message="We look.", contact_channel="phone")

    first, second = results(client, {"complaints": [str(one.id) for one in posted], **action})

    assert (first["status"], first["problem"]["errors"][0]["pointer"]) == (422, pointer)
    assert second["status"] == (409 if action["action"] == "hold" else 422)


def test_merging_many_into_one_undoes_nothing_but_what_is_refused(
    client: ApiClient, scenario: Scenario
) -> None:
    phone = {"phone": "+8613800000000"}
    into, *same = (scenario.post(complainant=phone) for _ in range(3))
    stranger = scenario.post(complainant={"phone": "+8613800000001"})
    named = [str(one.id) for one in (same[0], stranger, same[1])]

    found = results(client, {"complaints": named, "action": "merge", "into": str(into.id)})

    assert [item["status"] for item in found] == [200, 409, 200]
    assert types(client, into).count("complaint.linked") == 2
    assert types(client, stranger) == ["complaint.created"]
    assert list(check_all(scenario.service)) == []


def test_a_filter_needs_the_number_that_the_caller_saw(client: ApiClient, scenario: Scenario) -> None:
    for _ in range(3):
        scenario.post(category="network.outage")
    scenario.post()
    body = {"filter": {"category": "network", "status": ["received"]}, **RESPOND}

    wrong = client.post(ADDRESS, json=body | {"expected_count": 4})
    found = results(client, body | {"expected_count": 3})

    assert (wrong.status_code, wrong.json()["detail"].startswith("3 fit the filter, not 4.")) == (409, True)
    assert [item["status"] for item in found] == [200] * 3
    assert len(client.get("/v1/complaints?status=investigating").json()["items"]) == 3


BAD_SELECTIONS = [
    ({}, "/complaints"),
    ({"complaints": ["C1"], "filter": {}, "expected_count": 1}, "/complaints"),
    ({"filter": {}}, "/expected_count"),
    ({"complaints": ["C1"], "expected_count": 1}, "/expected_count"),
    ({"complaints": []}, "/complaints"),
    ({"complaints": ["C1"] * 501}, "/complaints"),
    ({"complaints": ["C1", "C2", "C1"]}, "/complaints/2"),
    ({"filter": {"colour": "red"}, "expected_count": 1}, "/filter/colour"),
    ({"filter": {"status": ["asleep"]}, "expected_count": 1}, "/filter/status/0"),
    ({"filter": {}, "expected_count": 501}, "/expected_count"),
    ({"complaints": ["C1"], "action": "dance"}, "/action"),
    ({"complaints": ["C1"], "message": None}, "/message"),
    ({"complaints": ["C1"], "into": "C2"}, "/into"),
]


def test_a_bad_selection_is_refused_as_a_whole(client: ApiClient, subtests: pytest.Subtests) -> None:
    for selection, pointer in BAD_SELECTIONS:
        with subtests.test(str(selection)[:80]):
            answer = client.post(ADDRESS, json=RESPOND | selection)
            assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, [pointer])


def test_the_id_and_the_number_of_one_complaint_are_the_same(client: ApiClient, scenario: Scenario) -> None:
    posted = scenario.post()
    named = [str(posted.id), number_of(posted.sequence).lower()]
    answer = client.post(ADDRESS, json={"complaints": named, **RESPOND})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/complaints/1")


def test_row_scope_and_rights_are_those_of_single_calls(client: ApiClient, scenario: Scenario) -> None:
    followed = scenario.post()
    scenario.act(followed, "resolve", resolution="Fixed", outcome="not_upheld", cause="service")
    scenario.act(followed, "notify_result", message="Fixed", contact_channel="sms")
    early = {"action": "close", "early": True, "message": "Agreed.", "contact_channel": "phone"}
    body = {"complaints": [str(followed.id)], **early}

    (refused,) = results(client, body, **scenario.key(AccessRole.AGENT))
    (done,) = results(client, body, **scenario.key(AccessRole.SUPERVISOR))

    assert (refused["status"], refused["problem"]["type"], done["status"]) == (
        403,
        "/problems/forbidden",
        200,
    )
    for role in (AccessRole.INTAKE, AccessRole.AUDITOR):
        assert client.post(ADDRESS, json=body, headers=scenario.key(role)).status_code == 403


def test_notes_go_on_many_complaints(client: ApiClient, scenario: Scenario) -> None:
    posted = [scenario.post() for _ in range(2)]
    named = [*(str(one.id) for one in posted), "C1"]
    body = {"complaints": named, "text": "On site.", "visibility": "public"}

    found = results(client, body, "/v1/complaints/bulk-notes")

    assert [item["status"] for item in found] == [200, 200, 404]
    noted = client.get(f"/v1/complaints/{posted[0].id}/timeline").json()["items"][-1]
    assert (noted["data"]["text"], noted["data"]["visibility"]) == ("On site.", "public")


@pytest.fixture
def fails_in_second_part(scenario: Scenario) -> Iterator[dict[str, bool]]:
    """The database is away in the transaction of item 51, until `broken` is false."""
    state = {"broken": True}

    def fail(*_: Any) -> None:
        if state["broken"] and state.get("armed"):
            raise Unavailable("The database cannot be reached.")

    sql_event.listen(scenario.service.database.engine, "before_cursor_execute", fail)
    yield state
    sql_event.remove(scenario.service.database.engine, "before_cursor_execute", fail)


def test_a_repetition_goes_on_after_the_last_finished_part(
    client: ApiClient, scenario: Scenario, fails_in_second_part: dict[str, bool]
) -> None:
    posted = [scenario.post() for _ in range(60)]
    body = {"filter": {"status": ["received"]}, "expected_count": 60, **RESPOND}
    once = {"Idempotency-Key": "k" * 255}
    commits = 0

    def arm(_connection: Any) -> None:
        nonlocal commits
        commits += 1
        fails_in_second_part["armed"] = commits >= 2  # the list of complaints, and the first 50

    sql_event.listen(scenario.service.database.engine, "commit", arm)
    try:
        broken = client.post(ADDRESS, json=body, headers=once)
    finally:
        sql_event.remove(scenario.service.database.engine, "commit", arm)
    fails_in_second_part["broken"] = False
    assert broken.status_code == 503
    assert sum(scenario.load(one).status is Status.INVESTIGATING for one in posted) == 50

    done = client.post(ADDRESS, json=body, headers=once)
    again = client.post(ADDRESS, json=body, headers=once)

    assert [item["status"] for item in done.json()["items"]] == [200] * 60
    assert "Idempotency-Replayed" not in done.headers
    assert (again.content, again.headers["Idempotency-Replayed"]) == (done.content, "true")
    assert [types(client, one).count("complaint.responded") for one in posted] == [1] * 60
    other = client.post(ADDRESS, json=body | {"message": "Another."}, headers=once)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert list(check_all(scenario.service)) == []
