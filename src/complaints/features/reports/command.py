"""The work of the command `complaints figures rebuild`."""

from collections.abc import Callable

from complaints.use_cases.figures.keeping import rebuild_facts
from complaints.use_cases.service import Service


def rebuild(service: Service, progress: Callable[[int], None]) -> None:
    """Write the facts of all complaints again. `progress` is called with the number of events read so far.

    A rebuild that was cut off goes on where it was.
    """
    done = 0
    while read := rebuild_facts(service):
        progress(done := done + read)
        service.database.give_way()
