"""How many services or users there were on average in a period. Pure (rule 6.17)."""

from collections.abc import Sequence
from decimal import Decimal

_PLACES = Decimal("0.000001")


def average_exposure(steps: Sequence[tuple[int, int]], first: int, end: int) -> Decimal | None:
    """The average over the days from `first` up to and without `end`. None: the number at the beginning is not known.

    `steps` are pairs of a day and the number from that day on, in the order of the days.
    """
    if first >= end or not steps or steps[0][0] > first:
        return None
    total = 0
    for (begins, value), ends in zip(steps, [*(day for day, _ in steps[1:]), end], strict=True):
        total += value * max(0, min(ends, end) - max(begins, first))
    return (Decimal(total) / (end - first)).quantize(_PLACES)
