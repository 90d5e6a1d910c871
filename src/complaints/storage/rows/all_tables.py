"""Every table in one place, for migrations and for the tests that compare them."""

from complaints.storage.database.types import metadata
from complaints.storage.rows import (
    complaint,
    configuration,
    deadline,
    escalation,
    event,
    follower,
    heartbeat,
    idempotency,
    import_job,
    link,
    person,
    test_clock,
)

__all__ = [
    "test_clock",
    "complaint",
    "deadline",
    "escalation",
    "event",
    "follower",
    "heartbeat",
    "idempotency",
    "import_job",
    "link",
    "metadata",
    "person",
    "configuration",
]
