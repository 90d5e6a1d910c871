"""The actions that bring a ticket to another status, and what each action carries. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Fault, InvalidContent, TransitionRefused
from complaints.domain.instants import write_instant
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.actions import close_refusal
from complaints.domain.time import working_time
from complaints.domain.vocabulary import (
    AccessRole,
    Action,
    Cause,
    ContactChannel,
    ContactOutcome,
    HoldReason,
    Outcome,
    Status,
)
from complaints.tmf621.characteristic_names import (
    CARRIED,
    CONTACT_CHANNEL,
    HOLD_UNTIL,
    OUTCOME,
    REJECT_REASON,
    ROOT_CAUSE,
)
from complaints.tmf621.tickets.statuses import TicketStatus, ticket_status

DEFAULT_REJECT_REASON = "tmf621"
_REASON = "statusChangeReason"
_RESPONSE = "Work on the ticket has begun."
_WITHDRAWAL = "The ticket was cancelled."
_UPHELD = (Outcome.UPHELD, Outcome.PARTLY_UPHELD)

_S, _A = Status, Action
_UNRESOLVED = (_S.RECEIVED, _S.INVESTIGATING, _S.ON_HOLD)
_ROUTES: dict[TicketStatus, dict[Status, tuple[Action, ...]]] = {
    TicketStatus.IN_PROGRESS: {
        _S.RECEIVED: (_A.RESPOND,),
        _S.ON_HOLD: (_A.RESUME,),
        **dict.fromkeys((_S.RESOLVED, _S.FOLLOWING_UP, _S.CLOSED, _S.REJECTED, _S.WITHDRAWN), (_A.REOPEN,)),
    },
    TicketStatus.PENDING: {_S.INVESTIGATING: (_A.HOLD,)},
    TicketStatus.HELD: {_S.INVESTIGATING: (_A.HOLD,)},
    TicketStatus.RESOLVED: dict.fromkeys(_UNRESOLVED, (_A.RESOLVE,)),
    TicketStatus.CLOSED: {
        _S.RESOLVED: (_A.NOTIFY_RESULT, _A.RECORD_CONTACT, _A.CLOSE),
        _S.FOLLOWING_UP: (_A.RECORD_CONTACT, _A.CLOSE),
    },
    TicketStatus.REJECTED: dict.fromkeys(_UNRESOLVED, (_A.REJECT,)),
    TicketStatus.CANCELLED: dict.fromkeys((*_UNRESOLVED, _S.RESOLVED, _S.FOLLOWING_UP), (_A.WITHDRAW,)),
}
_CARRIERS = {OUTCOME: (_A.RESOLVE,), ROOT_CAUSE: (_A.RESOLVE, _A.CLOSE)}
_SPOKEN = {OUTCOME: "resolved", ROOT_CAUSE: "resolved or closed"}
_REASON_NEEDED = {
    _A.RESOLVE: "statusChangeReason is missing: it is the resolution of a ticket that becomes resolved.",
    _A.REOPEN: "statusChangeReason is missing: a ticket is reopened for a reason.",
    _A.REJECT: "statusChangeReason is missing: it is the message to the customer whose ticket is rejected.",
}


@dataclass(frozen=True, slots=True)
class RequestedStatus:
    """The status that a change asks for. `reason` is its `statusChangeReason`, None for none with visible text.

    `carried` has the values of the characteristics `CARRIED` by name, as they were sent. `changed` are the names of
    those with another value than the ticket shows.
    """

    status: TicketStatus
    reason: str | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()

    def value(self, name: str, default: Any = None) -> Any:
        """The value of a carried characteristic, or the default."""
        found = self.carried.get(name)
        return default if found is None else found


@dataclass(frozen=True, slots=True)
class StepFacts:
    """The facts that decide what the next action carries: the complaint, its policy, the caller's roles, the time."""

    complaint: Complaint
    policy: Policy
    roles: frozenset[AccessRole]
    now: datetime


def find_route(status: Status, shown: TicketStatus, wanted: TicketStatus) -> tuple[Action, ...] | None:
    """The actions from the status of a complaint to the wanted status of its ticket, in their order.

    `shown` is the present status of the ticket. The route is empty if it is the wanted one, None if there is no way.
    """
    if shown is wanted:
        return ()
    return _ROUTES.get(wanted, {}).get(status)


def check_carried(route: Sequence[Action], changed: Collection[str]) -> None:
    """Raise TransitionRefused if a result would be lost, because no action of the route carries it."""
    for name, carriers in _CARRIERS.items():
        if name in changed and not set(route) & set(carriers):
            raise TransitionRefused(
                f"The characteristic {name} can only be given with a change to {_SPOKEN[name]}."
            )


