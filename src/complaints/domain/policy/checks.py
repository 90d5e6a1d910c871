"""Rules about lists in a policy: an order that must ascend, and choices that are never taken.

Each check gives the faults it finds: the place below the list, and what is wrong there.
"""

from collections.abc import Hashable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from complaints.domain.time.notation import StepPlace
from complaints.domain.time.working_time import OPEN_UNITS, Target, Unit

Place = tuple[str | int, ...]
"""The way from a value to one of its parts: names of members and numbers of items."""
PlacedFault = tuple[Place, str]

_DAYS_AT_LEAST = {Unit.ELAPSED_SECONDS: 1 / 86_400, Unit.OPEN_SECONDS: 1 / 86_400, Unit.CALENDAR_MONTHS: 28}
_DAYS_AT_MOST = {Unit.ELAPSED_SECONDS: 1 / 86_400, Unit.CALENDAR_MONTHS: 31}
_DST_SHIFT_DAYS = 1 / 24


def follow_up_faults(plan: Sequence[Target]) -> Iterator[PlacedFault]:
    """Each follow-up must be later than the one before it (rule 4.4)."""
    for index, (earlier, later) in enumerate(pairwise(plan), start=1):
        if _never_later(later, earlier):
            yield (index,), "must be later than the follow-up before it"


def _never_later(target: Target, than: Target) -> bool:
    """True if `target` cannot end after `than`, whatever the start and the calendar."""
    if (target.unit, target.from_next_day) == (than.unit, than.from_next_day):
        return target.amount <= than.amount
    return _days_at_most(target) <= _days_at_least(than)


def _days_at_least(target: Target) -> float:
    days = target.amount * _DAYS_AT_LEAST.get(target.unit, 1)
    return days - _DST_SHIFT_DAYS - (target.unit is Unit.WORKING_DAYS)


def _days_at_most(target: Target) -> float:
    if target.unit in OPEN_UNITS:
        return float("inf")
    return target.amount * _DAYS_AT_MOST.get(target.unit, 1) + _DST_SHIFT_DAYS + target.from_next_day


def route_faults(conditions: Sequence[Hashable]) -> Iterator[PlacedFault]:
    """No route may have the conditions of an earlier route."""
    earlier: set[Hashable] = set()
    for index, condition in enumerate(conditions):
        if condition in earlier:
            yield (index,), "is never taken: an earlier route fits the same complaints"
        earlier.add(condition)


def ladder_faults(places: Sequence[StepPlace]) -> Iterator[PlacedFault]:
    """Steps must ascend, and one of them must be at or after the due time."""
    for index, place in enumerate(places):
        above = next((other for other in places[:index] if _never_after(place, other)), None)
        if above:
            yield (index, "at"), f"{place.name} must come after {above.name} above it"
    if all(_side_of_due(place) < 0 for place in places):
        yield (), "must have a step at or after 100%, so that nothing is forgotten"


def repeat_faults(repeats: Sequence[object]) -> Iterator[PlacedFault]:
    """Only the last step may repeat (rule 3.9)."""
    for index, repeat in enumerate(repeats[:-1]):
        if repeat is not None:
            yield (index, "repeat"), "only the last step of a ladder may repeat"


def _never_after(place: StepPlace, other: StepPlace) -> bool:
    """True if `place` is after `other` on no deadline.

    Some places cannot be compared, such as days and open hours. Then only the side of the due time counts.
    """
    for own, others in (
        (place.share, other.share),
        (place.offset_seconds, other.offset_seconds),
        (place.offset_days, other.offset_days),
    ):
        if own is not None and others is not None:
            return own <= others
    return _side_of_due(place) < _side_of_due(other)


def _side_of_due(place: StepPlace) -> int:
    """-1 before the due time, 0 at the due time, 1 after it."""
    from_due = place.offset_seconds or place.offset_days or (place.share or Fraction()) - 1
    return (from_due > 0) - (from_due < 0)
