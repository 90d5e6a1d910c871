"""The table of the lifecycle (domain §1). Diagram, documentation, API listing and tests are made from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from transitions import Machine, MachineError

from complaints.domain.errors import TransitionRefused
from complaints.domain.vocabulary import Action, Status

S = Status
_OPEN = (S.RECEIVED, S.INVESTIGATING, S.ON_HOLD, S.RESOLVED, S.FOLLOWING_UP)
_SAME = "="


@dataclass(frozen=True, slots=True)
class LifecycleRow:
    """A row of the table: `action` leads from each status of `sources` to `target`.

    If `target` is None, the status stays. A row with `when_not_solved` applies only to a contact with the
    outcome `not_solved`. A row with `back` applies only to a complaint that had the status `target` before.
    """

    action: Action
    sources: tuple[Status, ...]
    target: Status | None
    when_not_solved: bool = False
    back: bool = False


TABLE: tuple[LifecycleRow, ...] = (
    LifecycleRow(Action.ASSIGN, _OPEN, None),
    LifecycleRow(Action.RESPOND, (S.RECEIVED,), S.INVESTIGATING),
    LifecycleRow(Action.RESPOND, (S.INVESTIGATING, S.ON_HOLD), None),
    LifecycleRow(Action.HOLD, (S.INVESTIGATING,), S.ON_HOLD),
    LifecycleRow(Action.RESUME, (S.ON_HOLD,), S.INVESTIGATING),
    LifecycleRow(Action.RESOLVE, (S.RECEIVED, S.INVESTIGATING, S.ON_HOLD), S.RESOLVED),
    LifecycleRow(Action.NOTIFY_RESULT, (S.RESOLVED,), S.FOLLOWING_UP),
    LifecycleRow(Action.RECORD_CONTACT, (S.FOLLOWING_UP,), S.INVESTIGATING, when_not_solved=True),
    LifecycleRow(Action.RECORD_CONTACT, _OPEN, None),
    LifecycleRow(
        Action.REOPEN, (S.RESOLVED, S.FOLLOWING_UP, S.CLOSED, S.REJECTED, S.WITHDRAWN), S.INVESTIGATING
    ),
    LifecycleRow(Action.CLOSE, (S.FOLLOWING_UP,), S.CLOSED),
    LifecycleRow(Action.ESCALATE, _OPEN, None),
    LifecycleRow(Action.REJECT, (S.RECEIVED, S.INVESTIGATING, S.ON_HOLD), S.REJECTED),
    LifecycleRow(Action.WITHDRAW, _OPEN, S.WITHDRAWN),
    LifecycleRow(Action.MERGE, _OPEN, S.MERGED),
    *(LifecycleRow(Action.UNMERGE, (S.MERGED,), status, back=True) for status in _OPEN),
)


def _machine_transitions() -> list[dict[str, Any]]:
    return [
        {
            "trigger": row.action.value,
            "source": [source.value for source in row.sources],
            "dest": row.target.value if row.target else _SAME,
            "conditions": _conditions(row),
        }
        for row in TABLE
    ]


def _conditions(row: LifecycleRow) -> list[Any]:
    conditions: list[Any] = ["not_solved"] if row.when_not_solved else []
    return [*conditions, lambda was: was is row.target] if row.back else conditions


# `auto_transitions` would add events named `to_<state>`, which skip the rules.
_MACHINE = Machine(
    model=None,
    states=[status.value for status in Status],
    initial=Status.RECEIVED.value,
    transitions=_machine_transitions(),
    auto_transitions=False,
)


class _StatusModel:
    """A model for one trigger. The machine keeps no reference to it, so it needs no removal."""

    __slots__ = ("not_solved", "state")

    def __init__(self, state: str, *, not_solved: bool) -> None:
        self.state = state
        self.not_solved = not_solved


@cache
def next_status(
    status: Status, action: Action, *, not_solved: bool = False, was: Status | None = None
) -> Status:
    """The status after `action`. Raises TransitionRefused with the legal actions if the table has no such row.

    `was` is the status before the merge, for `unmerge`.
    """
    model = _StatusModel(status.value, not_solved=not_solved)
    try:
        moved = _MACHINE.events[action.value].trigger(model, was)
    except MachineError:
        moved = False
    if not moved:  # the machine returns False for a false condition and raises nothing
        raise TransitionRefused(
            f"{action} is not possible while a complaint is {status}.", allowed=legal_actions(status)
        )
    return Status(model.state)


_LEGAL = {
    status: tuple(
        action for action in Action if any(row.action is action and status in row.sources for row in TABLE)
    )
    for status in Status
}


def legal_actions(status: Status) -> Sequence[Action]:
    """The actions that the table allows from `status`, in the order of the vocabulary."""
    return _LEGAL[status]


def list_transitions() -> list[tuple[Action, Status, Status]]:
    """Every transition of the table: (action, status before, status after)."""
    return [(row.action, source, row.target or source) for row in TABLE for source in row.sources]


def mermaid() -> str:
    """The table as a Mermaid state diagram, without the actions that leave the status unchanged."""
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for action, source, target in list_transitions():
        if source is not target:
            arrows.setdefault((source, target), []).append(action.value)
    lines = [f"    {source} --> {target}: {', '.join(names)}" for (source, target), names in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {Status.RECEIVED}", *lines, ""])
