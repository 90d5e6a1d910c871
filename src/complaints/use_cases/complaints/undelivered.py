"""A message that did not reach the complainant: assignee and team lead hear of it (rule 10.6)."""

from functools import partial
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.rules.passing_time import escalate_now
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import RecipientRole
from complaints.storage import load
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.complaints.changing import catch_up, last_changed_at
from complaints.use_cases.service import Service, Transaction

UNDELIVERED_STEP = "undelivered"
_NOTIFIED = (RecipientRole.ASSIGNEE, RecipientRole.TEAM_LEAD)


def escalate_undelivered(service: Service, tx: Transaction, complaint_id: UUID, reason: str) -> None:
    """Record that a message to the complainant was not delivered. It undoes nothing, and the version stays.

    A complaint that has ended gets the escalation too: the complainant may not know its result.
    """
    loaded = load.load_complaint(tx, complaint_id, scope=ALL_COMPLAINTS, lock=True)
    tx = tx.not_before(last_changed_at(loaded.complaint))
    change = Change(loaded.complaint, actor=ENGINE, new_id=service.new_id)
    policy = catch_up(service, tx, change)
    escalate = partial(escalate_now, change, policy, service.configuration(tx).directory, tx.now)
    escalate(step=UNDELIVERED_STEP, level=0, roles=_NOTIFIED, reason=reason)
    save(tx, [ChangeToSave(change, loaded.history_end)], service.new_id)
