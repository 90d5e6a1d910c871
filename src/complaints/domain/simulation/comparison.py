"""What a simulation changed: the past of a complaint beside its course in the simulation, as facts and as figures."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any

from complaints.domain.complaint.numbers import number_of
from complaints.domain.simulation.past import DeadlineFate, DeadlineKey, StepKey, TakenStep
from complaints.domain.simulation.simulated_complaint import NotPossible, SimulatedComplaint


class FactSide(StrEnum):
    """Where a fact is: in the past and in the simulation, or only in one of them."""

    BOTH = "both"
    PAST = "past"
    SIMULATED = "simulated"


class Move(StrEnum):
    """How the due time of a deadline moved. The last two are deadlines that the other side does not have."""

    EARLIER = "earlier"
    LATER = "later"
    EQUAL = "equal"
    ONLY_PAST = "only_past"
    ONLY_SIMULATED = "only_simulated"


@dataclass(frozen=True, slots=True)
class ComparedDeadline:
    """A deadline in the past and in the simulation. None where it is not there."""

    key: DeadlineKey
    past: DeadlineFate | None
    simulated: DeadlineFate | None

    @property
    def move(self) -> Move:
        """How its due time moved."""
        if self.past is None:
            return Move.ONLY_SIMULATED
        if self.simulated is None:
            return Move.ONLY_PAST
        if self.past.due_at == self.simulated.due_at:
            return Move.EQUAL
        return Move.EARLIER if self.simulated.due_at < self.past.due_at else Move.LATER

    @property
    def shift_seconds(self) -> float | None:
        """The seconds by which its due time moved; less than 0: earlier. None if one side does not have it."""
        if self.past is None or self.simulated is None:
            return None
        return (self.simulated.due_at - self.past.due_at).total_seconds()

    @property
    def breach(self) -> FactSide | None:
        """Where it was breached. None: nowhere."""
        return _side_of(
            self.past is not None and self.past.breached_at is not None,
            self.simulated is not None and self.simulated.breached_at is not None,
        )

    @property
    def has_row(self) -> bool:
        """True if it is behind a number: it was breached, or its due time moved."""
        return self.breach is not None or self.move is not Move.EQUAL


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """A step in the past and in the simulation. None where it was not taken."""

    key: StepKey
    past: TakenStep | None
    simulated: TakenStep | None

    def levels(self) -> Iterator[tuple[int, FactSide]]:
        """The level on each side."""
        yield from _sides(
            {self.past.level} if self.past else (), {self.simulated.level} if self.simulated else ()
        )

    def persons(self) -> Iterator[tuple[str, FactSide]]:
        """The logins of its recipients on each side."""
        yield from _sides(
            self.past.recipients if self.past else (), self.simulated.recipients if self.simulated else ()
        )


@dataclass(frozen=True, slots=True)
class ComparedComplaint:
    """All differences and agreements of one complaint."""

    number: str
    deadlines: list[ComparedDeadline]
    steps: list[ComparedStep]
    not_possible: list[NotPossible]
    assignments_left: int

    def rows(self) -> Iterator[dict[str, Any]]:
        """The facts behind the figures, each with the number of the complaint, as JSON values."""
        for one in self.deadlines:
            if one.has_row:
                yield {
                    "fact": "deadline",
                    "complaint": self.number,
                    **one.key._asdict(),
                    "breach": one.breach,
                    "due": one.move,
                    "shift_seconds": one.shift_seconds,
                    **_both(one.past, one.simulated),
                }
        for step in self.steps:
            deadline = step.key.deadline._asdict() if step.key.deadline else {}
            named = {"fact": "escalation", "complaint": self.number, **deadline, "step": step.key.step}
            yield {**named, **_both(step.past, step.simulated)}
        for refused in self.not_possible:
            yield {"fact": "not_possible", "complaint": self.number, **refused._asdict()}


def _both(past: Any, simulated: Any) -> dict[str, Any]:
    return {
        name: None if one is None else one._asdict()
        for name, one in (("past", past), ("simulated", simulated))
    }


def compare(one: SimulatedComplaint) -> ComparedComplaint:
    """Compare the simulated course of a complaint with its past."""
    past, simulated = one.history.course(), one.course()
    return ComparedComplaint(
        number=number_of(one.history.sequence),
        deadlines=[ComparedDeadline(*pair) for pair in _pairs(past.deadlines, simulated.deadlines)],
        steps=[ComparedStep(*pair) for pair in _pairs(past.steps, simulated.steps)],
        not_possible=one.not_possible,
        assignments_left=one.assignments_left,
    )


def _pairs(past: Mapping[Any, Any], simulated: Mapping[Any, Any]) -> Iterator[tuple[Any, Any, Any]]:
    for key in dict.fromkeys(chain(past, simulated)):
        yield key, past.get(key), simulated.get(key)


def _sides(past: Iterable[Any], simulated: Iterable[Any]) -> Iterator[tuple[Any, FactSide]]:
    before, after = set(past), set(simulated)
    for value in before | after:
        side = _side_of(value in before, value in after)
        assert side is not None  # it is a member of one of both
        yield value, side


def _side_of(is_past: bool, is_simulated: bool) -> FactSide | None:
    if is_past and is_simulated:
        return FactSide.BOTH
    if is_past:
        return FactSide.PAST
    return FactSide.SIMULATED if is_simulated else None


@dataclass(slots=True)
class SimulationFigures:
    """The numbers of a simulation. Each counter has a pair of a name and a side, or of a kind and a move.

    `shifts` counts deadlines of a kind by the seconds by which their due time moved, without those that stayed.
    `left_out` counts complaints that could not be rerun, by reason. `behind` counts complaints that the engine had
    not caught up; they are compared up to the instant at which it had. `not_possible` counts actions by name.
    `kept` counts complaints that keep the policy of their receipt, because the simulated one is not chosen for them.
    """

    complaints: int = 0
    behind: int = 0
    kept: int = 0
    assignments_left: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    breaches: Counter[tuple[str, FactSide]] = field(default_factory=Counter)
    due_times: Counter[tuple[str, Move]] = field(default_factory=Counter)
    shifts: Counter[tuple[str, float]] = field(default_factory=Counter)
    escalations: Counter[tuple[int, FactSide]] = field(default_factory=Counter)
    persons: Counter[tuple[str, FactSide]] = field(default_factory=Counter)
    not_possible: Counter[str] = field(default_factory=Counter)

    def add_complaint(self, compared: ComparedComplaint) -> None:
        """Count one complaint."""
        self.complaints += 1
        self.assignments_left += compared.assignments_left
        for deadline in compared.deadlines:
            kind, move = deadline.key.kind, deadline.move
            self.due_times[kind, move] += 1
            if deadline.breach is not None:
                self.breaches[kind, deadline.breach] += 1
            if move in (Move.EARLIER, Move.LATER) and deadline.shift_seconds is not None:
                self.shifts[kind, deadline.shift_seconds] += 1
        for step in compared.steps:
            self.escalations.update(step.levels())
            self.persons.update(step.persons())
        self.not_possible.update(refused.action for refused in compared.not_possible)

    def add(self, other: "SimulationFigures") -> None:
        """Add the figures of other complaints."""
        for name in self.__slots__:
            mine, its = getattr(self, name), getattr(other, name)
            setattr(self, name, mine + its)

    def median_shift_seconds(self, kind: str) -> float | None:
        """The median by which the due times of a kind moved, of those that moved. None if none did.

        Of an even number, it is the lower one of the two in the middle.
        """
        shifts = sorted(
            (shift, number) for (of_kind, shift), number in self.shifts.items() if of_kind == kind
        )
        middle = (sum(number for _, number in shifts) + 1) // 2
        for shift, number in shifts:
            middle -= number
            if middle <= 0:
                return shift
        return None

    def tables(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """The figures by name: for each a line by its own name, with its members."""
        return {
            "complaints": {"all": {"simulated": self.complaints, "left_out": self.left_out.total()}},
            "breaches": _by_side(self.breaches),
            "escalations": _by_side(self.escalations),
            "persons": _by_side(self.persons),
            "due_times": {
                kind: {
                    **{move.value: self.due_times[kind, move] for move in Move},
                    "median_shift_seconds": self.median_shift_seconds(kind),
                }
                for kind in sorted({kind for kind, _ in self.due_times})
            },
            "not_possible": {name: {"actions": number} for name, number in sorted(self.not_possible.items())},
        }


def _by_side(counted: Counter[tuple[Any, FactSide]]) -> dict[str, dict[str, float | None]]:
    """The numbers of the past and of the simulation for each name, and how many are only in one of them."""
    return {
        str(name): {
            "past": counted[name, FactSide.BOTH] + counted[name, FactSide.PAST],
            "simulated": counted[name, FactSide.BOTH] + counted[name, FactSide.SIMULATED],
            "difference": counted[name, FactSide.SIMULATED] - counted[name, FactSide.PAST],
            "no_longer": counted[name, FactSide.PAST],
            "new": counted[name, FactSide.SIMULATED],
        }
        for name in sorted({name for name, _ in counted})
    }
