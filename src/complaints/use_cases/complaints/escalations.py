"""Escalations: list, read and acknowledge them, and the inbox of those that still wait for somebody."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import AnyChange, SubjectChange
from complaints.domain.errors import Conflict, Forbidden, NotFound
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import deadlines
from complaints.domain.rules.recipients import find_represented_users
from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.domain.vocabulary import AccessRole, EventType
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import escalations, inbox
from complaints.storage.queries.escalations import EscalationFilter
from complaints.storage.queries.inbox import InboxFilter
from complaints.storage.queries.inbox import InboxPosition as InboxPosition
from complaints.storage.rows.escalation import acknowledge_escalation
from complaints.storage.rows.subject import name_of
from complaints.storage.save import ChangeToSave, save
from complaints.storage.subjects import SubjectToSave
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.bulk import (
    MOST_ITEMS,
    BulkWork,
    ShowItem,
    check_choice,
    check_count,
    check_named_once,
)
from complaints.use_cases.commands.complaints import Acknowledge, given_members
from complaints.use_cases.complaints.bulk_commands import BulkAcknowledge
from complaints.use_cases.complaints.changing import catch_up, open_change
from complaints.use_cases.complaints.known import (
    is_known,
    is_known_subject,
    load_known_complaint,
    load_known_subject,
)
from complaints.use_cases.complaints.recipients import choose_recipients
from complaints.use_cases.complaints.views import MASK
from complaints.use_cases.named_filters import ME, check_name
from complaints.use_cases.service import Service

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationSearch:
    """The escalations that a caller asks for, in the caller's words. None means any.

    `recipient` is a login, `me` or `none`. `complaint` is an id or a sequence number.
    """

    complaint: UUID | int | None = None
    kind: str | None = None
    acknowledged: bool | None = None
    superseded: bool | None = None
    settled: bool | None = None
    level_min: int | None = None
    team: str | None = None
    recipient: str | None = None


def list_escalations(
    service: Service,
    tx: Transaction,
    caller: Caller,
    asked: EscalationSearch,
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row]:
    """Escalations within the scope of the caller, latest first.

    Raises InvalidContent for an unknown recipient, team or kind.
    """
    wanted = _filter_of(service, tx, caller, asked)
    scope = caller.scope_with(Right.READ_OWN, tx.now, wanted.recipients)
    if wanted.complaint is not None and caller.login and is_known(tx, caller, wanted.complaint):
        scope = ALL_COMPLAINTS
    rows = escalations.list_escalations(tx, wanted, scope=scope, before=before, limit=limit)
    return [_shown(row, caller) for row in rows]


def _filter_of(
    service: Service, tx: Transaction, caller: Caller, asked: EscalationSearch
) -> EscalationFilter:
    configuration = service.configuration(tx)
    check_name(asked.team, configuration.directory.teams, parameter="team", thing="team")
    check_name(asked.kind, configuration.deadline_kinds, parameter="kind", thing="kind of deadline")
    members = asdict(asked)
    recipients = choose_recipients(tx, configuration, caller, members.pop("recipient"))
    return EscalationFilter(**members, recipients=recipients)


def list_inbox(
    service: Service,
    tx: Transaction,
    caller: Caller,
    *,
    recipient: str | None,
    team: str | None,
    level_min: int | None,
    after: InboxPosition | None,
    limit: int,
) -> Sequence[Row]:
    """The complaints within the scope of the caller with escalations that still wait, worst first (rule 3.8).

    Raises InvalidContent for an unknown recipient or team.
    """
    wanted, scope = _choose_inbox(service, tx, caller, recipient, team, level_min)
    rows = inbox.list_inbox(tx, wanted, scope=scope, after=after, limit=limit)
    return [_shown(row, caller) for row in rows]


def count_inbox(service: Service, tx: Transaction, caller: Caller, *, most: int) -> int:
    """The number of rows in the own inbox of a user, but at most `most`."""
    wanted, scope = _choose_inbox(service, tx, caller, ME)
    return inbox.count_inbox(tx, wanted, scope=scope, most=most)


def _choose_inbox(
    service: Service,
    tx: Transaction,
    caller: Caller,
    recipient: str | None,
    team: str | None = None,
    level_min: int | None = None,
) -> tuple[InboxFilter, Scope]:
    """The inbox that a caller asks for, and its scope. Raises InvalidContent for an unknown recipient or team."""
    configuration = service.configuration(tx)
    check_name(team, configuration.directory.teams, parameter="team", thing="team")
    wanted = InboxFilter(choose_recipients(tx, configuration, caller, recipient), team, level_min)
    return wanted, caller.scope_with(Right.READ_OWN, tx.now, wanted.recipients)


def load_escalation(tx: Transaction, caller: Caller, escalation_id: UUID) -> Row:
    """One escalation. Raises NotFound, also for one of a complaint that the caller may not know of (rule 7.4)."""
    found = escalations.find_escalation(tx, escalation_id, scope=caller.scope)
    if found is None and caller.login:
        found = escalations.find_escalation(tx, escalation_id, scope=ALL_COMPLAINTS)
        found = found if found and _is_of_known(tx, caller, found) else None
    if found is None:
        raise NotFound(f"There is no escalation {str(escalation_id)!r}.")
    return _shown(found, caller)


def _is_of_known(tx: Transaction, caller: Caller, found: Row) -> bool:
    if found["complaint_id"] is not None:
        return is_known(tx, caller, found["complaint_id"])
    return is_known_subject(tx, caller, found["subject_id"])


def _shown(row: Row, caller: Caller) -> Row:
    """The escalation as the caller sees it, with the name of its subject as `owned_by`.

    The note of the acknowledgement is for staff.
    """
    row = {**row, "owned_by": name_of(row)}
    if row["acknowledged_note"] is None or caller.has_right_everywhere(Right.SEE_INTERNAL):
        return row
    return {**row, "acknowledged_note": MASK}


def acknowledge(
    service: Service, tx: Transaction, caller: Caller, escalation_id: UUID, command: Acknowledge
) -> Row:
    """Record that the caller takes care of an escalation (rule 3.5). The version of the complaint or
    other subject stays.

    No repetition of its step follows (rule 3.9). Raises Forbidden for a caller who is neither a recipient nor stands
    in for one, NotFound, and Conflict if it was acknowledged before.
    """
    caller.require(Right.WORK)
    found = load_escalation(tx, caller, escalation_id)
    _check_may_acknowledge(service, tx, caller, found["recipients"])
    if found["complaint_id"] is not None:
        loaded = load_known_complaint(tx, caller, found["complaint_id"], right=Right.WORK, lock=True)
        _acknowledge_once(tx, caller, escalation_id, command)
        change, policy = open_change(service, tx, caller, loaded)
        record_acknowledgement(change, policy, found, command, tx.now)
        save(tx, [ChangeToSave(change, loaded.history_end)], service.new_id)
    else:
        of_subject = load_known_subject(tx, caller, None, found["subject_id"], right=Right.WORK, lock=True)
        _acknowledge_once(tx, caller, escalation_id, command)
        own = SubjectChange(of_subject.subject, actor=caller.actor, new_id=service.new_id)
        policy = catch_up(service, tx, own)
        record_acknowledgement(own, policy, found, command, tx.now)
        save(tx, [], service.new_id, subjects=[SubjectToSave(own, of_subject.history_end)])
    return load_escalation(tx, caller, escalation_id)


def _acknowledge_once(tx: Transaction, caller: Caller, escalation_id: UUID, command: Acknowledge) -> None:
    """Mark the escalation. Its complaint or other subject is locked, so only one caller is the first."""
    if not acknowledge_escalation(tx, escalation_id, by=caller.actor, note=command.note):
        before = load_escalation(tx, caller, escalation_id)
        raise Conflict(f"{before['acknowledged_by']} has acknowledged this escalation before.")


def record_acknowledgement(
    change: AnyChange, policy: Policy, found: Row, command: Acknowledge, now: datetime
) -> None:
    """Plan the acknowledgement of the escalation `found`, of which `id`, `deadline_id` and `step` are needed."""
    _end_repetitions(change, policy, found, now)
    change.record(
        EventType.ESCALATION_ACKNOWLEDGED,
        now,
        escalation_id=found["id"],
        deadline_id=found["deadline_id"],
        step=found["step"],
        note=command.note,
    )


def acknowledge_many(service: Service, caller: Caller, chosen: BulkAcknowledge, show: ShowItem) -> BulkWork:
    """The work of acknowledging the chosen escalations, each as `acknowledge` does it. Raises Forbidden."""
    caller.require(Right.WORK)
    check_choice("escalations", chosen.escalations, chosen.filter, chosen.expected_count)
    act = partial(_acknowledge_named, service, caller, Acknowledge(note=chosen.note))
    return BulkWork(partial(_find_chosen, service, caller, chosen), act, show)


def acknowledge_rows(
    service: Service,
    caller: Caller,
    owner_ids: Collection[UUID],
    command: Acknowledge,
    show: ShowItem,
    *,
    recipient: str | None,
    seen_at: datetime,
) -> BulkWork:
    """The work of acknowledging what waited at `seen_at` behind rows of `list_inbox`, at most 500 escalations.

    `owner_ids` are the ids of the complaints and other subjects of the rows, and `recipient` is that of the list. What
    came after `seen_at` nobody has seen, so it goes on waiting. Raises Forbidden.
    """
    caller.require(Right.WORK)

    def find(tx: Transaction) -> Sequence[str]:
        wanted, _ = _choose_inbox(service, tx, caller, recipient)
        found = inbox.find_waiting_ids(tx, owner_ids, wanted, seen_at=seen_at, limit=MOST_ITEMS)
        return [*map(str, found)]

    return BulkWork(find, partial(_acknowledge_named, service, caller, command), show)


def _acknowledge_named(
    service: Service, caller: Caller, command: Acknowledge, tx: Transaction, escalation_id: str
) -> None:
    acknowledge(service, tx, caller, _read_id(escalation_id), command)


def _find_chosen(service: Service, caller: Caller, chosen: BulkAcknowledge, tx: Transaction) -> Sequence[str]:
    """Raises InvalidContent for an escalation that is named twice, and the refusals of `check_count`."""
    if chosen.filter is None:
        named = chosen.escalations or ()
        check_named_once([name.lower() for name in named], "escalations")
        return named
    asked = EscalationSearch(acknowledged=False, **given_members(chosen.filter))
    found = list_escalations(service, tx, caller, asked, before=None, limit=MOST_ITEMS + 1)
    check_count(len(found), chosen.expected_count)
    return [str(row["id"]) for row in found]


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"{text[:100]!r} is not the id of an escalation.") from None


def _check_may_acknowledge(
    service: Service, tx: Transaction, caller: Caller, recipients: Sequence[str]
) -> None:
    if not may_acknowledge(service, tx, caller, recipients):
        raise Forbidden(
            "Only a recipient, the deputy of an absent recipient, or an administrator may acknowledge it."
        )


def may_acknowledge(service: Service, tx: Transaction, caller: Caller, recipients: Collection[str]) -> bool:
    """True if the caller is a recipient, stands in for one, or is an administrator (rule 3.5)."""
    if AccessRole.ADMIN in caller.roles or caller.login in recipients:
        return True
    directory = service.configuration(tx).directory
    return caller.login is not None and not set(recipients).isdisjoint(
        find_represented_users(caller.login, directory, tx.now)
    )


def _end_repetitions(change: AnyChange, policy: Policy, found: Row, now: datetime) -> None:
    if found["deadline_id"] is not None:
        deadline = change.deadline(found["deadline_id"])
        change.put_deadline(deadlines.end_repetitions(deadline, change.subject, policy, found["step"], now))
