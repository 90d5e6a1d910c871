"""Reads the audit log: who changed which part of the configuration, and when."""

from collections.abc import Sequence

from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import audit_event
from complaints.storage.rows.audit_event import AuditEvent as AuditEvent
from complaints.storage.rows.audit_event import AuditFilter as AuditFilter
from complaints.use_cases.access import Caller, Right


def list_audit_events(
    tx: Transaction, caller: Caller, asked: AuditFilter, *, before: int | None, limit: int
) -> Sequence[AuditEvent]:
    """Up to `limit` entries that fit, below the number `before`, latest first. Raises Forbidden."""
    caller.require(Right.AUDIT)
    return audit_event.list_events(tx, asked, before=before, limit=limit)
