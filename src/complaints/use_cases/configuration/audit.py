"""Reads the audit log: who changed which part of the configuration, and when."""

from collections.abc import Sequence

from complaints.domain.vocabulary import AuditSubject
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import audit_event
from complaints.storage.rows.audit_event import AuditEvent as AuditEvent
from complaints.use_cases.access import Caller, Right


def list_audit_events(
    tx: Transaction,
    caller: Caller,
    *,
    before: int | None,
    limit: int,
    subject: AuditSubject | None = None,
    code: str | None = None,
    actor: str | None = None,
) -> Sequence[AuditEvent]:
    """Up to `limit` entries below the number `before`, latest first. Raises Forbidden."""
    caller.require(Right.AUDIT)
    return audit_event.list_events(tx, before=before, limit=limit, subject=subject, code=code, actor=actor)
