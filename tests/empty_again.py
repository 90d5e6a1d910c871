"""Makes a used PostgreSQL database of a test as it was when it was seeded, or says that it cannot.

Rows are deleted, not truncated, and sequences set, not restarted: the tables are small, and the other ways make
new files for each. A function in the database does it: it keeps the plans of its statements, and to make them takes
four times as long as to run them.
"""

from typing import Any

import psycopg

# Children before their parents; of what is seeded, parents before their children.
_WRITTEN = (
    "deleted_ticket", "ticket_specification", "draft", "saved_view", "user_preference",
    "figure_fact", "figure_exposure",
    "report_layout", "report_recipient", "report_run", "report_schedule", "published_report",
    "received_mail", "refused_mail", "message_delivery", "notification_preference", "robot",
    "access_log", "attachment", "event", "event_text", "escalation_recipient", "escalation", "promise", "deadline",
    "hold", "party", "link", "subject", "complaint_tag", "complaint_external_id", "contact_digest",
    "webhook_attempt", "webhook_delivery", "webhook", "complaint_search", "complaint", "idempotency",
    "import_error", "import_job", "heartbeat", "leaving", "follower",
    "reindexing", "session", "user_password", "failed_sign_in", "key_use",
    "provider_identity", "used_sign_in", "assignment_turn", "duty_rota",
)  # fmt: skip
_SEEDED = (
    "user_account", "department", "team", "category", "calendar", "policy", "api_key", "reference_version",
    "sandbox_clock", "audit_event",
)  # fmt: skip
_MONTHS = (
    "(SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY inhrelid)"
    " FROM pg_inherits WHERE inhparent = 'event'::regclass)"
)
_RESTORED = """
DELETE FROM audit_event WHERE sequence > (SELECT max(sequence) FROM seeded.audit_event);
DELETE FROM api_key WHERE name <> 'bootstrap';
UPDATE api_key SET revoked_at = NULL WHERE revoked_at IS NOT NULL;
UPDATE reference_version SET version = 2;
UPDATE installation SET demo_seed = NULL, demo_until = NULL WHERE demo_seed IS NOT NULL;
UPDATE sandbox_clock SET now = '2026-01-05T01:00:00Z';
PERFORM setval('complaint_sequence', 1, false), setval('event_sequence_seq', 1, false);
"""

# A killed process leaves a connection that works for a moment longer; and a test may have removed a table.
_NOT_RESTORED = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.IntegrityError,
    psycopg.errors.UndefinedTable,
)


def fingerprint(connection: psycopg.Connection[Any]) -> Any:
    """A value that changes if the seeded rows or the months of the history change."""
    rows = " || ".join(
        f"(SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM {table} t)" for table in _SEEDED[:4]
    )
    others = ", ".join(
        f"(SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM {table} t)" for table in _SEEDED[4:]
    )
    return connection.execute(f"SELECT md5({rows}), {others}, {_MONTHS}").fetchone()  # type: ignore[arg-type]


def keep_seeded(connection: psycopg.Connection[Any]) -> None:
    """Copy what was seeded beside it, in a schema of its own, with the function that deletes all other rows."""
    copies = "; ".join(f"CREATE TABLE seeded.{table} AS TABLE {table}" for table in _SEEDED)
    deletions = "; ".join(f"DELETE FROM {table}" for table in _WRITTEN)
    function = f"seeded.restore() RETURNS void LANGUAGE plpgsql AS $$BEGIN {deletions}; {_RESTORED} END$$"
    connection.execute(f"CREATE SCHEMA seeded; {copies}; CREATE FUNCTION {function}")  # type: ignore[arg-type]


def empty_again(connection: psycopg.Connection[Any], seeded: Any) -> bool:
    """Delete what a test wrote; False if what was seeded cannot be had back, or somebody still holds on to it."""
    try:
        with connection.transaction():
            connection.execute("SELECT seeded.restore()")
            return bool(fingerprint(connection) == seeded) or _seed_again(connection, seeded)
    except _NOT_RESTORED:
        return False


def _seed_again(connection: psycopg.Connection[Any], seeded: Any) -> bool:
    deletions = "; ".join(f"DELETE FROM {table}" for table in reversed(_SEEDED))
    copies = "; ".join(f"INSERT INTO {table} SELECT * FROM seeded.{table}" for table in _SEEDED)
    connection.execute(f"{deletions}; {copies}")  # type: ignore[arg-type]
    return bool(fingerprint(connection) == seeded)
