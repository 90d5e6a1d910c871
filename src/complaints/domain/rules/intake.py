"""Intake: from a checked request to a complaint with running deadlines (rules 1.5, 2.2, 2.14, 5.4 and 5.5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Person, PlainMembers, add_own_id, copy_with
from complaints.domain.complaint.identity import Identity
from complaints.domain.complaint.members import plain_members
from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines, routing
from complaints.domain.rules.endings import Ending
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.rules.recipients import choose_answerable_user
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import EventType, Priority, PriorityReason, Status

_UNKNOWN = Identity()


@dataclass(frozen=True, kw_only=True)
class NewComplaint(PlainMembers):
    """A complaint to register. The use case has checked it; it has no number, deadlines and team yet.

    `policy` is in force at `received_at` (rule 2.9). `actor` is the cause of its first event; `created_by` is the
    login of the caller, if a user. `identity` is the complainant's. `external_ids` are its names in systems other than
    `source`, by system. `import_id` is None for a posted complaint.
    `import_digest` names an imported row without external id, so that no row is taken twice. `team` is None if
    routing chooses the team. `ending` is None unless the complaint ended in another system.
    """

    source: str
    received_at: datetime
    policy: Policy
    actor: str
    created_by: str | None = None
    category: Category | None = None
    priority: Priority | None = None
    first_owner: str | None = None
    complainant: Person | None = None
    reporter: Person | None = None
    identity: Identity = _UNKNOWN
    external_ids: dict[str, str] = field(default_factory=dict)
    import_id: UUID | None = None
    import_digest: str | None = None
    team: str | None = None
    ending: Ending | None = None

    @property
    def ids_by_system(self) -> dict[str, str]:
        """Every external id of the complaint, by system."""
        return add_own_id(self.external_ids, self.source, self.external_id)

    @property
    def vulnerable(self) -> bool:
        """True if the complainant needs special care."""
        return self.complainant is not None and self.complainant.vulnerable


def plan_intake(
    new: NewComplaint,
    *,
    repeat: bool,
    directory: Directory,
    now: datetime,
    sequence: int,
    new_id: Callable[[], UUID],
    person_digests: Mapping[str, str] | None = None,
) -> Change:
    """The change that receives a complaint. Its deadlines start at `received_at` (rule 2.2).

    `repeat`: the complainant complained in the same category shortly before (rule 5.4). Deadlines and steps that
    are already past are recorded. The steps of an imported complaint notify nobody (rule 3.3).
    `person_digests` are those of the persons, by role: the event records them.
    """
    complaint, digests = _complaint(new, repeat, directory, now, sequence, new_id()), person_digests or None
    if new.ending is not None:
        change = Change(_end(complaint, new.ending), actor=new.actor, new_id=new_id, new=True)
        is_known = new.ending.closed_at is not None
        change.record(EventType.IMPORTED_ENDED, now, closed_at_known=is_known, person_digests=digests)
        return change
    change = Change(complaint, actor=new.actor, new_id=new_id, new=True)
    deadlines.start_intake(change, new.policy)
    change.record(EventType.CREATED, now, person_digests=digests)
    catch_up(change, new.policy, directory, now, notify=new.import_id is None)
    return change


def _end(complaint: Complaint, ending: Ending) -> Complaint:
    """The complaint with its end: it starts with one event, without deadlines and steps (rule 2.14)."""
    return copy_with(complaint, **ending.members(complaint.received_at))


def _complaint(
    new: NewComplaint, repeat: bool, directory: Directory, now: datetime, sequence: int, complaint_id: UUID
) -> Complaint:
    policy, category = new.policy, new.category
    team = new.team or routing.route(policy, category=category, region=new.region, directory=directory)
    return Complaint(
        **plain_members(new),
        id=complaint_id,
        sequence=sequence,
        version=1,
        status=Status.RECEIVED,
        cycle=1,
        source=new.source,
        received_at=new.received_at,
        created_at=now,
        updated_at=now,
        priority=new.priority or _derive_priority(new, repeat=repeat),
        priority_given=new.priority is not None,
        priority_raised_by=() if new.priority else _find_raises(new, repeat=repeat),
        team=team,
        first_owner=new.first_owner or new.created_by or choose_answerable_user(team, directory),
        category=category.code if category else None,
        cause=category.cause if category else None,
        nature=category.nature if category else None,
        policy_code=policy.code,
        policy_version=policy.version,
        external_ids=new.external_ids,
    )


def _find_raises(new: NewComplaint, *, repeat: bool) -> tuple[PriorityReason, ...]:
    return routing.find_raises(
        new.policy.priorities, vulnerable=new.vulnerable, repeat=repeat, channel=new.channel
    )


def _derive_priority(new: NewComplaint, *, repeat: bool) -> Priority:
    return routing.derive_priority(
        new.policy.priorities,
        severity=new.severity,
        vulnerable=new.vulnerable,
        repeat=repeat,
        channel=new.channel,
    )
