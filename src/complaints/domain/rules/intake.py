"""Intake: from what was told to a complaint with running clocks (domain §1, §2 and §5)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines, routing
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.rules.recipients import find_answerable_user
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import Channel, EventType, Priority, Severity, Status


@dataclass(frozen=True, slots=True)
class Intake:
    """One complaint as told, checked, without the personal data.

    `repeat`: the same complainant complained in the same category shortly before. `imported`: nobody hears of
    escalation steps already past.
    """

    channel: Channel
    subject: str
    received_at: datetime
    source: str
    severity: Severity
    vulnerable: bool
    repeat: bool
    imported: bool
    created_by: str | None = None
    priority: Priority | None = None
    description: str | None = None
    external_id: str | None = None
    category: Category | None = None
    region: str | None = None
    first_owner: str | None = None
    service_type: str | None = None
    service_id: str | None = None
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)


def plan_intake(
    intake: Intake,
    *,
    policy: Policy,
    directory: Directory,
    now: datetime,
    sequence: int,
    actor: str,
    new_id: Callable[[], UUID],
) -> Change:
    """A received complaint, its clocks started at `received_at`; what is already past is put on record."""
    change = Change(
        _complaint(intake, policy, directory, now, sequence, new_id()), actor=actor, new_id=new_id, new=True
    )
    deadlines.start_intake(change, policy)
    change.record(EventType.CREATED, now)
    catch_up(change, policy, directory, now, notify=not intake.imported)
    return change


def _complaint(
    intake: Intake, policy: Policy, directory: Directory, now: datetime, sequence: int, complaint_id: UUID
) -> Complaint:
    category = intake.category
    cause = category.cause if category else None
    team = routing.route(policy, category=category, region=intake.region)
    return Complaint(
        id=complaint_id,
        sequence=sequence,
        version=1,
        status=Status.RECEIVED,
        cycle=1,
        channel=intake.channel,
        subject=intake.subject,
        description=intake.description,
        source=intake.source,
        external_id=intake.external_id,
        received_at=intake.received_at,
        created_at=now,
        updated_at=now,
        severity=intake.severity,
        priority=intake.priority or derived_priority(intake, policy),
        priority_given=intake.priority is not None,
        team=team,
        first_owner=intake.first_owner or intake.created_by or find_answerable_user(team, directory),
        category=category.code if category else None,
        cause=cause,
        nature=category.nature if category else None,
        region=intake.region,
        service_type=intake.service_type,
        service_id=intake.service_id,
        tags=intake.tags,
        attributes=intake.attributes,
        policy_code=policy.code,
        policy_version=policy.version,
    )


def derived_priority(intake: Intake, policy: Policy) -> Priority:
    """The priority the policy derives where none is given."""
    return routing.derive_priority(
        policy.priorities,
        severity=intake.severity,
        vulnerable=intake.vulnerable,
        repeat=intake.repeat,
        channel=intake.channel,
    )
