"""Posts in one transaction: each request gets its own answer, whatever happens to the others."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from complaints.domain.errors import ComplaintError, InvalidContent
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints.intake import IntakeResult
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.post import answer_requests
from complaints.use_cases.once import Answer, Attempt, KeyReused
from complaints.use_cases.service import Service
from tests.support import check_all, count_statements


def _request(key: str | None = None, **members: Any) -> IntakeRequest:
    body = {"channel": "phone", "subject": "No signal", **members}
    attempt = Attempt.of(SYSTEM, "/v1/complaints", key, json.dumps(body).encode()) if key else None
    return IntakeRequest(SYSTEM, CreateComplaint.model_validate(body), attempt)


def _show(_tx: Transaction, _request: IntakeRequest, made: IntakeResult) -> Answer:
    return Answer(201 if made.created else 200, str(made.complaint.id).encode())


def _answers(service: Service, requests: Sequence[IntakeRequest]) -> list[Any]:
    return answer_requests(service, requests, _show)


def _count(service: Service) -> int:
    return int(
        service.read(lambda tx: tx.connection.execute(text("SELECT count(*) FROM complaint")).scalar_one())
    )


def test_a_refused_and_a_repeated_request_do_not_affect_the_others(service: Service) -> None:
    [known] = _answers(service, [_request(external_id="E1")])
    good, refused, again, new, same = _answers(
        service,
        [
            _request(),
            _request(category="no.such"),
            _request(external_id="E1", subject="Still no signal"),
            _request(external_id="E2"),
            _request(external_id="E2"),
        ],
    )

    assert isinstance(refused, InvalidContent)
    assert [a.status for a in (known, good, again, new, same)] == [201, 201, 200, 201, 200]
    assert again.body == known.body
    assert same.body == new.body
    assert _count(service) == 3
    assert list(check_all(service)) == []


def test_many_take_as_few_statements_as_one(service: Service) -> None:
    members = {"category": "network.outage", "complainant": {"phone": "+8613800000000"}}
    _answers(service, [_request("first", external_id="E0", **members)])
    with count_statements(service) as of_one:
        _answers(service, [_request("one", external_id="E1", **members)])
    requests = [_request(f"key-{n}", external_id=f"M{n}", **members) for n in range(40)]
    with count_statements(service) as of_many:
        answers = _answers(service, requests)

    assert {answer.status for answer in answers} == {201}
    assert len(of_many) <= len(of_one) + 1  # the configuration may be read again


def test_a_request_that_the_database_refuses_fails_alone(service: Service) -> None:
    """The database has a unique key that the process does not know."""
    _answers(service, [_request(subject="Once")])
    with service.database.begin() as tx:
        tx.connection.execute(
            text("CREATE UNIQUE INDEX planted ON complaint (subject) WHERE subject = 'Once'")
        )
    try:
        first, bad, last = _answers(service, [_request(), _request(subject="Once"), _request()])
    finally:
        with service.database.begin() as tx:
            tx.connection.execute(text("DROP INDEX planted"))

    assert (first.status, last.status) == (201, 201)
    assert isinstance(bad, Exception)
    assert not isinstance(bad, ComplaintError)
    assert _count(service) == 3


def test_a_repeated_key_gets_the_first_answer_byte_for_byte(service: Service) -> None:
    first, _ = _answers(service, [_request("a"), _request("b")])
    again, new, reused = _answers(service, [_request("a"), _request("c"), _request("b", subject="Another")])

    assert again == Answer(201, first.body, {}, replayed=True)
    assert new.status == 201
    assert isinstance(reused, KeyReused)
    assert _count(service) == 3


def test_a_refusal_is_not_kept(service: Service) -> None:
    [refused] = _answers(service, [_request("a", category="no.such")])
    [accepted] = _answers(service, [_request("a")])

    assert isinstance(refused, InvalidContent)
    assert accepted.status == 201


@pytest.mark.parametrize("texts", [["x"], ["x", "y", "z"]])
def test_repeated_contacts_in_one_group_are_all_on_record(service: Service, texts: list[str]) -> None:
    _answers(service, [_request(external_id="E1")])
    _answers(service, [_request(external_id="E1", subject=subject) for subject in texts])

    statement = text(
        "SELECT t.texts FROM event e JOIN event_text t ON t.complaint_id = e.complaint_id AND t.ordinal = e.ordinal"
        " WHERE e.type = 'complaint.contact_repeated' ORDER BY e.ordinal"
    )
    texts_of_events = service.read(lambda tx: list(tx.connection.execute(statement).scalars()))
    assert [json.loads(kept)["subject"] for kept in texts_of_events] == texts
    assert list(check_all(service)) == []
