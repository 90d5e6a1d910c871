"""The one table of the lifecycle. Diagram, documentation, API listing and tests are made from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transitions import Machine, MachineError

from complaints.domain.errors import TransitionRefused
from complaints.domain.vocabulary import Action, Status

S = Status
_OPEN = (S.RECEIVED, S.INVESTIGATING, S.ON_HOLD, S.RESOLVED, S.FOLLOWING_UP)
_SAME = "="


@dataclass(frozen=True, slots=True)
class Move:
    """One row: `action` takes a complaint from any of `sources` to `target`, or leaves it where it is (None).

    `when_not_solved` rows apply to a contact that found the complaint not solved.
    """

    action: Action
    sources: tuple[Status, ...]
    target: Status | None
    when_not_solved: bool = False


TABLE: tuple[Move, ...] = (
    Move(Action.ASSIGN, _OPEN, None),
    Move(Action.RESPOND, (S.RECEIVED,), S.INVESTIGATING),
    Move(Action.RESPOND, (S.INVESTIGATING, S.ON_HOLD), None),
    Move(Action.HOLD, (S.INVESTIGATING,), S.ON_HOLD),
    Move(Action.RESUME, (S.ON_HOLD,), S.INVESTIGATING),
    Move(Action.RESOLVE, (S.RECEIVED, S.INVESTIGATING, S.ON_HOLD), S.RESOLVED),
    Move(Action.NOTIFY_RESULT, (S.RESOLVED,), S.FOLLOWING_UP),
    Move(Action.RECORD_CONTACT, (S.FOLLOWING_UP,), S.INVESTIGATING, when_not_solved=True),
    Move(Action.RECORD_CONTACT, _OPEN, None),
    Move(Action.REOPEN, (S.RESOLVED, S.FOLLOWING_UP, S.CLOSED, S.REJECTED, S.WITHDRAWN), S.INVESTIGATING),
    Move(Action.CLOSE, (S.FOLLOWING_UP,), S.CLOSED),
    Move(Action.ESCALATE, _OPEN, None),
    Move(Action.REJECT, (S.RECEIVED, S.INVESTIGATING, S.ON_HOLD), S.REJECTED),
    Move(Action.WITHDRAW, _OPEN, S.WITHDRAWN),
    Move(Action.MERGE, _OPEN, S.MERGED),
)


def _transitions() -> list[dict[str, Any]]:
    return [
        {
            "trigger": move.action.value,
            "source": [source.value for source in move.sources],
            "dest": move.target.value if move.target else _SAME,
            **({"conditions": "not_solved"} if move.when_not_solved else {}),
        }
        for move in TABLE
    ]


# `auto_transitions` would plant `to_<state>` events that skip the rules.
_MACHINE = Machine(
    model=None,
    states=[status.value for status in Status],
    initial=Status.RECEIVED.value,
    transitions=_transitions(),
    auto_transitions=False,
)


class _Cursor:
    """A throwaway model: the machine keeps no reference to it."""

    __slots__ = ("not_solved", "state")

    def __init__(self, state: str, *, not_solved: bool) -> None:
        self.state = state
        self.not_solved = not_solved


def next_status(status: Status, action: Action, *, not_solved: bool = False) -> Status:
    """Status after `action`. Raises TransitionRefused, listing what is legal, if there is no such move."""
    cursor = _Cursor(status.value, not_solved=not_solved)
    try:
        moved = _MACHINE.events[action.value].trigger(cursor)
    except MachineError:
        moved = False
    if not moved:  # a false condition does not raise: the machine answers False
        raise TransitionRefused(
            f"{action} is not possible while a complaint is {status}.", allowed=legal_actions(status)
        )
    return Status(cursor.state)


_LEGAL = {
    status: tuple(
        action for action in Action if any(move.action is action and status in move.sources for move in TABLE)
    )
    for status in Status
}


def legal_actions(status: Status) -> Sequence[Action]:
    """The actions the table knows from `status`, in the order of the vocabulary."""
    return _LEGAL[status]


def moves() -> list[tuple[Action, Status, Status]]:
    """Every cell of the table that is a move: (action, from, to)."""
    return [(move.action, source, move.target or source) for move in TABLE for source in move.sources]


def mermaid() -> str:
    """The table as a Mermaid state diagram; actions that leave the state as it is are left out."""
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for action, source, target in moves():
        if source is not target:
            arrows.setdefault((source, target), []).append(action.value)
    lines = [f"    {source} --> {target}: {', '.join(names)}" for (source, target), names in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {Status.RECEIVED}", *lines, ""])


# For readers ------------------------------------------------------------------------------------------------
