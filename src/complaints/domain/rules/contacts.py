"""Contacts of the complainant about a complaint that is on record: nobody overlooks them (rules 1.12 to 1.14)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.rules import actions, deadlines, own_deadlines
from complaints.domain.rules.actions import ActionContext, reopen_refusal
from complaints.domain.rules.passing_time import escalate_now
from complaints.domain.vocabulary import (
    Action,
    Channel,
    ContactAfterEnd,
    EventType,
    HoldReason,
    RecipientRole,
    Status,
)

CONTACT_STEP = "contact"
_NOTIFIED = (RecipientRole.ASSIGNEE, RecipientRole.FIRST_OWNER)


@dataclass(frozen=True, slots=True)
class Contact:
    """The words of the complainant and their channel.

    `merged_id` is the merged complaint under whose external id they came. It is None if they came under an id of the
    complaint itself.
    """

    channel: Channel
    subject: str
    description: str | None
    merged_id: UUID | None = None


def makes_new_complaint(complaint: Complaint, context: ActionContext) -> bool:
    """True if a contact on this complaint becomes a new one: it has ended and is not reopened (rule 1.14)."""
    if complaint.open:
        return False
    after_end = context.policy.contact_after_end
    return after_end is ContactAfterEnd.NEW or reopen_refusal(complaint, context) is not None


def plan_contact(change: Change, context: ActionContext, contact: Contact) -> None:
    """Let the complaint go on, record a contact, and notify assignee and first owner (rules 1.12 to 1.14).

    The complaint is open, or may be reopened now.
    """
    complaint = change.complaint
    if not complaint.open:
        actions.plan(change, context, Action.REOPEN, {"reason": "The complainant made contact again."})
    elif _awaits_complainant(complaint):
        actions.plan(change, context, Action.RESUME, {})
    elif complaint.status is Status.FOLLOWING_UP:
        deadlines.start_early_follow_up(change, context.policy, context.now)
    notify_of_contact(
        change,
        context,
        event_type=EventType.CONTACT_REPEATED,
        channel=contact.channel,
        subject=contact.subject,
        description=contact.description,
        merged_id=contact.merged_id,
    )


def _awaits_complainant(complaint: Complaint) -> bool:
    hold = complaint.current_hold
    return hold is not None and hold.reason is HoldReason.AWAITING_COMPLAINANT


def notify_of_contact(
    change: Change, context: ActionContext, event_type: EventType = EventType.ESCALATED, **data: Any
) -> None:
    """Notify assignee and first owner by an escalation of level 0 without deadline, with its event (rule 1.12).

    Own deadlines for an answer start.
    """
    own_deadlines.start_with_contact(change, context.policy, context.now)
    escalate_now(
        change,
        context.policy,
        context.directory,
        context.now,
        step=CONTACT_STEP,
        level=0,
        roles=_NOTIFIED,
        event_type=event_type,
        **data,
    )
