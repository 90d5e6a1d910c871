"""Takes the actions that bring a ticket to another status, in the transaction of the change."""

from typing import Any

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import InvalidContent, TransitionRefused
from complaints.domain.vocabulary import Action
from complaints.tmf621.characteristic_names import OUTCOME
from complaints.tmf621.requests import TmfRequest
from complaints.tmf621.tickets.status_actions import (
    RequestedStatus,
    StepFacts,
    check_carried,
    find_route,
    list_possible,
    name_as_sent,
    step_members,
)
from complaints.tmf621.tickets.statuses import ticket_status
from complaints.use_cases.commands.complaints import TRANSITIONS, ResolveAssumed
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints.actions import transition
from complaints.use_cases.complaints.views import view_one
from complaints.use_cases.service import Transaction


def change_status(
    request: TmfRequest, tx: Transaction, complaint: Complaint, requested: RequestedStatus
) -> None:
    """Bring the ticket of a complaint to the wanted status. The caller has locked the complaint.

    Raises TransitionRefused with the statuses that are possible now, InvalidContent, and Forbidden.
    """
    hold = complaint.current_hold
    shown = ticket_status(complaint.status, hold.reason if hold else None)
    route = find_route(complaint.status, shown, requested.status)
    present = complaint
    try:
        if route is None:
            raise TransitionRefused(f"A ticket that is {shown} cannot become {requested.status}.")
        check_carried(route, requested.changed)
        for action in route:
            present = _take(request, tx, present, action, requested)
    except TransitionRefused as refusal:
        view = view_one(request.service, tx, request.caller, complaint)
        possible = list_possible(complaint, view.allowed)
        raise TransitionRefused(refusal.detail, allowed=possible) from None


def _take(
    request: TmfRequest, tx: Transaction, complaint: Complaint, action: Action, requested: RequestedStatus
) -> Complaint:
    """Take one action. Returns the complaint after it."""
    service, caller = request.service, request.caller
    context = service.context(tx, complaint, caller)
    members = step_members(action, requested, StepFacts(complaint, context.policy, caller.roles, context.now))
    given = {name: value for name, value in members.items() if value is not None}
    try:
        command = read_command(_command_type(action, requested), {"action": action, **given})
        return transition(service, tx, caller, str(complaint.id), command, None)
    except InvalidContent as refusal:
        raise name_as_sent(refusal, action) from None


def _command_type(action: Action, requested: RequestedStatus) -> type[Any]:
    is_assumed = action is Action.RESOLVE and requested.value(OUTCOME) is None
    return ResolveAssumed if is_assumed else TRANSITIONS[action]
