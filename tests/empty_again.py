"""Makes a used PostgreSQL database of a test as it was when it was seeded, or says that it cannot."""

from typing import Any

import psycopg

# Children before their parents.
_WRITTEN = (
    "event", "escalation_recipient", "escalation", "promise", "deadline", "hold", "party", "link", "complaint_tag",
    "complaint_search", "complaint", "idempotency", "import_error", "import_job", "heartbeat",
)  # fmt: skip
_SEEDED = (
    "user_account", "department", "team", "category", "calendar", "policy", "api_key", "reference_version",
    "sandbox_clock",
)  # fmt: skip
_MONTHS = (
    "(SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY inhrelid)"
    " FROM pg_inherits WHERE inhparent = 'event'::regclass)"
)
_RESTORED = """
DELETE FROM api_key WHERE name <> 'bootstrap';
UPDATE api_key SET revoked_at = NULL WHERE revoked_at IS NOT NULL;
UPDATE reference_version SET version = 2;
UPDATE sandbox_clock SET now = '2026-01-05T01:00:00Z';
ALTER SEQUENCE complaint_sequence RESTART;
ALTER SEQUENCE event_sequence_seq RESTART;
"""


def fingerprint(connection: psycopg.Connection[Any]) -> Any:
    """What tells whether the seeded rows and the months of the history are as they were."""
    rows = " || ".join(
        f"(SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM {table} t)" for table in _SEEDED[:4]
    )
    others = ", ".join(
        f"(SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM {table} t)" for table in _SEEDED[4:]
    )
    return connection.execute(f"SELECT md5({rows}), {others}, {_MONTHS}").fetchone()  # type: ignore[arg-type]


def empty_again(url: str, seeded: Any) -> bool:
    """Delete what a test wrote; False if what was seeded is not as it was, or somebody still holds on to it."""
    deletions = "; ".join(f"DELETE FROM {table}" for table in _WRITTEN)
    try:
        with psycopg.connect(url, options="-c lock_timeout=2s") as connection:
            connection.execute(deletions + ";" + _RESTORED)  # type: ignore[arg-type]
            return bool(fingerprint(connection) == seeded)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.IntegrityError, psycopg.errors.UndefinedTable):
        return False
