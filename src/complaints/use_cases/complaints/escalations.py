"""Escalations: list, read and acknowledge them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.errors import Conflict, NotFound
from complaints.domain.vocabulary import EventType
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import escalations
from complaints.storage.queries.escalations import EscalationFilter as EscalationFilter
from complaints.storage.rows.escalation import acknowledge_escalation
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import Acknowledge
from complaints.use_cases.complaints.changing import open_change
from complaints.use_cases.complaints.views import MASK
from complaints.use_cases.service import Service

Row = Mapping[Any, Any]


def list_escalations(
    tx: Transaction,
    caller: Caller,
    wanted: EscalationFilter,
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row]:
    """Escalations within the scope of the caller, latest first."""
    rows = escalations.list_escalations(tx, wanted, scope=caller.scope, before=before, limit=limit)
    return [_shown(row, caller) for row in rows]


def load_escalation(tx: Transaction, caller: Caller, escalation_id: UUID) -> Row:
    """One escalation. Raises NotFound, also for an escalation outside the scope of the caller."""
    found = escalations.find_escalation(tx, escalation_id, scope=caller.scope)
    if found is None:
        raise NotFound(f"There is no escalation {str(escalation_id)!r}.")
    return _shown(found, caller)


def _shown(row: Row, caller: Caller) -> Row:
    """The escalation as the caller sees it: the note of the acknowledgement is for staff."""
    if row["acknowledged_note"] is None or Right.SEE_INTERNAL in caller.rights:
        return row
    return {**row, "acknowledged_note": MASK}


def acknowledge(
    service: Service, tx: Transaction, caller: Caller, escalation_id: UUID, command: Acknowledge
) -> Row:
    """Record that the caller takes care of an escalation (rule 3.5).

    A second call by the same actor changes nothing. The version of the complaint stays. Raises Forbidden, NotFound,
    and Conflict if another actor acknowledged it before.
    """
    caller.require(Right.WORK)
    found = load_escalation(tx, caller, escalation_id)
    loaded = load.load_complaint(tx, found["complaint_id"], scope=caller.scope, lock=True)
    if acknowledge_escalation(tx, escalation_id, by=caller.actor, note=command.note):
        change, _ = open_change(service, tx, caller, loaded)
        change.record(
            EventType.ESCALATION_ACKNOWLEDGED,
            tx.now,
            escalation_id=escalation_id,
            deadline_id=found["deadline_id"],
            step=found["step"],
            note=command.note,
        )
        save(tx, [ChangeToSave(change, loaded.history_end)], service.new_id)
    found = load_escalation(tx, caller, escalation_id)
    if found["acknowledged_by"] != caller.actor:
        raise Conflict(f"{found['acknowledged_by']} has acknowledged this escalation before you.")
    return found
