"""The check of many ranges of complaints by several processes."""

from collections.abc import Iterator, Sequence

from complaints.use_cases.forks import BrokenProcessPool as BrokenProcessPool
from complaints.use_cases.forks import work_in_forks
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.checks import CheckedRange, IdRange, check_range


def check_ranges(service: Service, ranges: Sequence[IdRange], *, processes: int) -> Iterator[CheckedRange]:
    """Check each range, and yield the results in the order of `ranges`.

    Several processes share the ranges if the system can fork. Raises BrokenProcessPool if one of them is killed.
    """
    return work_in_forks(service, lambda one: check_range(service, one), ranges, processes=processes)
