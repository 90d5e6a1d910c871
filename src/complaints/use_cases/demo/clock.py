"""The clock of a made-up quarter, and identifiers that follow from it and from a seed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

_RANDOM_BITS = 62
_COUNTER_BITS = 12
_VERSION_7 = 7 << 76
_VARIANT = 2 << _RANDOM_BITS
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True)
class QuarterClock:
    """The instant at which the quarter stands, in UTC. It only moves forwards."""

    now: datetime


class SeededIds:
    """Makes identifiers as `wiring.new_id` does, in ascending order, but by the clock of the quarter and a seed."""

    def __init__(self, clock: QuarterClock, random: Random) -> None:
        self._clock, self._random = clock, random
        self._last = 0

    def __call__(self) -> UUID:
        """A UUIDv7. Two of one millisecond differ in a counter behind the time."""
        milliseconds = (self._clock.now - _EPOCH) // _MILLISECOND
        self._last = max(self._last + 1, milliseconds << _COUNTER_BITS)
        at, count = divmod(self._last, 1 << _COUNTER_BITS)
        return UUID(
            int=at << 80 | _VERSION_7 | count << 64 | _VARIANT | self._random.getrandbits(_RANDOM_BITS)
        )
