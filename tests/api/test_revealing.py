"""Rule 9.2: persons are revealed for a reason, and the access log says to whom."""

from datetime import timedelta
from typing import Any

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.storage.rows.idempotency import idempotency
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints.erasing import erase_texts
from tests.api_client import ApiClient
from tests.support import Scenario

Json = dict[str, Any]
PERSON = {
    "name": "Zhuge Kongming",
    "phone": "13912345678",
    "email": "k@longzhong.example",
    "account_no": "A-778831",
}
POST = {
    "channel": "phone", "subject": "No signal", "complainant": PERSON, "reporter": {"name": "Mi Fang"},
    "service": {"type": "fibre", "id": "13912345679"},
}  # fmt: skip
REASON = {"reason": "The regulator asks."}

pytestmark = pytest.mark.usefixtures("everything_holds")


def entries(client: ApiClient, **filters: Any) -> list[Json]:
    answer = client.get("/v1/access-log", params=filters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_rule_9_2_an_auditor_sees_masks_until_a_reveal(client: ApiClient, scenario: Scenario) -> None:
    made = client.post("/v1/complaints", json=POST).json()
    path = f"/v1/complaints/{made['number']}"
    client.patch(path, json={"service": {"id": "13912345670"}}).raise_for_status()
    auditor = scenario.key(AccessRole.AUDITOR, login="admin")

    shown = client.get(path, headers=auditor).json()
    [listed] = client.get("/v1/complaints", headers=auditor).json()["items"]
    masked = {"name": "Z****", "phone": "139****5678", "email": "****@****.example", "account_no": "****31"}
    for one in (shown, listed):
        assert {name: one["complainant"][name] for name in PERSON} == masked
        assert (one["reporter"]["name"], one["service"]["id"]) == ("M****", "139****5670")
    timeline = client.get(f"{path}/timeline", headers=auditor)
    assert "139****5670" in timeline.text
    assert "1391234567" not in timeline.text
    assert "13912345670" in client.get(f"{path}/timeline").text

    revealed = client.post(f"{path}/reveal", json=REASON, headers=auditor).json()
    assert {name: revealed["complainant"][name] for name in PERSON} == PERSON
    assert (revealed["reporter"]["name"], revealed["service_id"]) == ("Mi Fang", "13912345670")
    assert entries(client) == [
        {
            "id": revealed["access_id"],
            "at": entries(client)[0]["at"],
            "actor": "user:admin",
            "kind": "reveal",
            "complaint_id": made["id"],
            "number": made["number"],
            **REASON,
        }
    ]


NO_REASONS = [None, "", " \t\u200b", "x" * 501, "a\0b", 7]


def test_a_reveal_without_a_reason_is_refused_and_leaves_no_entry(
    client: ApiClient, subtests: pytest.Subtests
) -> None:
    made = client.post("/v1/complaints", json=POST).json()
    for reason in NO_REASONS:
        with subtests.test(ascii(reason)[:40]):
            answer = client.post(f"/v1/complaints/{made['id']}/reveal", json={"reason": reason})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reason")
            assert "Zhuge" not in answer.text
            assert client.post("/v1/complaints/C000000018/reveal", json=REASON).status_code == 404
            assert entries(client) == []


def test_rule_9_2_each_answer_has_its_entry_and_none_is_kept(client: ApiClient, scenario: Scenario) -> None:
    made = client.post("/v1/complaints", json=POST).json()
    key = {"Idempotency-Key": "the-same"}
    answers = [client.post(f"/v1/complaints/{made['id']}/reveal", json=REASON, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({answer.json()["access_id"] for answer in answers}) == len(entries(client)) == 2
    with scenario.service.database.read() as tx:
        assert tx.connection.execute(idempotency.select()).all() == []


def test_rule_9_2_without_its_entry_there_is_no_answer(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    made = client.post("/v1/complaints", json=POST).json()
    monkeypatch.setattr("complaints.use_cases.complaints.revealing.access_log.write_access", fail)
    answer = client.post(f"/v1/complaints/{made['id']}/reveal", json=REASON)
    assert (answer.status_code, "Zhuge" in answer.text, entries(client)) == (500, False, [])


def test_the_log_is_read_in_pages_and_by_filters(client: ApiClient, scenario: Scenario) -> None:
    first, second = (client.post("/v1/complaints", json=POST).json() for _ in range(2))
    manager = scenario.key(AccessRole.MANAGER, login="admin")
    began = scenario.now()
    for number, made in enumerate((first, second, first)):
        headers = manager if number == 1 else {}
        client.post(f"/v1/complaints/{made['id']}/reveal", json={"reason": f"No. {number}"}, headers=headers)
        scenario.advance(hours=1)

    def found(**filters: Any) -> list[str]:
        return [one["reason"] for one in entries(client, **filters)]

    later = (began + timedelta(minutes=30)).isoformat()
    assert found() == ["No. 2", "No. 1", "No. 0"]
    assert found(actor="user:admin") == ["No. 1"]
    assert found(complaint=first["number"]) == found(complaint=first["id"]) == ["No. 2", "No. 0"]
    assert found(kind="reveal", at_from=later) == ["No. 2", "No. 1"]
    assert found(at_to=later) == ["No. 0"]
    page = client.get("/v1/access-log", params={"limit": 2}).json()
    rest = client.get("/v1/access-log", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [one["reason"] for one in page["items"] + rest["items"]] == found()
    assert rest["next_cursor"] is None
    for query, status in (
        ({"kind": "x"}, 422),
        ({"cursor": "x"}, 400),
        ({"since": "1"}, 400),
        ({"complaint": "x"}, 422),
    ):
        assert client.get("/v1/access-log", params=query).status_code == status


def test_an_erasure_leaves_the_log_as_it_is(client: ApiClient, scenario: Scenario) -> None:
    made = client.post("/v1/complaints", json=POST).json()
    client.post(f"/v1/complaints/{made['id']}/reveal", json=REASON)
    before = entries(client)
    service = scenario.service
    service.write(lambda tx: erase_texts(service, tx, SYSTEM, made["id"], reason="Asked for"))
    assert entries(client) == before
