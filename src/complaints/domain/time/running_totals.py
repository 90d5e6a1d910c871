"""Open time as running totals, so that one search finds what a walk over days would."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate


class RunningTotals:
    """The open intervals of a period, with the open time before each of them. Nothing is known after `until`.

    Intervals ascend and do not overlap. All instants and amounts are in microseconds.
    """

    __slots__ = ("_begins", "_totals", "until")

    def __init__(self, intervals: Iterable[tuple[int, int]], until: int) -> None:
        known = list(intervals)
        self._begins = [begin for begin, _ in known]
        self._totals = list(accumulate((end - begin for begin, end in known), initial=0))
        self.until = until

    def measure(self, instant: int) -> int:
        """The open time of the period before an instant."""
        after = bisect_right(self._begins, instant)
        if after == 0:
            return 0
        return min(self._totals[after - 1] + instant - self._begins[after - 1], self._totals[after])

    def find(self, amount: int) -> int | None:
        """The earliest instant before which the period has so much open time, more than 0. None if it has less."""
        reached = bisect_left(self._totals, amount)
        if reached == len(self._totals):
            return None
        return self._begins[reached - 1] + amount - self._totals[reached - 1]
