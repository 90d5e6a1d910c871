"""What the annex counts: pure functions."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import ClassVar

from complaints.domain.errors import Conflict
from complaints.domain.vocabulary import EventType
from complaints.use_cases.complaints.history import EventRecord

NONE = "none"


class CountsFrozen(Conflict):
    """The counts may not be reset."""

    code: ClassVar[str] = "counts-frozen"


def count_received(events: Iterable[EventRecord]) -> Mapping[str, int]:
    """How many of the events are intakes, by the category at intake."""
    return Counter(e.data["changes"].get("category", NONE) for e in events if e.type is EventType.CREATED)
