"""Follow-up contacts that are due: the complainants to call, the times, and the users who owe the calls."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.errors import Conflict
from complaints.domain.rules.deadlines import start_after_result
from complaints.domain.vocabulary import DeadlineKind, Priority
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import follow_ups
from complaints.storage.queries.follow_ups import DayRange
from complaints.storage.queries.follow_ups import FollowUpFilter as FollowUpFilter
from complaints.storage.queries.follow_ups import FollowUpPosition as FollowUpPosition
from complaints.storage.rows.person import COMPLAINANT, find_persons
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import RecordContact
from complaints.use_cases.complaints import actions
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.complaints.views import masked
from complaints.use_cases.named_filters import check_name, resolve_user
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A contact to make. `day_on` is the local date of `due_at` in the zone of the deadline's policy.

    `in_clear` is True if there is a complainant without masks.
    """

    deadline_id: UUID
    complaint_id: UUID
    complaint_sequence: int
    subject: str
    priority: Priority
    sequence: int
    attempt: int
    due_at: datetime
    day_on: date
    overdue: bool
    owner: str
    team: str
    complainant: Person | None
    in_clear: bool


def list_follow_ups(
    service: Service,
    tx: Transaction,
    caller: Caller,
    wanted: FollowUpFilter,
    *,
    day_on: date | None,
    after: FollowUpPosition | None,
    limit: int,
) -> list[FollowUp]:
    """Contacts still to be made within the scope of the caller, the earliest due first.

    Persons are masked for a caller who may not see personal data. Raises InvalidContent for an unknown owner or team.
    """
    configuration = service.configuration(tx)
    check_name(wanted.team, configuration.directory.teams, parameter="team", thing="team")
    owner = resolve_user(wanted.owner, configuration.directory.users, caller, parameter="owner")
    days = None if day_on is None else _ranges(configuration, day_on)
    wanted = replace(wanted, owner=owner, days=days)
    scope = caller.scope_with(Right.READ_OWN, tx.now, owner)
    rows = follow_ups.list_follow_ups(tx, wanted, scope=scope, after=after, limit=limit)
    persons = find_persons(tx, {row.complaint_id for row in rows})
    found = []
    for row in rows:
        complainant = persons.get(row.complaint_id, {}).get(COMPLAINANT)
        in_clear = complainant is not None and caller.has_right_on(Right.SEE_PERSONS, row)
        if complainant and not in_clear:
            complainant = masked(complainant)
        found.append(_follow_up(row, configuration, tx.now, complainant, in_clear=in_clear))
    return found


def _follow_up(
    row: Any, configuration: Configuration, now: datetime, complainant: Person | None, *, in_clear: bool
) -> FollowUp:
    timezone = configuration.policy(row.policy_code, row.policy_version).timezone
    return FollowUp(
        deadline_id=row.id,
        complaint_id=row.complaint_id,
        complaint_sequence=row.complaint_sequence,
        subject=row.subject,
        priority=row.priority,
        sequence=row.sequence,
        attempt=row.attempt,
        due_at=row.due_at,
        day_on=row.due_at.astimezone(ZoneInfo(timezone)).date(),
        overdue=row.due_at < now,
        owner=row.owner,
        team=row.team,
        complainant=complainant,
        in_clear=in_clear,
    )


def preview_follow_ups(service: Service, tx: Transaction, complaint: Complaint) -> list[datetime]:
    """The due times of the follow-up contacts if the complainant is told the result now. Nothing is planned."""
    policy = service.configuration(tx).policy(complaint.policy_code, complaint.policy_version)
    change = Change(complaint, actor=ENGINE, new_id=service.new_id)
    start_after_result(change, policy, tx.now)
    known = {deadline.id for deadline in complaint.deadlines}
    made = [one for one in change.complaint.deadlines if one.id not in known]
    return sorted(one.due_at for one in made if one.kind == DeadlineKind.FOLLOW_UP)


def _ranges(configuration: Configuration, day_on: date) -> list[DayRange]:
    """The day in the time zone of every policy."""
    policies = defaultdict(list)
    for (code, version), policy in configuration.policies.items():
        policies[policy.timezone].append((code, version))
    return [
        DayRange(known, midnight(day_on, timezone), midnight(day_on + timedelta(days=1), timezone))
        for timezone, known in policies.items()
    ]


def midnight(day_on: date, timezone: str) -> datetime:
    """The begin of a local date in a time zone, in UTC."""
    return datetime(day_on.year, day_on.month, day_on.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def record_due_contact(
    service: Service,
    tx: Transaction,
    caller: Caller,
    reference: str,
    deadline_id: UUID,
    command: RecordContact,
) -> Complaint:
    """Record the contact of one follow-up. Returns the complaint with the deadlines that follow (rules 1.2 and 1.3).

    Raises Conflict if somebody made this contact meanwhile, and the refusals of `actions.transition`.
    """
    record = load_known_complaint(tx, caller, reference, right=Right.WORK, lock=True)
    waiting = {one.id for one in record.complaint.deadlines if one.unmet}
    if deadline_id not in waiting:
        raise Conflict("Somebody made this contact meanwhile: the complaint shows its outcome.")
    return actions.transition(service, tx, caller, reference, command, None)
