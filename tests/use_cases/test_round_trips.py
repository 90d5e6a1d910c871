"""Posts on PostgreSQL: two round trips, and their outcome is certain although the transaction begins late."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from complaints.domain.errors import Unavailable
from complaints.storage.database.transactions import Database, Transaction
from complaints.storage.rows import idempotency
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints.intake import IntakeResult
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.post import answer_requests
from complaints.use_cases.once import Answer, Attempt
from complaints.use_cases.service import Service
from tests.support import START, check_all, opened_service

_BLOCKED = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def postgresql(migrated_database_url: Callable[[str], str]) -> Iterator[Service]:
    """A service whose clock asks no database."""
    with opened_service(migrated_database_url("postgresql")) as opened:
        service = replace(opened, database=Database(opened.database.engine, lambda _connection: START))
        yield service
        assert list(check_all(service)) == []


def _request(key: str | None, **members: Any) -> IntakeRequest:
    body = {"channel": "phone", "subject": "No signal", "complainant": {"phone": "+8613800000000"}, **members}
    attempt = Attempt.of(SYSTEM, "/v1/complaints", key, repr(body).encode()) if key else None
    return IntakeRequest(SYSTEM, CreateComplaint.model_validate(body), attempt)


def _show(_tx: Transaction, _request: IntakeRequest, made: IntakeResult) -> Answer:
    return Answer(201 if made.created else 200, str(made.complaint.id).encode())


def _post(service: Service, *requests: IntakeRequest) -> list[Any]:
    return answer_requests(service, requests, _show)


@contextmanager
def _round_trips(service: Service) -> Iterator[list[str]]:
    """The round trips of the only connection: each ends with one of these messages to the server."""
    trips: list[str] = []
    with tempfile.TemporaryFile("w+") as log:
        with service.database.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
        driver.pgconn.trace(log.fileno())
        yield trips
        driver.pgconn.untrace()
        log.seek(0)
        sent = [line.split("\t")[1:] for line in log if line.split("\t")[1] == "F"]
        trips += [message[2] for message in sent if message[2].split()[0] in ("Sync", "Query")]


@pytest.mark.parametrize(
    ("requests", "statuses", "count"),
    [
        ([_request("new", external_id="N", external_ids={"erp": "1"})], {201}, 2),
        ([_request(f"key {n}", external_id=f"E{n}", tags=["vip"]) for n in range(25)], {201}, 2),
        ([_request("known", external_id="K")], {201}, 1),
        ([_request(None, external_id="K")], {200}, 5),
    ],
    ids=["a new post", "a group", "a repeated key", "a repeated external id"],
)
def test_a_post_takes_two_round_trips(
    postgresql: Service, requests: Sequence[IntakeRequest], statuses: set[int], count: int
) -> None:
    """One for all look-ups and one for all writing, without BEGIN and COMMIT."""
    _post(postgresql, _request("known", external_id="K"))
    for n in range(3):  # then the statements are prepared
        _post(postgresql, _request(f"warm {n}", external_id=f"W{n}", external_ids={"erp": f"W{n}"}))
        _post(postgresql, _request(f"tag {n}", external_id=f"T{n}", tags=["vip"]))
        _post(postgresql, *(_request(key, external_id="K") for key in ("known", None)))
    postgresql.read(lambda tx: postgresql.cache.current(tx, certain=True))
    with _round_trips(postgresql) as trips:
        answers = _post(postgresql, *requests)

    assert {answer.status for answer in answers} == statuses
    assert len(trips) == count


@contextmanager
def _blocked_post(service: Service, request: IntakeRequest) -> Iterator["Future[list[Any]]"]:
    """A post that waits in its writing statement: another transaction has kept an answer under its key."""
    assert request.attempt is not None
    other = idempotency.KeptAnswer(request.attempt.digest, 201, {}, b"other")
    with ThreadPoolExecutor(1) as pool, service.database.begin() as tx:
        idempotency.keep_answers(tx, {request.attempt.name: other})
        tx.finish()
        waiting = pool.submit(_post, service, request)
        while not service.read(lambda reader: reader.connection.execute(text(_BLOCKED)).scalar()):
            assert not waiting.done()
        yield waiting


def test_a_post_waits_for_the_same_key_before_it_numbers_its_events(postgresql: Service) -> None:
    """PostgreSQL does not promise the order in which a statement writes: events must be last, as their lock is."""
    with _blocked_post(postgresql, _request("same")) as waiting:
        [other] = _post(postgresql, _request("another"))
        assert other.status == 201
    assert waiting.result(timeout=30) == [Answer(201, b"other", {}, replayed=True)]


def test_a_post_whose_backend_is_killed_gets_its_outcome_by_its_key(postgresql: Service) -> None:
    request = _request("killed")

    def kill_while_blocked() -> None:
        with _blocked_post(postgresql, request) as waiting:
            postgresql.read(
                lambda tx: tx.connection.execute(
                    text(f"SELECT pg_terminate_backend(pid) FROM ({_BLOCKED}) AS b")
                )
            )
            [failure] = waiting.result(timeout=30)
            assert isinstance(failure, Unavailable)
            raise LookupError  # and the other transaction is rolled back

    with pytest.raises(LookupError):
        kill_while_blocked()
    first, again = _post(postgresql, request), _post(postgresql, request)
    assert first[0].status == 201
    assert again == [replace(first[0], replayed=True)]


def test_a_backend_killed_between_the_statements_leaves_nothing(postgresql: Service) -> None:
    killed: list[int] = []

    def show(tx: Transaction, request: IntakeRequest, made: IntakeResult) -> Answer:
        if not killed:
            driver: Any = tx.connection.connection.driver_connection
            killed.append(driver.info.backend_pid)
            kill = text("SELECT pg_terminate_backend(:pid)").bindparams(pid=killed[0])
            postgresql.read(lambda reader: reader.connection.execute(kill))
        return _show(tx, request, made)

    requests = [_request("one"), _request("two")]
    failures = answer_requests(postgresql, requests, show)
    assert [type(failure) for failure in failures] == [Unavailable, Unavailable]
    assert [answer.status for answer in answer_requests(postgresql, requests, show)] == [201, 201]


def test_a_group_that_changes_a_complaint_is_all_or_nothing(postgresql: Service) -> None:
    """It opens its transaction, and its failure undoes what it has written."""
    _post(postgresql, _request(None, external_id="C"))
    contact, new = _request("contact", external_id="C", subject="Still no signal"), _request("new")
    shown: list[IntakeRequest] = []

    def show(tx: Transaction, request: IntakeRequest, made: IntakeResult) -> Answer:
        shown.append(request)
        if request is new:
            raise LookupError
        return _show(tx, request, made)

    contacted, failed = answer_requests(postgresql, [contact, new], show)
    assert shown == [contact, new, contact, new]  # together, and then each alone
    assert contacted.status == 200
    assert isinstance(failed, LookupError)
    repeats = "SELECT count(*) FROM event WHERE type = 'complaint.contact_repeated'"
    assert postgresql.read(lambda tx: tx.connection.execute(text(repeats)).scalar_one()) == 1
