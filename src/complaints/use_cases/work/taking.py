"""A user takes a complaint, by its name or as the next one of a queue (rule 1.18)."""

from collections.abc import Sequence

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Conflict, InvalidContent, NotFound, clip
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import actions
from complaints.domain.rules.ownership import has_left
from complaints.domain.vocabulary import Action
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import work_queue
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.bulk import BulkWork, ShowItem, check_named_once
from complaints.use_cases.complaints.changing import Versions, change_complaint
from complaints.use_cases.configuration.changing import claim_user
from complaints.use_cases.service import Service
from complaints.use_cases.work.queues import check_team


def take(
    service: Service, tx: Transaction, caller: Caller, reference: str, versions: Versions = None
) -> Complaint:
    """Assign an open complaint to the caller. Nothing changes if the caller has it already.

    Raises Conflict if another user has it, InvalidContent for a key without a user, TransitionRefused for a complaint
    that has ended, NotFound, and StaleVersion.
    """
    login = _claim_caller(service, tx, caller)

    def step(tx: Transaction, change: Change, policy: Policy) -> None:
        complaint, context = change.complaint, service.context(tx, change.complaint, caller)
        holder = complaint.assignee
        if complaint.open and holder == login:
            return
        if complaint.open and holder is not None and not has_left(holder, context.directory):
            raise Conflict(f"User {holder!r} has this complaint already.")
        actions.plan(change, context, Action.ASSIGN, {"assignee": login})

    return change_complaint(service, tx, caller, reference, step, versions=versions)


def take_many(service: Service, caller: Caller, references: Sequence[str], show: ShowItem) -> BulkWork:
    """The work of taking several complaints, each as `take` does it. Raises Forbidden, and InvalidContent."""
    caller.require(Right.WORK)
    check_named_once(references, "complaints")

    def act(tx: Transaction, reference: str) -> None:
        take(service, tx, caller, reference)

    return BulkWork(lambda tx: references, act, show, load.lock_in_order)


def take_next(service: Service, tx: Transaction, caller: Caller, team: str) -> Complaint:
    """Assign the first complaint of the queue of a team to the caller.

    Raises NotFound if no complaint waits there, or for an unknown team, and InvalidContent as `take`.
    """
    check_team(service, tx, team)
    _claim_caller(service, tx, caller)
    found = work_queue.claim_first(tx, team, caller.scope_for(Right.WORK))
    if found is None:
        raise NotFound(f"No complaint waits in the queue of team {team!r}.")
    return take(service, tx, caller, str(found))


def _claim_caller(service: Service, tx: Transaction, caller: Caller) -> str:
    """The login of the caller, who cannot leave until the transaction ends."""
    caller.require(Right.WORK)
    if caller.login is None:
        raise InvalidContent(
            f"Only a user can take complaints; the key {clip(caller.name, 100)!r} belongs to none."
        )
    claim_user(service, tx, caller.login)
    return caller.login
