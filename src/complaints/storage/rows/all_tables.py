"""All tables in one place, for migrations and for the tests that compare schemas."""

from collections.abc import Iterable

from sqlalchemy import MetaData

from complaints.storage.database.types import metadata, new_metadata
from complaints.storage.rows import (
    access_log,
    assignment_turn,
    attachment,
    audit_event,
    complaint,
    configuration,
    contact_digest,
    deadline,
    deleted_ticket,
    draft,
    escalation,
    event,
    event_text,
    external_id,
    failed_sign_in,
    figure_exposure,
    figure_fact,
    follower,
    heartbeat,
    idempotency,
    import_job,
    installation,
    key_use,
    leaving,
    link,
    person,
    provider_identity,
    reindexing,
    saved_view,
    session,
    subject,
    test_clock,
    ticket_specification,
    used_sign_in,
    user_password,
    user_preference,
)

__all__ = [
    "access_log",
    "assignment_turn",
    "attachment",
    "audit_event",
    "test_clock",
    "complaint",
    "contact_digest",
    "deadline",
    "deleted_ticket",
    "draft",
    "escalation",
    "event",
    "event_text",
    "external_id",
    "failed_sign_in",
    "figure_exposure",
    "figure_fact",
    "follower",
    "heartbeat",
    "idempotency",
    "import_job",
    "installation",
    "key_use",
    "leaving",
    "link",
    "metadata",
    "person",
    "configuration",
    "provider_identity",
    "reindexing",
    "saved_view",
    "session",
    "subject",
    "ticket_specification",
    "used_sign_in",
    "user_password",
    "user_preference",
    "with_annexes",
]


def with_annexes(annexes: Iterable[MetaData]) -> MetaData:
    """The tables of the core and of annexes in one set. Alembic takes the names of constraints from it."""
    together = new_metadata()
    for part in (metadata, *annexes):
        for table in part.sorted_tables:
            table.to_metadata(together)
    return together
