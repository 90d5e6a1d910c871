"""A complaint that is loaded to be changed is locked until the transaction ends."""

from collections.abc import Callable

import psycopg
import pytest

from complaints.domain.scope import ALL_COMPLAINTS
from complaints.storage import load
from tests.support import Scenario, opened_service


@pytest.mark.parametrize("lock", [True, False])
def test_a_complaint_is_locked_if_the_caller_asks_for_it(
    migrated_database_url: Callable[[str], str], lock: bool
) -> None:
    """On SQLite each write transaction holds the lock of the whole database."""
    url = migrated_database_url("postgresql")
    with opened_service(url) as service:
        complaint = Scenario(service).post()
        with service.database.begin() as tx:
            load.load_complaint(tx, complaint.id, scope=ALL_COMPLAINTS, lock=lock)
            assert is_locked(url, complaint.id.hex) == lock
        assert not is_locked(url, complaint.id.hex)


def is_locked(url: str, complaint_id: str) -> bool:
    """True if another connection cannot lock the row."""
    with psycopg.connect(url) as other:
        try:
            other.execute("SELECT FROM complaint WHERE id = %s FOR NO KEY UPDATE NOWAIT", [complaint_id])
        except psycopg.errors.LockNotAvailable:
            return True
    return False
