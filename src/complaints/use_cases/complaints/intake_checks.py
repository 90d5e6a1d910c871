"""The check of requests to register complaints: against the configuration alone, before anything is looked up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from complaints.domain.complaint.facts import Person
from complaints.domain.errors import ComplaintError, Forbidden, InvalidContent
from complaints.domain.policy.side_by_side import ChoosingMembers
from complaints.domain.rules.endings import Ending
from complaints.domain.rules.intake import NewComplaint
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import CreateComplaint, PersonIn, given_members, plain_values
from complaints.use_cases.complaints.external_ids import read_external_ids
from complaints.use_cases.complaints.identities import identity_of
from complaints.use_cases.configuration.changing import check_user
from complaints.use_cases.once import Attempt
from complaints.use_cases.service import Service

_LATEST_RECEIPT = timedelta(minutes=5)  # after now: the clocks of other systems are not exact


@dataclass(frozen=True, slots=True)
class IntakeRequest:
    """A request of `caller` to register a complaint, before the check. After the check it is a `NewComplaint`.

    `attempt` is None if the request has no idempotency key. An imported row has more members: `import_id` is the id
    of its import, and `row_digest` is the digest of its content. `team` and `ending` are the team and the end in the
    other system, if it tells them. They are None for a posted complaint.
    """

    caller: Caller
    command: CreateComplaint
    attempt: Attempt | None = None
    import_id: UUID | None = None
    row_digest: str | None = None
    team: str | None = None
    ending: Ending | None = None


Checked = dict[int, NewComplaint | ComplaintError]
"""Requests after their check, by place: a new complaint, or the refusal."""


def check_requests(service: Service, tx: Transaction, requests: Sequence[IntakeRequest]) -> Checked:
    """Check requests against the configuration alone."""
    configuration = service.configuration(tx)
    checked: Checked = {}
    for n, request in enumerate(requests):
        try:
            checked[n] = check_request(request, tx, configuration)
        except ComplaintError as refusal:
            checked[n] = refusal
    return checked


def check_request(request: IntakeRequest, tx: Transaction, configuration: Configuration) -> NewComplaint:
    """The new complaint of a request. Raises ComplaintError if it is refused."""
    caller, command = request.caller, request.command
    caller.require(Right.CREATE)
    source = command.source or caller.source
    if not caller.scope_for(Right.CREATE).admits_source(source):
        raise Forbidden(f"This key posts complaints of source {_sources_of(caller)} only.")
    received_at = command.received_at or tx.now
    if received_at > tx.now + _LATEST_RECEIPT:
        raise InvalidContent.at("/received_at", "received_at lies in the future.")
    if request.ending is not None:
        request.ending.check(received_at, tx.now)
    _check_team(request, configuration)
    members = ChoosingMembers(command.region, source, command.channel, command.category)
    policy, chosen_by = configuration.side_by_side.choose(received_at, members)
    given = command.external_ids or {}
    external_id, others = read_external_ids(source, command.external_id, given, caller.scope)
    return NewComplaint(
        **plain_values(command) | {"external_id": external_id},
        external_ids=others,
        source=source,
        received_at=received_at,
        policy=policy,
        policy_chosen_by=dict(chosen_by),
        actor=caller.actor,
        created_by=caller.login,
        category=configuration.classify(command.category, retired_too=True),
        priority=command.priority,
        first_owner=command.first_owner,
        complainant=_person_of(command.complainant),
        reporter=_person_of(command.reporter),
        identity=identity_of(command.complainant, policy),
        import_id=request.import_id,
        import_digest=None if external_id else request.row_digest,
        team=request.team,
        ending=request.ending,
    )


def _sources_of(caller: Caller) -> str:
    return " or ".join(map(repr, sorted(caller.scope_for(Right.CREATE).names)))


def _check_team(request: IntakeRequest, configuration: Configuration) -> None:
    """Raise InvalidContent for an unknown team. A complaint that has ended may belong to a retired team."""
    if request.team is None:
        return
    team = configuration.directory.teams.get(request.team)
    if team is None or not (team.active or request.ending):
        raise InvalidContent.at("/team", f"There is no active team {request.team!r}.")


def _person_of(given: PersonIn | None) -> Person | None:
    return None if given is None else Person(**given_members(given))


def find_retired_choice(new: NewComplaint, configuration: Configuration) -> InvalidContent | None:
    """The refusal of a retired category, or of a user who left. A repeated post chooses nothing (rule 1.7)."""
    try:
        configuration.classify(new.category.code if new.category else None)
        if new.first_owner is not None:
            check_user(configuration, new.first_owner, "/first_owner", may_know_logins=False)
    except InvalidContent as refusal:
        return refusal
    return None
