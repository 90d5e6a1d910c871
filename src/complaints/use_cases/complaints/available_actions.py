"""What may be done to a complaint now: each action, what it carries, where it leads, or why it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Forbidden, TransitionRefused
from complaints.domain.rules.actions import Context, close_refusal, judge_actions
from complaints.domain.rules.lifecycle import next_status
from complaints.domain.vocabulary import Action, ContactOutcome, Outcome, Status
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import TRANSITIONS
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class Requirement:
    """A member that an action carries: `schema` is what is accepted, as JSON Schema."""

    name: str
    required: bool
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ActionOption:
    """An action on a complaint. `to` is the state after it; `to_if_not_solved` after a contact.

    Of `any_of` at least one member must be there.
    """

    action: Action
    refused_because: str | None
    requires: tuple[Requirement, ...]
    any_of: tuple[str, ...] = ()
    to: Status | None = None
    to_if_not_solved: Status | None = None

    @property
    def allowed(self) -> bool:
        """Whether it may be taken now."""
        return self.refused_because is None


def load_action_options(
    service: Service, tx: Transaction, caller: Caller, reference: str
) -> tuple[Complaint, list[ActionOption]]:
    """The complaint and every action, allowed or not. Raises NotFound."""
    complaint = load.load_complaint(tx, reference, scope=caller.scope).complaint
    context = service.context(tx, complaint, caller)
    lacking = _lacking(caller)
    return complaint, [
        _choice(complaint, context, verdict.action, lacking or verdict.refused_because)
        for verdict in judge_actions(complaint, context)
    ]


def _lacking(caller: Caller) -> str | None:
    try:
        caller.require(Right.WORK)
    except Forbidden as refusal:
        return refusal.detail
    return None


def _choice(
    complaint: Complaint, context: Context, action: Action, refused_because: str | None
) -> ActionOption:
    to = _target(complaint, action)
    if_not_solved = _target(complaint, action, not_solved=True)
    return ActionOption(
        action=action,
        refused_because=refused_because,
        requires=_carried(complaint, context, action),
        any_of=("team", "assignee") if action is Action.ASSIGN else (),
        to=to,
        to_if_not_solved=if_not_solved if if_not_solved is not to else None,
    )


def _target(complaint: Complaint, action: Action, *, not_solved: bool = False) -> Status | None:
    try:
        return next_status(complaint.status, action, not_solved=not_solved)
    except TransitionRefused:
        return None


# What an action carries -------------------------------------------------------------------------------------


def _requirements(action: Action) -> tuple[Requirement, ...]:
    """Read from the model that checks the action."""
    schema = TRANSITIONS[action].model_json_schema()
    definitions = schema.get("$defs", {})
    required = schema.get("required", ())
    return tuple(
        Requirement(name, name in required, _plain_schema(member, definitions))
        for name, member in schema["properties"].items()
        if name != "action"
    )


def _plain_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Without references, without titles, and without the null that only means absent."""
    if "$ref" in schema:
        return _plain_schema(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        return _plain_schema(options[0], definitions)
    plain = {name: value for name, value in schema.items() if name not in ("title", "default", "description")}
    if options:
        plain["anyOf"] = [_plain_schema(option, definitions) for option in options]
    if "properties" in plain:
        plain["properties"] = {
            name: _plain_schema(member, definitions) for name, member in plain["properties"].items()
        }
    return plain


_REQUIREMENTS = {action: _requirements(action) for action in Action}
_UPHELD = (Outcome.UPHELD, Outcome.PARTLY_UPHELD)


def _carried(complaint: Complaint, context: Context, action: Action) -> tuple[Requirement, ...]:
    found = _REQUIREMENTS[action]
    if action not in (Action.CLOSE, Action.RECORD_CONTACT):
        return found
    return tuple(_fitted(one, complaint, context) for one in found)


def _fitted(one: Requirement, complaint: Complaint, context: Context) -> Requirement:
    """What this complaint asks for beyond what the action does."""
    match one.name:
        case "outcome" if complaint.status is not Status.FOLLOWING_UP:
            return replace(one, schema={"type": "string", "enum": [ContactOutcome.UNREACHABLE.value]})
        case "root_cause":
            owed = complaint.outcome in _UPHELD and complaint.root_cause is None
            return replace(one, required=owed)
        case "early" | "message" | "contact_channel":
            return replace(one, required=close_refusal(complaint, context.now, early=False) is not None)
        case _:
            return one
