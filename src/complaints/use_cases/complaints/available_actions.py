"""The actions on a complaint: arguments and next status of each, and the reason if it is refused now."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Forbidden, TransitionRefused
from complaints.domain.rules.actions import ActionContext, close_refusal, judge_actions
from complaints.domain.rules.lifecycle import next_status
from complaints.domain.vocabulary import Action, ContactOutcome, Outcome, Status
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, right_for
from complaints.use_cases.commands.complaints import TRANSITIONS
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.complaints.merging import find_merge
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class Requirement:
    """An argument of an action. `schema` describes the accepted values as JSON Schema, without null.

    `takes_null`: it may be null too, which is not the same as absent.
    """

    name: str
    required: bool
    schema: Mapping[str, Any]
    takes_null: bool = False


@dataclass(frozen=True, slots=True)
class ActionOption:
    """An action on a complaint, allowed now or refused with a reason.

    `to` is the status after the action. `to_if_not_solved` is the status after a contact with the outcome
    `not_solved`. The caller must give at least one argument of `any_of`, if it is not empty.
    """

    action: Action
    refused_because: str | None
    requires: tuple[Requirement, ...]
    any_of: tuple[str, ...] = ()
    to: Status | None = None
    to_if_not_solved: Status | None = None

    @property
    def allowed(self) -> bool:
        """True if the action may be taken now."""
        return self.refused_because is None


def load_action_options(
    service: Service, tx: Transaction, caller: Caller, reference: str
) -> tuple[Complaint, list[ActionOption]]:
    """The complaint, and every action, allowed or refused (rule 1.6). Raises NotFound."""
    complaint = load_known_complaint(tx, caller, reference).complaint
    context = service.context(tx, complaint, caller)
    was = find_merge(tx, complaint.id).was if complaint.merged_into else None
    return complaint, [
        _make_option(
            complaint,
            context,
            verdict.action,
            _find_missing_right(caller, verdict.action) or verdict.refused_because,
            was,
        )
        for verdict in judge_actions(complaint, context)
    ]


def _find_missing_right(caller: Caller, action: Action) -> str | None:
    try:
        caller.require(right_for(action))
    except Forbidden as refusal:
        return refusal.detail
    return None


def _make_option(
    complaint: Complaint,
    context: ActionContext,
    action: Action,
    refused_because: str | None,
    was: Status | None,
) -> ActionOption:
    """`was` is the status of a merged complaint before the merge."""
    to = _find_next_status(complaint, action, was=was)
    if_not_solved = _find_next_status(complaint, action, not_solved=True, was=was)
    return ActionOption(
        action=action,
        refused_because=refused_because,
        requires=_find_requirements(complaint, context, action),
        any_of=TRANSITIONS[action].any_of,
        to=to,
        to_if_not_solved=if_not_solved if if_not_solved is not to else None,
    )


def _find_next_status(
    complaint: Complaint, action: Action, *, was: Status | None, not_solved: bool = False
) -> Status | None:
    try:
        return next_status(complaint.status, action, not_solved=not_solved, was=was)
    except TransitionRefused:
        return None


# The arguments of actions -----------------------------------------------------------------------------------


def read_requirements(model: type[Content]) -> tuple[Requirement, ...]:
    """The arguments of an action or another command, read from the model that validates it."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    required, null_counts = schema.get("required", ()), getattr(model, "null_counts", ())
    return tuple(
        Requirement(name, name in required, _plain_schema(member, definitions), name in null_counts)
        for name, member in schema.get("properties", {}).items()
        if name != "action"
    )


def _plain_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without references, without titles, and without a null that only means absent."""
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


_REQUIREMENTS = {action: read_requirements(TRANSITIONS[action]) for action in Action}
_UPHELD = (Outcome.UPHELD, Outcome.PARTLY_UPHELD)


def _find_requirements(
    complaint: Complaint, context: ActionContext, action: Action
) -> tuple[Requirement, ...]:
    found = _REQUIREMENTS[action]
    if action not in (Action.CLOSE, Action.RECORD_CONTACT):
        return found
    return tuple(_fit_requirement(requirement, complaint, context) for requirement in found)


def _fit_requirement(requirement: Requirement, complaint: Complaint, context: ActionContext) -> Requirement:
    """The requirement, changed to what this complaint needs."""
    match requirement.name:
        case "outcome" if complaint.status is not Status.FOLLOWING_UP:
            return replace(requirement, schema={"type": "string", "enum": [ContactOutcome.UNREACHABLE.value]})
        case "root_cause":
            is_required = complaint.outcome in _UPHELD and complaint.root_cause is None
            return replace(requirement, required=is_required)
        case "early" | "message" | "contact_channel":
            return replace(
                requirement, required=close_refusal(complaint, context.now, early=False) is not None
            )
        case _:
            return requirement
