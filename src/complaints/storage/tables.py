"""Every table in one place, for migrations and for the tests that compare them."""

from complaints.storage import (
    clock,
    complaint,
    deadline,
    escalation,
    event,
    heartbeat,
    idempotency,
    import_job,
    link,
    party,
    reference,
)
from complaints.storage.base import metadata

__all__ = [
    "clock",
    "complaint",
    "deadline",
    "escalation",
    "event",
    "heartbeat",
    "idempotency",
    "import_job",
    "link",
    "metadata",
    "party",
    "reference",
]