def list_possible(complaint: Complaint, allowed: Collection[Action]) -> list[TicketStatus]:
    """The other statuses that the ticket can get now. `allowed` are the actions that the caller may take now."""
    hold = complaint.current_hold
    shown = ticket_status(complaint.status, hold.reason if hold else None)
    routes = ((one, find_route(complaint.status, shown, one)) for one in TicketStatus)
    return [one for one, route in routes if route and route[0] in allowed]


def step_members(action: Action, requested: RequestedStatus, facts: StepFacts) -> dict[str, Any]:
    """The members of the command for the next action on the way to the wanted status.

    Raises TransitionRefused, without the statuses that are possible, if the request or the caller lacks something.
    """
    if action in _REASON_NEEDED and requested.reason is None:
        raise TransitionRefused(_REASON_NEEDED[action])
    return _MEMBERS[action](requested, facts)


def _channel(requested: RequestedStatus) -> Any:
    return requested.value(CONTACT_CHANNEL, ContactChannel.PHONE)


def _hold_members(requested: RequestedStatus, facts: StepFacts) -> dict[str, Any]:
    """Without a characteristic `hold_until` the hold lasts as long as the policy allows."""
    policy = facts.policy
    latest = working_time.due_at(facts.now, policy.hold_maximum, working_time.always_open(policy.timezone))
    is_pending = requested.status is TicketStatus.PENDING
    return {
        "reason": HoldReason.AWAITING_COMPLAINANT if is_pending else HoldReason.AWAITING_THIRD_PARTY,
        "until": requested.value(HOLD_UNTIL, latest and write_instant(latest)),
    }


def _resolve_members(requested: RequestedStatus, facts: StepFacts) -> dict[str, Any]:
    return {
        "resolution": requested.reason,
        "outcome": requested.value(OUTCOME, Outcome.NOT_UPHELD),
        "cause": facts.complaint.cause or Cause.SERVICE,
        "root_cause": requested.value(ROOT_CAUSE),
    }


def _close_members(requested: RequestedStatus, facts: StepFacts) -> dict[str, Any]:
    """The close is early if the follow-ups are not over: the request is the confirmation of the customer."""
    complaint, root_cause = facts.complaint, requested.value(ROOT_CAUSE)
    if complaint.outcome in _UPHELD and not (root_cause or complaint.root_cause):
        raise TransitionRefused(
            f"The characteristic root_cause is missing: a ticket that is {complaint.outcome} closes with it."
        )
    if close_refusal(complaint, facts.now, early=False) is None:
        return {"root_cause": root_cause}
    needed = facts.policy.early_close_roles
    if not facts.roles & needed:
        raise TransitionRefused(
            f"Your roles do not allow an early close: it needs one of {', '.join(sorted(needed))}."
        )
    return {
        "root_cause": root_cause,
        "early": True,
        "message": requested.reason or complaint.resolution,
        "contact_channel": _channel(requested),
    }


def _reject_members(requested: RequestedStatus, _: StepFacts) -> dict[str, Any]:
    reason = requested.value(REJECT_REASON, DEFAULT_REJECT_REASON)
    return {"reason": reason, "message": requested.reason, "contact_channel": _channel(requested)}


_MEMBERS: dict[Action, Callable[[RequestedStatus, StepFacts], dict[str, Any]]] = {
    Action.RESPOND: lambda requested, _: {
        "message": requested.reason or _RESPONSE,
        "contact_channel": _channel(requested),
    },
    Action.HOLD: _hold_members,
    Action.RESUME: lambda _requested, _facts: {},
    Action.RESOLVE: _resolve_members,
    Action.NOTIFY_RESULT: lambda requested, facts: {
        "message": requested.reason or facts.complaint.resolution,
        "contact_channel": _channel(requested),
    },
    Action.RECORD_CONTACT: lambda _requested, _facts: {"outcome": ContactOutcome.SOLVED},
    Action.CLOSE: _close_members,
    Action.REOPEN: lambda requested, _: {"reason": requested.reason},
    Action.REJECT: _reject_members,
    Action.WITHDRAW: lambda requested, _: {"reason": requested.reason or _WITHDRAWAL},
}
_SENT_AS = {"resolution": _REASON, "message": _REASON, "until": HOLD_UNTIL}


def name_as_sent(refusal: InvalidContent, action: Action) -> InvalidContent:
    """The refusal of a command with the names of the members and characteristics that the caller sent."""
    names = {**_SENT_AS, "reason": REJECT_REASON if action is Action.REJECT else _REASON}
    faults = []
    for fault in refusal.faults:
        name = fault.pointer.removeprefix("/")
        sent = names.get(name, name)
        pointer = "/troubleTicketCharacteristic" if sent in CARRIED else f"/{sent}"
        message = fault.message.replace(name, sent, 1) if fault.message.startswith(name) else fault.message
        faults.append(Fault(pointer, message))
    return InvalidContent(faults[0].message if faults else refusal.detail, faults=faults)
