"""Actions on many complaints that can be undone: each by an action that brings back what was before."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import Action
from complaints.storage import load
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.bulk import MOST_ITEMS, BulkWork, ShowItem, check_named_once
from complaints.use_cases.commands.complaints import Assign, Resume, StartHold
from complaints.use_cases.commands.field_types import WHOLE, Code, Content
from complaints.use_cases.complaints.actions import transition
from complaints.use_cases.service import Service

"""The actions that another action takes back."""


class UndoStep(Content):
    """The action that takes another one back on one complaint, unless its version changed since then."""

    complaint: Code
    version: Annotated[int, Field(ge=1), WHOLE]
    back: Annotated[Assign | StartHold | Resume, Field(discriminator="action")]


class BulkUndo(Content):
    """The steps that take an action on many complaints back."""

    steps: Annotated[tuple[UndoStep, ...], Field(min_length=1, max_length=MOST_ITEMS)]


def plan_undo(action: Action, before: Complaint, after: Complaint) -> UndoStep | None:
    """The step that takes `action` back; None if nothing can, or if it changed nothing."""
    back = _way_back(action, before, after)
    if back is None:
        return None
    members = {"complaint": str(after.id), "version": after.version, "back": back}
    return UndoStep.model_validate(members)


def _way_back(action: Action, before: Complaint, after: Complaint) -> dict[str, Any] | None:
    match action:
        case Action.ASSIGN if before.team != after.team:
            return {"action": action, "team": before.team, "assignee": before.assignee}
        case Action.ASSIGN if before.assignee != after.assignee:
            return {"action": action, "assignee": before.assignee}
        case Action.HOLD:
            return {"action": Action.RESUME}
        case Action.RESUME if (hold := before.current_hold) is not None:
            return {"action": Action.HOLD, "reason": hold.reason, "until": hold.until_at}
    return None


def undo_on_many(service: Service, caller: Caller, steps: Sequence[UndoStep], show: ShowItem) -> BulkWork:
    """The work of taking an action back. A complaint that changed since then is refused.

    Raises Forbidden without the right to work, and InvalidContent for a complaint that is named twice.
    """
    caller.require(Right.WORK)
    by_complaint = {step.complaint: step for step in steps}

    def find(tx: Transaction) -> Sequence[str]:
        names = [step.complaint for step in steps]
        check_named_once(names, "steps")
        return names

    def act(tx: Transaction, reference: str) -> None:
        step = by_complaint[reference]
        transition(service, tx, caller, reference, step.back, frozenset({step.version}))

    return BulkWork(find, act, show, load.lock_in_order)
