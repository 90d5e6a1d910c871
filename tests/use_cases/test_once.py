"""One idempotency key in two transactions at once: only one of them does the work."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import pytest

from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.once import Answer, Attempt, KeyInUse, answer_each, answer_once
from complaints.use_cases.service import Service
from tests.support import opened_service

ATTEMPT = Attempt.of(SYSTEM, "/v1/complaints", "one-key", b"{}")
FIRST = Answer(201, b"first")
BLOCKED_SECONDS = 0.3


def _repeat(service: Service) -> Answer:
    """The same request again, on a connection of its own."""

    def work(_tx: Transaction) -> Answer:
        raise AssertionError("the repeated request runs too")

    return answer_once(service.write, ATTEMPT, work)


def test_a_key_in_use_is_refused_until_the_first_request_has_ended(
    migrated_database_url: Callable[[str], str],
) -> None:
    """On PostgreSQL, which has many writers."""
    with opened_service(migrated_database_url("postgresql")) as service:
        with service.database.begin() as tx:
            assert answer_each(tx, [ATTEMPT], lambda _: [FIRST]) == [FIRST]
            with pytest.raises(KeyInUse) as refused:
                _repeat(service)
        assert refused.value.code == "idempotency-in-progress"
        assert _repeat(service) == Answer(201, b"first", replayed=True)


def test_on_sqlite_a_repeated_request_waits_for_the_first(
    migrated_database_url: Callable[[str], str],
) -> None:
    """SQLite has one writer: the second transaction begins after the end of the first."""
    with opened_service(migrated_database_url("sqlite")) as service, ThreadPoolExecutor(1) as pool:
        with service.database.begin() as tx:
            assert answer_each(tx, [ATTEMPT], lambda _: [FIRST]) == [FIRST]
            repeated = pool.submit(_repeat, service)
            assert wait_for([repeated], BLOCKED_SECONDS).not_done
        assert repeated.result(timeout=30) == Answer(201, b"first", replayed=True)
