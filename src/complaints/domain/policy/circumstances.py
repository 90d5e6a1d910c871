"""The complaints for which a part of a policy holds, and the choice of the part that fits a complaint most closely."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from complaints.domain.policy.checks import PlacedFault
from complaints.domain.vocabulary import Channel, Priority

NARROWING = ("channel", "region", "source")
"""The members of a complaint, beside priority and category, by which a policy may choose."""
_CONDITIONS = ("priority", "category", *NARROWING)
_Conditions = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """The complaints for which something holds. None means any. A category also fits its children.

    `conditions` has the members that are not None, by name.
    """

    priority: Priority | None = None
    category: str | None = None
    channel: Channel | None = None
    region: str | None = None
    source: str | None = None
    conditions: _Conditions = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Collect the conditions once."""
        named = ((name, getattr(self, name)) for name in _CONDITIONS)
        object.__setattr__(self, "conditions", {name: value for name, value in named if value is not None})


C = TypeVar("C", bound=Circumstances)


def choose_closest(choices: Sequence[C], told: Mapping[str, str | None]) -> C | None:
    """The choice that fits a complaint with these members most closely: it has the most conditions (rule 4.12).

    Among as many conditions, a choice for the child of a category comes before one for its parent. Otherwise the
    earlier choice is taken. None if no choice fits.
    """
    fitting = [choice for choice in choices if _fits(choice.conditions, told)]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    most = max(len(choice.conditions) for choice in fitting)
    closest = [choice for choice in fitting if len(choice.conditions) == most]
    return next(one for one in closest if not any(_is_within(other, one) for other in closest))


def _fits(conditions: _Conditions, told: Mapping[str, str | None]) -> bool:
    return all(_is_met(name, value, told.get(name)) for name, value in conditions.items())


def _is_met(name: str, value: str, told: str | None) -> bool:
    """True if `told` is this value, or a child of this category."""
    if told == value or told is None:
        return told is not None
    return name == "category" and told.partition(".")[0] == value


def _is_within(one: Circumstances, other: Circumstances) -> bool:
    """True if `one` is for a part of the complaints of `other`."""
    return one.conditions != other.conditions and _fits(other.conditions, one.conditions)


# Faults ------------------------------------------------------------------------------------------------------------


def target_faults(choices: Sequence[Circumstances]) -> Iterator[PlacedFault]:
    """Every target must be reachable, and the last one must fit every complaint (rules 4.4 and 4.12)."""
    for index in range(1, len(choices)):
        if any(not earlier.conditions for earlier in choices[:index]) and choices[index].conditions:
            yield (index,), "is never taken: an earlier target is for every complaint; put that last"
    if choices[-1].conditions and all(choice.conditions for choice in choices):
        yield (len(choices) - 1,), "the last target must be for every complaint: without any condition"
    yield from choice_faults(choices)


def choice_faults(choices: Sequence[Circumstances]) -> Iterator[PlacedFault]:
    """No two items may be for the same complaints, or fit a complaint equally closely (rule 4.12).

    By priority and category alone, the earlier of two items counts. An item with the conditions of both also decides.
    """
    for index, choice in enumerate(choices):
        earlier = choices[:index]
        if any(other.conditions == choice.conditions for other in earlier):
            yield (index,), "is never taken: an earlier target is for the same complaints"
            continue
        tied = next(
            (n for n, other in enumerate(earlier, start=1) if _are_tied(other, choice, choices)), None
        )
        if tied is not None:
            message = f"is as close as item {tied} of the list for some complaints"
            yield (index,), f"{message}; add an item with the conditions of both"


def _are_tied(one: Circumstances, other: Circumstances, choices: Sequence[Circumstances]) -> bool:
    if len(one.conditions) != len(other.conditions) or _is_within(one, other) or _is_within(other, one):
        return False
    both = _join(one.conditions, other.conditions)
    if both is None or not both.keys() & {*NARROWING}:
        return False
    return not any(
        len(choice.conditions) > len(one.conditions) and _fits(choice.conditions, both) for choice in choices
    )


def _join(one: _Conditions, other: _Conditions) -> dict[str, str] | None:
    """The conditions of both together. None if no complaint meets them all."""
    joined = {**one, **other}
    for name in one.keys() & other.keys():
        if _is_met(name, other[name], one[name]):
            joined[name] = one[name]
        elif not _is_met(name, one[name], other[name]):
            return None
    return joined
